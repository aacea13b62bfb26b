"""Better, or lucky: what an interval over the same posts must keep to."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.paired_bootstrap import compare

pairs = st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=60).map(
    lambda found: tuple(np.array(column) for column in zip(*found, strict=True))
)


@given(pairs)
def test_whoever_is_called_champion_the_difference_is_the_same(found: tuple[np.ndarray, np.ndarray]) -> None:
    champion, challenger = found
    there, back = compare(champion, challenger, 1), compare(challenger, champion, 1)
    assert there.difference == pytest.approx(-back.difference)
    assert there.low == pytest.approx(-back.high, abs=2 / len(champion))
    assert there.low - 1e-9 <= there.high + 1e-9
    assert -1 <= there.low <= there.high <= 1
    assert there.difference == pytest.approx(there.challenger - there.champion)
    assert not (there.better and there.worse)


@given(pairs, st.integers(0, 1000))
def test_the_order_of_posts_says_nothing(found: tuple[np.ndarray, np.ndarray], seed: int) -> None:
    order = np.random.default_rng(seed).permutation(len(found[0]))
    assert compare(*found, 7) == compare(*(right[order] for right in found), 7)


@given(st.lists(st.booleans(), min_size=1))
def test_nobody_is_better_than_themselves(right: list[bool]) -> None:
    found = compare(right, right, 1)
    assert (found.low, found.difference, found.high, found.better, found.worse) == (0, 0, 0, False, False)


def test_the_interval_is_that_of_posts_drawn_with_replacement() -> None:
    rng = np.random.default_rng(3)
    champion, challenger = rng.random(80) < 0.5, rng.random(80) < 0.7
    drawn = rng.integers(0, 80, (20_000, 80))
    gains = (challenger[drawn].mean(axis=1)) - champion[drawn].mean(axis=1)
    found = compare(champion, challenger, 1)
    assert [found.low, found.high] == pytest.approx(np.quantile(gains, (0.025, 0.975)), abs=0.015)


def test_equals_are_seldom_called_better_and_the_interval_holds_the_truth() -> None:
    rng = np.random.default_rng(1)
    found = [compare(rng.random(200) < 0.6, rng.random(200) < 0.6, seed, 1000) for seed in range(400)]
    assert np.mean([one.better for one in found]) < 0.05
    assert np.mean([one.low <= 0 <= one.high for one in found]) > 0.9


def test_what_is_much_better_is_found_so() -> None:
    champion = np.arange(100) < 40
    assert compare(champion, np.arange(100) < 60, 1).better
    assert compare(np.arange(100) < 60, champion, 1).worse


@pytest.mark.parametrize("other", [[], [True], [[True, False]]])
def test_other_posts_are_refused(other: list[bool]) -> None:
    with pytest.raises(ValueError, match="the same posts twice"):
        compare([True, False] if other else [], other, 1)
