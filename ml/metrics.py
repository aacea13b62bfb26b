"""Figures that say how good the model is, in plain numpy."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import scipy  # its parts are loaded at their first use: every start of the portal would pay for them

from ml.catalogue_index import CatalogueIndex


def recall_at(index: CatalogueIndex, vectors: npt.ArrayLike, truth: npt.ArrayLike, k: int) -> float:
    """Share of queries (m, d) whose dress `truth` (m,) is among the k nearest; nan without queries."""
    answers = np.asarray(truth, np.int64).reshape(-1, 1)
    if not len(answers):
        return float("nan")
    return float((index.nearest(vectors, k).dress_ids == answers).any(axis=1).mean())


def auroc(scores: npt.ArrayLike, positive: npt.ArrayLike) -> float:
    """Probability that a positive scores above a negative, ties counting half; nan when either is missing
    or a score is no number."""
    values, is_positive = np.asarray(scores, np.float64), np.asarray(positive, bool)
    positives = int(is_positive.sum())
    negatives = len(is_positive) - positives
    if not positives or not negatives:
        return float("nan")
    above = scipy.stats.rankdata(values)[is_positive].sum() - positives * (positives + 1) / 2
    return float(above / (positives * negatives))


def average_precision(scores: npt.ArrayLike, positive: npt.ArrayLike) -> float:
    """Area under precision over recall in steps, tied scores together; nan without positives."""
    values, is_positive = np.asarray(scores, np.float64), np.asarray(positive, bool)
    if not is_positive.any():
        return float("nan")
    order = np.argsort(-values, kind="stable")
    last_of_tie = np.append(np.diff(values[order]) != 0, True)
    found = np.cumsum(is_positive[order])[last_of_tie]
    precision = found / (np.flatnonzero(last_of_tie) + 1)
    return float(np.sum(precision * np.diff(found, prepend=0)) / is_positive.sum())


def expected_calibration_error(
    confidence: npt.ArrayLike,
    correct: npt.ArrayLike,
    bins: int = 15,
    weights: npt.ArrayLike | None = None,
) -> float:
    """Mean gap between confidence and share correct over bins of equal width, weighted by their counts
    (Guo et al. 2017, arXiv:1706.04599); with `weights` a sample stands for so many. nan without samples."""
    claimed, right = np.asarray(confidence, np.float64), np.asarray(correct, np.float64)
    if not len(claimed):
        return float("nan")
    bucket = np.clip((claimed * bins).astype(int), 0, bins - 1)
    stands_for = np.ones(len(claimed)) if weights is None else np.asarray(weights, np.float64)
    gaps = np.bincount(bucket, stands_for * (claimed - right), minlength=bins)
    return float(np.abs(gaps).sum() / stands_for.sum())
