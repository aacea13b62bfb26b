"""Counts the faces in a photo, by the detector that comes with OpenCV. Kept apart: OpenCV takes long to load.

Boosted cascades of simple features (Viola and Jones 2001), for faces that look at the camera. A person seen
from behind, from the side or without a head is not counted. `benchmarks/gates.py` measures what it is worth.
"""

from functools import cache
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

SIDE = 400  # pixels of the longer side of what is looked at
LEAST = 36  # pixels of a face, on that scale: smaller ones took most of the time and were hardly ever faces
STEP, NEIGHBOURS = 1.1, 6  # between sizes that are tried; finds at one place that make it a face

cv2.setNumThreads(1)


def count(photo: Image.Image) -> int:
    """Faces in an upright photo."""
    scale = SIDE / max(photo.size)
    size = (max(1, round(photo.width * scale)), max(1, round(photo.height * scale)))
    if min(size) < LEAST:
        return 0
    grey = np.asarray(photo.convert("L").resize(size, Image.Resampling.BICUBIC, reducing_gap=2.0))
    return len(_cascade().detectMultiScale(grey, STEP, NEIGHBOURS, minSize=(LEAST, LEAST)))


@cache  # read from a file, which a decoder can do only before it is locked up
def _cascade() -> cv2.CascadeClassifier:
    return cv2.CascadeClassifier(str(Path(cv2.data.haarcascades) / "haarcascade_frontalface_alt2.xml"))
