"""Repeating prints, painted as square tiles of cloth."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np

from ml.synthetic.canvas import (
    F32,
    U8,
    Canvas,
    Colour,
    View,
    ellipse,
    mix,
    ribbon,
    shade,
)

Generator = np.random.Generator


Colours = tuple[Colour, Colour, Colour, Colour]


class Tile:
    """A square of cloth that repeats; everything is painted in units of its side and wraps around."""

    def __init__(self, size: int, ground: Colour) -> None:
        self.size = size
        pixels = np.empty((size, size, 3), np.uint8)
        pixels[:] = np.round(np.array(ground) * 255)
        self.canvas = Canvas(pixels, View.upright(size, 0, 0))

    def fill(self, points: F32, colour: Colour, alpha: float = 1.0) -> None:
        low, high = points.min(0), points.max(0)
        for dx in _wraps(low[0], high[0]):
            for dy in _wraps(low[1], high[1]):
                self.canvas.fill(points + np.array([dx, dy], np.float32), colour, alpha)

    def line(self, points: F32, colour: Colour, width: float) -> None:
        self.fill(ribbon(points, np.full(len(points), max(width, 1.2 / self.size))), colour)


def _wraps(low: float, high: float) -> list[int]:
    return [0] + ([1] if low < 0 else []) + ([-1] if high > 1 else [])


def _scatter(rng: Generator, count: int, gap: float) -> list[tuple[float, float]]:
    """Up to `count` points of the unit torus, `gap` apart."""
    kept: list[tuple[float, float]] = []
    for x, y in rng.random((count * 12, 2)).tolist():
        if all(
            abs((x - a + 0.5) % 1 - 0.5) ** 2 + abs((y - b + 0.5) % 1 - 0.5) ** 2 > gap**2 for a, b in kept
        ):
            kept.append((x, y))
        if len(kept) == count:
            break
    return kept


def _stripe(tile: Tile, colours: Colours, rng: Generator) -> None:
    width = float(rng.uniform(0.22, 0.5))
    tile.fill(_box(0, 0.25 - width / 2, 1, 0.25 + width / 2), colours[1])
    if rng.random() < 0.5:
        tile.fill(_box(0, 0.70, 1, 0.78), colours[2])


def _breton(tile: Tile, colours: Colours, rng: Generator) -> None:
    for y in (0.1, 0.43, 0.76):
        tile.fill(_box(0, y, 1, y + 0.11), colours[1])


def _pinstripe(tile: Tile, colours: Colours, rng: Generator) -> None:
    for y in (0.12, 0.37, 0.62, 0.87):
        tile.fill(_box(0, y, 1, y + 0.035), colours[1])


def _gingham(tile: Tile, colours: Colours, rng: Generator) -> None:
    for offset in (0.0, 0.5):
        tile.fill(_box(0, offset, 1, offset + 0.25), colours[1], 0.5)
        tile.fill(_box(offset, 0, offset + 0.25, 1), colours[1], 0.5)


def _plaid(tile: Tile, colours: Colours, rng: Generator) -> None:
    for at, width, which, alpha in (
        (0.1, 0.3, 1, 0.55),
        (0.55, 0.12, 2, 0.6),
        (0.82, 0.03, 3, 0.9),
        (0.24, 0.025, 3, 0.8),
    ):
        at += float(rng.uniform(-0.05, 0.05))
        tile.fill(_box(0, at, 1, at + width), colours[which], alpha)
        tile.fill(_box(at, 0, at + width, 1), colours[which], alpha)


def _windowpane(tile: Tile, colours: Colours, rng: Generator) -> None:
    tile.fill(_box(0, 0.2, 1, 0.26), colours[1])
    tile.fill(_box(0.2, 0, 0.26, 1), colours[1])


def _dot(tile: Tile, colours: Colours, rng: Generator) -> None:
    radius = float(rng.uniform(0.1, 0.19))
    for i, (x, y) in enumerate(((0.25, 0.25), (0.75, 0.75), (0.25, 0.75), (0.75, 0.25))):
        if i < 2 or radius < 0.14:
            tile.fill(ellipse(x, y, radius, radius), colours[1])


def _confetti(tile: Tile, colours: Colours, rng: Generator) -> None:
    for x, y in _scatter(rng, 26, 0.11):
        tile.fill(
            ellipse(x, y, rng.uniform(0.02, 0.06), rng.uniform(0.015, 0.03), rng.uniform(0, 3)),
            colours[1 + int(rng.integers(2))],
        )


def _chevron(tile: Tile, colours: Colours, rng: Generator) -> None:
    for top, which in ((0.0, 1), (0.5, 2 if rng.random() < 0.4 else 1)):
        x = np.array([0, 0.25, 0.5, 0.75, 1.0])
        y = top + np.array([0, 0.22, 0, 0.22, 0])
        tile.fill(
            np.concatenate([np.stack([x, y], 1), np.stack([x, y + 0.25], 1)[::-1]]).astype(np.float32),
            colours[which],
        )


def _houndstooth(tile: Tile, colours: Colours, rng: Generator) -> None:
    tooth = np.array(
        [
            [0, 0],
            [0.25, 0],
            [0.5, 0.25],
            [0.5, 0.0],
            [0.75, 0.25],
            [0.5, 0.25],
            [0.5, 0.5],
            [0.75, 0.75],
            [0.5, 0.75],
            [0.5, 0.5],
            [0.25, 0.5],
            [0, 0.25],
        ],
        np.float32,
    )
    for dx, dy in ((0.0, 0.0), (0.5, 0.5)):
        tile.fill(tooth * 0.66 + np.array([dx, dy], np.float32), colours[1])


def _blossom(
    tile: Tile, rng: Generator, at: tuple[float, float], radius: float, petal: Colour, heart: Colour
) -> None:
    x, y = at
    count, turn = int(rng.integers(5, 8)), float(rng.uniform(0, 6))
    for layer, size in ((0.86, 1.0), (1.12, 0.62)):
        for k in range(count):
            a = turn + 2 * np.pi * k / count + layer
            r = radius * size
            tone = shade(petal, layer * float(rng.uniform(0.9, 1.08)))
            tile.fill(
                ellipse(x + 0.55 * r * np.cos(a), y + 0.55 * r * np.sin(a), 0.55 * r, 0.38 * r, a, 12), tone
            )
    tile.fill(ellipse(x, y, 0.2 * radius, 0.2 * radius, 0, 10), heart)


def _leaf(
    tile: Tile, at: tuple[float, float], length: float, angle: float, colour: Colour, plump: float = 0.34
) -> None:
    t = np.linspace(0, 1, 9)
    side = plump * np.sin(np.pi * t) ** 0.8
    out = np.concatenate([np.stack([t, side], 1), np.stack([t, -side], 1)[::-1]]) * length
    c, s = np.cos(angle), np.sin(angle)
    tile.fill((out @ np.array([[c, s], [-s, c]]) + at).astype(np.float32), colour)
    vein = np.array([[0.08, 0], [0.9, 0]]) * length @ np.array([[c, s], [-s, c]]) + at
    tile.line(vein.astype(np.float32), shade(colour, 0.75), 0.05 * length)


def _greens(colours: Colours) -> Colour:
    light = sum(colours[0]) / 3
    return mix((0.24, 0.42, 0.28) if light > 0.4 else (0.5, 0.62, 0.42), colours[2], 0.3)


def _floral(tile: Tile, colours: Colours, rng: Generator) -> None:
    spots = _scatter(rng, int(rng.integers(4, 8)), 0.27)
    for spot in spots:
        for _ in range(3):
            _leaf(tile, spot, float(rng.uniform(0.2, 0.3)), float(rng.uniform(0, 6.3)), _greens(colours))
    for i, spot in enumerate(spots):
        _blossom(
            tile,
            rng,
            spot,
            float(rng.uniform(0.11, 0.2)),
            colours[1 + i % 2],
            mix(colours[3], (0.95, 0.8, 0.4), 0.5),
        )
    for spot in _scatter(rng, 7, 0.2):
        tile.fill(ellipse(*spot, 0.022, 0.022, 0, 8), colours[2])


def _ditsy(tile: Tile, colours: Colours, rng: Generator) -> None:
    for i, (x, y) in enumerate(_scatter(rng, 14, 0.19)):
        turn = float(rng.uniform(0, 6))
        _leaf(tile, (x, y), 0.11, turn + 1, _greens(colours), 0.3)
        for k in range(5):
            a = turn + 2 * np.pi * k / 5
            tile.fill(
                ellipse(x + 0.04 * np.cos(a), y + 0.04 * np.sin(a), 0.032, 0.032, 0, 8), colours[1 + i % 2]
            )
        tile.fill(ellipse(x, y, 0.02, 0.02, 0, 8), colours[3])


def _botanical(tile: Tile, colours: Colours, rng: Generator) -> None:
    for i, (x, y) in enumerate(_scatter(rng, 4, 0.36)):
        angle, length = float(rng.uniform(0, 6.3)), float(rng.uniform(0.36, 0.5))
        green = colours[1 + i % 2]
        stem = np.stack([np.linspace(0, 1, 6), 0.12 * np.linspace(0, 1, 6) ** 2], 1) * length
        c, s = np.cos(angle), np.sin(angle)
        stem = (stem @ np.array([[c, s], [-s, c]]) + (x, y)).astype(np.float32)
        tile.line(stem, shade(green, 0.8), 0.016)
        for k, point in enumerate(stem[1:]):
            for side in (-1, 1):
                _leaf(
                    tile,
                    (float(point[0]), float(point[1])),
                    0.17 - 0.016 * k,
                    angle + side * 0.9,
                    shade(green, 1.0 + 0.06 * side),
                    0.24,
                )


def _leopard(tile: Tile, colours: Colours, rng: Generator) -> None:
    for x, y in _scatter(rng, 17, 0.17):
        turn, r = float(rng.uniform(0, 6)), float(rng.uniform(0.055, 0.085))
        tile.fill(ellipse(x, y, r * 0.8, r * 0.7, turn, 12), mix(colours[0], colours[1], 0.35))
        for part in range(int(rng.integers(2, 4))):
            t = turn + part * 2.2 + np.linspace(0, 1.5, 6)
            arc = np.stack([x + r * np.cos(t), y + r * 0.85 * np.sin(t)], 1)
            tile.fill(ribbon(arc, r * np.array([0.35, 0.6, 0.75, 0.7, 0.55, 0.3])), colours[1])


def _zebra(tile: Tile, colours: Colours, rng: Generator) -> None:
    x = np.linspace(-0.05, 1.05, 14)
    for k in range(5):
        wobble = 0.05 * np.sin(2 * np.pi * x + k) + 0.035 * np.sin(4 * np.pi * x + 2.1 * k)
        width = 0.085 + 0.045 * np.sin(2 * np.pi * x + 1.7 * k)
        tile.fill(ribbon(np.stack([x, 0.1 + 0.2 * k + wobble], 1), width), colours[1])


def _tile(tile: Tile, colours: Colours, rng: Generator) -> None:
    star = bool(rng.random() < 0.5)
    for x, y, which in ((0.5, 0.5, 1), (0.0, 0.0, 2)):
        n = 8 if star else 4
        a = np.linspace(0, 2 * np.pi, 2 * n, endpoint=False)
        for size, colour in ((0.36, colours[which]), (0.24, colours[0]), (0.15, colours[3 - which])):
            r = size * np.where(np.arange(2 * n) % 2, 0.62 if star else 0.72, 1.0)
            tile.fill(np.stack([x + r * np.cos(a), y + r * np.sin(a)], 1).astype(np.float32), colour)


def _brush(tile: Tile, colours: Colours, rng: Generator) -> None:
    for i, (x, y) in enumerate(_scatter(rng, 8, 0.22)):
        angle, length = float(rng.uniform(0, 3.2)), float(rng.uniform(0.2, 0.36))
        t = np.linspace(-0.5, 0.5, 8)
        line = np.stack(
            [x + length * t * np.cos(angle), y + length * t * np.sin(angle) + 0.06 * np.cos(5 * t)], 1
        )
        width = 0.11 * (1 - (2 * np.abs(t)) ** 3) * float(rng.uniform(0.6, 1.3)) + 0.012
        tile.fill(ribbon(line, width), colours[1 + i % 2], 0.92)
        tile.fill(ribbon(line + 0.02, width * 0.3), shade(colours[1 + i % 2], 1.18), 0.7)


def _paisley(tile: Tile, colours: Colours, rng: Generator) -> None:
    t = np.linspace(0, 2 * np.pi, 30, endpoint=False)
    drop = np.stack([np.sin(t) * np.sin(t / 2) ** 1.6 + 0.35 * np.cos(t / 2) ** 6, np.cos(t)], 1)
    for i, (x, y, turn) in enumerate(((0.27, 0.27, 0.4), (0.75, 0.75, 3.5))):
        c, s = np.cos(turn), np.sin(turn)
        for size, colour in (
            (0.24, colours[1 + i]),
            (0.17, colours[0]),
            (0.12, colours[2 - i]),
            (0.05, colours[3]),
        ):
            tile.fill((drop * size @ np.array([[c, s], [-s, c]]) + (x, y)).astype(np.float32), colour)


def _wave(tile: Tile, colours: Colours, rng: Generator) -> None:
    x = np.linspace(-0.1, 1.1, 24)
    phase = rng.uniform(0, 6, 6)
    for k in range(6):
        y = k / 6 + 0.07 * np.sin(2 * np.pi * x + phase[0]) + 0.04 * np.sin(4 * np.pi * x + phase[1])
        tile.fill(
            ribbon(np.stack([x, y], 1), 0.05 + 0.03 * np.sin(2 * np.pi * x + phase[k])), colours[1 + k % 2]
        )


def _lace(tile: Tile, colours: Colours, rng: Generator) -> None:
    dark = sum(colours[0]) < 1.2
    net, thread = (
        (mix(colours[0], (0.8, 0.62, 0.52), 0.5), colours[0])
        if dark
        else (shade(colours[0], 0.74), shade(colours[0], 1.3))
    )
    tile.fill(_box(0, 0, 1, 1), net)
    for k in range(8):
        for slope in (1, -1):
            tile.line(
                np.array([[-0.1, k / 8 - 0.1 * slope], [1.1, k / 8 + 1.1 * slope]], np.float32),
                thread,
                0.012,
            )
    for i, spot in enumerate(((0.25, 0.25), (0.75, 0.75))):
        _blossom(tile, rng, spot, 0.2 - 0.03 * i, thread, net)
        for _ in range(4):
            _leaf(tile, spot, 0.34, float(rng.uniform(0, 6.3)), thread, 0.2)


def _sequin(tile: Tile, colours: Colours, rng: Generator) -> None:
    rows = 8
    for row in range(rows):
        for column in range(rows):
            glint = float(rng.choice([0.55, 0.75, 0.9, 1.1, 1.3, 1.7], p=[0.2, 0.25, 0.2, 0.15, 0.12, 0.08]))
            x, y = (column + 0.5 * (row % 2) + 0.25) / rows, (row + 0.5) / rows
            tile.fill(ellipse(x, y, 0.075, 0.07, 0, 9), shade(colours[0], glint))


def _box(x0: float, y0: float, x1: float, y1: float) -> F32:
    return np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], np.float32)


Printer = Callable[[Tile, Colours, Generator], None]


# each print with the side of its repeat in heads, at scale 1
PRINTS: dict[str, tuple[Printer, float]] = {
    "stripe": (_stripe, 0.42),
    "breton": (_breton, 0.62),
    "pinstripe": (_pinstripe, 0.62),
    "gingham": (_gingham, 0.5),
    "plaid": (_plaid, 0.9),
    "windowpane": (_windowpane, 0.5),
    "dot": (_dot, 0.5),
    "confetti": (_confetti, 0.9),
    "chevron": (_chevron, 0.6),
    "houndstooth": (_houndstooth, 0.4),
    "ditsy": (_ditsy, 0.85),
    "floral": (_floral, 1.35),
    "botanical": (_botanical, 1.35),
    "leopard": (_leopard, 0.85),
    "zebra": (_zebra, 1.1),
    "tile": (_tile, 0.6),
    "brush": (_brush, 1.4),
    "paisley": (_paisley, 0.9),
    "wave": (_wave, 1.1),
    "lace": (_lace, 0.75),
    "sequin": (_sequin, 0.55),
}


@lru_cache(maxsize=128)
def posy(colours: Colours, layout: int, size: int) -> tuple[U8, U8]:
    """A large spray of flowers and where it covers the ground, for a square of 2.4 heads."""
    rng = np.random.default_rng(layout)
    tile, cover = Tile(size, colours[0]), Tile(size, (0.0, 0.0, 0.0))
    state = rng.bit_generator.state
    white: Colours = ((0, 0, 0), (0.9, 0.9, 0.9), (0.9, 0.9, 0.9), (0.9, 0.9, 0.9))
    for target, palette in ((tile, colours), (cover, white)):
        rng.bit_generator.state = state
        spots = [
            (0.5 + 0.2 * float(x), 0.5 + 0.2 * float(y))
            for x, y in np.clip(rng.standard_normal((7, 2)), -1.4, 1.4)
        ]
        for spot in spots[:6]:
            for _ in range(3):
                _leaf(
                    target,
                    spot,
                    float(rng.uniform(0.14, 0.24)),
                    float(rng.uniform(0, 6.3)),
                    _greens(palette) if target is tile else (1, 1, 1),
                )
        for i, spot in enumerate(spots):
            _blossom(target, rng, spot, float(rng.uniform(0.09, 0.17)), palette[1 + i % 2], palette[3])
    alpha = (tile.canvas.pixels.astype(int) - np.round(np.array(colours[0]) * 255)).astype(int)
    return tile.canvas.pixels, np.where(np.abs(alpha).sum(2) > 12, 255, 0).astype(np.uint8)
