"""A training that was broken off, on disk: it goes on as if nothing had happened."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as write_tensors
from torch import Tensor, nn

from ml import checkpoint
from ml.batches import Places

FOLDER = "unfinished"  # within a training's own
FILE = "training.safetensors"
NUMBERS = ("steps", "seconds", "cpu_seconds", "best", "since_best")
Optimisers = torch.optim.Optimizer | Mapping[str, torch.optim.Optimizer]


class StateRefused(ValueError):
    """The folder holds another training's state, or a broken one."""


@dataclass
class State:
    """Where a training is, apart from its network and optimiser."""

    steps: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0  # of trainings that count them
    best: float = -1.0  # of the checks' figures
    since_best: int = 0  # checks
    neighbours: Places | None = None


def save(
    folder: Path, learner: nn.Module, optimisers: Optimisers, state: State, deciding: dict[str, Any]
) -> None:
    """Replace the folder's state in one step."""
    tensors = {f"learner.{name}": value for name, value in learner.state_dict().items()}
    for prefix, optimiser in _prefixed(optimisers).items():
        for number, values in optimiser.state_dict()["state"].items():
            tensors |= {f"{prefix}{number}.{name}": value for name, value in values.items()}
    if state.neighbours is not None:
        tensors["neighbours"] = torch.from_numpy(state.neighbours)
    told = {**{name: getattr(state, name) for name in NUMBERS}, "deciding": deciding}
    stored = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    checkpoint.replace(folder, {FILE: write_tensors(stored, {"training": json.dumps(told)})})


def resume(folder: Path, learner: nn.Module, optimisers: Optimisers, deciding: dict[str, Any]) -> State:
    """Fill learner and optimisers from the folder's state, if there is one. Raises StateRefused."""
    path = folder / FILE
    if not path.exists():
        return State()
    try:
        with safe_open(path, "pt") as file:
            told = json.loads(file.metadata()["training"])
            deciding_then = told["deciding"]
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError, KeyError, TypeError) as error:
        raise StateRefused(f"{path}: broken ({error}); --restart begins anew") from error
    _refuse_others(path, deciding_then, json.loads(json.dumps(deciding)))
    try:
        learner.load_state_dict(checkpoint.part(tensors, "learner."))
        for prefix, optimiser in _prefixed(optimisers).items():
            _fill(optimiser, checkpoint.part(tensors, prefix))
    except (RuntimeError, ValueError) as error:
        raise StateRefused(f"{path}: of a network of another shape; --restart begins anew") from error
    neighbours = tensors.get("neighbours")
    known = {name: told[name] for name in NUMBERS if name in told}  # an earlier version knew fewer
    return State(**known, neighbours=None if neighbours is None else np.asarray(neighbours.numpy()))


def _prefixed(optimisers: Optimisers) -> dict[str, torch.optim.Optimizer]:
    """By how the names of their tensors begin."""
    if isinstance(optimisers, torch.optim.Optimizer):
        return {"optimiser.": optimisers}
    return {f"optimiser.{name}.": optimiser for name, optimiser in optimisers.items()}


def forget(folder: Path) -> None:
    """Remove the folder and all that a training has kept in it."""
    shutil.rmtree(folder, ignore_errors=True)


def _refuse_others(path: Path, there: dict[str, Any], here: dict[str, Any]) -> None:
    if different := sorted(name for name in there.keys() | here.keys() if there.get(name) != here.get(name)):
        changes = ", ".join(f"{name} was {there.get(name)}, is {here.get(name)}" for name in different)
        raise StateRefused(
            f"{path}: a training broken off after {changes.replace('_', '-')}; the same command goes on with "
            "it, --restart begins anew"
        )


def _fill(optimiser: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    state: dict[int, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        number, _, what = name.partition(".")
        state.setdefault(int(number), {})[what] = value
    optimiser.load_state_dict({**optimiser.state_dict(), "state": state})
    for parameter, values in optimiser.state.items():
        for name, value in values.items():
            if value.shape == parameter.shape:  # also in memory: fused steps go through both side by side
                values[name] = torch.empty_like(parameter).copy_(value)
