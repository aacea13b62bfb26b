"""What a model has to beat: colours alone, and its own network before it learnt anything."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import torch

from ml import backbones
from ml.calibration import Calibration
from ml.checkpoint import Checkpoint
from ml.deepdress import DeepDress
from ml.embedder import EmbedderConfig
from ml.photos import Photo, read_square

SIDE, LEVELS = 64, 8
# Where a standing person's dress is: the middle third, most of its height. Backgrounds are most of the rest,
# and drown the dress: on drawn photos the middle alone finds many times as many.
MIDDLE = (slice(11, 53), slice(22, 42))


def colour_histograms(photos: Iterable[Photo], *, middle: bool = False) -> npt.NDArray[np.float32]:
    """Unit vectors (n, 512) whose cosine is the Bhattacharyya coefficient of two photos' RGB histograms.

    Of whole photos, or of their middle alone.
    """
    rows = [_histogram(photo, middle) for photo in photos]
    return np.sqrt(np.array(rows, np.float32).reshape(-1, LEVELS**3))


def untrained(config: EmbedderConfig, device: torch.device, seed: int = 0) -> DeepDress:
    """The network with random weights; the process's own random numbers stay as they were."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = backbones.network(config).eval()
    return DeepDress(Checkpoint(network, Calibration(), {}, "untrained"), device)


def _histogram(photo: Photo, middle: bool) -> npt.NDArray[np.float64]:
    pixels = read_square(photo, SIDE)[MIDDLE if middle else ...]
    red, green, blue = (pixels.reshape(-1, 3).astype(np.int64) * LEVELS // 256).T
    colours = (red * LEVELS + green) * LEVELS + blue
    return np.bincount(colours, minlength=LEVELS**3) / len(colours)
