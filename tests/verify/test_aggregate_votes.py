"""`manage.py aggregate_votes`: what it writes, and the sentence that a bad file gets."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command

Write = Callable[[str, str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(name: str, content: str) -> Path:
        path = tmp_path / name
        path.write_text(content, encoding="utf-8")
        return path

    return write


@pytest.fixture
def crowd(write: Write) -> tuple[Path, Path]:
    """60 photos of cats and dogs; Ada and Bo know them, Cy guesses. Answers and truth."""
    rng = np.random.default_rng(1)
    truth = rng.choice(["cat", "dog"], 60)
    other = {"cat": "dog", "dog": "cat"}
    lines = ["task,worker,label"]
    for photo, animal in enumerate(truth):
        for worker, ability in (("Ada", 0.97), ("Bo", 0.9), ("Cy", 0.5)):
            lines.append(f"photo {photo},{worker},{animal if rng.random() < ability else other[animal]}")
    answers = write("answers.csv", "\n".join(lines))
    known = [f"photo {photo},{animal}" for photo, animal in enumerate(truth)]
    return answers, write("truth.csv", "\n".join(["task,label", *known]))


def aggregated(tmp_path: Path, *arguments: object) -> dict[str, Any]:
    figures = tmp_path / "figures.json"
    call_command("aggregate_votes", *map(str, arguments), "--json", str(figures))
    return json.loads(figures.read_text())


def test_figures_and_answers(crowd: tuple[Path, Path], tmp_path: Path) -> None:
    answers, truth = crowd
    out = tmp_path / "answers_out.csv"
    figures = aggregated(tmp_path, answers, "--truth", truth, "--out", out)
    with out.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    right = dict(line.split(",") for line in truth.read_text().splitlines()[1:])
    assert list(rows[0]) == ["task", "label", "posterior"]
    assert len(rows) == figures["tasks"] == 60
    assert figures["votes_per_task"] == 3
    assert figures["coverage"] == 1
    assert figures["accuracy"] == pytest.approx(np.mean([right[row["task"]] == row["label"] for row in rows]))
    assert figures["accuracy"] > 0.9
    assert all(0.5 <= float(row["posterior"]) <= 1 for row in rows)


def test_the_truth_changes_no_answer(crowd: tuple[Path, Path], tmp_path: Path) -> None:
    answers, truth = crowd
    outs = [tmp_path / "with.csv", tmp_path / "without.csv"]
    aggregated(tmp_path, answers, "--truth", truth, "--out", outs[0])
    figures = aggregated(tmp_path, answers, "--out", outs[1])
    assert outs[0].read_text() == outs[1].read_text()
    assert figures["accuracy"] is None


def test_closing_early_takes_fewer_votes_and_leaves_gold_out(
    crowd: tuple[Path, Path], tmp_path: Path
) -> None:
    answers, truth = crowd
    options = ("--truth", truth, "--gold", 0.2, "--stop", 0.9, "--orders", 4)
    figures = aggregated(tmp_path, answers, *options)
    assert figures["tasks"] == 48
    assert 1 <= figures["votes_per_task"] < 3
    assert 0.8 < figures["accuracy"] <= 1
    assert 0.5 < figures["coverage"] <= 1
    assert figures == aggregated(tmp_path, answers, *options)
    assert figures != aggregated(tmp_path, answers, *options, "--seed", 9)


def test_a_threshold_that_no_task_reaches(crowd: tuple[Path, Path], tmp_path: Path) -> None:
    answers, truth = crowd
    options = ("--truth", truth, "--gold", 0.2, "--stop", 0.999999, "--orders", 2)
    figures = aggregated(tmp_path, answers, *options)
    assert figures["coverage"] == 0
    assert figures["accuracy_closed"] is None
    assert figures["votes_per_task"] == 3


def test_gold_that_leaves_nothing_to_measure(crowd: tuple[Path, Path], write: Write) -> None:
    lone = write("lone.csv", "task,label\nphoto 3,cat\n")
    with pytest.raises(CommandError, match="1 gold of 1 tasks of known truth leave nothing to measure"):
        call_command("aggregate_votes", str(crowd[0]), "--truth", str(lone), "--gold", "0.1")


def test_tasks_with_options_of_their_own(write: Write, tmp_path: Path) -> None:
    """Three questions, each with its own answers: nobody can say "Paris" to the second."""
    says = {"capital": "Paris Paris Rome", "sum": "4 4 4", "colour": "red blue red"}
    lines = [
        f"{task},{worker},{label}"
        for task, labels in says.items()
        for worker, label in zip("abc", labels.split(), strict=True)
    ]
    answers, out = write("answers.csv", "\n".join(["task,worker,label", *lines])), tmp_path / "out.csv"
    aggregated(tmp_path, answers, "--out", out)
    assert [line.split(",")[:2] for line in out.read_text().splitlines()[1:]] == [
        ["capital", "Paris"],
        ["colour", "red"],
        ["sum", "4"],
    ]


def test_fewer_options_make_a_lone_vote_less_telling(write: Write, tmp_path: Path) -> None:
    """Two agree on a task of two options and on one of twenty: the second agreement is no accident."""
    answers = write("answers.csv", "task,worker,label\nfew,Ada,x\nfew,Bo,x\nmany,Ada,x\nmany,Bo,x\n")
    offered = [f"few,{label}" for label in "xy"] + [f"many,{label}" for label in ["x", *range(19)]]
    options, out = write("options.csv", "\n".join(["task,label", *offered])), tmp_path / "out.csv"
    aggregated(tmp_path, answers, "--options", options, "--out", out)
    few, many = (float(line.split(",")[2]) for line in out.read_text().splitlines()[1:])
    assert few != many
    assert min(few, many) > 0.5


def test_a_truth_that_nobody_voted_for_counts_as_wrong(crowd: tuple[Path, Path], tmp_path: Path) -> None:
    answers, truth = crowd
    truth.write_text("task,label\nphoto 0,llama\n")
    assert aggregated(tmp_path, answers, "--truth", truth)["accuracy"] == 0


def test_a_truth_without_votes_is_left_out_and_told_of(
    crowd: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answers, truth = crowd
    alone = aggregated(tmp_path, answers, "--truth", truth)
    assert capsys.readouterr().err == ""
    truth.write_text(truth.read_text() + "\nphoto 98,cat\nphoto 99,dog\n")
    assert aggregated(tmp_path, answers, "--truth", truth) == alone
    assert "left out 2 of 62 truths, whose tasks have no votes" in capsys.readouterr().err


def test_no_truth_of_a_task_with_votes_leaves_nothing_to_measure(
    crowd: tuple[Path, Path], write: Write, tmp_path: Path
) -> None:
    elsewhere = write("elsewhere.csv", "task,label\nphoto 99,cat\n")
    figures = aggregated(tmp_path, crowd[0], "--truth", elsewhere)
    assert (figures["accuracy"], figures["known_tasks"], figures["coverage"]) == (None, 0, 1)


def test_of_a_workers_answers_to_a_task_the_last_counts(
    crowd: tuple[Path, Path], write: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ada says "llama" three times and thinks better of it."""
    heading, *rows = crowd[0].read_text().splitlines()
    again = write("again.csv", "\n".join([heading, *["photo 0,Ada,llama"] * 3, *rows]))
    outs = [tmp_path / "once.csv", tmp_path / "again.csv"]
    once = aggregated(tmp_path, crowd[0], "--out", outs[0])
    figures = aggregated(tmp_path, again, "--out", outs[1])
    assert outs[0].read_text() == outs[1].read_text()
    assert figures["votes_per_task"] == once["votes_per_task"] == 3
    assert (
        "again.csv: left out 3 of 183 answers, which their workers gave anew later" in capsys.readouterr().err
    )


