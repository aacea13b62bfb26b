import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.progress import track
from rich.table import Table

from verify import crowd_files
from verify.crowd import Crowd, Fitted, candidates, choose, surprises
from verify.crowd_files import UNKNOWN, BadFile, read_crowd, read_truth
from verify.reliability import IntArray
from verify.replay import Outcome, Stopping, replay

T = TypeVar("T")


class Command(BaseCommand):
    help = (
        "One answer to each task of any crowd (CSV: task,worker,label), by the model that predicts best the "
        "votes held back from it. With --gold, how it would have done had each task been closed when it was "
        "sure enough."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("answers", type=Path, help="CSV: task,worker,label")
        parser.add_argument("--truth", type=Path, help="CSV: task,label; only to measure, and for gold")
        parser.add_argument("--options", type=Path, help="CSV: task,label: what may be answered to each task")
        parser.add_argument(
            "--gold",
            type=float,
            help="close tasks early, with this share of the known ones as gold, such as .05; 0: without any",
        )
        parser.add_argument(
            "--stop", type=float, default=0.95, help="posterior that closes a task (default: %(default)s)"
        )
        parser.add_argument("--least", type=int, default=1, help="votes a closed task has at least")
        parser.add_argument(
            "--orders", type=int, default=20, help="of the votes, mean (default: %(default)s)"
        )
        parser.add_argument("--seed", type=int, default=0, help="(default: %(default)s)")
        parser.add_argument("--json", type=Path, help="the figures")
        parser.add_argument("--out", type=Path, help="CSV of all votes' answers: task,label,posterior")

    def handle(self, **options: Any) -> None:
        if options["gold"] is not None and not options["truth"]:
            raise CommandError("--gold takes its tasks from --truth, and measures by it: name that file too.")
        if options["orders"] < 1:
            raise CommandError("--orders is less than 1.")
        try:
            figures = self._figures(options)
        except (BadFile, ValueError) as error:
            raise CommandError(str(error)) from None
        except OSError as error:
            raise CommandError(f"{error.filename}: {error.strerror}") from None
        self.stdout.write(_table(figures))

    def _figures(self, options: dict[str, Any]) -> dict[str, Any]:
        crowd = read_crowd(options["answers"], options["options"], self.stderr.write)
        truth = read_truth(options["truth"], crowd, self.stderr.write) if options["truth"] else None
        figures: dict[str, Any] = {}
        if options["out"] or options["gold"] is None:
            fitted, figures = _aggregate(crowd, truth, options["seed"])
            if options["out"]:
                crowd_files.write_answers(options["out"], crowd, fitted.posterior)
        if options["gold"] is not None and truth is not None:
            figures = _stopped_early(crowd, truth, options)
        if options["json"]:
            options["json"].write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
        return figures


def _aggregate(crowd: Crowd, truth: IntArray | None, seed: int) -> tuple[Fitted, dict[str, Any]]:
    tried = {model: surprises(crowd, model, seed) for model in _shown("Choosing a model", candidates(crowd))}
    model = choose(tried)
    fitted = model.fit(crowd, np.ones(len(crowd.task), bool))
    answers, confidence = crowd.answers(fitted.posterior)
    judged = np.zeros(len(answers), bool) if truth is None else truth != UNKNOWN
    return fitted, {
        "accuracy": float((answers == truth)[judged].mean()) if judged.any() else None,
        "tasks": len(crowd.tasks),
        "votes_per_task": len(crowd.task) / len(crowd.tasks),
        "coverage": 1.0,  # what has a vote gets an answer
        "stated_confidence": float(confidence.mean()),
        "known_tasks": int(judged.sum()),
        "model": str(model),
        "labels": {name: float(share) for name, share in zip(crowd.labels, fitted.shares, strict=True)},
        "surprise": {str(model): float(found.mean()) for model, found in tried.items()},
        "seed": seed,
    }


def _stopped_early(crowd: Crowd, truth: IntArray, options: dict[str, Any]) -> dict[str, Any]:
    stopping = Stopping(options["stop"], options["gold"], options["least"])
    rngs = np.random.default_rng(options["seed"]).spawn(options["orders"])
    outcomes = [replay(crowd, truth, stopping, rng) for rng in _shown("Replaying votes", rngs)]
    means = {field.name: _mean([getattr(one, field.name) for one in outcomes]) for field in fields(Outcome)}
    spread = float(np.std([outcome.accuracy for outcome in outcomes]))
    return {
        **means,
        "tasks": outcomes[0].tasks,
        "accuracy_spread": spread,
        **asdict(stopping),
        "orders": len(outcomes),
        "seed": options["seed"],
    }


def _mean(values: list[float]) -> float | None:
    """None where an order closed no task, and so has no accuracy of those."""
    mean = float(np.mean(values))
    return mean if np.isfinite(mean) else None


def _shown(what: str, things: Sequence[T]) -> Iterable[T]:
    console = Console(stderr=True)
    return track(things, description=what, console=console, transient=True, disable=not console.is_terminal)


def _table(figures: dict[str, Any]) -> str:
    table = Table("figure", "value", show_header=False)
    for name, value in figures.items():
        if not isinstance(value, dict):
            table.add_row(name.replace("_", " "), f"{value:.4f}" if isinstance(value, float) else str(value))
    console = Console()
    with console.capture() as captured:
        console.print(table)
    return captured.get()
