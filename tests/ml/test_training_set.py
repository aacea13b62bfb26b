"""A drawn training set: splits that share no dress, pixels that are drawn once."""

import errno
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from ml.photos import Pixels, UnreadablePhoto
from ml.training_set import NO_DRESS, TrainingSet, draw, from_manifest
from tests.ml.manifests import write_manifest


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("drawn")


@pytest.fixture(scope="module")
def drawn(folder: Path) -> TrainingSet:
    return draw(4, folder, input_size=24, seed=5, streets=2, workers=1)


def test_photos_are_a_little_larger_than_the_input(drawn: TrainingSet) -> None:
    assert drawn.pixels.shape == (len(drawn.dress), 27, 27, 3)
    assert drawn.pixels.reshape(len(drawn.dress), -1).std(axis=1).min() > 3


def test_held_out_dresses_are_never_trained_on(drawn: TrainingSet) -> None:
    trained, validation = set(drawn.dress[drawn.rows("train")]), set(drawn.dress[drawn.rows("validation")])
    catalogue = set(drawn.dress[drawn.rows("test", catalogue=True)])
    assert len(trained) == 4
    assert not trained & validation
    assert not (trained | validation) & catalogue


def test_trained_dresses_have_test_photos_of_their_own(drawn: TrainingSet) -> None:
    posts = drawn.rows("test", catalogue=False)
    assert np.isin(drawn.dress[posts], drawn.dress[drawn.rows("train")]).sum() == 4


def test_every_split_has_photos_without_a_dress(drawn: TrainingSet) -> None:
    for split in ("train", "validation", "test"):
        rows = drawn.rows(split, dress=False)
        assert len(rows) > 0
        assert (drawn.dress[rows] == NO_DRESS).all()
        assert set(drawn.role[rows]) == {"negative"}


def test_a_full_disk_leaves_nothing_half_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("ml.arrays.os.posix_fallocate", full)
    with pytest.raises(OSError, match=r"No space left on device, .* MB are needed: '"):
        draw(4, tmp_path, input_size=24, seed=5, streets=2, workers=1)
    assert not list(tmp_path.iterdir())


def test_the_same_seed_draws_the_same_photos_once(drawn: TrainingSet, folder: Path, tmp_path: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    again = draw(4, folder, input_size=24, seed=5, streets=2, workers=1)
    elsewhere = draw(4, tmp_path, input_size=24, seed=5, streets=2, workers=2)
    other = draw(4, tmp_path, input_size=24, seed=6, streets=2, workers=2)
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == before
    assert drawn.description == again.description == elsewhere.description
    assert other.description["sha256"] != drawn.description["sha256"]


def test_trainings_that_decode_the_same_photos_at_once_do_not_disturb_each_other(
    drawn: TrainingSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    again = partial(draw, 4, tmp_path, input_size=24, seed=5, streets=2, workers=1)

    def meanwhile(made: Iterator[Pixels], *_: object, **__: object) -> Iterator[Pixels]:
        with monkeypatch.context() as another:
            another.setattr("ml.training_set.os", SimpleNamespace(getpid=lambda: 1), raising=False)
            another.setattr("ml.training_set.tqdm", lambda made, *_, **__: made)
            again()
        return made

    monkeypatch.setattr("ml.training_set.tqdm", meanwhile)
    assert np.array_equal(again().pixels, drawn.pixels)
    assert [path.suffix for path in tmp_path.iterdir()] == [".npy"]


def test_nothing_half_decoded_stays(tmp_path: Path) -> None:
    manifest = write_manifest(tmp_path)
    (tmp_path / "3.jpg").write_bytes(b"no photo")
    with pytest.raises(UnreadablePhoto, match=r"3\.jpg"):
        from_manifest(manifest, tmp_path / "cache", 24, workers=1)
    assert not list((tmp_path / "cache").iterdir())
