"""In which order looks are shown, by what came of showing them: few clicks of few views prove nothing.

Pure. A look's click-through rate has a Beta distribution: the prior that all looks share, and its own views
and clicks. Ordered by a draw from each (Thompson sampling), what may be good is tried, and what is known to
be bad is not (Thompson 1933; Chapelle and Li 2011). The draw is a quantile that belongs to the look and the
day, so that an order holds for a day, and only what has been learnt since changes it.
"""

import hashlib
from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import betaincinv

Counts = npt.NDArray[np.int64]
Rates = npt.NDArray[np.float64]

LEAST, MOST = 2.0, 200.0  # views that a prior may weigh as much as
EDGE = 1e-6  # of quantiles


class Prior(NamedTuple):
    """Of a Beta distribution: as if so many views had led to a click, and so many had not."""

    clicked: float
    not_clicked: float

    @property
    def rate(self) -> float:
        return self.clicked / (self.clicked + self.not_clicked)


UNKNOWING = Prior(0.1, 1.9)  # one in twenty, known as if from two views


def prior(shown: Counts, clicked: Counts) -> Prior:
    """What looks have in common, by the moments of their rates (empirical Bayes, Casella 1985).

    The more alike the rates are, beyond what chance makes of so few views, the more it weighs.
    """
    seen = shown > 0
    if seen.sum() < 2 or not clicked[seen].sum():
        return UNKNOWING
    views, rates = shown[seen].astype(float), _capped(shown, clicked)[seen] / shown[seen]
    mean = float(np.average(rates, weights=views))
    mean = min(max(mean, 1e-4), 1 - 1e-4)
    chance = mean * (1 - mean) * len(views) / views.sum()
    spread = float(np.average((rates - mean) ** 2, weights=views)) - chance
    weight = mean * (1 - mean) / spread - 1 if spread > 0 else MOST
    weight = min(max(weight, LEAST), MOST)
    return Prior(mean * weight, (1 - mean) * weight)


def smoothed(shown: Counts, clicked: Counts, common: Prior) -> Rates:
    """The mean of what each rate may be."""
    return (_capped(shown, clicked) + common.clicked) / (shown + common.clicked + common.not_clicked)


def thompson(shown: Counts, clicked: Counts, common: Prior, quantiles: Rates) -> Rates:
    """A draw of what each rate may be, at its quantile, 0 to 1."""
    known = _capped(shown, clicked)
    inside = np.clip(quantiles, EDGE, 1 - EDGE)
    drawn: Rates = betaincinv(known + common.clicked, shown - known + common.not_clicked, inside)
    return drawn


def quantiles(keys: Sequence[int], day: date) -> Rates:
    """Evenly spread over 0 to 1, other for each key and day, and the same for both again."""
    digests = (hashlib.sha256(f"{day.isoformat()} {key}".encode()).digest()[:8] for key in keys)
    return np.array([int.from_bytes(digest) / 2**64 for digest in digests], np.float64)


def _capped(shown: Counts, clicked: Counts) -> Counts:
    """Clicks of whoever came by a link, without a view of the page, are no more than the views."""
    return np.minimum(clicked, shown)
