"""Option sets keep what they promise, on posts that are drawn as those they were fitted on."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import softmax

from ml.conformal import covered, fit_threshold, measure, set_sizes

seeds = st.integers(0, 10_000)


def posts(seed: int, count: int, dresses: int = 30, signal: float = 2.0) -> tuple[npt.NDArray, npt.NDArray]:
    """A model that errs, and is surer of itself than it ought to be."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(dresses, size=count)
    logits = rng.normal(size=(count, dresses))
    logits[np.arange(count), truth] += rng.exponential(signal, size=count)
    return softmax(2 * logits, axis=1), truth


@settings(max_examples=25, deadline=None)
@given(seed=seeds, promised=st.sampled_from([0.7, 0.8, 0.9, 0.95]))
def test_the_promise_is_kept_and_hardly_more_is_shown(seed: int, promised: float) -> None:
    probabilities, truth = posts(seed, 4000)
    threshold = fit_threshold(probabilities[:2000], truth[:2000], promised)
    found = measure(probabilities[2000:], truth[2000:], threshold, promised)
    # Two halves of 2,000 posts, each with a binomial error; 4.5 of their standard deviations.
    assert found.coverage == pytest.approx(promised, abs=4.5 * np.sqrt(promised * (1 - promised) / 1000))


def test_over_many_small_samples_the_promise_holds_on_average() -> None:
    """19 posts: the 18th of 20 places is exactly the promise, whatever the model is worth."""
    kept = []
    for seed in range(3000):
        probabilities, truth = posts(seed, 20, dresses=12)
        threshold = fit_threshold(probabilities[:19], truth[:19], 0.9)
        kept.append(covered(probabilities[19:], truth[19:], threshold)[0])
    assert 0.9 - 4 * np.sqrt(0.09 / 3000) < np.mean(kept) < 0.9 + 4 * np.sqrt(0.09 / 3000)


@settings(max_examples=50, deadline=None)
@given(seed=seeds, count=st.integers(1, 60), dresses=st.integers(1, 20))
def test_a_larger_promise_never_shows_less(seed: int, count: int, dresses: int) -> None:
    probabilities, truth = posts(seed, count, dresses)
    thresholds = [fit_threshold(probabilities, truth, promised) for promised in (0.3, 0.6, 0.9, 0.99)]
    sizes = np.array([set_sizes(probabilities, threshold) for threshold in thresholds])
    held = np.array([covered(probabilities, truth, threshold) for threshold in thresholds])
    assert thresholds == sorted(thresholds, reverse=True)
    assert (np.diff(sizes, axis=0) >= 0).all()
    assert (np.diff(held.astype(int), axis=0) >= 0).all()


@settings(max_examples=50, deadline=None)
@given(seed=seeds, threshold=st.floats(0, 1), dresses=st.integers(1, 20))
def test_a_set_is_never_empty_and_covers_what_it_holds(seed: int, threshold: float, dresses: int) -> None:
    probabilities, truth = posts(seed, 30, dresses)
    sizes = set_sizes(probabilities, threshold)
    place = (probabilities > probabilities[np.arange(30), truth][:, None]).sum(axis=1)
    assert (sizes >= 1).all()
    assert (sizes <= dresses).all()
    assert (covered(probabilities, truth, threshold) == (place < sizes)).all()


def test_a_set_may_hold_the_whole_catalogue() -> None:
    even = np.full((5, 700), 1 / 700)
    assert set_sizes(even, 0.9).tolist() == [700] * 5
    assert set_sizes(np.eye(700)[:5], 0.0).tolist() == [700] * 5


def test_too_few_posts_for_the_promise_show_everything() -> None:
    probabilities, truth = posts(0, 8, dresses=5)
    assert fit_threshold(probabilities, truth, 0.9) == 0.0
    assert fit_threshold(*posts(0, 9, dresses=5), 0.9) > 0.0  # the 9th of 9: ceil(10 * .9)


def test_a_model_that_is_right_more_often_than_promised_shows_one_dress() -> None:
    probabilities = softmax(np.eye(20) * 2, axis=1)
    threshold = fit_threshold(probabilities, np.arange(20), 0.9)
    found = measure(probabilities, np.arange(20), threshold)
    assert (found.coverage, found.mean_size) == (1.0, 1.0)


def test_what_cannot_be_fitted_is_said() -> None:
    with pytest.raises(ValueError, match="there are none"):
        fit_threshold(np.empty((0, 4)), [])
    with pytest.raises(ValueError, match=r"promised coverage is 1\.0"):
        fit_threshold(*posts(0, 9), 1.0)
    with pytest.raises(ValueError, match=r"got \(9, 30\) and \(2,\)"):
        fit_threshold(posts(0, 9)[0], [1, 2])
    assert np.isnan(measure(np.empty((0, 4)), [], 0.5).coverage)


@settings(max_examples=25, deadline=None)
@given(seed=seeds, count=st.integers(1, 60), weight=st.floats(0.1, 10))
def test_posts_that_weigh_the_same_weigh_nothing(seed: int, count: int, weight: float) -> None:
    probabilities, truth = posts(seed, count)
    weights = np.full(count, weight)
    assert fit_threshold(probabilities, truth, 0.9, weights) == fit_threshold(probabilities, truth, 0.9)


def test_the_promise_holds_where_most_misses_are_hidden_and_the_rest_stand_for_them() -> None:
    probabilities, truth = posts(0, 40_000)
    missed = (probabilities > probabilities[np.arange(len(truth)), truth][:, None]).sum(axis=1) >= 3
    seen = ~missed | (np.random.default_rng(0).random(len(truth)) < 0.25)
    weights = np.where(missed, 4.0, 1.0)[seen]
    naive = fit_threshold(probabilities[seen], truth[seen], 0.9)
    threshold = fit_threshold(probabilities[seen], truth[seen], 0.9, weights)
    assert measure(probabilities, truth, naive).coverage < 0.85
    assert measure(probabilities, truth, threshold).coverage == pytest.approx(0.9, abs=0.01)
