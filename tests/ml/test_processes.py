"""Two processes train one network: torchrun on the CPU, with gloo."""

import fcntl
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ml import checkpoint

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One start for all tests, of all runners: importing torch thrice takes longer than they do."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "two"
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "ended").exists():
            start(folder)
    return folder


def start(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)  # another runner's, where it failed
    folder.mkdir()
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    command += [str(Path(__file__).with_name("two_processes.py")), str(folder)]
    ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300)
    assert ended.returncode == 0, ended.stderr
    (folder / "ended").touch()


@pytest.fixture
def told(folder: Path) -> list[dict[str, Any]]:
    return [json.loads((folder / f"{rank}.json").read_text()) for rank in (0, 1)]


def test_both_end_with_the_same_network(told: list[dict[str, Any]]) -> None:
    assert [each["count"] for each in told] == [2, 2]
    assert told[0]["parameters"] == told[1]["parameters"]


def test_no_photo_is_in_both_parts_of_a_batch(told: list[dict[str, Any]]) -> None:
    for first, second in zip(told[0]["rows"], told[1]["rows"], strict=True):
        assert not set(first[:6]) & set(second[:6])
        assert len(first) == len(second)


def test_killed_they_go_on_to_the_same_network(told: list[dict[str, Any]]) -> None:
    for each in told:
        assert each["resumed"] == each["parameters"]


def test_a_loss_that_is_no_number_in_one_stops_both(folder: Path, told: list[dict[str, Any]]) -> None:
    assert all("loss nan at step 3" in each["diverged"] for each in told)
    assert checkpoint.load(folder / "diverged" / "unfinished").metrics["steps"] == 2


def test_the_command_saves_one_model(folder: Path) -> None:
    assert checkpoint.load(folder / "model").metrics["steps"] == 3


def test_two_play_one_game_and_killed_they_go_on_to_the_same_nets(told: list[dict[str, Any]]) -> None:
    first, second = (each["game"] for each in told)
    assert first == second
    assert told[0]["resumed game"] == first
