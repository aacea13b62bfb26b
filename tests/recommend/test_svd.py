"""SVD: beside NumPy's of the matrix written out, by hand, and where there is little to go by."""

import numpy as np
import pytest

from recommend import svd
from recommend.centring import Centring
from recommend.methods import method
from recommend.ratings import Ratings
from recommend.svd import SVD, Truncation


def world(users: int = 30, items: int = 20) -> Ratings:
    rng = np.random.default_rng(3)
    rows, columns = np.nonzero(rng.random((users, items)) < 0.4)
    names = [[str(number) for number in numbers] for numbers in (rows, columns)]
    return Ratings.of(*names, rng.integers(1, 6, len(rows)), catalogue=[str(item) for item in range(items)])


@pytest.mark.parametrize("centring", ["user", "biases"])
def test_predictions_are_those_of_the_matrix_written_out(centring: Centring) -> None:
    ratings = world()
    model = SVD(Truncation(categories=3, centring=centring, clipped=False)).fit(ratings)
    users, items = np.indices((30, 20))
    given = np.full((30, 20), np.nan)
    given[ratings.user_of, ratings.matrix.indices] = ratings.matrix.data
    level = model.taste["user_level"][:, None] + model.state["item_level"]
    imputed = 0 if centring == "biases" else np.nanmean(given - level, axis=0)
    whole = np.where(np.isnan(given), imputed, given - level)
    left, sizes, right = np.linalg.svd(whole, full_matrices=False)
    expected = level + left[:, :3] * sizes[:3] @ right[:3]
    assert model.predict(users.ravel(), items.ravel()).reshape(30, 20) == pytest.approx(expected, abs=1e-4)
    assert model.scores(np.arange(30)) == pytest.approx(expected, abs=1e-4)


def test_nothing_is_fitted_anew_for_new_users(monkeypatch: pytest.MonkeyPatch) -> None:
    model = SVD(Truncation(categories=3)).fit(world())
    monkeypatch.setattr(svd, "svds", None)
    assert model.fold_in(world().by([4])).scores(np.array([0])) == pytest.approx(model.scores(np.array([4])))


def test_reasons_add_up_to_what_the_ratings_change() -> None:
    ratings = world()
    model = SVD(Truncation(categories=4, centring="z-score")).fit(ratings)
    items, weights = model.contributions(2, 7)
    usual = (
        model.taste["user_level"][2]
        + (model.state["imputed"] @ model.state["theta"] @ model.state["theta"][7])
        * (model.taste["spread"][2])
    )
    assert set(items) == set(ratings.matrix[[2]].indices)
    assert usual + weights.sum() == pytest.approx(model.scores(np.array([2]))[0, 7], abs=1e-4)
    assert [reason.weight for reason in model.explain(2, 7)] == sorted(
        weights[weights > 0].tolist(), reverse=True
    )


def test_items_with_the_same_ratings_are_alike() -> None:
    users = ["ann", "ben", "cat", "dot"]
    values = [5, 5, 1, 4, 4, 2, 1, 1, 5, 2, 2, 4]
    model = SVD(Truncation(categories=1)).fit(
        Ratings.of(np.repeat(users, 3).tolist(), list("abc") * 4, values)
    )
    assert model.similar_items(0, 3) == [(1, pytest.approx(1))]


@pytest.mark.parametrize(("users", "items", "value"), [(1, 1, 3), (1, 9, 3), (9, 1, 3), (40, 30, 4)])
def test_little_or_nothing_to_tell_is_no_error(users: int, items: int, value: float) -> None:
    pairs = np.indices((users, items)).reshape(2, -1)
    names = [[str(number) for number in numbers] for numbers in pairs]
    model = SVD().fit(Ratings.of(*names, np.full(users * items, value)))
    assert model.predict([0], [items - 1]) == pytest.approx([value])
    assert model.similar_items(0, 5) == []


@pytest.mark.parametrize("option", ["categories=0", "maxit=0", "centring=mean", "unrated=none"])
def test_bad_options_are_named(option: str) -> None:
    with pytest.raises(ValueError, match=option.partition("=")[0]):
        method(f"SVD:{option}")
