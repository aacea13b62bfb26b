"""Photos to dream of: from folders and manifests, and what cannot be learnt from is refused in words."""

import errno
import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from ml.gan_judge import Floats, Judge
from ml.gan_photos import Collection, PhotosRefused, listing, read
from ml.manifest import ManifestError
from ml.photos import Pixels, UnreadablePhoto
from tests.ml.manifests import write_manifest
from tests.ml.small_gan import write_judge, write_photos


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Judge:
    return Judge(write_judge(tmp_path_factory.mktemp("judge")), torch.device("cpu"))


def kept(source: Path, tmp_path: Path, judge: Judge, **more: object) -> Collection:
    return read(source, 32, judge, tmp_path / "cache", **more)  # type: ignore[arg-type]


def test_a_folder_s_subfolders_are_classes_and_one_photo_in_ten_is_held_out(
    tmp_path: Path, judge: Judge
) -> None:
    data = kept(write_photos(tmp_path / "photos", 60), tmp_path, judge)
    assert data.classes == tuple(f"colour-{k}" for k in range(6))
    assert len(data.train) + len(data.held_out) == 60
    assert 2 <= len(data.held_out) <= 12
    assert not set(data.train.names) & set(data.held_out.names)
    for name, number in zip(data.train.names, data.train.classes, strict=True):
        assert data.classes[number] == f"colour-{int(Path(name).stem) % 6}"
    assert data.train.pixels.shape[1:] == (32, 32, 3)
    assert np.linalg.norm(data.train.vectors, axis=1) == pytest.approx(1, abs=1e-5)


