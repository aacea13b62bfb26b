"""Ratings as the nearest matrix of a low rank has them, what was not rated being imputed (SVD)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array
from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, svds

from recommend.alike import by_cosine
from recommend.centring import Arrays, Centring, centred, damped_means, learnt_centred, user_levels
from recommend.ratings import Floats, Ints, Ratings
from recommend.recommender import Config, Reason, Recommendation, Recommender, Unlearnt, reasons

Unrated = Literal["usual", "lowest"]
Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Truncation(Config):
    categories: int = 10  # the rank
    centring: Centring = "biases"
    maxit: int = 100  # restarts of the Lanczos iteration
    seed: int = 0
    unrated: Unrated = "usual"  # what is imputed for items that nobody rated; recommenderlab's is the lowest
    clipped: bool = True  # ratings predicted are within the range of those that it was fitted to

    def __post_init__(self) -> None:
        for name, kind in {"centring": Centring, "unrated": Unrated}.items():
            if getattr(self, name) not in get_args(kind):
                raise ValueError(f"{name}={getattr(self, name)!r}: it is one of {', '.join(get_args(kind))}")
        for name in ("categories", "maxit"):
            if not 1 <= getattr(self, name) < np.inf:
                raise ValueError(f"{name}={getattr(self, name)}: it is 1 at least")


class SVDUnfinished(Unlearnt):
    """The iteration found no vectors; the message says what helps."""


class SVD(Recommender):
    """Centred ratings, the others imputed by their item's mean, are projected on the items' singular vectors.

    The imputed matrix is a sparse one plus one row repeated, and is never written out. Centred by biases the
    items' means are off already. New users are projected alike: nothing is fitted anew.
    """

    name: ClassVar[str] = "SVD"
    config_class: ClassVar[type[Config]] = Truncation
    predicts_ratings: ClassVar[bool] = True

    def learn(self, ratings: Ratings) -> Arrays:
        learnt, left = learnt_centred(ratings, self.config.centring)
        items = left.shape[1]
        count, imputed = np.bincount(left.indices, minlength=items), np.zeros(items)
        if self.config.centring != "biases":
            imputed = damped_means(left.data, left.indices, items, 0)
        if self.config.unrated == "lowest":
            imputed[count == 0] = left.data.min()
        theta = _right_vectors(_less(left, imputed), imputed, self.config)
        return {
            **learnt,
            "rated": count > 0,
            "imputed": imputed.astype(np.float32),
            "theta": theta.astype(np.float32),
        }

    def tastes(self, ratings: Ratings) -> Arrays:
        """`x` (users, rank): the imputed rows on the vectors."""
        users = user_levels(ratings, self.state, self.config.centring)
        x = self._left(ratings, users) @ self.state["theta"] + self.state["imputed"] @ self.state["theta"]
        return {**users, "x": np.asarray(x, np.float32)}

    def _left(self, ratings: Ratings, users: Arrays) -> csr_array:
        """(users, items) what is rated other than would be imputed."""
        return _less(centred(ratings, self.state, users), self.state["imputed"])

    def scores(self, users: Ints) -> Floats:
        """The ratings predicted, as they were before they are brought into the ratings' range."""
        told = self.taste["x"][users] @ self.state["theta"].T * self.taste["spread"][users, None]
        told += self.taste["user_level"][users, None] + self.state["item_level"]
        told[:, ~self.state["rated"]] = -np.inf
        return np.asarray(told, np.float32)

    def predict(self, users: npt.ArrayLike, items: npt.ArrayLike) -> Floats:
        rows, columns = np.asarray(users, np.int64), np.asarray(items, np.int64)
        told = np.einsum("nk,nk->n", self.taste["x"][rows], self.state["theta"][columns])
        told *= self.taste["spread"][rows]
        told += self.taste["user_level"][rows] + self.state["item_level"][columns]
        return np.asarray(np.clip(told, *self.state["range"]) if self.config.clipped else told, np.float32)

    def similar_items(self, item: int, n: int) -> list[Recommendation]:
        """By the cosine of their vectors."""
        found = by_cosine(self.state["theta"], item, n, self.state["rated"])
        return [other for other in found if other.score > 0]

    def contributions(self, user: int, item: int) -> tuple[Ints, Floats]:
        """What the user rated, and by how much each lifts the item above what it would be without any."""
        levels = {name: self.taste[name][[user]] for name in ("user_level", "spread")}
        left = self._left(self.known.by([user]), levels)
        alike = self.state["theta"][left.indices] @ self.state["theta"][item]
        return left.indices.astype(np.int64), np.asarray(left.data * alike * levels["spread"], np.float32)

    def explain(self, user: int, item: int) -> list[Reason]:
        return reasons(*self.contributions(user, item))


def _less(matrix: csr_array, row: npt.NDArray[np.floating]) -> csr_array:
    """The entries that there are, less their column's in the row."""
    left = matrix.data - row[matrix.indices]
    return csr_array((left, matrix.indices, matrix.indptr), shape=matrix.shape)


def _right_vectors(left: csr_array, imputed: Doubles, config: Truncation) -> Doubles:
    """(items, rank) of `left` plus `imputed` in every row; the rank is never more than the matrix has."""
    smaller, rank = min(left.shape), min(config.categories, *left.shape)
    if not left.data.any() and not imputed.any():  # all as expected: ARPACK cannot begin
        return np.zeros((left.shape[1], rank))
    if smaller <= 2 * rank + 1:  # ARPACK has no room to iterate
        return np.asarray(np.linalg.svd(left.toarray() + imputed, full_matrices=False)[2][:rank].T)
    begin = np.random.default_rng(config.seed).standard_normal(smaller)
    try:
        found = svds(_imputed(left.astype(np.float64), imputed), rank, v0=begin, maxiter=config.maxit)
    except ArpackNoConvergence as error:
        raise SVDUnfinished(
            f"SVD: no {rank} singular vectors in {config.maxit} iterations; raise maxit, or lower categories"
        ) from error
    return np.asarray(found[2][::-1].T)


def _imputed(left: csr_array, row: Doubles) -> LinearOperator:
    """The sparse matrix plus the row added to each of its rows."""
    back = csr_array(left.T.tocsr())

    def times(x: Doubles) -> Doubles:
        return np.asarray(left @ x + row @ x)

    def transposed_times(y: Doubles) -> Doubles:
        return np.asarray(back @ y + np.multiply.outer(row, y.sum(0)))

    return LinearOperator(left.shape, matvec=times, rmatvec=transposed_times, dtype=np.float64)
