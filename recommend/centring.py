"""What is taken off ratings before they are compared: how high and wide a user rates, how good an item is."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from recommend.ratings import Ratings

Centring = Literal["none", "user", "z-score", "biases"]
Arrays = dict[str, npt.NDArray[Any]]
Numbers = npt.NDArray[np.float64]

DAMPING = 5.0  # ratings at the mean that every bias is taken with: one rating says little


def damped_means(
    values: npt.NDArray[np.floating], groups: npt.NDArray[np.integer], count: int, damping: float = DAMPING
) -> Numbers:
    """(count,) the mean of each group's values and of `damping` zeros more; 0 of a group without any."""
    there = np.bincount(groups, minlength=count)
    return np.asarray(np.bincount(groups, values, count) / np.maximum(there + damping, 1))


def item_levels(ratings: Ratings, centring: Centring) -> Arrays:
    """The `mean` of all ratings, their `range`, and `item_level` (items,): how far an item's are above it."""
    values = ratings.matrix.data.astype(np.float64)
    mean, items = values.mean(), len(ratings.items)
    level, ends = np.zeros(items), [values.min(), values.max()]
    if centring == "biases":
        level = damped_means(values - mean, ratings.matrix.indices, items)
    found = {"mean": [mean], "range": ends, "item_level": level}
    return {name: np.array(value, np.float32) for name, value in found.items()}


def user_levels(ratings: Ratings, learnt: Arrays, centring: Centring) -> Arrays:
    """`user_level` and `spread` (users,), of any users. Who has rated nothing rates as all do.

    The spread is 1 but for z-scores: there the sample standard deviation, 1 for who rates all things alike.
    """
    count = np.diff(ratings.matrix.indptr)
    spread = np.ones(len(count), np.float32)
    if centring == "none":
        return {"user_level": np.zeros(len(count), np.float32), "spread": spread}
    above = ratings.matrix.data - (
        learnt["mean"].astype(np.float64) + learnt["item_level"][ratings.matrix.indices]
    )
    damping = DAMPING if centring == "biases" else 0
    level = damped_means(above, ratings.user_of, len(count), damping)
    if centring == "z-score":
        squares = np.bincount(ratings.user_of, (above - level[ratings.user_of]) ** 2, len(count))
        deviation = np.sqrt(squares / np.maximum(count - 1, 1))
        spread = np.where(deviation > 1e-6, deviation, 1).astype(np.float32)
    return {"user_level": (learnt["mean"] + level).astype(np.float32), "spread": spread}


def centred(ratings: Ratings, learnt: Arrays, users: Arrays) -> csr_array:
    """(users, items) what is left of each rating: exactly 0 of one that is as was to be expected."""
    given, rows = ratings.matrix, ratings.user_of
    left = given.data - users["user_level"][rows] - learnt["item_level"][given.indices]
    left[np.abs(left) < 1e-5 * np.abs(given.data)] = 0  # else rounding would be compared
    left = np.asarray(left / users["spread"][rows], np.float32)
    return csr_array((left, given.indices, given.indptr), shape=given.shape)


def learnt_centred(ratings: Ratings, centring: Centring) -> tuple[Arrays, csr_array]:
    """What is learnt of the items, and the ratings that it is learnt from, centred."""
    learnt = item_levels(ratings, centring)
    return learnt, centred(ratings, learnt, user_levels(ratings, learnt, centring))
