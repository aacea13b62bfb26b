"""Which way of learning from few labels judges best: python -m ml.scarce_labels --data fashion-mnist …

Every method gets the same labelled photos, network and CPU time; measuring is free. Each run is kept when it
ends: the same command goes on with those that are missing, and more seeds, methods or seconds are added.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # CPU time is what is shared out

import numpy as np
import torch
from rich.console import Console
from tqdm import tqdm

from ml.checkpoint import CheckpointRefused
from ml.metrics import average_precision
from ml.scarce import games, methods, photo_sets, results, transfer
from ml.scarce.learner import Task
from ml.scarce.methods import Method
from ml.scarce.photo_sets import Labels, PhotoSet, PhotosRefused
from ml.scarce.report import page, save_dots, table
from ml.scarce.results import BASELINE, ResultsRefused, Run
from ml.train_embedder import LossNotFinite
from ml.training_options import LAST_SEED, above_0, whole

METHODS: dict[str, Callable[[Task], Method]] = {
    "supervised": methods.Supervised,
    BASELINE: methods.Augmented,
    "noise": methods.Noisy,
    "transfer": transfer.Transfer,
    "gan": games.Judge,
    "gan-transfer": games.TransferJudge,
    "generated": games.Generated,
    "fixmatch": methods.FixMatch,
    "neighbours": methods.Neighbours,
    "fixmatch-neighbours": methods.FixMatchNeighbours,
}
DATA = {"fashion-mnist": photo_sets.fashion_mnist, "clothing": photo_sets.clothing}
MEASURED, GLANCED = 5_000, 1_000  # photos, at the end and for the curve
GLANCES = 8
Clock = Callable[[], float]


@dataclass
class Budget:
    """CPU time, spent by what is done inside `with budget:`."""

    seconds: float
    clock: Clock = time.process_time
    spent: float = 0.0

    def __enter__(self) -> Budget:
        self._since = self.clock()
        return self

    def __exit__(self, *_: object) -> None:
        self.spent += self.clock() - self._since

    @property
    def progress(self) -> float:
        return self.spent / self.seconds


def learn(name: str, photos: PhotoSet, labels: int, seed: int, seconds: float, clock: Clock) -> Run:
    """One method with one seed. Raises PhotosRefused, LossNotFinite, CheckpointRefused."""
    rows, budget = photos.labelled(labels, seed), Budget(seconds, clock)
    task = Task(photos.train, rows, photos.train_labels[rows], len(photos.classes), seed)
    measured = np.random.default_rng(0).permutation(len(photos.test))[:MEASURED]
    curve, glanced = list[tuple[float, float]](), 0
    with budget:
        method = METHODS[name](task)
    with tqdm(total=round(seconds), desc=f"{name}, seed {seed}", unit="s", leave=False) as bar:
        while budget.progress < 1:
            with budget:
                method.step(budget.progress)
            bar.update(min(bar.total, int(budget.spent)) - bar.n)
            if glanced < int(GLANCES * budget.progress) < GLANCES:
                glanced = int(GLANCES * budget.progress)
                curve.append((round(budget.progress, 3), measure(method, photos, measured[:GLANCED])[0]))
    right, precise = measure(method, photos, measured)
    setting = (photos.name, photos.sha256, labels, seconds)
    curve.append((1.0, measure(method, photos, measured[:GLANCED])[0]))
    return Run(*setting, name, seed, right, precise, method.steps, round(budget.spent, 2), curve)


def measure(method: Method, photos: PhotoSet, rows: Labels) -> tuple[float, float]:
    """Accuracy, and the average precision of "dress" against the rest, on rows of the test photos."""
    found, truth = method.probabilities(photos.test[rows]).numpy(), photos.test_labels[rows]
    right = float((found.argmax(axis=1) == truth).mean())
    precise = average_precision(found[:, photos.dress], truth == photos.dress)
    return round(right, 4), round(precise, 4)


def compare(
    chosen: argparse.Namespace, photos: PhotoSet, clock: Clock = time.process_time
) -> tuple[list[Run], list[str]]:
    """All runs of the file, those that were missing added one by one; and which failed, and why.

    Seed by seed and not method by method: where it is broken off, all methods have about as many, and a
    neighbour's load disturbs all alike. One that fails is not kept: the same command tries it again.
    Raises PhotosRefused, ResultsRefused, OSError.
    """
    failed: list[str] = []
    runs = results.read(chosen.json)
    setting = results.Setting(photos.name, photos.sha256, chosen.labels, chosen.seconds)
    for seed in range(chosen.first_seed, chosen.first_seed + chosen.seeds):
        for name in chosen.methods:
            if (setting, name, seed) in {run.key for run in runs}:
                continue
            try:
                run = learn(name, photos, chosen.labels, seed, chosen.seconds, clock)
            except (LossNotFinite, CheckpointRefused) as error:
                failed.append(f"{name}, seed {seed}, failed: {error}")
                continue
            runs = results.add(chosen.json, [*runs, run])
            told = f"{run.accuracy:.3f}, average precision of dress {run.average_precision:.3f}"
            print(f"{name}, seed {seed}: accuracy {told}, {run.steps} steps", file=sys.stderr, flush=True)
    return runs, failed


def options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m ml.scarce_labels",
        description="Compare ways to learn from few labelled photos. "
        "The same command goes on where it was broken off.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--data", choices=list(DATA), required=True)
    add("--path", type=Path, required=True, help="folder of Fashion-MNIST's IDX files, or of train/<class>/…")
    add("--labels", type=whole(1), default=100, help="labelled photos (%(default)s)")
    add("--seeds", type=whole(1), default=5, help="how many (%(default)s)")
    add("--first-seed", type=whole(0, LAST_SEED), default=0, help="%(default)s")
    add("--seconds", type=above_0, default=600.0, help="CPU time of each run (%(default)s)")
    add(
        "--methods",
        nargs="+",
        choices=list(METHODS),
        default=list(METHODS),
        metavar="METHOD",
        help="%(choices)s",
    )
    add("--json", type=Path, required=True, metavar="OUT", help="results, kept and added to")
    add("--report", type=Path, metavar="OUT.html", help="a page of tables and plots")
    add("--plot", type=_png, metavar="OUT.png", help="the plot of this comparison alone")
    return parser.parse_args(arguments)


def _png(text: str) -> Path:
    if not text.lower().endswith(".png"):
        raise argparse.ArgumentTypeError(f"{text!r}; expected a name that ends in .png")
    return Path(text)


def main(arguments: Sequence[str] | None = None) -> int:
    chosen = options(arguments)
    torch.set_num_threads(1)
    try:
        results.read(chosen.json)  # before photos are decoded
        photos = DATA[chosen.data](chosen.path)
        runs, failed = compare(chosen, photos)
        setting = results.Setting(photos.name, photos.sha256, chosen.labels, chosen.seconds)
        found = results.summaries(runs, setting)
        if chosen.report and runs:
            chosen.report.parent.mkdir(parents=True, exist_ok=True)
            chosen.report.write_text(page(runs))
        if chosen.plot and found:
            save_dots(found, chosen.plot)
    except (PhotosRefused, ResultsRefused, OSError) as error:
        print(f"scarce_labels: {error}", file=sys.stderr)
        return 1
    console = Console(width=None if sys.stdout.isatty() else 140)
    console.print(table(found))
    console.print(results.verdict(found))
    for line in failed:
        print(f"scarce_labels: {line}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
