"""Who is learnt from and who is tested on what: the evaluation schemes of R's recommenderlab."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from recommend.ratings import Ints, Ratings, RatingsRefused

Kind = Literal["split", "cross-validation", "bootstrap"]


class SchemeRefused(ValueError):
    """A scheme that does not hold together."""


@dataclass(frozen=True)
class Split:
    """Users to learn from, and others of whom some ratings are known and the rest is to be found.

    `known` and `unknown` have the same users in the same order, and all three the same items.
    """

    train: Ratings
    known: Ratings
    unknown: Ratings

    def together(self) -> Ratings:
        """All ratings; what was learnt of a user tested stands once."""
        parts = (self.train, self.known, self.unknown)
        users = [part.users[row] for part in parts for row in part.user_of]
        items = [part.items[column] for part in parts for column in part.matrix.indices]
        values = np.concatenate([part.matrix.data for part in parts])
        return Ratings.of(users, items, values, catalogue=self.train.items, duplicates="last")


@dataclass(frozen=True)
class Scheme:
    """How users are parted, and how many of a test user's ratings are known."""

    kind: Kind = "split"
    train: float = 0.9  # the share of users learnt from; in a bootstrap, how many are drawn
    folds: int = 1  # times that all is done
    given: int = 15  # ratings known of a test user; -5: all but 5
    seed: int = 0

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise SchemeRefused(f"{self.kind!r} is no scheme; there are {', '.join(get_args(Kind))}")
        if not 0 < self.train < 1:
            raise SchemeRefused(f"{self.train:g} of the users cannot be learnt from: expected 0 < train < 1")
        if self.folds < (2 if self.kind == "cross-validation" else 1):
            raise SchemeRefused(f"{self.folds} folds are too few for {self.kind}")
        if not self.given:
            raise SchemeRefused("given = 0: a test user of whom nothing is known cannot be told from another")

    @property
    def fewest(self) -> int:
        """Ratings that a user needs to be in: one at least on either side."""
        return abs(self.given) + 1


@dataclass(frozen=True)
class Splits:
    """The splits of a scheme, made one by one: ten of 25 million ratings do not lie in memory at once."""

    ratings: Ratings  # of the users who have enough of them
    left_out: int  # users who have not
    known: npt.NDArray[np.bool_]  # (ratings,) which of them a test user is known by
    parts: tuple[tuple[Ints, Ints], ...]  # of each split, rows learnt from and rows tested

    def __len__(self) -> int:
        return len(self.parts)

    def __iter__(self) -> Iterator[Split]:
        known, unknown = self.ratings.where(self.known), self.ratings.where(~self.known)
        for learnt_from, tested in self.parts:
            yield Split(self.ratings.by(learnt_from), known.by(tested), unknown.by(tested))


def splits(ratings: Ratings, scheme: Scheme) -> Splits:
    """Users with too few ratings are left out. Raises RatingsRefused where too few users remain."""
    enough = np.diff(ratings.matrix.indptr) >= scheme.fewest
    kept = ratings.by(np.flatnonzero(enough))
    rng = np.random.default_rng(scheme.seed)
    parts = tuple(_parts(len(kept.users), scheme, rng))
    if not parts or not all(len(rows) for part in parts for rows in part):
        raise RatingsRefused(
            f"{len(kept.users)} of {len(ratings.users)} users have {scheme.fewest} ratings: "
            f"too few for {scheme.kind} with {scheme.given} given"
        )
    return Splits(kept, int(np.sum(~enough)), _known(kept, scheme.given, rng), parts)


def _parts(users: int, scheme: Scheme, rng: np.random.Generator) -> Iterator[tuple[Ints, Ints]]:
    everyone = np.arange(users)
    if scheme.kind == "cross-validation":
        folds = np.array_split(rng.permutation(users), scheme.folds)
        yield from ((np.setdiff1d(everyone, fold), np.sort(fold)) for fold in folds)
        return
    count = round(scheme.train * users)
    for _ in range(scheme.folds):
        drawn = np.sort(rng.choice(users, count, replace=scheme.kind == "bootstrap")) if users else everyone
        yield drawn, np.setdiff1d(everyone, drawn)


def _known(ratings: Ratings, given: int, rng: np.random.Generator) -> npt.NDArray[np.bool_]:
    """`given` of each user's ratings, drawn alike; all but so many where it is negative."""
    shuffled = np.lexsort((rng.random(len(ratings)), ratings.user_of))
    starts, counts = ratings.matrix.indptr[:-1], np.diff(ratings.matrix.indptr)
    place = np.empty(len(ratings), np.int64)
    place[shuffled] = np.arange(len(ratings)) - np.repeat(starts, counts)
    known = np.where(given > 0, given, counts + given)
    return np.asarray(place < np.repeat(known, counts))
