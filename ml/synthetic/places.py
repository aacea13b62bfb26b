"""Places where photos are taken, painted as backgrounds that are a little out of focus."""

from __future__ import annotations

import numpy as np

from ml.synthetic.canvas import (
    F32,
    U8,
    Canvas,
    Colour,
    View,
    box,
    ellipse,
    noise,
    shade,
    soften,
)

Generator = np.random.Generator


def _gradient(width: int, height: int, stops: list[tuple[float, Colour]]) -> F32:
    """Colours from top to bottom: (height, width, 3)."""
    at = np.linspace(0, 1, height)
    places = [s[0] for s in stops]
    column = np.stack([np.interp(at, places, [s[1][k] for s in stops]) for k in range(3)], 1)
    return np.repeat(column[:, None].astype(np.float32), width, 1)


def as_bytes(picture: F32) -> U8:
    return np.clip(picture * 255, 0, 255).astype(np.uint8)


class Place:
    """A background being painted in a square-free unit frame: x and y from 0 to 1."""

    def __init__(self, rng: Generator, width: int, height: int, stops: list[tuple[float, Colour]]) -> None:
        self.rng = rng
        view = View(np.array([[width, 0, 0], [0, height, 0]], np.float32))
        self.canvas = Canvas(as_bytes(_gradient(width, height, stops)), view)
        self.aspect = width / height

    def disc(
        self, x: float, y: float, radius: float, colour: Colour, alpha: float = 1.0, soft: float = 0.0
    ) -> None:
        """A circle, `radius` in heights."""
        self.canvas.fill(ellipse(x, y, radius / self.aspect, radius, n=20), colour, alpha, soft)

    def mottle(
        self, top: float, bottom: float, amount: float, cells: float, colour: Colour = (1, 1, 1)
    ) -> None:
        """Uneven light over a horizontal part of the picture."""
        rows = slice(int(top * self.canvas.height), int(bottom * self.canvas.height))
        part = self.canvas.pixels[rows].astype(np.float32)
        grain = noise(self.rng, part.shape[0], part.shape[1], cells, 3) * np.float32(amount * 255)
        self.canvas.pixels[rows] = np.clip(
            part + grain[..., None] * np.array(colour, np.float32), 0, 255
        ).astype(np.uint8)

    def blur(self, heights: float) -> None:
        """Out of focus by `heights` of the picture."""
        sigma = heights * self.canvas.height
        if sigma > 0.3:
            self.canvas.pixels[:] = soften(self.canvas.pixels.astype(np.float32), sigma).astype(np.uint8)


def varied(rng: Generator, *colours: Colour) -> Colour:
    red, green, blue = np.clip(
        np.array(colours[int(rng.integers(len(colours)))]) + rng.normal(0, 0.03, 3), 0, 1
    )
    return float(red), float(green), float(blue)


def street(rng: Generator, width: int, height: int) -> U8:
    wall = varied(
        rng,
        (0.78, 0.72, 0.64),
        (0.66, 0.40, 0.33),
        (0.80, 0.78, 0.75),
        (0.85, 0.76, 0.62),
        (0.62, 0.66, 0.70),
    )
    horizon = float(rng.uniform(0.74, 0.84))
    place = Place(
        rng,
        width,
        height,
        [
            (0, shade(wall, 1.08)),
            (horizon, shade(wall, 0.85)),
            (horizon + 0.01, (0.55, 0.53, 0.52)),
            (1, (0.68, 0.66, 0.64)),
        ],
    )
    x = float(rng.uniform(-0.15, 0.05))
    while x < 1:
        wide = float(rng.uniform(0.16, 0.3))
        _facade(place, x, wide, horizon)
        x += wide + float(rng.uniform(0.06, 0.16))
    place.mottle(0, 1, 0.025, 12)
    for _ in range(2):
        _bush(place, float(rng.uniform(0, 1)), horizon, float(rng.uniform(0.04, 0.1)))
    place.blur(float(rng.uniform(0.006, 0.016)))
    return place.canvas.pixels


