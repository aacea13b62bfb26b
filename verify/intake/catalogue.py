"""A CSV of the shop's dresses -> dresses and their photos."""

import csv
import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from django import forms
from django.core.validators import RegexValidator
from django.db import transaction
from django_q.tasks import async_task

from verify.intake.fetch import fetch
from verify.intake.rows import (
    Fetch,
    FileUnusable,
    Outcome,
    Refusal,
    RowRefused,
    Stored,
    in_batches,
    one_batch_at_a_time,
    persistently,
    photo_at_address,
    photo_in_file,
)
from verify.models import Dress, DressPhoto, Photo

DETAILS = ("title", "designer", "category", "colour", "price", "available_from", "retired_on")
COLUMNS = ("sku", *DETAILS, "photo")
ENCODINGS = ("utf-8", "latin-1", "cp1252")

Cells = dict[str, str]
Record = tuple[int, Cells | str]  # the line it begins on; its cells, or why it has none
Group = list[Record]  # all records of one sku


# In the CSV of an export a spreadsheet would compute it, and a SKU cannot be written otherwise.
no_formula = RegexValidator(
    r"^[=+\-@]",
    "Expected a SKU that does not begin with =, +, - or @: a spreadsheet would take it for a formula.",
    inverse_match=True,
)


class DressRow(forms.Form):
    """One row: a dress, and perhaps a photo of it."""

    sku = forms.CharField(max_length=64, validators=[no_formula])
    title = forms.CharField(max_length=200)
    designer = forms.CharField(max_length=120, required=False)
    category = forms.CharField(max_length=80, required=False)
    colour = forms.CharField(max_length=80, required=False)
    price = forms.DecimalField(
        min_value=0,
        max_digits=10,
        decimal_places=2,
        required=False,
        error_messages={"invalid": "Expected an amount such as 1234.50."},
    )
    available_from = forms.DateField(
        input_formats=["%Y-%m-%d"],
        required=False,
        error_messages={"invalid": "Expected a date such as 2026-05-31."},
    )
    retired_on = forms.DateField(
        input_formats=["%Y-%m-%d"],
        required=False,
        error_messages={"invalid": "Expected a date such as 2026-05-31."},
    )
    photo = forms.CharField(max_length=2000, required=False)

    def clean_retired_on(self) -> Any:
        retired, available = self.cleaned_data["retired_on"], self.cleaned_data.get("available_from")
        if retired and available and retired < available:
            raise forms.ValidationError(f"Before the dress is available, on {available}.")
        return retired


@dataclass
class Draft:
    """A dress as the good ones among its rows describe it."""

    line: int
    cells: Cells  # of the first good row
    details: dict[str, Any]
    photos: dict[int, Photo]  # by primary key, in the file's order
    complete: bool = True  # no row of it was refused


def import_catalogue(
    path: Path, *, encoding: str = "utf-8", batch_rows: int = 500, fetch: Fetch = fetch
) -> Iterator[Outcome]:
    """Store the dresses of a CSV with the columns COLUMNS; yields an outcome per dress and per refused row.

    Rows of one sku, wherever they stand, are one dress with several photos; what they leave empty is taken
    from the first of them. The file is read to its end before anything is stored: raises FileUnusable when
    it cannot be read, is not in ``encoding``, or lacks a column.
    """

    def store_batch(groups: list[Group]) -> list[Outcome]:
        return _store_batch(groups, path.parent, fetch)

    with closing(sqlite3.connect("")) as staged:  # a temporary file: memory does not grow with the catalogue
        _stage(_records(path, encoding), staged)
        for groups in in_batches(_groups(staged), batch_rows, len):
            yield from persistently(store_batch, groups)


def _records(path: Path, encoding: str) -> Iterator[Record]:
    reader = csv.reader(_lines(path, encoding), strict=True)
    columns = _columns(path, reader)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield line, f"not CSV: {error}"
            continue
        if any(cells):
            yield line, _named(columns, cells)


def _lines(path: Path, encoding: str) -> Iterator[str]:
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                yield _decoded(line, number, path, encoding)
    except OSError as error:
        raise FileUnusable(f"{path}: {error.strerror}.") from error


def _decoded(line: bytes, number: int, path: Path, encoding: str) -> str:
    try:
        return line.decode("utf-8-sig" if encoding == "utf-8" else encoding)
    except UnicodeDecodeError as error:
        byte = error.object[error.start]
        raise FileUnusable(
            f"{path} is not {encoding}: line {number}, byte {error.start + 1} is 0x{byte:02X}."
            " Save it as UTF-8, or name its encoding with --encoding latin-1."
        ) from error


def _columns(path: Path, reader: Iterator[list[str]]) -> list[str]:
    try:
        columns = [name.strip().lower() for name in next(reader, [])]
    except csv.Error as error:
        raise FileUnusable(f"{path}: its first line is not CSV ({error}).") from error
    missing = [name for name in COLUMNS if name not in columns]
    if missing:
        raise FileUnusable(
            f"{path}: no column {', '.join(missing)}. The first line must name {','.join(COLUMNS)}."
        )
    if len(set(columns)) < len(columns):
        raise FileUnusable(f"{path}: a column is named twice.")
    return columns


def _named(columns: list[str], cells: list[str]) -> Cells | str:
    if len(cells) != len(columns):
        return f"{len(cells)} cells where the first line has {len(columns)}"
    return {name: cell.strip() for name, cell in zip(columns, cells, strict=True) if name in COLUMNS}


