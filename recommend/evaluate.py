"""Every method on the same splits: fitted, shown what is known of the test users, and measured."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np

from recommend.apart import Report, WorkFailed, apart
from recommend.methods import method
from recommend.metrics import Difference, Figure, Figures, PerUser
from recommend.ratings import Ratings
from recommend.splits import Split
from recommend.trial import Clock, outcome
from recommend.tuning import Tuning, alternatives, tuned

Progress = Callable[[str, str], None]  # the method, and what it has done


@dataclass(frozen=True)
class Question:
    """What is asked of every method."""

    good: float  # the lowest rating that is a hit, which methods that count likes are told, too
    ns: tuple[int, ...]
    tuning: Tuning | None = None


@dataclass(frozen=True)
class Measured:
    """What one method did; times are those of one split."""

    figures: Figures
    wall: dict[str, float]  # fit, predict, topn and, where it was tuned, tune
    cpu: dict[str, float]
    chosen: tuple[str, ...]  # in each split
    peak_mb: float | None = None  # of a process that does nothing else


@dataclass(frozen=True)
class Evaluation:
    """Methods beside each other, in the order asked for."""

    source: str
    ratings: Ratings  # all of them, for the pictures
    protocol: dict[str, Any]
    methods: dict[str, Measured]
    failed: dict[str, str]  # why a method could not be measured

    def as_json(self) -> dict[str, Any]:
        methods = {name: _method_json(found) for name, found in self.methods.items()}
        return {
            "protocol": self.protocol,
            "methods": methods,
            "failed": self.failed,
            "differences": _differences(self.methods),
        }


def evaluate(
    told: Sequence[str],
    splits: Iterable[Split],
    question: Question,
    *,
    own_process: bool = True,
    progress: Progress = lambda name, done: None,
) -> tuple[dict[str, Measured], dict[str, str]]:
    """Each method's figures, and why there are none of those that failed.

    In a process of its own each, unless told otherwise: its memory can be told, and its end is not ours.
    """
    for name in told:  # hours of work should not be lost for a mistyped option of the last one
        alternatives(name, question.tuning is not None, question.good)
    found: dict[str, Measured] = {}
    failed: dict[str, str] = {}
    for name in told:
        try:
            found[name] = _measured(name, splits, question, own_process, progress)
        except WorkFailed as error:
            failed[name] = str(error)
        progress(name, "done")
    return found, failed


def _measured(
    name: str, splits: Iterable[Split], question: Question, own_process: bool, progress: Progress
) -> Measured:
    def report(done: str) -> None:
        progress(name, done)

    if own_process:
        found: Measured
        found, peak = apart(measure, name, splits, question, report=report)
        return replace(found, peak_mb=peak)
    try:
        return measure(name, splits, question, report=report)
    except ValueError as error:
        raise WorkFailed(str(error)) from error


def measure(told: str, splits: Iterable[Split], question: Question, *, report: Report) -> Measured:
    """One method on all splits, here and now."""
    _compiled(alternatives(told, question.tuning is not None, question.good)[0], question)
    clock, parts, chosen = Clock(), [], []
    for number, split in enumerate(splits, 1):
        if question.tuning:
            with clock.timed("tune"):
                chosen.append(tuned(told, split.train, question.tuning, question.good))
        else:
            chosen.append(told)
        parts.append(
            outcome(method(chosen[-1], good=question.good), split, question.good, question.ns, clock)
        )
        report(f"split {number}")
    count = len(parts)
    wall, cpu = ({work: total / count for work, total in each.items()} for each in (clock.wall, clock.cpu))
    return Measured(Figures(PerUser.together(parts)), wall, cpu, tuple(chosen))


def _compiled(told: str, question: Question) -> None:
    """Once on next to nothing, so that no figure holds the seconds that a compiler took."""
    few = Ratings.of([f"{n % 6}" for n in range(30)], [f"{n // 6}" for n in range(30)], np.arange(30) % 5 + 1)
    with suppress(ValueError):
        outcome(method(told, good=question.good), Split(few, few, few), question.good, question.ns, Clock())


def _differences(methods: dict[str, Measured]) -> dict[str, dict[str, Any]]:
    """Of each pair of methods, the first less the second."""
    found: dict[str, dict[str, Any]] = {}
    for (name, one), (other_name, other) in combinations(methods.items(), 2):
        ours, theirs = one.figures, other.figures
        found.setdefault(name, {})[other_name] = {
            **_each_difference(ours.overall, theirs.overall),
            "topn": {str(n): _each_difference(ours.lists[n], theirs.lists[n]) for n in ours.lists},
        }
    return found


def _each_difference(one: dict[str, Figure], other: dict[str, Figure]) -> dict[str, Any]:
    return {name: _difference_json(one[name].less(other[name])) for name in one}


def _difference_json(found: Difference) -> dict[str, float | None]:
    return {"difference": _number(found.value), "low": _number(found.low), "high": _number(found.high)}


def _method_json(found: Measured) -> dict[str, Any]:
    overall, lists = found.figures.overall, found.figures.lists
    return {
        **{name: _number(figure.value) for name, figure in overall.items()},
        "topn": {str(n): {name: _number(each.value) for name, each in lists[n].items()} for n in lists},
        "standard_errors": {
            **{name: _number(figure.standard_error) for name, figure in overall.items()},
            "topn": {
                str(n): {name: _number(at[name].standard_error) for name in at} for n, at in lists.items()
            },
        },
        **{f"{work}_seconds": seconds for work, seconds in found.wall.items()},
        **{f"{work}_cpu_seconds": seconds for work, seconds in found.cpu.items()},
        "peak_mb": found.peak_mb,
        "chosen": list(found.chosen),
    }


def _number(value: float) -> float | None:
    """JSON has no NaN."""
    return float(value) if np.isfinite(value) else None
