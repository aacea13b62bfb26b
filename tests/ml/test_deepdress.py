"""The shipped model and the way others call it."""

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from ml import checkpoint, deepdress
from ml.calibration import Calibration
from ml.deepdress import DeepDress, OutOfMemory
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
    """Of noise, and of a photo of one pixel, too."""
    vectors, not_a_dress = model.embed([*photos(2), Image.new("RGB", (1, 1))])
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


def test_a_photo_and_its_mirror_image_are_the_same_to_who_looks_at_both(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = Embedder(replace(size("tiny"), mirrored=True))
    checkpoint.save(tmp_path, network, Calibration(), {})
    photo = photos(1)[0]
    mirrored = photo.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    found = DeepDress.load(tmp_path, device="cpu").embed([photo, mirrored])
    assert found.vectors[0] == pytest.approx(found.vectors[1], abs=1e-4)
    assert found.not_a_dress[0] == pytest.approx(found.not_a_dress[1], abs=1e-4)
    assert np.linalg.norm(found.vectors, axis=1) == pytest.approx(1, abs=1e-5)


def test_no_photos_have_no_vectors(model: DeepDress) -> None:
    vectors, not_a_dress = model.embed([])
    assert vectors.shape == (0, 128)
    assert not_a_dress.shape == (0,)


def test_a_broken_photo_is_refused_by_name(model: DeepDress, tmp_path: Path) -> None:
    path = tmp_path / "broken.jpg"
    path.write_bytes(b"no image")
    with pytest.raises(UnreadablePhoto, match=r"broken\.jpg"):
        model.embed([*photos(1), path])


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("MPS backend out of memory"), None])
def test_a_batch_that_does_not_fit_is_halved(
    model: DeepDress, monkeypatch: pytest.MonkeyPatch, error: Exception | None
) -> None:
    expected = model.embed(photos(7))
    sizes = only_fits(monkeypatch, 2, error or torch.OutOfMemoryError("CUDA out of memory"))
    found = model.embed(photos(7))
    assert sizes == [7, 3, 1, 2, 4, 2, 2]
    assert found.vectors == pytest.approx(expected.vectors, abs=1e-4)
    assert found.not_a_dress == pytest.approx(expected.not_a_dress, abs=1e-4)


def test_a_photo_that_does_not_fit_alone_is_refused(
    model: DeepDress, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = only_fits(monkeypatch, 0, MemoryError())
    with pytest.raises(OutOfMemory, match="one photo"):
        model.embed(photos(4))
    assert sizes == [4, 2, 1]


def test_other_errors_are_no_lack_of_memory(model: DeepDress, monkeypatch: pytest.MonkeyPatch) -> None:
    only_fits(monkeypatch, 0, RuntimeError("shapes do not match"))
    with pytest.raises(RuntimeError, match="shapes"):
        model.embed(photos(4))


def only_fits(monkeypatch: pytest.MonkeyPatch, most: int, error: Exception) -> list[int]:
    """A network that raises above so many photos; the sizes that it is asked for."""
    sizes: list[int] = []

    def embed_batch(network: torch.nn.Module, batch: torch.Tensor, device: torch.device) -> Any:
        sizes.append(len(batch))
        if len(batch) > most:
            raise error
        return whole(network, batch, device)

    whole = deepdress.embed_batch
    monkeypatch.setattr(deepdress, "embed_batch", embed_batch)
    return sizes
