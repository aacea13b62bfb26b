"""What the command line cannot mean is said in one plain line."""

import sys
from pathlib import Path

import pytest
import torch

from ml import train_embedder
from ml.embedder import Embedder, size
from ml.processes import Processes
from ml.train_embedder import check_options
from ml.training_options import Options, OptionsRefused, options
from tests.verify.tiny_weights import write_tiny_weights


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--steps", "0"], "--steps: '0'; expected a whole number, at least 1"),
        (["--steps", "-3"], "--steps: '-3'; expected a whole number, at least 1"),
        (["--minutes", "0"], "--minutes: '0'; expected a number above 0"),
        (["--minutes", "nan"], "--minutes: 'nan'; expected a number above 0"),
        (["--pairs", "1"], "--pairs: '1'; expected a whole number, at least 2"),
        (["--negatives", "-1"], "--negatives: '-1'; expected a whole number, at least 0"),
        (["--seed", "4294967296"], "--seed: '4294967296'; expected a whole number, 0 to 4294967295"),
        (["--rate", "fast"], "--rate: 'fast'; expected a number above 0"),
        (["--freeze", "-1"], "--freeze: '-1'; expected a whole number, at least 0"),
        (["--body-rate", "0"], "--body-rate: '0'; expected a number above 0"),
        (["--device", "toaster"], "--device: 'toaster'; expected a device of this machine"),
        (["--size", "base", "--start-from", "there"], "--start-from: not allowed with argument --size"),
        (
            ["--backbone", "here", "--start-from", "there"],
            "--start-from: not allowed with argument --backbone",
        ),
        (["--loss", "classifier", "--patience", "3"], "--patience: not allowed with --loss classifier"),
        (["--unlabelled", "posts"], "--unlabelled: needs --manifest"),
        (
            ["--unlabelled", "posts", "--manifest", "m", "--loss", "classifier"],
            "--unlabelled: not allowed with --loss classifier",
        ),
    ],
)
def test_a_wrong_value_is_said(arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        options(["--out", "model", *arguments])
    assert told in capsys.readouterr().err


def test_the_size_is_that_of_the_weights_to_start_from() -> None:
    assert options(["--out", "model"]).size == "small"
    assert options(["--out", "model", "--start-from", "there"]).size is None


@pytest.mark.parametrize(
    ("changes", "count", "told"),
    [({"freeze": 4}, 1, "--freeze 4: this network's body has 3 parts"), ({"pairs": 3}, 2, "two for each")],
)
def test_what_does_not_fit_the_network_or_the_processes_is_said(
    changes: dict[str, int], count: int, told: str
) -> None:
    with pytest.raises(OptionsRefused, match=told):
        check_options(Options(Path("model"), **changes), Embedder(size("tiny")), Processes(0, count))


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        ("nothing there", r"weights\.safetensors: cannot be read"),
        ("another's configuration", "weights of another architecture"),
        ("no pickles", "no \\*\\.safetensors; expected such weights, pickled ones are not read"),
    ],
)
def test_weights_that_cannot_be_started_from_end_with_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str, told: str
) -> None:
    given, option = tmp_path / "given", "--start-from"
    if broken == "another's configuration":
        file = write_tiny_weights(given) / "config.json"
        file.write_text(file.read_text().replace("16", "24"))
    elif broken == "no pickles":
        option = "--backbone"
        given.mkdir()
        (given / "config.json").write_text("{}")
        torch.save({}, given / "pytorch_model.bin")
    monkeypatch.setattr(sys, "argv", ["train_embedder", "--out", str(tmp_path / "out"), option, str(given)])
    with pytest.raises(SystemExit, match=f"train_embedder: .*{told}"):
        train_embedder.main()


def test_parts_thaw_one_after_the_other() -> None:
    chosen = Options(Path("model"), freeze=3, unfreeze_every=10)
    assert [chosen.frozen(step, 5) for step in (0, 9, 10, 25, 30, 99)] == [3, 3, 2, 1, 0, 0]
    assert Options(Path("model"), unfreeze_every=10).frozen(0, 5) == 5
    assert Options(Path("model"), freeze=2).frozen(99, 5) == 2
    assert Options(Path("model")).frozen(0, 5) == 0
