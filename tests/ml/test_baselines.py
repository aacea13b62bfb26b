"""Baselines know colours, or nothing, and always the same."""

import numpy as np
import pytest
import torch
from PIL import Image

from ml.baselines import colour_histograms, untrained
from ml.embedder import size

CPU = torch.device("cpu")


def test_photos_of_the_same_colours_are_the_same_and_others_have_nothing_in_common() -> None:
    red, blue = Image.new("RGB", (40, 60), (200, 10, 10)), Image.new("RGB", (50, 30), (10, 10, 200))
    both = Image.new("RGB", (40, 40), (200, 10, 10))
    both.paste((10, 10, 200), (0, 0, 40, 20))
    vectors = colour_histograms([red, blue, both])
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1)
    assert vectors @ vectors.T == pytest.approx(
        np.array([[1, 0, 0.5**0.5], [0, 1, 0.5**0.5], [0.5**0.5, 0.5**0.5, 1]]), abs=0.02
    )


def test_the_middle_alone_does_not_see_the_background() -> None:
    street, beach = Image.new("RGB", (60, 60), (90, 90, 90)), Image.new("RGB", (60, 60), (230, 210, 150))
    for background in (street, beach):
        background.paste((200, 10, 10), (18, 6, 42, 54))  # the same dress
    whole, middle = colour_histograms([street, beach]), colour_histograms([street, beach], middle=True)
    assert whole[0] @ whole[1] < 0.5
    assert middle[0] @ middle[1] == pytest.approx(1)


def test_no_photos_have_no_histograms() -> None:
    assert colour_histograms([]).shape == (0, 512)


def test_the_untrained_network_is_always_the_same_and_disturbs_no_other_randomness() -> None:
    photos = [Image.new("RGB", (40, 60), (200, 10, 10))]
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    first = untrained(size("tiny"), CPU).embed(photos)
    assert torch.equal(torch.rand(2), expected)
    assert np.array_equal(first.vectors, untrained(size("tiny"), CPU).embed(photos).vectors)
    assert not np.array_equal(first.vectors, untrained(size("tiny"), CPU, seed=1).embed(photos).vectors)
