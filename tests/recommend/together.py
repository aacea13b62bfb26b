"""A method small enough to check by hand: what is liked together is recommended together."""

from typing import Any

import numpy as np
import numpy.typing as npt

from recommend.ratings import Floats, Ints, Ratings
from recommend.recommender import Reason, Recommendation, Recommender


class Together(Recommender):
    """An item's score is how many people had to do both with it and with each of the user's items."""

    name = "TOGETHER"

    def learn(self, ratings: Ratings) -> dict[str, npt.NDArray[Any]]:
        did = (ratings.matrix.toarray() > 0).astype(np.float32)
        together = did.T @ did
        np.fill_diagonal(together, 0)
        return {"together": together}

    def scores(self, users: Ints) -> Floats:
        return np.asarray((self.known.matrix[users] > 0).astype(np.float32) @ self.state["together"])

    def similar_items(self, item: int, n: int) -> list[Recommendation]:
        row = self.state["together"][item]
        best = np.argsort(-row, kind="stable")[:n]
        return [Recommendation(int(other), float(row[other])) for other in best if row[other] > 0]

    def explain(self, user: int, item: int) -> list[Reason]:
        own = self.known.matrix[[user]].indices.tolist()
        told = [Reason(other, float(self.state["together"][other, item])) for other in own]
        return sorted(told, key=lambda reason: -reason.weight)


class Backwards(Together):
    """Recommends what nobody likes together."""

    name = "BACKWARDS"

    def scores(self, users: Ints) -> Floats:
        return -super().scores(users)
