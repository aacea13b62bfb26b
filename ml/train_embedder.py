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
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from ml import checkpoint, training_state
from ml.augmentation import street_like
from ml.batches import Batches, Places, look_alikes
from ml.calibration import Calibration
from ml.checkpoint import CheckpointRefused
from ml.deepdress import best_device
from ml.embedder import Embedder, EmbedderConfig, size
from ml.evaluation import calibrate, embed_rows, figures, held_out_recall
from ml.learner import Learner, precision
from ml.photos import UnreadablePhoto, normalise, to_batch
from ml.training_options import Options, options
from ml.training_set import ManifestError, TrainingSet, draw, from_manifest
from ml.training_state import State, StateRefused

STRENGTH = 0.4  # of the augmentations; drawn street photos are half way there
WARM_UP, WEIGHT_DECAY, LARGEST_GRADIENT = 0.05, 0.05, 5.0
# From which share of the training on photos are how large, as a part of the input: small ones cost less and
# teach as much before details matter.
RESOLUTIONS = ((0.0, 4 / 7), (0.5, 6 / 7), (0.8, 1.0))


class LossNotFinite(ArithmeticError):
    """Training diverged; the last good checkpoint stays as it is."""


def train(chosen: Options) -> dict[str, Any]:
    """Train, calibrate, save to `chosen.out`; returns the metrics.

    Raises ManifestError, UnreadablePhoto, CheckpointRefused, StateRefused or LossNotFinite.
    """
    device = torch.device(chosen.device) if chosen.device else best_device()
    torch.manual_seed(chosen.seed)
    network = beginning(chosen)
    data = photos(chosen, network.config)
    for remark in data.description.get("remarks", ()):
        print(f"train_embedder: {remark}", file=sys.stderr)
    state = fit(network, data, chosen, device)

    network.half().float()  # as it is stored, so that the figures are those of the shipped weights
    calibration = calibrate(network, data, device)
    metrics = {
        **figures(network, calibration, data, device),
        "steps": state.steps,
        "seconds": round(state.seconds),
        "data": data.description,
        "options": chosen.deciding(),
    }
    checkpoint.save(chosen.out, network, calibration, metrics)
    training_state.forget(chosen.out)
    return metrics


def beginning(chosen: Options) -> Embedder:
    """The network before its first step: a random one, or the checkpoint to start from."""
    if chosen.start_from:
        return checkpoint.load(chosen.start_from).network
    return Embedder(size(chosen.size))


def photos(chosen: Options, config: EmbedderConfig) -> TrainingSet:
    """The manifest's photos, or drawn ones."""
    if chosen.manifest:
        return from_manifest(chosen.manifest, chosen.cache, config.input_size, chosen.workers)
    return draw(chosen.dresses, chosen.cache, config.input_size, chosen.seed, workers=chosen.workers)


def fit(network: Embedder, data: TrainingSet, chosen: Options, device: torch.device) -> State:
    """Train in place, going on with what was broken off in `chosen.out`; returns how it ended."""
    batches = Batches(data, chosen.seed, chosen.pairs, chosen.negatives)
    learner = Learner(network, data, len(batches.dresses), chosen)
    learner = learner.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimiser = torch.optim.AdamW(learner.parameter_groups(chosen.rate), weight_decay=WEIGHT_DECAY)
    if chosen.restart:
        training_state.forget(chosen.out)
    state = training_state.resume(chosen.out, learner, optimiser, chosen.deciding())
    if state.neighbours is not None:
        batches.group(state.neighbours)
    dtype, before = precision(chosen.precision, device), time.monotonic() - state.seconds
    total = None if chosen.minutes else chosen.steps
    bar = tqdm(desc="training", unit="step", total=total, initial=state.steps, mininterval=1)
    while (progress := _progress(chosen, state)) < 1:
        side = resolution(progress, network.config.input_size)
        if progress >= chosen.groups_from and state.steps % chosen.check_every == 0:
            batches.group(_look_alikes(network, batches, device, side))
            state.neighbours = batches.neighbours
        for group in optimiser.param_groups:
            group["lr"] = group["rate"] * learning_rate(progress)
        loss = step(learner.train(), batches, state.steps, side, chosen.seed, device, dtype)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        norm = nn.utils.clip_grad_norm_(learner.parameters(), LARGEST_GRADIENT)
        if not torch.isfinite(loss + norm):
            raise LossNotFinite(
                f"loss {loss.item()} at step {state.steps}; what {chosen.out} held before stays there"
            )
        optimiser.step()
        state.steps, state.seconds = state.steps + 1, time.monotonic() - before
        bar.update()
        bar.set_postfix(loss=f"{loss.item():.2f}", refresh=False)
        if state.steps % chosen.check_every == 0:
            check(learner, optimiser, data, chosen, state, device, side, bar)
            if chosen.patience and state.since_best >= chosen.patience:
                break
    bar.close()
    if chosen.patience and state.best >= 0:
        network.load_state_dict(checkpoint.load(chosen.out).network.state_dict())
    return state


