"""A trained model on disk: weights.safetensors, config.json and metrics.json.

The configuration holds the architecture, the calibration and the weights' checksum.
Nothing is unpickled, so a checkpoint from a stranger can be wrong but cannot run code.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load as read_tensors
from safetensors.torch import save as write_tensors

from ml import backbones
from ml.backbones import json_object
from ml.calibration import Calibration
from ml.embedder import Embedder, EmbedderConfig

WEIGHTS, CONFIG, METRICS = "weights.safetensors", "config.json", "metrics.json"


class CheckpointRefused(ValueError):
    """The folder holds no checkpoint that this network can use; the message says which file and why."""


class CheckpointUnreadable(CheckpointRefused):
    """A file is missing or cannot be read, here and now; the message says which and why."""


@dataclass(frozen=True)
class Checkpoint:
    """What a checkpoint folder holds, the network in evaluation mode and float32 on the CPU."""

    network: Embedder
    calibration: Calibration
    metrics: dict[str, Any]
    version: str


def digest(directory: Path | str) -> str:
    """sha256 of the weights, in hex: the model's version. Raises CheckpointRefused without weights."""
    return hashlib.sha256(_read(Path(directory) / WEIGHTS)).hexdigest()


def save(directory: Path | str, network: Embedder, calibration: Calibration, metrics: dict[str, Any]) -> None:
    """Write the three files, the weights as float16; on a full disk (OSError) those before stay."""
    tensors = {name: stored(tensor) for name, tensor in network.state_dict().items()}
    weights = write_tensors(tensors)
    config = {
        "architecture": asdict(network.config),
        "calibration": asdict(calibration),
        "weights_sha256": hashlib.sha256(weights).hexdigest(),
    }
    told = json.dumps(config, indent=2), json.dumps(metrics, indent=2, allow_nan=False)
    replace(
        Path(directory), {WEIGHTS: weights, CONFIG: f"{told[0]}\n".encode(), METRICS: f"{told[1]}\n".encode()}
    )


def replace(folder: Path, files: dict[str, bytes]) -> None:
    """Write files into a folder, none of them in its place before all are on the disk. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    drafts = {folder / f"{name}.draft": folder / name for name in files}
    try:
        for draft, content in zip(drafts, files.values(), strict=True):
            with draft.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())  # some file systems say only now that they are full
        for draft, path in drafts.items():
            draft.replace(path)
    except OSError:
        for draft in drafts:
            draft.unlink(missing_ok=True)
        raise


def load(directory: Path | str) -> Checkpoint:
    """Read a checkpoint. Raises CheckpointRefused for missing, truncated, altered or foreign files."""
    folder = Path(directory)
    tensors, config, version = contents(folder)
    built = network(folder / CONFIG, config)
    try:
        built.load_state_dict(tensors)
        calibration = Calibration(**config["calibration"])
    except (RuntimeError, KeyError, TypeError) as error:
        reason = str(error).splitlines()[0]
        raise CheckpointRefused(f"{folder}: weights of another architecture or format ({reason})") from error
    return Checkpoint(built.eval(), calibration, _told(folder / METRICS), version)


def contents(folder: Path) -> tuple[dict[str, torch.Tensor], dict[str, Any], str]:
    """Weights as float32, configuration and version of whichever network. Raises CheckpointRefused."""
    weights, config = _read(folder / WEIGHTS), _told(folder / CONFIG)
    version = hashlib.sha256(weights).hexdigest()
    if config.get("weights_sha256") != version:
        raise CheckpointRefused(
            f"{folder / WEIGHTS}: truncated or altered: sha256 is {version[:12]}…, "
            f"{CONFIG} expects {str(config.get('weights_sha256'))[:12]}…"
        )
    try:
        return {name: _used(tensor) for name, tensor in read_tensors(weights).items()}, config, version
    except SafetensorError as error:
        raise CheckpointRefused(
            f"{folder}: weights of another architecture or format ({str(error).splitlines()[0]})"
        ) from error


def network(path: Path, config: dict[str, Any]) -> Embedder:
    """The architecture that a configuration tells of, with random weights. Raises CheckpointRefused."""
    try:
        fields = config["architecture"]
        lists = {name: tuple(value) for name, value in fields.items() if isinstance(value, list)}
        return backbones.network(EmbedderConfig(**{**fields, **lists}))
    except (TypeError, ValueError, KeyError, AttributeError, RuntimeError) as error:
        raise CheckpointRefused(f"{path}: not an architecture of this network ({error})") from error


def part(tensors: dict[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    """Those whose names begin so, by what follows."""
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def stored(tensor: torch.Tensor) -> torch.Tensor:
    """As it is written: float16, on the CPU."""
    return (tensor.half() if tensor.is_floating_point() else tensor).cpu().contiguous()


def _used(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.float() if tensor.is_floating_point() else tensor


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CheckpointUnreadable(f"{path}: cannot be read ({error.strerror})") from error


def _told(path: Path) -> dict[str, Any]:
    return json_object(path, _read(path), CheckpointRefused)
