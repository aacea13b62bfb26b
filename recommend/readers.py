"""Files of ratings: MovieLens's `u.data` and `ratings.csv`, and any CSV of user, item and rating."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from sys import intern

import numpy as np
from scipy.sparse import csr_array, vstack

from recommend.ratings import Duplicates, Ratings, RatingsRefused
from recommend.splits import Split

USERS = ("user", "userid", "user_id")
ITEMS = ("item", "itemid", "item_id", "movieid", "movie_id")
SPARSE = 2  # ids up to 1,664 for 1,664 items are a catalogue; ids up to a million for them are not


@dataclass(frozen=True)
class Table:
    """A file's rows as they stand there."""

    path: Path
    users: list[str]
    items: list[str]
    values: list[float]
    first_row: int  # 2 below a header

    def ratings(self, duplicates: Duplicates, catalogue: Sequence[str] | None = None) -> Ratings:
        """Raises RatingsRefused, naming the file and the row."""
        try:
            return Ratings.of(
                self.users,
                self.items,
                self.values,
                catalogue=catalogue,
                duplicates=duplicates,
                first_row=self.first_row,
            )
        except RatingsRefused as error:
            raise RatingsRefused(f"{self.path}: {error}") from error


def read(path: Path, duplicates: Duplicates = "refuse") -> Ratings:
    """Ratings of a file, whichever of the formats it has. Raises RatingsRefused, naming file and row."""
    table = read_table(path)
    return table.ratings(duplicates, catalogue_of(table.items))


def read_split(prefix: str, duplicates: Duplicates = "refuse", rated: Table | None = None) -> Split:
    """PREFIX_train.csv, PREFIX_known.csv and PREFIX_unknown.csv, on the catalogue of all three.

    `rated` is a file whose items are in the catalogue, too, whether the three know them or not. Raises
    RatingsRefused, naming file and row, and where a rating that is to be predicted is known or learnt from.
    """
    tables = [read_table(Path(f"{prefix}_{part}.csv")) for part in ("train", "known", "unknown")]
    everything = [*tables, rated] if rated else tables
    catalogue = catalogue_of(item for table in everything for item in table.items)
    train, known, unknown = (table.ratings(duplicates, catalogue) for table in tables)
    _not_given_away(tables[2], train, known)
    return Split(train, known, _in_order(unknown, known.users))


def catalogue_of(items: Iterable[str]) -> tuple[str, ...]:
    """The items rated; where they are the numbers of a catalogue, all of it, rated or not."""
    found = dict.fromkeys(items)
    if not all(item.isdecimal() and str(int(item)) == item for item in found):
        return tuple(found)
    numbers = sorted(map(int, found))
    if numbers and numbers[0] >= 1 and numbers[-1] <= SPARSE * len(numbers):
        return tuple(map(str, range(1, numbers[-1] + 1)))
    return tuple(map(str, numbers))


def read_table(path: Path) -> Table:
    """The rows of a file. Raises RatingsRefused, naming file and row."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            delimiter = "\t" if "\t" in file.readline() else ","
            file.seek(0)
            return _table(path, csv.reader(file, delimiter=delimiter))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise RatingsRefused(f"{path}: cannot be read ({_reason(error)})") from error


def _table(path: Path, rows: Iterator[list[str]]) -> Table:
    first = next(rows, [])
    header = len(first) >= 3 and not _is_number(first[2])
    columns = _columns(path, first) if header else (0, 1, 2)
    table = Table(path, [], [], [], 2 if header else 1)
    blank = 0
    for number, row in enumerate(rows if header else chain([first], rows), table.first_row):
        if not row:
            blank = blank or number
            continue
        user, item, value = _fields(path, blank or number, [] if blank else row, columns)
        table.users.append(intern(user))
        table.items.append(intern(item))
        table.values.append(value)
    return table


def _columns(path: Path, header: list[str]) -> tuple[int, int, int]:
    names = [name.strip().lower() for name in header]
    found = [next((names.index(name) for name in known if name in names), -1) for known in (USERS, ITEMS)]
    if min(found) < 0 or "rating" not in names:
        raise RatingsRefused(f"{path}: row 1: expected user,item,rating, got {','.join(header)!r:.80}")
    return found[0], found[1], names.index("rating")


def _fields(path: Path, number: int, row: list[str], columns: tuple[int, int, int]) -> tuple[str, str, float]:
    if len(row) <= max(columns):
        raise RatingsRefused(
            f"{path}: row {number}: expected user, item and rating, got {','.join(row)!r:.80}"
        )
    user, item, value = (row[column].strip() for column in columns)
    if not user or not item:
        raise RatingsRefused(f"{path}: row {number}: a {'user' if not user else 'item'} without an id")
    if not _is_number(value):
        raise RatingsRefused(f"{path}: row {number}: {value!r:.80} is no rating; expected a number")
    return user, item, float(value)


def _is_number(told: str) -> bool:
    try:
        float(told)
    except ValueError:
        return False
    return True


def _reason(error: Exception) -> str:
    return error.strerror or "?" if isinstance(error, OSError) else str(error)


def _not_given_away(unknown: Table, train: Ratings, known: Ratings) -> None:
    asked = set(unknown.users)
    learnt, shown = _pairs(train, asked), _pairs(known, asked)
    users = set(known.users)
    for number, pair in enumerate(zip(unknown.users, unknown.items, strict=True), unknown.first_row):
        if pair[0] not in users:
            raise RatingsRefused(f"{unknown.path}: row {number}: nothing is known of user {pair[0]!r}")
        if pair in shown:
            raise RatingsRefused(f"{unknown.path}: row {number}: this rating is among those known already")
        if pair in learnt:
            raise RatingsRefused(f"{unknown.path}: row {number}: this rating is among those learnt from")


def _pairs(ratings: Ratings, users: set[str]) -> set[tuple[str, str]]:
    """Which items of the catalogue those users rated."""
    theirs = ratings.by([row for row, user in enumerate(ratings.users) if user in users])
    pairs = zip(theirs.user_of.tolist(), theirs.matrix.indices.tolist(), strict=True)
    return {(theirs.users[row], theirs.items[column]) for row, column in pairs}


def _in_order(ratings: Ratings, users: tuple[str, ...]) -> Ratings:
    """The same ratings for these users; one who gave none has none."""
    numbers = {user: row for row, user in enumerate(ratings.users)}
    nobody = csr_array((1, len(ratings.items)), dtype=np.float32)
    rows = [numbers.get(user, len(numbers)) for user in users]
    return Ratings(csr_array(vstack([ratings.matrix, nobody], "csr")[rows]), users, ratings.items)
