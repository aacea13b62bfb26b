"""Photos to dream of: a folder or a manifest, decoded once, with what DeepDress sees in each.

Pixels, features and vectors lie in memory-mapped files at the training's size, so that it decodes nothing.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from ml.arrays import mapped
from ml.gan_judge import Judge
from ml.manifest import manifest_rows
from ml.photos import ENDINGS, Pixels, UnreadablePhoto, photos_in, read_square

ONE_IN = 10  # photos is held out where nothing says which
ALIKE = 1.0  # grey levels by which photos that are all the same differ, after compression
BATCH = 64
FILES = ("pixels", "features", "vectors")


class PhotosRefused(ValueError):
    """The photos cannot be learnt from; the message says which, and what was expected."""


class Listed(NamedTuple):
    """A photo that is not decoded yet."""

    path: Path
    kind: str  # its class: the folder's, or the value of a manifest's attribute
    held_out: bool


@dataclass(frozen=True)
class Photos:
    """Rows as arrays of equal length n."""

    pixels: Pixels  # (n, side, side, 3), memory-mapped
    features: npt.NDArray[np.float16]  # (n, f) that DeepDress's vectors are read from
    vectors: npt.NDArray[np.float32]  # (n, d), unit length
    classes: npt.NDArray[np.int64]  # (n,) places in Collection.classes
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.pixels)


@dataclass(frozen=True)
class Collection:
    """What is trained on, and what the dreams are judged by."""

    train: Photos
    held_out: Photos
    classes: tuple[str, ...]
    digest: str

    def described(self) -> dict[str, Any]:
        counts = {"photos": len(self.train), "held_out": len(self.held_out)}
        return {**counts, "classes": len(self.classes), "sha256": self.digest}


def read(
    source: Path,
    side: int,
    judge: Judge,
    cache: Path,
    *,
    held_out: Path | None = None,
    attribute: str | None = None,
) -> Collection:
    """Decode the photos of a folder (subfolders are classes), or of a manifest's dresses.

    Held out are the photos of `held_out`, else a manifest's splits 'validation' and 'test', else one in ten.
    Photos of any shape are fitted into the square; small ones are enlarged. Raises PhotosRefused,
    ml.manifest.ManifestError, UnreadablePhoto (naming the files), or OSError where the disk is full.
    """
    if attribute and not any(each is not None and each.is_file() for each in (source, held_out)):
        raise PhotosRefused(
            f"{source}: --attribute {attribute} expects a manifest; a folder's are its subfolders"
        )
    listed = listing(source, attribute)
    if held_out is not None:
        listed = [photo._replace(held_out=False) for photo in listed]
        listed += [photo._replace(held_out=True) for photo in listing(held_out, attribute)]
    elif not any(photo.held_out for photo in listed):
        listed = [photo._replace(held_out=_drawn(photo.path.name)) for photo in listed]
    kept = _decoded(listed, side, judge, cache)
    classes = tuple(sorted({photo.kind for photo in listed}))
    numbers = np.array([classes.index(photo.kind) for photo in listed])
    apart = np.array([photo.held_out for photo in listed])
    train, others = (_part(listed, kept, numbers, np.flatnonzero(apart == which)) for which in (False, True))
    _refuse(source, train, others)
    return Collection(train, others, classes, _digest((train, others)))


def listing(source: Path, attribute: str | None = None) -> list[Listed]:
    """The photos there are, in a fixed order. Raises PhotosRefused, ManifestError."""
    if source.is_file():
        return _of_manifest(source, attribute)
    if not source.is_dir():
        raise PhotosRefused(f"{source}: expected a folder of photos, or a manifest")
    if not (paths := photos_in(source)):
        raise PhotosRefused(f"{source}: no photo in it; expected files such as {', '.join(ENDINGS[:4])}")
    within = [path.relative_to(source) for path in paths]
    return [
        Listed(path, inner.parts[0] if len(inner.parts) > 1 else "", False)
        for path, inner in zip(paths, within, strict=True)
    ]


def _of_manifest(manifest: Path, attribute: str | None) -> list[Listed]:
    """Photos that show no dress are left out, and generated ones from what is held out."""
    rows = [row for row in manifest_rows(manifest) if row.dress is not None]
    if attribute and (without := [row.photo for row in rows if attribute not in dict(row.attributes)]):
        raise PhotosRefused(f"{manifest}: {len(without)} photos, {without[0]} first, without {attribute!r}")
    kinds = [dict(row.attributes)[attribute] if attribute else "" for row in rows]
    return [
        Listed(Path(row.photo), kind, row.split != "train") for row, kind in zip(rows, kinds, strict=True)
    ]


def _drawn(name: str) -> bool:
    return int(hashlib.sha256(name.encode()).hexdigest()[:8], 16) % ONE_IN == 0


def _decoded(listed: Sequence[Listed], side: int, judge: Judge, cache: Path) -> dict[str, Any]:
    """Each of FILES, (all photos, ...), from the cache or decoded into it."""
    stats = [photo.path.stat() for photo in listed]
    plan = [
        [str(photo.path.resolve()), stat.st_size, stat.st_mtime_ns]
        for photo, stat in zip(listed, stats, strict=True)
    ]
    key = hashlib.sha256(json.dumps([side, judge.version, plan]).encode()).hexdigest()[:16]
    paths = {name: cache / f"gan-{key}-{name}.npy" for name in FILES}
    if not all(path.exists() for path in paths.values()):
        cache.mkdir(parents=True, exist_ok=True)
        _fill(listed, side, judge, paths)
    return {name: np.load(path, mmap_mode="r") for name, path in paths.items()}


def _fill(listed: Sequence[Listed], side: int, judge: Judge, paths: dict[str, Path]) -> None:
    """Until they are complete the files have names of this process's own; on an error they are removed."""
    widths = {"pixels": (side, side, 3), "features": (judge.features,), "vectors": (judge.dimensions,)}
    kinds: dict[str, Any] = {"pixels": np.uint8, "features": np.float16, "vectors": np.float32}
    drafts = {name: path.with_suffix(f".{os.getpid()}.draft") for name, path in paths.items()}
    try:
        kept = {
            name: mapped(draft, kinds[name], (len(listed), *widths[name])) for name, draft in drafts.items()
        }
        place = 0
        for squares in _squares(listed, side):
            rows = slice(place, place := place + len(squares))
            kept["pixels"][rows] = squares
            kept["features"][rows], kept["vectors"][rows] = judge.look(squares)
        for name, draft in drafts.items():
            kept[name].flush()
            draft.replace(paths[name])
    finally:
        for draft in drafts.values():
            draft.unlink(missing_ok=True)


