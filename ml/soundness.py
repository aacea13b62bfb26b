"""Whether a loaded checkpoint does what DeepDress does at all, asked before it may propose anything."""

from __future__ import annotations

import math

import numpy as np

from ml.checkpoint import CheckpointRefused
from ml.deepdress import DeepDress
from ml.synthetic import Wardrobe, catalogue_photo

UNIT = 0.01  # how far a vector's length may be from 1: bfloat16 is not exact


def check(model: DeepDress) -> None:
    """Let it look at a drawn photo. Raises CheckpointRefused unless vector and probability can be used."""
    side = model.config.input_size
    found = model.embed([catalogue_photo(Wardrobe(1).dress(0), "front", (side, side), seed=1)])
    length = float(np.linalg.norm(found.vectors[0].astype(np.float64)))
    probability = float(found.not_a_dress[0])
    if not abs(length - 1) <= UNIT:
        raise CheckpointRefused(f"version {model.version[:12]}: a vector of length {length}, expected 1")
    if not 0 <= probability <= 1:
        raise CheckpointRefused(
            f"version {model.version[:12]}: 'not a dress' at {probability}, expected 0 to 1"
        )
    if not (model.temperature > 0 and math.isfinite(model.temperature)):
        raise CheckpointRefused(
            f"version {model.version[:12]}: temperature {model.temperature}, expected above 0"
        )
