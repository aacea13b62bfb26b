"""Lists from what is liked together and from looks, so that what is new is found on its first day."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from recommend.alike import unit
from recommend.ease import EDLAE, EDLAEConfig
from recommend.liking import liked
from recommend.neighbours import blocks
from recommend.ratings import Floats, Ints, Ratings, RatingsRefused

RIDGES = (0.1, 1.0, 10.0, 100.0)
TRUSTS = (0.0, 2.0, 10.0, 50.0)
BOOSTS = (1.0, 1.5, 2.0, 3.0)
N = 10  # the length of the lists that the blend is fitted for
MOST_HELD_OUT = 5_000  # users, about: more tell nothing new of three numbers


@dataclass(frozen=True)
class HybridConfig(EDLAEConfig):
    held_out: float = 0.1  # the share of users whom the blend is fitted to, MOST_HELD_OUT at most
    cold: float = 0.2  # the share of items taken for new meanwhile
    seed: int = 0


@dataclass(frozen=True)
class Blend:
    ridge: float  # of items' vectors against each other
    trust: float  # likes that make an item count as much for itself as what it looks like does
    boost: float  # of what nobody has liked yet, against the shyness of a ridge


class Hybrid(EDLAE):
    """EDLAE's weights, in which each item stands for itself as far as it was liked, else for what is like it.

    With B the weights and H the ridge regression of items on their vectors, they are M B M' where
    M = diag(a) + diag(1 - a) H and a = likes / (likes + trust). Without vectors, it is EDLAE.
    """

    name = "HYBRID"
    config_class = HybridConfig

    def __init__(self, config: HybridConfig | None = None) -> None:
        super().__init__(config)
        self.content: Floats | None = None

    def with_content(self, vectors: npt.ArrayLike) -> Self:
        """(items, d) one of each item of the ratings that it is to be fitted to, in their order."""
        self.content = np.asarray(vectors, np.float32)
        return self

    def learn(self, ratings: Ratings) -> dict[str, npt.NDArray[Any]]:
        """Raises RatingsRefused for vectors that aren't of these items, or that aren't numbers."""
        if self.content is None:
            return super().learn(ratings)
        vectors = unit(_checked(self.content, ratings))
        blend = self._fitted(ratings, vectors)
        weights = blended(super().learn(ratings)["weights"], self._likes(ratings), vectors, blend)
        told = np.array([blend.ridge, blend.trust, blend.boost])
        return {"weights": weights, "content": vectors, "blend": told}

    def _likes(self, ratings: Ratings) -> Ints:
        """(items,) how many users like each."""
        likes = liked(ratings, self.config.good)
        return np.bincount(likes.indices, minlength=likes.shape[1]).astype(np.int64)

    def _fitted(self, ratings: Ratings, vectors: Floats) -> Blend:
        """The blend whose lists hit most of what users held out like, known and new items alike."""
        rng = np.random.default_rng(self.config.seed)
        held = rng.random(len(ratings.users)) < min(self.config.held_out, MOST_HELD_OUT / len(ratings.users))
        if not held.any() or held.all():
            held = np.arange(len(ratings.users)) == 0
        new = rng.random(len(ratings.items)) < self.config.cold
        shown = rng.random(len(ratings)) < 0.5  # of those held out, the half that they are known by
        of_held, of_new = held[ratings.user_of], new[ratings.matrix.indices]
        train, users = ratings.where(~of_held & ~of_new), np.flatnonzero(held)
        known = ratings.where(shown & ~of_new).by(users)
        sought = ratings.where(~shown | of_new).by(users)
        weights, likes, best = super().learn(train)["weights"], self._likes(train), (-1.0, Blend(1, 0, 1))
        for ridge, trust in product(RIDGES, TRUSTS):
            mixing, gains = Mixing.of(likes, vectors, ridge, trust), dict.fromkeys(BOOSTS, 0.0)
            for part in blocks(len(users), len(likes)):
                shown_of, sought_of = (of.by(np.arange(len(users))[part]) for of in (known, sought))
                scores = mixing.onto(mixing.over(self.signals(shown_of).toarray()) @ weights)
                for boost in BOOSTS:
                    boosted = scores * np.where(likes > 0, 1, np.float32(boost))
                    gains[boost] += self._hits(boosted, shown_of, sought_of)
            found = ((gain, Blend(ridge, trust, boost)) for boost, gain in gains.items())
            best = max(best, *found, key=lambda each: each[0])  # of equals the first
        return best[1]

    def _hits(self, scores: Floats, known: Ratings, sought: Ratings) -> float:
        """The discounted gain of lists of N; overwrites the scores."""
        scores[known.user_of, known.matrix.indices] = -np.inf
        few = np.argpartition(-scores, min(N, scores.shape[1]) - 1, axis=1)[:, :N]
        order = np.argsort(-np.take_along_axis(scores, few, axis=1), axis=1, kind="stable")
        lists = np.take_along_axis(few, order, axis=1)
        hits = np.take_along_axis(liked(sought, self.config.good).toarray(), lists, axis=1)
        return float((hits / np.log2(np.arange(2, hits.shape[1] + 2))).sum())


class Mixing(NamedTuple):
    """M, whose row for an item is itself as far as it was liked, else what is like it: never written out."""

    own: Floats  # (items,) a, as `Hybrid` has it
    vectors: Floats  # (items, d)
    regressed: Floats  # (d, items) so that H = vectors regressed

    @classmethod
    def of(cls, likes: Ints, vectors: Floats, ridge: float, trust: float) -> Mixing:
        seen = vectors * (likes > 0)[:, None]
        gram = seen.T @ seen + ridge * np.eye(vectors.shape[1], dtype=np.float32)
        own = (likes / np.maximum(likes + trust, 1)).astype(np.float32)
        return cls(own, vectors, np.asarray(np.linalg.solve(gram, seen.T), np.float32))

    def over(self, rows: Floats) -> Floats:
        """(n, items) rows M."""
        return np.asarray(rows * self.own + (rows * (1 - self.own) @ self.vectors) @ self.regressed)

    def onto(self, rows: Floats) -> Floats:
        """(n, items) rows M'."""
        return np.asarray(rows * self.own + (rows @ self.regressed.T) @ self.vectors.T * (1 - self.own))


def blended(weights: Floats, likes: Ints, vectors: Floats, blend: Blend) -> Floats:
    """(items, items) the weights as `Hybrid` says, in their place; of new items, the columns are boosted."""
    mixing = Mixing.of(likes, vectors, blend.ridge, blend.trust)
    for side, part in product((weights.T, weights), blocks(*weights.shape)):
        side[part] = mixing.onto(side[part])
    weights *= np.where(likes > 0, 1, np.float32(blend.boost))
    np.fill_diagonal(weights, 0)
    return weights


def _checked(vectors: Floats, ratings: Ratings) -> Floats:
    if vectors.ndim != 2 or len(vectors) != len(ratings.items):
        raise RatingsRefused(f"vectors of shape {vectors.shape} for {len(ratings.items)} items")
    wrong = np.flatnonzero(~np.isfinite(vectors).all(axis=1))
    if len(wrong):
        raise RatingsRefused(f"the vector of item {ratings.items[wrong[0]]!r} is not finite")
    return vectors
