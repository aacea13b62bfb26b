"""The order of looks: what is known counts, what is not known is tried, and a day's order holds."""

from datetime import date

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.look_order import play
from recommend.exploration import EDGE, LEAST, MOST, UNKNOWING, prior, quantiles, smoothed, thompson

DAY = date(2026, 6, 1)
COUNTS = st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 10_000)), min_size=1, max_size=30)


def counts(pairs: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    shown, clicked = zip(*pairs, strict=True)
    return np.array(shown, np.int64), np.array(clicked, np.int64)


@given(COUNTS)
def test_every_prior_is_a_distribution_of_bounded_weight(pairs: list[tuple[int, int]]) -> None:
    found = prior(*counts(pairs))
    assert min(found) > 0
    assert LEAST - 1e-9 <= sum(found) <= MOST + 1e-9


@given(COUNTS, st.floats(0, 1))
def test_rates_and_draws_lie_between_nothing_and_all(pairs: list[tuple[int, int]], quantile: float) -> None:
    shown, clicked = counts(pairs)
    common = prior(shown, clicked)
    for rates in (
        smoothed(shown, clicked, common),
        thompson(shown, clicked, common, np.full(len(shown), quantile)),
    ):
        assert ((rates >= 0) & (rates <= 1)).all()


@given(st.integers(0, 5_000), st.integers(0, 5_000), st.integers(0, 5_000))
def test_more_clicks_of_as_many_views_are_never_worse(shown: int, one: int, other: int) -> None:
    fewer, more = sorted((min(one, shown), min(other, shown)))
    low, high = smoothed(np.array([shown] * 2), np.array([fewer, more]), UNKNOWING)
    assert low <= high


@given(st.integers(1, 10_000), st.integers(0, 10_000))
def test_smoothing_leads_towards_what_looks_have_in_common(shown: int, clicked: int) -> None:
    [rate] = smoothed(np.array([shown]), np.array([min(clicked, shown)]), UNKNOWING)
    own = min(clicked, shown) / shown
    assert min(own, UNKNOWING.rate) - 1e-12 <= rate <= max(own, UNKNOWING.rate) + 1e-12


def test_the_more_is_known_the_nearer_a_draw_is_to_the_rate() -> None:
    shown = np.array([10, 100, 10_000])
    low, high = (thompson(shown, shown // 10, UNKNOWING, np.full(3, each)) for each in (0.05, 0.95))
    assert (np.diff(high - low) < 0).all()


def test_looks_that_are_alike_make_a_prior_that_weighs_and_others_one_that_does_not() -> None:
    shown = np.full(50, 1_000)
    alike, unlike = prior(shown, np.full(50, 100)), prior(shown, np.arange(50) * 10)
    assert sum(alike) == MOST
    assert sum(unlike) < 10
    assert abs(alike.rate - 0.1) < 1e-6
    assert prior(np.array([0, 0]), np.array([0, 0])) == UNKNOWING


@given(st.lists(st.integers(0, 2**63 - 1), unique=True, max_size=50))
def test_a_days_draw_belongs_to_the_look(keys: list[int]) -> None:
    drawn = quantiles(keys, DAY)
    assert ((drawn >= 0) & (drawn < 1)).all()
    assert (quantiles(keys[::-1], DAY)[::-1] == drawn).all()


def test_another_day_draws_anew_and_evenly() -> None:
    keys = list(range(4_000))
    one, other = quantiles(keys, DAY), quantiles(keys, date(2026, 6, 2))
    assert abs(np.corrcoef(one, other)[0, 1]) < 0.06
    assert np.abs(np.histogram(one, 10, (0, 1))[0] - 400).max() < 80
    assert np.clip(one, EDGE, 1 - EDGE).min() > 0


def test_it_brings_more_clicks_than_the_newest_first() -> None:
    """On simulated shoppers, of whom fewer look at each next place."""
    found = play(days=90, shops=12, seed=3)
    assert found["explore"] > 1.1 * found["newest"]
    assert found["explore"] < found["best"]
