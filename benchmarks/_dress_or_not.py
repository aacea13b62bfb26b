"""Dress or not on phone photos, cross-validated: DeepDress taught on them, and a network from scratch."""

import json
import sys
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
from scipy import stats
from torch import Tensor, nn

from ml.augmentation import street_like
from ml.checkpoint import load
from ml.embedder import Embedder
from ml.learner import precision
from ml.losses import not_a_dress_loss
from ml.metrics import auroc, average_precision
from ml.photos import normalise, shrink, to_batch
from ml.train_embedder import LARGEST_GRADIENT, STRENGTH, WEIGHT_DECAY, learning_rate
from ml.training_options import Options
from ml.training_set import NO_DRESS, TrainingSet, from_manifest

DRESS = "dress"  # the folder's name
BATCH, SMALL = 64, 64  # photos, and their side in pixels for the network from scratch
SIDES, LARGE_FROM = (96, 112), 0.8  # of those that DeepDress is taught on, and when it gets the larger ones
TAUGHT_STRENGTH, SMOOTHING = 0.5, 0.05
DRESSES, MIXED = 0.3, 0.7  # shares of dresses in a batch, and of batches that are mixed
CPU = torch.device("cpu")
Judge = Callable[[Tensor], Tensor]  # normalised photos (n, 3, s, s) -> log odds (n,) of "a dress"
Sides = tuple[int, ...]


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
        done = []
        for job, found in zip(jobs, pool.map(measure, jobs), strict=True):
            figures = ", ".join(f"{name} {value:.3f}" for name, value in found.items())
            print(f"fold {job.number + 1} of {folds}, {job.method}: {figures}", file=sys.stderr, flush=True)
            done.append(found)
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
    judge, sides = METHODS[job.method](data, job)
    seconds = time.process_time() - before
    scores, dress = judged(judge, sides, data.pixels[held_out]), data.dress[held_out] != NO_DRESS
    return {
        "auroc": auroc(scores, dress),
        "average_precision": average_precision(scores, dress),
        "cpu_seconds": seconds,
    }


def taught(data: TrainingSet, job: Fold) -> tuple[Judge, Sides]:
    """DeepDress's weights, taught what kinds of clothes there are; a dress is one of them.

    What the photo shows instead of a dress says more than that it shows none, and photos laid over and cut
    into each other (mixup and CutMix, Zhang et al. 2018 and Yun et al. 2019) keep few dresses from being
    learnt by heart.
    """
    network = load(job.weights).network
    names, truth = data.vocabulary["kind"], torch.from_numpy(kinds(data))
    classifier, dress = nn.Linear(network.features, len(names)), names.index(DRESS)
    rng, generator = np.random.default_rng(job.seed), torch.Generator().manual_seed(job.seed)
    rows, dtype = np.flatnonzero(data.split == "train"), precision("auto", CPU)
    odds = balanced(data.dress[rows] != NO_DRESS)

    def loss(number: int) -> Tensor:
        side = SIDES[number >= LARGE_FROM * job.steps]
        batch = rng.choice(rows, BATCH, p=odds)
        photos = street_like(to_batch(data.pixels[batch]), side, generator, TAUGHT_STRENGTH)
        photos, told = mixed(photos, F.one_hot(truth[batch], len(names)).float(), rng)
        with torch.autocast("cpu", dtype, enabled=dtype != torch.float32):
            found = classifier(network.look(normalise(photos)))
        return F.cross_entropy(found.float(), told, label_smoothing=SMOOTHING)

    def log_odds(photos: Tensor) -> Tensor:
        found = classifier(network.look(photos))
        others = torch.cat([found[:, :dress], found[:, dress + 1 :]], dim=1)
        return found[:, dress] - others.logsumexp(dim=1)

    descend(nn.ModuleList([network, classifier]), job.steps, loss)
    return log_odds, SIDES


def balanced(dress: np.ndarray) -> np.ndarray:
    """Odds of each photo, with which dresses are DRESSES of those drawn."""
    return np.where(dress, DRESSES / dress.sum(), (1 - DRESSES) / (~dress).sum())


def mixed(photos: Tensor, told: Tensor, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Most batches with other photos of theirs laid over or cut into each, labels (n, k) in proportion."""
    if rng.random() > MIXED:
        return photos, told
    others, part = torch.from_numpy(rng.permutation(len(photos))), float(rng.beta(0.8, 0.8))
    if rng.random() < 0.5:
        return torch.lerp(photos[others], photos, part), torch.lerp(told[others], told, part)
    side = photos.shape[-1]
    window = int(side * (1 - part) ** 0.5)
    top, left = rng.integers(0, side - window + 1, 2)
    place = (..., slice(top, top + window), slice(left, left + window))
    photos = photos.clone()
    photos[place] = photos[others][place]
    return photos, torch.lerp(told, told[others], (window / side) ** 2)


def from_scratch(data: TrainingSet, job: Fold) -> tuple[Judge, Sides]:
    """The same network from random weights, with nothing but "a dress" and "not a dress"."""
    network = Embedder(load(job.weights).network.config)
    rng, generator = np.random.default_rng(job.seed), torch.Generator().manual_seed(job.seed)
    rows, dtype = np.flatnonzero(data.split == "train"), precision("auto", CPU)

    def loss(number: int) -> Tensor:
        batch = rng.choice(rows, BATCH, replace=False)
        photos = normalise(street_like(to_batch(data.pixels[batch]), SMALL, generator, STRENGTH))
        with torch.autocast("cpu", dtype, enabled=dtype != torch.float32):
            _, found = network(photos)
        return not_a_dress_loss(found, torch.from_numpy(data.dress[batch]))

    descend(network, job.steps, loss)
    return lambda photos: -network(photos)[1], (SMALL,)


METHODS: dict[str, Callable[[TrainingSet, Fold], tuple[Judge, Sides]]] = {
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
    learner.eval()


@torch.inference_mode()
def judged(judge: Judge, sides: Sides, pixels: np.ndarray) -> np.ndarray:
    """Log odds of "a dress", the mean over each photo and its mirror image in each size."""
    found = []
    for start in range(0, len(pixels), 128):
        photos = normalise(to_batch(pixels[start : start + 128]))
        sizes = [shrink(photos, side) for side in sides]
        found.append(sum(judge(each) + judge(each.flip(3)) for each in sizes) / (2 * len(sides)))
    return torch.cat(found).numpy()


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
