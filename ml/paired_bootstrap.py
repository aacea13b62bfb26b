"""Is one model better than another on the same photos, or was it luck?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

RESAMPLES = 10_000
INTERVAL = (0.025, 0.975)


@dataclass(frozen=True)
class Difference:
    """Shares right of champion and challenger, and the second less the first with its 95% interval."""

    posts: int
    champion: float
    challenger: float
    difference: float
    low: float
    high: float

    @property
    def better(self) -> bool:
        """Whether the challenger is, beyond noise."""
        return self.low > 0

    @property
    def worse(self) -> bool:
        return self.high < 0


def compare(
    champion: npt.ArrayLike, challenger: npt.ArrayLike, seed: int, resamples: int = RESAMPLES
) -> Difference:
    """Compare who was right (n,) on the same n posts, in the same order; n > 0.

    A percentile interval from posts drawn with replacement, each with both answers, so that what is hard for
    both cancels out (Efron & Tibshirani 1993, An Introduction to the Bootstrap, ch. 13). A post counts -1, 0
    or 1, so that a resample is one draw from a multinomial distribution. Raises ValueError.
    """
    first, second = np.asarray(champion, np.int64), np.asarray(challenger, np.int64)
    if first.shape != second.shape or first.ndim != 1 or not len(first):
        raise ValueError(f"expected the same posts twice, got {first.shape} and {second.shape}")
    posts, gains = len(first), second - first
    shares = np.array([np.mean(gains < 0), np.mean(gains == 0), np.mean(gains > 0)])
    drawn = np.random.default_rng(seed).multinomial(posts, shares / shares.sum(), resamples)
    low, high = np.quantile((drawn[:, 2] - drawn[:, 0]) / posts, INTERVAL)
    means = float(first.mean()), float(second.mean())
    return Difference(posts, *means, float(gains.mean()), float(low), float(high))
