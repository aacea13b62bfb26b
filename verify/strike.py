"""Taking deleted posts out of the files that exports wrote: training sets and the golden set."""

import csv
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from verify.export import Row, replacing
from verify.models import WrittenExport
from verify.only_one import Busy, only_one
from verify.photo_shelf import path_of

LOCK = ".lock"  # as the training export's


@dataclass(frozen=True)
class Gone:
    """What is no more: posts as ``source:id``, photos by the SHA-256 of their large copies."""

    posts: set[str] = field(default_factory=set)
    contents: set[str] = field(default_factory=set)

    def holds(self, row: Row) -> bool:
        return row.get("post") in self.posts or Path(str(row.get("photo") or "")).stem in self.contents


def out_of_exports(gone: Gone) -> tuple[int, list[str]]:
    """How many rows were taken out, and the files that an export is at work in."""
    count, busy = 0, []
    for written in WrittenExport.objects.order_by("pk"):
        path = Path(written.path)
        if not path.is_file():
            written.delete()  # somebody has deleted it
            continue
        try:
            with only_one(path.parent / LOCK, "An export is at work"):
                count += _out_of(path, gone)
        except (Busy, OSError):
            busy.append(str(path))
    return count, busy


def _out_of(path: Path, gone: Gone) -> int:
    reader, writer = (_csv_rows, _csv) if path.suffix == ".csv" else (_json_rows, _json_lines)
    if not (count := sum(map(gone.holds, reader(path)))):
        return 0
    with replacing(path) as file:
        put = writer(file, path)
        for row in reader(path):
            if not gone.holds(row):
                put(row)
    for content in gone.contents:
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
