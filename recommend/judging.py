"""Which of two models lists better what people did afterwards, person by person."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from recommend.metrics import Difference, Figures, Scorer, per_user
from recommend.ratings import Floats, Ints, Ratings
from recommend.recommender import Recommender

NS = (1, 3, 5, 10, 20)  # lengths of lists
N = 10  # of those that decide
BY = ("precision", "arhr")  # figures that decide; more would find a difference by luck


class Judges(NamedTuple):
    """People of whom something is known, and what they did afterwards with other items."""

    known: Ratings
    unknown: Ratings  # of the same people and items; those that could have been recommended then
    candidates: npt.NDArray[np.bool_]  # (items,)

    def __len__(self) -> int:
        return len(self.known.users)


def judges(before: Ratings, after: Ratings, candidates: npt.NDArray[np.bool_], good: float) -> Judges:
    """Those who did something before, and afterwards liked (a rating of `good`) something else."""
    rows = {user: row for row, user in enumerate(after.users)}
    both = [row for row, user in enumerate(before.users) if user in rows]
    known, later = before.by(both), after.by([rows[before.users[row]] for row in both])
    new = later.where(candidates[later.matrix.indices] & ~_among(later, known))
    some = np.unique(new.user_of[new.matrix.data >= good])
    return Judges(known.by(some), new.by(some), candidates)


def _among(ratings: Ratings, others: Ratings) -> npt.NDArray[np.bool_]:
    """Of each rating, whether the same user has rated the same item there."""
    items = len(ratings.items)
    here, there = (each.user_of * items + each.matrix.indices for each in (ratings, others))
    return np.isin(here, there)


def of_model(judges: Judges, model: Recommender, good: float) -> Figures:
    """Of a model that may know other items: what it does not know it cannot recommend."""
    places = {item: column for column, item in enumerate(model.known.items)}
    columns = np.array([places.get(item, -1) for item in judges.known.items], np.int64)
    return _figures(judges, lambda rows: _scores(model, judges.known, columns, rows), good)


def of_popular(judges: Judges, fans: Floats, good: float) -> Figures:
    """Of recommending to everybody what most people (items,) had to do with."""
    return _figures(judges, lambda rows: np.tile(fans, (len(rows), 1)), good)


def _figures(judges: Judges, score: Scorer, good: float) -> Figures:
    def there(rows: Ints) -> Floats:
        return np.where(judges.candidates, score(rows), np.float32(-np.inf))

    nothing = np.full(len(judges.unknown), np.nan, np.float32)  # lists alone are compared
    return Figures(per_user(judges.known, judges.unknown, nothing, there, good=good, ns=NS))


def _scores(model: Recommender, known: Ratings, columns: Ints, rows: Ints) -> Floats:
    """(rows, items of `known`); `columns` are the model's, -1 for what it does not know."""
    there = columns >= 0
    part = known.matrix[rows][:, there].tocoo()
    shape = (len(rows), len(model.known.items))
    theirs = csr_array((part.data, (part.row, columns[there][part.col])), shape=shape)
    theirs.sort_indices()
    users = tuple(known.users[row] for row in rows)
    model = model.fold_in(Ratings(theirs, users, model.known.items))
    found = np.full((len(rows), len(columns)), -np.inf, np.float32)
    found[:, there] = model.scores(np.arange(len(rows)))[:, columns[there]]
    return found


def means(figures: Figures) -> dict[str, float]:
    return {f"{name}@{N}": figures.lists[N][name].value for name in ("precision", "recall", "arhr", "ndcg")}


def lists_nothing(figures: Figures) -> bool:
    """Nobody was recommended anything, so that there is nothing to compare."""
    return bool(np.isnan(figures.lists[N]["precision"].value))


def compare(new: Figures, old: Figures) -> dict[str, Difference]:
    return {f"{name}@{N}": new.lists[N][name].less(old.lists[N][name]) for name in BY}


def worse(differences: dict[str, Difference]) -> bool:
    """Beyond noise, in any of the figures that decide."""
    return any(difference.high < 0 for difference in differences.values())
