"""Nearest dresses and their probabilities, against the slow and obvious way."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.catalogue_index import CatalogueIndex


def unit(rows: int, seed: int, dimensions: int = 8) -> np.ndarray:
    vectors = np.random.default_rng(seed).normal(size=(rows, dimensions)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@given(
    dress_ids=st.lists(st.integers(-5, 2**40), min_size=1, max_size=40),
    k=st.integers(1, 12),
    seed=st.integers(0, 1000),
)
def test_nearest_agrees_with_a_loop_over_prototypes(dress_ids: list[int], k: int, seed: int) -> None:
    prototypes, queries = unit(len(dress_ids), seed), unit(3, seed + 1)
    found = CatalogueIndex(prototypes, dress_ids).nearest(queries, k)
    for row, query in enumerate(queries):
        best = {}
        for dress, prototype in zip(dress_ids, prototypes, strict=True):
            best[dress] = max(best.get(dress, -2.0), float(prototype @ query))
        ranked = sorted(best.values(), reverse=True)[:k]
        assert found.similarities[row] == pytest.approx(ranked, abs=1e-5)
        assert [best[dress] for dress in found.dress_ids[row]] == pytest.approx(ranked, abs=1e-5)
        assert len(set(found.dress_ids[row])) == min(k, len(best))


@given(
    dresses=st.integers(1, 30),
    not_a_dress=st.floats(0, 1),
    temperature=st.floats(0.01, 1),
    k=st.integers(1, 9),
)
def test_options_share_what_not_a_dress_leaves(
    dresses: int, not_a_dress: float, temperature: float, k: int
) -> None:
    index = CatalogueIndex(unit(dresses, 1), np.arange(dresses))
    options = index.options(unit(4, 2), np.full(4, not_a_dress), temperature, k)
    sums = options.probabilities.sum(axis=1)
    assert options.probabilities.shape == (4, min(k, dresses))
    assert (options.probabilities >= 0).all()
    assert (sums <= 1 - not_a_dress + 1e-5).all()
    if k >= dresses:
        assert sums == pytest.approx(np.full(4, 1 - not_a_dress), abs=1e-5)


def test_options_are_a_softmax_over_every_dress() -> None:
    index = CatalogueIndex(np.eye(3, dtype=np.float32), [10, 20, 30])
    options = index.options([0.8, 0.6, 0.0], 0.5, temperature=0.2, k=2)
    weights = np.exp(np.array([0.8, 0.6, 0.0]) / 0.2)
    assert options.dress_ids.tolist() == [[10, 20]]
    assert options.probabilities[0] == pytest.approx(0.5 * weights[:2] / weights.sum(), abs=1e-6)


def test_a_prototype_of_less_weight_wins_only_where_it_is_nearer_by_that() -> None:
    vectors = np.array([[0.8, 0.6, 0], [1, 0, 0], [0, 0, 1]], np.float32)
    index = CatalogueIndex(vectors, [10, 20, 10], weights=[1, 0.9, 0.5])
    assert index.nearest([1, 0, 0], 2).dress_ids.tolist() == [[20, 10]]  # .9 against .8
    assert index.nearest([0.8, 0.6, 0], 2).dress_ids.tolist() == [[10, 20]]
    assert index.nearest([0, 0, 1], 1).similarities.tolist() == [[0.5]]


@pytest.mark.parametrize("weights", [[1, 0], [1, 1.1], [1]])
def test_weights_are_above_0_and_at_most_1(weights: list[float]) -> None:
    with pytest.raises(ValueError, match="2 weights"):
        CatalogueIndex(unit(2, 0), [1, 2], weights)


def test_an_empty_catalogue_has_no_options() -> None:
    index = CatalogueIndex(np.empty((0, 8), np.float32), [])
    assert len(index) == 0
    assert index.nearest(unit(2, 0), 3).dress_ids.shape == (2, 0)
    assert index.options(unit(2, 0), [0.1, 0.2], 0.05).probabilities.shape == (2, 0)


def test_no_queries_have_no_neighbours() -> None:
    index = CatalogueIndex(unit(5, 0), range(5))
    assert index.nearest(np.empty((0, 8), np.float32), 3).similarities.shape == (0, 3)


@pytest.mark.parametrize(
    ("vectors", "ids"), [(unit(3, 0), [1, 2]), (np.zeros(3, np.float32), [1, 2, 3]), (unit(2, 0), [[1], [2]])]
)
def test_shapes_that_disagree_are_refused(vectors: np.ndarray, ids: list) -> None:
    with pytest.raises(ValueError, match="expected vectors"):
        CatalogueIndex(vectors, ids)


def test_queries_of_another_network_are_refused() -> None:
    with pytest.raises(ValueError, match="4 dimensions, the catalogue 8"):
        CatalogueIndex(unit(3, 0), [1, 2, 3]).nearest(unit(1, 0, dimensions=4), 1)


def test_a_temperature_of_zero_is_refused() -> None:
    with pytest.raises(ValueError, match="positive"):
        CatalogueIndex(unit(3, 0), [1, 2, 3]).options(unit(1, 0), 0.0, temperature=0.0)


def test_the_index_loads_no_network() -> None:
    program = "import sys, ml.catalogue_index; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], timeout=60, check=False).returncode == 0
