"""How many options a post needs and a card shows."""

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit, softmax

from verify import option_sets
from verify.option_sets import Fit, Judged

CHECKPOINT = Fit(temperature=0.3)
shares = st.floats(0, 1)


def judged(seed: int, count: int = 600, dresses: int = 40) -> Judged:
    """Posts of a model whose temperature should be .1, and whose "not a dress" is too sure of itself."""
    rng = np.random.default_rng(seed)
    similarities = rng.uniform(-0.2, 0.9, (count, dresses))
    chances = softmax(similarities / 0.1, axis=1)
    truth = (chances.cumsum(axis=1) > rng.random((count, 1))).argmax(axis=1)
    odds = rng.normal(scale=3, size=count)
    negative = rng.random(count) < expit(0.5 * odds)
    truth[negative] = option_sets.NONE
    return Judged(similarities, truth, np.ones(count), expit(odds), np.empty(0))


@given(three=shares, fourth=shares, fifth=shares)
def test_a_further_option_is_shown_where_it_gains_three_points(
    three: float, fourth: float, fifth: float
) -> None:
    shown = option_sets.shown_options({3: three, 4: three + fourth, 5: three + fourth + fifth})
    assert shown in (3, 4, 5)
    assert (shown == 3) == (fourth < 0.03 - 1e-6) or abs(fourth - 0.03) < 1e-6
    assert shown < 5 or fifth >= 0.03 - 1e-6


@pytest.mark.parametrize(
    ("recall", "shown"),
    [((0.80, 0.82, 0.90), 3), ((0.80, 0.83, 0.85), 4), ((0.80, 0.84, 0.87), 5)],
)
def test_the_fourth_and_then_the_fifth(recall: tuple[float, float, float], shown: int) -> None:
    assert option_sets.shown_options(dict(zip((3, 4, 5), recall, strict=True))) == shown


@pytest.mark.parametrize(
    ("gain", "before", "shown"), [(0.029, 3, 3), (0.03, 3, 4), (0.02, 4, 4), (0.019, 4, 3), (0.025, 5, 4)]
)
def test_a_shown_option_is_taken_away_below_two_points(gain: float, before: int, shown: int) -> None:
    assert option_sets.shown_options({3: 0.8, 4: 0.8 + gain, 5: 0.81 + gain}, before) == shown


def test_what_is_fitted_on_some_posts_holds_for_others() -> None:
    fitted = option_sets.fit(judged(1), CHECKPOINT, 0.9)
    assert fitted.temperature == pytest.approx(0.1, rel=0.2)
    assert fitted.slope == pytest.approx(0.5, abs=0.15)
    others = judged(2, 4000)
    assert option_sets.calibration_error(others, CHECKPOINT) > 0.1
    assert option_sets.calibration_error(others, fitted) < 0.04
    found = option_sets.coverage(others, fitted)
    assert found
    assert found.low < 0.9 < found.high or found.share == pytest.approx(0.9, abs=0.04)
    assert option_sets.coverage(others, CHECKPOINT) is None  # nothing is promised before a fit


def test_posts_times_dresses_are_kept_few_times_over() -> None:
    tracemalloc.start()
    posts = judged(1, 400, 2500)
    posts = replace(posts, similarities=posts.similarities.astype(np.float32))
    tracemalloc.reset_peak()
    before = tracemalloc.get_traced_memory()[0]
    fitted = option_sets.fit(posts, CHECKPOINT, 0.9)
    option_sets.recall(posts)
    option_sets.calibration_error(posts, fitted)
    more = tracemalloc.get_traced_memory()[1] - before
    tracemalloc.stop()
    assert (
        more < 3.5 * posts.similarities.nbytes
    )  # a float64 alone is twice as much, and its softmax thrice that


def test_few_of_a_kind_leave_not_a_dress_as_the_checkpoint_has_it() -> None:
    posts = judged(1)
    fitted = option_sets.fit(posts.dressed, CHECKPOINT, 0.9)
    assert (fitted.slope, fitted.offset) == (1.0, 0.0)
    shown = [0.0, 1e-9, 0.2, 0.999, 1.0]
    assert fitted.not_a_dress(shown) == pytest.approx(shown, abs=1e-6)


def test_recall_and_coverage_count_whom_a_post_stands_for() -> None:
    similarities = np.array([[0.9, 0.1, 0.0, 0.0, 0.0, 0.0], [0.9, 0.8, 0.7, 0.6, 0.1, 0.0]])
    posts = Judged(similarities, np.array([0, 3]), np.array([1.0, 3.0]), np.zeros(2), np.empty(0))
    assert option_sets.recall(posts) == {1: 0.25, 2: 0.25, 3: 0.25, 4: 1.0, 5: 1.0}
    assert posts.effective == pytest.approx(1.6)
    found = option_sets.coverage(posts, Fit(0.1, threshold=0.5))
    assert found
    assert (found.count, found.share) == (2, 0.25)
    assert found.low < 0.25 < found.high
    assert Fit(0.1, threshold=0.01).set_sizes(Fit(0.1).dresses(similarities)) == [1, 4]
    assert Fit(0.1).set_sizes(similarities) == [None, None]
