"""How well ratings were predicted and lists made, user by user, and what of it is noise.

The figures are those of R's recommenderlab: errors over all ratings predicted, and averages over the test
users of what each one's list hit, users dropped of whom it says nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array
from scipy.special import stdtrit

from recommend.ratings import Floats, Ints, Ratings, rows_of

Numbers = npt.NDArray[np.float64]
Scorer = Callable[[Ints], Floats]  # rows of test users -> (rows, items)
NOTHING = -1  # at a place of a list that was not filled
AT_ONCE = 1 << 24  # scores in memory, so that no catalogue is too large
CONFIDENCE = 0.95


@dataclass(frozen=True)
class PerUser:
    """What is known of each test user; counts are numbers, since of chance they are expectations."""

    users: tuple[str, ...]
    ns: tuple[int, ...]  # lengths of lists, shortest first
    items: int  # in the catalogue
    # (users,)
    unknown: Numbers  # ratings to be predicted
    predicted: Numbers  # those that were
    squared: Numbers  # sum of squared errors
    absolute: Numbers
    good: Numbers  # unknown items that the user rated well
    candidates: Numbers  # items that are not known
    auc: Numbers  # NaN where there is nothing good, or nothing else
    # (users, ns)
    listed: Numbers
    hits: Numbers
    reciprocal: Numbers  # sum over hits of 1 / position
    gain: Numbers  # discounted, of the list
    ideal: Numbers  # discounted gain of the best list there is
    # (users, longest n)
    lists: Ints

    @staticmethod
    def together(parts: Sequence[PerUser]) -> PerUser:
        """Of several folds; a user may be in more than one of them."""
        first = parts[0]
        same = {"users": sum((part.users for part in parts), ()), "ns": first.ns, "items": first.items}
        names = [field.name for field in fields(PerUser) if field.name not in same]
        joined = {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
        return PerUser(**same, **joined)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Figure:
    """A figure and how much of it is one user's doing, which tells its error, and that of a difference."""

    value: float  # NaN where nothing is known
    pulls: Numbers  # (distinct users,) how far each moves it from where it were without

    @property
    def standard_error(self) -> float:
        """By the infinitesimal jackknife (Efron & Tibshirani 1993, ch. 21): a mean's is the usual one."""
        count = len(self.pulls)
        return float(np.sqrt(count / (count - 1) * np.sum(self.pulls**2))) if count > 1 else np.nan

    def less(self, other: Figure) -> Difference:
        """Of the same users: what is hard for both cancels out."""
        apart = Figure(self.value - other.value, self.pulls - other.pulls)
        reach = float(stdtrit(max(len(self.pulls) - 1, 1), (1 + CONFIDENCE) / 2)) * apart.standard_error
        return Difference(apart.value, apart.value - reach, apart.value + reach)


@dataclass(frozen=True)
class Difference:
    """Of two methods, with its 95% interval."""

    value: float
    low: float
    high: float

    @property
    def is_noise(self) -> bool:
        return not (self.low > 0 or self.high < 0)


