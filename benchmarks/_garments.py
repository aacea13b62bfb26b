"""Other views of garments, named by their main views: DeepDress beside colours and the untrained network."""

import csv
import json
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch

from ml.baselines import colour_histograms, untrained
from ml.checkpoint import load
from ml.deepdress import DeepDress
from ml.evaluation import embed_rows
from ml.train_embedder import fit
from ml.training_options import Options
from ml.training_set import TrainingSet, from_manifest

MAIN = ("main", "0")
KS = (1, 3)
GALLERIES = {
    "all": "every garment in every colour",
    "variants left out": "without the garment's other colours",
    "own colour left out": "the garment in its other colours alone",
}
CPU = torch.device("cpu")


@dataclass(frozen=True)
class Garments:
    """Photos as arrays of equal length n."""

    photos: list[Path]
    garment: np.ndarray
    product: np.ndarray  # a garment in one colour
    main: np.ndarray  # of bool

    @property
    def queries(self) -> np.ndarray:
        """Other views of what has a main view."""
        return np.flatnonzero(~self.main & np.isin(self.product, self.product[self.main]))


def read(folder: Path) -> Garments:
    with (folder / "garments.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    garment = np.array([row["garment_id"] for row in rows])
    product = np.array([f"{row['garment_id']} {row['color']}" for row in rows])
    main = np.array([row["view"] in MAIN for row in rows])
    return Garments([folder / row["path"] for row in rows], garment, product, main)


def recalls(garments: Garments, queries: np.ndarray, vectors: np.ndarray) -> dict[str, Any]:
    """Hits (queries,) at each k, for each gallery; a query that its gallery cannot answer is nan.

    Colours of a garment are one photo, recoloured. So they are left out of the gallery query by query: the
    other colours, to which shape and pose fit as well as to the right one; or the query's own, and then
    colour says nothing and any other colour of the garment is right.
    """
    gallery = np.flatnonzero(garments.main)
    cosines = vectors[queries] @ vectors[gallery].T
    product = garments.product[queries][:, None] == garments.product[gallery]
    garment = garments.garment[queries][:, None] == garments.garment[gallery]
    right = {"all": product, "variants left out": product, "own colour left out": garment & ~product}
    left_out = {
        "all": product & False,
        "variants left out": garment & ~product,
        "own colour left out": product,
    }
    return {name: _hits(cosines, right[name], left_out[name]) for name in GALLERIES}


def _hits(cosines: np.ndarray, right: np.ndarray, left_out: np.ndarray) -> dict[str, np.ndarray]:
    """Equals come before the right one: a network to which all photos are the same is right nowhere."""
    best = np.where(right, cosines, -np.inf).max(axis=1, keepdims=True)
    before = ((cosines >= best) & ~right & ~left_out).sum(axis=1)
    return {str(k): np.where(right.any(axis=1), before < k, np.nan) for k in KS}


def compare(
    garments: Garments, weights: Path, cache: Path, steps: int, folds: int, seed: int
) -> dict[str, Any]:
    """Mean recall of each method, on garments that it has never seen."""
    model, queries = DeepDress.load(weights, "cpu"), garments.queries
    vectors = {
        "DeepDress": model.embed(garments.photos).vectors,
        "colour histogram": colour_histograms(garments.photos),
        "colour histogram of the middle": colour_histograms(garments.photos, middle=True),
        "untrained network": untrained(model.config, CPU).embed(garments.photos).vectors,
    }
    found = {name: recalls(garments, queries, each) for name, each in vectors.items()}
    if steps:
        found["DeepDress, fine-tuned"] = fine_tuned(garments, weights, cache, steps, folds, seed)
    return {
        "products": len(set(garments.product[garments.main])),
        "garments": len(set(garments.garment)),
        "queries": len(queries),
        "recall": {name: _means(hits) for name, hits in found.items()},
    }


def _means(galleries: dict[str, dict[str, np.ndarray]]) -> dict[str, dict[str, float]]:
    return {
        name: {k: round(float(np.nanmean(hits)), 4) for k, hits in at.items()}
        for name, at in galleries.items()
    }


def fine_tuned(
    garments: Garments, weights: Path, cache: Path, steps: int, folds: int, seed: int
) -> dict[str, dict[str, np.ndarray]]:
    """Hits after training on the other folds' garments; the gallery holds all garments as before."""
    data, fold = training_set(garments, weights, cache), folds_of(garments.garment, folds, seed)
    found = []
    for number in range(folds):
        network = _trained(
            replace(data, split=np.where(fold == number, "test", "train")), weights, steps, seed
        )
        vectors = embed_rows(network, data, np.arange(len(fold)), CPU)[0]
        queries = garments.queries
        found.append(recalls(garments, queries[fold[queries] == number], vectors))
    return {
        name: {str(k): np.concatenate([each[name][str(k)] for each in found]) for k in KS}
        for name in GALLERIES
    }


def _trained(data: TrainingSet, weights: Path, steps: int, seed: int) -> torch.nn.Module:
    network = load(weights).network
    torch.manual_seed(seed)
    with TemporaryDirectory() as out:
        fit(network, data, Options(out=Path(out), steps=steps, seed=seed, check_every=steps + 1), CPU)
    return network


def training_set(garments: Garments, weights: Path, cache: Path) -> TrainingSet:
    """A manifest of main views as catalogue and other views as looks."""
    manifest = cache / "garments.jsonl"
    manifest.parent.mkdir(parents=True, exist_ok=True)
    lines = (
        {
            "photo": str(photo),
            "dress": str(product),
            "role": "catalogue" if main else "look",
            "split": "train",
        }
        for photo, product, main in zip(garments.photos, garments.product, garments.main, strict=True)
    )
    manifest.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return from_manifest(manifest, cache, load(weights).network.config.input_size, workers=1)


def folds_of(groups: np.ndarray, folds: int, seed: int) -> np.ndarray:
    """The fold of each place; a group is in one alone."""
    names, places = np.unique(groups, return_inverse=True)
    drawn: np.ndarray = np.random.default_rng(seed).permutation(len(names)) % folds
    return drawn[places]
