"""Figures of likeness: of equal sets, of sets apart, and against what the definitions say."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import sqrtm

from ml import gan_metrics
from ml.gan_metrics import Features, frechet_distance, kernel_distance, manifold, nearest

seeds = st.integers(0, 2**32 - 1)


def rows(seed: int, count: int = 40, dimensions: int = 5) -> Features:
    return np.random.default_rng(seed).normal(size=(count, dimensions))


@settings(max_examples=30, deadline=None)
@given(seeds, seeds)
def test_the_frechet_distance_is_what_its_definition_says(first: int, second: int) -> None:
    a, b = rows(first), rows(second) * 1.7 + 0.4
    covariances = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    expected = ((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(
        covariances[0] + covariances[1] - 2 * np.real(sqrtm(covariances[0] @ covariances[1]))
    )
    assert frechet_distance(a, b) == pytest.approx(expected, rel=1e-6)
    assert frechet_distance(b, a) == pytest.approx(expected, rel=1e-6)


@settings(max_examples=30, deadline=None)
@given(seeds, st.integers(1, 8))
def test_a_set_is_no_distance_from_itself_also_with_fewer_rows_than_dimensions(seed: int, count: int) -> None:
    a = rows(seed, count + 1, 12)
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-6)
    assert frechet_distance(a, a + 3) == pytest.approx(12 * 9, rel=1e-6)


@settings(max_examples=20, deadline=None)
@given(seeds)
def test_the_kernel_distance_is_what_its_definition_says(seed: int) -> None:
    a, b = rows(seed, 6), rows(seed + 1, 7) + 1

    def k(x: Features, y: Features) -> float:
        return float((x @ y / 5 + 1) ** 3)

    among = [
        np.mean([k(x, y) for i, x in enumerate(of) for j, y in enumerate(of) if i != j]) for of in (a, b)
    ]
    expected = sum(among) - 2 * np.mean([k(x, y) for x in a for y in b])
    assert kernel_distance(a, b) == pytest.approx(expected, rel=1e-9)


def test_the_kernel_distance_holds_some_rows_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = rows(0, 1000), rows(1, 900) + 1

    def plain(x: Features, y: Features) -> Features:
        return (x @ y.T / 5 + 1) ** 3

    among = sum((plain(of, of).sum() - np.trace(plain(of, of))) / (len(of) * (len(of) - 1)) for of in (a, b))
    expected = among - 2 * plain(a, b).mean()
    monkeypatch.setattr(gan_metrics, "BLOCK", 64)
    tracemalloc.start()
    found = kernel_distance(a, b)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found == pytest.approx(expected, rel=1e-9)
    assert most < a.itemsize * len(a) ** 2 / 2


def test_the_kernel_distance_of_halves_of_one_set_is_around_nothing() -> None:
    found = [kernel_distance(rows(seed), rows(seed + 500)) for seed in range(200)]
    assert abs(np.mean(found)) < 3 * np.std(found) / np.sqrt(len(found))
    assert kernel_distance(rows(1), rows(2) + 1) > max(found)


@settings(max_examples=20, deadline=None)
@given(seeds, st.integers(1, 5))
def test_all_of_a_set_lies_among_itself_and_nothing_of_one_far_away(seed: int, k: int) -> None:
    a = rows(seed)
    assert manifold(a, a, k) == (1, 1)
    assert manifold(a, a + 1000, k) == (0, 0)


def test_dreams_of_one_kind_are_precise_and_recall_little() -> None:
    real = np.concatenate([rows(0, 50) * 0.1, rows(1, 50) * 0.1 + 9])
    found = manifold(real, rows(2, 50) * 0.08)
    assert found.precision > 0.8
    assert found.recall <= 0.5


@settings(max_examples=20, deadline=None)
@given(seeds, st.integers(1, 30))
def test_the_nearest_is_the_nearest(seed: int, count: int) -> None:
    queries, among = rows(seed, 9), rows(seed + 1, count)
    distances = np.linalg.norm(queries[:, None] - among[None], axis=2)
    places, found = nearest(queries, among)
    assert found == pytest.approx(distances.min(1))
    assert distances[range(9), places] == pytest.approx(distances.min(1))


def test_too_few_rows_give_no_figure() -> None:
    one = rows(0, 1)
    assert np.isnan(
        [frechet_distance(one, rows(1)), kernel_distance(rows(1), one), *manifold(one, one)]
    ).all()
    with pytest.raises(ValueError, match="nothing to be near to"):
        nearest(one, np.empty((0, 5)))
