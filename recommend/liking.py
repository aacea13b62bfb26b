"""Which ratings say that an item is liked, and how much."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array

from recommend.ratings import LARGEST, Floats, Ratings

UNTOLD = -LARGEST  # of the threshold: whatever a user rated, they like


def liked(ratings: Ratings, good: float) -> csr_array:
    """(users, items) 1 where a rating is `good` or more."""
    return _weighed(ratings, (ratings.matrix.data >= good).astype(np.float32))


def liking(ratings: Ratings, good: float, slack: float) -> csr_array:
    """(users, items) 1 at `good`, more above it, less below and nothing at `slack` below; 2 at most."""
    if good == UNTOLD:
        return liked(ratings, good)
    return _weighed(ratings, np.clip(1 + (ratings.matrix.data - good) / slack, 0, 2).astype(np.float32))


def _weighed(ratings: Ratings, weights: Floats) -> csr_array:
    matrix = ratings.matrix
    parts = (weights, matrix.indices, matrix.indptr)
    found = csr_array(parts, shape=matrix.shape, copy=True)  # zeros are eliminated in place
    found.eliminate_zeros()
    return found
