"""Turns similarities and logits into probabilities that mean what they say, fitted on held-out posts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy  # its parts are loaded at their first use: every start of the portal would pay for them
from scipy.special import expit, log_expit, logit, logsumexp

Doubles = npt.NDArray[np.float64]

# Cosines live in -1..1: outside these bounds the softmax is a step or flat, whatever the data say.
COLDEST, WARMEST = 0.002, 2.0
CERTAIN = 1e-7  # float32 cannot tell more of a probability from 0 or 1
# Posts with a known dress. With n of them the coverage that a threshold of .9 really has spreads by about
# .3 / sqrt(n) around it (Vovk 2012, arXiv:1209.2673): with 200 it is within 4 points of it in 19 of 20 cases.
ENOUGH = 200
ENOUGH_OF_A_KIND = 30  # with a dress and without, for the two numbers of "not a dress"
ROWS = 16  # posts at a time, of which all dresses are computed with in float64


@dataclass(frozen=True)
class Calibration:
    """P(dress) = softmax(similarity / temperature); P(not a dress) = sigmoid(slope * logit + offset)."""

    temperature: float = 0.05
    slope: float = 1.0
    offset: float = 0.0

    def not_a_dress(self, logits: npt.ArrayLike) -> npt.NDArray[np.float32]:
        """Logits (n,) -> probabilities (n,)."""
        probabilities: npt.NDArray[np.float32] = expit(
            self.slope * np.asarray(logits, np.float64) + self.offset
        ).astype(np.float32)
        return probabilities


def fit_temperature(
    similarities: npt.ArrayLike, truth: npt.ArrayLike, weights: npt.ArrayLike | None = None
) -> float:
    """The temperature at which the likeliest dress is right as often as it says: the least log loss of that.

    All dresses' log-likelihood would do for a softmax that is right in form. Ours is not: a few posts look
    like anything but their dress, and make the temperature too warm for all others (top-label calibration:
    Gupta and Ramdas 2022, arXiv:2107.08353).

    `similarities` (m, dresses), `truth` (m,) the column of the right dress, `weights` (m,) for how many posts
    each stands. Beside them it takes memory for a few posts only. Raises ValueError without posts.
    """
    cosines, columns = np.asarray(similarities), np.asarray(truth, np.int64)
    if not len(columns):
        raise ValueError("a temperature needs held-out posts whose dress is in the catalogue; there are none")
    right = cosines.argmax(axis=1) == columns
    stands_for = None if weights is None else np.asarray(weights, np.float64)

    def loss(log_temperature: float) -> float:
        inverse = np.exp(-log_temperature)
        parts = (cosines[start : start + ROWS].astype(np.float64) for start in range(0, len(cosines), ROWS))
        likeliest = np.concatenate(
            [-logsumexp((part - part.max(axis=1, keepdims=True)) * inverse, axis=1) for part in parts]
        )
        likeliest = np.minimum(likeliest, np.log1p(-CERTAIN))
        return float(
            -np.average(np.where(right, likeliest, np.log1p(-np.exp(likeliest))), weights=stands_for)
        )

    found = scipy.optimize.minimize_scalar(loss, bounds=(np.log(COLDEST), np.log(WARMEST)), method="bounded")
    return float(np.exp(found.x))


def fit_logit(logits: npt.ArrayLike, not_a_dress: npt.ArrayLike) -> tuple[float, float]:
    """Slope and offset of P(not a dress) = sigmoid(slope * logit + offset) by Platt scaling (Platt 1999).

    The targets are Platt's: with m of a kind, (m + 1) / (m + 2) instead of 1, so that separable data
    stay finite.
    """
    values, positive = np.asarray(logits, np.float64), np.asarray(not_a_dress, bool)
    positives = int(positive.sum())
    negatives = len(positive) - positives
    if not positives or not negatives:
        raise ValueError(
            f"calibration needs both kinds, got {positives} not-a-dress and {negatives} dress photos"
        )
    target = np.where(positive, (positives + 1) / (positives + 2), 1 / (negatives + 2))

    def loss(parameters: Doubles) -> float:
        z = parameters[0] * values + parameters[1]
        return float(-np.mean(target * log_expit(z) + (1 - target) * log_expit(-z)))

    slope, offset = scipy.optimize.minimize(loss, x0=np.array([1.0, 0.0]), method="L-BFGS-B").x
    return float(slope), float(offset)


def log_odds(probabilities: npt.ArrayLike) -> Doubles:
    """(n,) -> (n,): the logits that a checkpoint's calibrated probabilities came from, but for a line."""
    odds: Doubles = logit(np.clip(np.asarray(probabilities, np.float64), CERTAIN, 1 - CERTAIN))
    return odds
