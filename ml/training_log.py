"""Curves of a training for TensorBoard: tensorboard --logdir OUT/log."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from time import monotonic
from typing import Any

FOLDER = "log"
EVERY = 20  # steps


class TrainingLog:
    """Written by the first process alone; a training that is resumed continues its curves."""

    def __init__(self, out: Path, steps: int, *, written: bool = True) -> None:
        self.writer = _writer(out / FOLDER, steps) if written else None
        self.photos, self.since = 0, monotonic()

    def step(self, number: int, photos: int, values: Mapping[str, Any]) -> None:
        """After step `number` of so many photos; some steps in between are left out."""
        self.photos += photos
        if self.writer is None or number % EVERY:
            return
        self.check(number, {**values, "photos per second": self.photos / max(monotonic() - self.since, 1e-9)})
        self.photos, self.since = 0, monotonic()

    def check(self, number: int, values: Mapping[str, Any]) -> None:
        """Values that are known at step `number`."""
        if self.writer is not None:
            for name, value in values.items():
                self.writer.add_scalar(name, float(value), number)
            self.writer.flush()

    def close(self) -> None:
        if self.writer is not None:
            self.writer.close()


def _writer(folder: Path, steps: int) -> Any:
    from torch.utils.tensorboard import SummaryWriter  # which takes seconds to import

    # What a killed training wrote after its last check is trained, and drawn, again.
    return SummaryWriter(str(folder), purge_step=steps + 1)