def test_photos_are_decoded_once_and_again_when_they_change(
    tmp_path: Path, judge: Judge, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = write_photos(tmp_path / "photos")
    first = kept(source, tmp_path, judge)
    with monkeypatch.context() as patched:
        patched.setattr("ml.gan_photos.read_square", lambda *_: pytest.fail("decoded again"))
        assert kept(source, tmp_path, judge).digest == first.digest
    Image.new("RGB", (32, 32), "red").save(source / "colour-0" / "0.png")
    assert kept(source, tmp_path, judge).digest != first.digest


def test_trainings_that_decode_the_same_photos_at_once_do_not_disturb_each_other(
    tmp_path: Path, judge: Judge, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, look = write_photos(tmp_path / "photos"), judge.look

    def meanwhile(squares: Pixels) -> tuple[Floats, Floats]:
        monkeypatch.setattr(judge, "look", look)
        with monkeypatch.context() as another:
            another.setattr("ml.gan_photos.os", SimpleNamespace(getpid=lambda: 1), raising=False)
            kept(source, tmp_path, judge)
        return look(squares)

    monkeypatch.setattr(judge, "look", meanwhile)
    first, alone = kept(source, tmp_path, judge), kept(source, tmp_path / "alone", judge)
    assert first.digest == alone.digest
    assert np.array_equal(first.train.vectors, alone.train.vectors)
    assert {path.suffix for path in (tmp_path / "cache").iterdir()} == {".npy"}


def test_another_processors_rounding_makes_no_other_photos_of_them(
    tmp_path: Path, judge: Judge, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = write_photos(tmp_path / "photos")
    first = kept(source, tmp_path / "here", judge)
    look = judge.look

    def rounded_otherwise(squares: Pixels) -> tuple[Floats, Floats]:
        features, vectors = look(squares)
        return features, np.nextafter(vectors, np.float32(2))

    monkeypatch.setattr(judge, "look", rounded_otherwise)
    there = kept(source, tmp_path / "there", judge)
    assert not np.array_equal(there.train.vectors, first.train.vectors)
    assert there.digest == first.digest


def test_photos_of_any_shape_are_fitted_into_the_square(tmp_path: Path, judge: Judge) -> None:
    source = write_photos(tmp_path / "photos", 30)
    for number, shape in enumerate([(90, 30), (8, 8), (31, 200)]):
        Image.linear_gradient("L").resize(shape).save(source / f"odd-{number}.png")
    assert len(kept(source, tmp_path, judge).train.pixels[0]) == 32


def test_others_can_be_held_out(tmp_path: Path, judge: Judge) -> None:
    source, others = write_photos(tmp_path / "photos"), write_photos(tmp_path / "others", 7)
    data = kept(source, tmp_path, judge, held_out=others)
    assert (len(data.train), len(data.held_out)) == (40, 7)


def test_a_manifest_s_dresses_alone_are_dreamt_of_and_its_splits_held_out(
    tmp_path: Path, judge: Judge
) -> None:
    rows = [json.loads(line) for line in write_manifest(tmp_path).read_text().splitlines()]
    data = kept(tmp_path / "manifest.jsonl", tmp_path, judge)
    dresses = [row for row in rows if row["dress"] is not None]
    assert set(data.train.names) == {row["photo"] for row in dresses if row["split"] == "train"}
    assert set(data.held_out.names) == {row["photo"] for row in dresses if row["split"] != "train"}


def test_an_attribute_s_values_are_classes(tmp_path: Path, judge: Judge) -> None:
    manifest = write_manifest(tmp_path)
    rows = [json.loads(line) for line in manifest.read_text().splitlines()]
    for place, row in enumerate(rows):
        row["attributes"] = {"sleeve": ("puff", "none")[place % 2]}
    manifest.write_text("\n".join(map(json.dumps, rows)))
    assert kept(manifest, tmp_path, judge, attribute="sleeve").classes == ("none", "puff")
    with pytest.raises(PhotosRefused, match=r"33 photos, .*0\.jpg first, without 'hem'"):
        listing(manifest, "hem")


def test_a_folder_has_no_attributes(tmp_path: Path, judge: Judge) -> None:
    with pytest.raises(PhotosRefused, match=r"photos: --attribute sleeve expects a manifest"):
        kept(write_photos(tmp_path / "photos"), tmp_path, judge, attribute="sleeve")


def test_three_photos_are_too_few(tmp_path: Path, judge: Judge) -> None:
    with pytest.raises(PhotosRefused, match=r"3 photos to train on and 0 held out; expected hundreds"):
        kept(write_photos(tmp_path / "photos", 3), tmp_path, judge)


def test_photos_of_one_colour_and_one_photo_many_times_are_refused(tmp_path: Path, judge: Judge) -> None:
    for name, said in (("plain", "each photo is of one colour"), ("same", "the photos are all the same")):
        folder = tmp_path / name
        folder.mkdir()
        for number in range(40):
            shade = 6 * number if name == "plain" else 77
            Image.new("RGB", (32, 32), (shade, shade, shade)).save(folder / f"{number}.png")
        with pytest.raises(PhotosRefused, match=f"{name}: {said}"):
            kept(folder, tmp_path, judge)


def test_what_is_no_photo_is_named_and_nothing_half_decoded_stays(tmp_path: Path, judge: Judge) -> None:
    source = write_photos(tmp_path / "photos", 80)
    for number in (3, 9):
        path = source / f"colour-{number % 6}" / f"{number}.png"
        path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(UnreadablePhoto, match=r"[39]\.png: not a readable .*\(and 1 more of 80 photos\)"):
        kept(source, tmp_path, judge)
    assert not list((tmp_path / "cache").iterdir())


def test_a_full_disk_leaves_nothing_half_decoded(
    tmp_path: Path, judge: Judge, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("ml.arrays.os.posix_fallocate", full)
    monkeypatch.setattr("ml.gan_photos.read_square", lambda *_: pytest.fail("decoded in vain"))
    with pytest.raises(OSError, match=r"No space left on device, .* MB are needed: '.*/cache/gan-"):
        kept(write_photos(tmp_path / "photos"), tmp_path, judge)
    assert not list((tmp_path / "cache").iterdir())


def test_no_folder_no_photo_and_no_manifest_are_refused(tmp_path: Path) -> None:
    with pytest.raises(PhotosRefused, match="expected a folder of photos, or a manifest"):
        listing(tmp_path / "nowhere")
    (tmp_path / "notes.txt").write_text("no photo")
    with pytest.raises(PhotosRefused, match="no photo in it"):
        listing(tmp_path)
    with pytest.raises(ManifestError, match=r"notes\.txt:1: expected an object"):
        listing(tmp_path / "notes.txt")