def test_options_that_are_the_same_for_all_are_as_good_as_none(write: Write, tmp_path: Path) -> None:
    """Most photos show a cat, and who does not know says "cat": shares and habits to be found."""
    rng = np.random.default_rng(3)
    truth = rng.choice(["cat", "dog", "emu"], 200, p=[0.7, 0.2, 0.1])
    votes = [
        f"{photo},{worker},{animal if rng.random() < 0.6 else 'cat'}"
        for photo, animal in enumerate(truth)
        for worker in "abcd"
    ]
    answers = write("answers.csv", "\n".join(["task,worker,label", *votes]))
    offered = [f"{photo},{animal}" for photo in range(200) for animal in ("emu", "cat", "dog")]
    options = write("options.csv", "\n".join(["task,label", *offered]))
    figures = aggregated(tmp_path, answers, "--options", options)
    assert figures == aggregated(tmp_path, answers)
    assert figures["model"].startswith("habits")
    options.write_text("\n".join(["task,label", *offered, "7,llama"]))
    assert not aggregated(tmp_path, answers, "--options", options)["model"].startswith("habits")


def test_no_gold_at_all_closes_tasks_early_too(crowd: tuple[Path, Path], tmp_path: Path) -> None:
    answers, truth = crowd
    figures = aggregated(tmp_path, answers, "--truth", truth, "--gold", 0, "--orders", 3)
    assert (figures["tasks"], figures["gold"], figures["orders"]) == (60, 0, 3)
    assert 1 <= figures["votes_per_task"] < 3
    assert 0.8 < figures["accuracy"] <= 1


