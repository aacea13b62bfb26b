"""Places indoors, and parties."""

from __future__ import annotations

import numpy as np

from ml.synthetic.canvas import (
    U8,
    box,
    ellipse,
    ribbon,
    shade,
    smooth,
)
from ml.synthetic.places import Place, varied

Generator = np.random.Generator


def party(rng: Generator, width: int, height: int) -> U8:
    dark = varied(rng, (0.12, 0.07, 0.12), (0.10, 0.08, 0.14), (0.17, 0.10, 0.07), (0.06, 0.09, 0.14))
    place = Place(rng, width, height, [(0, dark), (0.7, shade(dark, 1.1)), (1, shade(dark, 0.7))])
    lamps = [(1.0, 0.80, 0.45), (1.0, 0.62, 0.35), (0.95, 0.5, 0.6), (0.6, 0.65, 1.0), (1, 0.92, 0.75)]
    for _ in range(8):
        x, y = float(rng.random()), float(rng.uniform(0.3, 0.9))
        place.canvas.fill(
            ellipse(x, y, 0.09, 0.2),
            varied(rng, (0.25, 0.15, 0.15), (0.08, 0.06, 0.09), (0.2, 0.18, 0.25)),
            0.7,
            0.02,
        )
    place.blur(0.02)
    for _ in range(int(rng.integers(18, 40))):
        place.disc(
            float(rng.random()),
            float(rng.beta(1.3, 2.0)),
            float(rng.uniform(0.008, 0.035)),
            varied(rng, *lamps),
            float(rng.uniform(0.25, 0.75)),
        )
    place.blur(0.003)
    return place.canvas.pixels


def cafe(rng: Generator, width: int, height: int) -> U8:
    """A restaurant: panelled wall, hanging lamps, shelves, tables."""
    wall = varied(rng, (0.24, 0.34, 0.32), (0.44, 0.24, 0.22), (0.80, 0.72, 0.62), (0.22, 0.25, 0.34))
    floor = varied(rng, (0.44, 0.32, 0.24), (0.36, 0.33, 0.32), (0.7, 0.66, 0.6))
    place = Place(
        rng,
        width,
        height,
        [
            (0, shade(wall, 0.8)),
            (0.5, wall),
            (0.78, shade(wall, 0.8)),
            (0.785, shade(floor, 0.8)),
            (1, floor),
        ],
    )
    for x in np.arange(float(rng.uniform(-0.1, 0)), 1.1, 0.16).tolist():
        place.canvas.fill(box(x, 0.45, x + 0.006, 0.76), shade(wall, 0.6))
    for y in (0.2, 0.32):
        place.canvas.fill(box(0.55, y, 1.1, y + 0.012), shade(floor, 0.7))
        for x in np.arange(0.58, 1.05, 0.05).tolist():
            tall = float(rng.uniform(0.04, 0.09))
            place.canvas.fill(
                box(x, y - tall, x + 0.026, y),
                varied(rng, (0.2, 0.35, 0.25), (0.6, 0.4, 0.2), (0.8, 0.8, 0.75), (0.4, 0.15, 0.2)),
            )
    for _ in range(2):
        x = float(rng.random())
        place.canvas.fill(ellipse(x, 0.75, 0.13, 0.022), (0.92, 0.90, 0.86))
        place.canvas.fill(box(x - 0.008, 0.76, x + 0.008, 0.88), (0.15, 0.13, 0.12))
    place.blur(float(rng.uniform(0.005, 0.012)))
    for x in (float(rng.uniform(0.05, 0.4)), float(rng.uniform(0.55, 0.95))):
        y = float(rng.uniform(0.1, 0.2))
        place.disc(x, y, 0.16, (1.0, 0.82, 0.5), 0.45, 0.06)
        place.canvas.fill(box(x - 0.002, -0.1, x + 0.002, y), (0.1, 0.1, 0.1))
        place.disc(x, y, 0.03, (1.0, 0.94, 0.76), 1.0, 0.004)
    return place.canvas.pixels


def room(rng: Generator, width: int, height: int) -> U8:
    wall = varied(
        rng,
        (0.90, 0.87, 0.82),
        (0.80, 0.84, 0.82),
        (0.86, 0.80, 0.76),
        (0.70, 0.74, 0.72),
        (0.93, 0.93, 0.92),
    )
    floor = varied(rng, (0.62, 0.46, 0.32), (0.75, 0.62, 0.46), (0.45, 0.36, 0.30), (0.78, 0.76, 0.74))
    h = float(rng.uniform(0.76, 0.85))
    place = Place(
        rng,
        width,
        height,
        [
            (0, shade(wall, 1.03)),
            (h - 0.03, shade(wall, 0.92)),
            (h - 0.029, (0.95, 0.94, 0.92)),
            (h, (0.9, 0.89, 0.87)),
            (h + 0.002, shade(floor, 0.8)),
            (1, floor),
        ],
    )
    for _ in range(int(rng.integers(1, 4))):
        _frame(place, float(rng.uniform(0, 0.85)), float(rng.uniform(0.05, 0.35)))
    if rng.random() < 0.6:
        _sofa(place, h)
    if rng.random() < 0.6:
        _plant(place, float(rng.choice([rng.uniform(0.02, 0.2), rng.uniform(0.8, 0.98)])), h + 0.04)
    if rng.random() < 0.5:
        x = float(rng.choice([0.1, 0.9]))
        place.disc(x, 0.32, 0.2, (1, 0.92, 0.7), 0.4, 0.08)
        place.canvas.fill(
            np.array([[x - 0.05, 0.26], [x + 0.05, 0.26], [x + 0.08, 0.38], [x - 0.08, 0.38]], np.float32),
            (1.0, 0.93, 0.78),
        )
    place.mottle(0, 1, 0.012, 4)
    place.blur(float(rng.uniform(0.002, 0.009)))
    return place.canvas.pixels


