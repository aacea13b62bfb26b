"""Ratings as one Gaussian draw per user: what is known of it says what to expect of the rest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from recommend.alike import products
from recommend.centring import damped_means
from recommend.ratings import Floats, Ints, Ratings
from recommend.recommender import Config, Reason, Recommendation, Recommender, check_pairs, reasons

Numbers = npt.NDArray[np.float64]
ROUNDS = 3  # of means of items, then of users: they settle at once


@dataclass(frozen=True)
class GaussConfig(Config):
    """Variances are shares of the variance that is left within items."""

    shrinkage: float = 10.0  # ratings' worth of prior for each item
    noise: float = 0.7  # the variance of one rating alone
    spread: float = 0.25  # the variance of users' means

    def __post_init__(self) -> None:
        if not (self.shrinkage > 0 and self.noise > 0 and self.spread >= 0):
            raise ValueError("GAUSS: expected shrinkage and noise of more than 0, spread of 0 or more")


class Gauss(Recommender):
    """Kriging: the expectation of a user's ratings given those known.

    Their mean is that of the items; their covariance is what users share throughout (spread), plus the
    covariance of items once users' means are gone, shrunk by how often both are rated; plus noise.
    """

    name = "GAUSS"
    config_class = GaussConfig
    predicts_ratings = True

    def learn(self, ratings: Ratings) -> dict[str, npt.NDArray[Any]]:
        check_pairs(self.name, len(ratings.items))
        matrix, prior = ratings.matrix, self.config.shrinkage
        rows, columns = ratings.user_of, matrix.indices
        values = matrix.data.astype(np.float64)
        count = np.bincount(columns, minlength=len(ratings.items))
        mean, of_users = values.mean(), np.zeros(len(ratings.users))
        for _ in range(ROUNDS):
            bias = damped_means(values - mean - of_users[rows], columns, len(count))
            of_users = damped_means(values - mean - bias[columns], rows, len(of_users))
        within = values - mean - bias[columns]
        left = matrix.copy()
        left.data = (within - of_users[rows]) / np.sqrt(count[columns] + prior)
        variance = max(float(within.var()), 1e-12)
        covariance = np.empty((len(count), len(count)), np.float32)
        for items, product in products(left, left):
            covariance[:, items] = product + self.config.spread * variance
        return {
            "mean": (mean + bias).astype(np.float32),
            "covariance": covariance,
            "noise": np.array(self.config.noise * variance),
            "range": np.array([values.min(), values.max()], np.float32),
            "count": count,
        }

    def _weights(self, user: int) -> tuple[Ints, Numbers]:
        """The items rated, and how far each draws what covaries with it."""
        start, end = self.known.matrix.indptr[user : user + 2]
        rated = self.known.matrix.indices[start:end].astype(np.int64)
        off = self.known.matrix.data[start:end] - self.state["mean"][rated]
        covariance = self.state["covariance"][np.ix_(rated, rated)].astype(np.float64)
        return rated, np.linalg.solve(covariance + self.state["noise"] * np.eye(len(rated)), off)

    def _expected(self, user: int, items: Ints | slice = slice(None)) -> Floats:
        rated, weights = self._weights(user)
        drawn = weights @ self.state["covariance"][rated][:, items]
        return np.asarray(self.state["mean"][items] + drawn, np.float32)

    def scores(self, users: Ints) -> Floats:
        return np.array([self._expected(user) for user in users]).reshape(len(users), len(self.known.items))

    def predict(self, users: npt.ArrayLike, items: npt.ArrayLike) -> Floats:
        who, what = np.asarray(users, np.int64), np.asarray(items, np.int64)
        found = np.empty(len(who), np.float32)
        for user in np.unique(who):
            found[who == user] = self._expected(int(user), what[who == user])
        low, high = self.state["range"]
        return np.asarray(np.clip(found, low, high))

    def similar_items(self, item: int, n: int) -> list[Recommendation]:
        count, covariance = self.state["count"], self.state["covariance"][item]
        order = np.argsort(-np.where(count > 0, covariance, -np.inf), kind="stable")
        others = [int(other) for other in order if other != item and count[item] and count[other]]
        return [Recommendation(other, float(covariance[other])) for other in others[:n]]

    def explain(self, user: int, item: int) -> list[Reason]:
        rated, weights = self._weights(user)
        told = weights * self.state["covariance"][rated, item]
        return reasons(rated[rated != item], told[rated != item])
