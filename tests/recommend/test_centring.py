"""What is taken off ratings, computed by hand."""

import numpy as np
import pytest

from recommend.centring import Centring, centred, item_levels, learnt_centred, user_levels
from recommend.ratings import Ratings

RATINGS = Ratings.of(["ann", "ann", "ann", "ben", "ben"], ["a", "b", "c", "a", "c"], [1, 3, 5, 4, 4])


@pytest.mark.parametrize(
    ("centring", "expected"),
    [
        ("none", [1, 3, 5, 4, 4]),
        ("user", [-2, 0, 2, 0, 0]),
        ("z-score", [-1, 0, 1, 0, 0]),  # ann's sample standard deviation is 2; who rates all alike has none
    ],
)
def test_ratings_are_centred_on_their_user(centring: Centring, expected: list[float]) -> None:
    assert learnt_centred(RATINGS, centring)[1].data == pytest.approx(expected)


def test_biases_are_damped_by_five_ratings_at_the_mean() -> None:
    learnt = item_levels(RATINGS, "biases")  # the mean is 3.4
    assert learnt["item_level"] == pytest.approx([-1.8 / 7, -0.4 / 6, 2.2 / 7])
    ben = user_levels(RATINGS, learnt, "biases")["user_level"][1]
    assert ben == pytest.approx(3.4 + (0.6 + 1.8 / 7 + 0.6 - 2.2 / 7) / 7)


def test_who_has_rated_nothing_rates_as_all_do() -> None:
    nobody = RATINGS.where(np.array([True, True, True, False, False]))
    for centring, level in {"user": 3.4, "z-score": 3.4, "biases": 3.4, "none": 0}.items():
        users = user_levels(nobody, item_levels(RATINGS, centring), centring)
        assert (users["user_level"][1], users["spread"][1]) == pytest.approx((level, 1))


def test_a_constant_rater_leaves_exact_zeros() -> None:
    alike = Ratings.of(["ann"] * 7, list("abcdefg"), [4.1] * 7)
    learnt = item_levels(alike, "user")
    assert not centred(alike, learnt, user_levels(alike, learnt, "user")).data.any()
