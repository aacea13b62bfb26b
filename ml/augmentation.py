"""Imitates the street: what phones, people and filters do to a photo, on whole batches, on their device.

A processor spends as long on careless augmentation as on training. So colours change by one matrix product,
tones by a parabola and not by a power, and what befalls few photos touches those few alone.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

GREY = (0.299, 0.587, 0.114)  # ITU-R BT.601


def street_like(batch: Tensor, size: int, generator: torch.Generator, strength: float = 1.0) -> Tensor:
    """Augment (n, 3, side, side) in 0..1 into (n, 3, size, size) as phones, people and filters would.

    Flip, crop, turn and perspective; light, contrast, saturation and white balance; blur, noise; a patch of
    another photo over a part. `strength` 0 only resizes; 1 is the most that leaves a dress recognisable.
    Every photo draws its own values from `generator` (on the batch's device).
    """
    batch = _colour(_warp(batch, size, generator, strength), generator, strength)
    _soften(batch, generator, strength)
    _occlude(batch, generator, strength)
    _add_noise(batch, generator, strength)
    return batch.clamp_(0, 1)


def _uniform(generator: torch.Generator, like: Tensor, low: float, high: float) -> Tensor:
    """(n, 1, 1) numbers, one a photo."""
    draws = torch.rand(len(like), 1, 1, generator=generator, device=like.device)
    return low + (high - low) * draws


def _some(generator: torch.Generator, like: Tensor, share: float) -> list[int]:
    """Places of a share of the photos."""
    return (_uniform(generator, like, 0, 1) < share).flatten().nonzero().flatten().tolist()


def _warp(batch: Tensor, size: int, generator: torch.Generator, strength: float) -> Tensor:
    """Crop, turn, mirror and tilt by one homography a photo."""

    def draw(low: float, high: float) -> Tensor:
        return _uniform(generator, batch, strength * low, strength * high)

    zoom, stretch, angle = torch.exp(draw(-0.4, 0.15)), torch.exp(draw(-0.1, 0.1)), draw(-0.3, 0.3)
    mirror = 1.0 - 2.0 * (_uniform(generator, batch, 0, 1) < 0.5 * min(1.0, 4 * strength))
    tilt_x, tilt_y = draw(-0.15, 0.15), draw(-0.15, 0.15)
    reach = (1 - zoom).clamp(min=0) + 0.1 * strength
    shift_x, shift_y = draw(-1, 1) * reach, draw(-1, 1) * reach
    line = (2 * torch.arange(size, device=batch.device) + 1) / size - 1  # centres of pixels
    y, x = torch.meshgrid(line, line, indexing="ij")
    turned_x = zoom * stretch * mirror * (angle.cos() * x - angle.sin() * y)
    turned_y = zoom / stretch * (angle.sin() * x + angle.cos() * y)
    depth = 1 + tilt_x * x + tilt_y * y
    grid = torch.stack([turned_x / depth + shift_x, turned_y / depth + shift_y], dim=-1)
    # Without a step in between, every second pixel of a photo twice as large would be left out.
    if batch.shape[-1] > 1.5 * size:
        batch = F.interpolate(batch, size=(size, size), mode="bilinear", antialias=True)
    return F.grid_sample(batch, grid, mode="bilinear", padding_mode="border", align_corners=False)


def _colour(batch: Tensor, generator: torch.Generator, strength: float) -> Tensor:
    """Saturation, contrast, white balance and exposure as one matrix; then lighter or darker middle tones."""

    def draw(low: float, high: float) -> Tensor:
        return _uniform(generator, batch, strength * low, strength * high)

    n, _, height, width = batch.shape
    flat = batch.flatten(2)  # (n, 3, pixels)
    saturation, contrast = torch.exp(draw(-0.4, 0.3)), torch.exp(draw(-0.35, 0.25))
    warmth, green = draw(-0.12, 0.12), draw(-0.05, 0.05)
    gains = torch.cat([warmth, green, -warmth], dim=1).exp()  # (n, 3, 1)
    grey = torch.tensor(GREY, device=batch.device).expand(3, 3)
    mixed = saturation * torch.eye(3, device=batch.device) + (1 - saturation) * grey
    middle = flat.mean(dim=(1, 2), keepdim=True)
    toned = torch.baddbmm((gains * (1 - contrast) * middle), gains * contrast * mixed, flat).clamp_(0, 1)
    curve = draw(-0.7, 0.7)
    return (toned * (1 + curve - curve * toned)).reshape(n, 3, height, width)


def _soften(batch: Tensor, generator: torch.Generator, strength: float) -> None:
    """A third of the photos lose detail, as by a shaking hand, a small upload or JPEG."""
    factor = 0.4 + 0.4 * float(torch.rand((), generator=generator, device=generator.device))
    if chosen := _some(generator, batch, 0.33 * strength):
        small = F.interpolate(batch[chosen], scale_factor=factor, mode="bilinear", antialias=True)
        batch[chosen] = F.interpolate(small, size=batch.shape[-2:], mode="bilinear")


def _occlude(batch: Tensor, generator: torch.Generator, strength: float) -> None:
    """A rectangle of the photo before covers a part of 30% of the photos: a hand, a bag, a phone."""
    side = batch.shape[-1]
    for place in _some(generator, batch, 0.3 * strength):
        x, y, width, height = torch.rand(4, generator=generator, device=generator.device).tolist()
        columns, rows = _stretch(x, width, side), _stretch(y, height, side)
        batch[place, :, rows, columns] = batch[place - 1, :, rows, columns]


def _stretch(centre: float, reach: float, side: int) -> slice:
    """From a tenth to two fifths of a side, around a centre in 0..1."""
    half = 0.05 + 0.15 * reach
    return slice(round(max(0.0, centre - half) * side), round(min(1.0, centre + half) * side))


def _add_noise(batch: Tensor, generator: torch.Generator, strength: float) -> None:
    """Grain on a third of the photos."""
    if chosen := _some(generator, batch, 0.33):
        shape = (len(chosen), *batch.shape[1:])
        grain = torch.rand(shape, generator=generator, device=batch.device).sub_(0.5)
        amount = _uniform(generator, grain, 0, 0.2 * strength).unsqueeze(1)
        batch[chosen] += amount * grain
