"""Taking deleted posts out of the files that exports wrote: training sets and the golden set."""

import csv
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import groupby
from logging import getLogger
from pathlib import Path
from typing import Any

from verify.export import LOCK, Row, replacing
from verify.models import WrittenExport
from verify.only_one import Busy, only_one
from verify.photo_shelf import path_of


@dataclass(frozen=True)
class Gone:
    """What is no more: posts as ``source:id``, photos by the SHA-256 of their large copies."""

    posts: set[str] = field(default_factory=set)
    contents: set[str] = field(default_factory=set)

    def holds(self, row: Row) -> bool:
        return row.get("post") in self.posts or Path(str(row.get("photo") or "")).stem in self.contents


@dataclass
class Struck:
    """How many rows were taken out, and where that could not be."""

    rows: int = 0
    busy: bool = False  # an export is at work somewhere
    unwritable: list[str] = field(default_factory=list)  # files


@contextmanager
def out_of_exports(gone: Gone) -> Iterator[Struck]:
    """Take it out of every export; as long as the block lasts, none that could read it again begins there."""
    struck = Struck()
    with ExitStack() as locks:
        for folder, paths in groupby(_written(), key=lambda path: path.parent):
            files = list(paths)
            try:
                locks.enter_context(only_one(folder / LOCK, "An export is at work"))
                for path in files:
                    struck.rows += _out_of(path, gone)
            except Busy:
                struck.busy = True
            except OSError as error:
                getLogger(__name__).warning("What was deleted stays in %s: %s", folder, error.strerror)
                struck.unwritable += map(str, files)
        yield struck


def _written() -> list[Path]:
    """The files that are there still, by folder."""
    notes = {Path(note.path): note for note in WrittenExport.objects.all()}
    for path in [path for path in notes if not path.is_file()]:
        notes.pop(path).delete()  # somebody has deleted it
    return sorted(notes, key=lambda path: (path.parent, path.name))


def _out_of(path: Path, gone: Gone) -> int:
    reader, writer = (_csv_rows, _csv) if path.suffix == ".csv" else (_json_rows, _json_lines)
    if count := sum(map(gone.holds, reader(path))):
        with replacing(path) as file:
            put = writer(file, path)
            for row in reader(path):
                if not gone.holds(row):
                    put(row)
    for content in gone.contents:  # where no row names it, too: a kill may have come between the two
        (path.parent / path_of(content)).unlink(missing_ok=True)
    return count


def _json_rows(path: Path) -> Iterator[Row]:
    with path.open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def _json_lines(file: Any, path: Path) -> Callable[[Row], object]:
    return lambda row: file.write(json.dumps(row, ensure_ascii=False) + "\n")


def _csv_rows(path: Path) -> Iterable[Row]:
    with path.open(encoding="utf-8", newline="") as lines:
        yield from csv.DictReader(lines)


def _csv(file: Any, path: Path) -> Callable[[Row], object]:
    with path.open(encoding="utf-8", newline="") as lines:
        columns = next(csv.reader(lines))
    writer = csv.DictWriter(file, columns)
    writer.writeheader()
    return writer.writerow
