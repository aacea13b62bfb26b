"""Labelled photos for training and evaluation: read from a manifest, or drawn.

Pixels lie in one memory-mapped file at about the network's size, so that an epoch costs no decoding.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from multiprocessing import Pool
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image
from tqdm import tqdm

from ml import synthetic
from ml.arrays import mapped
from ml.manifest import Row, manifest_rows, remarks, unlabelled_rows
from ml.photos import Pixels, read_square
from ml.synthetic import NEGATIVE_KINDS, Wardrobe, catalogue_photo, negative_photo, street_photo

# Photos are kept larger than the network's input, so that a crop is no enlargement.
SPARE = 8 / 7
NO_DRESS = UNKNOWN = -1
# Of a drawn dress, known to whoever drew it; a shop knows such things of its dresses, too.
DRAWN_ATTRIBUTES = (
    *("silhouette", "neckline", "sleeve", "length", "hem", "waist", "trim", "pleats", "fabric"),
    *("pattern", "placement", "colour_name"),
)
# Width and height in pixels of drawn photos.
FORMATS = ((144, 180), (162, 216), (205, 256), (180, 180))


@dataclass(frozen=True)
class TrainingSet:
    """Rows as arrays of equal length n; a dress is a number from 0, or NO_DRESS."""

    pixels: Pixels  # (n, side, side, 3), usually memory-mapped
    dress: npt.NDArray[np.int64]
    role: npt.NDArray[np.str_]
    split: npt.NDArray[np.str_]
    weight: npt.NDArray[np.float64]
    attributes: npt.NDArray[np.int64]  # (n, a) places in `vocabulary`, UNKNOWN elsewhere
    vocabulary: dict[str, list[str]]  # a attributes and their values
    description: dict[str, Any]
    dresses: tuple[str, ...] = ()  # what the numbers stand for

    def rows(self, split: str, *, catalogue: bool | None = None, dress: bool = True) -> npt.NDArray[np.int64]:
        """Places of a split's photos of dresses (catalogue alone, others alone), or of its negatives."""
        chosen = (self.split == split) & ((self.dress != NO_DRESS) == dress)
        if catalogue is not None:
            chosen &= (self.role == "catalogue") == catalogue
        return np.flatnonzero(chosen)


def from_manifest(
    manifest: Path, folder: Path, input_size: int, workers: int = 2, unlabelled: Path | None = None
) -> TrainingSet:
    """Read and decode a manifest of JSON lines {"photo", "dress", "role", "split", "weight", …}.

    Photo paths are relative to the manifest; weight (1), generated (false) and attributes ({}) may be left
    out. The photos of the folder `unlabelled` follow, in a split of that name, without a dress. What cannot
    be learnt from it is said in the description's "remarks". Raises ManifestError with the line, value and
    what was expected.
    """
    rows = manifest_rows(manifest)
    source: dict[str, Any] = {"manifest": manifest.name, "remarks": remarks(manifest, rows)}
    if unlabelled is not None:
        others = unlabelled_rows(unlabelled, rows)
        rows, source["unlabelled"] = rows + others, len(others)
    return _prepare(rows, folder, input_size, workers, source)


def draw(
    dresses: int, folder: Path, input_size: int, seed: int, streets: int = 4, workers: int = 2
) -> TrainingSet:
    """A drawn wardrobe of `dresses` to train on, an eighth as many for validation, a quarter for testing.

    The held-out dresses, at most 400 and 800, come from wardrobes of their own (seed + 1, seed + 2), one
    catalogue photo each.
    """
    rows = drawn_rows(dresses, seed, streets)
    source = {"drawn": {"dresses": dresses, "seed": seed, "streets": streets}}
    return _prepare(rows, folder, input_size, workers, source)


