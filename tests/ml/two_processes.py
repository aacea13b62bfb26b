"""What each of two processes does for test_processes.py, started by torchrun."""

import json
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import distributed

from ml import train_embedder, train_gan
from ml.embedder import Embedder, size
from ml.gan_judge import Judge
from ml.gan_options import Options
from ml.processes import Processes, joined
from ml.train_embedder import LossNotFinite, Training, fit
from tests.ml import small_gan
from tests.ml.small_training import options, small_set, write_manifest

CPU = torch.device("cpu")
Losses = dict[str, torch.Tensor]
step = train_embedder.step


class Killed(Exception):
    pass


def trained(folder: Path, processes: Processes) -> Training:
    torch.manual_seed(1 + processes.rank)  # the first one's parameters count
    chosen = options(folder, steps=6, check_every=2, groups_from=0.5, unfreeze_every=2)
    return fit(Embedder(size("tiny")), small_set(), chosen, CPU, processes)


def failing(at: int, rank: int | None) -> Any:
    def failing_step(learner: Any, batches: Any, number: int, *others: Any) -> Losses:
        if number == at and rank is None:
            raise Killed
        wrong = float("nan") if number == at and batches.processes.rank == rank else 1.0
        return {name: loss * wrong for name, loss in step(learner, batches, number, *others).items()}

    return failing_step


def parameters(training: Training) -> list[float]:
    return [value.double().sum().item() for value in training.learner.parameters()]


def played(chosen: Options, processes: Processes, until: int | None = None) -> list[float]:
    """What the game's nets have come to; `until` it is killed at that step."""
    judge = Judge(chosen.deepdress, CPU)
    training = train_gan.begin(train_gan.photos(chosen, judge, processes), judge, chosen, CPU, processes)
    training.chosen = replace(chosen, steps=until) if until else chosen
    train_gan.play(training)
    return [value.double().sum().item() for value in training.game.nets().parameters()]


def game(folder: Path, processes: Processes) -> dict[str, Any]:
    if processes.first:
        small_gan.options(folder)
    distributed.barrier()
    chosen = {"steps": 6, "check_every": 2, "recipe": "wgan-gp"}
    whole = played(small_gan.options(folder, out=folder / "whole", **chosen), processes)
    cut = small_gan.options(folder, out=folder / "cut", **chosen)
    played(cut, processes, until=5)
    return {"game": whole, "resumed game": played(cut, processes)}


def main(folder: Path) -> None:
    with joined(CPU) as processes:
        told: dict[str, Any] = {"count": processes.count}
        whole = trained(folder / "whole", processes)
        told["parameters"] = parameters(whole)
        told["rows"] = [whole.batches.at(number).rows.tolist() for number in range(6)]
        train_embedder.step = failing(5, None)
        try:
            trained(folder / "cut", processes)
        except Killed:
            train_embedder.step = step
        told["resumed"] = parameters(trained(folder / "cut", processes))
        train_embedder.step = failing(3, 1)
        try:
            trained(folder / "diverged", processes)
        except LossNotFinite as error:
            told["diverged"] = str(error)
        train_embedder.step = step
        command = f"--out {folder}/model --manifest {folder}/manifest.jsonl --cache {folder}/cache --steps 3"
        sys.argv = ["train", *f"{command} --size tiny --pairs 6 --workers 1 --device cpu".split()]
        if processes.first:
            write_manifest(folder)
        distributed.barrier()
        train_embedder.main()
        told |= game(folder / "game", processes)
        (folder / f"{processes.rank}.json").write_text(json.dumps(told))


if __name__ == "__main__":
    main(Path(os.fsdecode(sys.argv[1])))
