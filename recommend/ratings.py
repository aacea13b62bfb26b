"""Who liked what, how much: a sparse matrix with the users' and items' ids beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
Duplicates = Literal["refuse", "last"]

LARGEST = 1e6  # of a rating, either way: beyond it a float32's sums of squares say nothing any more


class RatingsRefused(ValueError):
    """Ratings that nothing can be learnt from; the message names the row and what was expected."""


@dataclass(frozen=True)
class Ratings:
    """Each pair of a user and an item once at most. A rating of 0 is a rating like any other."""

    matrix: csr_array  # (users, items) float32, rows' indices sorted, zeros stored
    users: tuple[str, ...]
    items: tuple[str, ...]

    @classmethod
    def of(
        cls,
        users: Sequence[str],
        items: Sequence[str],
        values: npt.ArrayLike,
        *,
        catalogue: Sequence[str] | None = None,
        duplicates: Duplicates = "refuse",
        first_row: int = 1,
    ) -> Ratings:
        """From one row a rating. `catalogue` fixes the items and their order, else they are those rated.

        Raises RatingsRefused, naming the first row (counted from `first_row`) that is wrong: not a finite
        number, too large, a pair that was there before (unless the last is to win), an item that is not in
        the catalogue.
        """
        given = _checked(values, len(users), first_row)
        user_ids, rows = _numbered(users, None, first_row)
        item_ids, columns = _numbered(items, catalogue, first_row)
        kept = _each_pair_once(rows, columns, len(item_ids), duplicates, first_row)
        order = kept[np.lexsort((columns[kept], rows[kept]))]
        starts = np.concatenate([[0], np.cumsum(np.bincount(rows[order], minlength=len(user_ids)))])
        parts = (given[order], columns[order].astype(np.int32), starts.astype(np.int64))
        return cls(csr_array(parts, shape=(len(user_ids), len(item_ids))), user_ids, item_ids)

    def __len__(self) -> int:
        """The number of ratings."""
        return int(self.matrix.nnz)

    @property
    def user_of(self) -> Ints:
        """(ratings,) the row of each."""
        return rows_of(self.matrix)

    def by(self, rows: npt.ArrayLike) -> Ratings:
        """Those of some users, in the order given; the items stay."""
        chosen = np.asarray(rows, np.int64)
        return Ratings(self.matrix[chosen], tuple(self.users[row] for row in chosen), self.items)

    def where(self, kept: npt.NDArray[np.bool_]) -> Ratings:
        """Some of the ratings (ratings,) of the same users and items."""
        counts = np.bincount(self.user_of[kept], minlength=len(self.users))
        starts = np.concatenate([[0], np.cumsum(counts)])
        parts = (self.matrix.data[kept], self.matrix.indices[kept], starts)
        return Ratings(csr_array(parts, shape=self.matrix.shape), self.users, self.items)


def rows_of(matrix: csr_array) -> Ints:
    """(entries,) the row of each."""
    return np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))


def _checked(values: npt.ArrayLike, count: int, first_row: int) -> Floats:
    given = np.asarray(values, np.float64)
    if given.shape != (count,):
        raise RatingsRefused(f"{count} users, but ratings of shape {given.shape}")
    wrong = np.flatnonzero(~(np.abs(given) <= LARGEST))
    if len(wrong):
        row = int(wrong[0])
        raise RatingsRefused(
            f"row {row + first_row}: {given[row]} is no rating; expected a number within ±{LARGEST:g}"
        )
    return given.astype(np.float32)


def _numbered(
    names: Sequence[str], known: Sequence[str] | None, first_row: int
) -> tuple[tuple[str, ...], Ints]:
    """The ids, in the order of their first row unless they are given, and each row's number among them."""
    numbers = {name: number for number, name in enumerate(known or ())}
    if known is None:
        found = [numbers.setdefault(name, len(numbers)) for name in names]
        return tuple(numbers), np.array(found, np.int64)
    for row, name in enumerate(names):
        if name not in numbers:
            where = f"row {row + first_row}"
            raise RatingsRefused(f"{where}: {name!r} is not in the catalogue of {len(numbers)} items")
    return tuple(numbers), np.array([numbers[name] for name in names], np.int64)


def _each_pair_once(rows: Ints, columns: Ints, items: int, duplicates: Duplicates, first_row: int) -> Ints:
    """The rows to keep."""
    pairs = rows * items + columns
    if duplicates == "last":
        return np.asarray(len(pairs) - 1 - np.unique(pairs[::-1], return_index=True)[1], np.int64)
    first = np.unique(pairs, return_index=True)[1]
    if len(first) < len(pairs):
        again = int(np.setdiff1d(np.arange(len(pairs)), first)[0])
        earlier = int(np.flatnonzero(pairs == pairs[again])[0])
        where, there = again + first_row, earlier + first_row
        raise RatingsRefused(f"row {where}: this user and item were there in row {there}")
    return np.asarray(first, np.int64)