def _facade(place: Place, x: float, wide: float, horizon: float) -> None:
    rng = place.rng
    glass = varied(rng, (0.20, 0.24, 0.28), (0.34, 0.40, 0.46), (0.46, 0.40, 0.30))
    frame = varied(rng, (0.92, 0.90, 0.86), (0.2, 0.2, 0.2), (0.24, 0.34, 0.30), (0.4, 0.16, 0.14))
    for top, bottom in ((-0.02, 0.18), (0.28, horizon - (0.02 if rng.random() < 0.5 else 0.16))):
        place.canvas.fill(box(x - 0.015, top - 0.012, x + wide + 0.015, bottom + 0.012), frame)
        place.canvas.fill(box(x, top, x + wide, bottom), glass)
        place.canvas.fill(
            np.array([[x, bottom], [x, top], [x + wide * 0.7, top]], np.float32), (0.85, 0.9, 0.95), 0.16
        )
        place.canvas.fill(box(x + wide * 0.48, top, x + wide * 0.52, bottom), frame)
    if rng.random() < 0.45:
        hue = varied(rng, (0.7, 0.2, 0.2), (0.2, 0.4, 0.35), (0.9, 0.85, 0.7), (0.25, 0.3, 0.5))
        place.canvas.fill(
            np.array([[x, 0.24], [x + wide, 0.24], [x + wide + 0.04, 0.33], [x - 0.04, 0.33]], np.float32),
            hue,
        )


def _bush(place: Place, x: float, y: float, size: float) -> None:
    for _ in range(14):
        dx, dy = place.rng.normal(0, size, 2)
        place.disc(
            x + dx,
            y - size + dy * 0.8,
            size * float(place.rng.uniform(0.2, 0.5)),
            varied(place.rng, (0.22, 0.36, 0.2), (0.34, 0.48, 0.26), (0.45, 0.56, 0.3)),
        )


def foliage(place: Place, top: float, bottom: float, rng: Generator) -> None:
    """Leaves in and out of the sun between two heights."""
    deep, sunlit = (
        varied(rng, (0.14, 0.26, 0.14), (0.20, 0.30, 0.16)),
        varied(rng, (0.58, 0.70, 0.36), (0.70, 0.74, 0.42)),
    )
    rows = slice(int(top * place.canvas.height), int(bottom * place.canvas.height))
    height, width = place.canvas.pixels[rows].shape[:2]
    mass = noise(rng, height, width, 5, 2) + np.float32(0.6) * noise(rng, height, width, 26, 2)
    share = np.clip(np.float32(0.42) + np.float32(0.26) * mass, 0, 1)[..., None]
    leaves = np.array(deep, np.float32) * (1 - share) + np.array(sunlit, np.float32) * share
    place.canvas.pixels[rows] = as_bytes(leaves)


def garden(rng: Generator, width: int, height: int) -> U8:
    """Hedges and flowers over a lawn."""
    horizon = float(rng.uniform(0.68, 0.8))
    lawn: Colour = (0.46, 0.58, 0.30)
    place = Place(rng, width, height, [(0, (0.84, 0.90, 0.93)), (horizon, lawn), (1, shade(lawn, 0.85))])
    top = float(rng.choice([0.0, 0.0, 0.12]))
    foliage(place, top, horizon, rng)
    petals = (
        varied(rng, (0.95, 0.7, 0.75), (0.98, 0.95, 0.9), (0.9, 0.5, 0.5), (0.98, 0.85, 0.5)),
        varied(rng, (0.85, 0.7, 0.9), (1, 1, 1)),
    )
    for _ in range(int(rng.integers(15, 45))):
        place.disc(
            float(rng.random()),
            float(rng.uniform(0.35, horizon + 0.06)),
            float(rng.uniform(0.006, 0.016)),
            varied(rng, *petals),
            0.9,
        )
    if rng.random() < 0.4:
        path = np.array([[0.42, horizon], [0.56, horizon], [0.95, 1.05], [0.1, 1.05]], np.float32)
        place.canvas.fill(path, (0.78, 0.73, 0.64), 0.9, 0.01)
    place.mottle(horizon, 1, 0.045, 40)
    place.blur(float(rng.uniform(0.005, 0.013)))
    for _ in range(int(rng.integers(6, 18))):
        place.disc(
            float(rng.random()),
            float(rng.uniform(top, horizon * 0.7)),
            float(rng.uniform(0.008, 0.026)),
            (0.95, 0.97, 0.78),
            float(rng.uniform(0.08, 0.3)),
        )
    place.blur(0.002)
    return place.canvas.pixels


