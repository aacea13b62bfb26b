"""Calibration finds the numbers that made the data."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, softmax

from ml.calibration import Calibration, fit_logit, fit_temperature
from ml.metrics import expected_calibration_error


@settings(max_examples=15, deadline=None)
@given(temperature=st.floats(0.02, 0.3), seed=st.integers(0, 99))
def test_a_known_temperature_is_recovered(temperature: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    similarities = rng.uniform(-0.2, 0.9, size=(3000, 12))
    chances = softmax(similarities / temperature, axis=1)
    truth = (chances.cumsum(axis=1) > rng.uniform(size=(3000, 1))).argmax(axis=1)
    assert fit_temperature(similarities, truth) == pytest.approx(temperature, rel=0.2)


def test_a_known_slope_and_offset_are_recovered_and_calibrated() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(scale=3, size=20_000)
    negative = rng.uniform(size=20_000) < expit(0.5 * logits - 1)
    slope, offset = fit_logit(logits, negative)
    assert (slope, offset) == pytest.approx((0.5, -1), abs=0.06)
    probabilities = Calibration(0.05, slope, offset).not_a_dress(logits)
    assert expected_calibration_error(probabilities, negative) < 0.02


def test_separable_logits_stay_finite() -> None:
    slope, offset = fit_logit([-3, -2, -1, 1, 2, 3], [False, False, False, True, True, True])
    assert 0 < slope < 100
    assert abs(offset) < 1


def test_one_kind_alone_cannot_be_calibrated() -> None:
    with pytest.raises(ValueError, match="3 not-a-dress and 0 dress"):
        fit_logit([1, 2, 3], [True, True, True])
    with pytest.raises(ValueError, match="held-out"):
        fit_temperature(np.empty((0, 4)), [])


def test_a_post_that_stands_for_three_is_as_three_posts() -> None:
    rng = np.random.default_rng(3)
    similarities, truth = rng.uniform(-0.2, 0.9, size=(200, 12)), rng.integers(12, size=200)
    weights = rng.integers(1, 4, 200)
    thrice = np.repeat(np.arange(200), weights)
    found = fit_temperature(similarities, truth, weights)
    assert found == pytest.approx(fit_temperature(similarities[thrice], truth[thrice]), rel=1e-4)
    confidence, right = rng.random(200), rng.random(200) < 0.5
    error = expected_calibration_error(confidence, right, weights=weights)
    assert error == pytest.approx(expected_calibration_error(confidence[thrice], right[thrice]))
