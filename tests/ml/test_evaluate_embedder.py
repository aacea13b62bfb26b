"""The figures of a finished model: what they count, and what a manifest cannot support."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from ml import evaluate_embedder
from ml.classifier_baseline import Classifier
from ml.deepdress import DeepDress, Embeddings
from ml.evaluate_embedder import HALVED, RECALIBRATED, Evaluation, Mistake, evaluate
from ml.held_out import HeldOut, read
from tests.ml.manifests import ROWS, write_manifest
from tests.verify.tiny_weights import write_tiny_weights


class Sighted(DeepDress):
    """Knows the answers, but for those it is told to get wrong."""

    def know(self, data: HeldOut, wrong: dict[int, int] | None = None) -> "Sighted":
        answers = data.dress.copy()
        for row, dress in (wrong or {}).items():
            answers[row] = dress
        self.vectors = np.eye(len(data.dresses) + 1, dtype=np.float32)[answers]
        self.none = np.where(answers == -1, 0.9, 0.1).astype(np.float32)
        return self

    def embed(self, photos: object, batch_size: int = 64) -> Embeddings:
        return Embeddings(self.vectors, self.none)


@pytest.fixture
def model(tmp_path: Path) -> Sighted:
    return Sighted.load(write_tiny_weights(tmp_path / "weights"), device="cpu")  # type: ignore[return-value]


def evaluated(data: HeldOut, model: Sighted, wrong: dict[int, int] | None = None) -> Evaluation:
    return evaluate(data, [model.know(data, wrong)])


def test_who_knows_everything_is_always_right(tmp_path: Path, model: Sighted) -> None:
    figures = evaluated(read(write_manifest(tmp_path)), model).as_json()
    perfect = {"1": 1.0, "3": 1.0, "5": 1.0, "20": 1.0}
    assert figures["recall"] == perfect
    assert figures["unseen"] == figures["near_twins"] == {"recall": perfect}
    assert figures["not_a_dress"] == {"auroc": 1.0, "average_precision": 1.0}
    assert figures["ece"] == pytest.approx(0.1, abs=0.001)  # always right, and 90% sure of it
    assert figures["conformal"] | {"threshold": 0} == {
        "promised": 0.9,
        "coverage": 1.0,
        "mean_size": 1.0,
        "threshold": 0,
    }
    assert figures["photos_per_second"] > 0
    assert figures["notes"] == []


def test_with_enough_validation_it_is_calibrated_anew_as_the_portal_is(
    tmp_path: Path, model: Sighted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evaluate_embedder, "ENOUGH", 6)
    monkeypatch.setattr(evaluate_embedder, "ENOUGH_OF_A_KIND", 6)
    figures = evaluated(read(write_manifest(tmp_path)), model).as_json()
    assert figures["ece"] < 0.09  # it was 90% sure, and always right
    assert figures["not_a_dress"]["auroc"] == 1
    assert figures["notes"] == [RECALIBRATED]


def test_recall_is_counted_for_unseen_dresses_and_near_twins_apart(tmp_path: Path, model: Sighted) -> None:
    data = read(write_manifest(tmp_path))
    dress_4, *_ = (row for row in data.posts("test") if data.dress[row] == 4)
    figures = evaluated(data, model, {dress_4: 3}).as_json()
    assert figures["recall"]["1"] == pytest.approx(11 / 12, abs=1e-4)
    assert figures["unseen"]["recall"]["1"] == pytest.approx(5 / 6, abs=1e-4)
    assert figures["near_twins"]["recall"]["1"] == pytest.approx(3 / 4, abs=1e-4)


def test_the_worst_mistakes_come_first_with_what_was_proposed(tmp_path: Path, model: Sighted) -> None:
    data = read(write_manifest(tmp_path))
    post, overlooked, *_ = data.posts("test")
    negative = data.negatives("test")[0]
    (found,) = evaluated(data, model, {post: 5, negative: 2, overlooked: -1}).versions
    assert {mistake.row for mistake in found.mistakes} == {post, overlooked, negative}
    by_row = {mistake.row: mistake for mistake in found.mistakes}
    assert by_row[post].proposed[0] == (5, pytest.approx(0.9, abs=0.01))
    assert by_row[negative].proposed[0][0] == 2
    assert by_row[overlooked].confidence == pytest.approx(0.9)  # in "not a dress"
    assert found.mistakes[-1] == by_row[post]  # a little less sure than the two others
    assert isinstance(found.mistakes[0], Mistake)


def test_every_photo_has_the_rank_of_its_right_answer(tmp_path: Path, model: Sighted) -> None:
    data = read(write_manifest(tmp_path))
    post, other, *_ = data.posts("test")
    negative = data.negatives("test")[0]
    (found,) = evaluated(data, model, {post: 5, negative: 2}).versions
    behind_all = len(data.dresses) + 1
    assert found.ranks[data.names[post]] == len(data.dresses)  # all others are as unlike as the right one
    assert found.ranks[data.names[other]] == 1
    assert found.ranks[data.names[negative]] == behind_all
    assert len(found.ranks) == len(data.posts("test")) + len(data.negatives("test"))
    model.know(data).vectors[:] = model.vectors[0]
    (blind,) = evaluate(data, [model]).versions
    assert {blind.ranks[data.names[row]] for row in data.posts("test")} == {len(data.dresses)}


class Knowing(Classifier):
    """The classes 0 to 2, which it always names right, and photos of none."""

    def __init__(self, data: HeldOut) -> None:
        self.dresses, self.truth = ["dress-2", "dress-0", "dress-1", "dress-gone"], data

    def probabilities(self, photos: object, batch_size: int = 64) -> npt.NDArray[np.float32]:
        columns = np.array([1, 2, 0, 3, 3, 3, -1])[self.truth.dress]
        return np.eye(5, dtype=np.float32)[columns]


def test_a_classifier_finds_what_it_was_trained_on_alone(tmp_path: Path, model: Sighted) -> None:
    data = read(write_manifest(tmp_path))
    found = evaluate(data, [model.know(data)], classifier=Knowing(data)).as_json()["baselines"]["classifier"]
    assert found["seen"]["recall"] == {"1": 1.0, "3": 1.0, "5": 1.0, "20": 1.0}
    assert found["recall"] == {"1": 0.5, "3": 0.5, "5": 0.5, "20": 0.5}
    assert found["unseen"] is None
    assert found["not_a_dress"]["auroc"] == 1.0


def test_what_a_manifest_cannot_support_is_null(tmp_path: Path, model: Sighted) -> None:
    rows = [row for row in ROWS if row[0] in (0, 1)]
    figures = evaluated(read(write_manifest(tmp_path, rows)), model).as_json()
    assert figures["recall"]["1"] == 1.0
    assert figures["unseen"] is figures["near_twins"] is figures["not_a_dress"] is None
    assert any("no unseen ones" in note for note in figures["notes"])


def test_without_a_catalogue_dress_or_not_is_left(tmp_path: Path, model: Sighted) -> None:
    rows = [row for row in ROWS if row[1] != "catalogue"]
    figures = evaluated(read(write_manifest(tmp_path, rows)), model).as_json()
    assert figures["recall"] is figures["unseen"] is figures["ece"] is figures["conformal"] is None
    assert figures["not_a_dress"] == {"auroc": 1.0, "average_precision": 1.0}
    assert any("12 posts whose dress cannot be named" in note for note in figures["notes"])


def test_without_validation_the_test_posts_are_halved_and_that_is_said(
    tmp_path: Path, model: Sighted
) -> None:
    rows = [row for row in ROWS if row[2] != "validation"]
    figures = evaluated(read(write_manifest(tmp_path, rows)), model).as_json()
    assert figures["notes"] == [HALVED]
    assert figures["conformal"]["coverage"] == 1.0


def test_option_sets_are_fitted_on_validation_and_not_on_what_is_measured(
    tmp_path: Path, model: Sighted
) -> None:
    """Wrong about every test post: a threshold fitted on them would show everything."""
    data = read(write_manifest(tmp_path))
    wrong = {row: (data.dress[row] + 1) % 6 for row in data.posts("test")}
    figures = evaluated(data, model, wrong).as_json()
    assert figures["conformal"]["coverage"] == 0.0
    assert figures["conformal"]["mean_size"] == 1.0


def test_baselines_and_another_version_stand_beside(tmp_path: Path) -> None:
    data = read(write_manifest(tmp_path))
    models = [DeepDress.load(write_tiny_weights(tmp_path / f"w{seed}", seed), "cpu") for seed in (1, 2)]
    figures = evaluate(data, models).as_json()
    assert figures["version"] == models[0].version[:12]
    assert figures["against"]["version"] == models[1].version[:12]
    assert figures["against"].keys() >= {"recall", "ece", "conformal", "photos_per_second"}
    assert set(figures["baselines"]) == {
        "colour histogram",
        "colour histogram of the middle",
        "untrained network",
    }
    assert figures["baselines"]["colour histogram"]["recall"]["1"] > 0.8  # dresses that are colours
    assert figures["photos"] == {
        "dresses_in_the_catalogue": 6,
        "posts": 12,
        "posts_whose_dress_is_in_the_catalogue": 12,
        "photos_without_a_dress": 6,
    }
