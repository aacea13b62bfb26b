"""Which of two models lists better what people did afterwards, person by person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from recommend.ratings import Floats, Ints, Ratings
from recommend.shelf import Shelved

N = 10  # of a list
Z = 1.96  # of a 95% interval


class Judges(NamedTuple):
    """People of whom something is known, and what they liked afterwards that they had not known before."""

    known: Ratings
    wanted: csr_array  # (people, items), 1 where they liked it
    candidates: npt.NDArray[np.bool_]  # (items,) what could have been recommended

    def __len__(self) -> int:
        return len(self.known.users)


class Figures(NamedTuple):
    """Of each person (people,)."""

    precision: npt.NDArray[np.float64]  # share of the list that they liked
    arhr: npt.NDArray[np.float64]  # sum over what they liked of 1/its place


@dataclass(frozen=True)
class Compared:
    """Means over the same people, and the 95% interval of the mean of their differences."""

    new: float
    old: float
    low: float
    high: float

    @property
    def worse(self) -> bool:
        """Beyond noise."""
        return self.high < 0


def judges(before: Ratings, after: Ratings, candidates: npt.NDArray[np.bool_], good: float) -> Judges:
    """Those who did something before, and afterwards liked (a rating of `good`) something else."""
    rows = {user: row for row, user in enumerate(after.users)}
    both = [row for row, user in enumerate(before.users) if user in rows]
    known = before.by(both)
    liked = after.by([rows[user] for user in known.users]).matrix.copy()
    liked.data = (liked.data >= good).astype(np.float32)
    seen = known.matrix.copy()
    seen.data = np.ones_like(seen.data)
    wanted = csr_array(liked - liked * seen)
    wanted = csr_array(wanted * candidates.astype(np.float32))
    wanted.eliminate_zeros()
    some = np.flatnonzero(np.diff(wanted.indptr))
    return Judges(known.by(some), wanted[some], candidates)


def of_model(judges: Judges, shelved: Shelved, batch: int = 1000) -> Figures:
    """Of a model that may know other items: what it does not know it cannot recommend."""
    items = judges.known.items
    columns = np.array([shelved.columns.get(item, -1) for item in items], np.int64)
    parts = [
        of_scores(judges, _scores(shelved, judges.known, columns, rows), rows)
        for rows in np.array_split(np.arange(len(judges)), max(1, len(judges) // batch))
    ]
    return Figures(*(np.concatenate(each) for each in zip(*parts, strict=True)))


def of_fans(judges: Judges, before: Ratings) -> Figures:
    """Of recommending to everybody what most people had to do with."""
    fans = np.bincount(before.matrix.indices, minlength=len(before.items)).astype(np.float32)
    rows = np.arange(len(judges))
    return of_scores(judges, np.tile(fans, (len(rows), 1)), rows)


def of_scores(judges: Judges, scores: Floats, rows: Ints) -> Figures:
    known, wanted = judges.known.matrix[rows], judges.wanted[rows].toarray() > 0
    left = np.where(judges.candidates, scores, -np.inf)
    left[np.repeat(np.arange(len(rows)), np.diff(known.indptr)), known.indices] = -np.inf
    best = np.argsort(-left, axis=1, kind="stable")[:, :N]
    hits = np.take_along_axis(wanted, best, axis=1) & (np.take_along_axis(left, best, axis=1) > -np.inf)
    return Figures(hits.sum(axis=1) / N, (hits / np.arange(1, hits.shape[1] + 1)).sum(axis=1))


def _scores(shelved: Shelved, known: Ratings, columns: Ints, rows: Ints) -> Floats:
    """(rows, items of `known`); `columns` are the model's, -1 for what it does not know."""
    there = columns >= 0
    part = known.matrix[rows][:, there].tocoo()
    shape = (len(rows), len(shelved.columns))
    theirs = csr_array((part.data, (part.row, columns[there][part.col])), shape=shape)
    theirs.sort_indices()
    users = tuple(known.users[row] for row in rows)
    model = shelved.model.fold_in(Ratings(theirs, users, shelved.model.known.items))
    found = np.full((len(rows), len(columns)), -np.inf, np.float32)
    found[:, there] = model.scores(np.arange(len(rows)))[:, columns[there]]
    return found


def compare(new: Figures, old: Figures) -> dict[str, Compared]:
    return {name: _compared(*pair) for name, pair in zip(Figures._fields, zip(new, old, strict=True), strict=True)}


def _compared(new: npt.NDArray[np.float64], old: npt.NDArray[np.float64]) -> Compared:
    differences = new - old
    mean, noise = differences.mean(), Z * differences.std(ddof=1) / np.sqrt(len(differences))
    return Compared(float(new.mean()), float(old.mean()), float(mean - noise), float(mean + noise))
