"""Drawn photos that anybody can tell apart, and a clock that counts."""

import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np

from ml.scarce.learner import Task
from ml.scarce.photo_sets import PhotoSet

CLASSES = ("bag", "dress", "hat")


def draw(labels: np.ndarray, side: int, channels: int, seed: int) -> np.ndarray:
    """A bright bar at the bottom, down the middle, or at the top, on grain."""
    pixels = np.random.default_rng(seed).integers(0, 60, (len(labels), side, side, channels))
    third = side // 3
    bar = {0: np.s_[-third:, :], 1: np.s_[:, third:-third], 2: np.s_[:third, :]}
    for row, label in enumerate(labels):
        pixels[row][bar[int(label)]] += 150
    return pixels.astype(np.uint8)


def toys(side: int = 16, channels: int = 1) -> PhotoSet:
    """180 photos to learn from, 60 to measure on."""
    train, test = np.arange(180) % 3, np.arange(60) % 3
    return PhotoSet(
        "toys", CLASSES, draw(train, side, channels, 1), train, draw(test, side, channels, 2), test
    )


def task(photos: PhotoSet, labels: int = 12, seed: int = 0) -> Task:
    rows = photos.labelled(labels, seed)
    return Task(photos.train, rows, photos.train_labels[rows], len(photos.classes), seed)


def ticking() -> Callable[[], float]:
    """A second each time that somebody looks."""
    looked = iter(range(1_000_000))
    return lambda: float(next(looked))


def idx(pixels: np.ndarray) -> bytes:
    """The IDX file of unsigned bytes."""
    sizes = b"".join(size.to_bytes(4, "big") for size in pixels.shape)
    return bytes((0, 0, 8, pixels.ndim)) + sizes + pixels.astype(np.uint8).tobytes()


def write_fashion_mnist(folder: Path, count: int = 20) -> None:
    """Each class twice, photos of 28 x 28 pixels."""
    labels = np.arange(count) % 10
    photos = np.random.default_rng(0).integers(0, 256, (count, 28, 28))
    for part in ("train", "t10k"):
        (folder / f"{part}-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(photos)))
        (folder / f"{part}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx(labels)))
