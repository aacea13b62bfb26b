"""The comparison from the command line: equal time, kept results, plain refusals."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ml import scarce_labels
from ml.checkpoint import CheckpointRefused
from ml.photos import Pixels
from ml.scarce.learner import Task
from ml.scarce.results import BASELINE, Run, read
from ml.scarce_labels import compare, learn, main, options
from ml.train_embedder import LossNotFinite
from tests.ml.scarce.toys import ticking, toys, write_fashion_mnist

ARGUMENTS = ["--data", "fashion-mnist", "--path", "there", "--labels", "12"]


class Guesser:
    """Learns nothing, and says what seed it has."""

    def __init__(self, task: Task) -> None:
        self.steps, self.random = 0, np.random.default_rng(task.seed)
        self.progress: list[float] = []

    def step(self, progress: float) -> None:
        self.steps += 1
        self.progress.append(progress)

    def probabilities(self, photos: Pixels) -> torch.Tensor:
        return torch.from_numpy(self.random.random((len(photos), 3))).softmax(dim=1)


@pytest.fixture
def guessing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(scarce_labels.METHODS, BASELINE, Guesser)
    monkeypatch.setitem(scarce_labels.METHODS, "gan", Guesser)


def test_a_method_steps_until_its_time_is_over_and_measuring_is_free(guessing: None) -> None:
    run = learn("gan", toys(), 12, 0, 30, ticking())
    # A second for its making and one for each step, whatever it takes to measure in between.
    assert (run.steps, run.spent) == (29, 30)
    assert len(run.curve) == scarce_labels.GLANCES
    assert run.curve[-1][0] == 1
    shares = [share for share, _ in run.curve]
    assert shares == sorted(shares)


def test_time_over_while_it_is_made_leaves_no_step(guessing: None) -> None:
    assert learn("gan", toys(), 12, 0, 0.5, ticking()).steps == 0


def chosen(file: Path, *more: str) -> list[str]:
    return [*ARGUMENTS, "--json", str(file), "--seconds", "4", "--methods", BASELINE, "gan", *more]


def compared(file: Path, *more: str) -> list[Run]:
    runs, failed = compare(options(chosen(file, *more)), toys(), ticking())
    assert not failed
    return runs


def test_results_are_kept_one_by_one_and_never_found_twice(
    guessing: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "results.json"
    broken = iter([None, None, None, KeyboardInterrupt])

    def until_broken(*arguments: object) -> Run:
        if error := next(broken):
            raise error
        return learn(*arguments)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(scarce_labels, "learn", until_broken)
        with pytest.raises(KeyboardInterrupt):
            compared(file, "--seeds", "2")
    kept = read(file)
    assert [(run.method, run.seed) for run in kept] == [(BASELINE, 0), ("gan", 0), (BASELINE, 1)]
    found = compared(file, "--seeds", "2")
    assert found[:3] == kept
    assert [(run.method, run.seed) for run in found[3:]] == [("gan", 1)]
    assert read(file) == found == compared(file, "--seeds", "2")
    assert len(compared(file, "--seeds", "2", "--seconds", "5")) == 8
    assert len(compared(file, "--seeds", "1", "--first-seed", "2")) == 10


def test_two_commands_keep_each_others_runs(
    guessing: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "results.json"

    def while_another_ends(*arguments: object) -> Run:
        monkeypatch.setattr(scarce_labels, "learn", learn)
        compared(file, "--seeds", "1", "--first-seed", "7")
        return learn(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(scarce_labels, "learn", while_another_ends)
    found = compared(file, "--seeds", "1")
    assert sorted((run.seed, run.method) for run in read(file)) == [
        (seed, method) for seed in (0, 7) for method in (BASELINE, "gan")
    ]
    assert read(file) == found


def test_the_command_compares_and_reports(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_fashion_mnist(tmp_path)
    file, report, plot = (tmp_path / "out" / name for name in ("results.json", "report.html", "plot.png"))
    files = {"--path": tmp_path, "--json": file, "--report": report, "--plot": plot}
    told = ["--labels", "10", "--seconds", ".2", "--methods", "supervised", BASELINE, "--seeds", "1"]
    status = main(["--data", "fashion-mnist", *(str(part) for pair in files.items() for part in pair), *told])
    assert status == 0
    assert len(json.loads(file.read_text())["runs"]) == 2
    assert "Supervised + augmentation" in report.read_text()
    with Image.open(plot) as drawn:
        assert drawn.size[0] > 300
    printed = capsys.readouterr()
    assert re.search(r"supervised, seed 0: accuracy [.\d]+, average precision of dress", printed.err)
    assert "method" in printed.out


class Diverging(Guesser):
    def step(self, progress: float) -> None:
        raise LossNotFinite("Diverging diverged: loss nan at step 0")


class WithoutWeights(Guesser):
    def __init__(self, task: Task) -> None:
        raise CheckpointRefused("weights.safetensors: cannot be read")


@pytest.mark.parametrize(
    ("method", "why"),
    [
        (Diverging, "Diverging diverged: loss nan at step 0"),
        (WithoutWeights, "weights.safetensors: cannot be"),
    ],
)
def test_a_method_that_fails_stops_no_other_and_is_tried_again(
    guessing: None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    method: type[Guesser],
    why: str,
) -> None:
    monkeypatch.setitem(scarce_labels.DATA, "fashion-mnist", lambda _: toys())
    command = chosen(tmp_path / "out.json", "--seeds", "2", "--seconds", ".01")
    with monkeypatch.context() as patched:
        patched.setitem(scarce_labels.METHODS, BASELINE, method)
        assert main(command) == 1
    said = capsys.readouterr().err.splitlines()
    assert [run.method for run in read(tmp_path / "out.json")] == ["gan", "gan"]
    for seed, line in enumerate(said[-2:]):
        assert line.startswith(f"scarce_labels: {BASELINE}, seed {seed}, failed: {why}")
    assert main(command) == 0
    assert len(read(tmp_path / "out.json")) == 4


def test_where_all_fail_there_is_nothing_to_draw(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(scarce_labels.DATA, "fashion-mnist", lambda _: toys())
    monkeypatch.setitem(scarce_labels.METHODS, "gan", WithoutWeights)
    drawn = [tmp_path / name for name in ("report.html", "plot.png")]
    more = ["--methods", "gan", "--report", str(drawn[0]), "--plot", str(drawn[1])]
    assert main(chosen(tmp_path / "out.json", *more)) == 1
    assert not any(path.exists() for path in drawn)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--labels", "9"], "9 labels for 10 classes: expected one for each, at least"),
        (["--labels", "21"], "21 labels: fashion-mnist has 20 photos to train on"),
        (["--path", "nowhere"], "nowhere: no file train-images-idx3-ubyte.gz there"),
        (["--json", "{folder}/train-labels-idx1-ubyte.gz"], "no results of ml.scarce_labels"),
    ],
)
def test_a_mistake_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], told: str
) -> None:
    write_fashion_mnist(tmp_path)
    given = ["--data", "fashion-mnist", "--path", str(tmp_path), "--json", str(tmp_path / "out.json")]
    assert main([*given, *(each.format(folder=tmp_path) for each in arguments)]) == 1
    printed = capsys.readouterr().err
    assert printed.startswith("scarce_labels: ")
    assert told in printed
    assert printed.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--labels", "0"], "--labels: '0'; expected a whole number, at least 1"),
        (["--seconds", "-1"], "--seconds: '-1'; expected a number above 0"),
        (["--methods", "magic"], "invalid choice: 'magic'"),
        (["--plot", "plot.jpeg"], "--plot: 'plot.jpeg'; expected a name that ends in .png"),
        (
            ["--first-seed", "4294967296"],
            "--first-seed: '4294967296'; expected a whole number, 0 to 4294967295",
        ),
    ],
)
def test_what_the_command_line_cannot_mean(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], told: str
) -> None:
    with pytest.raises(SystemExit):
        options([*chosen(tmp_path / "out.json"), *arguments])
    assert told in capsys.readouterr().err
