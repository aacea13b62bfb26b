"""A drawn training set: photos on disk and the manifest that names them."""

from __future__ import annotations

import json
import multiprocessing
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image
from tqdm import tqdm

from ml.synthetic.dress import Wardrobe
from ml.synthetic.negatives import NEGATIVE_KINDS, negative_photo
from ml.synthetic.photos import catalogue_photo, street_photo

VALIDATION, TEST = 0.1, 0.1


@dataclass(frozen=True)
class Order:
    """How much to draw: dresses `first_index` onwards, photos of `size` (width, height) in `folder`."""

    folder: Path
    dresses: int
    street_per_dress: int
    negatives: int
    seed: int
    first_index: int = 0
    size: tuple[int, int] = (205, 256)
    held_out: bool = (
        False  # nothing to train on: a third for validation, the rest and the catalogue for testing
    )


@dataclass(frozen=True)
class Shot:
    """One photo to draw: of the dress at `index`, or, with `kind`, of something else."""

    order: Order
    role: str
    index: int
    number: int
    kind: str = ""

    @property
    def path(self) -> str:
        if self.role == "negative":
            return f"negative/{self.number // 1000:03d}/{self.number}-{self.kind}.jpg"
        return f"{self.role}/{self.index // 1000:03d}/{self.index}-{self.number}.jpg"

    def row(self) -> dict[str, object]:
        """Its line of the manifest."""
        row: dict[str, object] = {
            "photo": self.path,
            "dress": None,
            "role": self.role,
            "split": self._split(),
            "weight": 1.0,
        }
        if self.role == "negative":
            return row
        twin, twin_of = Wardrobe(self.order.seed).dress(self.index).twin_of, {}
        if twin is not None and twin >= self.order.first_index:
            twin_of = {"twin_of": f"{self.order.seed}-{twin}"}
        return {**row, "dress": f"{self.order.seed}-{self.index}", **twin_of}

    def _split(self) -> str:
        if self.role == "catalogue":
            return "test" if self.order.held_out else "train"
        shares = (1 / 3, 2 / 3) if self.order.held_out else (VALIDATION, TEST)
        return _split(shares, self.order.seed, self.index, self.number, self.role)

    def draw(self) -> Image.Image:
        wardrobe, size = Wardrobe(self.order.seed), self.order.size
        if self.role == "catalogue":
            return catalogue_photo(wardrobe.dress(self.index), "front", size, self.number)
        if self.role == "look":
            return street_photo(wardrobe.dress(self.index), size, self.number)
        dress = wardrobe.dress(self.index) if self.number % 2 else None
        return negative_photo(self.kind, size, self.order.seed * 1_000_003 + self.number, dress)


def _split(shares: tuple[float, float], *what: int | str) -> str:
    """By a hash: a photo keeps its split whatever else is drawn."""
    code = [ord(c) for part in what for c in str(part)]
    u = float(np.random.default_rng(code).random())
    validation, test = shares
    return "test" if u < test else "validation" if u < test + validation else "train"


def shots(order: Order) -> Iterator[Shot]:
    """Every photo of an order: the catalogue, looks, then what is no dress."""
    indices = range(order.first_index, order.first_index + order.dresses)
    for index in indices:
        yield Shot(order, "catalogue", index, 0)
        for number in range(order.street_per_dress):
            yield Shot(order, "look", index, number)
    for number in range(order.negatives):
        index = order.first_index + number % max(1, order.dresses)
        yield Shot(order, "negative", index, number, NEGATIVE_KINDS[number % len(NEGATIVE_KINDS)])


def write(order: Order, workers: int | None = None) -> Path:
    """Draws an order into its folder, with progress; returns the manifest's path.

    The same order gives the same files. Raises OSError where the folder cannot be written.
    """
    todo = list(shots(order))
    for folder in {(order.folder / shot.path).parent for shot in todo}:
        folder.mkdir(parents=True, exist_ok=True)
    count = workers or len(os.sched_getaffinity(0))
    context = multiprocessing.get_context("spawn")
    with context.Pool(count, initializer=cv2.setNumThreads, initargs=(1,)) as pool:
        for _ in tqdm(
            pool.imap_unordered(_save, todo, chunksize=16), total=len(todo), unit="photo", desc="drawing"
        ):
            pass
    manifest = order.folder / "manifest.jsonl"
    manifest.write_text("".join(json.dumps(shot.row()) + "\n" for shot in todo), encoding="utf-8")
    return manifest


def _save(shot: Shot) -> None:
    shot.draw().save(shot.order.folder / shot.path, quality=90)
