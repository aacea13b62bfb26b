"""The photos that a finished model is evaluated on: a catalogue, and posts to be named by it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from ml.manifest import ManifestError, Row, manifest_rows
from ml.training_set import NO_DRESS, drawn_rows, photo_of

Rows = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class HeldOut:
    """Photos as arrays of equal length n, dresses as numbers from 0, or NO_DRESS."""

    source: str
    photos: list[Path]
    names: list[str]  # of the photos, the same wherever their folder lies
    dresses: list[str]
    dress: Rows  # (n,)
    catalogue: Flags  # (n,)
    split: npt.NDArray[np.str_]  # (n,)
    seen: Flags  # (dresses,) with a photo in the split 'train'
    twins: Flags  # (dresses,) that have a near-twin

    def posts(self, split: str) -> Rows:
        """Places of a split's photos of dresses, the catalogue's left out."""
        return np.flatnonzero((self.split == split) & ~self.catalogue & (self.dress != NO_DRESS))

    def negatives(self, split: str) -> Rows:
        """Places of a split's photos without a dress."""
        return np.flatnonzero((self.split == split) & (self.dress == NO_DRESS))

    def nameable(self, rows: Rows) -> Rows:
        """Those of some posts whose dress is in the catalogue, if there are dresses to tell apart."""
        known = np.unique(self.dress[self.catalogue])
        return rows[np.isin(self.dress[rows], known)] if len(known) > 1 else rows[:0]

    def halves(self, rows: Rows) -> tuple[Rows, Rows]:
        """Some photos in two parts, by a hash of their names."""
        first = np.array([_hash(self.names[row]) % 2 == 0 for row in rows], bool)
        return rows[first], rows[~first]


def read(manifest: Path) -> HeldOut:
    """A manifest's catalogue and its splits 'validation' and 'test'.

    Raises ManifestError for a manifest that is wrong, has nothing to name, or one class alone.
    """
    rows = manifest_rows(manifest)
    return _held_out(rows, str(manifest), manifest.parent)


def draw(dresses: int, seed: int, folder: Path) -> HeldOut:
    """A drawn wardrobe as ml.training_set.draw makes it, as JPEGs in `folder`.

    Its `dresses` from the split 'train' count as seen: they are those that a training with this seed sees.
    """
    rows = [row for row in drawn_rows(dresses, seed) if _needed(row)]
    numbered = enumerate(tqdm(rows, "drawing", unit="photo", disable=None))
    drawn = [_on_disk(row, folder / f"{number:05d}.jpg") for number, row in numbered]
    return _held_out(drawn, f"a drawn wardrobe, seed {seed}", folder)


def _on_disk(row: Row, path: Path) -> Row:
    image = photo_of(row)
    if not isinstance(image, str):
        image.save(path, quality=92)
    return replace(row, photo=str(path), wardrobe=None)


def _needed(row: Row) -> bool:
    return row.role == "catalogue" or row.split != "train"


def _held_out(rows: Sequence[Row], source: str, folder: Path) -> HeldOut:
    trained = {row.dress for row in rows if row.split == "train"}
    related = {row.dress for row in rows if row.twin_of} | {row.twin_of for row in rows}
    used = [row for row in rows if _needed(row)]
    _check(used, source)
    dresses = list(dict.fromkeys(row.dress for row in used if row.dress is not None))
    numbers: dict[str | None, int] = {dress: number for number, dress in enumerate(dresses)}
    numbers[None] = NO_DRESS
    return HeldOut(
        source,
        [Path(row.photo) for row in used],
        [Path(os.path.relpath(row.photo, folder)).as_posix() for row in used],
        dresses,
        np.array([numbers[row.dress] for row in used], np.int64),
        _flags(row.role == "catalogue" for row in used),
        np.array([row.split for row in used]),
        _flags(dress in trained for dress in dresses),
        _flags(dress in related for dress in dresses),
    )


def _check(rows: Sequence[Row], source: str) -> None:
    if not any(row.role != "catalogue" and row.split == "test" for row in rows):
        raise ManifestError(f"{source}: no photo to name; expected posts or negatives in the split 'test'")
    classes = {row.dress for row in rows}
    if len(classes) < 2:
        only = classes.pop()
        kind = "no dress" if only is None else f"the dress {only!r}"
        raise ManifestError(f"{source}: every photo shows {kind}; telling apart needs two classes")


def _flags(values: Iterable[bool]) -> Flags:
    return np.array(list(values), bool)


def _hash(name: str) -> int:
    return hashlib.sha256(name.encode()).digest()[0]
