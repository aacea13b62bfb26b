"""RANDOM and POPULAR, against recommenderlab's figures."""

from pathlib import Path

import numpy as np
import pytest

from recommend.methods import UnknownMethod, method
from recommend.metrics import Figures
from recommend.ratings import Ratings
from recommend.readers import read_split
from recommend.trial import Clock, outcome

MOVIELENSE = Path(__file__).parents[3] / "shared/data/movielense"


def test_popular_is_the_users_mean_and_the_items() -> None:
    ratings = Ratings.of("aabbc", "xyxzy", [5, 3, 2, 4, 1])
    model = method("POPULAR").fit(ratings)
    assert model.predict([0, 2], [2, 0]) == pytest.approx([4 + 1, 1 + 0])
    assert model.scores(np.array([0]))[0] == pytest.approx([1 - 1, -1 + 0, 1])
    assert [item for item, _ in model.recommend(2, 3)] == [2, 0]


def test_counts_may_be_of_good_ratings_alone() -> None:
    ratings = Ratings.of("aabbcc", "xyxyyz", [5, 1, 5, 1, 1, 4])
    scores = [
        method(told).fit(ratings).scores(np.array([0]))[0]
        for told in ("POPULAR:by=count", "POPULAR:by=count,good=4")
    ]
    assert [list(each) for each in scores] == [[2, 3, 1], [2, 0, 1]]


def test_another_word_is_refused() -> None:
    with pytest.raises(ValueError, match="by='fame': expected one of mean, count"):
        method("POPULAR:by=fame")
    with pytest.raises(UnknownMethod, match="no option 'buy'"):
        method("POPULAR:buy=mean")


def test_chance_has_no_pattern() -> None:
    names = [f"{n}" for n in range(300)]
    ratings = Ratings.of([*names, *names], [*names, *reversed(names)], [1.0] * 300 + [5.0] * 300)
    drawn = method("RANDOM").fit(ratings).scores(np.arange(300))
    spread = (
        np.corrcoef(drawn[:-1].ravel(), drawn[1:].ravel())[0, 1],
        np.corrcoef(drawn[:, 1:].ravel(), drawn[:, :-1].ravel())[0, 1],
    )
    assert np.abs(spread).max() < 0.02
    assert np.histogram(drawn, 8, (1, 5))[0] == pytest.approx(90_000 / 8, rel=0.05)
    assert (drawn != method("RANDOM:seed=1").fit(ratings).scores(np.arange(300))).mean() > 0.99


@pytest.mark.skipif(not MOVIELENSE.is_dir(), reason="there is no MovieLense beside the checkout")
@pytest.mark.parametrize(
    ("told", "overall", "at_ten"),
    [
        (
            "POPULAR",
            {"rmse": 1.0157, "mae": 0.7917, "coverage": 0.996, "auc": 0.6909},
            {"precision": 0.285, "recall": 0.079, "f": 0.124, "arhr": 0.947},
        ),
        ("POPULAR:by=count,good=4", {"auc": 0.8755}, {"precision": 0.295, "f": 0.159, "arhr": 0.990}),
        ("POPULAR:by=count", {"auc": 0.8716}, {"precision": 0.241, "f": 0.152, "arhr": 0.903}),
        ("RANDOM", {"rmse": 1.7445, "auc": 0.5}, {"precision": 4118 / 95 / 1649}),
    ],
)
def test_the_references_figures(told: str, overall: dict[str, float], at_ten: dict[str, float]) -> None:
    split = read_split(str(MOVIELENSE / "ml_g15_r4"))
    found = Figures(outcome(method(told), split, 4, [10], Clock()))
    assert {name: found.overall[name].value for name in overall} == pytest.approx(overall, abs=6e-4)
    assert {name: found.lists[10][name].value for name in at_ten} == pytest.approx(at_ten, abs=6e-4)
