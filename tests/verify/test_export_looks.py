"""``manage.py export_looks``: the golden set as files."""

import csv
import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from tests.make import make_admin, make_dress, make_employee
from tests.verify.curation import a_proposed_post, a_vote
from verify import export
from verify.models import Dress, Flag, Post
from verify.only_one import only_one

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_audit_sample(settings: Any) -> None:
    """Two votes settle a post."""
    settings.AUDIT_SHARE = 0


def run(*arguments: Any) -> str:
    out = StringIO()
    call_command("export_looks", *map(str, arguments), stdout=out)
    return out.getvalue()


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def a_judged_post(dresses: list[Dress], **fields: Any) -> Post:
    """Two votes for the first dress, and settled by them."""
    post = a_proposed_post(dresses, **fields)
    for _ in range(2):
        a_vote(post, "dress", post.suggestion.options.get(dress=dresses[0]))
    post.recount(timezone.now())
    post.settle(timezone.now())
    assert post.state == "settled"
    post.publish(timezone.now())
    return post


def test_a_row_says_what_the_verdict_rests_on(tmp_path: Path) -> None:
    dresses = [make_dress(sku) for sku in ("AU-1", "BE-2", "CA-3")]
    post = a_judged_post(dresses, username="ruby", rights="granted")
    Flag.objects.create(post=post, employee=make_employee("vera"), reason="child", created_at=timezone.now())
    assert "1 settled post in" in run("--out", tmp_path)
    [row] = lines(tmp_path / "looks.jsonl")
    assert (row["post"], row["permalink"]) == (f"instagram:{post.external_id}", post.permalink)
    assert (row["answer"], row["dress"], row["decided_by"]) == ("dress", "AU-1", "voters")
    assert (row["photo_sha256"], row["photo_token"]) == (post.photo.sha256, post.photo.token)
    assert row["photo_path"] == post.photo.large.name
    assert row["confidence"] == pytest.approx(post.confidence)
    assert set(row["posterior"]) == {"dress:AU-1", "dress:BE-2", "dress:CA-3", "not_a_dress", "none_of_these"}
    assert row["posterior"]["dress:AU-1"] == pytest.approx(post.confidence)
    assert [vote["dress"] for vote in row["votes"]] == ["AU-1", "AU-1"]
    assert len({vote["voter"] for vote in row["votes"]}) == row["votes_cast"] == 2
    assert [option["dress"] for option in row["options"]] == ["AU-1", "BE-2", "CA-3"]
    assert row["model_version"] == post.suggestion.model_version.digest
    assert (row["clearance"], row["rights"], row["flags"]) == ("waiting", "granted", ["child"])


def test_the_csv_says_the_same(tmp_path: Path) -> None:
    dresses = [make_dress() for _ in range(3)]
    a_judged_post(dresses, caption="“commas, quotes\nand lines”")
    run("--out", tmp_path)
    [row] = lines(tmp_path / "looks.jsonl")
    with (tmp_path / "looks.csv").open(newline="") as file:
        [cells] = csv.DictReader(file)
    assert list(cells) == list(row) == list(export.COLUMNS)
    assert cells["dress"] == row["dress"]
    for name in ("posterior", "votes", "options", "flags"):
        assert json.loads(cells[name]) == row[name]


def test_people_are_told_apart_and_not_named(tmp_path: Path) -> None:
    dresses = [make_dress() for _ in range(3)]
    for username in ("ruby", "ruby", "pearl", ""):
        a_judged_post(dresses, username=username)
    run("--out", tmp_path)
    text = (tmp_path / "looks.jsonl").read_text() + (tmp_path / "looks.csv").read_text()
    assert "ruby" not in text
    assert "employee" not in text
    one, same, other, nobody = [row["person"] for row in lines(tmp_path / "looks.jsonl")]
    assert one == same != other
    assert nobody is None


def test_only_settled_posts_with_the_answers_wanted(tmp_path: Path) -> None:
    ada, dresses = make_admin(), [make_dress() for _ in range(3)]
    worn, puppy, unknown, _open = (a_proposed_post(dresses) for _ in range(4))
    worn.override("dress", dresses[2], ada)
    puppy.override("not_a_dress", None, ada)
    unknown.override("none_of_these", None, ada)
    run("--out", tmp_path / "both")
    found = lines(tmp_path / "both" / "looks.jsonl")
    assert [(row["answer"], row["decided_by"]) for row in found] == [
        ("dress", "admin"),
        ("not_a_dress", "admin"),
    ]
    run("--out", tmp_path / "some.jsonl", "--answers", "none_of_these")
    [row] = lines(tmp_path / "some.jsonl")
    assert (row["post"], row["dress"]) == (f"instagram:{unknown.external_id}", None)


@pytest.mark.parametrize(
    ("out", "options", "written"),
    [
        ("new/folder", [], ["looks.csv", "looks.jsonl"]),
        (".", ["--format", "csv"], ["looks.csv"]),
        ("mine.csv", [], ["mine.csv"]),
        ("mine.jsonl", ["--format", "jsonl"], ["mine.jsonl"]),
    ],
)
def test_a_folder_or_a_file(tmp_path: Path, out: str, options: list[str], written: list[str]) -> None:
    run("--out", tmp_path / out, *options)
    assert sorted(path.name for path in tmp_path.rglob("[!.]*.*")) == written


@pytest.mark.parametrize(
    ("out", "options", "said"),
    [
        ("golden.txt", [], "expected .jsonl, .csv or a folder"),
        ("golden.csv", ["--format", "jsonl"], "contradict"),
        ("missing/golden.csv", [], "No such file or directory"),
        ("occupied/folder", [], "cannot be a folder"),
    ],
)
def test_what_cannot_be_written_is_said_clearly(
    tmp_path: Path, out: str, options: list[str], said: str
) -> None:
    (tmp_path / "occupied").write_text("a file")
    with pytest.raises(CommandError, match=said):
        run("--out", tmp_path / out, *options)


def test_one_export_at_a_time(tmp_path: Path) -> None:
    with only_one(tmp_path / ".lock", "x"), pytest.raises(CommandError, match="Another export"):
        run("--out", tmp_path)
    assert not (tmp_path / "looks.csv").exists()


def test_a_failure_leaves_the_old_file_and_no_draft(tmp_path: Path) -> None:
    path = tmp_path / "looks.jsonl"
    path.write_text("of yesterday\n")

    def rows() -> Any:
        yield {"post": "one"}
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        export.write(rows(), {"jsonl": path})
    assert path.read_text() == "of yesterday\n"
    assert {file.name for file in tmp_path.iterdir()} == {"looks.jsonl", export.LOCK}


def test_more_posts_are_no_more_statements(django_assert_max_num_queries: Callable[..., Any]) -> None:
    dresses = [make_dress() for _ in range(3)]
    a_judged_post(dresses)
    with django_assert_max_num_queries(20) as one:
        list(export.rows(export.settled()))
    for _ in range(5):
        a_judged_post(dresses)
    with django_assert_max_num_queries(len(one)):
        assert len(list(export.rows(export.settled()))) == 6
