"""Lists from a weight for every pair of items: EASE, and what comes of it when likes are left out."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt
from scipy.linalg import cho_factor
from scipy.linalg.lapack import dpotri
from scipy.sparse import csr_array

from recommend.alike import products
from recommend.liking import UNTOLD, liked, liking
from recommend.ratings import Floats, Ints, Ratings
from recommend.recommender import Config, Reason, Recommendation, Recommender, check_pairs, reasons

Weight = Literal["good", "all", "rating"]
Numbers = npt.NDArray[np.float64]


class PairWeights(Recommender):
    """A user's score of an item is the sum of what each item that they like says of it."""

    @abstractmethod
    def signals(self, ratings: Ratings) -> csr_array:
        """(users, items) how much each rating speaks for its item."""

    def scores(self, users: Ints) -> Floats:
        signals = self.signals(self.known.by(users))
        return np.asarray(signals @ self.state["weights"], np.float32)

    def similar_items(self, item: int, n: int) -> list[Recommendation]:
        weights = self.state["weights"][item]
        best = np.argsort(-weights, kind="stable")[:n]
        return [Recommendation(int(other), float(weights[other])) for other in best if weights[other] > 0]

    def explain(self, user: int, item: int) -> list[Reason]:
        signals = self.signals(self.known.by([user]))
        told = signals.data * self.state["weights"][signals.indices, item]
        return reasons(signals.indices, told)


@dataclass(frozen=True)
class EASEConfig(Config):
    lambda_: float = 1600.0
    weight: Weight = "good"  # what counts: likes alone, whatever was rated, or the ratings as they are
    good: float = UNTOLD  # the lowest rating that is a like

    def __post_init__(self) -> None:
        _above_zero("EASE", "lambda", self.lambda_)
        if self.weight not in get_args(Weight):
            raise ValueError(f"EASE: weight={self.weight!r}: expected one of {', '.join(get_args(Weight))}")


class EASE(PairWeights):
    """Steck 2019, Embarrassingly Shallow Autoencoders: ridge regression of each item on all others."""

    name = "EASE"
    config_class = EASEConfig

    def signals(self, ratings: Ratings) -> csr_array:
        if self.config.weight == "rating":
            return ratings.matrix
        return liked(ratings, self.config.good if self.config.weight == "good" else UNTOLD)

    def learn(self, ratings: Ratings) -> dict[str, npt.NDArray[Any]]:
        check_pairs(self.name, len(ratings.items))
        signals = self.signals(ratings)
        ridge = np.full(len(ratings.items), self.config.lambda_)
        return {"weights": regressed(signals, signals, ridge)}


@dataclass(frozen=True)
class EDLAEConfig(Config):
    lambda_: float = 400.0
    dropout: float = 0.85  # the share of a user's likes that the others are to be told from without
    good: float = UNTOLD  # the lowest rating that is a like
    slack: float = 2.0  # how far below a rating says nothing any more

    def __post_init__(self) -> None:
        _above_zero("EDLAE", "lambda", self.lambda_)
        _above_zero("EDLAE", "slack", self.slack)
        if not 0 <= self.dropout < 1:
            raise ValueError(f"EDLAE: dropout={self.dropout:g}: expected 0 <= dropout < 1")


class EDLAE(PairWeights):
    """EASE that knows it will see few of a user's likes, and that some are greater than others.

    Dropping likes at random before the regression is, on average over all the ways to do so, a ridge that
    grows with an item's popularity: Steck 2020, Autoencoders that don't overfit towards the Identity.
    """

    name = "EDLAE"
    config_class = EDLAEConfig

    def signals(self, ratings: Ratings) -> csr_array:
        return liking(ratings, self.config.good, self.config.slack)

    def learn(self, ratings: Ratings) -> dict[str, npt.NDArray[Any]]:
        check_pairs(self.name, len(ratings.items))
        signals = self.signals(ratings)
        odds = self.config.dropout / (1 - self.config.dropout)
        ridge = self.config.lambda_ + odds * np.asarray((signals * signals).sum(axis=0), np.float64)
        return {"weights": regressed(signals, liked(ratings, self.config.good), ridge)}


def regressed(signals: csr_array, targets: csr_array, ridge: Numbers) -> Floats:
    """(items, items) B that minimises ||targets - signals B||^2 + ridge ||B||^2 with a diagonal of zeros.

    Each column without its own item is a regression of its own; a Lagrange multiplier makes them one inverse.
    """
    inverse = _inverse(signals, ridge)
    found = np.empty(inverse.shape, np.float32)
    for columns, product in products(signals, targets):
        told, own = inverse @ product, inverse[:, columns]
        told -= own * (np.diag(told[columns]) / np.diag(own[columns]))
        found[:, columns] = told
    np.fill_diagonal(found, 0)
    return found


def _inverse(signals: csr_array, ridge: Numbers) -> Numbers:
    """(items, items) of signals' signals + ridge, in the place of one such matrix."""
    items = signals.shape[1]
    gram = np.empty((items, items), order="F")  # LAPACK's
    for columns, product in products(signals, signals):
        gram[:, columns] = product
    gram[np.diag_indices(items)] += ridge
    factor, _ = cho_factor(gram, lower=True, overwrite_a=True)
    inverse: Numbers = dpotri(factor, lower=True, overwrite_c=True)[0]
    for item in range(items):  # the other half
        inverse[item, item:] = inverse[item:, item]
    return inverse


def _above_zero(method: str, option: str, value: float) -> None:
    if not 0 < value < np.inf:
        raise ValueError(f"{method}: {option}={value:g}: expected more than 0")
