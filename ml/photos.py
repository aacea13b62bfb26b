"""Photos on their way into the network: file -> upright RGB -> square -> tensor, and augmentations."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor

Photo = Image.Image | Path | str | bytes
Pixels = npt.NDArray[np.uint8]

MEAN, SPREAD = 0.5, 0.25
# A reduced-scale decode keeps twice the wanted resolution, so that the final resize still averages pixels.
OVERSAMPLING = 2


class UnreadablePhoto(ValueError):
    """The file is no image, or a broken one."""


def open_upright(photo: Photo, side: int) -> Image.Image:
    """Decode one photo into upright RGB, on white where it is transparent.

    A JPEG far larger than `side` (pixels) is decoded at reduced scale; the result may be larger than `side`.
    Raises UnreadablePhoto, naming the file where there is a name.
    """
    if isinstance(photo, Image.Image):
        return _rgb(ImageOps.exif_transpose(photo))
    source = io.BytesIO(photo) if isinstance(photo, bytes) else Path(photo)
    name = "photo" if isinstance(photo, bytes) else str(photo)
    try:
        with Image.open(source) as image:
            scale = OVERSAMPLING * side / max(image.size)
            image.draft("RGB", (math.ceil(image.width * scale), math.ceil(image.height * scale)))
            return _rgb(ImageOps.exif_transpose(image))
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise UnreadablePhoto(f"{name}: not a readable image ({error})") from error


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):  # 16 bits a pixel: convert() would clip instead of scaling
        return Image.fromarray((np.asarray(image, np.uint32) >> 8).astype(np.uint8)).convert("RGB")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    return image.convert("RGB")


def to_square(image: Image.Image, side: int) -> Pixels:
    """Fit an RGB image into (side, side, 3) with its aspect ratio; the margins repeat its edge.

    Repeated edges, and not black bars: a bar would tell catalogue from street photos by their format alone.
    """
    scale = side / max(image.size)
    width, height = (max(1, round(length * scale)) for length in image.size)
    small = np.asarray(image.resize((width, height), Image.Resampling.BILINEAR, reducing_gap=2.0))
    left, top = (side - width) // 2, (side - height) // 2
    margins = ((top, side - height - top), (left, side - width - left), (0, 0))
    return np.pad(small, margins, mode="edge")


def read_square(photo: Photo, side: int) -> Pixels:
    """Decode, turn upright and fit one photo into (side, side, 3) uint8."""
    return to_square(open_upright(photo, side), side)


def to_batch(squares: Sequence[Pixels] | Pixels) -> Tensor:
    """(n, side, side, 3) uint8 pixels -> (n, 3, side, side) float32 in 0..1, channels-last in memory."""
    pixels = torch.from_numpy(np.ascontiguousarray(np.stack(list(squares))))
    return pixels.permute(0, 3, 1, 2).float().div_(255)


def normalise(batch: Tensor) -> Tensor:
    """0..1 -> the range the network was trained on."""
    return (batch - MEAN) / SPREAD


def shrink(batch: Tensor, size: int) -> Tensor:
    """(n, 3, side, side) -> (n, 3, size, size), nothing cut away."""
    if batch.shape[-1] == size:
        return batch
    return F.interpolate(batch, size=(size, size), mode="bilinear", antialias=True, align_corners=False)


def street_like(batch: Tensor, size: int, generator: torch.Generator, strength: float = 1.0) -> Tensor:
    """Augment (n, 3, side, side) in 0..1 into (n, 3, size, size) as phones, people and filters would.

    Flip, crop, turn and perspective; light, contrast, saturation and white balance; blur, noise, 8-pixel
    blocks; a patch of another photo over a part. `strength` 0 only resizes; 1 is meant for training.
    Every photo draws its own values from `generator` (on the batch's device).
    """
    batch = _warp(batch, size, generator, strength)
    batch = _colour(batch, generator, strength)
    batch = _soften(batch, generator, strength)
    batch = _occlude(batch, generator, strength)
    noise = 0.06 * strength * _uniform(generator, batch, 0, 1) ** 2
    return (batch + noise * _normal(generator, batch)).clamp_(0, 1)


def _uniform(generator: torch.Generator, like: Tensor, low: float, high: float) -> Tensor:
    """(n, 1, 1, 1) numbers, one a photo."""
    draws = torch.rand(len(like), 1, 1, 1, generator=generator, device=like.device)
    return low + (high - low) * draws


def _normal(generator: torch.Generator, like: Tensor) -> Tensor:
    return torch.randn(like.shape, generator=generator, device=like.device)


def _warp(batch: Tensor, size: int, generator: torch.Generator, strength: float) -> Tensor:
    """Crop, turn, mirror and tilt by one homography a photo."""

    def draw(low: float, high: float) -> Tensor:
        return _uniform(generator, batch, strength * low, strength * high).reshape(-1, 1, 1)

    zoom, stretch, angle = torch.exp(draw(-0.4, 0.15)), torch.exp(draw(-0.1, 0.1)), draw(-0.3, 0.3)
    mirror = 1.0 - 2.0 * (draw(0, 1) > 0.5)
    tilt_x, tilt_y = draw(-0.15, 0.15), draw(-0.15, 0.15)
    reach = (1 - zoom).clamp(min=0) + 0.1 * strength
    shift_x, shift_y = draw(-1, 1) * reach, draw(-1, 1) * reach
    line = (2 * torch.arange(size, device=batch.device) + 1) / size - 1  # centres of pixels
    y, x = torch.meshgrid(line, line, indexing="ij")
    turned_x = zoom * stretch * mirror * (angle.cos() * x - angle.sin() * y)
    turned_y = zoom / stretch * (angle.sin() * x + angle.cos() * y)
    depth = 1 + tilt_x * x + tilt_y * y
    grid = torch.stack([turned_x / depth + shift_x, turned_y / depth + shift_y], dim=-1)
    return F.grid_sample(batch, grid, mode="bilinear", padding_mode="border", align_corners=False)


def _colour(batch: Tensor, generator: torch.Generator, strength: float) -> Tensor:
    grey = batch.mean(dim=1, keepdim=True)
    batch = grey + (batch - grey) * torch.exp(_uniform(generator, batch, -0.4, 0.3) * strength)
    middle = batch.mean(dim=(1, 2, 3), keepdim=True)
    batch = middle + (batch - middle) * torch.exp(_uniform(generator, batch, -0.35, 0.25) * strength)
    warmth = 0.12 * strength * _uniform(generator, batch, -1, 1)
    green = 0.05 * strength * _uniform(generator, batch, -1, 1)
    gains = torch.cat([warmth, green, -warmth], dim=1).exp()
    gamma = torch.exp(_uniform(generator, batch, -0.35, 0.35) * strength)
    return (batch * gains).clamp(0.001, 1).pow(gamma)


def _soften(batch: Tensor, generator: torch.Generator, strength: float) -> Tensor:
    """A third of the photos lose detail, as by a shaking hand, a small upload or JPEG."""
    factor = 0.4 + 0.4 * float(torch.rand((), generator=generator, device=generator.device))
    chosen = (_uniform(generator, batch, 0, 1) < 0.33 * strength).flatten().nonzero().flatten()
    if not len(chosen):
        return batch
    small = F.interpolate(batch[chosen], scale_factor=factor, mode="bilinear", antialias=True)
    return batch.index_copy(0, chosen, F.interpolate(small, size=batch.shape[-2:], mode="bilinear"))


def _occlude(batch: Tensor, generator: torch.Generator, strength: float) -> Tensor:
    """A rectangle of the neighbouring photo covers a part of 30% of the photos: a hand, a bag, a phone."""
    line = torch.linspace(0, 1, batch.shape[-1], device=batch.device)
    centre_x, centre_y = _uniform(generator, batch, 0, 1), _uniform(generator, batch, 0, 1)
    reach_x, reach_y = _uniform(generator, batch, 0.05, 0.2), _uniform(generator, batch, 0.05, 0.2)
    inside_x = (line.view(1, 1, 1, -1) - centre_x).abs() < reach_x
    inside_y = (line.view(1, 1, -1, 1) - centre_y).abs() < reach_y
    chosen = _uniform(generator, batch, 0, 1) < 0.3 * strength
    return torch.where(inside_x & inside_y & chosen, batch.roll(1, dims=0), batch)
