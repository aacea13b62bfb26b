"""What those who rate alike say of an item (UBCF), or the user of items that are rated alike (IBCF)."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array, vstack

from recommend.alike import LEAST, Likeness, Over, Similarity, nearest
from recommend.centring import Arrays, Centring, centred, learnt_centred, user_levels
from recommend.ratings import Floats, Ints, Ratings
from recommend.recommender import Config, Reason, Recommendation, Recommender, reasons, top

Lists = Literal["sum", "prediction"]

AT_ONCE = 2_000_000  # likenesses held at a time: 16 MB each of a few arrays


@dataclass(frozen=True)
class Neighbourhood(Config):
    similarity: Similarity = "cosine"
    over: Over = "all"
    centring: Centring = "biases"
    neighbours: int = 100
    shrinkage: float = 30.0  # n ratings in common count n / (n + shrinkage)
    min_overlap: int = 1  # ratings in common
    damping: float = (
        0.5  # likeness at the expected rating that averages are taken with; 0: NaN without neighbours
    )
    lists: Lists = "sum"  # go by the sum over the neighbours, or by the rating predicted
    clipped: bool = True  # ratings predicted are within the range of those that it was fitted to

    def __post_init__(self) -> None:
        kinds = {"similarity": Similarity, "over": Over, "centring": Centring, "lists": Lists}
        for name, kind in kinds.items():
            if getattr(self, name) not in get_args(kind):
                raise ValueError(f"{name}={getattr(self, name)!r}: it is one of {', '.join(get_args(kind))}")
        for name, least in {"neighbours": 1, "shrinkage": 0, "min_overlap": 1, "damping": 0}.items():
            if not least <= getattr(self, name) < np.inf:
                raise ValueError(f"{name}={getattr(self, name)}: it is {least} at least")

    @property
    def likeness(self) -> Likeness:
        return Likeness(self.similarity, self.over, self.shrinkage, self.min_overlap)


class Neighbours(Recommender):
    """Ratings are centred; a score is a sum over neighbours of their likeness times a centred rating."""

    config_class: ClassVar[type[Config]] = Neighbourhood
    predicts_ratings: ClassVar[bool] = True

    @abstractmethod
    def sums(self, users: Ints) -> tuple[Floats, Floats]:
        """(users, items) of likeness times centred rating, and of likeness, over neighbours who tell."""

    def tastes(self, ratings: Ratings) -> Arrays:
        return user_levels(ratings, self.state, self.config.centring)

    def scores(self, users: Ints) -> Floats:
        """-inf for what no neighbour speaks of."""
        scores = np.empty((len(users), len(self.known.items)), np.float32)
        for part, total, weight in self._in_blocks(np.asarray(users, np.int64)):
            by_sum = self.config.lists == "sum"
            summed = total + self.state["item_level"] * weight
            told = summed if by_sum else self._predicted(users[part], total, weight)
            scores[part] = np.where(weight > 0, told, -np.inf)
        return scores

    def predict(self, users: npt.ArrayLike, items: npt.ArrayLike) -> Floats:
        rows, columns = np.asarray(users, np.int64), np.asarray(items, np.int64)
        asked, place = np.unique(rows, return_inverse=True)
        found = np.empty(len(rows), np.float32)
        for part, total, weight in self._in_blocks(asked):
            here = np.flatnonzero((place >= part.start) & (place < part.stop))
            predicted = self._predicted(asked[part], total, weight)
            found[here] = predicted[place[here] - part.start, columns[here]]
        return found

    def _predicted(self, users: Ints, total: Floats, weight: Floats) -> Floats:
        with np.errstate(invalid="ignore"):
            above = self.taste["spread"][users, None] * total / (weight + np.float32(self.config.damping))
        told = above + self.taste["user_level"][users, None] + self.state["item_level"]
        return np.asarray(np.clip(told, *self.state["range"]) if self.config.clipped else told)

    def _in_blocks(self, users: Ints) -> Iterator[tuple[slice, Floats, Floats]]:
        for part in blocks(len(users), max(len(self.known.items), self.width)):
            yield part, *self.sums(users[part])

    @property
    def width(self) -> int:
        """Likenesses of one user."""
        return 0

    def _centred(self, users: Ints) -> csr_array:
        """(users, items) of those asked for."""
        ratings = self.known.by(users)
        levels = {name: self.taste[name][users] for name in ("user_level", "spread")}
        return centred(ratings, self.state, levels)

    def contributions(self, user: int, item: int) -> tuple[Ints, Floats]:
        """What the user rated, and what each rating adds to the item's sum: together they are its score."""
        raise NotImplementedError

    def explain(self, user: int, item: int) -> list[Reason]:
        return reasons(*self.contributions(user, item))


