"""What the command line of ml.train_embedder says."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ml.embedder import SIZES
from ml.losses import METRIC_LOSSES

PRECISIONS = ("auto", "float32", "bfloat16")


@dataclass(frozen=True)
class Options:
    """One training."""

    out: Path
    manifest: Path | None = None
    steps: int = 10_000
    minutes: float | None = None
    seed: int = 1
    device: str | None = None
    size: str = "small"
    dresses: int = 4000
    pairs: int = 48
    negatives: int = 20
    loss: str = "ntxent"
    rate: float = 1e-3
    attributes: float = 5.0
    groups_from: float = 0.5
    precision: str = "auto"
    start_from: Path | None = None
    patience: int | None = None
    check_every: int = 500
    restart: bool = False
    workers: int = 2
    cache: Path = Path(os.environ.get("DRESSPORTAL_VAR", "var")) / "training"

    def deciding(self) -> dict[str, Any]:
        """What decides the result, as plain values; a training is only resumed with the same."""
        indifferent = ("out", "restart", "workers", "cache", "device")
        values = {name: value for name, value in asdict(self).items() if name not in indifferent}
        return {name: str(value) if isinstance(value, Path) else value for name, value in values.items()}


def options(arguments: Sequence[str] | None = None) -> Options:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m ml.train_embedder",
        description="Train DeepDress. The same command goes on where a training was broken off.",
    )
    add = parser.add_argument
    add("--out", type=Path, required=True, help="folder for the checkpoint and the log for TensorBoard")
    add("--manifest", type=Path, help="JSON lines of labelled photos; drawn ones without it")
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--steps", type=int, default=Options.steps, help="optimiser steps (%(default)s)")
    length.add_argument("--minutes", type=float, help="stop by the clock; not reproducible")
    add("--seed", type=int, default=Options.seed)
    add("--device", help="cpu, cuda, mps (default: the best there is)")
    add("--size", choices=list(SIZES), default=Options.size)
    add("--dresses", type=int, default=Options.dresses, help="drawn dresses to train on (%(default)s)")
    add("--pairs", type=int, default=Options.pairs, help="dresses in a batch, two photos each (%(default)s)")
    add("--negatives", type=int, default=Options.negatives, help="photos without one (%(default)s)")
    add("--loss", choices=METRIC_LOSSES, default=Options.loss)
    add("--rate", type=float, default=Options.rate, help="highest learning rate (%(default)s)")
    add("--attributes", type=float, default=Options.attributes, help="weight of the attributes' loss")
    add(
        *("--groups-from", "--hard-negatives-from"),
        type=float,
        default=Options.groups_from,
        metavar="SHARE",
        help="of the training after which batches hold look-alikes; 1: never (%(default)s)",
    )
    add("--precision", choices=PRECISIONS, default=Options.precision)
    add("--start-from", type=Path, metavar="DIR", help="a checkpoint of DeepDress to go on from")
    add("--patience", type=int, help="stop after so many checks without a better one, and keep the best")
    add("--check-every", type=int, default=Options.check_every, help="steps between checks (%(default)s)")
    add("--restart", action="store_true", help="do not go on with what was broken off in --out")
    add("--workers", type=int, default=os.cpu_count() or 1, help="processes that draw or decode")
    add("--cache", type=Path, default=Options.cache, help="folder for decoded photos")
    return Options(**vars(parser.parse_args(arguments)))
