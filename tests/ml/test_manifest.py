"""A manifest that would teach something wrong is refused, by line; what it cannot teach is said."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ml.manifest import ManifestError, manifest_rows
from ml.train_embedder import Options, train
from ml.training_set import NO_DRESS, TrainingSet, from_manifest

Entry = dict[str, Any]


def draw_photo(path: Path, seed: int) -> None:
    path.parent.mkdir(exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 255, (24, 20, 3)).astype(np.uint8)
    Image.fromarray(pixels).save(path)


def entry(folder: Path, photo: str, dress: str | None, **fields: Any) -> Entry:
    """A line, and its photo."""
    draw_photo(folder / photo, sum(map(ord, photo)))
    role = "negative" if dress is None else "catalogue"
    return {"photo": photo, "dress": dress, "role": role, "split": "train", **fields}


@pytest.fixture
def entries(tmp_path: Path) -> list[Entry]:
    """Two dresses of two photos each, a negative, and a photo of each dress to test on."""
    names = [("a1.png", "aurora"), ("a2.png", "aurora"), ("b1.png", "belle"), ("b2.png", "belle")]
    train = [entry(tmp_path, *name) for name in [*names, ("bag.png", None)]]
    test = [entry(tmp_path, f"{name}.png", name, role="look", split="test") for name in ("aurora", "belle")]
    return train + test


def write(folder: Path, entries: list[Entry]) -> Path:
    path = folder / "manifest.jsonl"
    path.write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    return path


def read(folder: Path, entries: list[Entry]) -> TrainingSet:
    return from_manifest(write(folder, entries), folder / "cache", input_size=24, workers=1)


def test_a_sound_manifest_has_no_remarks(tmp_path: Path, entries: list[Entry]) -> None:
    data = read(tmp_path, entries)
    assert data.description["remarks"] == []
    assert (data.description["photos"], data.description["dresses"]) == (7, 2)


def test_the_same_photo_in_two_splits_is_refused(tmp_path: Path, entries: list[Entry]) -> None:
    (tmp_path / "copy.png").write_bytes((tmp_path / "a2.png").read_bytes())
    leak = {**entries[1], "photo": "copy.png", "split": "test"}
    message = r"manifest\.jsonl:8: .*copy\.png in the split 'test' is the same photo as line 2's in 'train'"
    with pytest.raises(ManifestError, match=message):
        read(tmp_path, [*entries, leak])


def test_the_same_photo_as_a_negative_elsewhere_is_refused(tmp_path: Path, entries: list[Entry]) -> None:
    (tmp_path / "copy.png").write_bytes((tmp_path / "aurora.png").read_bytes())
    leak = {**entries[4], "photo": "copy.png", "split": "validation"}
    with pytest.raises(ManifestError, match=r":8: .*'validation' is the same photo as line 6's in 'test'"):
        read(tmp_path, [*entries, leak])


def test_a_copy_in_the_same_split_is_no_leak(tmp_path: Path, entries: list[Entry]) -> None:
    (tmp_path / "copy.png").write_bytes((tmp_path / "a2.png").read_bytes())
    assert len(manifest_rows(write(tmp_path, [*entries, {**entries[1], "photo": "copy.png"}]))) == 8


@pytest.mark.parametrize("photo", ["a1.png", "./a1.png", "nowhere/../a1.png"])
def test_a_line_twice_is_refused(tmp_path: Path, entries: list[Entry], photo: str) -> None:
    (tmp_path / "nowhere").mkdir()
    with pytest.raises(ManifestError, match=r":8: .*a1\.png again, after line 1; expected a line a photo"):
        read(tmp_path, [*entries, {**entries[0], "photo": photo}])


def test_blank_lines_count_as_lines(tmp_path: Path, entries: list[Entry]) -> None:
    path = write(tmp_path, entries)
    path.write_text("\n\n" + path.read_text() + json.dumps(entries[0]))
    with pytest.raises(ManifestError, match=r":10: .* again, after line 3"):
        manifest_rows(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"photo": "gone.png"}, r":1: no file .*gone\.png"),
        ({"photo": "."}, r":1: no file "),
        ({"photo": 7}, r":1: expected an object"),
        ({"dress": ""}, r":1: dress ''; expected an id or null"),
        ({"dress": ["aurora"]}, r":1: dress \['aurora'\]; expected an id or null"),
        ({"dress": True}, r":1: dress True; expected an id or null"),
        ({"role": "negative"}, r":1: role 'negative' with dress 'aurora'"),
        ({"weight": 0}, r":1: weight 0.0; expected a number above 0"),
        ({"weight": float("nan")}, r":1: weight nan; expected a number above 0"),
        ({"weight": float("inf")}, r":1: weight inf; expected a number above 0"),
        ({"generated": "yes"}, r":1: generated 'yes'; expected true or false"),
    ],
)
def test_a_wrong_value_is_named(tmp_path: Path, entries: list[Entry], change: Entry, message: str) -> None:
    with pytest.raises(ManifestError, match=message):
        read(tmp_path, [{**entries[0], **change}, *entries[1:]])


@pytest.mark.parametrize("split", ["validation", "test"])
def test_generated_photos_are_only_trained_on(tmp_path: Path, entries: list[Entry], split: str) -> None:
    made = entry(tmp_path, "generated/1.png", "aurora", role="look", generated=True, weight=0.25)
    data = read(tmp_path, [*entries, made])
    assert data.weight[-1] == 0.25
    assert data.split[-1] == "train"
    with pytest.raises(ManifestError, match=f":8: a generated photo in the split '{split}'"):
        read(tmp_path, [*entries, {**made, "split": split}])


def test_without_a_dress_there_is_nothing_to_learn(tmp_path: Path, entries: list[Entry]) -> None:
    with pytest.raises(ManifestError, match="no photo of a dress in the split 'train'"):
        read(tmp_path, entries[4:])
    with pytest.raises(ManifestError, match="no photo of a dress in the split 'train'"):
        read(tmp_path, [])


def test_one_dress_cannot_be_told_from_another(tmp_path: Path, entries: list[Entry]) -> None:
    with pytest.raises(ManifestError, match="'aurora' is the one dress in the split 'train'"):
        read(tmp_path, [*entries[:2], *entries[4:]])


@pytest.mark.parametrize(
    ("left_out", "remark"),
    [
        (4, "no negative in the split 'train': .* never say 'not a dress'"),
        (1, "dresses with one photo, paired with itself, augmented: 1 of 2"),
    ],
)
def test_what_cannot_be_learnt_is_said_and_the_rest_trained(
    tmp_path: Path, entries: list[Entry], capsys: pytest.CaptureFixture[str], left_out: int, remark: str
) -> None:
    path = write(tmp_path, entries[:left_out] + entries[left_out + 1 :])
    chosen = Options(
        *(tmp_path / "model", path), steps=3, device="cpu", size="tiny", workers=1, cache=tmp_path / "cache"
    )
    metrics = train(chosen)
    assert metrics["steps"] == 3
    assert [re.search(remark, said) is not None for said in metrics["data"]["remarks"]] == [True]
    assert re.search(f"train_embedder: {remark}", capsys.readouterr().err)


def test_a_file_that_is_no_manifest_is_said(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="cannot be read"):
        manifest_rows(tmp_path / "nowhere.jsonl")
    (tmp_path / "photo.jsonl").write_bytes(b"\xff\xd8\xff\xe0")
    with pytest.raises(ManifestError, match="this is no text"):
        manifest_rows(tmp_path / "photo.jsonl")


def test_photos_that_nobody_has_named_follow_without_those_that_somebody_has(
    tmp_path: Path, entries: list[Entry]
) -> None:
    """The same bytes count as the same photo, whatever they are called; what is no photo is passed over."""
    posts = tmp_path / "posts"
    for name, seed in {"a.png": 2, "again.png": 2, "below/new.png": 1}.items():
        draw_photo(posts / name, seed)
    (posts / "tested.png").write_bytes((tmp_path / "belle.png").read_bytes())
    (posts / "notes.txt").write_text("not a photo")
    data = from_manifest(write(tmp_path, entries), tmp_path / "cache", 24, 1, posts)
    others = data.rows("unlabelled", dress=False)
    assert others.tolist() == [7, 8]
    assert set(data.role[others]) == {"unlabelled"}
    assert (data.dress[others] == NO_DRESS).all()
    assert data.description["unlabelled"] == 2
    assert data.rows("train", dress=False).tolist() == [4]  # the negative alone


@pytest.mark.parametrize(
    ("photos", "told"),
    [
        ([], "none of its 0 photos"),
        (["a1.png"], "none of its 1 photos is without a name"),
        (None, "a folder"),
    ],
)
def test_a_folder_without_other_photos_is_refused(
    tmp_path: Path, entries: list[Entry], photos: list[str] | None, told: str
) -> None:
    posts = tmp_path / "posts"
    for name in photos or []:
        posts.mkdir()
        (posts / name).write_bytes((tmp_path / name).read_bytes())
    if photos == []:
        posts.mkdir()
    with pytest.raises(ManifestError, match=told):
        from_manifest(write(tmp_path, entries), tmp_path / "cache", 24, 1, posts)
