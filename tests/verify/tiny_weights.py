"""A DeepDress of the smallest size with random weights: real files, real torch, no training."""

import tempfile
from pathlib import Path
from typing import Any

import torch

from ml import checkpoint
from ml.calibration import Calibration
from ml.embedder import Embedder, size
from verify import versions
from verify.models import ModelVersion


def write_tiny_weights(folder: Path, seed: int = 1) -> Path:
    torch.manual_seed(seed)
    network = Embedder(size("tiny")).eval()
    checkpoint.save(folder, network, Calibration(temperature=0.1), {"recall_at_3": 0.5})
    return folder


def a_trained_version(seed: int = 2, **fields: Any) -> ModelVersion:
    """A candidate, its weights among the portal's own."""
    with tempfile.TemporaryDirectory() as folder:
        digest = checkpoint.digest(write_tiny_weights(Path(folder), seed))
        values = {"folder": versions.shelve(Path(folder), digest), "temperature": 0.1, **fields}
    return ModelVersion.objects.create(digest=digest, **values)
