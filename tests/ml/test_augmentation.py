"""Augmentations are drawn from a generator and leave a photo a photo."""

import pytest
import torch

from ml.augmentation import street_like
from tests.ml.test_photos import photos


def test_augmented_photos_stay_photos_and_differ_from_each_other() -> None:
    batch = photos(1).expand(6, -1, -1, -1)
    found = street_like(batch, 32, torch.Generator().manual_seed(0))
    assert found.shape == (6, 3, 32, 32)
    assert 0 <= found.min() <= found.max() <= 1
    assert (found[0] - found[1]).abs().mean() > 0.01


def test_the_generator_decides_the_augmentation() -> None:
    first, again, other = (street_like(photos(), 32, torch.Generator().manual_seed(s)) for s in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_no_strength_leaves_the_photo_as_it_is() -> None:
    batch = photos()
    found = street_like(batch, 40, torch.Generator().manual_seed(0), strength=0.0)
    assert (found - batch).abs().mean() < 0.01


@pytest.mark.parametrize("size", [16, 32, 40])
def test_a_small_copy_keeps_the_photo_s_light(size: int) -> None:
    batch = photos()
    found = street_like(batch, size, torch.Generator().manual_seed(0), strength=0.0)
    assert found.shape == (6, 3, size, size)
    assert found.mean(dim=(2, 3)) == pytest.approx(batch.mean(dim=(2, 3)), abs=0.02)


def test_the_photos_given_are_not_changed() -> None:
    batch = photos()
    before = batch.clone()
    street_like(batch, 40, torch.Generator().manual_seed(3), strength=1.0)
    assert torch.equal(batch, before)
