"""The two commands as people type them, and the real photos when they are at hand."""

import csv
import json
import re
import shutil
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from tests.make import jpeg
from verify.intake import report
from verify.models import Dress, Post

pytestmark = pytest.mark.django_db
REAL = Path(__file__).parents[4] / "shared" / "data" / "photos"
SOME = 40
HEADER = "sku,title,designer,category,colour,price,available_from,retired_on,photo\n"


def run(name: str, file: Path, *options: str) -> str:
    out = StringIO()
    call_command(name, str(file), *options, stdout=out)
    return out.getvalue()


@pytest.fixture
def catalogue(tmp_path: Path) -> Path:
    (tmp_path / "a.jpg").write_bytes(jpeg())
    file = tmp_path / "catalogue.csv"
    file.write_text(HEADER + "A,Dress A,,,red,49,,,a.jpg\nB,Dress B,,,red,\x1b[31mfree,,,a.jpg\n")
    return file


@pytest.fixture
def feed(tmp_path: Path) -> Path:
    (tmp_path / "a.jpg").write_bytes(jpeg())
    file = tmp_path / "posts.jsonl"
    file.write_text('{"id": "1", "timestamp": 1780228800, "file": "a.jpg"}\n{"id": \n')
    return file


def test_counts_are_told_and_written(catalogue: Path, feed: Path, tmp_path: Path) -> None:
    for name, file in (("import_dresses", catalogue), ("import_posts", feed)):
        for new, unchanged in ((1, 0), (0, 1)):
            told = run(name, file, "--json", str(tmp_path / "counts.json"))
            assert told.endswith(f"{new} new, 0 changed, {unchanged} unchanged, 1 refused.\n")
            assert json.loads((tmp_path / "counts.json").read_text()) == {
                "new": new,
                "changed": 0,
                "unchanged": unchanged,
                "refused": 1,
            }


def test_each_refused_row_is_told_without_its_terminal_codes_and_written(
    catalogue: Path, tmp_path: Path
) -> None:
    told = run("import_dresses", catalogue, "--errors", str(tmp_path / "errors.csv"))
    assert told.splitlines()[0] == (r"line 3: price '\x1b[31mfree': Expected an amount such as 1234.50.")
    with (tmp_path / "errors.csv").open(newline="") as file:
        assert list(csv.reader(file)) == [
            ["line", "column", "value", "reason"],
            ["3", "price", "\x1b[31mfree", "Expected an amount such as 1234.50."],
        ]


def test_options_reach_the_import(feed: Path) -> None:
    run("import_posts", feed, "--rights", "granted", "--source", "reviews", "--batch-rows", "1")
    assert Post.objects.values_list("rights", "source").get() == ("granted", "reviews")


@pytest.mark.parametrize("name", ["import_dresses", "import_posts"])
@pytest.mark.parametrize(
    "options", [(), ("--batch-rows", "0"), ("--json", "/nowhere/a.json"), ("--errors", "/nowhere/a.csv")]
)
def test_what_cannot_be_used_is_one_line(name: str, options: tuple[str, ...], tmp_path: Path) -> None:
    with pytest.raises(CommandError) as error:
        run(name, tmp_path / "none", *options)
    assert "\n" not in str(error.value)


def test_an_unknown_state_of_rights_is_refused(feed: Path) -> None:
    with pytest.raises(CommandError, match="--rights"):
        run("import_posts", feed, "--rights", "perhaps")


def test_a_latin1_catalogue_imports_nothing_until_its_encoding_is_named(catalogue: Path) -> None:
    catalogue.write_bytes(HEADER.encode() + "A,Mädchen,,,,,,,\n".encode("latin-1"))
    with pytest.raises(CommandError, match="line 2, byte 4 is 0xE4"):
        run("import_dresses", catalogue)
    assert not Dress.objects.exists()
    run("import_dresses", catalogue, "--encoding", "latin-1")
    assert Dress.objects.get().title == "Mädchen"


def test_progress_is_logged_in_lines_where_nobody_watches(
    feed: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(report, "LOG_EVERY", 0.0)
    run("import_posts", feed)
    assert capsys.readouterr().err == "line 1 of 2\nline 2 of 2\n"


def test_progress_is_a_bar_at_a_terminal(
    feed: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    run("import_posts", feed)
    assert "2/2" in capsys.readouterr().err


@pytest.mark.skipif(not REAL.is_dir(), reason=f"{REAL} is not there")
def test_real_photos_are_taken_in_without_a_refusal(tmp_path: Path) -> None:
    dresses = first_of(REAL / "catalogue.csv", SOME + 1, tmp_path)
    posts = first_of(REAL / "posts.jsonl", SOME, tmp_path)
    for kind in ("new", "unchanged"):
        assert f"{SOME} {kind}" in run("import_dresses", dresses)
        assert f"{SOME} {kind}" in run("import_posts", posts, "--rights", "granted")


def first_of(file: Path, lines: int, folder: Path) -> Path:
    """A copy of the beginning of a file, with the photos that it names."""
    beginning = "".join(file.read_text().splitlines(keepends=True)[:lines])
    for name in re.findall(r"[\w-]+(?:/[\w-]+)+\.jpg", beginning):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file.parent / name, folder / name)
    (folder / file.name).write_text(beginning)
    return folder / file.name


def test_text_that_no_terminal_can_show_is_told_escaped(feed: Path, tmp_path: Path) -> None:
    feed.write_text(r'{"id": "1", "timestamp": 1780228800, "media_type": "\ud800\u001b[2J", "file": "a.jpg"}')
    told = run("import_posts", feed, "--errors", str(tmp_path / "errors.csv"))
    assert told.isascii()
    assert "\x1b" not in told
    assert r"\ud800" in told
    assert r"\ud800" in (tmp_path / "errors.csv").read_text()
