"""UBCF and IBCF: beside a dense, slow, plain one; by hand; and R's recommenderlab on its own split."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommend import neighbours
from recommend.alike import LEAST
from recommend.methods import UnknownMethod, method
from recommend.neighbours import IBCF, UBCF, Neighbourhood, Neighbours
from recommend.ratings import Ratings

MOVIELENSE = Path(__file__).parents[2] / ".." / "shared" / "data" / "movielense"
FIVE = Neighbourhood(centring="user", shrinkage=0, damping=0, neighbours=5)


def ratings_of(dense: np.ndarray) -> Ratings:
    rows, columns = np.nonzero(~np.isnan(dense))
    users = [f"user {row}" for row in range(len(dense))]
    matrix = Ratings.of([users[row] for row in rows], [f"{c}" for c in columns], dense[rows, columns],
                        catalogue=[f"{column}" for column in range(dense.shape[1])])  # fmt: skip
    if len(matrix.users) == len(dense):
        return matrix
    starts = np.concatenate([[0], np.cumsum((~np.isnan(dense)).sum(1))])  # users without ratings stay
    parts = (matrix.matrix.data, matrix.matrix.indices, starts)
    return Ratings(type(matrix.matrix)(parts, shape=dense.shape), tuple(users), matrix.items)


# A plain implementation: two loops over pairs


def plain_likeness(one: np.ndarray, other: np.ndarray, config: Neighbourhood) -> float:
    common = ~np.isnan(one) & ~np.isnan(other)
    if common.sum() < config.min_overlap:
        return -np.inf
    if config.over == "common":
        one, other = one[common], other[common]
    if config.similarity == "pearson":
        one, other = one - np.nanmean(one), other - np.nanmean(other)
    lengths = np.sqrt(np.nansum(one**2) * np.nansum(other**2))
    if lengths < 1e-9:
        return -np.inf
    return float(np.nansum(one * other) / lengths * common.sum() / (common.sum() + config.shrinkage))


def plain_nearest(likeness: np.ndarray, config: Neighbourhood) -> list[tuple[int, float]]:
    best = sorted(range(len(likeness)), key=lambda place: -likeness[place])[: config.neighbours]
    return [(place, likeness[place]) for place in best if likeness[place] > LEAST]


def plain(name: str, train: np.ndarray, known: np.ndarray, config: Neighbourhood) -> np.ndarray:
    """Predictions, centred: of who tells, the average by likeness."""
    told = np.full(known.shape, np.nan)
    sides = (known, train) if name == "UBCF" else (train.T, train.T)
    likeness = np.array([[plain_likeness(one, other, config) for other in sides[1]] for one in sides[0]])
    if name == "IBCF":
        np.fill_diagonal(likeness, -np.inf)
    for user, item in product(*map(range, known.shape)):
        near = plain_nearest(likeness[user if name == "UBCF" else item], config)
        values = [(train[n, item] if name == "UBCF" else known[user, n], weight) for n, weight in near]
        values = [(value, weight) for value, weight in values if not np.isnan(value)]
        if values:
            told[user, item] = sum(v * w for v, w in values) / sum(w for _, w in values)
    return told


def centred_by_user(dense: np.ndarray, usual: float) -> tuple[np.ndarray, np.ndarray]:
    count = (~np.isnan(dense)).sum(1)
    means = np.where(count, np.nansum(dense, 1) / np.maximum(count, 1), usual)
    return dense - means[:, None], means


@st.composite
def worlds(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    items = draw(st.integers(2, 6))
    rated = st.one_of(st.just(np.nan), st.integers(1, 5).map(float))
    row = st.lists(rated, min_size=items, max_size=items)
    train, known = (np.array(draw(st.lists(row, min_size=1, max_size=7))) for _ in range(2))
    train[0, 0] = 3.0
    return train, known


@pytest.mark.parametrize("name", ["UBCF", "IBCF"])
@settings(max_examples=30, deadline=None)
@given(
    world=worlds(),
    config=st.builds(
        Neighbourhood,
        similarity=st.sampled_from(["cosine", "pearson"]),
        over=st.sampled_from(["all", "common"]),
        centring=st.just("user"),
        neighbours=st.just(50),  # fewer, and rounding decides who is one of two equally near
        shrinkage=st.sampled_from([0.0, 2.5]),
        min_overlap=st.integers(1, 3),
        damping=st.just(0.0),
        clipped=st.just(False),
    ),
)
def test_predictions_are_those_of_a_plain_implementation(
    name: str, world: tuple[np.ndarray, np.ndarray], config: Neighbourhood
) -> None:
    train, known = world
    usual = float(np.nanmean(train))
    away, means = centred_by_user(known, usual)
    expected = plain(name, centred_by_user(train, usual)[0], away, config) + means[:, None]
    test_users = ratings_of(known)
    shown = Ratings(test_users.matrix, tuple(f"new {n}" for n in range(len(known))), test_users.items)
    model = {"UBCF": UBCF, "IBCF": IBCF}[name](config).fit(ratings_of(train)).fold_in(shown)
    users, items = np.indices(known.shape).reshape(2, -1)
    found = model.predict(users, items).reshape(known.shape)
    assert found == pytest.approx(expected, abs=1e-3, nan_ok=True)


def world(seed: int = 0, users: int = 40, items: int = 25) -> Ratings:
    rng = np.random.default_rng(seed)
    stars = rng.integers(1, 6, (users, items)).astype(float)
    return ratings_of(np.where(rng.random(stars.shape) < 0.4, stars, np.nan))


# By hand


def test_who_rates_alike_is_believed() -> None:
    """Ann's and Ben's ratings of a and b lie +1, -1 from their means, Cat's -1, +1: Ben alone is near."""
    train = Ratings.of(
        ["ben", "ben", "ben", "cat", "cat", "cat"],
        ["a", "b", "c"] * 2,
        [4, 2, 3, 1, 3, 5],
        catalogue=list("abcd"),
    )
    ann = Ratings.of(["ann", "ann"], ["a", "b"], [5, 3], catalogue=list("abcd"))
    model = UBCF(FIVE).fit(train).fold_in(ann)
    assert model.predict([0, 0, 0], [0, 2, 3]) == pytest.approx([5, 4, np.nan], nan_ok=True)
    assert [found.item for found in model.recommend(0, 4)] == [2]  # what no neighbour rated is never listed
    assert model.explain(0, 0) == [
        (0, pytest.approx(0.5)),
        (1, pytest.approx(0.5)),
    ]  # a likeness of 1, +1 above


