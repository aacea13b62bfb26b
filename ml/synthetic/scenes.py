"""Where photos are taken: the studio, and places with light and things in them."""

from __future__ import annotations

from collections.abc import Callable

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
    ribbon,
    shade,
    smooth,
    soften,
)
from ml.synthetic.garment import Wearing
from ml.synthetic.person import Person

Generator = np.random.Generator
Light = tuple[float, float]


def _gradient(width: int, height: int, stops: list[tuple[float, Colour]]) -> F32:
    """Colours from top to bottom: (height, width, 3)."""
    at = np.linspace(0, 1, height)
    places = [s[0] for s in stops]
    column = np.stack([np.interp(at, places, [s[1][k] for s in stops]) for k in range(3)], 1)
    return np.repeat(column[:, None].astype(np.float32), width, 1)


def _bytes(picture: F32) -> U8:
    return np.clip(picture * 255, 0, 255).astype(np.uint8)


def studio(rng: Generator, width: int, height: int) -> U8:
    """A seamless off-white ground."""
    base = np.array([0.955, 0.95, 0.94]) + rng.normal(0, 0.008, 3) + rng.normal(0, 0.012)
    x = np.linspace(-1, 1, width, dtype=np.float32)[None] - float(rng.normal(0, 0.2))
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None] + 0.2
    fall = 1 - 0.035 * (x * x + y * y)
    floor = 1 - 0.025 * np.clip((y - 0.85) * 6, 0, 1)
    return _bytes(base.astype(np.float32) * (fall * floor)[..., None])


class Place:
    """A background being painted in a square-free unit frame: x and y from 0 to 1."""

    def __init__(self, rng: Generator, width: int, height: int, stops: list[tuple[float, Colour]]) -> None:
        self.rng = rng
        view = View(np.array([[width, 0, 0], [0, height, 0]], np.float32))
        self.canvas = Canvas(_bytes(_gradient(width, height, stops)), view)
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


def _any(rng: Generator, *colours: Colour) -> Colour:
    red, green, blue = np.clip(
        np.array(colours[int(rng.integers(len(colours)))]) + rng.normal(0, 0.03, 3), 0, 1
    )
    return float(red), float(green), float(blue)


def street(rng: Generator, width: int, height: int) -> U8:
    wall = _any(
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
    glass = _any(rng, (0.20, 0.24, 0.28), (0.34, 0.40, 0.46), (0.46, 0.40, 0.30))
    frame = _any(rng, (0.92, 0.90, 0.86), (0.2, 0.2, 0.2), (0.24, 0.34, 0.30), (0.4, 0.16, 0.14))
    for top, bottom in ((-0.02, 0.18), (0.28, horizon - (0.02 if rng.random() < 0.5 else 0.16))):
        place.canvas.fill(box(x - 0.015, top - 0.012, x + wide + 0.015, bottom + 0.012), frame)
        place.canvas.fill(box(x, top, x + wide, bottom), glass)
        place.canvas.fill(
            np.array([[x, bottom], [x, top], [x + wide * 0.7, top]], np.float32), (0.85, 0.9, 0.95), 0.16
        )
        place.canvas.fill(box(x + wide * 0.48, top, x + wide * 0.52, bottom), frame)
    if rng.random() < 0.45:
        hue = _any(rng, (0.7, 0.2, 0.2), (0.2, 0.4, 0.35), (0.9, 0.85, 0.7), (0.25, 0.3, 0.5))
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
            _any(place.rng, (0.22, 0.36, 0.2), (0.34, 0.48, 0.26), (0.45, 0.56, 0.3)),
        )


def party(rng: Generator, width: int, height: int) -> U8:
    dark = _any(rng, (0.12, 0.07, 0.12), (0.10, 0.08, 0.14), (0.17, 0.10, 0.07), (0.06, 0.09, 0.14))
    place = Place(rng, width, height, [(0, dark), (0.7, shade(dark, 1.1)), (1, shade(dark, 0.7))])
    lamps = [(1.0, 0.80, 0.45), (1.0, 0.62, 0.35), (0.95, 0.5, 0.6), (0.6, 0.65, 1.0), (1, 0.92, 0.75)]
    for _ in range(8):
        x, y = float(rng.random()), float(rng.uniform(0.3, 0.9))
        place.canvas.fill(
            ellipse(x, y, 0.09, 0.2),
            _any(rng, (0.25, 0.15, 0.15), (0.08, 0.06, 0.09), (0.2, 0.18, 0.25)),
            0.7,
            0.02,
        )
    place.blur(0.02)
    for _ in range(int(rng.integers(18, 40))):
        place.disc(
            float(rng.random()),
            float(rng.beta(1.3, 2.0)),
            float(rng.uniform(0.008, 0.035)),
            _any(rng, *lamps),
            float(rng.uniform(0.25, 0.75)),
        )
    place.blur(0.003)
    return place.canvas.pixels


