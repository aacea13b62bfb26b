"""Shapes of bodies and dresses, in heads: y down from the crown, x across from the middle of the body."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ml.synthetic.canvas import F32, smooth
from ml.synthetic.dress import Dress

SHOULDER, UNDERARM, BUST, WAIST, HIP, KNEE, ANKLE = 1.42, 1.95, 2.14, 2.72, 3.5, 5.35, 7.05
EMPIRE = 2.32


@dataclass(frozen=True)
class Figure:
    """Half-widths of a body in heads."""

    shoulder: float = 0.80
    bust: float = 0.60
    waist: float = 0.47
    hip: float = 0.68

    def half_width(self, y: F32) -> F32:
        """Half-width of the torso at heights `y`."""
        knots = [SHOULDER, 1.6, UNDERARM, BUST, WAIST, 3.1, HIP, 4.2]
        widths = [
            self.shoulder * 0.7,
            self.shoulder * 0.86,
            self.bust * 0.97,
            self.bust,
            self.waist,
            self.waist * 1.18,
            self.hip,
            self.hip * 0.94,
        ]
        line = smooth(np.stack([knots, widths], 1), 6)
        return np.interp(y, line[:, 0], line[:, 1]).astype(np.float32)


def waistline(dress: Dress) -> float:
    """Height of the seam, belt or sash."""
    return EMPIRE if dress.silhouette == "empire" else WAIST + 0.02


Knots = list[tuple[float, float]]


def _slim_skirts(dress: Dress, b: float, w: float, h: float) -> dict[str, Knots]:
    hem, full, drop = dress.hem_at, dress.fullness, dress.hem_at - HIP
    return {
        "sheath": [(WAIST, w), (HIP, h), (4.3, h * 0.96), (hem, h * 0.9 - 0.02 * drop)],
        "a-line": [(WAIST, w), (HIP, h * 1.12), (hem, h * 1.12 + 0.24 * drop * full)],
        "shift": [(WAIST, b * 1.0), (HIP, h * 1.05), (hem, h * 1.08 + 0.06 * drop)],
        "slip": [(WAIST, w * 1.12), (HIP, h * 1.03), (hem, h * 1.02 + 0.06 * drop)],
        "wrap": [(WAIST, w), (HIP, h * 1.1), (hem, h * 1.1 + 0.2 * drop * full)],
        "empire": [
            (EMPIRE, b * 0.94),
            (WAIST, b * 1.1),
            (HIP, h * 1.15),
            (hem, h * 1.15 + 0.2 * drop * full),
        ],
        "peplum": [(WAIST, w), (HIP, h), (4.3, h * 0.95), (hem, h * 0.9)],
        "tiered": [(WAIST, w * 1.04), (HIP, h * 1.2), (hem, h * 1.2 + 0.27 * drop * full)],
        "trapeze": [(WAIST, b * 1.22), (HIP, h * 1.36), (hem, h * 1.36 + 0.26 * drop * full)],
    }


def _full_skirts(dress: Dress, w: float, h: float) -> dict[str, Knots]:
    hem, full, drop = dress.hem_at, dress.fullness, dress.hem_at - HIP
    return {
        "fit and flare": [
            (WAIST, w),
            (2.95, w + 0.2 * full),
            (HIP, h + 0.3 * full),
            (hem, h + 0.3 * full + 0.34 * drop * full),
        ],
        "ballgown": [
            (WAIST, w),
            (2.9, w + 0.3 * full),
            (3.4, h + 0.5 * full),
            (4.6, h + 0.85 * full),
            (hem, h + 1.1 * full),
        ],
        "mermaid": [
            (WAIST, w),
            (HIP, h),
            (4.7, h * 0.86),
            (5.3, h * 0.8),
            (5.9, h * 1.0),
            (hem, h + 0.62 * full),
        ],
        "balloon": [
            (WAIST, w * 1.15),
            (3.1, h * 1.1),
            (hem - 0.6, h * 1.42 * full),
            (hem - 0.2, h * 1.3 * full),
            (hem, h * 1.02),
        ],
    }


@lru_cache(maxsize=512)
def profile(dress: Dress, body: Figure) -> F32:
    """Half-width of the dress on the way down from underarm to hem: (n, 2) of (y, half-width)."""
    b, w, h = body.bust + 0.02, body.waist + 0.02, body.hip + 0.03
    top = [(UNDERARM, b * 0.97), (BUST, b)]
    skirt = _full_skirts(dress, w, h).get(dress.silhouette) or _slim_skirts(dress, b, w, h)[dress.silhouette]
    line = smooth(np.array([*top, *skirt], np.float32), 8)
    return np.asarray(line[np.concatenate([[True], np.diff(line[:, 0]) > 1e-4])], np.float32)


@dataclass(frozen=True)
class Half:
    """One side of a top: the neck's edge from the middle outwards, then the outer end of the shoulder."""

    edge: F32
    outer: F32 | None  # None: no strap


