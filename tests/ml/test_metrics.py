"""Figures against values worked out by hand or by the definition."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.catalogue_index import CatalogueIndex
from ml.metrics import auroc, average_precision, expected_calibration_error, recall_at

scored = st.lists(st.tuples(st.integers(0, 6), st.booleans()), min_size=2, max_size=40)


def test_recall_counts_the_truth_among_the_first_k() -> None:
    index = CatalogueIndex(np.eye(3, dtype=np.float32), [1, 2, 3])
    queries = np.array([[1, 0.5, 0], [0.5, 1, 0.2], [1, 0.5, 0.2]], np.float32)
    assert [recall_at(index, queries, [1, 1, 3], k) for k in (1, 2, 3)] == pytest.approx([1 / 3, 2 / 3, 1.0])


@given(scored)
def test_auroc_is_the_share_of_pairs_in_order(samples: list[tuple[int, bool]]) -> None:
    positive = [score for score, label in samples if label]
    negative = [score for score, label in samples if not label]
    pairs = [(p > n) + (p == n) / 2 for p in positive for n in negative]
    found = auroc(*zip(*samples, strict=True))
    assert math.isnan(found) if not pairs else found == pytest.approx(sum(pairs) / len(pairs))


@given(scored)
def test_average_precision_sums_precision_over_thresholds(samples: list[tuple[int, bool]]) -> None:
    scores, labels = (np.array(column) for column in zip(*samples, strict=True))
    total, recall_before = 0.0, 0.0
    for threshold in sorted(set(scores), reverse=True):
        chosen = scores >= threshold
        recall = labels[chosen].sum() / max(labels.sum(), 1)
        total += labels[chosen].mean() * (recall - recall_before)
        recall_before = recall
    found = average_precision(scores, labels)
    assert math.isnan(found) if not labels.any() else found == pytest.approx(total)


def test_calibration_error_is_the_gap_between_claimed_and_true() -> None:
    assert expected_calibration_error(np.full(10, 0.8), np.arange(10) < 6) == pytest.approx(0.2)
    assert expected_calibration_error([1.0, 1.0, 0.1, 0.1], [1, 1, 0, 0]) == pytest.approx(0.05)


def test_figures_without_samples_are_not_numbers() -> None:
    index = CatalogueIndex(np.eye(2, dtype=np.float32), [1, 2])
    assert math.isnan(recall_at(index, np.empty((0, 2)), [], 1))
    assert math.isnan(expected_calibration_error([], []))