def drawn_rows(dresses: int, seed: int, streets: int = 4) -> list[Row]:
    """The photos of such a wardrobe, none of them drawn yet."""
    held_out = min(max(3, dresses // 8), 400)
    rows = [*_drawn_dresses(seed, dresses, "train", streets, seed)]
    rows += _drawn_dresses(seed + 1, held_out, "validation", 3, seed)
    rows += _drawn_dresses(seed + 2, 2 * held_out, "test", 2, seed)
    rows += [_street(seed, place, "test", seed, 900) for place in range(min(dresses, 2 * held_out))]
    rows += _drawn_negatives(seed, dresses, "train")
    rows += _drawn_negatives(seed + 1, 3 * held_out, "validation")
    rows += _drawn_negatives(seed + 2, 3 * held_out, "test")
    return rows


def photo_of(row: Row) -> Image.Image | str:
    """A manifest's photo by its path, or the drawing."""
    return row.photo if row.wardrobe is None else _drawn(row, row.wardrobe)


@cache
def _renderer() -> str:
    sources = sorted(Path(synthetic.__file__).parent.glob("*.py"))
    return hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()


def _drawing(
    photo: str, dress: str | None, role: str, split: str, wardrobe: int, place: int, seed: int
) -> Row:
    known = {"kind": photo}
    if dress is not None:
        shown = Wardrobe(wardrobe).dress(place)
        known = {"kind": "dress", **{name: getattr(shown, name) for name in DRAWN_ATTRIBUTES}}
    attributes = tuple(known.items())
    return Row(photo, dress, role, split, 1.0, wardrobe, place, seed, _renderer(), attributes=attributes)


def _street(wardrobe: int, place: int, split: str, seed: int, turn: int) -> Row:
    dress = f"{wardrobe}/{place}"
    return _drawing("street", dress, "look", split, wardrobe, place, seed + 1000 * place + turn)


def _drawn_dresses(wardrobe: int, count: int, split: str, streets: int, seed: int) -> Iterator[Row]:
    views = ("front", "back", "detail") if split == "train" else ("front",)
    for place in range(count):
        for view in views:
            yield _drawing(view, f"{wardrobe}/{place}", "catalogue", split, wardrobe, place, seed + place)
        for turn in range(streets):
            yield _street(wardrobe, place, split, seed, turn)


def _drawn_negatives(wardrobe: int, count: int, split: str) -> Iterator[Row]:
    for place in range(count):
        kind = NEGATIVE_KINDS[place % len(NEGATIVE_KINDS)]
        yield _drawing(kind, None, "negative", split, wardrobe, place, wardrobe * 1_000_003 + place)


def _square(row: Row, side: int) -> Pixels:
    return read_square(photo_of(row), side)


def _drawn(row: Row, wardrobe: int) -> Image.Image:
    """A photo larger than it is kept, in a format of its own, as cameras' differ."""
    image_size = FORMATS[np.random.default_rng(row.seed).integers(len(FORMATS))]
    dress = Wardrobe(wardrobe).dress(row.place)
    if row.role == "negative":
        return negative_photo(row.photo, image_size, row.seed, dress=dress)
    if row.role == "catalogue":
        return catalogue_photo(dress, row.photo, image_size, row.seed)  # type: ignore[arg-type]
    return street_photo(dress, image_size, row.seed, difficulty=1.0)


def _prepare(
    rows: Sequence[Row],
    folder: Path,
    input_size: int,
    workers: int,
    source: dict[str, Any],
) -> TrainingSet:
    side = round(input_size * SPARE)
    plan = [side, *((row.photo, row.role, row.wardrobe, row.place, row.seed, row.stamp) for row in rows)]
    key = hashlib.sha256(json.dumps(plan).encode()).hexdigest()[:16]
    pixels = _fill(rows, folder / f"{key}.npy", side, workers)
    dresses = dict.fromkeys(row.dress for row in rows if row.dress is not None)
    numbers: dict[str | None, int] = {dress: number for number, dress in enumerate(dresses)}
    numbers[None] = NO_DRESS
    labels = [(numbers[row.dress], row.role, row.split, row.weight) for row in rows]
    dress, role, split, weight = (np.array(column) for column in zip(*labels, strict=True))
    attributes, vocabulary = _attributes(rows)
    content = hashlib.sha256(json.dumps([labels, vocabulary, attributes.tolist()]).encode())
    content.update(pixels.data)
    description = {**source, "photos": len(rows), "dresses": len(dresses), "sha256": content.hexdigest()}
    return TrainingSet(
        pixels, dress, role, split, weight, attributes, vocabulary, description, tuple(dresses)
    )


def _attributes(rows: Sequence[Row]) -> tuple[npt.NDArray[np.int64], dict[str, list[str]]]:
    """What can be learnt: attributes that take two values or more in the split 'train'."""
    values: dict[str, dict[str, int]] = defaultdict(dict)
    for row in rows:
        if row.split == "train":
            for name, value in row.attributes:
                values[name].setdefault(value, len(values[name]))
    values = {name: known for name, known in values.items() if len(known) > 1}
    found = np.full((len(rows), len(values)), UNKNOWN)
    columns = {name: column for column, name in enumerate(values)}
    for place, row in enumerate(rows):
        for name, value in row.attributes:
            if name in values:
                found[place, columns[name]] = values[name].get(value, UNKNOWN)
    return found, {name: list(known) for name, known in values.items()}


def _fill(rows: Sequence[Row], file: Path, side: int, workers: int) -> Pixels:
    """Decode or draw every row into `file`, unless an earlier run did.

    Until complete it has a name of this process's own; on an error that is removed.
    """
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        draft = file.with_suffix(f".{os.getpid()}.draft")
        shape = (len(rows), side, side, 3)
        try:
            pixels = mapped(draft, np.uint8, shape)
            with Pool(workers) as pool:
                made = pool.imap(partial(_square, side=side), rows, chunksize=16)
                for place, square in enumerate(tqdm(made, "photos", len(rows), unit="photo", smoothing=0)):
                    pixels[place] = square
            pixels.flush()
            draft.replace(file)
        finally:
            draft.unlink(missing_ok=True)
    kept: Pixels = np.load(file, mmap_mode="r")
    return kept
