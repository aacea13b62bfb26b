"""Photos to compare methods on: what is read, and what is refused in plain words."""

import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from ml.scarce.photo_sets import PhotoSet, PhotosRefused, clothing, fashion_mnist
from tests.ml.scarce.toys import idx, toys, write_fashion_mnist

TRAIN = "train-images-idx3-ubyte.gz"


def test_fashion_mnist_is_read_with_a_margin(tmp_path: Path) -> None:
    write_fashion_mnist(tmp_path)
    found = fashion_mnist(tmp_path)
    assert found.train.shape == found.test.shape == (20, 32, 32, 1)
    assert found.classes[found.dress] == "dress"
    assert found.train_labels.tolist() == [*range(10), *range(10)]
    content = gzip.decompress((tmp_path / TRAIN).read_bytes())[16:]
    assert found.train[3, 2:-2, 2:-2, 0].tobytes() == content[3 * 784 : 4 * 784]
    assert not found.train[:, :2].any()
    assert not found.train[:, :, -2:].any()


def test_files_may_be_unpacked(tmp_path: Path) -> None:
    write_fashion_mnist(tmp_path)
    packed = fashion_mnist(tmp_path)
    for path in list(tmp_path.iterdir()):
        path.with_suffix("").write_bytes(gzip.decompress(path.read_bytes()))
        path.unlink()
    assert fashion_mnist(tmp_path).sha256 == packed.sha256


BROKEN: dict[str, Callable[[bytes], bytes]] = {
    "cannot be read": lambda photos: photos[:-40],
    "not an IDX file": lambda _: gzip.compress(b"photos"),
    "truncated or altered": lambda photos: gzip.compress(gzip.decompress(photos)[:-1]),
    "19 photos and 20 labels": lambda _: gzip.compress(idx(np.zeros((19, 28, 28)))),
    "expected 28 x 28": lambda _: gzip.compress(idx(np.zeros((20, 32, 32)))),
}


@pytest.mark.parametrize("told", list(BROKEN))
def test_a_broken_file_is_named(tmp_path: Path, told: str) -> None:
    write_fashion_mnist(tmp_path)
    photos = tmp_path / TRAIN
    photos.write_bytes(BROKEN[told](photos.read_bytes()))
    with pytest.raises(PhotosRefused, match=told) as refused:
        fashion_mnist(tmp_path)
    assert str(tmp_path) in str(refused.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(PhotosRefused, match=r"no file train-images-idx3-ubyte\.gz"):
        fashion_mnist(tmp_path)


def test_a_label_of_no_class_and_a_class_of_no_photo_are_refused(tmp_path: Path) -> None:
    write_fashion_mnist(tmp_path)
    labels = tmp_path / "train-labels-idx1-ubyte.gz"
    labels.write_bytes(gzip.compress(idx(np.full(20, 11))))
    with pytest.raises(PhotosRefused, match="label 11, expected 0 to 9"):
        fashion_mnist(tmp_path)
    labels.write_bytes(gzip.compress(idx(np.arange(20) % 9)))
    with pytest.raises(PhotosRefused, match="no photo of class 'ankle boot' to train on"):
        fashion_mnist(tmp_path)


def write_clothing(folder: Path) -> None:
    for part, count in (("train", 3), ("validation", 1), ("test", 2)):
        for place, name in enumerate(("dress", "hat")):
            (folder / part / name).mkdir(parents=True)
            for number in range(count):
                Image.new("RGB", (40, 60), (90 * place, 9, number)).save(
                    folder / part / name / f"{number}.jpg"
                )


def test_clothes_are_learnt_from_train_and_measured_on_the_rest(tmp_path: Path) -> None:
    write_clothing(tmp_path)
    (tmp_path / "train/dress/notes.txt").write_text("no photo")
    found = clothing(tmp_path, side=16)
    assert found.classes == ("dress", "hat")
    assert found.train.shape == found.test.shape == (6, 16, 16, 3)
    assert found.train_labels.tolist() == [0, 0, 0, 1, 1, 1]
    assert found.test_labels.tolist() == [0, 1, 0, 0, 1, 1]


def test_clothes_that_cannot_be_used_are_refused(tmp_path: Path) -> None:
    with pytest.raises(PhotosRefused, match="no folder train/"):
        clothing(tmp_path)
    write_clothing(tmp_path)
    (tmp_path / "test/sock").mkdir()
    with pytest.raises(PhotosRefused, match="class 'sock', which train/ has not"):
        clothing(tmp_path)
    (tmp_path / "test/sock").rmdir()
    (tmp_path / "train/hat/0.jpg").write_bytes(b"\xff\xd8\xff no more")
    with pytest.raises(PhotosRefused, match=r"hat/0\.jpg: not a readable image"):
        clothing(tmp_path)


def test_clothes_without_a_dress_are_refused(tmp_path: Path) -> None:
    write_clothing(tmp_path)
    for part in ("train", "validation", "test"):
        (tmp_path / part / "dress").rename(tmp_path / part / "gown")
    with pytest.raises(PhotosRefused, match="expected 'dress' and others"):
        clothing(tmp_path)


def unequal(sizes: list[int]) -> PhotoSet:
    labels = np.repeat(np.arange(len(sizes)), sizes)
    pixels = np.zeros((len(labels), 1, 1, 1), np.uint8)
    return PhotoSet("unequal", tuple(map(str, range(len(sizes)))), pixels, labels, pixels, labels)


@given(st.lists(st.integers(1, 40), min_size=2, max_size=6), st.data())
def test_labels_are_as_the_classes_are_and_of_each_one(sizes: list[int], data: st.DataObject) -> None:
    count = data.draw(st.integers(len(sizes), sum(sizes)))
    photos = unequal(sizes)
    rows = photos.labelled(count, data.draw(st.integers(0, 9)))
    assert len(set(rows.tolist())) == count
    found = np.bincount(photos.train_labels[rows], minlength=len(sizes))
    assert found.min() >= 1
    exact = count * np.array(sizes) / sum(sizes)
    # Classes so small that their share is below 1 get one photo, at the expense of others.
    assert (np.abs(found - exact) <= 1 + len(sizes)).all()


def test_other_seeds_label_other_photos() -> None:
    photos = toys()
    assert photos.labelled(12, 1).tolist() == photos.labelled(12, 1).tolist()
    assert photos.labelled(12, 1).tolist() != photos.labelled(12, 2).tolist()


@pytest.mark.parametrize(
    ("count", "told"), [(2, "2 labels for 3 classes"), (181, "has 180 photos to train on")]
)
def test_too_few_and_too_many_labels_are_refused(count: int, told: str) -> None:
    with pytest.raises(PhotosRefused, match=told):
        toys().labelled(count, 0)