@dataclass(frozen=True)
class Figures:
    """Every figure of one method; lists' by their length."""

    of: PerUser

    @cached_property
    def overall(self) -> dict[str, Figure]:
        squared = self._share(self.of.squared, self.of.predicted)
        with np.errstate(divide="ignore", invalid="ignore"):
            root = np.sqrt(squared.value)
            pulls = np.where(root == 0, 0, squared.pulls / (2 * root))
        return {
            "rmse": Figure(float(root), pulls),
            "mae": self._share(self.of.absolute, self.of.predicted),
            "coverage": self._share(self.of.predicted, self.of.unknown),
            "auc": self._mean(self.of.auc),
        }

    @cached_property
    def lists(self) -> dict[int, dict[str, Figure]]:
        return {n: self._list(place, n) for place, n in enumerate(self.of.ns)}

    def _list(self, place: int, n: int) -> dict[str, Figure]:
        of, listed, hits = self.of, self.of.listed[:, place], self.of.hits[:, place]
        with np.errstate(divide="ignore", invalid="ignore"):
            precision, recall = self._mean(hits / listed), self._mean(hits / of.good)
            others = self._mean((listed - hits) / (of.candidates - of.good))
            gain = self._mean(of.gain[:, place] / of.ideal[:, place])
        return {
            "precision": precision,
            "recall": recall,
            "tpr": recall,
            "fpr": others,
            "f": _harmonic(precision, recall),
            "arhr": self._mean(of.reciprocal[:, place]),
            "ndcg": gain,
            "catalogue_coverage": self._catalogue(of.lists[:, :n]),
        }

    @cached_property
    def _who(self) -> Ints:
        return np.unique(self.of.users, return_inverse=True)[1]

    def _mean(self, values: Numbers) -> Figure:
        """Of those of whom there is a value."""
        said = np.isfinite(values)
        return self._share(np.where(said, values, 0), said.astype(np.float64))

    def _share(self, part: Numbers, whole: Numbers) -> Figure:
        """The sum of one over the sum of the other."""
        total = whole.sum()
        value = part.sum() / total if total else np.nan
        pulls = (part - value * whole) / total if total else np.full(len(part), np.nan)
        return Figure(float(value), _sums(self._who, pulls))

    def _catalogue(self, lists: Ints) -> Figure:
        """The share of it that is in anybody's list; a user's doing is what no other was offered."""
        who = np.repeat(self._who, lists.shape[1])[lists.ravel() != NOTHING]
        pairs = np.unique(np.stack([lists[lists != NOTHING], who]), axis=1)
        alone = np.bincount(pairs[0], minlength=self.of.items) == 1
        count = int(self._who.max(initial=-1)) + 1
        own = _sums(pairs[1], alone[pairs[0]], count) / max(self.of.items, 1)
        value = len(np.unique(pairs[0])) / self.of.items if self.of.items else np.nan
        return Figure(value, own - own.mean() if len(own) else own)


def _harmonic(one: Figure, other: Figure) -> Figure:
    total = one.value + other.value
    if not total:
        return Figure(0.0, np.zeros_like(one.pulls))
    weights = 2 * (other.value / total) ** 2, 2 * (one.value / total) ** 2
    return Figure(2 * one.value * other.value / total, weights[0] * one.pulls + weights[1] * other.pulls)


