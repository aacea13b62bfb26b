"""Names the dresses in photos: python -m ml.name photo.jpg … --catalogue FOLDER_OR_MANIFEST."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from ml.catalogue_index import CatalogueIndex
from ml.checkpoint import CheckpointRefused
from ml.deepdress import DeepDress
from ml.manifest import ManifestError, manifest_rows
from ml.named import Named
from ml.photos import Pixels, UnreadablePhoto, photos_in, read_square

SHIPPED = Path(__file__).parent / "weights" / "deepdress"
TOGETHER = 64  # photos embedded at once; of those only the squares are held

Complain = Callable[[str], object]


class CatalogueRefused(ValueError):
    """Nothing can be named by this catalogue; the message says why."""


@dataclass(frozen=True)
class Catalogue:
    """Dresses to name photos by; a candidate's `dress` is its place in `dresses`."""

    index: CatalogueIndex
    dresses: list[str]


def read_catalogue(model: DeepDress, source: Path | str, complain: Complain = lambda line: None) -> Catalogue:
    """A folder of photos (a subfolder or a file name a dress), or the catalogue's rows of a manifest.

    `complain` is told of each photo that cannot be read. Raises CatalogueRefused and
    ml.manifest.ManifestError.
    """
    path = Path(source)
    photos = _in_folder(path) if path.is_dir() else _in_manifest(path)
    if not photos:
        raise CatalogueRefused(f"{path}: no photo of a dress")
    dresses = sorted(set(photos.values()))
    numbers = {dress: number for number, dress in enumerate(dresses)}
    vectors, ids = [np.empty((0, model.config.dimensions), np.float32)], list[int]()
    for paths, squares in _readable(photos, model.config.input_size, complain):
        vectors.append(model.embed(squares).vectors)
        ids += [numbers[photos[each]] for each in paths]
    if not ids:
        raise CatalogueRefused(f"{path}: none of its photos can be read")
    return Catalogue(CatalogueIndex(np.concatenate(vectors), ids), dresses)


def name_files(
    model: DeepDress, photos: Sequence[Path], catalogue: Catalogue | None, k: int, complain: Complain
) -> Iterator[tuple[Path, Named]]:
    """Each readable photo with its names, in their order; `complain` is told of the others."""
    index = catalogue.index if catalogue else None
    for paths, squares in _readable(photos, model.config.input_size, complain):
        yield from zip(paths, model.name(squares, index, k), strict=True)


def _in_folder(folder: Path) -> dict[Path, str]:
    """Photos and their dresses: a photo in a subfolder is of the dress that the subfolder is named after."""
    parts = {path: path.relative_to(folder).parts for path in photos_in(folder)}
    return {path: part[0] if len(part) > 1 else path.stem for path, part in parts.items()}


def _in_manifest(manifest: Path) -> dict[Path, str]:
    rows = manifest_rows(manifest)
    return {Path(row.photo): row.dress for row in rows if row.role == "catalogue" and row.dress is not None}


def _readable(
    photos: Sequence[Path] | dict[Path, str], side: int, complain: Complain
) -> Iterator[tuple[list[Path], list[Pixels]]]:
    remaining = iter(photos)
    while batch := list(islice(remaining, TOGETHER)):
        read = {path: _square(path, side, complain) for path in batch}
        squares = {path: square for path, square in read.items() if square is not None}
        yield list(squares), list(squares.values())


def _square(path: Path, side: int, complain: Complain) -> Pixels | None:
    if not path.exists():
        complain(f"{path}: no such file")
        return None
    try:
        return read_square(path, side)
    except UnreadablePhoto as error:
        complain(str(error))
        return None


# The command


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m ml.name", description=__doc__)
    parser.add_argument("photos", type=Path, nargs="+", metavar="PHOTO")
    parser.add_argument("--weights", type=Path, default=SHIPPED, metavar="DIR", help="default: %(default)s")
    parser.add_argument(
        "--catalogue",
        type=Path,
        metavar="FOLDER_OR_MANIFEST",
        help="what dresses look like: a subfolder or a photo each, or a manifest's catalogue rows; "
        "without it only 'not a dress' is told",
    )
    parser.add_argument("--k", type=_count, default=3, metavar="N", help="dresses told of each photo (3)")
    parser.add_argument("--json", action="store_true", help="JSON lines instead of a table")
    return parser.parse_intermixed_args()


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a number from 1, got {text!r}")
    return int(text)


def main() -> int:
    """Exit status 1 where anything could not be read, with a line about it; the rest is named."""
    chosen, troubles = options(), list[str]()

    def complain(line: str) -> None:
        troubles.append(line)
        print(line, file=sys.stderr)

    try:
        model = DeepDress.load(chosen.weights)
        catalogue = read_catalogue(model, chosen.catalogue, complain) if chosen.catalogue else None
    except (CheckpointRefused, CatalogueRefused, ManifestError) as error:
        complain(str(error))
        return 1
    found = name_files(model, chosen.photos, catalogue, chosen.k, complain)
    dresses = catalogue.dresses if catalogue else []
    if chosen.json:
        for path, photo in found:
            print(json.dumps(_as_json(path, photo, dresses, model.version)), flush=True)
    else:
        Console(width=None if sys.stdout.isatty() else 140).print(_table(found, dresses))
    return 1 if troubles else 0


def _as_json(path: Path, photo: Named, dresses: list[str], version: str) -> dict[str, object]:
    candidates = [
        {"dress": dresses[each.dress], "probability": round(each.probability, 6)} for each in photo.candidates
    ]
    told = {"photo": str(path), "candidates": candidates, "not_a_dress": round(photo.not_a_dress, 6)}
    return {**told, "model_version": version}


def _table(found: Iterator[tuple[Path, Named]], dresses: list[str]) -> Table:
    told = Table("photo", "not a dress", "dresses, likeliest first")
    for path, photo in found:
        names = (f"{dresses[each.dress]} {each.probability:.0%}" for each in photo.candidates)
        told.add_row(str(path), f"{photo.not_a_dress:.0%}", ", ".join(names) or "–")
    return told


if __name__ == "__main__":
    sys.exit(main())