class UBCF(Neighbours):
    """The nearest users' ratings of the item. Nobody is a neighbour of his own, nor when folded in again."""

    name: ClassVar[str] = "UBCF"
    keeps_people: ClassVar[bool] = True

    def learn(self, ratings: Ratings) -> Arrays:
        learnt, matrix = learnt_centred(ratings, self.config.centring)
        ids = np.array(ratings.users, np.str_)
        order = np.argsort(ids)
        return {
            **learnt,
            **_arrays("theirs", matrix),
            **_arrays("compared", csr_array(self.config.likeness.prepared(matrix).T.tocsr())),
            "ids": ids[order],
            "id_rows": order,
        }

    def tastes(self, ratings: Ratings) -> Arrays:
        """And where each is among those fitted to, -1 for nowhere."""
        ids = np.array(ratings.users, np.str_)
        place = np.minimum(np.searchsorted(self.state["ids"], ids), len(self.state["ids"]) - 1)
        there = self.state["ids"][place] == ids
        return {**super().tastes(ratings), "itself": np.where(there, self.state["id_rows"][place], -1)}

    @property
    def width(self) -> int:
        return len(self.state["ids"])

    @property
    def _theirs(self) -> csr_array:
        return _restored(self.state, "theirs", (self.width, len(self.known.items)))

    def nearest_users(self, users: Ints) -> csr_array:
        """(users, users fitted to) how alike the neighbours of each are."""
        compared = _restored(self.state, "compared", (len(self.known.items), self.width))
        likeness = self.config.likeness.between(self.config.likeness.prepared(self._centred(users)), compared)
        itself = self.taste["itself"][users]
        likeness[np.flatnonzero(itself >= 0), itself[itself >= 0]] = -np.inf
        return nearest(likeness, self.config.neighbours)

    def sums(self, users: Ints) -> tuple[Floats, Floats]:
        near = self.nearest_users(users)
        who, place = np.unique(near.indices, return_inverse=True)
        near = csr_array((near.data, place, near.indptr), shape=(len(users), len(who)))
        theirs = self._theirs[who]
        return (near @ theirs).toarray(), (near @ ones(theirs)).toarray()

    def similar_items(self, item: int, n: int) -> list[Recommendation]:
        """Users' likeness, taken of items."""
        likeness, by_item = self.config.likeness, csr_array(self._theirs.T.tocsr())
        others = csr_array(likeness.prepared(by_item).T.tocsr())
        return _best(likeness.between(likeness.prepared(by_item[[item]]), others)[0], item, n)

    def contributions(self, user: int, item: int) -> tuple[Ints, Floats]:
        """What each adds to the likeness of the neighbours who rated the item, times their ratings of it."""
        near, own = self.nearest_users(np.array([user])), self._centred(np.array([user]))
        likeness, theirs = self.config.likeness, self._theirs[near.indices]
        rated = np.flatnonzero(np.diff(_column(theirs, item).indptr))
        of_item = _column(theirs, item).data + self.state["item_level"][item]
        shares = likeness.shares(likeness.prepared(own), likeness.prepared(theirs[rated]))
        return own.indices.astype(np.int64), ((near.data[rated] * of_item) @ shares).astype(np.float32)


class IBCF(Neighbours):
    """The user's own ratings of the items nearest to it."""

    name: ClassVar[str] = "IBCF"

    def learn(self, ratings: Ratings) -> Arrays:
        learnt, matrix = learnt_centred(ratings, self.config.centring)
        return {
            **learnt,
            **_arrays("near", csr_array(self._nearest_items(csr_array(matrix.T.tocsr())).T.tocsr())),
        }

    def _nearest_items(self, by_item: csr_array) -> csr_array:
        """(items, items) in each row how alike the item's neighbours are."""
        likeness, found = self.config.likeness, []
        rows = likeness.prepared(by_item)
        others = csr_array(rows.T.tocsr())
        for part in blocks(rows.shape[0], rows.shape[0]):
            alike = likeness.between(rows[part], others)
            alike[np.arange(len(alike)), np.arange(part.start, part.stop)] = -np.inf
            found.append(nearest(alike, self.config.neighbours, last=True))  # as recommenderlab breaks ties
        return csr_array(vstack(found, format="csr"))

    @property
    def _near(self) -> csr_array:
        """(items, items) in each column how alike the item's neighbours are."""
        return _restored(self.state, "near", (len(self.known.items),) * 2)

    def sums(self, users: Ints) -> tuple[Floats, Floats]:
        own, near = self._centred(users), self._near
        return (own @ near).toarray(), (ones(own) @ near).toarray()

    def similar_items(self, item: int, n: int) -> list[Recommendation]:
        return _best(_column(self._near, item).toarray()[:, 0], item, n)

    def contributions(self, user: int, item: int) -> tuple[Ints, Floats]:
        own = self._centred(np.array([user]))
        likeness = _column(self._near, item).toarray()[own.indices, 0]
        return own.indices.astype(np.int64), likeness * (own.data + self.state["item_level"][item])


def blocks(rows: int, width: int) -> Iterator[slice]:
    """So many rows at a time that AT_ONCE numbers are held, `width` of each row."""
    step = max(1, AT_ONCE // max(width, 1))
    return (slice(start, min(start + step, rows)) for start in range(0, rows, step))


def _best(likeness: Floats, item: int, n: int) -> list[Recommendation]:
    kept = np.where(likeness > LEAST, likeness, -np.inf)
    kept[item] = -np.inf
    return top(kept[None], n)[0]


def ones(matrix: csr_array) -> csr_array:
    """Where there is an entry, be it 0."""
    return csr_array((np.ones_like(matrix.data), matrix.indices, matrix.indptr), shape=matrix.shape)


def _column(rows: csr_array, column: int) -> csr_array:
    return csr_array(rows[:, [column]])


def _arrays(name: str, matrix: csr_array) -> Arrays:
    return {f"{name}_{part}": getattr(matrix, part) for part in ("data", "indices", "indptr")}


def _restored(arrays: Arrays, name: str, shape: tuple[int, int]) -> csr_array:
    return csr_array(tuple(arrays[f"{name}_{part}"] for part in ("data", "indices", "indptr")), shape=shape)
