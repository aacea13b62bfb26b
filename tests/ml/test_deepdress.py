"""The shipped model and the way others call it."""

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ml import checkpoint
from ml.calibration import Calibration
from ml.deepdress import DeepDress
from ml.embedder import Embedder, size
from ml.photos import UnreadablePhoto


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> DeepDress:
    folder = tmp_path_factory.mktemp("model")
    torch.manual_seed(0)
    checkpoint.save(folder, Embedder(size("tiny")), Calibration(0.04, 2.0, 0.5), {"steps": 0})
    return DeepDress.load(folder, device="cpu")


def photos(count: int) -> list[Image.Image]:
    rng = np.random.default_rng(0)
    return [Image.fromarray(rng.integers(0, 255, (40, 30, 3), np.uint8)) for _ in range(count)]


def test_vectors_are_unit_and_probabilities_are_probabilities(model: DeepDress) -> None:
    vectors, not_a_dress = model.embed(photos(3))
    assert vectors.shape == (3, 128)
    assert vectors.dtype == not_a_dress.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)
    assert ((not_a_dress >= 0) & (not_a_dress <= 1)).all()
    assert model.temperature == 0.04
    assert len(model.version) == 64


def test_the_batch_size_changes_nothing(model: DeepDress) -> None:
    whole, parts = model.embed(photos(5)), model.embed(photos(5), batch_size=2)
    assert whole.vectors == pytest.approx(parts.vectors, abs=1e-4)
    assert whole.not_a_dress == pytest.approx(parts.not_a_dress, abs=1e-4)


def test_a_path_and_its_bytes_and_its_image_are_the_same_photo(model: DeepDress, tmp_path: Path) -> None:
    path = tmp_path / "photo.png"
    photos(1)[0].save(path)
    vectors = model.embed(
        [path, str(path), path.read_bytes(), Image.open(io.BytesIO(path.read_bytes()))]
    ).vectors
    assert (vectors == vectors[0]).all()


def test_no_photos_have_no_vectors(model: DeepDress) -> None:
    vectors, not_a_dress = model.embed([])
    assert vectors.shape == (0, 128)
    assert not_a_dress.shape == (0,)


def test_a_broken_photo_is_refused_by_name(model: DeepDress, tmp_path: Path) -> None:
    path = tmp_path / "broken.jpg"
    path.write_bytes(b"no image")
    with pytest.raises(UnreadablePhoto, match=r"broken\.jpg"):
        model.embed([*photos(1), path])
