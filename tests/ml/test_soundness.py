"""A checkpoint that loads and is of no use all the same."""

from pathlib import Path

import numpy as np
import pytest

from ml.checkpoint import CheckpointRefused
from ml.deepdress import DeepDress, Embeddings
from ml.soundness import check
from tests.verify.tiny_weights import write_tiny_weights


@pytest.fixture
def model(tmp_path: Path) -> DeepDress:
    return DeepDress.load(write_tiny_weights(tmp_path), device="cpu")


def test_random_weights_are_sound(model: DeepDress) -> None:
    check(model)


@pytest.mark.parametrize(
    ("vector", "probability", "told"),
    [([np.nan, 0], 0.5, "length nan"), ([0, 0], 0.5, "length 0.0"), ([1, 0], np.nan, "at nan")],
)
def test_what_cannot_be_used_is_refused(
    model: DeepDress, monkeypatch: pytest.MonkeyPatch, vector: list[float], probability: float, told: str
) -> None:
    found = Embeddings(np.array([vector], np.float32), np.array([probability], np.float32))
    monkeypatch.setattr(model, "embed", lambda photos: found)
    with pytest.raises(CheckpointRefused, match=told):
        check(model)


@pytest.mark.parametrize("temperature", [0, -1, float("nan"), float("inf")])
def test_a_temperature_that_is_none(model: DeepDress, temperature: float) -> None:
    model.temperature = temperature
    with pytest.raises(CheckpointRefused, match="temperature"):
        check(model)
