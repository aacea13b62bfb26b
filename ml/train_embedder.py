"""Trains DeepDress: python -m ml.train_embedder --out DIR [--manifest FILE] [--steps N | --minutes M] …

Without a manifest it draws a wardrobe to train on. The same seed and --steps give the same weights on the
same machine, also if it was killed in between and started again; --minutes ends by the clock, and so
elsewhere each time.
"""

from __future__ import annotations

import json
import math
import sys
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from ml import backbones, checkpoint, classifier_baseline, training_state
from ml.augmentation import street_like
from ml.backbones import BackboneRefused
from ml.batches import LOOK_ALIKES, Batches, look_alikes
from ml.calibration import Calibration
from ml.checkpoint import CheckpointRefused
from ml.classifier_baseline import ClassHead
from ml.deepdress import best_device
from ml.embedder import Embedder, EmbedderConfig, size
from ml.evaluation import calibrate, embed_rows, figures, held_out_recall
from ml.learner import Learner, precision
from ml.manifest import UNLABELLED, ManifestError
from ml.photos import UnreadablePhoto, normalise, to_batch
from ml.processes import ALONE, Processes, device_of_its_own, joined
from ml.training_log import TrainingLog
from ml.training_options import Options, OptionsRefused, options
from ml.training_set import TrainingSet, draw, from_manifest
from ml.training_state import State, StateRefused
from ml.unlabelled import Names, names

STRENGTH = 0.4  # of the augmentations; drawn street photos are half way there
WARM_UP, WEIGHT_DECAY, LARGEST_GRADIENT = 0.05, 0.05, 5.0
# From which share of the training on photos are how large, as a part of the input: small ones cost less and
# teach as much before details matter.
RESOLUTIONS = ((0.0, 4 / 7), (0.5, 6 / 7), (0.8, 1.0))

MISTAKES = (
    *(ManifestError, UnreadablePhoto, CheckpointRefused, BackboneRefused, StateRefused, OptionsRefused),
)


class LossNotFinite(ArithmeticError):
    """Training diverged; the last good checkpoint stays as it is."""


def train(chosen: Options) -> dict[str, Any]:
    """Train, calibrate, save to `chosen.out`; returns the metrics, of several processes in the first alone.

    Raises ManifestError, UnreadablePhoto, CheckpointRefused, BackboneRefused, StateRefused, OptionsRefused,
    LossNotFinite, or OSError where a disk is full.
    """
    device = device_of_its_own(torch.device(chosen.device) if chosen.device else best_device())
    with joined(device) as processes:
        torch.manual_seed(chosen.seed)
        network = beginning(chosen)
        check_options(chosen, network, processes)
        data = photos(chosen, network.config, processes)
        training = fit(network, data, chosen, device, processes)
        metrics = finish(training) if processes.first else {}
        processes.wait()
        return metrics


def beginning(chosen: Options) -> Embedder:
    """The network before its first step: a random one, the checkpoint to start from, or another's body."""
    if chosen.start_from:
        return checkpoint.load(chosen.start_from).network
    if chosen.backbone:
        return backbones.adapt(chosen.backbone)
    return Embedder(size(chosen.size or "small"))


def check_options(chosen: Options, network: Embedder, processes: Processes) -> None:
    """What cannot be known before there is a network. Raises OptionsRefused."""
    parts = len(network.parts())
    if (chosen.freeze or 0) > parts:
        raise OptionsRefused(f"--freeze {chosen.freeze}: this network's body has {parts} parts")
    if chosen.pairs < 2 * processes.count:
        raise OptionsRefused(
            f"--pairs {chosen.pairs} for {processes.count} processes: expected two for each, at least"
        )


