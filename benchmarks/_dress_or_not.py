"""Dress or not on phone photos, cross-validated: DeepDress taught on them, and a network from scratch."""

import json
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from rich.progress import track
from scipy import stats

from ml.augmentation import street_like
from ml.checkpoint import load
from ml.deepdress import embed_batch
from ml.embedder import Embedder
from ml.learner import precision
from ml.metrics import auroc, average_precision
from ml.photos import normalise, shrink, to_batch
from ml.train_embedder import STRENGTH, WEIGHT_DECAY, fit, learning_rate
from ml.training_options import Options
from ml.training_set import NO_DRESS, TrainingSet, from_manifest

DRESS = "dress"  # the folder's name
PAIRS, NEGATIVES, BATCH = 16, 48, 64
SMALL = 64  # pixels, of the network from scratch
CPU = torch.device("cpu")


@dataclass(frozen=True)
class Fold:
    """One training and what it is measured on."""

    method: str
    number: int
    photos: Path
    weights: Path
    cache: Path
    steps: int
    folds: int
    seed: int


def cross_validated(
    photos: Path, weights: Path, cache: Path, steps: dict[str, int], folds: int, seed: int, workers: int
) -> dict[str, Any]:
    """Each method's figures, fold by fold and their mean with a 95% interval."""
    training_set(photos, weights, cache)  # decoded once, before the processes that share it
    jobs = [
        Fold(method, number, photos, weights, cache, steps[method], folds, seed)
        for number in range(folds)
        for method in METHODS
    ]
    with ProcessPoolExecutor(workers, get_context("spawn"), torch.set_num_threads, (1,)) as pool:
        done = list(track(pool.map(measure, jobs), "Folds", len(jobs), transient=True))
    return {
        method: summary([found for job, found in zip(jobs, done, strict=True) if job.method == method])
        for method in METHODS
    }


def summary(folds: list[dict[str, float]]) -> dict[str, Any]:
    """Mean and half the width of Student's 95% interval over folds."""
    figures = {name: np.array([fold[name] for fold in folds]) for name in folds[0]}
    reach = stats.t.ppf(0.975, len(folds) - 1) / np.sqrt(len(folds)) if len(folds) > 1 else np.nan
    return {
        name: {
            "mean": round(float(values.mean()), 4),
            "interval": round(float(reach * values.std(ddof=1)), 4) if len(folds) > 1 else None,
            "folds": values.round(4).tolist(),
        }
        for name, values in figures.items()
    }


def measure(job: Fold) -> dict[str, float]:
    """AUROC and average precision of "a dress" on the photos left out, and what the training cost."""
    everything = training_set(job.photos, job.weights, job.cache)
    held_out = folds_of(kinds(everything), job.folds, job.seed) == job.number
    data = replace(everything, split=np.where(held_out, "test", "train"))
    torch.manual_seed(job.seed)
    before = time.process_time()
    network, side = METHODS[job.method](data, job)
    seconds = time.process_time() - before
    scores, dress = -logits(network, data, data.split == "test", side), data.dress[held_out] != NO_DRESS
    return {
        "auroc": auroc(scores, dress),
        "average_precision": average_precision(scores, dress),
        "cpu_seconds": seconds,
    }


def taught(data: TrainingSet, job: Fold) -> tuple[Embedder, int]:
    """DeepDress as anybody teaches it: every dress a dress of its own, the other kinds negatives."""
    network = load(job.weights).network
    chosen = Options(
        out=Path("unused"),
        steps=job.steps,
        seed=job.seed,
        pairs=PAIRS,
        negatives=NEGATIVES,
        check_every=job.steps + 1,
    )
    fit(network, data, chosen, CPU)
    return network, network.config.input_size


def from_scratch(data: TrainingSet, job: Fold) -> tuple[Embedder, int]:
    """The same network from random weights on small photos, with nothing but "dress" and "not a dress"."""
    network = Embedder(load(job.weights).network.config).to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(network.parameters(), Options.rate, weight_decay=WEIGHT_DECAY)
    rng, generator = np.random.default_rng(job.seed), torch.Generator().manual_seed(job.seed)
    rows, dtype = np.flatnonzero(data.split == "train"), precision("auto", CPU)
    for number in range(job.steps):
        for group in optimiser.param_groups:
            group["lr"] = Options.rate * learning_rate(number / job.steps)
        batch = rng.choice(rows, BATCH, replace=False)
        photos = normalise(street_like(to_batch(data.pixels[batch]), SMALL, generator, STRENGTH))
        with torch.autocast("cpu", dtype, enabled=dtype != torch.float32):
            _, found = network(photos)
        truth = torch.from_numpy(data.dress[batch] == NO_DRESS).float()
        loss = F.binary_cross_entropy_with_logits(found, truth)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return network, SMALL


METHODS: dict[str, Callable[[TrainingSet, Fold], tuple[Embedder, int]]] = {
    "DeepDress, taught": taught,
    "from scratch": from_scratch,
}


def logits(network: Embedder, data: TrainingSet, chosen: np.ndarray, side: int) -> np.ndarray:
    """Of "not a dress", the mean over each photo and its mirror image."""
    network.eval()
    rows, found = np.flatnonzero(chosen), []
    for start in range(0, len(rows), 128):
        batch = shrink(to_batch(data.pixels[rows[start : start + 128]]), side)
        found.append(sum(embed_batch(network, each, CPU)[1].numpy() for each in (batch, batch.flip(3))) / 2)
    return np.concatenate(found)


def training_set(photos: Path, weights: Path, cache: Path) -> TrainingSet:
    """A manifest of the folder, its classes' names as the attribute "kind"."""
    manifest = cache / "dress-or-not.jsonl"
    manifest.parent.mkdir(parents=True, exist_ok=True)
    lines = "".join(json.dumps(_line(photo)) + "\n" for photo in sorted(photos.glob("*/*.jpg")))
    if not manifest.exists() or manifest.read_text() != lines:
        manifest.write_text(lines)
    return from_manifest(manifest, cache, load(weights).network.config.input_size, workers=1)


def _line(photo: Path) -> dict[str, Any]:
    kind = photo.parent.name
    named = (
        {"dress": photo.stem, "role": "catalogue"} if kind == DRESS else {"dress": None, "role": "negative"}
    )
    return {"photo": str(photo), **named, "split": "train", "attributes": {"kind": kind}}


def kinds(data: TrainingSet) -> np.ndarray:
    (column,) = data.attributes.T
    return column


def folds_of(classes: np.ndarray, folds: int, seed: int) -> np.ndarray:
    """The fold of each photo, each class spread evenly over all."""
    rng, fold = np.random.default_rng(seed), np.empty(len(classes), np.int64)
    for each in np.unique(classes):
        rows = rng.permutation(np.flatnonzero(classes == each))
        fold[rows] = np.arange(len(rows)) % folds
    return fold
