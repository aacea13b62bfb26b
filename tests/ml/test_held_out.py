"""What of a manifest is named, by which catalogue, and what cannot be evaluated."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from ml.held_out import HeldOut, draw, read
from ml.manifest import ManifestError
from ml.training_set import NO_DRESS
from tests.ml.manifests import ROWS, write_manifest


@pytest.fixture
def data(tmp_path: Path) -> HeldOut:
    return read(write_manifest(tmp_path))


def test_posts_and_negatives_of_a_split_are_named_by_the_whole_catalogue(data: HeldOut) -> None:
    assert data.dress[data.posts("test")].tolist() == [0, 1, 2, 3, 4, 5] * 2
    assert len(data.negatives("test")) == 6
    assert len(data.negatives("validation")) == 6
    assert data.dress[data.catalogue].tolist() == [0, 1, 2, 3, 4, 5]
    assert len(data.posts("train")) == 0  # nothing that was trained on is decoded again


def test_a_dress_is_seen_if_any_of_its_photos_was_trained_on(data: HeldOut) -> None:
    assert data.seen.tolist() == [True, True, True, False, False, False]


def test_both_of_a_pair_are_near_twins(data: HeldOut) -> None:
    assert data.twins.tolist() == [False, False, False, True, True, False]


def test_a_dress_without_a_catalogue_photo_cannot_be_named(tmp_path: Path) -> None:
    rows = [row for row in ROWS if row[:2] != (5, "catalogue")]
    data = read(write_manifest(tmp_path, rows))
    assert 5 in data.dress[data.posts("test")]
    assert 5 not in data.dress[data.nameable(data.posts("test"))]


def test_a_catalogue_of_one_dress_names_nothing(tmp_path: Path) -> None:
    rows = [row for row in ROWS if row[0] in (0, None)]
    data = read(write_manifest(tmp_path, rows))
    assert len(data.posts("test")) == 2
    assert len(data.nameable(data.posts("test"))) == 0


def test_halves_are_the_same_wherever_the_photos_lie(data: HeldOut, tmp_path: Path) -> None:
    shutil.copytree(tmp_path, tmp_path / "elsewhere")
    posts = data.posts("test")
    first, second = data.halves(posts)
    assert sorted([*first, *second]) == posts.tolist()
    assert 0 < len(first) < len(posts)
    again = read(tmp_path / "elsewhere" / "manifest.jsonl").halves(posts)
    assert [half.tolist() for half in again] == [first.tolist(), second.tolist()]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([row for row in ROWS if row[2] != "test" or row[1] == "catalogue"], "no photo to name"),
        ([row for row in ROWS if row[0] == 2], "every photo shows the dress 'dress-2'; .* two classes"),
        ([row for row in ROWS if row[0] is None], "every photo shows no dress"),
        ([], "no photo to name"),
    ],
)
def test_what_cannot_be_evaluated_is_refused(tmp_path: Path, rows: list, message: str) -> None:
    path = write_manifest(tmp_path, rows or ROWS)
    if not rows:
        path.write_text("\n")
    with pytest.raises(ManifestError, match=message):
        read(path)


def test_a_manifest_that_is_none_is_named(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=r"gone\.jsonl: cannot be read \(No such file"):
        read(tmp_path / "gone.jsonl")
    (tmp_path / "photo.jsonl").write_bytes(b"\xff\xd8\xff\xe0")
    with pytest.raises(ManifestError, match=r"photo\.jsonl: expected JSON lines"):
        read(tmp_path / "photo.jsonl")


def test_a_drawn_wardrobe_has_seen_and_unseen_dresses(tmp_path: Path) -> None:
    data = draw(2, 5, tmp_path)
    posts = data.posts("test")
    assert 0 < data.seen[data.dress[posts]].sum() < len(posts)
    assert len(data.nameable(posts)) == len(posts)
    assert len(data.negatives("test")) == 9
    assert (data.dress[data.catalogue] != NO_DRESS).all()
    assert all(path.is_file() for path in data.photos)
    assert np.unique(data.split).tolist() == ["test", "train", "validation"]
