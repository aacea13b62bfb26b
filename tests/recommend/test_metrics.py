"""Figures against those worked out by hand, and against others' definitions of them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommend.metrics import Figure, Figures, PerUser, by_chance, per_user
from recommend.ratings import Ratings

ITEMS = tuple("abcdef")
NAN = float("nan")


def rated(rows: dict[str, dict[str, float]]) -> Ratings:
    told = [(user, item, value) for user, items in rows.items() for item, value in items.items()]
    found = Ratings.of(*zip(*told, strict=True), catalogue=ITEMS)  # type: ignore[misc]
    assert found.users == tuple(rows)
    return found


KNOWN = rated({"Ada": {"a": 5}, "Bob": {"b": 1}, "Cleo": {"a": 3}})
UNKNOWN = rated({"Ada": {"b": 4, "c": 1, "d": 5}, "Bob": {"a": 5, "c": 2}, "Cleo": {"b": 3}})
SCORES = np.array(
    [
        [9, 8, 7, 6, 5, 4],  # Ada: a is known; b is liked, c is not, d is: b c d e f
        [0, 9, 7, 7, -np.inf, NAN],  # Bob: b is known; c d a, and never e or f
        [9, 1, 2, 3, 4, 5],  # Cleo has liked nothing
    ],
    np.float32,
)
PREDICTED = np.array([3, 2, NAN, 5, 4, 3], np.float32)


def measured(scores: np.ndarray = SCORES, ns: tuple[int, ...] = (1, 3, 10)) -> PerUser:
    return per_user(KNOWN, UNKNOWN, PREDICTED, lambda rows: scores[rows], good=4, ns=ns)


def test_errors_are_those_of_all_ratings_that_were_predicted() -> None:
    overall = Figures(measured()).overall
    assert overall["rmse"].value == pytest.approx(np.sqrt((1 + 1 + 0 + 4 + 0) / 5))
    assert overall["mae"].value == pytest.approx((1 + 1 + 0 + 2 + 0) / 5)
    assert overall["coverage"].value == pytest.approx(5 / 6)


@pytest.mark.parametrize(
    ("n", "figures"),
    [
        (1, {"precision": 1 / 3, "recall": (1 / 2 + 0) / 2, "arhr": 1 / 3, "ndcg": 1 / 2}),
        (3, {"precision": (2 / 3 + 1 / 3 + 0) / 3, "recall": (1 + 1) / 2, "arhr": (1 + 1 / 3 + 1 / 3) / 3}),
        (10, {"precision": (2 / 5 + 1 / 3 + 0) / 3, "recall": 1, "fpr": (3 / 3 + 2 / 4 + 5 / 5) / 3}),
        (3, {"ndcg": ((1 + 1 / 2) / (1 + 1 / np.log2(3)) + 1 / 2) / 2, "catalogue_coverage": 1}),
        (1, {"catalogue_coverage": 3 / 6, "f": 2 * (1 / 3) * (1 / 4) / (1 / 3 + 1 / 4)}),
    ],
)
def test_lists_by_hand(n: int, figures: dict[str, float]) -> None:
    found = Figures(measured()).lists[n]
    assert {name: found[name].value for name in figures} == pytest.approx(figures)


def test_auc_counts_ties_half_and_who_liked_nothing_not_at_all() -> None:
    auc = measured().auc
    assert auc == pytest.approx([(3 + 2) / 6, 2 / 4, NAN], nan_ok=True)
    everybody = np.zeros_like(SCORES)
    assert measured(everybody).auc[:2] == pytest.approx([0.5, 0.5])


def test_an_empty_list_is_dropped_from_precision_and_counts_in_arhr() -> None:
    scores = SCORES.copy()
    scores[2] = -np.inf
    found = Figures(measured(scores)).lists[3]
    assert found["precision"].value == pytest.approx((2 / 3 + 1 / 3) / 2)
    assert found["arhr"].value == pytest.approx((1 + 1 / 3 + 1 / 3) / 3)


def test_where_nothing_was_predicted_there_is_no_error() -> None:
    found = Figures(per_user(KNOWN, UNKNOWN, PREDICTED * NAN, lambda rows: SCORES[rows], good=4, ns=[1]))
    assert np.isnan(found.overall["rmse"].value)
    assert np.isnan(found.overall["rmse"].standard_error)
    assert found.overall["coverage"].value == 0


def some_people(rng: np.random.Generator, people: int, skill: float) -> PerUser:
    """Of each, how many of ten were hits, and errors of as many ratings as they happen to have given."""
    counts = rng.integers(5, 50, people).astype(float)
    hits = rng.binomial(10, np.clip(rng.normal(skill, 0.1, people), 0, 1)).astype(float)[:, None]
    ones, lists = np.ones((people, 1)), np.zeros((people, 10), np.int64)
    squared = counts * rng.gamma(4, 0.25, people)
    return PerUser(
        tuple(f"{n}" for n in range(people)), (10,), 1, counts, counts, squared, squared, counts, counts + 20,
        ones[:, 0], 10 * ones, hits, hits, hits, 10 * ones, lists,
    )  # fmt: skip


def test_the_error_of_a_mean_is_the_usual_one() -> None:
    found = some_people(np.random.default_rng(1), 50, 0.4)
    usual = (found.hits[:, 0] / 10).std(ddof=1) / np.sqrt(50)
    assert Figures(found).lists[10]["precision"].standard_error == pytest.approx(usual)


@pytest.mark.parametrize("name", ["rmse", "f"])
def test_errors_are_what_figures_scatter_by(name: str) -> None:
    rng = np.random.default_rng(2)
    many = [Figures(some_people(rng, 80, 0.4)) for _ in range(400)]
    figures = [each.overall[name] if name == "rmse" else each.lists[10][name] for each in many]
    scatter = np.std([figure.value for figure in figures])
    assert np.mean([figure.standard_error for figure in figures]) == pytest.approx(scatter, rel=0.12)


def test_a_difference_of_the_same_people_holds_the_truth_19_times_of_20() -> None:
    rng = np.random.default_rng(3)
    held = []
    for _ in range(600):
        hard, luck = rng.normal(0, 5, 30), rng.normal(0, 1, (2, 30))
        one, other = (Figure(x.mean(), (x - x.mean()) / 30) for x in (hard + luck[0] + 0.3, hard + luck[1]))
        found = one.less(other)
        held.append(found.low < 0.3 < found.high)
        assert found.high - found.low < 3  # what is hard for both has cancelled out
    assert 0.92 < np.mean(held) < 0.98


def test_a_user_in_two_folds_is_one_person() -> None:
    part = some_people(np.random.default_rng(4), 40, 0.4)
    once, twice = (Figures(PerUser.together([part] * times)).lists[10]["precision"] for times in (1, 2))
    assert once.value == pytest.approx(twice.value)
    assert once.standard_error == pytest.approx(twice.standard_error)


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 10_000), ns=st.lists(st.integers(1, 9), min_size=1, max_size=4))
def test_shares_are_shares_and_longer_lists_recall_more(seed: int, ns: list[int]) -> None:
    scores = np.random.default_rng(seed).integers(0, 4, SCORES.shape).astype(np.float32)
    found = Figures(measured(scores, tuple(ns))).lists
    recalls = [found[n]["recall"].value for n in sorted(set(ns))]
    assert recalls == sorted(recalls)
    for at in found.values():
        assert all(0 <= at[name].value <= 1 for name in at if name != "arhr")


def test_chance_is_what_draws_are_on_average() -> None:
    rng = np.random.default_rng(5)
    draws = [measured(rng.random(SCORES.shape, np.float32), (1, 3)) for _ in range(3000)]
    expected = by_chance(draws[0], UNKNOWN, 1, 5)
    for name in ("hits", "reciprocal", "gain"):
        mean = np.mean([getattr(draw, name) for draw in draws], axis=0)
        assert getattr(expected, name) == pytest.approx(mean, abs=0.05)
    off = rng.uniform(1, 5, (20_000, len(UNKNOWN))) - UNKNOWN.matrix.data
    assert expected.squared.sum() == pytest.approx((off**2).mean(0).sum(), rel=0.02)
    assert expected.absolute.sum() == pytest.approx(np.abs(off).mean(0).sum(), rel=0.02)


@pytest.mark.parametrize("ns", [[], [0, 5]])
def test_lists_of_nothing_are_refused(ns: list[int]) -> None:
    with pytest.raises(ValueError, match="expected 1 or more"):
        per_user(KNOWN, UNKNOWN, PREDICTED, lambda rows: SCORES[rows], good=4, ns=ns)
