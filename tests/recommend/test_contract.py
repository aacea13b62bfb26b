"""What every recommender promises, whichever it is."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from recommend import shelf
from recommend.methods import METHODS, ON_ANY_MACHINE, method
from recommend.ratings import Ratings, RatingsRefused
from recommend.recommender import ModelRefused, Recommender

USERS, THINGS = 14, 10
ALONE = ("RANDOM", "POPULAR")  # know nothing of one item's likeness to another
# As many factors as in their own tests: numba compiles the kernel for every number of them, for seconds.
FACTORS = {"RSVD": 3, "RSVD_SPLIT": 3}
pytestmark = pytest.mark.parametrize("name", ON_ANY_MACHINE)


def told(name: str) -> str:
    return f"{name}:categories={FACTORS[name]}" if name in FACTORS else name


def made(name: str) -> Recommender:
    return method(told(name))


def two_tastes(users: int = USERS) -> Ratings:
    """Half like the first half of the items, half the others, and each has rated about two thirds of them."""
    rng = np.random.default_rng(7)
    pairs = [(u, i) for u in range(users) for i in range(THINGS) if i == u % THINGS or rng.random() < 0.65]
    liked = [(u % 2 == 0) == (i < THINGS // 2) for u, i in pairs]
    values = [4 + (u + i) % 2 if like else 1 + (u * i) % 2 for (u, i), like in zip(pairs, liked, strict=True)]
    names = [f"u{u}" for u, _ in pairs], [f"i{i}" for _, i in pairs]
    return Ratings.of(*names, values, catalogue=[f"i{i}" for i in range(THINGS)])


RATINGS = two_tastes()
ALL = np.arange(USERS)
EVERY_PAIR = np.repeat(ALL, THINGS), np.tile(np.arange(THINGS), USERS)
_fitted: dict[str, Recommender] = {}


@pytest.fixture
def fitted(name: str) -> Recommender:
    if name not in _fitted:
        _fitted[name] = made(name).fit(RATINGS)
    return _fitted[name]


def same(one: Recommender, other: Recommender, tolerance: float = 1e-5) -> None:
    for users, item_scores in ((ALL, one.scores(ALL)), (ALL[:3], one.scores(ALL[:3]))):
        np.testing.assert_allclose(other.scores(users), item_scores, tolerance, tolerance)
    np.testing.assert_allclose(other.predict(*EVERY_PAIR), one.predict(*EVERY_PAIR), tolerance, tolerance)


def test_lists_are_sorted_and_leave_out_what_is_known(fitted: Recommender) -> None:
    for user in range(USERS):
        known = set(RATINGS.matrix[[user]].indices.tolist())
        found = fitted.recommend(user, THINGS)
        scores = [each.score for each in found]
        assert scores == sorted(scores, reverse=True)
        assert len({each.item for each in found}) == len(found)
        assert not known & {each.item for each in found}
        assert len(fitted.recommend(user, 2, exclude_known=False)) <= 2


def test_scores_and_predictions_have_their_shapes(fitted: Recommender) -> None:
    assert fitted.scores(ALL[:3]).shape == (3, THINGS)
    assert fitted.scores(ALL[:0]).shape == (0, THINGS)
    assert not np.isnan(fitted.scores(ALL)).any()
    predicted = fitted.predict(*EVERY_PAIR)
    assert predicted.shape == (USERS * THINGS,)
    assert predicted.dtype == fitted.scores(ALL).dtype == np.float32
    assert fitted.predicts_ratings or np.isnan(predicted).all()
    assert fitted.predict(ALL[:0], ALL[:0]).shape == (0,)


def test_a_known_rating_is_predicted_for_the_right_user(fitted: Recommender, name: str) -> None:
    if not fitted.predicts_ratings or name in ALONE:
        pytest.skip(f"{name} predicts nothing of anybody's taste")
    rows, columns, values = RATINGS.user_of, RATINGS.matrix.indices.astype(np.int64), RATINGS.matrix.data
    predicted = fitted.predict(rows, columns)
    said = np.isfinite(predicted)
    assert said.mean() > 0.3
    assert np.corrcoef(predicted[said], values[said])[0, 1] > 0.2


def test_those_folded_in_are_as_if_they_had_been_there(fitted: Recommender) -> None:
    """Exactly where tastes follow from ratings, nearly where they are learnt step by step."""
    again = fitted.fold_in(RATINGS)
    before, after = fitted.scores(ALL), again.scores(ALL)
    sure = np.isfinite(before) & np.isfinite(after)
    assert sure.mean() > 0.5 or (~np.isfinite(before)).mean() > 0.5
    assert np.corrcoef(before[sure], after[sure])[0, 1] > 0.7
    same(again, fitted.fold_in(RATINGS))


def test_folding_in_leaves_the_model_as_it_was(fitted: Recommender) -> None:
    before = fitted.scores(ALL).copy()
    other = fitted.fold_in(RATINGS.by([3]))
    assert other.known.users == ("u3",)
    assert other.scores(np.array([0])).shape == (1, THINGS)
    assert np.array_equal(fitted.scores(ALL), before)


def test_items_that_are_not_the_models_are_refused(fitted: Recommender) -> None:
    with pytest.raises(RatingsRefused, match="items"):
        fitted.fold_in(Ratings.of(["u"], ["another"], [3]))


def test_what_was_saved_is_what_is_loaded(fitted: Recommender, name: str, tmp_path: Path) -> None:
    path = tmp_path / "model.npz"
    fitted.save(path)
    again = METHODS[name].load(path)
    same(fitted, again, 0)
    assert (again.known.users, again.known.items) == (RATINGS.users, RATINGS.items)
    assert again.config == fitted.config
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(ModelRefused):
        METHODS[name].load(path)


def test_off_the_shelf_a_shopper_has_the_scores_that_the_model_gives_them(
    fitted: Recommender, tmp_path: Path
) -> None:
    shelf.put(fitted, np.zeros((THINGS, 0), np.float32), tmp_path / "served")
    served = shelf.take(tmp_path / "served")
    own = replace(RATINGS.by([3]), users=("shopper",))
    shopper = served.shopper(own.matrix.indices, own.matrix.data)
    np.testing.assert_allclose(shopper.scores(ALL[:1]), fitted.fold_in(own).scores(ALL[:1]), 1e-5, 1e-5)
    assert len(shopper.recommend(0, 2)) <= 2
    assert shopper.explain(0, 0) is not None


def test_an_item_is_not_like_itself(fitted: Recommender, name: str) -> None:
    for item in range(THINGS):
        found = fitted.similar_items(item, 4)
        assert len(found) <= 4
        assert item not in [each.item for each in found]
        scores = [each.score for each in found]
        assert scores == sorted(scores, reverse=True)
    assert name in ALONE or fitted.similar_items(0, 4)


def test_reasons_are_of_what_the_user_rated(fitted: Recommender) -> None:
    for user in range(4):
        rated = set(RATINGS.matrix[[user]].indices.tolist())
        for item in range(THINGS):
            reasons = fitted.explain(user, item)
            assert {reason.item for reason in reasons} <= rated
            weights = [reason.weight for reason in reasons]
            assert weights == sorted(weights, reverse=True)


def test_no_ratings_are_refused(name: str) -> None:
    with pytest.raises(RatingsRefused, match="there are no ratings"):
        made(name).fit(Ratings.of([], [], [], catalogue=["a", "b"]))


ODD = {
    "one user": (["u"] * 4, "abcd", [1, 2, 3, 5]),
    "one item": ("abcd", ["i"] * 4, [1, 2, 3, 5]),
    "one rating": (["u"], ["i"], [4]),
    "all alike": ("aabbcc", "xyxzyz", [3] * 6),
    "all zero": ("aabbcc", "xyxzyz", [0] * 6),
    "huge": ("aabbcc", "xyxzyz", [1e6, -1e6, 1e6, 1, -1e6, 0]),
    "negative": ("aabbcc", "xyxzyz", [-5, -1, -4, -2, -3, -1]),
}


@pytest.mark.parametrize("odd", ODD)
def test_odd_ratings_are_refused_or_have_a_result(name: str, odd: str) -> None:
    ratings = Ratings.of(*ODD[odd])
    try:
        model = made(name).fit(ratings)
    except RatingsRefused:
        return
    rows = np.arange(len(ratings.users))
    scores = model.scores(rows)
    assert scores.shape == ratings.matrix.shape
    assert not np.isnan(scores).any()
    assert not np.isposinf(scores).any()
    predicted = model.predict(ratings.user_of, ratings.matrix.indices.astype(np.int64))
    assert not np.isinf(predicted).any()
    assert len(model.recommend(0, 5)) <= len(ratings.items)
    assert all(each.item != 0 for each in model.similar_items(0, 5))
    assert model.explain(0, 0) is not None


def test_a_user_without_ratings_gets_a_list_or_none(fitted: Recommender) -> None:
    nobody = RATINGS.by([0, 1]).where(RATINGS.by([0, 1]).user_of == 1)
    model = fitted.fold_in(nobody)
    scores = model.scores(np.array([0, 1]))
    assert not np.isnan(scores).any()
    assert len({each.item for each in model.recommend(0, 3)}) <= 3
    assert model.explain(0, 2) == []
    assert not np.isinf(model.predict([0, 0], [1, 2])).any()
