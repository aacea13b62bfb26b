"""Who wears a dress: complexion, face and hair."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ml.synthetic.canvas import Canvas, Colour, ellipse, mix, ribbon, shade, smooth
from ml.synthetic.outline import Figure
from ml.synthetic.pose import Pose

Generator = np.random.Generator


SKINS: tuple[Colour, ...] = (
    (0.98, 0.86, 0.78),
    (0.95, 0.80, 0.69),
    (0.90, 0.72, 0.58),
    (0.83, 0.63, 0.48),
    (0.73, 0.52, 0.38),
    (0.60, 0.41, 0.29),
    (0.46, 0.30, 0.21),
    (0.35, 0.22, 0.16),
)


HAIRS: tuple[Colour, ...] = (
    (0.10, 0.08, 0.08),
    (0.17, 0.11, 0.08),
    (0.28, 0.17, 0.10),
    (0.42, 0.26, 0.14),
    (0.60, 0.40, 0.20),
    (0.82, 0.66, 0.40),
    (0.55, 0.22, 0.10),
    (0.72, 0.70, 0.68),
    (0.86, 0.55, 0.55),
)


STYLES = ("long", "waves", "bob", "bun", "ponytail", "curls", "short", "updo")


SHOES: tuple[Colour, ...] = (
    (0.1, 0.1, 0.1),
    (0.85, 0.68, 0.55),
    (0.8, 0.72, 0.5),
    (0.92, 0.9, 0.88),
    (0.6, 0.12, 0.16),
    (0.7, 0.7, 0.74),
)


@dataclass(frozen=True)
class Person:
    """Looks that have nothing to do with the dress."""

    skin: Colour
    hair: Colour
    style: str
    body: Figure
    lips: Colour
    shoes: Colour
    smile: float
    fringe: bool
    glasses: bool
    earrings: bool

    @staticmethod
    def drawn(rng: Generator) -> Person:
        skin = SKINS[int(rng.integers(len(SKINS)))]
        dark = sum(skin) < 1.6
        hair = HAIRS[int(rng.integers(3 if dark else len(HAIRS)))]
        size = float(rng.normal(1.03, 0.07))
        body = Figure(
            0.80 * (0.6 + 0.4 * size), 0.60 * size, 0.47 * size * float(rng.uniform(0.97, 1.08)), 0.68 * size
        )
        return Person(
            skin,
            hair,
            STYLES[int(rng.integers(len(STYLES)))],
            body,
            mix(mix(skin, (0.75, 0.2, 0.25), float(rng.uniform(0.35, 0.85))), (0.3, 0.05, 0.1), 0.1),
            SHOES[int(rng.integers(len(SHOES)))],
            float(rng.uniform(0.2, 1.0)),
            bool(rng.random() < 0.25),
            bool(rng.random() < 0.1),
            bool(rng.random() < 0.5),
        )


def _head_at(pose: Pose) -> tuple[float, float]:
    return float(pose.centre(np.array([0.6], np.float32))[0]), 0.30 * np.sin(pose.turn)


LOOSE_HAIR: dict[str, tuple[tuple[float, float], ...]] = {
    "long": ((0, 0.0), (0.42, 0.2), (0.48, 0.7), (0.50, 1.3), (0.44, 1.95), (0.2, 2.0)),
    "waves": (
        (0, 0),
        (0.44, 0.2),
        (0.53, 0.7),
        (0.48, 1),
        (0.6, 1.3),
        (0.52, 1.6),
        (0.56, 1.85),
        (0.25, 1.9),
    ),
    "bob": ((0, 0.0), (0.43, 0.2), (0.50, 0.7), (0.50, 1.02), (0.3, 1.08)),
    "curls": ((0, -0.14), (0.5, 0.02), (0.68, 0.5), (0.66, 1.0), (0.5, 1.3), (0.2, 1.3)),
}


def hair_behind(canvas: Canvas, who: Person, pose: Pose) -> None:
    """The hair that hangs behind the neck and shoulders."""
    x, _ = _head_at(pose)
    middle = np.array([x, 0], np.float32)
    if who.style in LOOSE_HAIR:
        half = np.array(LOOSE_HAIR[who.style], np.float32)
        full = np.concatenate([half, (half[1:] * np.array([-1, 1], np.float32))[::-1]])
        shape = smooth(full + middle, 5, closed=True)
        canvas.solid(shape, colour=shade(who.hair, 0.85), depth=0.12, strength=0.5)
    elif who.style in ("bun", "updo"):
        knot = ellipse(x, -0.02 if who.style == "bun" else 0.12, 0.24, 0.22)
        canvas.solid(knot, colour=who.hair, depth=0.1, strength=0.5)
    elif who.style == "ponytail":
        tail = smooth(np.array([[0.2, 0.1], [0.55, 0.35], [0.56, 0.9], [0.46, 1.35]], np.float32) + middle, 6)
        widths = np.interp(np.linspace(0, 1, len(tail)), [0, 0.3, 1], [0.14, 0.24, 0.05])
        canvas.solid(ribbon(tail, widths), colour=who.hair, depth=0.08, strength=0.5)


def paint_head(canvas: Canvas, who: Person, pose: Pose) -> None:
    x, turn = _head_at(pose)
    if pose.back:
        _head_from_behind(canvas, who, x)
        return
    face = [(0, 0.03), (0.27, 0.12), (0.345, 0.36), (0.335, 0.60), (0.26, 0.85), (0.12, 1.0), (0, 1.03)]
    half = np.array(face, np.float32)
    shape = np.concatenate([half, (half[1:-1] * np.array([-1, 1], np.float32))[::-1]])
    for sign in (-1, 1):
        canvas.solid(
            ellipse(x + sign * 0.345, 0.56, 0.05, 0.09),
            colour=shade(who.skin, 0.92),
            depth=0.03,
            strength=0.4,
        )
    canvas.solid(
        smooth(shape + np.array([x, 0], np.float32), 5, closed=True),
        colour=who.skin,
        depth=0.14,
        strength=0.42,
    )
    _face(canvas, who, x + turn * 0.5, turn)
    _hair_front(canvas, who, x)


def _face(canvas: Canvas, who: Person, x: float, turn: float) -> None:
    for sign in (-1, 1):
        _eye(canvas, who, x + sign * 0.145 * (1 - 0.4 * abs(turn)), sign, turn)
        canvas.fill(
            ellipse(x + sign * 0.19, 0.69, 0.09, 0.065), mix(who.skin, (0.9, 0.35, 0.35), 0.5), 0.32, 0.045
        )
    dark, bright = shade(who.skin, 0.66), shade(who.skin, 1.25)
    side = 1 if canvas.light[0] < 0 else -1
    bridge = smooth(
        np.array(
            [[x + side * 0.035, 0.47], [x + side * 0.025, 0.57], [x + side * 0.055 + turn * 0.1, 0.66]],
            np.float32,
        ),
        5,
    )
    canvas.fill(ribbon(bridge, np.linspace(0.02, 0.06, len(bridge))), dark, 0.35, 0.02)
    canvas.fill(ellipse(x - side * 0.005 + turn * 0.08, 0.63, 0.018, 0.07), bright, 0.35, 0.015)
    for sign in (-1, 1):
        canvas.fill(
            ellipse(x + sign * 0.028 + turn * 0.08, 0.694, 0.018, 0.009, n=10),
            shade(who.skin, 0.45),
            0.6,
            0.006,
        )
    _mouth(canvas, who, x)
    if who.glasses:
        _glasses(canvas, who, x)


def _glasses(canvas: Canvas, who: Person, x: float) -> None:
    """Sunglasses, or a thin frame."""
    dark = (0.10, 0.08, 0.08)
    for sign in (-1, 1):
        lens = [(0.05, 0.46), (0.15, 0.445), (0.255, 0.46), (0.25, 0.56), (0.16, 0.61), (0.07, 0.57)]
        rim = smooth(np.array([(x + sign * a, b) for a, b in lens], np.float32), 5, closed=True)
        if who.fringe or who.smile > 0.5:
            canvas.solid(rim, colour=(0.16, 0.12, 0.11), depth=0.06, strength=0.5)
        canvas.stroke(np.concatenate([rim, rim[:2]]), dark, 0.016)
        canvas.stroke(np.array([[x + sign * 0.25, 0.48], [x + sign * 0.34, 0.49]], np.float32), dark, 0.018)
    canvas.stroke(np.array([[x - 0.055, 0.48], [x, 0.47], [x + 0.055, 0.48]], np.float32), dark, 0.018)


def _eye(canvas: Canvas, who: Person, x: float, sign: int, turn: float) -> None:
    dark = mix(shade(who.hair, 0.6), (0.12, 0.08, 0.07), 0.5)
    iris = ((0.20, 0.13, 0.09), (0.30, 0.36, 0.30), (0.28, 0.38, 0.48))[
        0 if sum(who.hair) < 0.7 else int(100 * who.smile) % 3
    ]
    canvas.fill(ellipse(x, 0.505, 0.08, 0.05), mix(shade(who.skin, 0.7), who.lips, 0.2), 0.5, 0.02)
    almond = [(x - 0.07, 0.53), (x - 0.03, 0.497), (x + 0.03, 0.497), (x + 0.07, 0.53), (x, 0.553)]
    canvas.fill(smooth(np.array(almond, np.float32), 4, closed=True), (0.95, 0.94, 0.92))
    canvas.fill(ellipse(x + turn * 0.04, 0.522, 0.031, 0.032, n=16), iris)
    canvas.fill(ellipse(x + turn * 0.04, 0.522, 0.015, 0.016, n=10), (0.04, 0.03, 0.03))
    canvas.fill(ellipse(x + turn * 0.04 - 0.009, 0.512, 0.008, 0.008, n=8), (1, 1, 1), 0.9)
    lid = smooth(
        np.array(
            [[x - sign * 0.068, 0.53], [x, 0.488], [x + sign * 0.06, 0.512], [x + sign * 0.088, 0.505]],
            np.float32,
        ),
        5,
    )
    canvas.fill(ribbon(lid, np.linspace(0.012, 0.022, len(lid))), dark, 0.95)
    brow = smooth(
        np.array(
            [[x - sign * 0.075, 0.435], [x, 0.402], [x + sign * 0.06, 0.402], [x + sign * 0.105, 0.43]],
            np.float32,
        ),
        5,
    )
    canvas.fill(
        ribbon(brow, np.interp(np.linspace(0, 1, len(brow)), [0, 0.3, 1], [0.03, 0.036, 0.006])),
        dark,
        0.75,
        0.006,
    )


def _mouth(canvas: Canvas, who: Person, x: float) -> None:
    wide, lift = 0.105 + 0.03 * who.smile, 0.035 * who.smile
    corner_y = 0.815 - lift
    upper = [(x - wide, corner_y), (x - 0.04, 0.79), (x, 0.80), (x + 0.04, 0.79), (x + wide, corner_y)]
    lower = [(x + 0.05, 0.855), (x, 0.868), (x - 0.05, 0.855)]
    canvas.fill(smooth(np.array(upper + lower, np.float32), 4, closed=True), who.lips)
    if who.smile > 0.55:
        teeth = [
            (x - wide * 0.72, corner_y + 0.012),
            (x, 0.812),
            (x + wide * 0.72, corner_y + 0.012),
            (x, 0.84),
        ]
        canvas.fill(smooth(np.array(teeth, np.float32), 4, closed=True), (0.97, 0.96, 0.94))
    else:
        line = smooth(np.array([[x - wide, corner_y], [x, 0.822], [x + wide, corner_y]], np.float32), 4)
        canvas.stroke(line, shade(who.lips, 0.55), 0.014, 0.8)


def _hair_front(canvas: Canvas, who: Person, x: float) -> None:
    loose = who.style in ("long", "waves", "bob", "curls")
    top = -0.10 if who.style in ("curls", "bob") else -0.06
    side, wide = (0.78, 0.44) if loose else (0.46, 0.375)
    part = -0.1 if who.fringe else 0.06
    right = [
        (part, 0.19),
        (0.19, 0.2),
        (0.295, 0.36),
        (0.335, side),
        (wide, side),
        (wide + 0.01, 0.35),
        (0.32, 0.06),
        (0.13, top),
    ]
    left = [
        (-0.13, top),
        (-0.32, 0.06),
        (-wide - 0.01, 0.35),
        (-wide, side),
        (-0.335, side),
        (-0.295, 0.36),
        (-0.17, 0.24),
    ]
    if who.fringe:
        right = [(0.0, 0.36), (0.2, 0.37), (0.30, 0.40), *right[3:]]
        left = [*left[:-2], (-0.30, 0.40), (-0.2, 0.37)]
    points = np.array(right + left, np.float32) + np.array([x, 0], np.float32)
    canvas.solid(smooth(points, 5, closed=True), colour=who.hair, depth=0.10, strength=0.55)
    for k in range(4):
        strand = smooth(
            np.array([[x + 0.08, 0.0], [x + 0.2 + 0.05 * k, 0.08], [x + 0.33 + 0.015 * k, 0.3]], np.float32),
            4,
        )
        canvas.stroke(strand, shade(who.hair, 1.18), 0.012, 0.35)
    if who.earrings:
        for sign in (-1, 1):
            canvas.solid(
                ellipse(x + sign * 0.36, 0.71, 0.03, 0.05, n=12), colour=(0.9, 0.78, 0.45), depth=0.02
            )


def _head_from_behind(canvas: Canvas, who: Person, x: float) -> None:
    length = {"long": 2.0, "waves": 1.9, "bob": 1.08, "curls": 1.3, "ponytail": 1.0}.get(who.style, 0.86)
    wide = 0.62 if who.style == "curls" else 0.46
    half = np.array(
        [
            (0, -0.07),
            (0.36, 0.05),
            (wide, 0.4),
            (wide, min(length, 0.9)),
            (wide * 0.85, length),
            (0.1, length + 0.04),
        ],
        np.float32,
    )
    shape = np.concatenate([half, (half[1:] * np.array([-1, 1], np.float32))[::-1]])
    canvas.solid(
        smooth(shape + np.array([x, 0], np.float32), 5, closed=True),
        colour=who.hair,
        depth=0.16,
        strength=0.5,
    )
    if who.style in ("bun", "updo"):
        canvas.solid(ellipse(x, 0.2, 0.24, 0.22), colour=shade(who.hair, 1.06), depth=0.1, strength=0.5)
