"""Pictures of the admin: drawn by admin-plots.js, and told as a table beside it, every number a link."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.urls import reverse


class Cell(NamedTuple):
    """A number or a word of the table, and the rows behind it."""

    text: str
    url: str = ""


@dataclass(frozen=True)
class Row:
    drawn: Mapping[str, Any]  # what the drawing needs; ``href`` is where its mark leads
    told: Sequence[Cell]


@dataclass(frozen=True)
class Figure:
    """``kind`` names the drawing in admin-plots.js, ``name`` the figure on its page."""

    name: str
    kind: str
    title: str
    headings: Sequence[str]
    rows: Sequence[Row]
    sentence: str = ""
    url: str = ""  # the rows behind the sentence
    empty: str = "Nothing yet."

    @property
    def rows_id(self) -> str:
        return f"rows-{self.name}"

    @property
    def drawn(self) -> list[Mapping[str, Any]]:
        return [row.drawn for row in self.rows]


def listed(model: str, /, **filters: object) -> str:
    """The address of an admin list, filtered."""
    return f"{reverse(f'admin:verify_{model}_changelist')}?{urlencode(filters)}"


def percent(share: float) -> str:
    """In whole per cent; what is not quite all, or not quite nothing, is not rounded to it."""
    if 0.99 < share < 1 or 0 < share < 0.01:
        return f"{share:.1%}"
    return f"{share:.0%}"


def interval(low: float, high: float) -> str:
    return f"{percent(low)} to {percent(high)}"