def garden(rng: Generator, width: int, height: int) -> U8:
    horizon = float(rng.uniform(0.66, 0.8))
    place = Place(
        rng,
        width,
        height,
        [
            (0, (0.80, 0.88, 0.92)),
            (0.3, (0.52, 0.64, 0.44)),
            (horizon, (0.26, 0.40, 0.22)),
            (horizon + 0.02, (0.48, 0.60, 0.32)),
            (1, (0.40, 0.52, 0.26)),
        ],
    )
    greens = ((0.24, 0.38, 0.20), (0.40, 0.54, 0.28), (0.56, 0.66, 0.36), (0.18, 0.30, 0.18))
    for _ in range(70):
        place.disc(
            float(rng.random()),
            float(rng.uniform(0.05, horizon)),
            float(rng.uniform(0.02, 0.08)),
            _any(rng, *greens),
            0.8,
        )
    petals = (
        _any(rng, (0.95, 0.7, 0.75), (0.98, 0.95, 0.9), (0.9, 0.5, 0.5), (0.98, 0.85, 0.5)),
        _any(rng, (0.85, 0.7, 0.9), (1, 1, 1)),
    )
    for _ in range(40):
        place.disc(
            float(rng.random()),
            float(rng.uniform(0.3, horizon + 0.1)),
            float(rng.uniform(0.006, 0.018)),
            _any(rng, *petals),
            0.9,
        )
    place.mottle(horizon, 1, 0.04, 30)
    place.blur(float(rng.uniform(0.008, 0.02)))
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


def room(rng: Generator, width: int, height: int) -> U8:
    wall = _any(
        rng,
        (0.90, 0.87, 0.82),
        (0.80, 0.84, 0.82),
        (0.86, 0.80, 0.76),
        (0.70, 0.74, 0.72),
        (0.93, 0.93, 0.92),
    )
    floor = _any(rng, (0.62, 0.46, 0.32), (0.75, 0.62, 0.46), (0.45, 0.36, 0.30), (0.78, 0.76, 0.74))
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
        box(x, y, x + w, y + h), _any(rng, (0.2, 0.18, 0.16), (0.75, 0.6, 0.35), (0.97, 0.97, 0.96))
    )
    place.canvas.fill(
        box(x + 0.015, y + 0.012, x + w - 0.015, y + h - 0.012),
        _any(rng, (0.95, 0.94, 0.9), (0.5, 0.6, 0.66), (0.8, 0.55, 0.45)),
    )
    place.disc(
        x + w / 2, y + h / 2, h * 0.25, _any(rng, (0.8, 0.5, 0.4), (0.3, 0.42, 0.44), (0.9, 0.75, 0.5)), 0.9
    )


def _sofa(place: Place, h: float) -> None:
    colour = _any(place.rng, (0.45, 0.50, 0.52), (0.70, 0.62, 0.54), (0.30, 0.38, 0.36), (0.62, 0.42, 0.38))
    x = float(place.rng.choice([-0.25, 0.45]))
    place.canvas.solid(box(x, h - 0.24, x + 0.8, h + 0.02), shade(colour, 0.9), 0.02, 0.4)
    place.canvas.solid(box(x - 0.02, h - 0.13, x + 0.82, h + 0.05), colour, 0.025, 0.5)


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
            _any(place.rng, (0.2, 0.38, 0.24), (0.3, 0.48, 0.28)),
        )
    place.canvas.solid(
        np.array([[x - 0.06, y - 0.1], [x + 0.06, y - 0.1], [x + 0.045, y], [x - 0.045, y]], np.float32),
        _any(place.rng, (0.75, 0.45, 0.32), (0.9, 0.88, 0.85)),
        0.02,
        0.5,
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
                _any(rng, (0.96, 0.9, 0.88), (0.9, 0.7, 0.7), (0.5, 0.6, 0.42), (0.98, 0.97, 0.95)),
                0.95,
            )
    for row in range(2):
        for k in range(5):
            x, y = k / 4.2, 0.72 + 0.1 * row
            place.canvas.fill(box(x - 0.05, y - 0.1, x + 0.05, y + 0.04), (0.96, 0.95, 0.93))
    x = np.linspace(0, 1, 30)
    for drop in (0.12, 0.2):
        line = np.stack([x, 0.04 + drop * (1 - (2 * x - 1) ** 2) * 0.6], 1)
        for point in line[::2]:
            place.disc(float(point[0]), float(point[1]), 0.009, (1, 0.93, 0.7), 0.9)
    place.blur(float(rng.uniform(0.007, 0.014)))
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
            box(x - wide / 2, top, x + wide / 2, 0.82), _any(rng, (0.10, 0.11, 0.17), (0.15, 0.13, 0.16))
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
            _any(rng, (1, 0.8, 0.4), (1, 0.35, 0.3), (0.95, 0.95, 1), (0.4, 0.9, 0.7)),
            0.5,
        )
    place.blur(0.002)
    return place.canvas.pixels


