from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numba.core.dispatcher import Dispatcher
from scipy.sparse import csr_array

from recommend import kernel
from recommend.factorise import RSVD, FactorisationDiverged, Factors, RSVDSplit
from recommend.kernel import Objective, Rows, ridges
from recommend.methods import UnknownMethod, method
from recommend.ratings import Ratings

K = 3
EXACT = {"categories": K, "lambda_": 2.0, "maxit": 500, "tolerance": 1e-14, "dtype": "float64"}


def some_ratings(users: int = 40, items: int = 25, seed: int = 0, first: int = 0) -> Ratings:
    """Two tastes: users with an even number like the first half of the items."""
    rng = np.random.default_rng(seed)
    rows, columns = np.nonzero(rng.random((users, items)) < 0.4)
    liked = (rows % 2 == 0) == (columns < items // 2)
    values = np.clip(np.where(liked, 4.2, 2.0) + rng.normal(0, 0.6, len(rows)), 1, 5)
    catalogue = [f"dress {item}" for item in range(items)]
    who = [f"Anna {first + row}" for row in rows]
    return Ratings.of(who, [catalogue[column] for column in columns], values, catalogue=catalogue)


def rows_of(ratings: Ratings, dtype: str = "float64") -> Rows:
    return Rows.of(ratings.matrix, ratings.matrix.data.astype(dtype))


@pytest.mark.parametrize("k", [K, 70])
def test_gradient_is_that_of_central_differences(k: int) -> None:
    rows, rng = rows_of(some_ratings(8, 6)), np.random.default_rng(0)
    objective = Objective(rows, k, 1.5, threads=1)
    at = rng.normal(size=14 * k)
    _, gradient = objective(at)
    for place in rng.choice(len(at), 14, replace=False):
        step = np.zeros_like(at)
        step[place] = 1e-5
        slope = (objective(at + step)[0] - objective(at - step)[0]) / 2e-5
        assert gradient[place] == pytest.approx(slope, rel=1e-6, abs=1e-6)


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 9), st.integers(1, 7), st.integers(0, 99), st.sampled_from(["float32", "float64"]))
def test_one_pass_says_what_the_dense_formula_says(users: int, items: int, seed: int, dtype: str) -> None:
    rng = np.random.default_rng(seed)
    seen, y = rng.random((users, items)) < 0.6, rng.normal(3, 1, (users, items))
    x, theta = rng.normal(size=(users, K)), rng.normal(size=(items, K))
    where = np.nonzero(seen)
    starts = np.concatenate([[0], seen.sum(axis=1).cumsum()])
    rows = Rows(starts, where[1].astype(np.int32), y[seen].astype(dtype), items)
    residual = seen * (x @ theta.T - y)
    penalty = (x**2).sum() + (theta**2).sum()
    value, gradient = Objective(rows, K, 0.7, threads=1)(np.concatenate([x.ravel(), theta.ravel()]))
    close = {"rtol": 1e-4, "atol": 1e-4} if dtype == "float32" else {"rtol": 1e-10, "atol": 1e-10}
    np.testing.assert_allclose(value, ((residual**2).sum() + 0.7 * penalty) / 2, **close)
    wanted = np.concatenate([residual @ theta + 0.7 * x, residual.T @ x + 0.7 * theta])
    np.testing.assert_allclose(gradient.reshape(-1, K), wanted, **close)


def test_two_threads_compute_what_one_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel, "WORTH_A_THREAD", 1)
    rows = rows_of(some_ratings())
    at = np.random.default_rng(0).normal(size=65 * K)
    (one, gradient), (two, same) = (Objective(rows, K, 1.0, threads)(at) for threads in (1, 2))
    assert len(kernel.shares(rows.starts, K, 2)) == 2
    assert one == pytest.approx(two, rel=1e-12)
    np.testing.assert_allclose(gradient, same, atol=1e-12)
    theta = at[-25 * K :].reshape(-1, K)
    np.testing.assert_array_equal(ridges(rows, theta, 1.0, 1), ridges(rows, theta, 1.0, 2))


def test_threads_get_as_many_ratings_each() -> None:
    starts = np.array([0, 900_000, 1_000_000, 1_100_000, 2_000_000])
    assert kernel.shares(starts, 20, 2) == [(0, 2), (2, 4)]
    assert kernel.shares(starts, 20, 1) == [(0, 4)]
    assert kernel.shares(np.array([0, 5, 9]), 20, 2) == [(0, 2)], "too little to do"


def test_ridge_is_numpys() -> None:
    ratings = some_ratings()
    theta = np.random.default_rng(1).normal(size=(25, K))
    found = ridges(rows_of(ratings), theta, 2.0, 1)
    for user in range(5):
        [row] = ratings.matrix[[user]].toarray()
        seen = theta[np.flatnonzero(row)]
        wanted = np.linalg.solve(seen.T @ seen + 2.0 * np.eye(K), seen.T @ row[row > 0])
        np.testing.assert_allclose(found[user], wanted, rtol=1e-10)


def test_without_a_place_for_compiled_code_it_compiles_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere(_: Dispatcher) -> None:
        raise RuntimeError("cannot cache function: no locator available")

    monkeypatch.setattr(Dispatcher, "enable_caching", nowhere)
    assert kernel.compiled(lambda number: number + 1)(2) == 3


def objective_of(model: RSVDSplit, ratings: Ratings) -> float:
    objective = Objective(rows_of(ratings), K, 2.0, threads=1)
    return objective(np.concatenate([model.taste["x"].ravel(), model.state["theta"].ravel()]))[0]