def test_items_rated_alike_weigh() -> None:
    train = Ratings.of(
        ["ben", "ben", "ben", "cat", "cat", "cat"], ["a", "b", "c"] * 2, [5, 5, 2, 1, 1, 4]
    )  # a and b are +1, +1 of ben and -1, -1 of cat: the same, and c is the opposite
    ann = Ratings.of(["ann", "ann"], ["a", "c"], [4, 2], catalogue=list("abc"))
    model = IBCF(FIVE).fit(train).fold_in(ann)
    assert model.predict([0, 0], [1, 2]) == pytest.approx([4, np.nan], nan_ok=True)
    assert model.similar_items(0, 5) == [(1, pytest.approx(1))]
    assert model.similar_items(2, 5) == []
    assert model.explain(0, 1) == [(0, pytest.approx(1))]


def test_damping_pulls_towards_what_is_expected() -> None:
    train = Ratings.of(["ben", "ben", "ben"], ["a", "b", "c"], [1, 3, 5], catalogue=list("abcd"))
    ann = Ratings.of(["ann", "ann"], ["a", "c"], [2, 4], catalogue=list("abcd"))
    model = UBCF(Neighbourhood(centring="user", shrinkage=0, damping=1)).fit(train).fold_in(ann)
    assert model.predict([0, 0], [2, 3]) == pytest.approx([3 + 2 / 2, 3])  # a likeness of 1; nobody: her mean


# Promises


@pytest.mark.parametrize("kind", [UBCF, IBCF])
@pytest.mark.parametrize(
    "options", [{}, {"similarity": "pearson"}, {"similarity": "pearson", "over": "common"}]
)
def test_reasons_add_up_to_the_score(kind: type[Neighbours], options: dict[str, str]) -> None:
    model = kind(Neighbourhood(**options, neighbours=7)).fit(world())
    scores = model.scores(np.arange(40))
    for user, item in [(0, 3), (5, 11), (39, 24)]:
        told, weights = model.contributions(user, item)
        assert set(told) == set(model.known.matrix[[user]].indices)
        assert weights.sum() == pytest.approx(
            max(scores[user, item], 0 if scores[user, item] == -np.inf else -9), abs=1e-4
        )


def test_nobody_is_a_neighbour_of_their_own() -> None:
    ratings = world()
    model = UBCF().fit(ratings)
    near = model.nearest_users(np.arange(40)).toarray()
    assert not near.diagonal().any()
    again = model.fold_in(ratings.by([3, 1]))
    assert again.scores(np.array([0, 1])) == pytest.approx(model.scores(np.array([3, 1])))


