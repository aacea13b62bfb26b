"""A manifest: JSON lines of labelled photos, checked before any of them is decoded."""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ml.photos import ENDINGS, photos_in

ROLES = ("catalogue", "review", "look", "negative")
SPLITS = ("train", "validation", "test")
UNLABELLED = "unlabelled"  # role and split of photos that nobody has named, which no manifest lists


class ManifestError(ValueError):
    """A line of the manifest, or the manifest as a whole, cannot be trained on."""


@dataclass(frozen=True)
class Row:
    """One labelled photo: a manifest's line, or a drawing to be made."""

    photo: str  # a path, or for a drawing: front, back, detail, street, or a kind of negative
    dress: str | None
    role: str
    split: str
    weight: float = 1.0
    wardrobe: int | None = None  # of a drawing
    place: int = 0  # of the dress in its wardrobe
    seed: int = 0
    stamp: str = ""  # changes when the file or the code that draws does
    generated: bool = False  # no photo of anything: only ever trained on
    twin_of: str | None = None  # a dress so like this one that few can tell them apart
    attributes: tuple[tuple[str, str], ...] = ()  # what is known of what it shows, such as ("sleeve", "puff")


def manifest_rows(manifest: Path) -> list[Row]:
    """The lines of a manifest, checked, no photo decoded yet. Raises ManifestError."""
    try:
        lines = manifest.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise ManifestError(f"{manifest}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise ManifestError(f"{manifest}: expected JSON lines, this is no text ({error.reason})") from error
    filled = ((number, line) for number, line in enumerate(lines, 1) if line.strip())
    rows = {number: _manifest_row(manifest, number, line) for number, line in filled}
    _refuse_repeats(manifest, rows)
    _refuse_leaks(manifest, rows)
    return list(rows.values())


def _refuse_repeats(manifest: Path, rows: dict[int, Row]) -> None:
    """A line twice is a mistake: a photo that should count more has a weight."""
    first: dict[str, int] = {}
    for number, row in rows.items():
        earlier = first.setdefault(os.path.normpath(row.photo), number)
        if earlier != number:
            raise ManifestError(
                f"{manifest}:{number}: {row.photo} again, after line {earlier}; expected a line a photo"
            )


def _refuse_leaks(manifest: Path, rows: dict[int, Row]) -> None:
    """The same bytes in two splits; only files of the same length are read for it."""
    by_length: dict[int, list[int]] = defaultdict(list)
    for number, row in rows.items():
        by_length[Path(row.photo).stat().st_size].append(number)
    first: dict[str, int] = {}
    for numbers in by_length.values():
        if len({rows[number].split for number in numbers}) == 1:
            continue
        for number in numbers:
            row = rows[number]
            earlier = first.setdefault(_digest(row.photo), number)
            if rows[earlier].split != row.split:
                raise ManifestError(
                    f"{manifest}:{number}: {row.photo} in the split {row.split!r} is the same photo as line "
                    f"{earlier}'s in {rows[earlier].split!r}; expected each photo in one split"
                )


def unlabelled_rows(folder: Path, labelled: Sequence[Row]) -> list[Row]:
    """The photos of a folder but for those, by their bytes, that are labelled or came before.

    Raises ManifestError where none is left.
    """
    if not folder.is_dir():
        raise ManifestError(f"{folder}: expected a folder of photos that nobody has named")
    found = [Row(str(path), None, UNLABELLED, UNLABELLED, stamp=_stamp(path)) for path in photos_in(folder)]
    by_length: dict[int, list[Row]] = defaultdict(list)
    for row in (*labelled, *found):
        by_length[Path(row.photo).stat().st_size].append(row)
    again = {id(row) for rows in by_length.values() if len(rows) > 1 for row in _repeated(rows)}
    if left := [row for row in found if id(row) not in again]:
        return left
    names = ", ".join(ENDINGS[:4])
    raise ManifestError(
        f"{folder}: none of its {len(found)} photos is without a name; expected others than the manifest's, "
        f"called such as {names}"
    )


def _repeated(rows: Sequence[Row]) -> list[Row]:
    """Those that have the bytes of one before."""
    first: dict[str, Row] = {}
    return [row for row in rows if first.setdefault(_digest(row.photo), row) is not row]


def _digest(photo: str) -> str:
    with Path(photo).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _stamp(photo: Path) -> str:
    stat = photo.stat()
    return f"{stat.st_size} {stat.st_mtime_ns}"


def remarks(manifest: Path, rows: Sequence[Row]) -> list[str]:
    """What is odd about the split 'train'. Raises ManifestError if there is nothing to learn."""
    photos = Counter(row.dress for row in rows if row.split == "train")
    negatives = photos.pop(None, 0)
    if len(photos) < 2:
        found = f"{next(iter(photos))!r} is the one dress" if photos else "no photo of a dress"
        raise ManifestError(f"{manifest}: {found} in the split 'train'; expected two dresses to tell apart")
    remarks = []
    if not negatives:
        remarks.append("no negative in the split 'train': the model will never say 'not a dress'")
    if alone := sum(count == 1 for count in photos.values()):
        remarks.append(f"dresses with one photo, paired with itself, augmented: {alone} of {len(photos)}")
    return remarks


def _manifest_row(manifest: Path, number: int, line: str) -> Row:
    where = f"{manifest}:{number}"
    try:
        entry = json.loads(line)
        photo, role, split = manifest.parent / entry["photo"], entry["role"], entry["split"]
        dress, weight = entry.get("dress"), float(entry.get("weight", 1.0))
        twin_of, generated = entry.get("twin_of"), entry.get("generated", False)
        attributes = tuple((str(name), str(value)) for name, value in entry.get("attributes", {}).items())
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ManifestError(
            f"{where}: expected an object with photo, dress, role and split ({error!r})"
        ) from error
    if role not in ROLES or split not in SPLITS:
        raise ManifestError(f"{where}: role {role!r}, split {split!r}; expected one of {ROLES} and {SPLITS}")
    if dress is not None and (isinstance(dress, bool) or not isinstance(dress, (str, int)) or dress == ""):
        raise ManifestError(f"{where}: dress {dress!r}; expected an id or null")
    if (dress is None) != (role == "negative"):
        raise ManifestError(f"{where}: role {role!r} with dress {dress!r}; negatives alone have no dress")
    if not 0 < weight < math.inf:
        raise ManifestError(f"{where}: weight {weight}; expected a number above 0")
    if not isinstance(generated, bool):
        raise ManifestError(f"{where}: generated {generated!r}; expected true or false")
    if generated and split != "train":
        raise ManifestError(f"{where}: a generated photo in the split {split!r}; expected it in 'train'")
    if not photo.is_file():
        raise ManifestError(f"{where}: no file {photo}")
    name, twin = (None if value is None else str(value) for value in (dress, twin_of))
    return Row(
        *(str(photo), name, role, split, weight),
        stamp=_stamp(photo),
        generated=generated,
        twin_of=twin,
        attributes=attributes,
    )
