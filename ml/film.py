"""Pictures side by side, and one after another: grids, strips and films of dreams."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont, UnidentifiedImageError

Pictures = npt.NDArray[np.uint8]

GAP = 2  # pixels between two pictures
PAPER, INK = (250, 246, 240), (37, 26, 32)
LARGEST = 1200  # pixels, the longer side of a film
SUFFIXES = (".webp", ".png")  # of an animation: WebP, or PNG as browsers play it (APNG)
LINGER = 3  # times as long as the others, the last one stands


class FilmRefused(ValueError):
    """No film can be made of this; the message says why."""


def grid(pictures: Pictures, columns: int | None = None, gap: int = GAP) -> Image.Image:
    """(n, s, s, 3), n at least 1, in rows of `columns`; as near to a square as they go, unless told."""
    count, side = pictures.shape[:2]
    columns = columns or math.ceil(math.sqrt(count))
    rows, step = math.ceil(count / columns), side + gap
    sheet = Image.new("RGB", (columns * step - gap, rows * step - gap), PAPER)
    for place, picture in enumerate(pictures):
        sheet.paste(Image.fromarray(picture), (place % columns * step, place // columns * step))
    return sheet


def enlarged(picture: Image.Image, width: int) -> Image.Image:
    """At least so wide, by a whole number of pixels for each, so that none is smeared."""
    times = max(1, -(-width // picture.width))
    return picture.resize((picture.width * times, picture.height * times), Image.Resampling.NEAREST)


def titled(picture: Image.Image, words: str) -> Image.Image:
    """With a line of words below."""
    size = max(14, picture.width // 28)
    sheet = Image.new("RGB", (picture.width, picture.height + 2 * size), PAPER)
    sheet.paste(picture, (0, 0))
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(size)
    draw.text((size // 2, picture.height + size), words, INK, font, anchor="lm")
    return sheet


def save(pictures: Sequence[Image.Image], to: Path | BinaryIO, seconds: float) -> None:
    """One after another for so many seconds each, again and again; a file as its suffix says, else WebP.

    Raises FilmRefused for no pictures, another suffix, or a file that cannot be written.
    """
    kind = to.suffix.lower() if isinstance(to, Path) else ".webp"
    if kind not in SUFFIXES:
        raise FilmRefused(f"{to}: expected a name that ends in {' or '.join(SUFFIXES)}")
    if not pictures:
        raise FilmRefused("no pictures to make a film of")
    frames = [_fitting(picture, pictures[0].size) for picture in pictures]
    times = [round(1000 * seconds)] * (len(frames) - 1) + [round(1000 * seconds * LINGER)]
    how: dict[str, Any] = {"save_all": True, "append_images": frames[1:], "duration": times, "loop": 0}
    how |= {"format": "WEBP", "quality": 60, "method": 4} if kind == ".webp" else {"format": "PNG"}
    try:
        frames[0].save(to, **how)
    except OSError as error:
        raise FilmRefused(f"{to}: cannot be written ({error.strerror or error})") from error


def _fitting(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    scale = min(1.0, LARGEST / max(size))
    wanted = tuple(max(1, round(length * scale)) for length in size)
    return picture if picture.size == wanted else picture.resize(wanted, Image.Resampling.LANCZOS)  # type: ignore[arg-type]


def steps(samples: Path) -> list[tuple[int, Path]]:
    """The grids step-N.png of a folder with their numbers, earliest first."""
    numbers = {path: path.stem.removeprefix("step-") for path in samples.glob("step-*.png")}
    return sorted((int(number), path) for path, number in numbers.items() if number.isdecimal())


def learning(samples: Path, most: int | None = None) -> list[Image.Image]:
    """The grids of a run with their iterations written below; of many, `most` of them, evenly taken.

    What is half written, for the run may still go on, is left out. Raises FilmRefused where there are none.
    """
    frames = []
    for number, path in evenly(steps(samples), most):
        try:
            with Image.open(path) as image:
                frames.append(titled(enlarged(image.convert("RGB"), 400), f"{number:,} iterations"))
        except (OSError, SyntaxError, UnidentifiedImageError):
            continue
    if not frames:
        raise FilmRefused(
            f"{samples}: no grid step-N.png: is it the folder samples/ of a run of ml.train_gan?"
        )
    return frames


def evenly(found: list[tuple[int, Path]], most: int | None) -> list[tuple[int, Path]]:
    if most is None or len(found) <= most:
        return found
    return [found[place] for place in np.linspace(0, len(found) - 1, most).round().astype(int)]
