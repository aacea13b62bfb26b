"""A small manifest on disk: dresses that are colours, and grey photos that show none."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

COLOURS = [(220, 30, 40), (30, 160, 60), (40, 60, 210), (230, 210, 40), (160, 40, 170), (30, 200, 210)]
# Dress, role and split of every photo: 0 to 2 are seen in training, 3 to 5 are not; 4 is a near-twin of 3.
ROWS: list[tuple[int | None, str, str]] = [
    *[(dress, "catalogue", "train") for dress in (0, 1, 2)],
    *[(dress, "look", "train") for dress in (0, 1, 2)],
    *[(dress, "catalogue", "test") for dress in (3, 4, 5)],
    *[(dress, "look", split) for split in ("validation", "test", "test") for dress in range(6)],
    *[(dress, "review", "validation") for dress in range(6)],
    *[(None, "negative", split) for split in ("train", "validation", "validation") for _ in range(3)],
    *[(None, "negative", "test") for _ in range(6)],
]


def write_manifest(folder: Path, rows: list[tuple[int | None, str, str]] = ROWS, **changes: Any) -> Path:
    """`changes` are put into the first line."""
    rng = np.random.default_rng(0)
    lines = []
    for number, (dress, role, split) in enumerate(rows):
        noise = rng.integers(-25, 25, (50, 40, 3))
        pixels = np.clip(np.array((128, 128, 128) if dress is None else COLOURS[dress]) + noise, 0, 255)
        Image.fromarray(pixels.astype(np.uint8)).save(folder / f"{number}.jpg")
        name = None if dress is None else f"dress-{dress}"
        line = {"photo": f"{number}.jpg", "dress": name, "role": role, "split": split}
        lines.append({**line, "twin_of": "dress-3"} if dress == 4 else line)
    lines[0].update(changes)
    path = folder / "manifest.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)))
    return path
