"""Lists of two methods that err differently, as one: EDLAE from pairs of items, WARP from factors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from recommend.ease import EDLAE, EDLAEConfig
from recommend.liking import UNTOLD
from recommend.pairwise import WARP, PairwiseConfig
from recommend.ratings import Floats, Ints, Ratings
from recommend.recommender import Config, Reason, Recommendation, Recommender, those


@dataclass(frozen=True)
class EnsembleConfig(Config):
    share: float = 0.5  # WARP's in the scores
    lambda_: float = EDLAEConfig.lambda_
    dropout: float = EDLAEConfig.dropout
    slack: float = EDLAEConfig.slack
    categories: int = PairwiseConfig.categories
    maxit: int = PairwiseConfig.maxit
    seed: int = 0
    good: float = UNTOLD  # the lowest rating that is a like

    def __post_init__(self) -> None:
        if not 0 <= self.share <= 1:
            raise ValueError(f"ENSEMBLE: share={self.share:g}: expected 0 to 1")


class Ensemble(Recommender):
    """The weighted sum of both methods' scores, each standardised over a user's items."""

    name = "ENSEMBLE"
    config_class = EnsembleConfig

    def _members(self) -> tuple[EDLAE, WARP]:
        c = self.config
        edlae = EDLAE(EDLAEConfig(c.lambda_, c.dropout, c.good, c.slack))
        warp = WARP(PairwiseConfig(categories=c.categories, maxit=c.maxit, seed=c.seed, good=c.good))
        return edlae, warp

    def _fitted(self) -> tuple[EDLAE, WARP]:
        """The members, with what was learnt of items and users."""
        members = self._members()
        for member in members:
            own = f"{member.name}."
            member.state, member.taste = those(self.state, own), those(self.taste, own)
            if hasattr(self, "known"):
                member.known = self.known
        return members

    def learn(self, ratings: Ratings) -> dict[str, npt.NDArray[Any]]:
        return _named({member.name: member.learn(ratings) for member in self._members()})

    def tastes(self, ratings: Ratings) -> dict[str, npt.NDArray[Any]]:
        return _named({member.name: member.tastes(ratings) for member in self._fitted()})

    def scores(self, users: Ints) -> Floats:
        edlae, warp = (standardised(member.scores(users)) for member in self._fitted())
        return np.asarray((1 - self.config.share) * edlae + self.config.share * warp, np.float32)

    def similar_items(self, item: int, n: int) -> list[Recommendation]:
        return self._fitted()[0].similar_items(item, n)

    def explain(self, user: int, item: int) -> list[Reason]:
        return self._fitted()[0].explain(user, item)


def standardised(scores: Floats) -> Floats:
    """Each row with mean 0 and deviation 1; zeros where all are the same."""
    apart = scores - scores.mean(axis=1, keepdims=True)
    deviation = apart.std(axis=1, keepdims=True)
    return np.asarray(apart / np.where(deviation > 0, deviation, 1), np.float32)


def _named(arrays: dict[str, dict[str, npt.NDArray[Any]]]) -> dict[str, npt.NDArray[Any]]:
    return {f"{member}.{name}": value for member, own in arrays.items() for name, value in own.items()}
