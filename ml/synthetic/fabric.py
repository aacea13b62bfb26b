"""What a dress is made of: cloth, looked up in its print."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

from ml.synthetic.canvas import (
    F32,
    U8,
)
from ml.synthetic.dress import Dress
from ml.synthetic.prints import PRINTS, Colours, Tile, posy

Generator = np.random.Generator


HORIZONTAL = ("breton", "sequin", "tile", "chevron", "gingham", "lace", "houndstooth")


def repeat(dress: Dress) -> float:
    """Side of the print's repeat, in heads."""
    return PRINTS[dress.pattern][1] * dress.scale


@lru_cache(maxsize=256)
def _printed(pattern: str, colours: Colours, layout: int, size: int) -> U8:
    tile = Tile(max(size, 128), colours[0])
    PRINTS[pattern][0](tile, colours, np.random.default_rng(layout))
    return np.asarray(cv2.resize(tile.canvas.pixels, (size, size), interpolation=cv2.INTER_AREA), np.uint8)


def swatch(dress: Dress, pixels_per_head: float) -> U8:
    """One repeat of the dress's print, square, as fine as `pixels_per_head` can show."""
    wanted = max(8.0, repeat(dress) * pixels_per_head)
    size = int(2 ** (np.ceil(np.log2(wanted) * 2) / 2))
    return _printed(dress.pattern, dress.colours, dress.layout, min(size, 768))


def cloth(dress: Dress, u: F32, v: F32, pixels_per_head: float) -> F32:
    """The dress's colours, before light, at `u` across and `v` down the cloth, in heads: (h, w, 3)."""
    ground = np.empty((*u.shape, 3), np.float32)
    ground[:] = dress.colours[0]
    if dress.pattern == "colour block":
        return _blocks(dress, ground, u, v, pixels_per_head)
    if dress.pattern == "ombre":
        return _ombre(dress, u, v)
    if dress.pattern == "bouquet":
        return _bouquet(dress, ground, u, v, pixels_per_head)
    if dress.pattern not in PRINTS:
        return ground
    print_ = _looked_up(dress, u, v, pixels_per_head)
    share = _placed(dress, u, v, pixels_per_head)
    return print_ if share is None else ground + (print_ - ground) * share[..., None]


def _looked_up(dress: Dress, u: F32, v: F32, pixels_per_head: float) -> F32:
    tile = swatch(dress, pixels_per_head)
    angle = 0.0 if dress.pattern in HORIZONTAL else dress.angle
    c, s = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    pitch = np.float32(tile.shape[0] / repeat(dress))
    x, y = (c * u + s * v) * pitch, (c * v - s * u) * pitch
    found = cv2.remap(tile, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
    return found.astype(np.float32) * np.float32(1 / 255)


def _step(x: F32, pixels_per_head: float) -> F32:
    """0 below 0, 1 above, over one pixel."""
    return np.asarray(np.clip(x * np.float32(pixels_per_head) + np.float32(0.5), 0, 1), np.float32)


def _placed(dress: Dress, u: F32, v: F32, pixels_per_head: float) -> F32 | None:
    """Where on the dress the print is, None for everywhere."""
    if dress.placement == "skirt":
        return _step(v - np.float32(2.72), pixels_per_head)
    if dress.placement == "bodice":
        return _step(np.float32(2.72) - v, pixels_per_head)
    if dress.placement == "border":
        return _step(v - np.float32(2.72 + 0.62 * (dress.hem_at - 2.72)), pixels_per_head)
    if dress.placement == "side":
        return _step(u, pixels_per_head)
    return None


def _blocks(dress: Dress, ground: F32, u: F32, v: F32, pixels_per_head: float) -> F32:
    rng = np.random.default_rng(dress.layout)
    kind = int(rng.integers(5))
    at = float(rng.uniform(2.3, 3.1))
    edges = [v - at, v - (2.2 + 0.55 * u + 1.1), np.abs(u) - 0.3, u + 0 * v, v - (dress.hem_at - 1.1)]
    out = (
        ground
        + (np.array(dress.colours[1], np.float32) - ground) * _step(edges[kind], pixels_per_head)[..., None]
    )
    if rng.random() < 0.45:
        third = (
            _step(v - (at + 1.15), pixels_per_head)
            if kind != 4
            else _step(np.float32(2.1) - v, pixels_per_head)
        )
        out += (np.array(dress.colours[2], np.float32) - out) * third[..., None]
    return np.asarray(out, np.float32)


def _ombre(dress: Dress, u: F32, v: F32) -> F32:
    rng = np.random.default_rng(dress.layout)
    start, end = float(rng.uniform(1.8, 2.9)), float(rng.uniform(0.75, 1.0))
    t = np.clip((v - start) / (dress.hem_at * end - start), 0, 1)
    t = (t * t * (3 - 2 * t))[..., None]
    return np.asarray(
        np.array(dress.colours[0], np.float32) * (1 - t) + np.array(dress.colours[1], np.float32) * t,
        np.float32,
    )


def _bouquet(dress: Dress, ground: F32, u: F32, v: F32, pixels_per_head: float) -> F32:
    rng = np.random.default_rng(dress.layout)
    places = (
        (0.35, 2.2),
        (-0.35, 2.2),
        (0.4, 3.6),
        (-0.4, 3.6),
        (0.0, dress.hem_at - 1.0),
        (0.5, dress.hem_at - 0.9),
    )
    side = 2.4 * min(1.3, max(0.8, dress.scale))
    size = int(2 ** np.ceil(np.log2(max(32, side * pixels_per_head))))
    flowers, _ = posy(dress.colours, dress.layout, min(size, 1024))
    out = ground
    for k in {int(rng.integers(6)), int(rng.integers(6))}:
        x, y = (
            ((u - places[k][0]) / side + 0.5) * flowers.shape[0],
            ((v - places[k][1]) / side + 0.5) * flowers.shape[0],
        )
        laid = cv2.remap(
            flowers,
            x.astype(np.float32),
            y.astype(np.float32),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        laid = laid.astype(np.float32) / 255
        distance = np.abs(laid - ground).sum(2, keepdims=True)
        out = out + (laid - out) * np.clip(distance * 12, 0, 1)
    return np.asarray(out, np.float32)
