"""Figures and calibration of a network on the held-out photos of a training set."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from ml.calibration import Calibration, fit_logit, fit_temperature
from ml.catalogue_index import CatalogueIndex, Options
from ml.deepdress import embed_batch
from ml.embedder import Embedder
from ml.metrics import auroc, average_precision, expected_calibration_error, recall_at
from ml.photos import shrink, to_batch
from ml.training_set import TrainingSet

Floats = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Posts:
    """Embedded posts and the catalogue in which they are looked up."""

    index: CatalogueIndex
    truth: Rows  # (n,) dresses
    vectors: Floats  # (n, d)
    logits: Floats  # (n,) of not-a-dress, uncalibrated

    def recall(self) -> dict[str, float] | None:
        """Recall at 1, 3 and 5 and the number of dresses in the catalogue; None without posts."""
        if not len(self.truth):
            return None
        found = {str(k): round(recall_at(self.index, self.vectors, self.truth, k), 4) for k in (1, 3, 5)}
        return {**found, "dresses": len(self.index)}


def embed_rows(
    network: Embedder, data: TrainingSet, rows: Rows, device: torch.device, side: int | None = None
) -> tuple[Floats, Floats]:
    """Vectors (n, d) and uncalibrated not-a-dress logits (n,) of some photos of a training set.

    `side` in pixels where the network, in the middle of its training, is used to another than its input's.
    """
    network.eval()
    vectors = [np.empty((0, network.config.dimensions), np.float32)]
    logits = [np.empty(0, np.float32)]
    for start in range(0, len(rows), 128):
        batch = shrink(to_batch(data.pixels[rows[start : start + 128]]), side or network.config.input_size)
        found = embed_batch(network, batch, device)
        vectors.append(found[0].numpy())
        logits.append(found[1].numpy())
    return np.concatenate(vectors), np.concatenate(logits)


def unseen_posts(
    network: Embedder, data: TrainingSet, split: str, device: torch.device, side: int | None = None
) -> Posts:
    """A split's posts of dresses that were never trained on, looked up among that split's dresses."""
    unseen = ~np.isin(data.dress, data.dress[data.rows("train")])
    catalogue, posts = data.rows(split, catalogue=True), data.rows(split, catalogue=False)
    return _posts(network, data, catalogue[unseen[catalogue]], posts[unseen[posts]], device, side)


def seen_posts(
    network: Embedder, data: TrainingSet, split: str, device: torch.device, side: int | None = None
) -> Posts:
    """A split's posts of dresses that were trained on, looked up among those dresses' catalogue photos."""
    posts = data.rows(split, catalogue=False)
    posts = posts[np.isin(data.dress[posts], data.dress[data.rows("train")])]
    catalogue = np.flatnonzero((data.role == "catalogue") & np.isin(data.dress, data.dress[posts]))
    return _posts(network, data, catalogue, posts, device, side)


def held_out_recall(
    network: Embedder, data: TrainingSet, split: str, device: torch.device, side: int | None = None
) -> dict[str, float] | None:
    """Recall on a split's posts of unseen dresses or, where there are none, of those trained on."""
    found = unseen_posts(network, data, split, device, side).recall()
    return found or seen_posts(network, data, split, device, side).recall()


def _posts(
    network: Embedder,
    data: TrainingSet,
    catalogue: Rows,
    posts: Rows,
    device: torch.device,
    side: int | None = None,
) -> Posts:
    posts = posts[np.isin(data.dress[posts], data.dress[catalogue])]
    index = CatalogueIndex(embed_rows(network, data, catalogue, device, side)[0], data.dress[catalogue])
    return Posts(index, data.dress[posts], *embed_rows(network, data, posts, device, side))


def calibrate(network: Embedder, data: TrainingSet, device: torch.device) -> Calibration:
    """Fit temperature, slope and offset on the validation split; what it cannot support keeps its default."""
    temperature, slope, offset = Calibration.temperature, Calibration.slope, Calibration.offset
    posts = unseen_posts(network, data, "validation", device)
    if not len(posts.truth):
        posts = seen_posts(network, data, "validation", device)
    if len(posts.truth):
        columns = np.searchsorted(posts.index.dress_ids, posts.truth)
        temperature = fit_temperature(posts.index.similarities(posts.vectors), columns)
    logits, negative = _dress_or_not(network, data, "validation", device)
    if negative.any() and not negative.all():
        slope, offset = fit_logit(logits, negative)
    return Calibration(temperature, slope, offset)


def figures(
    network: Embedder, calibration: Calibration, data: TrainingSet, device: torch.device
) -> dict[str, Any]:
    """Recall on unseen and seen dresses, not-a-dress and calibration; None for what the test split lacks."""
    unseen, seen = unseen_posts(network, data, "test", device), seen_posts(network, data, "test", device)
    logits, negative = _dress_or_not(network, data, "test", device)
    return {
        "unseen": {"recall": unseen.recall()},
        "seen": {"recall": seen.recall()},
        "not_a_dress": {
            "auroc": _figure(auroc(logits, negative)),
            "average_precision": _figure(average_precision(logits, negative)),
        },
        "ece": _figure(_calibration_error(unseen, logits[negative], calibration)),
    }


def _dress_or_not(
    network: Embedder, data: TrainingSet, split: str, device: torch.device
) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Logits of a split's posts, and which of them show no dress."""
    posts, negatives = data.rows(split, catalogue=False), data.rows(split, dress=False)
    _, logits = embed_rows(network, data, np.concatenate([posts, negatives]), device)
    return logits, np.arange(len(logits)) >= len(posts)


def _calibration_error(posts: Posts, negatives: Floats, calibration: Calibration) -> float:
    """Of the likeliest answer to every post, a dress or none, on unseen dresses and negatives together."""
    if not len(posts.truth):
        return math.nan
    none, without = calibration.not_a_dress(posts.logits), calibration.not_a_dress(negatives)
    best = posts.index.options(posts.vectors, none, calibration.temperature, k=1)
    return expected_calibration_error(*likeliest_answers(best, posts.truth, none, without))


def likeliest_answers(
    options: Options, truth: Rows, none: Floats, without: Floats
) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """How sure the likeliest answer to every post is, a dress or none, and whether it is right.

    `options` of posts of the dresses `truth` (n,), P(not a dress) of them, `none` (n,), and of photos without
    a dress, `without` (m,); n + m answers.
    """
    dress = options.probabilities[:, 0]
    right = (options.dress_ids[:, 0] == truth) & (dress > none)
    # A negative's candidates share 1 - P(not a dress): the answer is right where that is the smaller part.
    confidence = np.concatenate([np.maximum(dress, none), np.maximum(without, 1 - without)])
    return confidence, np.concatenate([right, without > 0.5])


def _figure(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 4)
