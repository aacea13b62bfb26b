"""What is measured of a photo before people see it, and which measures keep its post back.

Pure: pixels -> measures, measures and thresholds -> findings. A finding says what was measured and what would
have been too little or too much, so that whoever doubts it sees why. What each gate is worth is measured by
`benchmarks/gates.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from PIL import Image

Grey = npt.NDArray[np.float32]

SIDE = 256  # pixels of the longer side of what is measured: of what a card shows, on a phone
BLOCK = 8  # pixels: small beside a face, large beside a stroke of writing
FLAT, HARD = 14, 70  # differences of light (of 255) within a block of paper; between ink and paper
SAME, EDGE = 8, 40  # the same as a row's paper; an edge within the row
LEAST_LIGHT = 4.0  # standard deviation of the light of a photo that has a fingerprint at all
BITS, BANDS = 64, 7


class Gate(StrEnum):
    SIZE = "size"
    BLUR = "blur"
    TEXT = "text"
    SCREENSHOT = "screenshot"
    PEOPLE = "people"
    DUPLICATE = "duplicate"


@dataclass(frozen=True)
class Measures:
    """Of one photo. ``fingerprint`` is a perceptual hash; None of what has no light and shade.

    ``faces`` are counted by `verify.intake.faces`; None where they never were.
    """

    side: int  # pixels of the shorter side
    sharpness: float  # of its sharpest tenth, 0 to about 1,000
    paper: float  # share of flat or hard-edged blocks: 1 is a printed page
    writing: float  # share of rows that are mostly paper, with marks on it, between blank ones
    fingerprint: int | None
    faces: int | None = None


@dataclass(frozen=True)
class Finding:
    gate: Gate
    value: float
    threshold: float
    held: bool
    flagged: bool = False  # for an admin to look at, and shown to colleagues all the same


def measure(photo: Image.Image, side: int) -> Measures:
    """Of an upright photo, or a smaller copy of it; ``side`` is the shorter one of the photo, in pixels."""
    scale = SIDE / max(photo.size)
    size = (max(1, round(photo.width * scale)), max(1, round(photo.height * scale)))
    grey = photo.convert("L")
    small = grey if scale >= 1 else grey.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)
    light = np.asarray(small, np.float32)
    return Measures(side, sharpness(light), paper(light), writing(light), fingerprint(grey))


def sharpness(light: Grey) -> float:
    """How strong an edge is where there is one: a blurred background beside a sharp dress does no harm.

    The Laplacian's largest value in each square of 16 pixels, and of those the 90th percentile.
    """
    if min(light.shape) < 18:
        return 0.0
    middle = light[1:-1, 1:-1]
    around = light[:-2, 1:-1] + light[2:, 1:-1] + light[1:-1, :-2] + light[1:-1, 2:]
    return float(np.percentile(_blocks(np.abs(around - 4 * middle), 16).max(axis=(1, 3)), 90))


def paper(light: Grey) -> float:
    """Flat blocks' share of all, times hard-edged ones' share of the others: cloth and skin are neither."""
    if min(light.shape) < BLOCK:
        return 0.0
    blocks = _blocks(light, BLOCK)
    spread = blocks.max(axis=(1, 3)) - blocks.min(axis=(1, 3))
    marked = spread > FLAT
    if not marked.any():
        return 0.0  # nothing is written on it
    return float((~marked).mean() * (spread[marked] >= HARD).mean())


def writing(light: Grey) -> float:
    """Share of rows of paper with marks, at most that of blank rows of the same paper."""
    paper = np.median(light, axis=1)
    share = (np.abs(light - paper[:, None]) <= SAME).mean(axis=1)
    blank = share >= 0.985
    if blank.sum() < 3:
        return 0.0
    same = np.abs(paper - np.median(paper[blank])) <= SAME
    marked = (np.abs(np.diff(light, axis=1)) >= EDGE).sum(axis=1) >= 4
    return float(min((same & marked & (share >= 0.6)).mean(), (same & blank).mean()))


def _blocks(light: Grey, side: int) -> Grey:
    """(h, w) -> (rows, side, columns, side), what is left over cut away."""
    rows, columns = light.shape[0] // side, light.shape[1] // side
    return light[: rows * side, : columns * side].reshape(rows, side, columns, side)


# Duplicates


def fingerprint(grey: Image.Image) -> int | None:
    """64 bits that a photo keeps when it is scaled, compressed, brightened or trimmed a little: pHash.

    The signs, about their median, of the lowest frequencies of its cosine transform (Zauner 2010).
    """
    light = np.asarray(grey.resize((32, 32), Image.Resampling.LANCZOS), np.float64)
    if light.std() < LEAST_LIGHT:
        return None
    low = (WAVES @ light @ WAVES.T).ravel()
    bits = np.packbits(low > np.median(low[1:]))
    return int.from_bytes(bits.tobytes(), signed=True)


def _waves() -> npt.NDArray[np.float64]:
    """(8, 32): the first cosines of a DCT-II."""
    frequency, place = np.mgrid[0:8, 0:32]
    waves: npt.NDArray[np.float64] = np.cos(np.pi * frequency * (2 * place + 1) / 64)
    return waves


WAVES = _waves()


def distance(one: int, other: int) -> int:
    """Bits in which two fingerprints differ, 0 to 64."""
    return ((one ^ other) & ((1 << BITS) - 1)).bit_count()


def bands(print_: int) -> list[int]:
    """Its parts, each with its place: two fingerprints that differ in fewer than 7 bits share one of 7."""
    bits = print_ & ((1 << BITS) - 1)
    edges = pairwise(BITS * number // BANDS for number in range(BANDS + 1))
    return [
        (number << 10) + ((bits >> low) & ((1 << (high - low)) - 1))
        for number, (low, high) in enumerate(edges)
    ]


FARTHEST = BANDS - 1  # bits, at which duplicates are still found


# Findings


def judge(measures: Measures, thresholds: Mapping[Gate, float], nearest: int | None = None) -> list[Finding]:
    """A finding for each gate that has a threshold; ``nearest`` is the distance to another post's photo."""
    values = {
        Gate.SIZE: measures.side,
        Gate.BLUR: measures.sharpness,
        Gate.TEXT: measures.paper,
        Gate.SCREENSHOT: measures.writing,
        Gate.PEOPLE: measures.faces,
        Gate.DUPLICATE: BITS if nearest is None else nearest,
    }
    return [
        Finding(gate, float(value), limit, holds(gate, value, limit), flags(gate, value, limit))
        for gate, value in values.items()
        if value is not None and (limit := thresholds.get(gate)) is not None
    ]


def flags(gate: str, value: float, threshold: float) -> bool:
    return gate == Gate.PEOPLE and value > threshold


def holds(gate: Gate, value: float, threshold: float) -> bool:
    if gate == Gate.PEOPLE:
        return False
    if gate == Gate.DUPLICATE:
        return value <= threshold
    return value < threshold if gate in (Gate.SIZE, Gate.BLUR) else value > threshold
