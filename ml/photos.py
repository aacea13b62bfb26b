"""Photos on their way into the network: file -> upright RGB -> square -> tensor."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor

Pixels = npt.NDArray[np.uint8]
Photo = Image.Image | Path | str | bytes | Pixels

ENDINGS = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff")
MEAN, SPREAD = 0.5, 0.25
# A reduced-scale decode keeps more than the wanted resolution: the final resize still averages pixels.
# Twice as much would decode the portal's small copies, 360 pixels, in full for an input of 112.
OVERSAMPLING = 1.5


class UnreadablePhoto(ValueError):
    """The file is no image, or a broken one."""


def photos_in(folder: Path) -> list[Path]:
    """Files that are called photos, in the folder and all below it, in a fixed order."""
    return [path for path in sorted(folder.rglob("*")) if path.suffix.lower() in ENDINGS and path.is_file()]


def open_upright(photo: Photo, side: int) -> Image.Image:
    """Decode one photo into upright RGB, on white where it is transparent; pixels are (h, w, 3) uint8.

    A JPEG far larger than `side` (pixels) is decoded at reduced scale; the result may be larger than `side`.
    Raises UnreadablePhoto, naming the file where there is a name.
    """
    if isinstance(photo, np.ndarray):
        photo = Image.fromarray(photo)
    if isinstance(photo, Image.Image):
        return _rgb(_turned_upright(photo.copy()))
    source = io.BytesIO(photo) if isinstance(photo, bytes) else Path(photo)
    name = "photo" if isinstance(photo, bytes) else str(photo)
    try:
        with Image.open(source) as image:
            scale = OVERSAMPLING * side / max(image.size)
            image.draft("RGB", (math.ceil(image.width * scale), math.ceil(image.height * scale)))
            image.load()
            return _rgb(_turned_upright(image))
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise UnreadablePhoto(f"{name}: not a readable image ({error})") from error


def _turned_upright(image: Image.Image) -> Image.Image:
    # Broken EXIF fails in many ways, most of them after the turn, and does not make the picture unusable.
    with suppress(Exception):
        ImageOps.exif_transpose(image, in_place=True)
    return image


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
    """Decode, turn upright and fit one photo into (side, side, 3) uint8; what is that already stays."""
    return to_square(open_upright(photo, side), side)


def to_batch(squares: Sequence[Pixels] | Pixels) -> Tensor:
    """(n, side, side, 3) uint8 pixels -> (n, 3, side, side) float32 in 0..1."""
    pixels = torch.from_numpy(np.ascontiguousarray(np.stack(list(squares))))
    return pixels.permute(0, 3, 1, 2).contiguous().float().div_(255)


def normalise(batch: Tensor) -> Tensor:
    """0..1 -> the range the network was trained on, channels-last in memory."""
    return ((batch - MEAN) / SPREAD).contiguous(memory_format=torch.channels_last)


def shrink(batch: Tensor, size: int) -> Tensor:
    """(n, 3, side, side) -> (n, 3, size, size), nothing cut away."""
    if batch.shape[-1] == size:
        return batch
    return F.interpolate(batch, size=(size, size), mode="bilinear", antialias=True, align_corners=False)