def _stage(records: Iterable[Record], staged: sqlite3.Connection) -> None:
    staged.execute("CREATE TABLE record (line INTEGER PRIMARY KEY, sku TEXT, content TEXT)")
    staged.executemany("INSERT INTO record VALUES (?, ?, ?)", map(_as_staged, records))
    staged.execute("CREATE INDEX record_by_sku ON record (sku, line)")


def _as_staged(record: Record) -> tuple[int, str, str]:
    line, content = record
    sku = "" if isinstance(content, str) else content["sku"]
    return line, sku or f"\n{line}", json.dumps(content)  # without a sku it belongs to no other row


def _groups(staged: sqlite3.Connection) -> Iterator[Group]:
    """The records of one sku together, in the order in which each sku appears first."""
    rows = staged.execute(
        "SELECT sku, line, content FROM record JOIN (SELECT sku, min(line) AS first FROM record GROUP BY sku)"
        " USING (sku) ORDER BY first, line"
    )
    for _, group in groupby(rows, key=lambda row: row[0]):
        yield [(line, json.loads(content)) for _, line, content in group]


def _store_batch(groups: list[Group], folder: Path, fetch: Fetch) -> list[Outcome]:
    refusals: list[Outcome] = []
    drafts = [draft for group in groups if (draft := _draft(group, folder, fetch, refusals))]
    with one_batch_at_a_time():
        stored = _write(drafts)
    return sorted(refusals + stored, key=lambda outcome: outcome.line)


def _draft(group: Group, folder: Path, fetch: Fetch, refusals: list[Outcome]) -> Draft | None:
    """The dress that a group of rows describes; None when all of them are refused."""
    draft: Draft | None = None
    refused: list[Refusal] = []
    for line, content in group:
        try:
            draft = _extended(draft, line, content, folder, fetch)
        except RowRefused as refusal:
            refused.append(refusal.at(line))
    if draft:
        draft.complete = not refused
    refusals += refused
    return draft


def _extended(draft: Draft | None, line: int, content: Cells | str, folder: Path, fetch: Fetch) -> Draft:
    if isinstance(content, str):
        raise RowRefused("", "", content)
    cells = {**draft.cells, "photo": "", **_filled(content)} if draft else content
    row = _checked(cells)
    if draft:
        _check_agreement(draft, row, cells)
    photo = _photo(row.pop("photo"), folder, fetch)
    draft = draft or Draft(line, cells, row, {})
    if photo:
        draft.photos[photo.pk] = photo
    return draft


def _filled(cells: Cells) -> Cells:
    return {name: cell for name, cell in cells.items() if cell}


def _checked(cells: Cells) -> dict[str, Any]:
    form = DressRow(cells)
    if not form.is_valid():
        column, messages = next(iter(form.errors.items()))
        raise RowRefused(column, cells[column], messages[0])
    return dict(form.cleaned_data)


def _check_agreement(draft: Draft, row: dict[str, Any], cells: Cells) -> None:
    for column in DETAILS:
        if row[column] != draft.details[column]:
            before = draft.cells[column]
            raise RowRefused(column, cells[column], f"Line {draft.line} says {before!r} for the same sku.")


def _photo(reference: str, folder: Path, fetch: Fetch) -> Photo | None:
    if not reference:
        return None
    if "://" in reference:
        return photo_at_address(reference, "photo", fetch)
    return photo_in_file(folder, reference, "photo")


def _write(drafts: list[Draft]) -> list[Outcome]:
    skus = [draft.details["sku"] for draft in drafts]
    existing = {dress.sku: dress for dress in Dress.objects.filter(sku__in=skus).prefetch_related("photos")}
    new = [draft for draft in drafts if draft.details["sku"] not in existing]
    outcomes: list[Outcome] = [Stored(draft.line, "new") for draft in new]
    photos_came = _create(new)
    for draft in drafts:
        if dress := existing.get(draft.details["sku"]):
            details_differ = _update_details(dress, draft)
            photos_differ = _update_photos(dress, draft)
            photos_came |= photos_differ
            outcomes.append(Stored(draft.line, "changed" if details_differ or photos_differ else "unchanged"))
    if photos_came:
        transaction.on_commit(lambda: async_task("verify.tasks.embed_catalogue"))
    return outcomes


def _create(drafts: list[Draft]) -> bool:
    """Store new dresses; returns whether they came with photos."""
    dresses = Dress.objects.bulk_create(Dress(**draft.details) for draft in drafts)
    links = DressPhoto.objects.bulk_create(
        DressPhoto(dress=dress, photo=photo, position=position)
        for dress, draft in zip(dresses, drafts, strict=True)
        for position, photo in enumerate(draft.photos.values())
    )
    return bool(links)


def _update_details(dress: Dress, draft: Draft) -> bool:
    changed = [name for name in DETAILS if getattr(dress, name) != draft.details[name]]
    for name in changed:
        setattr(dress, name, draft.details[name])
    if changed:
        dress.save(update_fields=[*changed, "updated_at"])
    return bool(changed)


def _update_photos(dress: Dress, draft: Draft) -> bool:
    """Give the dress the photos of the file, unless it names none.

    Where a row was refused, the photos that the others do not name are kept: it may have named them.
    """
    current = [link.photo_id for link in dress.photos.all()]
    listed = list(draft.photos)
    dropped = [photo for photo in current if photo not in draft.photos]
    wanted = listed if draft.complete else listed + dropped
    if not listed or wanted == current:
        return False
    for position, photo in enumerate(wanted):
        dress.photos.update_or_create(photo_id=photo, defaults={"position": position})
    dress.photos.exclude(photo__in=wanted).delete()
    Photo.objects.filter(pk__in=dropped).unused().delete()
    return True
