"""Implicit ALS (Hu, Koren & Volinsky 2008), by the `implicit` library; its users are solved here.

A model that was fitted where the library is serves, and takes in new users, where it is not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array, csr_matrix
from threadpoolctl import threadpool_limits

from recommend.alike import by_cosine
from recommend.liking import UNTOLD, liked
from recommend.ratings import Floats, Ints, Ratings
from recommend.recommender import Config, Recommendation, Recommender, Unlearnt


class ImplicitMissing(Unlearnt):
    """The `implicit` library can't be imported."""


@dataclass(frozen=True)
class IALSConfig(Config):
    categories: int = 50
    lambda_: float = 50.0
    alpha: float = 10.0  # how many times more a like weighs than what was left alone
    maxit: int = 15
    seed: int = 0
    good: float = UNTOLD  # the lowest rating that is a like

    def __post_init__(self) -> None:
        if self.categories < 1 or self.maxit < 1:
            raise ValueError("IALS: categories and maxit: expected 1 or more")
        if not self.lambda_ > 0 or not self.alpha > 0:
            raise ValueError("IALS: lambda and alpha: expected more than 0")


class IALS(Recommender):
    name = "IALS"
    config_class = IALSConfig

    def learn(self, ratings: Ratings) -> dict[str, npt.NDArray[Any]]:
        """Raises ImplicitMissing."""
        with threadpool_limits(1, "blas"):  # the library has threads of its own, and warns of more
            model = _library()(
                factors=self.config.categories,
                regularization=self.config.lambda_,
                alpha=self.config.alpha,
                iterations=self.config.maxit,
                random_state=self.config.seed,
            )
            model.fit(csr_matrix(liked(ratings, self.config.good)), show_progress=False)
        return {"theta": np.asarray(model.item_factors, np.float32)}

    def tastes(self, ratings: Ratings) -> dict[str, npt.NDArray[Any]]:
        theta = self.state["theta"].astype(np.float64)
        gram = theta.T @ theta + self.config.lambda_ * np.eye(theta.shape[1])
        likes = liked(ratings, self.config.good)
        solved = [self._solved(gram, theta[_row(likes, user)]) for user in range(len(ratings.users))]
        return {"x": np.array(solved, np.float32).reshape(len(solved), theta.shape[1])}

    def _solved(self, gram: npt.NDArray[np.float64], theta: npt.NDArray[np.float64]) -> Any:
        """The ridge regression that the library takes a step of conjugate gradients towards."""
        hessian = gram + (self.config.alpha - 1) * theta.T @ theta
        return np.linalg.solve(hessian, self.config.alpha * theta.sum(axis=0))

    def scores(self, users: Ints) -> Floats:
        return np.asarray(self.taste["x"][users] @ self.state["theta"].T, np.float32)

    def similar_items(self, item: int, n: int) -> list[Recommendation]:
        return by_cosine(self.state["theta"], item, n)


def _row(matrix: csr_array, row: int) -> npt.NDArray[np.int32]:
    return np.asarray(matrix.indices[matrix.indptr[row] : matrix.indptr[row + 1]])


def _library() -> Any:
    try:
        from implicit.cpu.als import AlternatingLeastSquares
    except ImportError as error:
        raise ImplicitMissing("IALS takes the library implicit: pip install implicit") from error
    return AlternatingLeastSquares
