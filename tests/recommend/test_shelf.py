"""What lies in a version's folder."""

from pathlib import Path

import numpy as np
from scipy.sparse import csr_array

from recommend import shelf
from recommend.methods import method
from recommend.ratings import Ratings
from recommend.spark import SparkAls, state

NO_LOOKS = np.zeros((3, 0), np.float32)


def test_fans_are_counted_by_who_knows_the_people(tmp_path: Path) -> None:
    ratings = Ratings.of("aabbc", "xyxzx", [5, 3, 2, 4, 1])
    shelf.put(method("EASE").fit(ratings), NO_LOOKS, tmp_path / "here")
    assert shelf.take(tmp_path / "here").fans.tolist() == [3, 1, 1]
    model = SparkAls()  # fitted on another machine, which sends no people
    model.known = Ratings(csr_array((0, 3), dtype=np.float32), (), tuple("xyz"))
    model.state = state(np.eye(3, dtype=np.float32), np.array([7, 0, 2]), np.array([1, 2, 5]), 8)
    shelf.put(model, NO_LOOKS, tmp_path / "far")
    assert shelf.take(tmp_path / "far").fans.tolist() == [7, 0, 2]


def test_who_is_only_judged_has_no_likenesses(tmp_path: Path) -> None:
    ratings = Ratings.of("aabbc", "xyxzx", [5, 3, 2, 4, 1])
    model = method("EASE").fit(ratings)
    shelf.put_model(model, tmp_path / "twin")
    assert {path.name for path in (tmp_path / "twin").iterdir()} == {"about.json", "state.weights.npy"}
    twin = shelf.take_model(tmp_path / "twin").fold_in(ratings)
    assert np.array_equal(twin.scores(np.arange(3)), model.scores(np.arange(3)))