def beach(rng: Generator, width: int, height: int) -> U8:
    sunset = bool(rng.random() < 0.4)
    sky: list[Colour] = (
        [(0.96, 0.72, 0.56), (0.98, 0.84, 0.68)] if sunset else [(0.52, 0.74, 0.90), (0.86, 0.93, 0.96)]
    )
    sea: Colour = (0.36, 0.46, 0.56) if sunset else (0.22, 0.56, 0.64)
    h = float(rng.uniform(0.38, 0.52))
    sand: Colour = (0.88, 0.78, 0.62)
    place = Place(
        rng,
        width,
        height,
        [
            (0, sky[0]),
            (h, sky[1]),
            (h + 0.005, shade(sea, 0.85)),
            (h + 0.16, shade(sea, 1.25)),
            (h + 0.2, (0.95, 0.96, 0.95)),
            (h + 0.215, shade(sand, 0.86)),
            (1, sand),
        ],
    )
    for _ in range(6):
        x, y = float(rng.random()), float(rng.uniform(0.02, h * 0.8))
        place.canvas.fill(ellipse(x, y, float(rng.uniform(0.1, 0.25)), 0.02), (1, 1, 1), 0.4, 0.02)
    if sunset:
        place.disc(float(rng.random()), h - 0.06, 0.05, (1, 0.93, 0.75), 0.95, 0.006)
    place.mottle(h + 0.2, 1, 0.03, 40)
    place.mottle(h, h + 0.2, 0.03, 16)
    place.blur(0.004)
    return place.canvas.pixels


def night(rng: Generator, width: int, height: int) -> U8:
    place = Place(
        rng,
        width,
        height,
        [
            (0, (0.08, 0.10, 0.20)),
            (0.6, (0.16, 0.14, 0.22)),
            (0.8, (0.20, 0.16, 0.17)),
            (1, (0.12, 0.11, 0.13)),
        ],
    )
    for _ in range(9):
        x, top = float(rng.random()), float(rng.uniform(0.05, 0.45))
        wide = float(rng.uniform(0.1, 0.2))
        place.canvas.fill(
            box(x - wide / 2, top, x + wide / 2, 0.82), varied(rng, (0.10, 0.11, 0.17), (0.15, 0.13, 0.16))
        )
        for _ in range(12):
            wx, wy = x + float(rng.uniform(-0.4, 0.4)) * wide, float(rng.uniform(top + 0.02, 0.75))
            place.canvas.fill(box(wx, wy, wx + 0.018, wy + 0.02), (1, 0.85, 0.5), 0.8)
    place.blur(0.012)
    for _ in range(22):
        place.disc(
            float(rng.random()),
            float(rng.uniform(0.45, 0.85)),
            float(rng.uniform(0.01, 0.03)),
            varied(rng, (1, 0.8, 0.4), (1, 0.35, 0.3), (0.95, 0.95, 1), (0.4, 0.9, 0.7)),
            0.5,
        )
    place.blur(0.002)
    return place.canvas.pixels


def steps(rng: Generator, width: int, height: int) -> U8:
    stone = varied(rng, (0.82, 0.79, 0.73), (0.74, 0.72, 0.70), (0.86, 0.80, 0.70))
    place = Place(rng, width, height, [(0, shade(stone, 1.05)), (0.55, shade(stone, 0.9)), (1, stone)])
    for k in range(9):
        y = 0.5 + 0.06 * k
        place.canvas.fill(box(-0.1, y, 1.1, y + 0.022), shade(stone, 0.72))
        place.canvas.fill(box(-0.1, y + 0.022, 1.1, y + 0.06), shade(stone, 1.06))
    for x in (float(rng.uniform(0.0, 0.15)), float(rng.uniform(0.8, 0.98))):
        place.canvas.solid(
            box(x - 0.07, -0.1, x + 0.07, 0.5), colour=shade(stone, 1.04), depth=0.03, strength=0.6
        )
    place.mottle(0, 1, 0.02, 20)
    place.blur(float(rng.uniform(0.003, 0.01)))
    return place.canvas.pixels
