"""Tells people at a terminal, in a log or in a file how an import goes."""

import csv
import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any, TextIO

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from verify.intake.rows import FileUnusable, Outcome, Refusal

KINDS = ("new", "changed", "unchanged", "refused")
SHOWN = 100  # characters of a refused value
LOG_EVERY = 10.0  # seconds between lines of progress where nobody watches a bar


def add_arguments(parser: CommandParser) -> None:
    parser.add_argument("file", type=Path)
    parser.add_argument("--json", type=Path, metavar="OUT", help="write the counts to this file")
    parser.add_argument("--errors", type=Path, metavar="CSV", help="write the refused rows to this file")
    parser.add_argument("--batch-rows", type=int, default=500, help="rows per transaction (default: 500)")


def report(command: BaseCommand, outcomes: Iterable[Outcome], options: dict[str, Any]) -> None:
    """Run an import to its end: shows progress and refused rows as they come, then the counts.

    Raises CommandError when the file, or one to be written, cannot be used.
    """
    if options["batch_rows"] < 1:
        raise CommandError("--batch-rows must be at least 1.")
    with _opened(options["errors"]) as errors, _opened(options["json"]) as counts_file:
        try:
            counts = _run(command, outcomes, options["file"], errors)
        except FileUnusable as error:
            raise CommandError(str(error)) from error
        if counts_file:
            counts_file.write(json.dumps(counts) + "\n")
    command.stdout.write(", ".join(f"{counts[kind]:,} {kind}" for kind in KINDS) + ".")


def _opened(path: Path | None) -> AbstractContextManager[TextIO | None]:
    try:
        return (
            path.open("w", encoding="utf-8", errors="backslashreplace", newline="") if path else nullcontext()
        )
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}.") from error


def _run(
    command: BaseCommand, outcomes: Iterable[Outcome], file: Path, errors: TextIO | None
) -> dict[str, int]:
    counts = dict.fromkeys(KINDS, 0)
    table = csv.writer(errors) if errors else None
    if table:
        table.writerow(["line", "column", "value", "reason"])
    with _progress(file) as advance:
        for outcome in outcomes:
            counts[outcome.kind] += 1
            if isinstance(outcome, Refusal):
                with tqdm.external_write_mode(file=sys.stderr):
                    command.stdout.write(_told(outcome))
                if table:
                    table.writerow([outcome.line, outcome.column, outcome.value, outcome.reason])
            advance(outcome.line)
    return counts


def _told(refusal: Refusal) -> str:
    """One line, without the terminal codes that a stranger may have written."""
    value = refusal.value if len(refusal.value) <= SHOWN else refusal.value[:SHOWN] + "…"
    column = f"{refusal.column} " if refusal.column else ""
    line = f"line {refusal.line}: {column}'{value}': {refusal.reason}"
    return "".join(sign if sign.isprintable() else repr(sign)[1:-1] for sign in line)


@contextmanager
def _progress(file: Path) -> Iterator[Callable[[int], None]]:
    """To be called with the line that has been reached."""
    lines = _count_lines(file)
    if not sys.stderr.isatty():
        yield partial(_log, lines, [time.monotonic()])
        return
    with tqdm(total=lines, unit=" lines", file=sys.stderr) as bar:
        yield lambda line: bar.update(max(0, line - bar.n))


def _log(lines: int, logged_at: list[float], line: int) -> None:
    if time.monotonic() - logged_at[0] >= LOG_EVERY:
        logged_at[0] = time.monotonic()
        sys.stderr.write(f"line {line:,} of {lines:,}\n")


def _count_lines(file: Path) -> int:
    try:
        with file.open("rb") as content:
            return sum(chunk.count(b"\n") for chunk in iter(partial(content.read, 1 << 20), b""))
    except OSError as error:
        raise FileUnusable(f"{file}: {error.strerror}.") from error
