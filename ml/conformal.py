"""How many options a post needs: split-conformal sets of dresses that keep a promised coverage.

The set of a post is every dress at least as probable as one threshold, and always the likeliest. Of all rules
with the same coverage this one shows the fewest dresses on average (Sadinle, Lei and Wasserman 2019,
arXiv:1609.00451); adding up probabilities until they reach .9 (APS) gives larger ones. Nothing is random: a
post has the same options whenever it is looked at.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Doubles = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
PROMISED = 0.9
# (n + 1) * promised is a whole number on paper more often than in binary.
ROUNDING = 1e-9


@dataclass(frozen=True)
class Coverage:
    """What a threshold does on posts that it was not fitted on."""

    promised: float
    threshold: float
    coverage: float  # share of posts whose true dress is in their set
    mean_size: float


def fit_threshold(
    probabilities: npt.ArrayLike,
    truth: npt.ArrayLike,
    promised: float = PROMISED,
    weights: npt.ArrayLike | None = None,
) -> float:
    """The highest threshold whose sets hold the true dress of a further post with probability `promised`.

    `probabilities` (n, dresses), each row a distribution over the catalogue, of held-out posts whose dress is
    in it; `truth` (n,) the column of that dress. The threshold is the ceil((n + 1) promised)-th highest
    probability at which a true dress enters its set; where n is too small for the promise it is 0, and a set
    is the whole catalogue. With `weights` (n,) a post stands for so many like it, and the further one weighs
    as much as the heaviest (Tibshirani et al. 2019, arXiv:1904.06019). Raises ValueError for a promise
    outside 0..1 and without posts.
    """
    if not 0 < promised < 1:
        raise ValueError(f"the promised coverage is {promised}; expected a number between 0 and 1")
    enters = _enters(*_checked(probabilities, truth))
    if not len(enters):
        raise ValueError("option sets need held-out posts whose dress is in the catalogue; there are none")
    stands_for = np.ones(len(enters)) if weights is None else np.asarray(weights, np.float64)
    order = np.argsort(-enters, kind="stable")
    held = np.cumsum(stands_for[order])
    rank = int(np.searchsorted(held, (held[-1] + stands_for.max()) * promised - ROUNDING))
    return float(enters[order[rank]]) if rank < len(enters) else 0.0


def set_sizes(probabilities: npt.ArrayLike, threshold: float) -> Ints:
    """How many dresses each post's set holds: (n, dresses) -> (n,), from 1 to all of them."""
    rows = np.asarray(probabilities)
    sizes: Ints = (rows >= np.minimum(threshold, rows.max(axis=1, keepdims=True))).sum(axis=1)
    return sizes


def covered(probabilities: npt.ArrayLike, truth: npt.ArrayLike, threshold: float) -> npt.NDArray[np.bool_]:
    """Whether each post's set holds its true dress: (n,)."""
    held: npt.NDArray[np.bool_] = _enters(*_checked(probabilities, truth)) >= threshold
    return held


def measure(
    probabilities: npt.ArrayLike, truth: npt.ArrayLike, threshold: float, promised: float = PROMISED
) -> Coverage:
    """Coverage and mean size on posts (n, dresses); nan without posts."""
    if not len(np.asarray(truth)):
        return Coverage(promised, threshold, math.nan, math.nan)
    return Coverage(
        promised,
        threshold,
        float(covered(probabilities, truth, threshold).mean()),
        float(set_sizes(probabilities, threshold).mean()),
    )


def _enters(probabilities: Doubles, truth: Ints) -> Doubles:
    """The highest threshold at which each true dress is in its post's set; 1 for the likeliest: always."""
    right = probabilities[np.arange(len(truth)), truth]
    return np.where(right == probabilities.max(axis=1, initial=0), 1.0, right)


def _checked(probabilities: npt.ArrayLike, truth: npt.ArrayLike) -> tuple[Doubles, Ints]:
    rows, columns = np.asarray(probabilities), np.asarray(truth, np.int64)
    if rows.ndim != 2 or columns.shape != rows.shape[:1]:
        raise ValueError(
            f"expected probabilities (n, dresses) and truth (n,), got {rows.shape} and {columns.shape}"
        )
    return rows, columns
