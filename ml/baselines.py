"""What a model has to beat: colours alone, and its own network before it learnt anything."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import torch

from ml.calibration import Calibration
from ml.checkpoint import Checkpoint
from ml.deepdress import DeepDress
from ml.embedder import Embedder, EmbedderConfig
from ml.photos import Photo, read_square

SIDE, LEVELS = 64, 8


def colour_histograms(photos: Iterable[Photo]) -> npt.NDArray[np.float32]:
    """Unit vectors (n, 512) whose cosine is the Bhattacharyya coefficient of two photos' RGB histograms."""
    rows = [_histogram(photo) for photo in photos]
    return np.sqrt(np.array(rows, np.float32).reshape(-1, LEVELS**3))


def untrained(config: EmbedderConfig, device: torch.device, seed: int = 0) -> DeepDress:
    """The network with random weights; the process's own random numbers stay as they were."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = Embedder(config).eval()
    return DeepDress(Checkpoint(network, Calibration(), {}, "untrained"), device)


def _histogram(photo: Photo) -> npt.NDArray[np.float64]:
    red, green, blue = (read_square(photo, SIDE).reshape(-1, 3).astype(np.int64) * LEVELS // 256).T
    colours = (red * LEVELS + green) * LEVELS + blue
    return np.bincount(colours, minlength=LEVELS**3) / len(colours)
