"""Trains DeepDress: python -m ml.train_embedder --out DIR [--manifest FILE] [--steps N | --minutes M] …

Without a manifest it draws a wardrobe to train on. The same seed and --steps give the same weights on the
same machine; --minutes ends by the clock, and so elsewhere each time.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from tqdm import tqdm

from ml import checkpoint
from ml.augmentation import street_like
from ml.calibration import Calibration
from ml.deepdress import best_device
from ml.embedder import SIZES, Embedder, size
from ml.evaluation import calibrate, figures, unseen_posts
from ml.photos import UnreadablePhoto, normalise, to_batch
from ml.training_set import NO_DRESS, ManifestError, TrainingSet, draw, from_manifest

DRESSES_A_BATCH = 48  # each with a catalogue photo and another one
NEGATIVES_A_BATCH = 24
TEMPERATURE = 0.07
STRENGTH = 0.4  # of the augmentations; drawn street photos are half way there
LEARNING_RATE, WARM_UP, WEIGHT_DECAY = 2e-3, 0.05, 0.05
LARGEST_GRADIENT = 5.0
# From which share of the training on photos are how large, as a part of the input: small ones cost less and
# teach as much before details matter.
RESOLUTIONS = ((0.0, 2 / 3), (0.5, 5 / 6), (0.75, 1.0))


class LossNotFinite(ArithmeticError):
    """Training diverged; the last good checkpoint stays as it is."""


@dataclass(frozen=True)
class Options:
    """What the command line says."""

    out: Path
    manifest: Path | None = None
    steps: int = 3000
    minutes: float | None = None
    seed: int = 1
    device: str | None = None
    size: str = "small"
    dresses: int = 1600
    workers: int = 2
    cache: Path = Path(os.environ.get("DRESSPORTAL_VAR", "var")) / "training"
    check_every: int = 500


def options(arguments: Sequence[str] | None = None) -> Options:
    """Parse the command line."""
    parser = argparse.ArgumentParser(prog="python -m ml.train_embedder", description="Train DeepDress.")
    parser.add_argument("--out", type=Path, required=True, help="folder for the checkpoint")
    parser.add_argument("--manifest", type=Path, help="JSON lines of labelled photos; drawn ones without it")
    length = parser.add_mutually_exclusive_group()
    length.add_argument(
        "--steps", type=int, default=Options.steps, help="optimiser steps (default %(default)s)"
    )
    length.add_argument("--minutes", type=float, help="stop by the clock; not reproducible")
    parser.add_argument("--seed", type=int, default=Options.seed)
    parser.add_argument("--device", help="cpu, cuda, mps (default: the best there is)")
    parser.add_argument("--size", choices=list(SIZES), default="small")
    parser.add_argument("--dresses", type=int, default=Options.dresses, help="drawn dresses to train on")
    parser.add_argument(
        "--workers", type=int, default=os.cpu_count() or 1, help="processes that draw or decode"
    )
    parser.add_argument("--cache", type=Path, default=Options.cache, help="folder for decoded photos")
    parser.add_argument(
        "--check-every", type=int, default=Options.check_every, help="steps between checks on held-out photos"
    )
    return Options(**vars(parser.parse_args(arguments)))


def train(chosen: Options) -> dict[str, Any]:
    """Train, calibrate, save to `chosen.out`; returns the metrics. Raises ManifestError, LossNotFinite."""
    started = time.monotonic()
    config = size(chosen.size)
    device = torch.device(chosen.device) if chosen.device else best_device()
    if chosen.manifest:
        data = from_manifest(chosen.manifest, chosen.cache, config.input_size, chosen.workers)
    else:
        data = draw(chosen.dresses, chosen.cache, config.input_size, chosen.seed, workers=chosen.workers)

    for remark in data.description.get("remarks", ()):
        print(f"train_embedder: {remark}", file=sys.stderr)

    torch.manual_seed(chosen.seed)
    network = Embedder(config).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    steps = fit(network, data, chosen, device)

    network.half().float()  # as it is stored, so that the figures are those of the shipped weights
    calibration = calibrate(network, data, device)
    metrics = {
        **figures(network, calibration, data, device),
        "steps": steps,
        "seconds": round(time.monotonic() - started),
        "seed": chosen.seed,
        "size": chosen.size,
        "data": data.description,
    }
    checkpoint.save(chosen.out, network, calibration, metrics)
    return metrics


def fit(network: Embedder, data: TrainingSet, chosen: Options, device: torch.device) -> int:
    """Train in place, saving a checkpoint every `chosen.check_every` steps; returns the number of steps."""
    generator = torch.Generator(device).manual_seed(chosen.seed)
    trained = np.unique(data.dress[data.rows("train")])
    optimiser = torch.optim.AdamW(network.parameters(), weight_decay=WEIGHT_DECAY)
    batches = mixed_batches(data, trained, np.random.default_rng(chosen.seed))
    started, steps = time.monotonic(), 0
    bar = tqdm(desc="training", unit="step", total=None if chosen.minutes else chosen.steps)
    while (progress := _progress(chosen, steps, started)) < 1:
        optimiser.param_groups[0]["lr"] = learning_rate(progress)
        rows, labels = next(batches)
        side = resolution(progress, network.config.input_size)
        photos = street_like(to_batch(data.pixels[rows]).to(device), side, generator, STRENGTH)
        vectors, logits = network.train()(normalise(photos))
        classes = torch.from_numpy(labels).to(device)
        loss = pair_loss(vectors, classes) + not_a_dress_loss(logits, classes)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        norm = nn.utils.clip_grad_norm_(network.parameters(), LARGEST_GRADIENT)
        if not torch.isfinite(loss + norm):
            raise LossNotFinite(
                f"loss {loss.item()} at step {steps}; what {chosen.out} held before stays there"
            )
        optimiser.step()
        steps += 1
        bar.update()
        bar.set_postfix(loss=f"{loss.item():.2f}", refresh=False)
        if steps % chosen.check_every == 0:
            found = unseen_posts(network, data, "validation", device, side).recall()
            bar.write(
                f"step {steps}: loss {loss.item():.2f}, recall on unseen dresses {found}", file=sys.stderr
            )
            checkpoint.save(chosen.out, network, Calibration(), {"steps": steps, "validation": found})
    bar.close()
    return steps


def learning_rate(progress: float) -> float:
    """A short rise, then half a cosine down to nothing; `progress` in 0..1."""
    return LEARNING_RATE * min(0.01 + progress / WARM_UP, 0.5 + 0.5 * math.cos(math.pi * progress))


def resolution(progress: float, input_size: int) -> int:
    """Side in pixels of the photos at a share of the training, `progress` in 0..1."""
    return round(input_size * next(part for start, part in reversed(RESOLUTIONS) if progress >= start))


def mixed_batches(
    data: TrainingSet, trained: npt.NDArray[np.int64], rng: np.random.Generator
) -> Iterator[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]]:
    """Endless batches of rows and their classes (places in `trained`, or NO_DRESS).

    A catalogue photo of each of some dresses, then another photo of each in the same order, then negatives.
    An epoch shows every dress once.
    """
    catalogue = _rows_by_dress(data, trained, catalogue=True)
    others = _rows_by_dress(data, trained, catalogue=False)
    negatives = data.rows("train", dress=False)
    count = min(DRESSES_A_BATCH, len(trained))
    while True:
        order = rng.permutation(len(trained))
        for start in range(0, len(order) - count + 1, count):
            classes = order[start : start + count]
            rows = [_draw(catalogue[c] if len(catalogue[c]) else others[c], data, rng) for c in classes]
            rows += [_draw(others[c] if len(others[c]) else catalogue[c], data, rng) for c in classes]
            empty = [_draw(negatives, data, rng) for _ in range(min(NEGATIVES_A_BATCH, len(negatives)))]
            yield (
                np.array(rows + empty),
                np.concatenate([classes, classes, np.full(len(empty), NO_DRESS)]),
            )


def pair_loss(vectors: Tensor, classes: Tensor) -> Tensor:
    """Each photo must find its dress's catalogue photo among the batch's, and the other way round.

    InfoNCE (van den Oord et al. 2018, arXiv:1807.03748). `vectors` (n, d) and `classes` (n,) are laid out as
    by mixed_batches. A margin softmax over proxies, and a memory of earlier batches, learnt half as fast.
    """
    pairs = int((classes != NO_DRESS).sum()) // 2
    cosines = vectors[pairs : 2 * pairs] @ vectors[:pairs].T / TEMPERATURE  # (pairs, pairs)
    right = torch.arange(pairs, device=vectors.device)
    return F.cross_entropy(cosines, right) + F.cross_entropy(cosines.T, right)


def not_a_dress_loss(logits: Tensor, classes: Tensor) -> Tensor:
    """Cross-entropy of the not-a-dress logits (n,)."""
    return F.binary_cross_entropy_with_logits(logits, (classes == NO_DRESS).float())


def _rows_by_dress(
    data: TrainingSet, trained: npt.NDArray[np.int64], *, catalogue: bool
) -> list[npt.NDArray[np.int64]]:
    rows = data.rows("train", catalogue=catalogue)
    rows = rows[np.argsort(data.dress[rows], kind="stable")]
    return np.split(rows, np.searchsorted(data.dress[rows], trained[1:]))


def _draw(rows: npt.NDArray[np.int64], data: TrainingSet, rng: np.random.Generator) -> int:
    weight = data.weight[rows]
    return int(rng.choice(rows, p=weight / weight.sum()))


def _progress(chosen: Options, steps: int, started: float) -> float:
    if chosen.minutes is not None:
        return (time.monotonic() - started) / (60 * chosen.minutes)
    return steps / chosen.steps


def main() -> None:
    """Run from the command line; a user's mistake ends with one line."""
    try:
        metrics = train(options())
    except (ManifestError, UnreadablePhoto, LossNotFinite) as error:
        sys.exit(f"train_embedder: {error}")
    print(json.dumps(metrics, indent=2))


if __name__ == "__main__":
    main()