def step(
    learner: Learner,
    batches: Batches,
    number: int,
    side: int,
    seed: int,
    device: torch.device,
    dtype: torch.dtype,
) -> Tensor:
    """The loss of a step's batch, augmented to `side` pixels."""
    batch = batches.at(number)
    generator = torch.Generator(device).manual_seed(seed * 1_000_003 + number)
    pixels = to_batch(batches.data.pixels[batch.rows]).to(device)
    attributes = torch.from_numpy(batches.data.attributes[batch.rows]).to(device)
    photos = normalise(street_like(pixels, side, generator, STRENGTH))
    with torch.autocast(device.type, dtype, enabled=dtype != torch.float32):
        loss: Tensor = learner(photos, torch.from_numpy(batch.classes).to(device), batch.pairs, attributes)
    return loss


def check(
    learner: Learner,
    optimiser: torch.optim.Optimizer,
    data: TrainingSet,
    chosen: Options,
    state: State,
    device: torch.device,
    side: int,
    bar: tqdm[Any],
) -> None:
    """Say how well held-out dresses are found, and save what a later start goes on from."""
    found = held_out_recall(learner.network, data, "validation", device, side)
    better = found is not None and found["1"] > state.best
    state.since_best = 0 if better else state.since_best + 1
    state.best = max(state.best, found["1"] if found else -1.0)
    bar.write(f"step {state.steps}: recall on held-out photos {found}", file=sys.stderr)
    if better or not chosen.patience:
        metrics = {"steps": state.steps, "validation": found}
        checkpoint.save(chosen.out, learner.network, Calibration(), metrics)
    training_state.save(chosen.out, learner, optimiser, state, chosen.deciding())


def learning_rate(progress: float) -> float:
    """Part of the highest rate: a short rise, then half a cosine down to nothing; `progress` in 0..1."""
    return min(0.01 + progress / WARM_UP, 0.5 + 0.5 * math.cos(math.pi * progress))


def resolution(progress: float, input_size: int) -> int:
    """Side in pixels of the photos at a share of the training, `progress` in 0..1."""
    return round(input_size * next(part for start, part in reversed(RESOLUTIONS) if progress >= start))


def _look_alikes(network: Embedder, batches: Batches, device: torch.device, side: int) -> Places:
    """Each dress's nearest others, by one photo of each."""
    pairs = zip(batches.catalogue, batches.others, strict=True)
    rows = np.array([own[0] if len(own) else others[0] for own, others in pairs])
    return look_alikes(embed_rows(network, batches.data, rows, device, side)[0])


def _progress(chosen: Options, state: State) -> float:
    if chosen.minutes is not None:
        return state.seconds / (60 * chosen.minutes)
    return state.steps / chosen.steps


def main() -> None:
    """Run from the command line; a user's mistake ends with one line."""
    try:
        metrics = train(options())
    except (ManifestError, UnreadablePhoto, CheckpointRefused, StateRefused, LossNotFinite) as error:
        sys.exit(f"train_embedder: {error}")
    print(json.dumps(metrics, indent=2))


if __name__ == "__main__":
    main()