def photos(chosen: Options, config: EmbedderConfig, processes: Processes = ALONE) -> TrainingSet:
    """The manifest's photos, or drawn ones; the first process decodes them for all."""
    if not processes.first:
        processes.wait()
    if chosen.manifest:
        given = (chosen.manifest, chosen.cache, config.input_size, chosen.workers, chosen.unlabelled)
        data = from_manifest(*given)
    else:
        data = draw(chosen.dresses, chosen.cache, config.input_size, chosen.seed, workers=chosen.workers)
    if processes.first:
        for remark in data.description.get("remarks", ()):
            print(f"train_embedder: {remark}", file=sys.stderr)
        processes.wait()
    return data


def finish(training: Training) -> dict[str, Any]:
    """Calibrate, measure and save what has been trained."""
    network, data, chosen, device = training.network, training.data, training.chosen, training.device
    told = {
        "steps": training.state.steps,
        "seconds": round(training.state.seconds),
        "data": data.description,
        "options": chosen.deciding(),
    }
    if isinstance(head := training.learner.metric, ClassHead):
        metrics = told
        classes = [data.dresses[dress] for dress in training.batches.dresses]
        classifier_baseline.save(chosen.out, network, head, classes, metrics)
    else:
        network.half().float()  # as it is stored, so that the figures are those of the shipped weights
        calibration = calibrate(network, data, device)
        metrics = {**figures(network, calibration, data, device), **told}
        checkpoint.save(chosen.out, network, calibration, metrics)
    training_state.forget(chosen.unfinished)
    return metrics


@dataclass
class Training:
    """One that is going on."""

    learner: Learner
    batches: Batches
    optimiser: torch.optim.Optimizer
    state: State
    chosen: Options
    device: torch.device
    processes: Processes
    averaging: nn.Module | None = None  # the learner, as several processes share it
    frozen: int = 0  # parts of the body

    @property
    def network(self) -> Embedder:
        return self.learner.network

    @property
    def data(self) -> TrainingSet:
        return self.batches.data

    def progress(self) -> float:
        """From 0 to 1."""
        if self.chosen.minutes is not None:
            return self.state.seconds / (60 * self.chosen.minutes)
        return self.state.steps / self.chosen.steps

    def over(self) -> bool:
        patience = self.chosen.patience
        return self.progress() >= 1 or (patience is not None and self.state.since_best >= patience)

    def side(self) -> int:
        """Of photos, in pixels; many a backbone knows one size alone."""
        config = self.network.config
        return config.input_size if config.backbone else resolution(self.progress(), config.input_size)

    def deciding(self) -> dict[str, Any]:
        several = {"processes": self.processes.count} if self.processes.count > 1 else {}
        return {**self.chosen.deciding(), **several, "photos": self.data.description.get("sha256")}

    def ready(self) -> nn.Module:
        """The learner in training mode, but for those parts of the body that are frozen at this step."""
        self.learner.train()
        frozen = self.chosen.frozen(self.state.steps, len(self.network.parts()))
        if frozen or self.frozen:
            self.network.freeze(frozen)
        if self.averaging is None or frozen != self.frozen:
            self.averaging = None  # which lets go of its hooks
            self.averaging, self.frozen = self.processes.together(self.learner, self.device), frozen
        return self.averaging


def fit(
    network: Embedder,
    data: TrainingSet,
    chosen: Options,
    device: torch.device,
    processes: Processes = ALONE,
    clock: Callable[[], float] = time.monotonic,
) -> Training:
    """Train in place, going on with what was broken off in `chosen.out`; returns how it ended."""
    training = begin(network, data, chosen, device, processes)
    state, before = training.state, clock() - training.state.seconds
    log = TrainingLog(chosen.out, state.steps, written=processes.first)
    with closing(log), progress_bar(training) as bar:
        while not training.over():
            side = training.side()
            if state.steps % chosen.check_every == 0:
                look_around(training, side, log, bar)
            told = advance(training, side)
            seconds = torch.tensor(clock() - before, dtype=torch.float64)
            state.steps, state.seconds = state.steps + 1, processes.agreed(seconds, device).item()
            log.step(state.steps, 2 * training.batches.pairs + training.batches.negatives, told)
            bar.update()
            bar.set_postfix(loss=f"{told['loss'].item():.2f}", refresh=False)
            if state.steps % chosen.check_every == 0:
                check(training, side, log, bar)
    if chosen.patience and state.best >= 0:
        network.load_state_dict(checkpoint.load(chosen.unfinished).network.state_dict())
    return training