def _frame(place: Place, x: float, y: float) -> None:
    rng = place.rng
    w, h = float(rng.uniform(0.1, 0.24)), float(rng.uniform(0.1, 0.22))
    place.canvas.fill(
        box(x, y, x + w, y + h), varied(rng, (0.2, 0.18, 0.16), (0.75, 0.6, 0.35), (0.97, 0.97, 0.96))
    )
    place.canvas.fill(
        box(x + 0.015, y + 0.012, x + w - 0.015, y + h - 0.012),
        varied(rng, (0.95, 0.94, 0.9), (0.5, 0.6, 0.66), (0.8, 0.55, 0.45)),
    )
    place.disc(
        x + w / 2, y + h / 2, h * 0.25, varied(rng, (0.8, 0.5, 0.4), (0.3, 0.42, 0.44), (0.9, 0.75, 0.5)), 0.9
    )


def _sofa(place: Place, h: float) -> None:
    colour = varied(place.rng, (0.45, 0.50, 0.52), (0.70, 0.62, 0.54), (0.30, 0.38, 0.36), (0.62, 0.42, 0.38))
    x = float(place.rng.choice([-0.25, 0.45]))
    place.canvas.solid(
        box(x, h - 0.24, x + 0.8, h + 0.02), colour=shade(colour, 0.9), depth=0.02, strength=0.4
    )
    place.canvas.solid(box(x - 0.02, h - 0.13, x + 0.82, h + 0.05), colour=colour, depth=0.025, strength=0.5)


def _plant(place: Place, x: float, y: float) -> None:
    for _ in range(11):
        a, length = float(place.rng.uniform(-1.1, 1.1)), float(place.rng.uniform(0.14, 0.3))
        line = smooth(
            np.array(
                [
                    [x, y - 0.09],
                    [x + 0.4 * np.sin(a) * length, y - 0.09 - 0.7 * length],
                    [x + np.sin(a) * length, y - 0.09 - length * np.cos(a) * 0.9],
                ],
                np.float32,
            ),
            5,
        )
        place.canvas.fill(
            ribbon(line, np.interp(np.linspace(0, 1, len(line)), [0, 0.5, 1], [0.008, 0.04, 0.004])),
            varied(place.rng, (0.2, 0.38, 0.24), (0.3, 0.48, 0.28)),
        )
    place.canvas.solid(
        np.array([[x - 0.06, y - 0.1], [x + 0.06, y - 0.1], [x + 0.045, y], [x - 0.045, y]], np.float32),
        colour=varied(place.rng, (0.75, 0.45, 0.32), (0.9, 0.88, 0.85)),
        depth=0.02,
        strength=0.5,
    )


def wedding(rng: Generator, width: int, height: int) -> U8:
    place = Place(
        rng,
        width,
        height,
        [
            (0, (0.93, 0.91, 0.87)),
            (0.7, (0.84, 0.82, 0.76)),
            (0.74, (0.55, 0.62, 0.42)),
            (1, (0.62, 0.68, 0.46)),
        ],
    )
    for sign in (-1, 1):
        for k in range(26):
            t = k / 25
            x, y = 0.5 + sign * (0.47 - 0.12 * t**3), 0.75 - 0.62 * t
            place.disc(
                x + float(rng.normal(0, 0.02)),
                y,
                float(rng.uniform(0.02, 0.045)),
                varied(rng, (0.96, 0.9, 0.88), (0.9, 0.7, 0.7), (0.5, 0.6, 0.42), (0.98, 0.97, 0.95)),
                0.95,
            )
    for row in range(2):
        for k in range(5):
            x, y = k / 4.2, 0.72 + 0.1 * row
            place.canvas.fill(box(x - 0.05, y - 0.1, x + 0.05, y + 0.04), (0.96, 0.95, 0.93))
    along = np.linspace(0, 1, 30)
    for drop in (0.12, 0.2):
        line = np.stack([along, 0.04 + drop * (1 - (2 * along - 1) ** 2) * 0.6], 1)
        for point in line[::2]:
            place.disc(float(point[0]), float(point[1]), 0.009, (1, 0.93, 0.7), 0.9)
    place.blur(float(rng.uniform(0.007, 0.014)))
    return place.canvas.pixels
