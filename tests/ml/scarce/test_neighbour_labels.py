"""Labels that flow along likeness."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from ml.scarce.neighbour_labels import directions, likeliest, outlines, spread, sureness
from tests.ml.scarce.toys import toys

EVEN = torch.full((3,), 1 / 3)


def test_one_label_of_each_class_reaches_all_that_look_alike() -> None:
    photos = toys()
    vectors = directions(outlines(photos.train))
    found = spread(vectors, torch.arange(3), torch.from_numpy(photos.train_labels[:3]), EVEN)
    assert torch.allclose(found.sum(dim=1), torch.ones(180), atol=1e-5)
    assert np.mean(found.argmax(dim=1).numpy() == photos.train_labels) > 0.95


def test_outlines_are_of_equal_weight_and_see_the_light_fall_from_the_other_side() -> None:
    photos = toys().train[:6]
    found, negative = outlines(photos), outlines(255 - photos)
    edges = 8 * 8 * 8
    assert torch.allclose(found[:, :edges].norm(dim=1), torch.ones(6), atol=1e-4)
    assert torch.allclose(found[:, edges:].norm(dim=1), torch.full((6,), 0.5), atol=1e-4)
    assert not torch.allclose(found[:, :edges], negative[:, :edges], atol=0.1)


def test_a_class_gets_its_share_and_not_its_neighbours() -> None:
    """Two groups that touch, of 20 and 80, a label each."""
    random = torch.Generator().manual_seed(0)
    middle = torch.tensor([[1.0, 0.0]] * 20 + [[0.6, 0.8]] * 80)
    vectors = F.normalize(middle + 0.3 * torch.randn(100, 2, generator=random), dim=1)
    told = (torch.tensor([0, 99]), torch.tensor([0, 1]))
    counts = [
        int((spread(vectors, *told, torch.tensor(shares)).argmax(dim=1) == 0).sum())
        for shares in ([0.1, 0.9], [0.2, 0.8], [0.5, 0.5])
    ]
    assert counts == sorted(counts)
    assert counts[0] < counts[-1]


def test_who_has_no_labelled_relation_is_guessed_by_the_shares() -> None:
    """Two groups of 30 that see nothing of each other: all their neighbours are their own."""
    random = torch.Generator().manual_seed(0)
    near = torch.randn(30, 4, generator=random) * 0.01
    vectors = F.normalize(torch.cat([near + torch.eye(4)[0], near + torch.eye(4)[1]]), dim=1)
    shares = torch.tensor([0.7, 0.3])
    found = spread(vectors, torch.tensor([0, 1]), torch.tensor([0, 1]), shares)
    assert torch.allclose(found[30:], shares.expand(30, 2))


@pytest.mark.parametrize("together", [2, 5, 256])
def test_the_likeliest_of_many_classes_is_that_of_all_at_once(
    together: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many classes are spread together; the margin is between the two likeliest of all."""
    random = torch.Generator().manual_seed(0)
    vectors = F.normalize(torch.randn(60, 4, generator=random), dim=1)
    known, labels = torch.arange(10), torch.arange(10) % 5
    two = spread(vectors, known, labels, torch.full((5,), 0.2)).topk(2)
    monkeypatch.setattr("ml.scarce.neighbour_labels.TOGETHER", together)
    classes, margins = likeliest(vectors, known, labels, 5)
    assert torch.equal(classes, two.indices[:, 0])
    assert torch.allclose(margins, two.values[:, 0] - two.values[:, 1], atol=1e-5)


def test_of_the_surer_half_every_label_counts() -> None:
    assert torch.allclose(
        sureness(torch.tensor([0.0, 0.1, 0.2, 0.4, 0.8])), torch.tensor([0.0, 0.5, 1, 1, 1])
    )
    assert torch.equal(sureness(torch.zeros(3)), torch.zeros(3))
