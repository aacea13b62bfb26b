"""What the imports of catalogue and posts share: outcomes of rows, batches, photos that rows name."""

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar

from django.conf import settings
from django.db import IntegrityError, connection, transaction

from verify.intake.copies import PhotoRefused, digest
from verify.intake.fetch import FetchRefused
from verify.intake.photos import store
from verify.models import Photo

Fetch = Callable[[str], bytes]
Batch = TypeVar("Batch")
Item = TypeVar("Item")

ONE_IMPORT = 7_405_926  # an advisory lock's number; any will do that nobody else takes


class FileUnusable(Exception):
    """Nothing of the file can be imported; the message is one line."""


class RowRefused(Exception):
    """``again``: another time it may be taken."""

    def __init__(self, column: str, value: Any, reason: str, again: bool = False) -> None:
        super().__init__(reason)
        self.column, self.value, self.reason, self.again = column, str(value), reason, again

    def at(self, line: int) -> "Refusal":
        return Refusal(line, self.column, self.value, self.reason, self.again)


@dataclass(frozen=True)
class Stored:
    """A dress or a post that is in the database as its row says."""

    line: int
    kind: Literal["new", "changed", "unchanged"]


@dataclass(frozen=True)
class Refusal:
    line: int
    column: str
    value: str
    reason: str
    again: bool = False  # another time it may be taken
    kind: Literal["refused"] = field(default="refused", init=False)


Outcome = Stored | Refusal


def in_batches(items: Iterable[Item], rows: int, size: Callable[[Item], int]) -> Iterator[list[Item]]:
    """Lists of consecutive items whose sizes add up to ``rows`` or, with the last item, more."""
    batch: list[Item] = []
    total = 0
    for item in items:
        batch.append(item)
        total += size(item)
        if total >= rows:
            yield batch
            batch, total = [], 0
    if batch:
        yield batch


@contextmanager
def one_batch_at_a_time() -> Iterator[None]:
    """A transaction; imports that run side by side take turns, and so see each other's rows."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [ONE_IMPORT])
        yield


def persistently(store_batch: Callable[[Batch], list[Outcome]], batch: Batch) -> list[Outcome]:
    """The outcomes of a batch; tried twice, as a photo may be deleted between being found and being used."""
    try:
        return store_batch(batch)
    except IntegrityError:
        return store_batch(batch)


class FirstLines:
    """Where in a file a key stood first; kept on disk, so that memory does not grow with the file."""

    def __init__(self) -> None:
        self._database = sqlite3.connect("")  # a temporary file
        self._database.execute("CREATE TABLE seen (key TEXT PRIMARY KEY, line INTEGER) WITHOUT ROWID")

    def __enter__(self) -> "FirstLines":
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()

    def claim(self, key: str, line: int) -> int:
        """The line that the key stood on first: ``line`` itself when it is new."""
        self._database.execute("INSERT OR IGNORE INTO seen VALUES (?, ?)", (key, line))
        return int(self._database.execute("SELECT line FROM seen WHERE key = ?", (key,)).fetchone()[0])


def path_inside(folder: Path, name: str) -> Path:
    """The file ``name`` somewhere below ``folder``, links followed. Raises ValueError with a reason."""
    try:
        path = (folder / name).resolve()
        exists = path.is_file()
    except (OSError, RuntimeError, ValueError) as error:  # too long, a loop of links, not permitted, a NUL
        raise ValueError("there is no such file") from error
    if Path(name).is_absolute() or not path.is_relative_to(folder.resolve()):
        raise ValueError("the photo lies outside the imported file's folder")
    if not exists:
        raise ValueError("there is no such file")
    return path


def read_photo(folder: Path, name: str) -> bytes:
    """Raises ValueError with a reason; a file that is too large is not read."""
    path = path_inside(folder, name)
    if path.stat().st_size > settings.PHOTO_MAX_BYTES:
        raise ValueError(f"more than {settings.PHOTO_MAX_BYTES:,} bytes")
    try:
        return path.read_bytes()
    except OSError as error:
        raise ValueError(f"the file cannot be read ({error.strerror})") from error


def photo_in_file(folder: Path, name: str, column: str, known: Photo | None = None) -> Photo:
    """The stored photo; ``known`` itself when the file still holds it. Raises RowRefused."""
    try:
        data = read_photo(folder, name)
        return known if known and known.sha256 == digest(data) else store(data)
    except (ValueError, PhotoRefused) as error:
        raise RowRefused(column, name, str(error)) from error


def photo_at_address(url: str, column: str, fetch: Fetch) -> Photo:
    """Raises RowRefused."""
    try:
        return store(fetch(url))
    except (FetchRefused, PhotoRefused) as error:
        raise RowRefused(column, url, str(error), again=isinstance(error, FetchRefused)) from error
