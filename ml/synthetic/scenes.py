"""What surrounds a dress in a photo: the studio, a place, and things in front of it."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from ml.synthetic.canvas import U8, Canvas, Colour, View, box, ellipse, shade
from ml.synthetic.face import Person
from ml.synthetic.places import as_bytes, beach, garden, night, steps, street, varied
from ml.synthetic.pose import Wearing
from ml.synthetic.rooms import cafe, party, room, wedding

Generator = np.random.Generator
Light = tuple[float, float]


def studio(rng: Generator, width: int, height: int) -> U8:
    """A seamless off-white ground."""
    base = np.array([0.955, 0.95, 0.94]) + rng.normal(0, 0.003, 3) + rng.normal(0, 0.01)
    small = (max(2, width // 4), max(2, height // 4))
    x = np.linspace(-1, 1, small[0], dtype=np.float32)[None] - np.float32(rng.normal(0, 0.2))
    y = np.linspace(-0.8, 1.2, small[1], dtype=np.float32)[:, None]
    fall = (1 - 0.035 * (x * x + y * y)) * (1 - 0.025 * np.clip((y - 0.85) * 6, 0, 1))
    return cv2.resize(as_bytes(base.astype(np.float32) * fall[..., None]), (width, height)).astype(
        np.uint8, copy=False
    )


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
    "cafe": cafe,
    "mirror": room,
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
    "cafe": 1.2,
    "mirror": 1.3,
}


def background(
    rng: Generator, width: int, height: int, kinds: tuple[str, ...] | None = None
) -> tuple[str, U8, Light]:
    """A place, drawn: its kind, its picture and where its light comes from."""
    among = kinds or tuple(FREQUENCY)
    share = np.array([FREQUENCY[kind] for kind in among])
    kind = among[int(rng.choice(len(share), p=share / share.sum()))]
    side = float(rng.uniform(0.4, 0.9)) * (1 if rng.random() < 0.5 else -1)
    return kind, SCENES[kind](rng, width, height), (side, -0.6)


def mirror(canvas: Canvas, worn: Wearing, rng: Generator) -> None:
    """The phone in a mirror selfie, and the mirror's frame."""
    x, y = (float(c) for c in worn.pose.joints(worn.body, 1)[2])
    phone = varied(rng, (0.08, 0.08, 0.09), (0.85, 0.8, 0.78), (0.75, 0.55, 0.58))
    case = np.array([[-0.2, -0.5], [0.2, -0.5], [0.2, 0.24], [-0.2, 0.24]], np.float32) + np.array(
        [x - 0.05, y], np.float32
    )
    canvas.solid(case, colour=phone, depth=0.03, strength=0.5)
    for dy in (-0.4, -0.26):
        canvas.solid(
            ellipse(x - 0.16, y + dy, 0.055, 0.055, n=14), colour=(0.06, 0.06, 0.08), depth=0.02, strength=0.8
        )
    frame = canvas.seen_by(View(np.array([[canvas.width, 0, 0], [0, canvas.height, 0]], np.float32)))
    wood = varied(rng, (0.78, 0.66, 0.44), (0.16, 0.14, 0.13), (0.93, 0.92, 0.9), (0.5, 0.35, 0.24))
    for side in ((0.0, 0.10) if rng.random() < 0.5 else (0.90, 1.0),):
        frame.solid(box(side[0] - 0.03, -0.2, side[1] + 0.03, 1.2), colour=wood, depth=0.02, strength=0.6)


def obstruct(canvas: Canvas, worn: Wearing, who: Person, rng: Generator) -> None:
    """Something in front of the dress or in a hand."""
    what = str(rng.choice(["bag", "clutch", "drink", "table", "plant", "flowers"]))
    x, y = (float(c) for c in worn.pose.joints(who.body, 1)[2])
    leather = varied(
        rng, (0.15, 0.12, 0.12), (0.66, 0.42, 0.26), (0.85, 0.76, 0.62), (0.6, 0.15, 0.2), (0.9, 0.88, 0.85)
    )
    if what in ("bag", "clutch"):
        _handbag(canvas, x, y, leather, 0.75 if what == "bag" else 0.34)
    elif what == "drink":
        glass = np.array([[-0.13, -0.45], [0.13, -0.45], [0.07, 0.1], [-0.07, 0.1]]) + np.array([x, y])
        canvas.fill(glass, (0.98, 0.85, 0.55), 0.75)
    elif what == "flowers":
        for _ in range(16):
            dx, dy = rng.normal(0, 0.2, 2)
            petal = varied(rng, (0.95, 0.75, 0.78), (0.98, 0.95, 0.9), (0.45, 0.6, 0.4))
            canvas.solid(ellipse(x + dx, y + dy, 0.13, 0.12), colour=petal, depth=0.04, strength=0.4)
    else:
        frame = canvas.seen_by(View(np.array([[canvas.width, 0, 0], [0, canvas.height, 0]], np.float32)))
        (_table_edge if what == "table" else _leaves)(frame, rng)


def _handbag(canvas: Canvas, x: float, y: float, leather: Colour, tall: float) -> None:
    if tall > 0.5:
        canvas.stroke(ellipse(x, y + 0.38, 0.26, 0.38), shade(leather, 0.7), 0.06)
    top, bottom = y + 0.35, y + 0.35 + tall
    shape = np.array([[x - 0.42, top], [x + 0.42, top], [x + 0.5, bottom], [x - 0.5, bottom]], np.float32)
    canvas.solid(shape, colour=leather, depth=0.06, strength=0.5)
    canvas.fill(box(x - 0.07, y + 0.42, x + 0.07, y + 0.52), (0.88, 0.75, 0.45))


def _table_edge(frame: Canvas, rng: Generator) -> None:
    edge = box(-0.1, float(rng.uniform(0.8, 0.9)), 1.1, 1.2)
    wood = varied(rng, (0.5, 0.36, 0.26), (0.93, 0.92, 0.9), (0.3, 0.25, 0.23))
    frame.solid(edge, colour=wood, depth=0.03, strength=0.3, soft=0.005)


def _leaves(frame: Canvas, rng: Generator) -> None:
    corner = float(rng.choice([0.0, 1.0]))
    for _ in range(12):
        x, y = corner + float(rng.normal(0, 0.08)), float(rng.uniform(0.5, 1))
        leaf = ellipse(x, y, 0.03, 0.1, float(rng.uniform(0, 3)))
        frame.fill(leaf, varied(rng, (0.2, 0.36, 0.2), (0.34, 0.5, 0.28)), 0.9, 0.012)