def test_both_solvers_reach_the_same_objective() -> None:
    ratings = some_ratings()
    values = [
        objective_of(RSVDSplit(Factors(**EXACT, centring="none", solver=solver)).fit(ratings), ratings)
        for solver in ("lbfgs", "als")
    ]
    assert values[0] == pytest.approx(values[1], rel=1e-6)


def test_both_ways_of_folding_in_reach_the_same_optimum() -> None:
    ratings, newcomers = some_ratings(), some_ratings(6, seed=1, first=100)
    found = [
        RSVDSplit(Factors(**EXACT, fold=fold, centring="biases")).fit(ratings).fold_in(newcomers).taste["x"]
        for fold in ("ridge", "lbfgs")
    ]
    np.testing.assert_allclose(found[0], found[1], atol=1e-5)


def test_rsvd_folds_in_by_fitting_old_and_new_ratings_together(tmp_path: Path) -> None:
    ratings, newcomers = some_ratings(), some_ratings(6, seed=1, first=100)
    rsvd, split = (kind(Factors(**EXACT, centring="biases")).fit(ratings) for kind in (RSVD, RSVDSplit))
    np.testing.assert_array_equal(split.fold_in(newcomers).state["theta"], split.state["theta"])
    together = rsvd.fold_in(newcomers)
    assert np.abs(together.state["theta"] - rsvd.state["theta"]).max() > 1e-3
    rsvd.save(tmp_path / "model")
    again = RSVD.load(tmp_path / "model").fold_in(newcomers)
    np.testing.assert_array_equal(again.state["theta"], together.state["theta"])


def test_a_second_fit_begins_where_the_first_one_ended() -> None:
    told: list[tuple[int, float]] = []
    model = RSVDSplit(Factors(categories=K, warm_start=True))
    model.progress = lambda iteration, objective: told.append((iteration, objective))
    ratings = some_ratings()
    model.fit(ratings)
    first, (_, reached) = len(told), told[-1]
    assert [iteration for iteration, _ in told] == list(range(1, first + 1))
    told.clear()
    model.fit(ratings)
    assert len(told) < first / 2
    assert told[-1][1] == pytest.approx(reached, rel=1e-3)


@pytest.mark.parametrize(
    "options", [{}, {"centring": "biases"}, {"centring": "item", "scaling": "item"}, {"solver": "als"}]
)
def test_tastes_are_learnt_and_explained(options: dict[str, str]) -> None:
    ratings = some_ratings()
    model = RSVDSplit(Factors(categories=K, lambda_=1.0, **options)).fit(ratings)
    scores = model.scores(np.arange(40))
    assert scores.dtype == np.float32
    assert scores[0::2, :12].mean() > scores[0::2, 12:].mean() + 1
    assert all(one.item < 12 for one in model.similar_items(3, 5))
    items, weights = model.contributions(0, 3)
    level = model.state["mean"] + model.state["item_bias"][3] + model.taste["user_bias"][0]
    assert weights.sum() + level == pytest.approx(float(scores[0, 3]), abs=1e-3)
    reasons = model.explain(0, 3)
    assert {reason.item for reason in reasons} <= set(items.tolist())
    assert [reason.weight for reason in reasons] == sorted(
        (reason.weight for reason in reasons), reverse=True
    )


def test_where_nothing_is_known_the_mean_is_predicted() -> None:
    ratings = some_ratings()
    model = RSVDSplit(Factors(categories=K, centring="none")).fit(
        Ratings(ratings.matrix, ratings.users, ratings.items).where(ratings.matrix.indices != 7)
    )
    told = model.predict([0, 1], [7, 7])
    np.testing.assert_allclose(told, model.known.matrix.data.mean(), rtol=1e-5)
    assert model.similar_items(7, 3) == []
    everything = model.predict(*np.divmod(np.arange(40 * 25), 25))
    assert everything.min() >= 1
    assert everything.max() <= 5


def test_alike_ratings_are_predicted_as_they_are() -> None:
    same = Ratings.of(["Anna", "Anna", "Bea"], ["red", "blue", "red"], [3, 3, 3])
    for options in ({}, {"solver": "als"}, {"scaling": "item"}):
        model = RSVD(Factors(categories=K, centring="biases", **options)).fit(same)
        np.testing.assert_allclose(model.predict([0, 1], [0, 1]), 3)


@pytest.mark.parametrize("solver", ["lbfgs", "als"])
def test_what_is_no_number_is_an_error(solver: str) -> None:
    ratings = some_ratings()
    broken = ratings.matrix.data.copy()
    broken[5] = np.nan
    parts = (broken, ratings.matrix.indices, ratings.matrix.indptr)
    matrix = csr_array(parts, shape=ratings.matrix.shape)
    with pytest.raises(FactorisationDiverged, match="objective is nan after"):
        RSVDSplit(Factors(categories=K, solver=solver, centring="none")).fit(
            Ratings(matrix, ratings.users, ratings.items)
        )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("categories=0", "categories=0: it is 1 at least"),
        ("lambda=0", "lambda=0.0: without a penalty"),
        ("lambda=nan", "lambda=nan"),
        ("solver=sgd", "solver='sgd': it is one of lbfgs, als"),
        ("centring=user", "none, item, biases"),
        ("maxit=-1", "maxit=-1"),
    ],
)
def test_options_that_make_no_sense_are_refused(options: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        method(f"RSVD:{options}")


def test_options_by_name() -> None:
    assert method("RSVD_SPLIT:categories=20,lambda=10,centring=none").config.lambda_ == 10
    with pytest.raises(UnknownMethod, match="no option 'size'"):
        method("RSVD:size=3")
