"""Dresses named in files: `python -m ml.name`, and the same in Python."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import ml
from ml import name
from ml.deepdress import DeepDress
from ml.name import CatalogueRefused, name_files, read_catalogue
from tests.ml.manifests import write_manifest
from tests.verify.tiny_weights import write_tiny_weights

DRESS_5 = "8.jpg"  # of the manifest: the catalogue's photo of dress-5


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_weights(tmp_path_factory.mktemp("weights"))


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_manifest(tmp_path_factory.mktemp("photos"))


@pytest.fixture(scope="module")
def model(weights: Path) -> DeepDress:
    return ml.DeepDress.load(weights)


def test_a_manifests_catalogue_names_its_own_photo(model: DeepDress, manifest: Path) -> None:
    catalogue = read_catalogue(model, manifest)
    assert catalogue.dresses == [f"dress-{number}" for number in range(6)]
    photo = model.name([manifest.parent / DRESS_5], catalogue.index, k=2)[0]
    first, second = photo.candidates
    assert catalogue.dresses[first.dress] == "dress-5"
    assert first.probability >= second.probability
    assert sum(each.probability for each in photo.candidates) + photo.not_a_dress <= 1 + 1e-6
    assert len(model.name([manifest.parent / DRESS_5], catalogue.index, k=99)[0].candidates) == 6


def test_without_a_catalogue_only_not_a_dress_is_told(model: DeepDress, manifest: Path) -> None:
    photo = model.name([manifest.parent / DRESS_5])[0]
    assert (photo.candidates, 0 <= photo.not_a_dress <= 1) == ([], True)
    assert model.name([]) == []


def test_a_folder_has_a_dress_for_each_subfolder_and_each_file(
    model: DeepDress, manifest: Path, tmp_path: Path
) -> None:
    (tmp_path / "Luna" / "back").mkdir(parents=True)
    red = (manifest.parent / "0.jpg").read_bytes()
    for path in ("Luna/front.JPG", "Luna/back/1.jpg", "Sole.jpeg", "notes.txt"):
        (tmp_path / path).write_bytes(red)
    assert read_catalogue(model, tmp_path).dresses == ["Luna", "Sole"]


def test_an_unusable_catalogue_is_refused(model: DeepDress, tmp_path: Path) -> None:
    with pytest.raises(CatalogueRefused, match="no photo of a dress"):
        read_catalogue(model, tmp_path)
    (tmp_path / "Luna.jpg").write_bytes(b"no image")
    said: list[str] = []
    with pytest.raises(CatalogueRefused, match="none of its photos"):
        read_catalogue(model, tmp_path, said.append)
    assert "Luna.jpg" in said[0]


def test_unreadable_photos_are_complained_of_and_the_others_named(
    model: DeepDress, manifest: Path, tmp_path: Path
) -> None:
    (broken := tmp_path / "broken.jpg").write_bytes(b"no image")
    good, said = manifest.parent / DRESS_5, list[str]()
    photos = [broken, good, tmp_path / "missing.jpg", tmp_path, good]
    found = list(name_files(model, photos, None, 3, said.append))
    assert [path for path, _ in found] == [good]
    assert len(said) == 3
    assert said[1].endswith("missing.jpg: no such file")


def test_large_photos_wait_for_each_other_at_the_networks_size(
    model: DeepDress, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Image.linear_gradient("L").resize((300, 400)).save(photo := tmp_path / "large.png")
    alone, named, held = model.name([photo]), model.name, []

    def looking(photos: list[object], *more: object) -> object:
        held.extend(map(np.shape, photos))
        return named(photos, *more)  # type: ignore[arg-type]

    monkeypatch.setattr(model, "name", looking)
    assert list(name_files(model, [photo], None, 3, print)) == [(photo, *alone)]
    assert held == [(model.config.input_size, model.config.input_size, 3)]


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr(sys, "argv", ["ml.name", *map(str, arguments)])
    return name.main()


def test_the_command_prints_a_table_or_json(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], weights: Path, manifest: Path
) -> None:
    photo = manifest.parent / DRESS_5
    asked = [photo, "--weights", weights, "--catalogue", manifest, "--k", 2]
    assert run(monkeypatch, *asked) == 0
    assert "dress-5" in capsys.readouterr().out
    assert run(monkeypatch, *asked, "missing.jpg", "--json") == 1
    told = capsys.readouterr()
    line = json.loads(told.out)
    assert line["photo"] == str(photo)
    assert (line["candidates"][0]["dress"], len(line["candidates"])) == ("dress-5", 2)
    assert len(line["model_version"]) == 64
    assert told.err == "missing.jpg: no such file\n"


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [("--weights", "nowhere", "cannot be read"), ("--catalogue", "nowhere", "cannot be read")],
)
def test_what_the_command_cannot_use_is_one_line(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    weights: Path,
    option: str,
    value: str,
    said: str,
) -> None:
    assert run(monkeypatch, "a.jpg", "--weights", weights, option, value) == 1
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert said in lines[0]