def per_user(
    known: Ratings, unknown: Ratings, predicted: Floats, score: Scorer, *, good: float, ns: Sequence[int]
) -> PerUser:
    """What became of each user's unknown ratings.

    `predicted` are the ratings said of `unknown`'s, in its order, NaN where none was. `score` ranks the items
    for some users, who are asked for in parts. A rating of `good` or more is a hit.
    """
    lengths = tuple(sorted(set(ns)))
    if not lengths or lengths[0] < 1:
        raise ValueError(f"lists of {', '.join(map(str, lengths)) or 'no'} items: expected 1 or more")
    ratings, liked = _errors(unknown, predicted), unknown.where(unknown.matrix.data >= good)
    step = max(1, AT_ONCE // max(1, len(known.items)))
    parts = [
        _ranked(score(rows), known.matrix[rows], liked.matrix[rows], lengths)
        for rows in np.array_split(np.arange(len(known.users)), -(-len(known.users) // step) or 1)
    ]
    joined = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    return PerUser(known.users, lengths, len(known.items), **ratings, **joined)  # type: ignore[arg-type]


def _errors(unknown: Ratings, predicted: Floats) -> dict[str, Numbers]:
    said = np.isfinite(predicted)
    off = np.where(said, predicted.astype(np.float64) - unknown.matrix.data, 0)
    rows, users = unknown.user_of, len(unknown.users)
    return {
        "unknown": np.bincount(rows, minlength=users).astype(np.float64),
        "predicted": _sums(rows, said, users),
        "squared": _sums(rows, off**2, users),
        "absolute": _sums(rows, np.abs(off), users),
    }


def _ranked(
    scores: Floats, known: csr_array, liked: csr_array, ns: tuple[int, ...]
) -> dict[str, Numbers | Ints]:
    """Of each row: its list, its hits, and where the items liked stand among all that are not known."""
    left = np.where(np.isnan(scores), -np.inf, scores)
    is_known, is_liked = _dense(known), _dense(liked)
    left[is_known] = -np.inf
    lists = np.argsort(-left, axis=1, kind="stable")[:, : ns[-1]].astype(np.int64)
    filled = np.take_along_axis(left, lists, 1) > -np.inf
    hit = np.take_along_axis(is_liked, lists, 1) & filled
    place = np.arange(1, lists.shape[1] + 1)
    good = is_liked.sum(1).astype(np.float64)
    ideal = (place <= good[:, None]) / np.log2(place + 1)
    return {
        "good": good,
        "candidates": (~is_known).sum(1).astype(np.float64),
        "auc": np.array([_auc(*row) for row in zip(left, ~is_known, is_liked, strict=True)], np.float64),
        "listed": _up_to(ns, filled),
        "hits": _up_to(ns, hit),
        "reciprocal": _up_to(ns, hit / place),
        "gain": _up_to(ns, hit / np.log2(place + 1)),
        "ideal": _up_to(ns, ideal),
        "lists": _padded(np.where(filled, lists, NOTHING), ns[-1]),
    }


def _sums(rows: Ints, each: npt.ArrayLike, count: int = 0) -> Numbers:
    return np.bincount(rows, np.asarray(each, np.float64), count).astype(np.float64)


def _dense(matrix: csr_array) -> npt.NDArray[np.bool_]:
    """Where there is an entry, be it 0."""
    there = np.zeros(matrix.shape, np.bool_)
    there[rows_of(matrix), matrix.indices] = True
    return there


def _up_to(ns: tuple[int, ...], each: npt.NDArray[np.generic]) -> Numbers:
    """(rows, ns) sums of the first n columns."""
    total = np.cumsum(each, axis=1, dtype=np.float64)
    if not total.shape[1]:
        return np.zeros((len(each), len(ns)))
    return total[:, np.minimum(ns, total.shape[1]) - 1]


def _padded(lists: Ints, n: int) -> Ints:
    return np.pad(lists, ((0, 0), (0, n - lists.shape[1])), constant_values=NOTHING)


def _auc(scores: Floats, candidate: npt.NDArray[np.bool_], liked: npt.NDArray[np.bool_]) -> float:
    """The chance that an item liked stands before another one; a tie is half a chance."""
    good, others = scores[candidate & liked], np.sort(scores[candidate & ~liked])
    if not len(good) or not len(others):
        return np.nan
    before = np.searchsorted(others, good, "left") + np.searchsorted(others, good, "right")
    return float(before.mean() / (2 * len(others)))


def by_chance(drawn: PerUser, unknown: Ratings, low: float, high: float) -> PerUser:
    """The expectation of what was drawn: lists in any order, ratings drawn evenly between low and high.

    What is covered of the catalogue stays that of the lists drawn.
    """
    value, rows = unknown.matrix.data.astype(np.float64), unknown.user_of
    width, middle = high - low, (low + high) / 2
    off = ((value - low) ** 2 + (high - value) ** 2) / (2 * width) if width else np.abs(value - low)
    share = (drawn.good / np.maximum(drawn.candidates, 1))[:, None]
    place = np.arange(1, drawn.ns[-1] + 1)
    filled = place <= drawn.candidates[:, None]
    return replace(
        drawn,
        squared=_sums(rows, (value - middle) ** 2 + width**2 / 12, len(drawn.users)),
        absolute=_sums(rows, off, len(drawn.users)),
        auc=np.where(np.isnan(drawn.auc), np.nan, 0.5),
        hits=share * drawn.listed,
        reciprocal=share * _up_to(drawn.ns, filled / place),
        gain=share * _up_to(drawn.ns, filled / np.log2(place + 1)),
    )