def steps(rng: Generator, width: int, height: int) -> U8:
    stone = _any(rng, (0.82, 0.79, 0.73), (0.74, 0.72, 0.70), (0.86, 0.80, 0.70))
    place = Place(rng, width, height, [(0, shade(stone, 1.05)), (0.55, shade(stone, 0.9)), (1, stone)])
    for k in range(9):
        y = 0.5 + 0.06 * k
        place.canvas.fill(box(-0.1, y, 1.1, y + 0.022), shade(stone, 0.72))
        place.canvas.fill(box(-0.1, y + 0.022, 1.1, y + 0.06), shade(stone, 1.06))
    for x in (float(rng.uniform(0.0, 0.15)), float(rng.uniform(0.8, 0.98))):
        place.canvas.solid(box(x - 0.07, -0.1, x + 0.07, 0.5), shade(stone, 1.04), 0.03, 0.6)
    place.mottle(0, 1, 0.02, 20)
    place.blur(float(rng.uniform(0.003, 0.01)))
    return place.canvas.pixels


Scene = Callable[[Generator, int, int], U8]
SCENES: dict[str, Scene] = {
    "street": street,
    "party": party,
    "garden": garden,
    "beach": beach,
    "room": room,
    "wedding": wedding,
    "night": night,
    "steps": steps,
}
FREQUENCY = {
    "street": 2.0,
    "party": 1.4,
    "garden": 1.4,
    "beach": 1.0,
    "room": 2.2,
    "wedding": 1.0,
    "night": 0.8,
    "steps": 0.8,
}


def background(rng: Generator, width: int, height: int) -> tuple[str, U8, Light]:
    """A place, drawn: its kind, its picture and where its light comes from."""
    share = np.fromiter(FREQUENCY.values(), float)
    kind = list(FREQUENCY)[int(rng.choice(len(share), p=share / share.sum()))]
    side = float(rng.uniform(0.4, 0.9)) * (1 if rng.random() < 0.5 else -1)
    return kind, SCENES[kind](rng, width, height), (side, -0.6)


def obstruct(canvas: Canvas, worn: Wearing, who: Person, rng: Generator) -> None:
    """Something in front of the dress or in a hand."""
    what = str(rng.choice(["bag", "clutch", "drink", "table", "plant", "flowers"]))
    joints = worn.pose.joints(who.body, 1)
    x, y = (float(c) for c in joints[2])
    leather = _any(
        rng, (0.15, 0.12, 0.12), (0.66, 0.42, 0.26), (0.85, 0.76, 0.62), (0.6, 0.15, 0.2), (0.9, 0.88, 0.85)
    )
    if what in ("bag", "clutch"):
        tall = 0.75 if what == "bag" else 0.34
        shape = np.array(
            [
                [x - 0.42, y + 0.35],
                [x + 0.42, y + 0.35],
                [x + 0.5, y + 0.35 + tall],
                [x - 0.5, y + 0.35 + tall],
            ],
            np.float32,
        )
        if what == "bag":
            handle = ellipse(x, y + 0.38, 0.26, 0.38)
            canvas.stroke(handle, shade(leather, 0.7), 0.06)
        canvas.solid(shape, leather, 0.06, 0.5)
        canvas.fill(box(x - 0.07, y + 0.42, x + 0.07, y + 0.52), (0.88, 0.75, 0.45))
    elif what == "drink":
        canvas.fill(
            np.array(
                [[x - 0.13, y - 0.45], [x + 0.13, y - 0.45], [x + 0.07, y + 0.1], [x - 0.07, y + 0.1]],
                np.float32,
            ),
            (0.98, 0.85, 0.55),
            0.75,
        )
    elif what == "flowers":
        for _ in range(16):
            dx, dy = rng.normal(0, 0.2, 2)
            canvas.solid(
                ellipse(x + dx, y + dy, 0.13, 0.12),
                _any(rng, (0.95, 0.75, 0.78), (0.98, 0.95, 0.9), (0.45, 0.6, 0.4)),
                0.04,
                0.4,
            )
    else:
        frame = canvas.seen_by(View(np.array([[canvas.width, 0, 0], [0, canvas.height, 0]], np.float32)))
        if what == "table":
            frame.solid(
                box(-0.1, float(rng.uniform(0.8, 0.9)), 1.1, 1.2),
                _any(rng, (0.5, 0.36, 0.26), (0.93, 0.92, 0.9), (0.3, 0.25, 0.23)),
                0.03,
                0.3,
                0.005,
            )
        else:
            corner = float(rng.choice([0.0, 1.0]))
            for _ in range(12):
                frame.fill(
                    ellipse(
                        corner + float(rng.normal(0, 0.08)),
                        float(rng.uniform(0.5, 1)),
                        0.03,
                        0.1,
                        float(rng.uniform(0, 3)),
                    ),
                    _any(rng, (0.2, 0.36, 0.2), (0.34, 0.5, 0.28)),
                    0.9,
                    0.012,
                )
