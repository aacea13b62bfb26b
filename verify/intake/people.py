"""A CSV of people to invite (name, e-mail, team) -> checked rows, or everything that is wrong with it."""

import csv
import io
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django import forms

from verify.intake.rows import Refusal
from verify.models import Employee, Team

COLUMNS = ("name", "e-mail", "team")
ALSO_CALLED = {"email": "e-mail", "mail": "e-mail", "e-mail address": "e-mail", "email address": "e-mail"}
SEPARATORS = ",;\t"
MAX_BYTES = 1_000_000
MAX_PEOPLE = 10_000
EXPECTED = "expected the columns name, e-mail and team, in any order"

NAME, EMAIL = (Employee._meta.get_field(name) for name in ("display_name", "email"))
TEAM = Team._meta.get_field("name")

Record = tuple[int, list[str]]  # the row as a spreadsheet counts, its cells


class RosterRefused(Exception):
    """Nothing of the file is imported; `refusals` say why, row by row."""

    def __init__(self, *refusals: Refusal) -> None:
        super().__init__(f"{len(refusals)} rows cannot be used.")
        self.refusals = refusals


@dataclass(frozen=True)
class Person:
    row: int
    name: str
    email: str
    team: str  # empty: in none


def _field(column: str, example: str = "", **options: Any) -> forms.CharField:
    kind = forms.EmailField if column == "e-mail" else forms.CharField
    words = dict.fromkeys(("required", "invalid"), f"Expected {example}.")
    return kind(required=bool(example), error_messages=words, **options)


FIELDS = {  # not a form, which would copy them for each of thousands of rows
    "name": _field("name", "a name, such as Ann Lee", max_length=NAME.max_length),
    "e-mail": _field("e-mail", "an e-mail address, such as ann@office.example", max_length=EMAIL.max_length),
    "team": _field("team", max_length=TEAM.max_length),
}


def read_people(data: bytes) -> list[Person]:
    """The people of a CSV in UTF-8, separated by commas, semicolons or tabs; a byte order mark is fine.

    Raises RosterRefused with a refusal for each thing that is wrong, so that all can be mended at once.
    """
    records = _records(_decoded(data))
    places = _places(*next(records, (1, [])))
    people: list[Person] = []
    refusals: list[Refusal] = []
    first_rows: dict[str, int] = {}
    for row, cells in records:
        if len(people) + len(refusals) >= MAX_PEOPLE:
            refusals.append(Refusal(row, "", "", f"Expected at most {MAX_PEOPLE:,} people in one file."))
            break
        found = _person(row, cells, places, first_rows)
        people.extend(one for one in found if isinstance(one, Person))
        refusals.extend(one for one in found if isinstance(one, Refusal))
    if not people and not refusals:
        refusals.append(Refusal(2, "", "", "Expected at least one person below the column names."))
    if refusals:
        raise RosterRefused(*refusals)
    return people


def as_csv(people: list[Person]) -> str:
    """The same people, for `read_people` to read again."""
    text = io.StringIO()
    csv.writer(text).writerows([COLUMNS, *((one.name, one.email, one.team) for one in people)])
    return text.getvalue()


def _decoded(data: bytes) -> str:
    if len(data) > MAX_BYTES:
        reason = f"Expected at most {MAX_BYTES:,} bytes; the file has {len(data):,}."
        raise RosterRefused(Refusal(1, "", "", reason))
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = data[: error.start].count(b"\n") + 1
        reason = "Expected UTF-8: in Excel, save as “CSV UTF-8 (comma delimited)”."
        raise RosterRefused(Refusal(row, "", repr(data[error.start : error.end]), reason)) from error


def _records(text: str) -> Iterator[Record]:
    """All rows that are not blank."""
    head = text.partition("\n")[0]
    separator = max(SEPARATORS, key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    row = 0
    try:
        for row, cells in enumerate(reader, start=1):
            if any(cell.strip() for cell in cells):
                yield row, [" ".join(cell.split()) for cell in cells]
    except csv.Error as error:
        raise RosterRefused(Refusal(row + 1, "", "", f"Expected CSV: {error}.")) from error


def _places(row: int, cells: list[str]) -> dict[str, int]:
    """Where each column stands."""
    names = [ALSO_CALLED.get(cell.casefold(), cell.casefold()) for cell in cells]
    refusals = [
        Refusal(row, column, "", f"This column {trouble}; {EXPECTED}.")
        for column in COLUMNS
        for trouble in ["is missing" if column not in names else "comes twice"]
        if names.count(column) != 1
    ]
    if refusals:
        raise RosterRefused(*refusals)
    return {column: names.index(column) for column in COLUMNS} | {"": len(names)}


def _person(
    row: int, cells: list[str], places: dict[str, int], first_rows: dict[str, int]
) -> list[Person | Refusal]:
    """The person, or what is wrong with the row. Notes the first row of each address."""
    width = places[""]
    if len(cells) < width or any(cells[width:]):
        reason = f"Expected {width} cells, found {len(cells)}: a cell that holds a separator needs quotes."
        return [Refusal(row, "", " | ".join(cells), reason)]
    named = {column: cells[places[column]] for column in COLUMNS}
    refusals: list[Person | Refusal] = [
        Refusal(row, column, cell, reason)
        for column, cell in named.items()
        for reason in _wrong(column, cell)
    ]
    email = named["e-mail"].casefold()
    if email and (first := first_rows.setdefault(email, row)) != row:
        refusals.append(Refusal(row, "e-mail", named["e-mail"], f"Expected once; row {first} has it, too."))
    return refusals or [Person(row, named["name"], named["e-mail"], named["team"])]


def _wrong(column: str, cell: str) -> list[str]:
    """At most one reason."""
    if any(unicodedata.category(sign) == "Cc" for sign in cell):
        return ["Expected text without control characters."]
    try:
        FIELDS[column].clean(cell)
    except forms.ValidationError as error:
        return error.messages[:1]
    return []
