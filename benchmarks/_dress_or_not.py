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
from rich.progress import track
from scipy import stats
from torch import Tensor, nn

from ml.augmentation import street_like
from ml.batches import Batches
from ml.checkpoint import load
from ml.embedder import Embedder
from ml.learner import Learner, precision
from ml.losses import not_a_dress_loss
from ml.metrics import auroc, average_precision
from ml.photos import normalise, shrink, to_batch
from ml.train_embedder import LARGEST_GRADIENT, STRENGTH, WEIGHT_DECAY, learning_rate, step
from ml.training_options import Options
from ml.training_set import NO_DRESS, TrainingSet, from_manifest

DRESS = "dress"  # the folder's name
PAIRS, NEGATIVES, BATCH = 16, 48, 64
SIDE = 64  # pixels: more cost more than they bring
CPU = torch.device("cpu")
Judge = Callable[[Tensor], Tensor]  # normalised photos (n, 3, s, s) -> log odds (n,) of "a dress"


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
    judge = METHODS[job.method](data, job)
    seconds = time.process_time() - before
    scores, dress = judged(judge, data.pixels[held_out]), data.dress[held_out] != NO_DRESS
    return {
        "auroc": auroc(scores, dress),
        "average_precision": average_precision(scores, dress),
        "cpu_seconds": seconds,
    }


def taught(data: TrainingSet, job: Fold) -> Judge:
    """DeepDress taught as by its own training: a dress is a class of its own, the other kinds are negatives.

    How surely a photo shows a dress is read from the kinds' classifier: it knows what else there may be.
    """
    network = load(job.weights).network
    chosen = Options(Path("unused"), steps=job.steps, seed=job.seed, pairs=PAIRS, negatives=NEGATIVES)
    batches = Batches(data, chosen.seed, chosen.pairs, chosen.negatives)
    learner = Learner(network, data, len(batches.dresses), chosen)
    dtype, dress = precision("auto", CPU), data.vocabulary["kind"].index(DRESS)
    descend(learner, job.steps, lambda number: step(learner, batches, number, SIDE, job.seed, CPU, dtype))

    def log_odds(photos: Tensor) -> Tensor:
        found = learner.attributes(network.look(photos)).float()
        others = torch.cat([found[:, :dress], found[:, dress + 1 :]], dim=1)
        return found[:, dress] - others.logsumexp(dim=1)

    learner.eval()
    return log_odds


def from_scratch(data: TrainingSet, job: Fold) -> Judge:
    """The same network from random weights, with nothing but "a dress" and "not a dress"."""
    network = Embedder(load(job.weights).network.config)
    rng, generator = np.random.default_rng(job.seed), torch.Generator().manual_seed(job.seed)
    rows, dtype = np.flatnonzero(data.split == "train"), precision("auto", CPU)

    def loss(number: int) -> Tensor:
        batch = rng.choice(rows, BATCH, replace=False)
        photos = normalise(street_like(to_batch(data.pixels[batch]), SIDE, generator, STRENGTH))
        with torch.autocast("cpu", dtype, enabled=dtype != torch.float32):
            _, found = network(photos)
        return not_a_dress_loss(found, torch.from_numpy(data.dress[batch]))

    descend(network, job.steps, loss)
    network.eval()
    return lambda photos: -network(photos)[1]


METHODS: dict[str, Callable[[TrainingSet, Fold], Judge]] = {
    "DeepDress, taught": taught,
    "from scratch": from_scratch,
}


def descend(learner: nn.Module, steps: int, loss_at: Callable[[int], Tensor]) -> None:
    """Train in place, with the optimiser and the rates of DeepDress's own training."""
    learner.to(memory_format=torch.channels_last).train()
    optimiser = torch.optim.AdamW(learner.parameters(), weight_decay=WEIGHT_DECAY)
    for number in range(steps):
        for group in optimiser.param_groups:
            group["lr"] = Options.rate * learning_rate(number / steps)
        optimiser.zero_grad()
        loss_at(number).backward()
        nn.utils.clip_grad_norm_(learner.parameters(), LARGEST_GRADIENT)
        optimiser.step()


@torch.inference_mode()
def judged(judge: Judge, pixels: np.ndarray) -> np.ndarray:
    """Log odds of "a dress", the mean over each photo and its mirror image."""
    batches = (shrink(to_batch(pixels[start : start + 128]), SIDE) for start in range(0, len(pixels), 128))
    means = [(judge(normalise(batch)) + judge(normalise(batch.flip(3)))) / 2 for batch in batches]
    return torch.cat(means).numpy()


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
