"""What a game of a second needs: photos on disk, tiny weights that judge, options. No Django."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image

from ml import checkpoint
from ml.calibration import Calibration
from ml.embedder import Embedder, size
from ml.gan_options import Options
from tests.ml.small_training import COLOURS


def write_photos(folder: Path, count: int = 40, side: int = 32) -> Path:
    """Stripes in six colours at places of their own, a subfolder a colour."""
    rng = np.random.default_rng(0)
    for number in range(count):
        pixels = rng.integers(200, 255, (side, side, 3)).astype(np.uint8)
        left = int(rng.integers(4, side // 2))
        pixels[4:-4, left : left + side // 4] = COLOURS[number % 6]
        path = folder / f"colour-{number % 6}" / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path)
    return folder


def write_judge(folder: Path) -> Path:
    """A DeepDress of the smallest size with random weights."""
    torch.manual_seed(1)
    checkpoint.save(folder, Embedder(size("tiny")).eval(), Calibration(), {})
    return folder


def options(tmp_path: Path, **changes: object) -> Options:
    """Of photos and a judge in `tmp_path`, which are written if they are not there."""
    photos, judge = tmp_path / "photos", tmp_path / "judge"
    if not photos.exists():
        write_photos(photos)
    if not judge.exists():
        write_judge(judge)
    quick = {"size": 32, "width": 4, "noise": 8, "batch": 8, "steps": 6, "precision": "float32"}
    fixed = {"device": "cpu", "check_every": 100, "judged": 0, "samples": (0,), "cache": tmp_path / "cache"}
    told = {"photos": photos, "deepdress": judge, "out": tmp_path / "out", **quick, **fixed, **changes}
    return Options(**told)
