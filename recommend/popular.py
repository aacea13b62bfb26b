"""What every recommender has to beat: chance, and what everybody likes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from recommend.ratings import LARGEST, Floats, Ints, Ratings
from recommend.recommender import Config, Recommendation, Recommender

By = Literal["mean", "count"]


@dataclass(frozen=True)
class RandomConfig(Config):
    seed: int = 0


class Random(Recommender):
    """Ratings drawn evenly between the lowest and the highest; the same for a pair whenever it is asked."""

    name = "RANDOM"
    config_class = RandomConfig
    predicts_ratings = True

    def learn(self, ratings: Ratings) -> dict[str, npt.NDArray[Any]]:
        return {"range": np.array([ratings.matrix.data.min(), ratings.matrix.data.max()], np.float32)}

    def scores(self, users: Ints) -> Floats:
        return self._drawn(np.asarray(users)[:, None], np.arange(len(self.known.items))[None])

    def predict(self, users: npt.ArrayLike, items: npt.ArrayLike) -> Floats:
        return self._drawn(np.asarray(users), np.asarray(items))

    def similar_items(self, item: int, n: int) -> list[Recommendation]:
        return []

    def _drawn(self, users: Ints, items: Ints) -> Floats:
        low, high = self.state["range"].astype(np.float64)
        return np.asarray(low + (high - low) * _noise(self.config.seed, users, items), np.float32)


def _noise(seed: int, users: Ints, items: Ints) -> npt.NDArray[np.float64]:
    """In [0, 1), of each pair its own: splitmix64 (Steele, Lea & Flood 2014, Fast Splittable PRNGs)."""
    word = np.uint64
    mixed = np.atleast_1d(users).astype(word) << word(32) | np.atleast_1d(items).astype(word)
    mixed = (mixed + np.array([seed + 1]).astype(word) * word(0x632BE59BD9B4E019)) * word(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> word(30))) * word(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> word(27))) * word(0x94D049BB133111EB)
    return np.asarray((mixed ^ (mixed >> word(31))) >> word(11), np.float64) / 2.0**53


@dataclass(frozen=True)
class PopularConfig(Config):
    by: By = "mean"  # recommenderlab's: by ratings less their user's mean; count: by how many there are
    good: float = -LARGEST  # by count, the lowest rating that is one

    def __post_init__(self) -> None:
        if self.by not in get_args(By):
            raise ValueError(f"POPULAR: by={self.by!r}: expected one of {', '.join(get_args(By))}")


class Popular(Recommender):
    """The same list for everybody, as recommenderlab's POPULAR makes it.

    By mean, it lists by the sum of the ratings centred on their users' means, and predicts the user's mean
    plus the item's mean of centred ratings; by count, it lists alone.
    """

    name = "POPULAR"
    config_class = PopularConfig
    predicts_ratings = True

    def learn(self, ratings: Ratings) -> dict[str, npt.NDArray[Any]]:
        items, columns = len(ratings.items), ratings.matrix.indices
        if self.config.by == "count":
            good = columns[ratings.matrix.data >= self.config.good]
            return {"liking": np.bincount(good, minlength=items).astype(np.float32)}
        centred = ratings.matrix.data - _means(ratings)[ratings.user_of]
        count, total = np.bincount(columns, minlength=items), np.bincount(columns, centred, items)
        with np.errstate(invalid="ignore"):
            mean = (total / count).astype(np.float32)  # NaN for what nobody has rated
        centre = np.array([ratings.matrix.data.mean(dtype=np.float64)], np.float32)
        return {"liking": total.astype(np.float32), "mean": mean, "centre": centre}

    def tastes(self, ratings: Ratings) -> dict[str, npt.NDArray[Any]]:
        if self.config.by == "count":
            return {}
        means = _means(ratings)
        return {"mean": np.where(np.isnan(means), self.state["centre"], means).astype(np.float32)}

    def scores(self, users: Ints) -> Floats:
        return np.tile(self.state["liking"], (len(np.asarray(users)), 1))

    def predict(self, users: npt.ArrayLike, items: npt.ArrayLike) -> Floats:
        if self.config.by == "count":
            return super().predict(users, items)
        return np.asarray(
            self.taste["mean"][np.asarray(users, np.int64)] + self.state["mean"][np.asarray(items, np.int64)]
        )

    def similar_items(self, item: int, n: int) -> list[Recommendation]:
        return []


def _means(ratings: Ratings) -> npt.NDArray[np.float64]:
    """Of each user's ratings; NaN where there are none."""
    count = np.diff(ratings.matrix.indptr)
    total = np.bincount(ratings.user_of, ratings.matrix.data, minlength=len(count))
    with np.errstate(invalid="ignore"):
        return np.asarray(total / count)
