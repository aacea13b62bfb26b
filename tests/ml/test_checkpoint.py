"""A checkpoint comes back as it was, and a damaged or foreign one is refused by name."""

import json
from pathlib import Path

import pytest
import torch

from ml import checkpoint
from ml.calibration import Calibration
from ml.checkpoint import CheckpointRefused
from ml.embedder import Embedder, size


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    checkpoint.save(tmp_path / "model", Embedder(size("tiny")), Calibration(0.04, 1.5, -0.2), {"steps": 7})
    return tmp_path / "model"


def test_a_checkpoint_comes_back_as_it_was(saved: Path) -> None:
    torch.manual_seed(0)
    original, found = Embedder(size("tiny")).eval(), checkpoint.load(saved)
    photos = torch.randn(2, 3, 32, 32)
    with torch.inference_mode():
        assert torch.allclose(found.network(photos)[0], original(photos)[0], atol=5e-3)
    assert found.network.config == size("tiny")
    assert not found.network.training
    assert found.calibration == Calibration(0.04, 1.5, -0.2)
    assert found.metrics == {"steps": 7}
    assert found.version == checkpoint.digest(saved)


def test_other_weights_are_another_version(saved: Path) -> None:
    before = checkpoint.digest(saved)
    torch.manual_seed(1)
    checkpoint.save(saved, Embedder(size("tiny")), Calibration(), {})
    assert checkpoint.digest(saved) != before
    assert sorted(path.name for path in saved.iterdir()) == [
        "config.json",
        "metrics.json",
        "weights.safetensors",
    ]


@pytest.mark.parametrize("kept", [0, 7, 100, -1])
def test_truncated_weights_are_refused(saved: Path, kept: int) -> None:
    weights = saved / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:kept])
    with pytest.raises(CheckpointRefused, match=r"weights\.safetensors: truncated or altered"):
        checkpoint.load(saved)


def test_truncated_weights_are_refused_even_with_a_matching_checksum(saved: Path) -> None:
    weights = saved / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-50])
    rewrite(saved, weights_sha256=checkpoint.digest(saved))
    with pytest.raises(CheckpointRefused, match="another architecture or format"):
        checkpoint.load(saved)


def test_one_flipped_bit_is_refused(saved: Path) -> None:
    weights = saved / "weights.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    with pytest.raises(CheckpointRefused, match="truncated or altered"):
        checkpoint.load(saved)


def test_weights_of_another_architecture_are_refused(saved: Path) -> None:
    config = json.loads((saved / "config.json").read_text())
    rewrite(saved, architecture={**config["architecture"], "widths": [8, 24]})
    with pytest.raises(CheckpointRefused, match="another architecture"):
        checkpoint.load(saved)


def test_an_unknown_setting_is_refused(saved: Path) -> None:
    rewrite(saved, architecture={"layers": 50})
    with pytest.raises(CheckpointRefused, match=r"config\.json: not an architecture.*layers"):
        checkpoint.load(saved)


@pytest.mark.parametrize("name", ["config.json", "metrics.json", "weights.safetensors"])
def test_a_missing_file_is_named(saved: Path, name: str) -> None:
    (saved / name).unlink()
    with pytest.raises(CheckpointRefused, match=f"{name}: cannot be read"):
        checkpoint.load(saved)


@pytest.mark.parametrize("content", ["{", "[]"])
def test_broken_json_is_named(saved: Path, content: str) -> None:
    (saved / "config.json").write_text(content)
    with pytest.raises(CheckpointRefused, match=r"config\.json: "):
        checkpoint.load(saved)


def rewrite(folder: Path, **changes: object) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))
