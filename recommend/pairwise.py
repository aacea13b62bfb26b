"""Lists from pairs, an item that a user likes and one that they left alone: WARP and BPR.

WARP (Weston, Bengio & Usunier 2011) looks for an item left alone that is scored too high, and the sooner it
finds one the more it learns from it. BPR (Rendle et al. 2009) takes any. Both by stochastic gradients with
AdaGrad, on one thread, so that the same seed gives the same model. Items' factors stay when users are folded
in; theirs are then learnt as those of the users before, and of each user alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from recommend.alike import by_cosine
from recommend.kernel import compiled
from recommend.liking import UNTOLD, liked
from recommend.ratings import Floats, Ints, Ratings, rows_of
from recommend.recommender import Config, Recommendation, Recommender

MOST = 10.0  # that one pair weighs


@dataclass(frozen=True)
class PairwiseConfig(Config):
    categories: int = 30
    lambda_: float = 0.05
    maxit: int = 20  # passes over all likes
    passes: int = 10  # over a user's own, with the items' factors as they are: more would overfit them
    rate: float = 0.05
    tries: int = 10  # items left alone that are looked at for a pair
    seed: int = 0
    good: float = UNTOLD  # the lowest rating that is a like

    def __post_init__(self) -> None:
        if min(self.categories, self.maxit, self.passes, self.tries) < 1:
            raise ValueError("categories, maxit, passes and tries: expected 1 or more")
        if not self.lambda_ >= 0 or not self.rate > 0:
            raise ValueError("lambda: expected 0 or more; rate: expected more than 0")


class Pairwise(Recommender):
    config_class = PairwiseConfig
    ranks: ClassVar[bool]  # whether the rank of the item left alone counts

    def learn(self, ratings: Ratings) -> dict[str, npt.NDArray[Any]]:
        rng, k = np.random.default_rng(self.config.seed), self.config.categories
        x, theta = (_spread(rng, count, k) for count in ratings.matrix.shape)
        bias = np.zeros(len(theta), np.float32)
        self._climb(
            ratings, x, theta, bias, rng, self.config.maxit, (np.ones_like(theta), np.ones_like(bias))
        )
        rated = np.bincount(ratings.matrix.indices, minlength=len(theta)) > 0
        return {"theta": theta * rated[:, None], "bias": bias}

    def tastes(self, ratings: Ratings) -> dict[str, npt.NDArray[Any]]:
        theta, bias = self.state["theta"], self.state["bias"]
        x = np.zeros((len(ratings.users), theta.shape[1]), np.float32)
        for user in range(len(x)):  # each from the seed, so that nobody's list hangs on who came along
            rng = np.random.default_rng(self.config.seed)
            own = x[user : user + 1]
            self._climb(ratings.by([user]), own, theta, bias, rng, self.config.passes, None)
        return {"x": x}

    def _climb(
        self,
        ratings: Ratings,
        x: Floats,
        theta: Floats,
        bias: Floats,
        rng: np.random.Generator,
        passes: int,
        seen_items: tuple[Floats, Floats] | None,
    ) -> None:
        likes, c = liked(ratings, self.config.good), self.config
        users = rows_of(likes)
        told = users, likes.indices.astype(np.int64), likes.indptr.astype(np.int64)
        seen_x = np.ones_like(x)
        for _ in range(passes):
            order = rng.permutation(len(users))  # numba's is the same, and takes 8 s to compile
            climb(
                told, order, (x, theta, bias), seen_x, seen_items, rng, self.ranks, c.rate, c.lambda_, c.tries
            )

    def scores(self, users: Ints) -> Floats:
        return np.asarray(self.taste["x"][users] @ self.state["theta"].T + self.state["bias"], np.float32)

    def similar_items(self, item: int, n: int) -> list[Recommendation]:
        return by_cosine(self.state["theta"], item, n)


class WARP(Pairwise):
    name = "WARP"
    ranks = True


class BPR(Pairwise):
    name = "BPR"
    ranks = False


def _spread(rng: np.random.Generator, rows: int, columns: int) -> Floats:
    return np.asarray((rng.random((rows, columns)) - 0.5) / columns, np.float32)


@compiled
def left_alone(item: int, items: Ints, low: int, high: int) -> bool:
    at = low + np.searchsorted(items[low:high], item)
    return at == high or bool(items[at] != item)


@compiled
def opponent(
    x: Floats, theta: Floats, bias: Floats, own: float, liked: Any, rng: Any, ranks: bool, tries: int
) -> Any:
    """An item left alone, and how much the pair weighs; 0 for nothing to learn."""
    items, low, high = liked
    count = len(bias)
    for tried in range(1, tries + 1):
        other = int(rng.random() * count)
        if not left_alone(other, items, low, high):
            continue
        score = bias[other] + np.dot(x, theta[other])
        if not ranks:
            return other, 1 / (1 + np.exp(own - score))
        if score > own - 1:
            return other, min(MOST, np.log(max(1.0, (count - 1) // tried)))
    return 0, 0.0


@compiled
def step(values: Floats, seen: Floats, row: int, column: int, gradient: float, rate: float) -> None:
    values[row, column] -= rate * gradient / np.sqrt(seen[row, column])
    seen[row, column] += gradient**2


@compiled
def climb(
    told: tuple[Ints, Ints, Ints],
    order: Ints,
    factors: tuple[Floats, Floats, Floats],
    seen_x: Floats,
    seen_items: tuple[Floats, Floats] | None,
    rng: Any,
    ranks: bool,
    rate: float,
    lambda_: float,
    tries: int,
) -> None:
    """AdaGrad once over the likes; changes x and, where `seen_items` is told, theta and bias.

    Without, it is compiled without a line that writes to them, as off the shelf they are read-only.
    """
    users, items, starts = told
    x, theta, bias = factors
    for like in order:
        u, i = users[like], items[like]
        own = bias[i] + np.dot(x[u], theta[i])
        mine = (items, starts[u], starts[u + 1])
        j, weight = opponent(x[u], theta, bias, own, mine, rng, ranks, tries)
        if weight == 0:
            continue
        for f in range(x.shape[1]):
            was, up, down = x[u, f], theta[i, f], theta[j, f]
            step(x, seen_x, u, f, lambda_ * was - weight * (up - down), rate)
            if seen_items is not None:
                step(theta, seen_items[0], i, f, lambda_ * up - weight * was, rate)
                step(theta, seen_items[0], j, f, lambda_ * down + weight * was, rate)
        if seen_items is not None:
            seen_bias = seen_items[1]
            bias[i] += rate * weight / np.sqrt(seen_bias[i])
            bias[j] -= rate * weight / np.sqrt(seen_bias[j])
            seen_bias[i] += weight**2
            seen_bias[j] += weight**2
