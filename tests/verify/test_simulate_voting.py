"""``manage.py simulate_voting``: its options, its files, its complaints."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

SMALL = ["--posts", "300", "--batch", "100", "--voters", "40"]
KEYS = {
    *("accuracy", "votes_per_finished", "coverage", "bad_voters_found", "bad_voters"),
    *("good_voters_flagged", "stated_confidence"),
}


def simulate(*options: str, small: bool = True) -> str:
    said = io.StringIO()
    call_command("simulate_voting", *(SMALL if small else ()), *options, stdout=said)
    return said.getvalue()


def figures(path: Path, *options: str) -> dict[str, Any]:
    simulate(*options, "--json", str(path))
    return json.loads(path.read_text())


def test_the_portals_policy_is_played_and_told(tmp_path: Path) -> None:
    told = simulate("--policy", "dressportal", "--seed", "3", "--json", str(tmp_path / "out.json"))
    written = json.loads((tmp_path / "out.json").read_text())
    assert written.keys() >= KEYS
    assert "dressportal" in told
    assert f"{written['votes_per_finished']:.2f}" in told
    assert f"{written['accuracy']:.3f}" in told


def test_all_policies_make_one_table_and_a_mapping(tmp_path: Path) -> None:
    told = simulate("--policy", "all", "--json", str(tmp_path / "out.json"))
    written = json.loads((tmp_path / "out.json").read_text())
    assert {"majority-3", "first-to-2", "two-ahead", "posterior-calibrated", "dressportal"} <= written.keys()
    assert all(name in told for name in written)
    assert all(each.keys() >= KEYS for each in written.values())


def test_a_seed_gives_the_same_figures_again(tmp_path: Path) -> None:
    once = figures(tmp_path / "a.json", "--seed", "5")
    assert figures(tmp_path / "b.json", "--seed", "5") == once
    assert figures(tmp_path / "c.json", "--seed", "6") != once


def test_parameters_of_office_and_rule_are_options(tmp_path: Path) -> None:
    usual = figures(tmp_path / "a.json", "--policy", "posterior-raw")
    able = figures(tmp_path / "b.json", "--policy", "posterior-raw", "--ability", "0.97", "--spread", "0.01")
    strict = figures(tmp_path / "c.json", "--policy", "posterior-raw", "--threshold", "0.999")
    assert able["accuracy"] > usual["accuracy"]
    assert strict["votes_per_finished"] > usual["votes_per_finished"]
    assert figures(tmp_path / "d.json", "--least-votes", "4")["least_votes"] == 4


def test_an_order_can_be_chosen(tmp_path: Path) -> None:
    little_time = ["--batch", "300", "--votes-a-day", "60", "--days", "3"]
    finish = figures(tmp_path / "a.json", *little_time)
    uncertain = figures(tmp_path / "b.json", *little_time, "--order", "uncertain")
    assert finish["finished"] > 2 * uncertain["finished"]


@pytest.mark.parametrize(("name", "begins"), [("out.png", b"\x89PNG"), ("out.svg", b"<?xml")])
def test_charts_are_drawn(tmp_path: Path, name: str, begins: bytes) -> None:
    simulate("--plot", str(tmp_path / name))
    drawn = (tmp_path / name).read_bytes()
    assert drawn.startswith(begins)
    assert len(drawn) > 20_000


def test_charts_of_a_policy_that_learns_nothing_are_drawn(tmp_path: Path) -> None:
    simulate("--policy", "majority-3", "--plot", str(tmp_path / "out.png"))
    assert (tmp_path / "out.png").stat().st_size > 20_000


def test_a_report_has_the_table_and_the_parameters(tmp_path: Path) -> None:
    simulate("--policy", "two-ahead", "--report", str(tmp_path / "out.md"))
    report = (tmp_path / "out.md").read_text()
    assert "| two-ahead |" in report
    assert "posts 300" in report
    assert "threshold 0.9" in report


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--policy", "best"], "invalid choice: 'best'"),
        (["--order", "newest"], "invalid choice: 'newest'"),
        (["--posts", "many"], "invalid int value: 'many'"),
        (["--posts", "0"], "posts is 0: expected at least 1"),
        (["--ability", "1.5"], "ability is 1.5: expected more than 0 and less than 1"),
        (["--threshold", "0.2"], "threshold is 0.2"),
        (["--least-votes", "10"], "10 to 9 votes"),
        (["--seed", "-1"], "seed is -1: expected 0 or more"),
        (["--plot", "out.docx"], "out.docx: expected a name that ends in .png or .svg"),
        (["--json", "/nowhere/out.json"], "there is no folder /nowhere"),
    ],
)
def test_bad_options_are_refused_in_a_sentence(options: list[str], complaint: str) -> None:
    with pytest.raises(CommandError, match=complaint):
        simulate(*options)


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=f"{tmp_path}: cannot be written"):
        simulate("--json", str(tmp_path))
