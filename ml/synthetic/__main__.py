"""`python -m ml.synthetic sheet | manifest`: look at the wardrobe, or draw a training set."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from ml.synthetic.dress import Wardrobe
from ml.synthetic.manifest import Order, write
from ml.synthetic.negatives import NEGATIVE_KINDS, negative_photo
from ml.synthetic.photos import VIEWS, catalogue_photo, street_photo

COLUMNS = 8


def sheet(seed: int, count: int, size: tuple[int, int], first: int = 0) -> Image.Image:
    """Rows of eight: three catalogue photos and five posts of each dress; then two rows without a dress."""
    wardrobe = Wardrobe(seed)
    photos: list[Image.Image] = []
    for index in range(first, first + count):
        dress = wardrobe.dress(index)
        photos += [catalogue_photo(dress, view, size) for view in VIEWS]
        photos += [street_photo(dress, size, number) for number in range(COLUMNS - len(VIEWS))]
    for number in range(2 * COLUMNS):
        cloth = wardrobe.dress(number) if number % 3 == 0 else None
        photos.append(
            negative_photo(NEGATIVE_KINDS[number % len(NEGATIVE_KINDS)], size, seed + number, cloth)
        )
    rows = -(-len(photos) // COLUMNS)
    page = np.full((rows * (size[1] + 4), COLUMNS * (size[0] + 4), 3), 250, np.uint8)
    for k, photo in enumerate(photos):
        y, x = k // COLUMNS * (size[1] + 4), k % COLUMNS * (size[0] + 4)
        page[y : y + size[1], x : x + size[0]] = np.asarray(photo)
    return Image.fromarray(page)


def _size(text: str) -> tuple[int, int]:
    try:
        width, height = (int(part) for part in text.lower().split("x"))
    except ValueError:
        raise argparse.ArgumentTypeError(f"a size is WIDTHxHEIGHT such as 205x256, not {text!r}") from None
    if min(width, height) < 16:
        raise argparse.ArgumentTypeError(f"a photo is at least 16 pixels each way, not {text}")
    return width, height


def _whole(least: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not text.isdecimal() or int(text) < least:
            raise argparse.ArgumentTypeError(f"expected a whole number from {least}, got {text!r}")
        return int(text)

    return read


def _picture(text: str) -> Path:
    path = Path(text)
    if Image.registered_extensions().get(path.suffix.lower()) not in Image.SAVE:
        raise argparse.ArgumentTypeError(f"expected a picture's name such as sheet.png, got {text!r}")
    return path


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m ml.synthetic", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    page = commands.add_parser("sheet", help="a contact sheet to look at")
    page.add_argument("--out", type=_picture, required=True)
    page.add_argument("--count", type=_whole(0), default=6)
    order = commands.add_parser("manifest", help="photos and a manifest to train on")
    order.add_argument("--out", type=Path, required=True)
    order.add_argument("--dresses", type=_whole(0), required=True)
    order.add_argument("--street-per-dress", type=_whole(0), default=4)
    order.add_argument("--negatives", type=_whole(0), default=0)
    order.add_argument("--held-out", action="store_true", help="to evaluate on: no photo to train on")
    order.add_argument("--workers", type=_whole(1), default=None)
    for command in (page, order):
        command.add_argument("--seed", type=_whole(0), default=0)
        command.add_argument("--first-index", type=_whole(0), default=0)
        command.add_argument("--size", type=_size, default=(205, 256))
    chosen = parser.parse_args()
    if chosen.command == "manifest" and not chosen.dresses + chosen.negatives:
        order.error("nothing to draw: expected --dresses or --negatives above 0")
    return chosen


def main() -> None:
    """Run from the command line; a user's mistake ends with one line."""
    a = _arguments()
    try:
        if a.command == "sheet":
            sheet(a.seed, a.count, a.size, a.first_index).save(a.out)
            print(a.out)
        else:
            amounts = (a.dresses, a.street_per_dress, a.negatives)
            print(write(Order(a.out, *amounts, a.seed, a.first_index, a.size, a.held_out), a.workers))
    except OSError as error:
        sys.exit(f"ml.synthetic: {error}")


if __name__ == "__main__":
    main()
