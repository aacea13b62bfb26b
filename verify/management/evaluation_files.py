"""Where a command that evaluates something leaves its figures and its report."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol, TypeVar

from django.core.management.base import CommandError


class Evaluated(Protocol):
    def as_json(self) -> dict[str, Any]: ...


Found = TypeVar("Found", bound=Evaluated)


def check(path: Path | None) -> None:
    """Minutes of work should not be lost for a mistyped folder. Raises CommandError."""
    if path and not path.parent.is_dir():
        raise CommandError(f"{path}: there is no folder {path.parent}.")
    if path and path.is_dir():
        raise CommandError(f"{path} is a folder: expected the name of a file.")


def write(found: Found, page: Callable[[Found], str], figures: Path | None, report: Path | None) -> None:
    """The figures as JSON, the report as `page` draws it, where each is wanted. Raises CommandError."""
    if figures:
        _write(figures, json.dumps(found.as_json(), indent=2, allow_nan=False) + "\n")
    if report:
        _write(report, page(found))


def _write(path: Path, content: str) -> None:
    try:
        path.write_text(content, encoding="utf-8")
    except OSError as error:
        raise CommandError(f"{path}: cannot be written ({error.strerror}).") from error