def begin(
    network: Embedder, data: TrainingSet, chosen: Options, device: torch.device, processes: Processes
) -> Training:
    """The first step's training, or the next one's of that which was broken off. Raises StateRefused."""
    batches = Batches(data, chosen.seed, chosen.pairs, chosen.negatives, processes)
    learner = Learner(network, data, len(batches.dresses), chosen)
    learner = learner.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    groups = learner.parameter_groups(chosen.rate, chosen.body_rate)
    optimiser = torch.optim.AdamW(groups, weight_decay=WEIGHT_DECAY)
    if chosen.restart and processes.first:
        training_state.forget(chosen.unfinished)
    processes.wait()
    training = Training(learner, batches, optimiser, State(), chosen, device, processes)
    training.state = training_state.resume(chosen.unfinished, learner, optimiser, training.deciding())
    if training.state.neighbours is not None:
        batches.group(training.state.neighbours)
    return training


def progress_bar(training: Training) -> tqdm[Any]:
    """In steps, shown by the first process."""
    total = None if training.chosen.minutes else training.chosen.steps
    shown = {"desc": "training", "unit": "step", "total": total, "mininterval": 1}
    return tqdm(**shown, initial=training.state.steps, disable=not training.processes.first)


def advance(training: Training, side: int) -> dict[str, Any]:
    """One step; returns what there is to log. Raises LossNotFinite, in all processes if in one."""
    state, optimiser, chosen, device = training.state, training.optimiser, training.chosen, training.device
    rate = learning_rate(training.progress())
    for group in optimiser.param_groups:
        group["lr"] = group["rate"] * rate
    dtype = precision(chosen.precision, device)
    losses = step(training.ready(), training.batches, state.steps, side, chosen.seed, device, dtype)
    loss = reduce(torch.add, losses.values())
    optimiser.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    norm = nn.utils.clip_grad_norm_(training.learner.parameters(), LARGEST_GRADIENT)
    mean = training.processes.mean(loss.detach())
    if not torch.isfinite(mean + norm):
        raise LossNotFinite(
            f"loss {mean.item()} at step {state.steps}; the last good network is in {chosen.unfinished}"
        )
    optimiser.step()
    parts = {f"loss/{name}": value.detach() for name, value in losses.items()}
    return {"loss": mean, **parts, "learning rate": chosen.rate * rate, "gradient norm": norm}


def step(
    learner: nn.Module,
    batches: Batches,
    number: int,
    side: int,
    seed: int,
    device: torch.device,
    dtype: torch.dtype,
) -> dict[str, Tensor]:
    """The losses of a step's batch, augmented to `side` pixels."""
    batch = batches.at(number)
    # Each process augments otherwise.
    own = seed * 1_000_003 + number + (batches.processes.rank << 40)
    generator = torch.Generator(device).manual_seed(own)
    pixels = to_batch(batches.data.pixels[batch.rows]).to(device)
    attributes = torch.from_numpy(batches.data.attributes[batch.rows]).to(device)
    photos = normalise(street_like(pixels, side, generator, STRENGTH))
    with torch.autocast(device.type, dtype, enabled=dtype != torch.float32):
        classes = torch.from_numpy(batch.classes).to(device)
        losses: dict[str, Tensor] = learner(photos, classes, batch.pairs, attributes)
    return losses


def check(training: Training, side: int, log: TrainingLog, bar: tqdm[Any]) -> None:
    """Say how well held-out dresses are found, and save what a later start goes on from."""
    state, device = training.state, training.device
    if training.processes.first:
        found = _held_out_recall(training, side)
        better = found is not None and found["1"] > state.best
        if found is not None:
            state.since_best = 0 if better else state.since_best + 1
            state.best = max(state.best, found["1"])
            log.check(state.steps, {f"held-out recall/at {k}": found[k] for k in found if k.isdigit()})
        bar.write(f"step {state.steps}: recall on held-out photos {found}", file=sys.stderr)
        save(training, found, best=better or found is None or not training.chosen.patience)
    agreed = training.processes.agreed(
        torch.tensor([state.best, state.since_best], dtype=torch.float64), device
    )
    state.best, state.since_best = agreed[0].item(), int(agreed[1])


