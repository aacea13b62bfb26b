"""How many options a post needs, and how many a card shows: fitted on settled posts, checked on others.

A post's set is the smallest that holds its dress with the promised probability, and is known to admins alone.
A card shows as many options as any other of the same model: a number that differed from photo to photo would
tell voters how sure the model is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import expit, softmax

from ml import conformal
from ml.calibration import ENOUGH as ENOUGH
from ml.calibration import ENOUGH_OF_A_KIND, fit_logit, fit_temperature, log_odds
from ml.metrics import expected_calibration_error
from verify.scoring import wilson

Doubles = npt.NDArray[np.float64]
Floats = npt.NDArray[np.float32]
ROWS = 16  # posts at a time, of which all dresses are computed with in float64
LEAST_SHOWN, MOST_SHOWN = 3, 5
GAIN = 0.03  # of the posts at least have their dress in the next option, or it is not worth its place
KEPT_GAIN = 0.02  # or it loses it: cards that showed three, four and three again would make every post change
NONE = -1  # the column of a post without a dress


@dataclass(frozen=True)
class Fit:
    """What turns similarities and the checkpoint's probability of "not a dress" into ours, and into sets."""

    temperature: float
    slope: float = 1.0
    offset: float = 0.0
    threshold: float | None = None  # of a set; None as long as nothing is promised

    def not_a_dress(self, probabilities: npt.ArrayLike) -> list[float]:
        """The checkpoint's (n,) -> ours (n,)."""
        return list(expit(self.slope * log_odds(probabilities) + self.offset).tolist())

    def dresses(self, similarities: npt.ArrayLike) -> Floats:
        """Cosines (n, dresses) -> the probability of each, given that it is one of them."""
        cosines = np.asarray(similarities)
        found = np.empty(cosines.shape, np.float32)
        for start in range(0, len(cosines), ROWS):
            part = cosines[start : start + ROWS].astype(np.float64) / self.temperature
            found[start : start + ROWS] = softmax(part, axis=1)
        return found

    def set_sizes(self, dresses: npt.ArrayLike) -> Sequence[int | None]:
        """Of posts by their dresses' probabilities (n, dresses); None where nothing is promised."""
        rows = np.asarray(dresses)
        if self.threshold is None:
            return [None] * len(rows)
        return list(conformal.set_sizes(rows, self.threshold).tolist())


@dataclass(frozen=True)
class Judged:
    """Settled posts: n that show a dress of the catalogue or none, k that show another or who knows which."""

    similarities: npt.NDArray[np.floating[Any]]  # (n, dresses)
    truth: npt.NDArray[np.int64]  # (n,) columns, `NONE` where there is no dress
    weights: Doubles  # (n,) for how many posts each stands
    not_a_dress: Doubles  # (n,) the checkpoint's probabilities, as the next
    unknown: Doubles  # (k,)

    def __len__(self) -> int:
        """The number of posts whose dress is known."""
        return int((self.truth != NONE).sum())

    @property
    def dressed(self) -> "Judged":
        """Those n that show a dress, without the k; not kept, for it is large."""
        kept = self.truth != NONE
        columns = self.similarities[kept], self.truth[kept], self.weights[kept], self.not_a_dress[kept]
        return Judged(*columns, unknown=np.empty(0))

    @cached_property
    def effective(self) -> float:
        """As many posts of equal weight, with a known dress, would say as much (Kish 1965)."""
        weights = self.weights[self.truth != NONE]
        return float(weights.sum() ** 2 / (weights**2).sum()) if len(weights) else 0.0


@dataclass(frozen=True)
class Checked:
    """A share of posts with its 95% interval; ``count`` is how many posts it is of."""

    count: int
    share: float
    low: float
    high: float


def fit(judged: Judged, own: Fit, promised: float) -> Fit:
    """Raises ValueError without posts whose dress is known; few of a kind leave "not a dress" as ``own``."""
    dressed = judged.dressed
    temperature = fit_temperature(dressed.similarities, dressed.truth, dressed.weights)
    slope, offset = own.slope, own.offset
    without = np.append(judged.truth == NONE, np.zeros(len(judged.unknown), bool))
    if min(without.sum(), (~without).sum()) >= ENOUGH_OF_A_KIND:
        odds = log_odds(np.append(judged.not_a_dress, judged.unknown))
        slope, offset = fit_logit(odds, without)
    dresses = Fit(temperature).dresses(dressed.similarities)
    threshold = conformal.fit_threshold(dresses, dressed.truth, promised, dressed.weights)
    return Fit(temperature, slope, offset, threshold)


def shown_options(recall: Mapping[int, float], before: int = LEAST_SHOWN) -> int:
    """How many options a card shows, by the share of posts whose dress is among the first 3, 4 and 5.

    ``before`` is how many it has shown until now.
    """
    shown = LEAST_SHOWN
    while shown < MOST_SHOWN:
        needed = KEPT_GAIN if shown < before else GAIN
        if recall[shown + 1] - recall[shown] < needed - conformal.ROUNDING:
            break
        shown += 1
    return shown


def recall(judged: Judged) -> dict[int, float]:
    """The share of posts whose dress is among the first 1 to `MOST_SHOWN` options; 0 without posts."""
    posts = judged.dressed
    right = posts.similarities[np.arange(len(posts)), posts.truth]
    ahead = (posts.similarities > right[:, None]).sum(axis=1)
    total = posts.weights.sum() or 1.0
    return {k: float(posts.weights[ahead < k].sum() / total) for k in range(1, MOST_SHOWN + 1)}


def coverage(judged: Judged, fitted: Fit) -> Checked | None:
    """How many posts have their dress in their set; None without posts, or where nothing is promised."""
    posts = judged.dressed
    if not len(posts) or fitted.threshold is None:
        return None
    held = conformal.covered(fitted.dresses(posts.similarities), posts.truth, fitted.threshold)
    share = float(np.average(held, weights=posts.weights))
    return Checked(len(posts), share, *wilson(share * posts.effective, posts.effective))


def mean_size(judged: Judged, fitted: Fit) -> float:
    """Of the sets of posts that show a dress, some at least, by a fit that promises something."""
    posts = judged.dressed
    return float(
        np.average(np.array(fitted.set_sizes(fitted.dresses(posts.similarities))), weights=posts.weights)
    )


def calibration_error(judged: Judged, fitted: Fit) -> float:
    """Of the likeliest answer to each post, a dress or none."""
    none, dresses = np.array(fitted.not_a_dress(judged.not_a_dress)), fitted.dresses(judged.similarities)
    best = (1 - none) * dresses.max(axis=1)
    said = np.where(best > none, dresses.argmax(axis=1), NONE)
    return expected_calibration_error(np.maximum(best, none), said == judged.truth, weights=judged.weights)