def _half(
    points: list[tuple[float, float]], outer: tuple[float, float] | None, steps: int = 8, sharp: bool = False
) -> Half:
    knots = np.array(points, np.float32)
    edge = knots if sharp or len(knots) < 3 else smooth(knots, steps)
    return Half(edge, None if outer is None else np.array([outer], np.float32))


def _strapless(body: Figure, middle: float, peak: float) -> Half:
    b = body.bust
    return _half(
        [
            (0, middle),
            (b * 0.2, (middle + peak) / 2 - 0.03),
            (b * 0.5, peak),
            (b * 0.8, peak + 0.05),
            (b * 0.97, UNDERARM - 0.1),
        ],
        None,
    )


def neck(dress: Dress, body: Figure, back: bool) -> tuple[Half, Half]:
    """The top edge on the wearer's two sides, as seen (left of the picture first)."""
    s = body.shoulder
    tip = (s * (0.97 if dress.sleeve not in ("none",) else 0.84), 1.50)
    kind = dress.neckline
    if back and kind not in BARE_BACKED:
        low = {"deep v": 2.2, "v": 1.75}.get(kind, 1.46)
        half = _half([(0, low), (0.2, 1.42 if low < 1.5 else 1.62), (0.32, 1.30)], tip)
        return half, half
    halves: dict[str, Half] = {
        "crew": _half([(0, 1.56), (0.18, 1.51), (0.30, 1.32)], tip),
        "scoop": _half([(0, 1.92), (0.24, 1.83), (0.38, 1.55), (0.42, 1.34)], tip),
        "v": _half([(0, 1.98), (0.36, 1.30)], tip),
        "deep v": _half([(0, 2.42), (0.30, 1.68), (0.40, 1.32)], tip),
        "square": _half([(0, 1.84), (0.44, 1.84), (0.46, 1.34)], tip, sharp=True),
        "boat": _half([(0, 1.50), (0.35, 1.47), (0.62, 1.36)], tip),
        "high": _half([(0, 1.16), (0.13, 1.15), (0.225, 1.10)], tip, sharp=True),
        "collar": _half([(0, 1.86), (0.28, 1.28)], tip),
        "keyhole": _half([(0, 1.50), (0.17, 1.46), (0.29, 1.31)], tip),
        "sweetheart": _strapless(body, 2.02, 1.76),
        "bandeau": _strapless(body, 1.86, 1.85),
        "off shoulder": _half([(0, 1.76), (s * 0.5, 1.74), (s * 0.92, 1.66)], (s * 1.04, 1.72)),
        "halter": _half([(0, 1.34), (0.12, 1.26), (0.20, 1.14)], (0.30, 1.24)),
        "cami": _half([(0, 1.98), (0.34, 1.74)], None),
        "cowl": _half([(0, 1.96), (0.2, 1.9), (0.42, 1.72)], None),
        "one shoulder": _half([(0, 1.72), (0.24, 1.52), (0.44, 1.33)], tip),
    }
    if kind == "one shoulder":
        bare = _half([(0, 1.72), (0.3, 1.86), (body.bust * 0.97, UNDERARM - 0.02)], None)
        return (halves[kind], bare) if back else (bare, halves[kind])
    if back and kind in ("cami", "cowl", "halter"):
        half = _half([(0, 2.15), (0.3, 2.08), (body.bust * 0.8, 1.94)], None)
        return half, half
    return halves[kind], halves[kind]