def _squares(listed: Sequence[Listed], side: int) -> Iterator[Pixels]:
    """In batches. Raises UnreadablePhoto at the end, for all that are."""
    broken, batch = [], []
    for photo in tqdm(listed, "photos", unit="photo", mininterval=1):
        try:
            batch.append(read_square(photo.path, side))
        except UnreadablePhoto as error:
            broken.append(error)
        if len(batch) == BATCH and not broken:
            yield np.stack(batch)
            batch = []
    if broken:
        others = f" (and {len(broken) - 1} more of {len(listed)} photos)" if len(broken) > 1 else ""
        raise UnreadablePhoto(f"{broken[0]}{others}")
    if batch:
        yield np.stack(batch)


def _part(
    listed: Sequence[Listed],
    kept: dict[str, Any],
    classes: npt.NDArray[np.int64],
    rows: npt.NDArray[np.int64],
) -> Photos:
    names = tuple(listed[row].path.name for row in rows)
    run: Any = rows
    if len(rows) and len(rows) == rows[-1] - rows[0] + 1:  # one after the other: they stay on the disk
        run = slice(rows[0], rows[-1] + 1)
    pixels, features, vectors = (kept[name][run] for name in FILES)
    return Photos(pixels, features, vectors, classes[run], names)


def _refuse(source: Path, train: Photos, held_out: Photos) -> None:
    if len(held_out) < 2 or len(train) < 2:
        raise PhotosRefused(
            f"{source}: {len(train)} photos to train on and {len(held_out)} held out; expected hundreds, "
            "at least two of each (--held-out says where others are)"
        )
    some = train.pixels[:: max(1, len(train) // 500)].astype(np.float32)
    if some.std(axis=0).max() < ALIKE:
        raise PhotosRefused(f"{source}: the photos are all the same; there is nothing to learn")
    if some.std(axis=(1, 2)).max() < ALIKE:
        raise PhotosRefused(f"{source}: each photo is of one colour; there is nothing to learn")


def _digest(parts: Sequence[Photos]) -> str:
    """Of what is shown. What DeepDress sees in it follows, but rounded otherwise on another processor."""
    content = hashlib.sha256()
    for part in parts:
        for rows in (part.pixels, part.classes):
            content.update(np.ascontiguousarray(rows).data)
    return content.hexdigest()