def save(training: Training, found: dict[str, float] | None, *, best: bool) -> None:
    """What a later start goes on from and, if it is the best so far, a checkpoint."""
    out = training.chosen.unfinished
    if best and not isinstance(training.learner.metric, ClassHead):
        metrics = {"steps": training.state.steps, "validation": found}
        checkpoint.save(out, training.network, Calibration(), metrics)
    learner, optimiser = training.learner, training.optimiser
    training_state.save(out, learner, optimiser, training.state, training.deciding())


def _held_out_recall(training: Training, side: int) -> dict[str, float] | None:
    """None for the classifier, whose vectors nobody trains."""
    if isinstance(training.learner.metric, ClassHead):
        return None
    return held_out_recall(training.network, training.data, "validation", training.device, side)


def learning_rate(progress: float) -> float:
    """Part of the highest rate: a short rise, then half a cosine down to nothing; `progress` in 0..1."""
    return min(0.01 + progress / WARM_UP, 0.5 + 0.5 * math.cos(math.pi * progress))


def resolution(progress: float, input_size: int) -> int:
    """Side in pixels of the photos at a share of the training, `progress` in 0..1."""
    return round(input_size * next(part for start, part in reversed(RESOLUTIONS) if progress >= start))


def look_around(training: Training, side: int, log: TrainingLog, bar: tqdm[Any]) -> None:
    """What the next batches hold, by what the network sees now."""
    if training.progress() >= training.chosen.groups_from:
        bring_look_alikes_together(training, side)
    if training.progress() >= training.chosen.unlabelled_from:
        name_the_unlabelled(training, side, log, bar)


def bring_look_alikes_together(training: Training, side: int) -> None:
    """From now on batches hold each dress's nearest others, by one photo of each."""
    batches = training.batches
    if training.processes.first:
        rows = np.array([photos[0] for photos in batches.catalogue])
        found = look_alikes(embed_rows(training.network, training.data, rows, training.device, side)[0])
    else:
        found = np.zeros((len(batches.dresses), min(LOOK_ALIKES, len(batches.dresses) - 1)), np.int64)
    agreed = training.processes.agreed(torch.from_numpy(found), training.device)
    training.state.neighbours = np.asarray(agreed.numpy())
    batches.group(training.state.neighbours)


def name_the_unlabelled(training: Training, side: int, log: TrainingLog, bar: tqdm[Any]) -> None:
    """From now on batches hold photos that nobody has named, each as often as it is sure what it shows."""
    batches, device = training.batches, training.device
    rows = training.data.rows(UNLABELLED, dress=False)
    if not len(rows):
        return
    if training.processes.first:
        found = names(training.network, batches, device, side)
    else:
        found = Names(np.zeros(len(rows), np.int64), np.zeros(len(rows)))
    classes, sure = (training.processes.agreed(torch.from_numpy(each), device).numpy() for each in found)
    named = sure > 0
    batches.name(rows[named], classes[named], sure[named])
    log.check(training.state.steps, {"unlabelled/named": named.mean(), "unlabelled/sure": sure.mean()})
    if training.processes.first:
        told = f"step {training.state.steps}: {named.sum():,} of {len(rows):,} unlabelled photos have a name"
        bar.write(told, file=sys.stderr)


def main() -> None:
    """Run from the command line; a user's mistake ends with one line."""
    try:
        metrics = train(options())
    except (*MISTAKES, LossNotFinite, OSError) as error:
        sys.exit(f"train_embedder: {error}")
    if metrics:
        print(json.dumps(metrics, indent=2))


if __name__ == "__main__":
    main()
