"""``manage.py evaluate_deepdress``: its files, its table, its complaints."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from tests.ml.manifests import ROWS, write_manifest
from tests.verify.tiny_weights import write_tiny_weights
from verify.management.commands import evaluate_deepdress


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_weights(tmp_path_factory.mktemp("weights"))


@pytest.fixture(autouse=True)
def _tiny_is_the_portals(settings: Any, weights: Path) -> None:
    settings.DEEPDRESS_WEIGHTS = weights


def evaluate(*options: object) -> str:
    said = io.StringIO()
    call_command("evaluate_deepdress", *map(str, options), stdout=said)
    return said.getvalue()


def test_figures_are_written_and_told(tmp_path: Path) -> None:
    told = evaluate("--manifest", write_manifest(tmp_path), "--json", tmp_path / "out.json")
    figures = json.loads((tmp_path / "out.json").read_text())
    assert set(figures["recall"]) == {"1", "3", "5", "20"}
    assert set(figures["unseen"]["recall"]) == {"1", "3", "5", "20"}
    assert figures["not_a_dress"].keys() == {"auroc", "average_precision"}
    assert 0 <= figures["ece"] <= 1
    assert figures["conformal"].keys() >= {"promised", "coverage", "mean_size"}
    assert figures["photos_per_second"] > 0
    assert f"{figures['recall']['1']:.1%}" in told
    assert "colour histogram" in told


def test_another_version_stands_beside(tmp_path: Path) -> None:
    other = write_tiny_weights(tmp_path / "other", seed=2)
    options = ["--manifest", write_manifest(tmp_path), "--json", tmp_path / "out.json"]
    told = evaluate(*options, "--against", other)
    figures = json.loads((tmp_path / "out.json").read_text())
    assert figures["version"] in told
    assert figures["against"]["version"] in told
    assert figures["against"]["version"] != figures["version"]


def test_without_a_manifest_a_wardrobe_is_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluate_deepdress, "DRESSES", 2)
    options = ["--json", tmp_path / "out.json", "--report", tmp_path / "out.html"]
    assert "a drawn wardrobe" in evaluate(*options)
    assert "data:image/jpeg" in (tmp_path / "out.html").read_text()
    figures = json.loads((tmp_path / "out.json").read_text())
    assert figures["photos"]["photos_without_a_dress"] == 9
    assert figures["unseen"]["recall"]["20"] == 1.0


def test_one_class_alone_is_refused(tmp_path: Path) -> None:
    manifest = write_manifest(tmp_path, [row for row in ROWS if row[0] == 2])
    with pytest.raises(CommandError, match=r"manifest\.jsonl: every photo shows the dress 'dress-2'"):
        evaluate("--manifest", manifest)


def test_missing_files_are_named(tmp_path: Path, weights: Path) -> None:
    with pytest.raises(CommandError, match=r"gone\.jsonl: cannot be read \(No such file or directory\)\.$"):
        evaluate("--manifest", tmp_path / "gone.jsonl")
    with pytest.raises(CommandError, match=r"manifest\.jsonl:1: no file .*gone\.jpg\.$"):
        evaluate("--manifest", write_manifest(tmp_path, photo="gone.jpg"))
    with pytest.raises(CommandError, match=r"gone/weights\.safetensors: cannot be read"):
        evaluate("--manifest", write_manifest(tmp_path), "--against", tmp_path / "gone")


def test_a_photo_that_is_none_is_named(tmp_path: Path) -> None:
    manifest = write_manifest(tmp_path)
    (tmp_path / "0.jpg").write_text("no photo")
    with pytest.raises(CommandError, match=r"0\.jpg: not a readable image"):
        evaluate("--manifest", manifest)


def test_truncated_weights_are_refused_before_anything_is_read(tmp_path: Path) -> None:
    broken = write_tiny_weights(tmp_path / "broken")
    content = (broken / "weights.safetensors").read_bytes()
    (broken / "weights.safetensors").write_bytes(content[: len(content) // 2])
    with pytest.raises(CommandError, match=r"weights\.safetensors: truncated or altered"):
        evaluate("--manifest", tmp_path / "gone.jsonl", "--weights", broken)


def test_a_mistyped_output_is_told_before_the_work(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"there is no folder .*nowhere"):
        evaluate("--manifest", tmp_path / "gone.jsonl", "--json", tmp_path / "nowhere" / "out.json")
    with pytest.raises(CommandError, match=r"there is no folder .*nowhere"):
        evaluate("--manifest", tmp_path / "gone.jsonl", "--report", tmp_path / "nowhere" / "out.html")
    with pytest.raises(CommandError, match="is a folder: expected the name of a file"):
        evaluate("--manifest", tmp_path / "gone.jsonl", "--json", tmp_path)
