"""Augmentation that gradients go through (DiffAugment; Zhao et al. 2020, arXiv:2006.10738)."""

from __future__ import annotations

import torch
from torch import Tensor


def augment(photos: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """(n, 3, s, s) in -1..1: a `share` of them in other colours, moved, with a hole, each by itself.

    Real photos and dreams go through the same, so that the generator does not learn the changes.
    """
    if share <= 0:
        return photos
    for change in (recoloured, moved, with_a_hole):
        chosen = torch.rand(len(photos), 1, 1, 1, device=photos.device, generator=generator) < share
        photos = torch.where(chosen, change(photos, generator), photos)
    return photos.contiguous(memory_format=torch.channels_last)


def recoloured(photos: Tensor, generator: torch.Generator) -> Tensor:
    """Brightness by up to half, saturation to 0..2 times, contrast to half up to one and a half."""
    shape = (3, len(photos), 1, 1, 1)
    brightness, saturation, contrast = torch.rand(shape, device=photos.device, generator=generator)
    photos = photos + (brightness - 0.5)
    grey = photos.mean(dim=1, keepdim=True)
    photos = torch.lerp(grey, photos, 2 * saturation)
    mean = photos.mean(dim=(1, 2, 3), keepdim=True)
    return torch.lerp(mean, photos, contrast + 0.5)


def moved(photos: Tensor, generator: torch.Generator, furthest: float = 0.125) -> Tensor:
    """Each by up to `furthest` of the side, both ways; what comes in repeats the edge."""
    count, _, height, width = photos.shape
    most = max(1, round(furthest * width))
    by = torch.randint(-most, most + 1, (2, count, 1), device=photos.device, generator=generator)
    rows = (torch.arange(height, device=photos.device) + by[0]).clamp(0, height - 1)
    columns = (torch.arange(width, device=photos.device) + by[1]).clamp(0, width - 1)
    photo = torch.arange(count, device=photos.device)[:, None, None]
    return photos.permute(0, 2, 3, 1)[photo, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)


def with_a_hole(photos: Tensor, generator: torch.Generator, side: float = 0.5) -> Tensor:
    """A grey square of `side` times the photo's, its middle anywhere."""
    count, _, height, width = photos.shape
    middle = torch.rand(2, count, 1, device=photos.device, generator=generator)
    rows = (torch.arange(height, device=photos.device) / height - middle[0]).abs() < side / 2
    columns = (torch.arange(width, device=photos.device) / width - middle[1]).abs() < side / 2
    return photos * ~(rows[:, None, :, None] & columns[:, None, None, :])
