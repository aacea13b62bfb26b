"""What a training of a second needs: photos, options, and the photos as a manifest. No Django."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from ml.manifest import UNLABELLED
from ml.training_options import Options
from ml.training_set import NO_DRESS, UNKNOWN, TrainingSet

COLOURS = np.array(
    [[200, 30, 30], [30, 160, 60], [40, 60, 200], [220, 200, 40], [150, 40, 160], [240, 240, 240]]
)


def small_set(side: int = 37) -> TrainingSet:
    """Six dresses, each a stripe, with one catalogue photo and three others, and ten negatives."""
    rng = np.random.default_rng(0)
    dress = np.append(np.repeat(np.arange(6), 4), np.full(10, NO_DRESS))
    pixels = rng.integers(0, 60, (len(dress), side, side, 3)).astype(np.uint8)
    for row, number in enumerate(dress):
        if number != NO_DRESS:
            pixels[row, 8:30, 10 + number : 16 + number] = COLOURS[number]
    role = np.where(dress == NO_DRESS, "negative", np.where(np.arange(34) % 4 == 0, "catalogue", "look"))
    stripe = np.where(dress == NO_DRESS, UNKNOWN, dress % 2)[:, None]
    vocabulary = {"parity": ["even", "odd"]}
    return TrainingSet(pixels, dress, role, np.full(34, "train"), np.ones(34), stripe, vocabulary, {})


def partly_labelled() -> TrainingSet:
    """The small set, two of the three other photos of each dress without a name."""
    data = small_set()
    hidden = (data.role == "look") & (np.arange(34) % 4 > 1)
    dress = np.where(hidden, NO_DRESS, data.dress)
    role, split = (np.where(hidden, UNLABELLED, told) for told in (data.role, data.split))
    return replace(data, dress=dress, role=role, split=split)


def options(tmp_path: Path, **changes: object) -> Options:
    quick = {"steps": 20, "size": "tiny", "pairs": 6, "precision": "float32", "check_every": 1000}
    return Options(**{"out": tmp_path, **quick, **changes})


def write_manifest(folder: Path) -> Path:
    data = small_set()
    lines = []
    for row, (dress, role) in enumerate(zip(data.dress, data.role, strict=True)):
        Image.fromarray(data.pixels[row]).save(folder / f"{row}.png")
        split = ("train", "validation", "test")[row % 4 - 1 if row % 4 > 1 else 0]
        name = None if dress == NO_DRESS else f"dress-{dress}"
        lines.append({"photo": f"{row}.png", "dress": name, "role": str(role), "split": split})
    path = folder / "manifest.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)))
    return path
