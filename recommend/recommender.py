"""The contract of what recommends: fitted to ratings, it knows its users, and takes in new ones."""

from __future__ import annotations

import json
import os
from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, Self
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from recommend.ratings import Floats, Ints, Ratings, RatingsRefused, rows_of

MOST_IN_PAIRS = 20_000  # items: a number for each pair of them takes 5 GB while it is computed


@dataclass(frozen=True)
class Config:
    """Hyperparameters of a method; one without any has this."""


class Unlearnt(Exception):
    """Nothing came of what was to be learnt from; the message says why, and what helps."""


class ModelRefused(ValueError):
    """A file that holds no model, or not the one that was asked for."""


class Recommendation(NamedTuple):
    item: int
    score: float  # comparable within one user's list


class Reason(NamedTuple):
    """What a user rated, and how much of another item's score it accounts for."""

    item: int
    weight: float


class Recommender(ABC):
    """Users and items are rows and columns of the ratings that it was fitted to or that were folded in.

    A subclass says how it is fitted, what follows from ratings that it was not fitted to, and what it makes
    of users. What is fitted stands in `state`, arrays alone, so that saving needs no code of its own.
    """

    name: ClassVar[str]
    config_class: ClassVar[type[Config]] = Config
    predicts_ratings: ClassVar[bool] = False
    keeps_people: ClassVar[bool] = False  # in `state`: then it is for evaluations, and never served

    def __init__(self, config: Config | None = None) -> None:
        self.config: Any = config or self.config_class()
        self.known: Ratings  # of the users that it speaks of
        self.state: dict[str, npt.NDArray[Any]] = {}  # what was learnt of the items
        self.taste: dict[str, npt.NDArray[Any]] = {}  # what was learnt of the users, one row each

    # What a method is

    def fit(self, ratings: Ratings) -> Self:
        """Learn from ratings. Raises RatingsRefused where there is nothing to learn from."""
        if not len(ratings):
            raise RatingsRefused(f"{self.name} cannot be fitted: there are no ratings")
        self.known = ratings
        self.state = self.learn(ratings)
        self.taste = self.tastes(ratings)
        return self

    def fold_in(self, ratings: Ratings) -> Self:
        """The same model for other users, of the same items, who were not there when it was fitted."""
        if ratings.items != self.known.items:
            raise RatingsRefused("the items are not those that the model was fitted to")
        other = type(self)(self.config)
        other.known, other.state = ratings, self.state
        other.taste = other.tastes(ratings)
        return other

    @abstractmethod
    def learn(self, ratings: Ratings) -> dict[str, npt.NDArray[Any]]:
        """What `state` is to hold."""

    def tastes(self, ratings: Ratings) -> dict[str, npt.NDArray[Any]]:
        """What `taste` is to hold of these users; nothing where scores follow from ratings as they are."""
        return {}

    @abstractmethod
    def scores(self, users: Ints) -> Floats:
        """(len(users), items): the higher, the more it is recommended; -inf for what never is."""

    def predict(self, users: npt.ArrayLike, items: npt.ArrayLike) -> Floats:
        """(n,) the ratings that n pairs would get, on the ratings' scale; NaN where it cannot say."""
        return np.full(len(np.asarray(users)), np.nan, np.float32)

    # What follows from that

    def recommend(self, user: int, n: int, exclude_known: bool = True) -> list[Recommendation]:
        """The n best items, best first; ties go by the item's number. Fewer where there are no more."""
        rows = np.array([user])
        [best] = top(self.scores(rows), n, self.known.matrix[rows] if exclude_known else None)
        return best

    @abstractmethod
    def similar_items(self, item: int, n: int) -> list[Recommendation]:
        """The n items liked most alike, best first, itself left out; empty for what nobody has rated."""

    def explain(self, user: int, item: int) -> list[Reason]:
        """What of the user's ratings speaks for the item, most telling first; empty where nothing does."""
        return []

    def save(self, path: Path) -> None:
        """One file, whole or not at all: what was learnt, the ratings and the ids."""
        matrix = self.known.matrix
        arrays: dict[str, Any] = {
            "about": np.array(json.dumps({"method": self.name, "config": asdict(self.config)})),
            "users": np.array(self.known.users, np.str_),
            "items": np.array(self.known.items, np.str_),
            **{f"known.{part}": getattr(matrix, part) for part in ("data", "indices", "indptr")},
            **{f"state.{name}": value for name, value in self.state.items()},
            **{f"taste.{name}": value for name, value in self.taste.items()},
        }
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            with draft.open("wb") as file:
                np.savez(file, **arrays)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)

    @classmethod
    def load(cls, path: Path) -> Self:
        """What `save` wrote. Raises ModelRefused for a file that is broken or of another method."""
        try:
            # numpy leaves a file open that it opened itself and cannot read
            with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
                arrays = dict(file)
            about = json.loads(str(arrays["about"]))
            if about["method"] != cls.name:
                raise ModelRefused(f"{path}: a model of {about['method']}, not of {cls.name}")
            return cls._restored(arrays, about["config"])
        except (OSError, KeyError, ValueError, TypeError, BadZipFile) as error:
            if isinstance(error, ModelRefused):
                raise
            raise ModelRefused(f"{path}: not a model of {cls.name} ({error})") from error

    @classmethod
    def _restored(cls, arrays: dict[str, npt.NDArray[Any]], config: dict[str, Any]) -> Self:
        users, items = tuple(arrays["users"].tolist()), tuple(arrays["items"].tolist())
        parts = (arrays["known.data"], arrays["known.indices"], arrays["known.indptr"])
        model = cls(cls.config_class(**config))
        model.known = Ratings(csr_array(parts, shape=(len(users), len(items))), users, items)
        model.state, model.taste = those(arrays, "state."), those(arrays, "taste.")
        return model


def check_pairs(method: str, items: int) -> None:
    """Of a method that keeps a number for every pair of items. Raises RatingsRefused."""
    if items > MOST_IN_PAIRS:
        raise RatingsRefused(
            f"{method} keeps a number for every pair of items, of {MOST_IN_PAIRS:,} items at most, and there "
            f"are {items:,}. IALS and WARP make lists of more, RSVD_SPLIT predicts ratings of more"
        )


def those(arrays: dict[str, npt.NDArray[Any]], beginning: str) -> dict[str, npt.NDArray[Any]]:
    """The arrays whose names begin so, by what follows."""
    return {
        name.removeprefix(beginning): value for name, value in arrays.items() if name.startswith(beginning)
    }


def top(scores: Floats, n: int, known: csr_array | None = None) -> list[list[Recommendation]]:
    """The n best of each row of `scores` (users, items), those in `known` (users, items) left out."""
    left = scores.astype(np.float32, copy=True)
    if known is not None:
        left[rows_of(known), known.indices] = -np.inf
    order = np.argsort(-left, axis=1, kind="stable")[:, :n]
    return [
        [Recommendation(int(item), float(row[item])) for item in best if row[item] > -np.inf]
        for row, best in zip(left, order, strict=True)
    ]


def reasons(items: npt.NDArray[np.integer], weights: npt.NDArray[np.floating]) -> list[Reason]:
    """Those that speak for something, most telling first; ties go by the item's number."""
    found = [
        Reason(int(item), float(weight)) for item, weight in zip(items, weights, strict=True) if weight > 0
    ]
    return sorted(found, key=lambda reason: (-reason.weight, reason.item))
