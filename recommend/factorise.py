"""Ratings as products of users' and items' factors: J(X, Theta) of `kernel.Objective`, at its minimum."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self, get_args

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.sparse import csr_array, vstack

from recommend.alike import by_cosine
from recommend.centring import damped_means
from recommend.kernel import Objective, Reals, Rows, ridges
from recommend.ratings import Floats, Ints, Ratings, RatingsRefused
from recommend.recommender import Config, Reason, Recommendation, Recommender, Unlearnt, reasons

Centring = Literal["none", "item", "biases"]
Scaling = Literal["none", "item"]
Solver = Literal["lbfgs", "als"]
Fold = Literal["ridge", "lbfgs"]
Precision = Literal["float32", "float64"]
Progress = Callable[[int, float], None]  # told the iteration, from 1, and the objective after it
Arrays = dict[str, npt.NDArray[Any]]

CORRECTIONS = (
    5  # that L-BFGS-B keeps: with 10 it takes 1.7 times as long and gets no further in 100 iterations
)


class FactorisationDiverged(Unlearnt):
    """The objective is no finite number any more; the message says since when, and what helps."""


@dataclass(frozen=True)
class Factors(Config):
    """The defaults make lists; ratings are predicted best with biases, 5 categories and a lambda of 6."""

    categories: int = 20  # factors of a user and of an item
    lambda_: float = 10.0
    maxit: int = 100  # iterations of L-BFGS-B, or sweeps of ALS
    tolerance: float = 1e-8  # of J, relative: less gained in an iteration, and it ends
    centring: Centring = "none"  # what is taken off first: each item's mean, or that and each user's
    damping: float = 5.0  # ratings at the mean that every mean is taken with
    scaling: Scaling = "none"  # or divided by the standard deviation of the item's ratings
    solver: Solver = "lbfgs"
    fold: Fold = "ridge"  # how X is solved for where Theta is kept
    dtype: Precision = "float32"
    threads: int = 0  # 0: as many as there are cores
    seed: int = 0
    warm_start: bool = False  # a second fit, or folding in, begins where the first one ended

    def __post_init__(self) -> None:
        kinds = {"centring": Centring, "scaling": Scaling, "solver": Solver, "fold": Fold, "dtype": Precision}
        for name, kind in kinds.items():
            if getattr(self, name) not in get_args(kind):
                allowed = ", ".join(get_args(kind))
                raise ValueError(f"{name}={getattr(self, name)!r}: it is one of {allowed}")
        for name, least in (
            ("categories", 1),
            ("maxit", 1),
            ("tolerance", 0),
            ("damping", 0),
            ("threads", 0),
        ):
            if not least <= getattr(self, name) < np.inf:
                raise ValueError(f"{name}={getattr(self, name)}: it is {least} at least")
        if not 0 < self.lambda_ < np.inf:
            raise ValueError(f"lambda={self.lambda_}: without a penalty, new users have no one solution")


class RSVDSplit(Recommender):
    """Theta is learnt once; X of new users follows from it by ridge regressions.

    X of the users it was fitted to is solved for the same way at the end, which is where J is least. So every
    score is a weighted sum of the user's ratings, and that is how it is explained.

    Ratings are predicted within the range of those that it was fitted to. Without centring, the factors of
    an item that nobody rated, and of a user who rated nothing, say 0: there the mean of all is predicted.
    """

    name: ClassVar[str] = "RSVD_SPLIT"
    config_class: ClassVar[type[Config]] = Factors
    predicts_ratings: ClassVar[bool] = True
    progress: Progress | None = None

    def learn(self, ratings: Ratings) -> Arrays:
        state = levels(ratings, self.config)
        rows = _rows(ratings, state, self.config)
        theta = self._begin(ratings)
        solve = als if self.config.solver == "als" else lbfgs
        return {**state, "theta": solve(rows, theta, self.config, self.progress)}

    def _begin(self, ratings: Ratings) -> Reals:
        """(items, k) drawn, but for what an earlier fit knows of."""
        shape = (len(ratings.items), self.config.categories)
        theta = np.random.default_rng(self.config.seed).random(shape)
        if self.config.warm_start and self.state:
            earlier = {item: row for row, item in enumerate(self.known.items)}
            both = [(row, earlier[item]) for row, item in enumerate(ratings.items) if item in earlier]
            now, then = np.array(both, np.int64).reshape(-1, 2).T
            theta[now] = self.state["theta"][then]
        return theta

    def tastes(self, ratings: Ratings) -> Arrays:
        rows = _rows(ratings, self.state, self.config)
        solve = _ridge_fold if self.config.fold == "ridge" else _lbfgs_fold
        biases = user_biases(ratings, self.state, self.config)
        return {"x": solve(rows, self.state["theta"], self.config), "user_bias": biases}

    def scores(self, users: Ints) -> Floats:
        scores = self.taste["x"][users] @ self.state["theta"].T * self.state["scale"]
        scores += self.state["item_bias"] + (self.state["mean"] + self.taste["user_bias"][users])[:, None]
        return np.asarray(scores, np.float32)

    def predict(self, users: npt.ArrayLike, items: npt.ArrayLike) -> Floats:
        rows, columns = np.asarray(users, np.int64), np.asarray(items, np.int64)
        state, x = self.state, self.taste["x"][rows]
        told = np.einsum("nk,nk->n", x, state["theta"][columns]) * state["scale"][columns]
        told += state["mean"] + state["item_bias"][columns] + self.taste["user_bias"][rows]
        if self.config.centring == "none":
            told[~(x.any(axis=1) & state["rated"][columns])] = state["usual"]
        return np.asarray(np.clip(told, *state["range"]), np.float32)

    def similar_items(self, item: int, n: int) -> list[Recommendation]:
        """By the cosine of their factors."""
        return by_cosine(self.state["theta"], item, n, self.state["rated"])

    def contributions(self, user: int, item: int) -> tuple[Ints, Floats]:
        """What the user rated, and what each rating adds to the item's score beyond the means.

        x = (Theta'Theta + lambda I)^-1 Theta'y over what was rated: a linear smoother. The score is the sum.
        """
        rows = _rows(self.known.by([user]), self.state, self.config)
        theta = self.state["theta"].astype(np.float64)
        rated = theta[rows.columns]
        inner = rated.T @ rated + self.config.lambda_ * np.eye(rated.shape[1])
        weights = rated @ np.linalg.solve(inner, theta[item]) * rows.values * self.state["scale"][item]
        return rows.columns.astype(np.int64), weights.astype(np.float32)

    def explain(self, user: int, item: int) -> list[Reason]:
        items, weights = self.contributions(user, item)
        return reasons(items[items != item], weights[items != item])


class RSVD(RSVDSplit):
    """Folding in fits everything anew to the old and the new ratings together; the old ones stay with it."""

    name: ClassVar[str] = "RSVD"
    keeps_people: ClassVar[bool] = True

    def learn(self, ratings: Ratings) -> Arrays:
        matrix = ratings.matrix
        old = {f"old_{part}": getattr(matrix, part) for part in ("data", "indices", "indptr")}
        return {**super().learn(ratings), **old}

    def fold_in(self, ratings: Ratings) -> Self:
        if ratings.items != self.known.items:
            raise RatingsRefused("the items are not those that the model was fitted to")
        old = {name: self.state[name] for name in ("old_data", "old_indices", "old_indptr")}
        matrix = csr_array(tuple(old.values()), shape=(len(old["old_indptr"]) - 1, len(ratings.items)))
        both = csr_array(vstack([matrix, ratings.matrix], format="csr"))
        users = tuple(map(str, range(both.shape[0])))  # an old one and a new one may have the same id
        other = type(self)(self.config)
        other.progress, other.known = self.progress, ratings
        other.state = {**self.learn(Ratings(both, users, ratings.items)), **old}
        other.taste = other.tastes(ratings)
        return other


# What is taken off the ratings before


def levels(ratings: Ratings, config: Factors) -> Arrays:
    """The mean, the items' deviation from it and their scale; the ratings' range; which items were rated."""
    columns, values = ratings.matrix.indices, ratings.matrix.data.astype(np.float64)
    items, usual = len(ratings.items), values.mean()
    values -= usual
    count, total = np.bincount(columns, minlength=items), np.bincount(columns, values, items)
    spread = np.bincount(columns, values**2, items) - total**2 / np.maximum(count, 1)
    variance = (spread + (values.var() or 1.0) * (config.damping + 1)) / (count + config.damping + 1)
    centred, scaled = config.centring != "none", config.scaling != "none"
    found = {
        "usual": usual,
        "mean": usual if centred else 0.0,
        "item_bias": damped_means(values, columns, items, config.damping) if centred else np.zeros(items),
        "scale": np.sqrt(variance) if scaled else np.ones(items),
        "range": usual + np.array([values.min(), values.max()]),
    }
    return {name: np.asarray(value, config.dtype) for name, value in found.items()} | {"rated": count > 0}


def user_biases(ratings: Ratings, state: Arrays, config: Factors) -> Reals:
    """(users,) how much more than the items' means each gives."""
    count = len(ratings.users)
    if config.centring != "biases":
        return np.zeros(count, config.dtype)
    off = ratings.matrix.data - state["mean"] - state["item_bias"][ratings.matrix.indices]
    return np.asarray(damped_means(off, ratings.user_of, count, config.damping), config.dtype)


def _rows(ratings: Ratings, state: Arrays, config: Factors) -> Rows:
    """What the factors are to account for."""
    columns, counts = ratings.matrix.indices, np.diff(ratings.matrix.indptr)
    values = ratings.matrix.data.astype(config.dtype)
    if config.centring != "none":
        values -= state["mean"] + state["item_bias"][columns]
        values -= np.repeat(user_biases(ratings, state, config), counts)
    if config.scaling != "none":
        values /= state["scale"][columns]
    return Rows.of(ratings.matrix, values)


# Solvers, from a Theta to begin with


def lbfgs(rows: Rows, theta: Reals, config: Factors, progress: Progress | None = None) -> Reals:
    """SciPy's L-BFGS-B over X and Theta unrolled."""
    objective = Objective(rows, config.categories, config.lambda_, config.threads)
    x = ridges(rows, theta, config.lambda_, config.threads)
    found = _minimised(objective, np.concatenate([x.ravel(), theta.ravel()]), config, progress)
    return objective.parts(found)[1].astype(rows.values.dtype)


def als(rows: Rows, theta: Reals, config: Factors, progress: Progress | None = None) -> Reals:
    """Each in turn, X and Theta, is set to where J is least while the other is kept."""
    objective = Objective(rows, config.categories, config.lambda_, config.threads)
    columns, before = rows.transposed(), np.inf
    for sweep in range(config.maxit):
        x = ridges(rows, theta, config.lambda_, config.threads)
        theta = ridges(columns, x, config.lambda_, config.threads)
        now, _ = objective(np.concatenate([x.ravel(), theta.ravel()], dtype=np.float64))
        _told(sweep + 1, now, progress)
        if before - now <= config.tolerance * now:
            break
        before = now
    return theta


def _ridge_fold(rows: Rows, theta: Reals, config: Factors) -> Reals:
    return ridges(rows, theta, config.lambda_, config.threads)


def _lbfgs_fold(rows: Rows, theta: Reals, config: Factors) -> Reals:
    objective = Objective(rows, config.categories, config.lambda_, config.threads)
    size = (len(rows.starts) - 1) * config.categories
    kept = theta.ravel().astype(np.float64)

    def of_x(x: Reals) -> tuple[float, Reals]:
        value, gradient = objective(np.concatenate([x, kept]))
        return value, gradient[:size]

    return _minimised(of_x, np.zeros(size), config).reshape(-1, config.categories).astype(rows.values.dtype)


def _minimised(
    objective: Callable[[Reals], tuple[float, Reals]],
    begin: Reals,
    config: Factors,
    progress: Progress | None = None,
) -> Reals:
    iteration = 0

    def told(intermediate_result: Any) -> None:  # SciPy goes by the name
        nonlocal iteration
        iteration += 1
        if progress:
            progress(iteration, float(intermediate_result.fun))

    def finite(unrolled: Reals) -> tuple[float, Reals]:
        value, gradient = objective(unrolled)
        _told(iteration, value, None)
        return value, gradient

    if not len(begin):
        return begin
    options = {"maxiter": config.maxit, "maxcor": CORRECTIONS, "ftol": config.tolerance, "gtol": 0.0}
    start = np.asarray(begin, np.float64)
    return np.asarray(minimize(finite, start, jac=True, method="L-BFGS-B", callback=told, options=options).x)


def _told(iteration: int, objective: float, progress: Progress | None) -> None:
    if not np.isfinite(objective):
        raise FactorisationDiverged(
            f"the objective is {objective} after {iteration} iterations: there is a rating that is no finite "
            "number, or they are too large for float32 (dtype=float64, or scaling=item)"
        )
    if progress:
        progress(iteration, objective)