def test_spreadsheets_put_a_mark_in_front_and_blank_lines_behind(write: Write, tmp_path: Path) -> None:
    answers = write("answers.csv", "\ufeffworker,task,label,seconds\r\nAda,1,x,9\r\nBo,1,y,3\r\n\r\n")
    assert aggregated(tmp_path, answers)["tasks"] == 1


BAD = {
    "answers.csv, row 1: no column 'worker' (its first row is: task, label).": "task,label\n1,x\n",
    "answers.csv, row 1: no column 'task' (the file is empty).": "",
    "answers.csv, row 2: nothing below the first row.": "task,worker,label\n",
    "answers.csv, row 3: no label.": "task,worker,label\n1,Ada,x\n1,Bo,\n",
    "answers.csv, row 3: no worker.": "task,worker,label\n1,Ada,x\n1\n",
    "answers.csv, row 3: unexpected end of data.": 'task,worker,label\n1,Ada,x\n1,Bo,"x\n',
}


@pytest.mark.parametrize("sentence", BAD)
def test_a_bad_file_gets_a_sentence(sentence: str, write: Write) -> None:
    with pytest.raises(CommandError) as error:
        call_command("aggregate_votes", str(write("answers.csv", BAD[sentence])))
    assert str(error.value).endswith(sentence)
    assert error.value.returncode == 1


def test_bytes_that_are_no_text_are_found(tmp_path: Path) -> None:
    answers = tmp_path / "answers.csv"
    answers.write_bytes("task,worker,label\n1,Ada,x\n1,Zoë,x\n".encode("latin-1"))
    with pytest.raises(CommandError, match="row 3: not UTF-8"):
        call_command("aggregate_votes", str(answers))


BAD_TRUTHS = {
    "row 3: task 'photo 1' is decided a second time, first in row 2.": (
        "task,label\nphoto 1,cat\nphoto 1,dog\n"
    ),
    "row 1: no column 'label'": "task\nphoto 1\n",
}


@pytest.mark.parametrize("sentence", BAD_TRUTHS)
def test_a_bad_truth_gets_a_sentence(sentence: str, crowd: tuple[Path, Path], write: Write) -> None:
    bad = write("bad.csv", BAD_TRUTHS[sentence])
    with pytest.raises(CommandError) as error:
        call_command("aggregate_votes", str(crowd[0]), "--truth", str(bad))
    assert f"{bad}, {sentence}" in str(error.value)


def test_options_that_leave_no_choice_or_leave_a_vote_out(crowd: tuple[Path, Path], write: Write) -> None:
    alone = write("alone.csv", "task,label\nphoto 0,cat\n")
    with pytest.raises(CommandError, match="task 'photo 0' has fewer than two options"):
        call_command("aggregate_votes", str(crowd[0]), "--options", str(alone))
    photos = [f"photo {i},{label}" for i in range(60) for label in ("llama", "emu")]
    other = write("other.csv", "\n".join(["task,label", *photos]))
    with pytest.raises(CommandError, match=r"row 2: '\w+' is no option of task 'photo 0'"):
        call_command("aggregate_votes", str(crowd[0]), "--options", str(other))


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--gold", "0.1"], "name that file too"),
        (["--gold", "0"], "name that file too"),
        (["--gold", "1.5", "--truth"], "share of gold is 1.5"),
        (["--gold", "0.1", "--stop", "0.4", "--truth"], "threshold is 0.4"),
        (["--orders", "0"], "--orders is less than 1"),
        (["--json", "/nowhere/at/all.json"], "/nowhere/at/all.json: No such file"),
    ],
)
def test_options_without_sense_get_a_sentence(
    arguments: list[str], sentence: str, crowd: tuple[Path, Path]
) -> None:
    answers, truth = map(str, crowd)
    filled = [*arguments, truth] if arguments[-1] == "--truth" else arguments
    with pytest.raises(CommandError, match=sentence):
        call_command("aggregate_votes", answers, *filled)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"gone\.csv: No such file or directory"):
        call_command("aggregate_votes", str(tmp_path / "gone.csv"))
