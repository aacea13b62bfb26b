"""Crowds as CSV files in UTF-8: answers (task, worker, label), truth and options (task, label)."""

import csv
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from verify.crowd import Crowd
from verify.reliability import FloatArray, IntArray

UNKNOWN, UNHEARD_OF = -1, -2  # truths: nobody knows it, nobody has voted for it
SOMETHING_ELSE = ""  # the other answer to a task with but one
Rows = list[tuple[int, tuple[str, ...]]]  # the row's number in the file, its values
Tell = Callable[[str], None]


class BadFile(ValueError):
    """The sentence to show: which file, which row, what is wrong."""


def read_crowd(answers: Path, options: Path | None = None, tell: Tell = lambda said: None) -> Crowd:
    """The crowd of a file, tasks, workers and labels in the order of their names.

    Without ``options`` every task has every label, unless most labels occur on one task only: then the
    options are its own, those that somebody chose. Of a worker's answers to a task the last counts; ``tell``
    is told of how many others there are. Raises BadFile.
    """
    rows = _last_words(answers, list(_rows(answers, ("task", "worker", "label"))), tell)
    tasks, workers, labels = (sorted({values[i] for _, values in rows}) for i in range(3))
    choices, alike = _choices(rows, tasks, labels, options)
    labels = sorted({*labels, *(label for offered in choices.values() for label in offered)})
    _refuse_not_offered(answers, rows, choices)
    number_of = {label: i for i, label in enumerate(labels)}
    option = [sorted(number_of[label] for label in choices[task]) for task in tasks]
    task, worker, label = (
        _numbers([values[i] for _, values in rows], names) for i, names in enumerate((tasks, workers, labels))
    )
    return Crowd(
        tasks=tasks,
        workers=workers,
        labels=labels,
        task=task,
        worker=worker,
        label=label,
        first=np.cumsum([0, *map(len, option)]),
        option=np.concatenate(option),
        alike=alike,
    )


def read_truth(truth: Path, crowd: Crowd, tell: Tell = lambda said: None) -> IntArray:
    """(tasks,) labels, or UNKNOWN or UNHEARD_OF. Raises BadFile.

    What nobody has voted on is no task of this crowd: ``tell`` is told of how many truths were left out.
    """
    rows = list(_rows(truth, ("task", "label")))
    _refuse_decided_twice(truth, rows)
    task_of = {task: i for i, task in enumerate(crowd.tasks)}
    label_of = {label: i for i, label in enumerate(crowd.labels)}
    found = np.full(len(crowd.tasks), UNKNOWN)
    voted_on = [(task_of[task], label) for _, (task, label) in rows if task in task_of]
    for place, label in voted_on:
        found[place] = label_of.get(label, UNHEARD_OF)
    if without := len(rows) - len(voted_on):
        tell(f"{truth}: left out {without:,} of {len(rows):,} truths, whose tasks have no votes.")
    return found


def write_answers(path: Path, crowd: Crowd, posterior: FloatArray) -> None:
    """task, label, posterior: a line for each task."""
    answers, confidence = crowd.answers(posterior)
    with path.open("w", newline="", encoding="utf-8") as file:
        lines = csv.writer(file, lineterminator="\n")
        lines.writerow(("task", "label", "posterior"))
        for task, answer, sure in zip(crowd.tasks, answers.tolist(), confidence.tolist(), strict=True):
            lines.writerow((task, crowd.labels[answer], f"{sure:.6f}"))


def _rows(path: Path, columns: Sequence[str]) -> Iterator[tuple[int, tuple[str, ...]]]:
    lines = csv.reader(_lines(path), strict=True)
    heading, row = next(lines, []), 1
    missing = [column for column in columns if column not in heading]
    if missing:
        found = f"its first row is: {', '.join(heading)}" if heading else "the file is empty"
        raise BadFile(f"{path}, row 1: no column '{missing[0]}' ({found}).")
    places = [heading.index(column) for column in columns]
    try:
        for row, cells in enumerate(lines, start=2):
            if cells:
                yield row, _cells(path, row, cells, places, columns)
    except csv.Error as error:
        raise BadFile(f"{path}, row {row + 1}: {error}.") from None
    if row == 1:
        raise BadFile(f"{path}, row 2: nothing below the first row.")


def _lines(path: Path) -> list[str]:
    try:
        content = path.read_bytes()
        return content.decode("utf-8-sig").splitlines(keepends=True)
    except UnicodeDecodeError as error:
        row = content.count(b"\n", 0, error.start) + 1
        raise BadFile(f"{path}, row {row}: not UTF-8 (byte {content[error.start]:#04x}).") from None
    except OSError as error:
        raise BadFile(f"{path}: {error.strerror}.") from None


def _cells(
    path: Path, row: int, cells: list[str], places: list[int], columns: Sequence[str]
) -> tuple[str, ...]:
    values = tuple(cells[place].strip() if place < len(cells) else "" for place in places)
    empty = [column for column, value in zip(columns, values, strict=True) if not value]
    if empty:
        raise BadFile(f"{path}, row {row}: no {empty[0]}.")
    return values


def _last_words(path: Path, rows: Rows, tell: Tell) -> Rows:
    """The rows without those in which a worker answers a task that they answer again further down."""
    last = {values[:2]: row for row, values in rows}
    kept = [(row, values) for row, values in rows if last[values[:2]] == row]
    if repeated := len(rows) - len(kept):
        tell(f"{path}: left out {repeated:,} of {len(rows):,} answers, which their workers gave anew later.")
    return kept


def _refuse_decided_twice(path: Path, rows: Rows) -> None:
    seen: dict[str, int] = {}
    for row, (task, _) in rows:
        before = seen.setdefault(task, row)
        if before != row:
            raise BadFile(
                f"{path}, row {row}: task '{task}' is decided a second time, first in row {before}."
            )


def _refuse_not_offered(path: Path, rows: Rows, choices: dict[str, set[str]]) -> None:
    for row, (task, _, label) in rows:
        if label not in choices[task]:
            raise BadFile(f"{path}, row {row}: '{label}' is no option of task '{task}'.")


def _choices(
    rows: Rows, tasks: list[str], labels: list[str], options: Path | None
) -> tuple[dict[str, set[str]], bool]:
    """The labels that each task may have, and whether all have the same."""
    if options:
        offered = _offered(options, tasks)
        return offered, len(set(map(frozenset, offered.values()))) == 1
    chosen: dict[str, set[str]] = {task: set() for task in tasks}
    for _, (task, _, label) in rows:
        chosen[task].add(label)
    spread = Counter(label for offered in chosen.values() for label in offered)
    if len(tasks) > 1 and 2 * sum(count == 1 for count in spread.values()) > len(labels):
        return {task: _at_least_two(offered) for task, offered in chosen.items()}, False
    return dict.fromkeys(tasks, _at_least_two(set(labels))), True


def _offered(options: Path, tasks: list[str]) -> dict[str, set[str]]:
    offered: dict[str, set[str]] = {}
    for _, (task, label) in _rows(options, ("task", "label")):
        offered.setdefault(task, set()).add(label)
    without = next((task for task in tasks if len(offered.get(task, ())) < 2), None)
    if without is not None:
        raise BadFile(f"{options}: task '{without}' has fewer than two options.")
    return {task: offered[task] for task in tasks}


def _at_least_two(labels: set[str]) -> set[str]:
    return labels if len(labels) > 1 else {*labels, SOMETHING_ELSE}


def _numbers(values: Sequence[str], names: Sequence[str]) -> IntArray:
    places = {name: i for i, name in enumerate(names)}
    return np.array([places[value] for value in values])
