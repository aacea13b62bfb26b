"""What the command line of ml.train_embedder says."""

from __future__ import annotations

import argparse
import math
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from ml import training_state
from ml.classifier_baseline import CLASSIFIER
from ml.embedder import SIZES
from ml.losses import METRIC_LOSSES

LAST_SEED = 2**32 - 1  # torch's have 64 bits, and that of a step is a million times the training's
PRECISIONS = ("auto", "float32", "bfloat16")


class OptionsRefused(ValueError):
    """Options that do not fit the network or the processes; the message says which."""


@dataclass(frozen=True)
class Options:
    """One training."""

    out: Path
    manifest: Path | None = None
    unlabelled: Path | None = None
    unlabelled_from: float = 0.25
    steps: int = 10_000
    minutes: float | None = None
    seed: int = 1
    device: str | None = None
    size: str | None = "small"  # None: that of the weights to start from
    dresses: int = 4000
    pairs: int = 48
    negatives: int = 20
    loss: str = "ntxent"
    rate: float = 1e-3
    attributes: float = 5.0
    groups_from: float = 0.5
    precision: str = "auto"
    start_from: Path | None = None
    backbone: Path | None = None
    freeze: int | None = None  # parts
    unfreeze_every: int | None = None  # steps
    body_rate: float | None = None  # factor
    patience: int | None = None
    check_every: int = 500
    restart: bool = False
    workers: int = 2
    cache: Path = Path(os.environ.get("DRESSPORTAL_VAR", "var")) / "training"

    @property
    def unfinished(self) -> Path:
        """Where a training that is going on keeps its best so far, and what it needs to go on."""
        return self.out / training_state.FOLDER

    def deciding(self) -> dict[str, Any]:
        """What decides the result, as plain values; a training is only resumed with the same."""
        indifferent = ("out", "restart", "workers", "cache", "device")
        values = {name: value for name, value in asdict(self).items() if name not in indifferent}
        return {name: str(value) if isinstance(value, Path) else value for name, value in values.items()}

    def frozen(self, steps: int, parts: int) -> int:
        """How many of a body's parts stay as they are after so many steps; the last one thaws first."""
        count = self.freeze if self.freeze is not None else parts if self.unfreeze_every else 0
        return max(0, count - steps // self.unfreeze_every) if self.unfreeze_every else count


def options(arguments: Sequence[str] | None = None) -> Options:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m ml.train_embedder",
        description="Train DeepDress. The same command goes on where a training was broken off.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--out", type=Path, required=True, help="folder for the checkpoint and the log for TensorBoard")
    add("--manifest", type=Path, help="JSON lines of labelled photos; drawn ones without it")
    add(
        "--unlabelled",
        type=Path,
        metavar="DIR",
        help="photos that nobody has named, to be learnt from as well",
    )
    add(
        "--unlabelled-from",
        type=not_below_0,
        default=Options.unlabelled_from,
        metavar="SHARE",
        help="of the training after which they are (%(default)s)",
    )
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--steps", type=whole(1), default=Options.steps, help="optimiser steps (%(default)s)")
    length.add_argument("--minutes", type=above_0, help="stop by the clock; not reproducible")
    add("--seed", type=whole(0, LAST_SEED), default=Options.seed)
    add("--device", type=device, help="cpu, cuda, mps (default: the best there is)")
    start = parser.add_mutually_exclusive_group()
    start.add_argument("--size", choices=list(SIZES), help=f"of a new network ({Options.size})")
    start.add_argument(
        "--start-from", type=Path, metavar="DIR", help="a checkpoint of DeepDress to go on from"
    )
    start.add_argument(
        "--backbone", type=Path, metavar="DIR", help="an image model of transformers as the body"
    )
    add("--freeze", type=whole(0), metavar="N", help="keep the body's first N parts as they are")
    add("--unfreeze-every", type=whole(1), metavar="STEPS", help="a part less, the last one first")
    add("--body-rate", type=above_0, metavar="FACTOR", help="of the learning rate, below the pooling")
    add("--dresses", type=whole(2), default=Options.dresses, help="drawn dresses to train on (%(default)s)")
    add(
        "--pairs",
        type=whole(2),
        default=Options.pairs,
        help="dresses in a batch, two photos each (%(default)s)",
    )
    add("--negatives", type=whole(0), default=Options.negatives, help="photos without one (%(default)s)")
    add("--loss", choices=(*METRIC_LOSSES, CLASSIFIER), default=Options.loss)
    add("--rate", type=above_0, default=Options.rate, help="highest learning rate (%(default)s)")
    add("--attributes", type=not_below_0, default=Options.attributes, help="weight of the attributes' loss")
    add(
        *("--groups-from", "--hard-negatives-from"),
        type=not_below_0,
        default=Options.groups_from,
        metavar="SHARE",
        help="of the training after which batches hold look-alikes; 1: never (%(default)s)",
    )
    add("--precision", choices=PRECISIONS, default=Options.precision)
    add("--patience", type=whole(1), help="stop after so many checks without a better one, and keep the best")
    add(
        "--check-every",
        type=whole(1),
        default=Options.check_every,
        help="steps between checks (%(default)s)",
    )
    add("--restart", action="store_true", help="do not go on with what was broken off in --out")
    add("--workers", type=whole(1), default=os.cpu_count() or 1, help="processes that draw or decode")
    add("--cache", type=Path, default=Options.cache, help="folder for decoded photos")
    chosen = vars(parser.parse_args(arguments))
    if chosen["patience"] and chosen["loss"] == CLASSIFIER:
        parser.error("argument --patience: not allowed with --loss classifier, which finds no held-out dress")
    if chosen["unlabelled"] and not chosen["manifest"]:
        parser.error("argument --unlabelled: needs --manifest, for drawn photos are all labelled")
    if chosen["unlabelled"] and chosen["loss"] == CLASSIFIER:
        parser.error("argument --unlabelled: not allowed with --loss classifier, whose vectors nobody trains")
    if not (chosen["size"] or chosen["start_from"] or chosen["backbone"]):
        chosen["size"] = Options.size
    return Options(**chosen)


def whole(least: int, most: float = math.inf) -> Callable[[str], int]:
    """A whole number of at least so much: fewer than two pairs, for instance, are nothing to tell apart."""
    bounds = f"at least {least}" if most == math.inf else f"{least} to {most}"

    def read(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = least - 1
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(f"{text!r}; expected a whole number, {bounds}")
        return value

    return read


def above_0(text: str) -> float:
    value = _number(text)
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r}; expected a number above 0")
    return value


def not_below_0(text: str) -> float:
    value = _number(text)
    if not 0 <= value < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r}; expected a number, at least 0")
    return value


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def device(text: str) -> str:
    here = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    try:
        there = here.get(torch.device(text).type, False)
    except RuntimeError:
        there = False
    if not there:
        raise argparse.ArgumentTypeError(f"{text!r}; expected a device of this machine, such as cpu")
    return text
