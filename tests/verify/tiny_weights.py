"""A DeepDress of the smallest size with random weights: real files, real torch, no training."""

from pathlib import Path

import torch

from ml import checkpoint
from ml.calibration import Calibration
from ml.embedder import Embedder, size


def write_tiny_weights(folder: Path, seed: int = 1) -> Path:
    torch.manual_seed(seed)
    network = Embedder(size("tiny")).eval()
    checkpoint.save(folder, network, Calibration(temperature=0.1), {"recall_at_3": 0.5})
    return folder