STRAPS = ("cami", "cowl")
BARE_BACKED = ("sweetheart", "bandeau", "off shoulder", "cami", "cowl", "halter", "one shoulder")


def _side(half: Half, rows: F32, body: Figure) -> F32:
    """Right side of the dress from the middle of the neck to the hem."""
    under = rows[0, ::-1]
    if half.outer is None:
        top = half.edge
        arm = smooth(np.stack([top[-1], (top[-1] * 0.35 + under * 0.65) + [0.0, -0.02], under]), 5)
    else:
        top = np.concatenate([half.edge, half.outer])
        inward = min(0.9 * float(half.outer[0, 0]), body.bust * 0.93)
        arm = smooth(np.stack([half.outer[0], [inward, (half.outer[0, 1] + under[1]) / 2 + 0.06], under]), 6)
    return np.concatenate([top, arm[1:], rows[1:, ::-1]])


def hemline(dress: Dress, rows: F32, back: bool = False, n: int = 41) -> F32:
    """The lower edge from right to left, for a dress of the profile `rows`."""
    x = np.linspace(1, -1, n)
    flare = max(0.0, float(rows[-1, 1]) - 0.75)
    phase = dress.layout % 7
    y = dress.hem_at + 0.05 * (1 - x**2) * min(2.0, 0.75 + flare)
    y = y + 0.05 * flare * np.sin(5 * x + phase) + 0.02 * flare * np.sin(11 * x + 2 * phase)
    if dress.hem == "high-low":
        y = y - (0.0 if back else 0.85) * (1 - np.abs(x) ** 1.7)
    elif dress.hem == "asymmetric":
        y = y - 0.36 * (1 + (x if not back else -x))
    elif dress.hem == "scallop":
        y = y - 0.11 * (1 - np.abs(np.sin(np.arange(n) * np.pi / 4)))
    return np.stack([x * np.interp(y, rows[:, 0], rows[:, 1]), y], 1).astype(np.float32)


def outline(dress: Dress, body: Figure, back: bool = False) -> F32:
    """The whole dress without sleeves and straps, a closed polygon."""
    rows = profile(dress, body)
    hem = hemline(dress, rows, back)
    halves = neck(dress, body, back)
    sides = [
        _side(half, _until(rows, y), body) for half, y in zip(halves, (hem[-1, 1], hem[0, 1]), strict=True)
    ]
    left, right = sides
    return np.concatenate([right, hem, (left * np.array([-1, 1], np.float32))[::-1]])


def _until(rows: F32, y: float) -> F32:
    return rows[rows[:, 0] < y - 0.02]


def yoke(dress: Dress, body: Figure, back: bool) -> F32:
    """The part of the dress above the underarm, which lies over the tops of arms and sleeves."""
    sides = []
    slant = 0.6 if dress.sleeve in ("flutter", "puff", "bishop") else 0.18
    for half in neck(dress, body, back):
        side = _side(half, _until(profile(dress, body), UNDERARM + 0.1), body)
        seam = (
            body.shoulder * 0.82 - slant * (side[:, 1] - 1.45) if half.outer is not None else body.bust * 0.9
        )
        side[:, 0] = np.minimum(side[:, 0], seam)
        sides.append(side)
    left, right = sides
    return np.concatenate([right, (left * np.array([-1, 1], np.float32))[::-1]])
