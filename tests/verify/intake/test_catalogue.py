"""A CSV becomes dresses: once, again, and with every mistake that files have."""

import csv
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django_q.models import OrmQ

from tests.make import jpeg
from tests.verify.intake.pictures import encoded, noise
from verify.intake import catalogue, copies
from verify.intake.catalogue import COLUMNS, DressRow, import_catalogue
from verify.intake.fetch import FetchRefused
from verify.intake.rows import FileUnusable, Outcome, Refusal
from verify.models import Dress, Photo

pytestmark = pytest.mark.django_db


class Shop:
    """A folder with a catalogue in it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.file = folder, folder / "catalogue.csv"

    def photo(self, name: str, data: bytes | None = None) -> str:
        (self.folder / name).write_bytes(data or jpeg())
        return name

    def write(self, *rows: dict[str, Any], encoding: str = "utf-8") -> None:
        text = StringIO(newline="")
        table = csv.DictWriter(text, COLUMNS)
        table.writeheader()
        table.writerows(rows)
        self.file.write_bytes(text.getvalue().encode(encoding))

    def bring(self, *rows: dict[str, Any], **options: Any) -> list[Outcome]:
        if rows:
            self.write(*rows)
        return list(import_catalogue(self.file, **options))


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


def row(sku: str, **cells: Any) -> dict[str, Any]:
    return {"sku": sku, "title": f"Dress {sku}", "colour": "red", "price": "49.00", **cells}


def counts(outcomes: list[Outcome]) -> dict[str, int]:
    return dict(Counter(outcome.kind for outcome in outcomes))


def refused(outcomes: list[Outcome]) -> list[tuple[int, str, str, str]]:
    return [(o.line, o.column, o.value, o.reason) for o in outcomes if isinstance(o, Refusal)]


def photos_of(sku: str) -> list[str]:
    return [link.photo.sha256 for link in Dress.objects.get(sku=sku).photos.all()]


def test_stores_every_column(shop: Shop) -> None:
    cells = {"designer": "Maison É", "category": "gown", "available_from": "2026-01-31"}
    shop.bring(row("A", retired_on="2026-12-31", photo=shop.photo("a.jpg"), **cells))
    dress = Dress.objects.get()
    assert (dress.sku, dress.title, dress.designer, dress.category) == ("A", "Dress A", "Maison É", "gown")
    assert (dress.colour, dress.price) == ("red", Decimal("49.00"))
    assert (dress.available_from, dress.retired_on) == (date(2026, 1, 31), date(2026, 12, 31))
    assert dress.photos.count() == 1


@pytest.mark.parametrize("sku", ["=1+1", "+49", "-5", "@SUM(A1)", " =A1"])
def test_a_sku_that_a_spreadsheet_would_compute_is_refused(shop: Shop, sku: str) -> None:
    reason = (
        "Expected a SKU that does not begin with =, +, - or @: a spreadsheet would take it for a formula."
    )
    assert refused(shop.bring(row("A=1"), row(sku))) == [(3, "sku", sku.strip(), reason)]
    assert Dress.objects.get().sku == "A=1"


def test_a_second_run_changes_nothing(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [row("A", photo=shop.photo("a.jpg")), row("A", photo=shop.photo("b.jpg")), row("B")]
    assert counts(shop.bring(*rows)) == {"new": 2}
    before = list(Dress.objects.values())
    links = list(Dress.objects.values("photos__pk", "photos__photo"))
    monkeypatch.setattr("verify.intake.photos.prepare", lambda data: pytest.fail("decoded again"))
    assert counts(shop.bring()) == {"unchanged": 2}
    assert list(Dress.objects.values()) == before
    assert list(Dress.objects.values("photos__pk", "photos__photo")) == links


def test_a_changed_row_updates_its_dress_alone(shop: Shop) -> None:
    shop.bring(row("A", retired_on="2026-12-31"), row("B"))
    assert counts(shop.bring(row("A", price="59.00"), row("B"))) == {"changed": 1, "unchanged": 1}
    assert Dress.objects.get(sku="A").price == 59
    assert Dress.objects.get(sku="A").retired_on is None
    assert Dress.objects.get(sku="A").updated_at > Dress.objects.get(sku="A").created_at


def test_rows_of_one_sku_add_photos_in_order_wherever_they_stand(shop: Shop) -> None:
    for name in "abc":
        shop.photo(f"{name}.jpg")
    rows = [row("A", photo="b.jpg"), row("B"), {"sku": "A", "photo": "a.jpg"}, row("A", photo="c.jpg")]
    for expected in ({"new": 2}, {"unchanged": 2}):
        assert counts(shop.bring(*rows, batch_rows=1)) == expected
        assert photos_of("A") == [digest(shop, name) for name in ("b.jpg", "a.jpg", "c.jpg")]


def digest(shop: Shop, name: str) -> str:
    return copies.digest((shop.folder / name).read_bytes())


def test_another_photo_takes_the_place_of_the_former_and_its_files_go(shop: Shop) -> None:
    shop.bring(row("A", photo=shop.photo("a.jpg")), row("B", photo=shop.photo("b.jpg")))
    assert counts(shop.bring(row("A", photo=shop.photo("c.jpg")), row("B"))) == {"changed": 1, "unchanged": 1}
    assert photos_of("A") == [digest(shop, "c.jpg")]
    assert photos_of("B") == [digest(shop, "b.jpg")]  # a file that names no photo takes none away
    assert Photo.objects.count() == 2


def test_a_new_order_of_photos_is_a_change(shop: Shop) -> None:
    rows = [row("A", photo=shop.photo("a.jpg")), row("A", photo=shop.photo("b.jpg"))]
    shop.bring(*rows)
    assert counts(shop.bring(*reversed(rows))) == {"changed": 1}
    assert photos_of("A") == [digest(shop, "b.jpg"), digest(shop, "a.jpg")]


def test_photos_stay_when_the_row_that_names_them_is_refused(shop: Shop) -> None:
    rows = [row("A", photo=shop.photo("a.jpg")), row("A", photo=shop.photo("b.jpg"))]
    shop.bring(*rows)
    (shop.folder / "a.jpg").unlink()
    assert counts(shop.bring(*rows)) == {"refused": 1, "changed": 1}
    assert len(photos_of("A")) == 2


def test_recolours_may_share_a_photo_and_a_photo_twice_counts_once(shop: Shop) -> None:
    same = shop.photo("a.jpg")
    assert counts(shop.bring(row("A", photo=same), row("A", photo=same), row("B", photo=same))) == {"new": 2}
    assert Photo.objects.count() == 1
    assert photos_of("A") == photos_of("B")


@pytest.mark.parametrize(
    ("cells", "column", "reason"),
    [
        ({"sku": ""}, "sku", "required"),
        ({"sku": "x" * 65}, "sku", "at most 64"),
        ({"title": ""}, "title", "required"),
        ({"title": "nul\0byte"}, "title", "Null"),
        ({"price": "free"}, "price", "such as 1234.50"),
        ({"price": "1,234.50"}, "price", "such as 1234.50"),
        ({"price": "-1"}, "price", "greater than or equal to 0"),
        ({"price": "NaN"}, "price", "such as"),
        ({"price": "1.999"}, "price", "2 decimal places"),
        ({"available_from": "31.12.2026"}, "available_from", "such as 2026-05-31"),
        ({"available_from": "2026-02-30"}, "available_from", "such as 2026-05-31"),
        ({"available_from": "2026-02-02", "retired_on": "2026-02-01"}, "retired_on", "Before"),
        ({"photo": "gone.jpg"}, "photo", "no such file"),
        ({"photo": "../secret.jpg"}, "photo", "outside"),
        ({"photo": "page.jpg"}, "photo", "text"),
        ({"photo": "half.jpg"}, "photo", "cut short"),
        ({"photo": "ftp://shop.example/a.jpg"}, "photo", "http or https"),
        ({"photo": "http://127.0.0.1/a.jpg"}, "photo", "no public host"),
    ],
)
def test_a_bad_row_is_refused_alone(shop: Shop, cells: dict[str, str], column: str, reason: str) -> None:
    shop.photo("page.jpg", b"<html>")
    shop.photo("half.jpg", encoded(noise())[:2000])
    outcomes = shop.bring(row("A"), {**row("X"), **cells}, row("B"))
    assert counts(outcomes) == {"new": 2, "refused": 1}
    [(line, at, value, why)] = refused(outcomes)
    assert (line, at, value) == (3, column, cells[column])
    assert reason in why
    assert "\n" not in why


def test_a_sku_with_other_details_than_before_is_refused(shop: Shop) -> None:
    outcomes = shop.bring(row("A"), row("B"), row("A", colour="blue"), row("A", price="49"))
    assert refused(outcomes) == [(4, "colour", "blue", "Line 2 says 'red' for the same sku.")]
    assert Dress.objects.get(sku="A").colour == "red"


def test_rows_that_are_no_csv_are_refused_and_the_rest_goes_on(shop: Shop) -> None:
    shop.write(row("A"), row("B"))
    good = shop.file.read_text().splitlines()
    shop.file.write_text("\n".join([good[0], good[1], "X,too,short", "", '"X"x,,,,,,,,', good[2]]) + "\n")
    outcomes = shop.bring()
    assert counts(outcomes) == {"new": 2, "refused": 2}
    assert [line for line, *_ in refused(outcomes)] == [3, 5]
    assert "3 cells where the first line has 9" in refused(outcomes)[0][3]


def test_a_quote_that_never_ends_refuses_its_row(shop: Shop) -> None:
    shop.write(row("A"))
    shop.file.write_text(shop.file.read_text() + '"X,,,,,,,,\n')
    assert counts(shop.bring()) == {"new": 1, "refused": 1}


def test_lines_are_those_of_the_file_where_cells_span_several(shop: Shop) -> None:
    outcomes = shop.bring(row("A", designer="two\nlines"), row("B", price="?"))
    assert [line for line, *_ in refused(outcomes)] == [4]


def test_utf8_with_a_byte_order_mark(shop: Shop) -> None:
    shop.write(row("A", title="Kleid für Mädchen"), encoding="utf-8-sig")
    assert counts(shop.bring()) == {"new": 1}
    assert Dress.objects.get().title == "Kleid für Mädchen"


def test_latin1_is_refused_whole_unless_it_is_announced(shop: Shop) -> None:
    rows = [row(f"A{number}") for number in range(50)]
    shop.write(*rows, row("B", title="Kleid für Mädchen"), encoding="latin-1")
    with pytest.raises(FileUnusable, match=r"is not utf-8: line 52, byte 10 is 0xFC\..*--encoding latin-1"):
        shop.bring(batch_rows=1)
    assert not Dress.objects.exists()
    assert counts(shop.bring(encoding="latin-1")) == {"new": 51}
    assert Dress.objects.get(sku="B").title == "Kleid für Mädchen"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "no column sku, title"),
        (b"sku,title\nA,Dress\n", "no column designer, category, colour, price"),
        (b"sku;title;designer;category;colour;price;available_from;retired_on;photo\n", "no column sku"),
        (b"sku,title,designer,category,colour,price,available_from,retired_on,photo,sku\n", "twice"),
        ("sku,title\n".encode("utf-16"), "is not utf-8: line 1, byte 1 is 0xFF"),
    ],
)
def test_a_file_without_the_columns_is_refused_whole(shop: Shop, content: bytes, reason: str) -> None:
    shop.file.write_bytes(content)
    with pytest.raises(FileUnusable, match=reason) as refusal:
        shop.bring()
    assert "\n" not in str(refusal.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(FileUnusable, match=r"No such file|Is a directory"):
            list(import_catalogue(path))


def test_further_columns_and_another_order_do_no_harm(shop: Shop) -> None:
    names = [" Photo ", "NOTE", *COLUMNS[:-1]]
    shop.file.write_text(",".join(names) + "\n,a note,A,Dress,,,,,,\n")
    assert counts(shop.bring()) == {"new": 1}


def test_photos_from_addresses(shop: Shop) -> None:
    pictures = {"https://cdn.example/a.jpg": jpeg()}

    def fetch(url: str) -> bytes:
        if url not in pictures:
            raise FetchRefused("the server answered 404")
        return pictures[url]

    rows = [row("A", photo="https://cdn.example/a.jpg"), row("B", photo="https://cdn.example/b.jpg")]
    outcomes = shop.bring(*rows, fetch=fetch)
    assert refused(outcomes) == [(3, "photo", "https://cdn.example/b.jpg", "the server answered 404")]
    assert counts(shop.bring(fetch=fetch)) == {"unchanged": 1, "refused": 1}
    pictures["https://cdn.example/a.jpg"] = jpeg()
    assert counts(shop.bring(fetch=fetch)) == {"changed": 1, "refused": 1}


def test_the_worker_hears_of_new_photos_once_per_batch(
    shop: Shop, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        shop.bring(row("A", photo=shop.photo("a.jpg")), row("B", photo=shop.photo("b.jpg")))
    assert [task.func() for task in OrmQ.objects.all()] == ["verify.tasks.embed_catalogue"]
    with django_capture_on_commit_callbacks(execute=True):
        shop.bring()
    assert OrmQ.objects.count() == 1


def test_the_form_knows_the_lengths_of_the_model() -> None:
    for name in ("sku", "title", "designer", "category", "colour"):
        assert DressRow.base_fields[name].max_length == Dress._meta.get_field(name).max_length


def test_no_more_rows_are_held_than_a_batch_has(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.write(*(row(f"A{number % 600}", price="") for number in range(1200)))
    alive = most = 0
    groups = catalogue._groups

    def counted(staged: Any) -> Iterator[Any]:
        nonlocal alive, most
        for group in groups(staged):
            alive += len(group)
            most = max(most, alive)
            yield group

    store_batch = catalogue._store_batch

    def stored(batch: list[Any], *rest: Any) -> list[Outcome]:
        nonlocal alive
        alive -= sum(map(len, batch))
        return store_batch(batch, *rest)

    monkeypatch.setattr(catalogue, "_groups", counted)
    monkeypatch.setattr(catalogue, "_store_batch", stored)
    assert counts(shop.bring(batch_rows=50)) == {"new": 600}
    assert most == 50


def test_what_was_stored_before_a_stop_stays_and_the_next_run_carries_on(shop: Shop) -> None:
    shop.write(*(row(sku) for sku in "ABCD"))
    stopped = import_catalogue(shop.file, batch_rows=2)
    next(stopped)
    stopped.close()
    assert Dress.objects.count() == 2
    assert counts(shop.bring()) == {"unchanged": 2, "new": 2}


@pytest.mark.concurrency
@pytest.mark.django_db(transaction=True)
def test_two_imports_at_once_store_each_dress_once(shop: Shop) -> None:
    photo = shop.photo("a.jpg")
    shop.write(*(row(f"A{number}", photo=photo) for number in range(20)))

    def bring(_: int) -> Counter[str]:
        try:
            return Counter(outcome.kind for outcome in import_catalogue(shop.file, batch_rows=3))
        finally:
            connection.close()

    with ThreadPoolExecutor(3) as pool:
        assert sum(pool.map(bring, range(3)), Counter()) == {"new": 20, "unchanged": 40}