@pytest.mark.parametrize("kind", [UBCF, IBCF])
def test_blocks_change_nothing(kind: type[Neighbours], monkeypatch: pytest.MonkeyPatch) -> None:
    ratings, pairs = world(), np.indices((40, 25)).reshape(2, -1)[:, ::-7]
    whole = kind().fit(ratings)
    monkeypatch.setattr(neighbours, "AT_ONCE", 130)
    parts = kind().fit(ratings)
    assert parts.predict(*pairs) == pytest.approx(whole.predict(*pairs))
    assert parts.scores(np.arange(40)) == pytest.approx(whole.scores(np.arange(40)))


@pytest.mark.parametrize("kind", [UBCF, IBCF])
def test_who_tells_nothing_is_told_what_is_usual(kind: type[Neighbours]) -> None:
    """Constant raters, and users without ratings, are like nobody; there is no warning, and no list."""
    model = kind(Neighbourhood(centring="z-score")).fit(world())
    silent = world().by([0, 1]).where(world().by([0, 1]).user_of == 1)
    constant = Ratings(
        silent.matrix * 0 + silent.matrix.astype(bool) * np.float32(4), ("n", "c"), silent.items
    )
    folded = model.fold_in(constant)
    assert folded.predict([0, 1], [2, 2]) == pytest.approx([model.state["mean"][0], 4])
    assert folded.recommend(0, 5) == []
    assert folded.recommend(1, 5) == [] or kind is IBCF


def test_ubcf_finds_items_liked_by_the_same_users() -> None:
    train = Ratings.of(["ben"] * 4 + ["cat"] * 4, list("abcd") * 2, [5, 5, 1, 1, 1, 1, 5, 5])
    assert UBCF(FIVE).fit(train).similar_items(2, 3) == [(3, pytest.approx(1))]


@pytest.mark.parametrize(
    "option",
    ["similarity=jaccard", "over=most", "centring=item", "neighbours=0", "shrinkage=-1", "damping=nan"],
)
def test_bad_options_are_named(option: str) -> None:
    with pytest.raises((ValueError, UnknownMethod), match=option.partition("=")[0]):
        method(f"UBCF:{option}")


# R's recommenderlab 1.0.7 on its own split


def movielense(part: str) -> tuple[Ratings, np.ndarray]:
    path = MOVIELENSE / f"ml_g15_r4_{part}.csv"
    if not path.exists():
        pytest.skip(f"{path} is missing")
    rows = np.loadtxt(path, delimiter=",", skiprows=1, dtype=np.int64)
    users, items = ([str(name) for name in column] for column in rows[:, :2].T)
    return Ratings.of(users, items, rows[:, 2], catalogue=[str(item) for item in range(1, 1665)]), rows


PLAINLY = "lists=prediction,damping=0,shrinkage=0,clipped=false"


@pytest.mark.parametrize(
    ("told", "rmse", "coverage"),
    [
        (f"UBCF:{PLAINLY},over=common,centring=user,neighbours=25", 1.2531, 0.644),
        (f"UBCF:{PLAINLY},over=common,centring=user,neighbours=50,min_overlap=3", 1.0525, 0.957),
        (f"UBCF:{PLAINLY},over=common,centring=user,neighbours=50,similarity=pearson", 1.0964, 0.923),
        (f"UBCF:{PLAINLY},over=common,centring=z-score,neighbours=50", 1.2233, 0.775),
        (f"IBCF:{PLAINLY},over=common,centring=user,neighbours=30", 1.1854, 0.019),
        (f"IBCF:{PLAINLY},centring=user,neighbours=100", 1.1222, 0.815),
        ("SVD:centring=user,unrated=lowest,clipped=false", 1.0272, 1),
        ("UBCF", 0.9829, 1),  # ours from here on
        ("IBCF", 0.9787, 1),
        ("SVD", 0.9884, 1),
    ],
)
def test_recommenderlabs_figures_are_reproduced(told: str, rmse: float, coverage: float) -> None:
    (train, _), (known, _), (_, unknown) = (movielense(part) for part in ("train", "known", "unknown"))
    model = method(told).fit(train).fold_in(known)
    rows = {user: row for row, user in enumerate(known.users)}
    predicted = model.predict([rows[str(user)] for user in unknown[:, 0]], unknown[:, 1] - 1)
    said = np.isfinite(predicted)
    assert said.mean() == pytest.approx(coverage, abs=0.005)
    assert np.sqrt(np.mean((predicted - unknown[:, 2])[said] ** 2)) == pytest.approx(rmse, abs=0.0035)
