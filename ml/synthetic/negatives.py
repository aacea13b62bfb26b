"""What else people post: bags, shoes, puppies, food."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PIL import Image

from ml.synthetic import camera, scenes
from ml.synthetic.canvas import F32, Canvas, Colour, View, box, ellipse, mix, ribbon, shade, smooth
from ml.synthetic.dress import Dress, Wardrobe
from ml.synthetic.dressed_otherwise import LEATHER, activewear, any_colour, cloth_over, selfie, skirt_and_top

Generator = np.random.Generator


GOLD: Colour = (0.87, 0.73, 0.42)


def _centred(pixels: np.ndarray, span: float, rng: Generator) -> Canvas:
    """A canvas with its origin in the middle, `span` units high."""
    height, width = pixels.shape[:2]
    view = View.upright(
        min(height, width * 1.25) / span,
        width * (0.5 + float(rng.normal(0, 0.04))),
        height * 0.5,
        float(rng.normal(0, 0.06)),
    )
    return Canvas(pixels, view)


def _surface(canvas: Canvas, y: float, rng: Generator) -> None:
    """A table, a shelf or a floor from `y` downwards."""
    wood = any_colour(rng, ((0.62, 0.46, 0.32), (0.92, 0.91, 0.89), (0.36, 0.3, 0.27), (0.78, 0.7, 0.6)))
    canvas.fill(box(-9, y, 9, 9), wood, 1.0, 0.015)
    canvas.fill(box(-9, y, 9, y + 0.08), shade(wood, 1.15), 0.6, 0.03)
    for k in range(3):
        canvas.stroke(
            np.array([[-9, y + 0.5 + k * 0.8], [9, y + 0.6 + k * 0.8]], np.float32),
            shade(wood, 0.85),
            0.025,
            0.6,
        )


def _bag(canvas: Canvas, rng: Generator, dress: Dress | None) -> None:
    leather, y = any_colour(rng, LEATHER), float(rng.uniform(0.3, 0.7))
    tall, wide = float(rng.uniform(1.0, 1.8)), float(rng.uniform(1.1, 1.6))
    _surface(canvas, y + tall * 0.6, rng)
    canvas.fill(ellipse(0.1, y + tall + 0.04, wide * 1.1, 0.14), (0.05, 0.05, 0.05), 0.4, 0.1)
    handle = ellipse(0, y - 0.2, wide * 0.55, float(rng.uniform(0.7, 1.3)), n=40)
    canvas.fill(ribbon(handle, np.full(40, 0.12)), shade(leather, 0.75))
    shape = np.array(
        [[-wide * 0.85, y - 0.3], [wide * 0.85, y - 0.3], [wide, y + tall], [-wide, y + tall]], np.float32
    )
    canvas.solid(shape, colour=leather, depth=0.16, strength=0.55)
    flap = np.array(
        [
            [-wide * 0.86, y - 0.3],
            [wide * 0.86, y - 0.3],
            [wide * 0.8, y + tall * 0.3],
            [0, y + tall * 0.52],
            [-wide * 0.8, y + tall * 0.3],
        ],
        np.float32,
    )
    canvas.solid(flap, colour=shade(leather, 0.93), depth=0.06, strength=0.5)
    canvas.solid(ellipse(0, y + tall * 0.42, 0.12, 0.12), colour=GOLD, depth=0.05, strength=0.6)


def _shoes(canvas: Canvas, rng: Generator, dress: Dress | None) -> None:
    leather = any_colour(rng, (*LEATHER, (0.75, 0.75, 0.8)))
    _surface(canvas, float(rng.uniform(-1.5, -0.5)), rng)
    inside, flip = shade(mix(leather, (0.85, 0.7, 0.55), 0.6), 0.8), 1 if rng.random() < 0.5 else -1
    for offset in ((-0.35, -0.45), (0.25, 0.35)):
        place = np.array(offset, np.float32)

        def at(points: list[tuple[float, float]], place: F32 = place, steps: int = 6) -> F32:
            return (smooth(np.array(points), steps, closed=True) + place) * np.array([flip, 1], np.float32)

        canvas.fill(
            at([(-1.2, 0.62), (0.2, 0.55), (1.5, 0.58), (1.3, 0.72), (-1.1, 0.72)]),
            (0.05, 0.05, 0.05),
            0.4,
            0.07,
        )
        canvas.solid(
            at([(-1.18, -0.3), (-0.92, -0.1), (-1.0, 0.62), (-1.12, 0.62)], steps=3),
            colour=shade(leather, 0.72),
            depth=0.05,
        )
        canvas.solid(
            at([(-1.15, -0.75), (-0.6, -0.62), (0.2, -0.12), (0.6, 0.2), (-0.2, 0.15), (-0.9, -0.3)]),
            colour=inside,
            depth=0.08,
        )
        body = [
            (-1.2, -0.78),
            (-1.02, -0.62),
            (-0.5, -0.32),
            (0.1, 0.12),
            (0.5, 0.12),
            (0.62, 0.0),
            (1.1, 0.3),
            (1.5, 0.55),
        ]
        body += [(1.3, 0.64), (0.5, 0.6), (-0.1, 0.34), (-0.7, -0.02), (-1.1, -0.12), (-1.26, -0.4)]
        canvas.solid(at(body), colour=leather, depth=0.12, strength=0.75)


PUPPY_BODY = ((0, -0.3), (0.62, 0.1), (0.9, 0.9), (0.75, 1.6), (-0.75, 1.6), (-0.9, 0.9), (-0.62, 0.1))
PUPPY_COAT = (
    *((0, -0.2), (0.62, 0.08), (0.92, 0.85), (0.8, 1.25)),
    *((0, 1.35), (-0.8, 1.25), (-0.92, 0.85), (-0.62, 0.08)),
)
PUPPY_EAR = ((0.42, -1.3), (0.85, -1.35), (1.02, -0.7), (0.86, -0.3), (0.66, -0.6))
FURS: tuple[Colour, ...] = (
    *((0.82, 0.62, 0.38), (0.93, 0.88, 0.8), (0.32, 0.22, 0.16)),
    *((0.16, 0.14, 0.14), (0.68, 0.66, 0.64)),
)


def _puppy(canvas: Canvas, rng: Generator, dress: Dress | None) -> None:
    fur = any_colour(rng, FURS)
    canvas.fill(ellipse(0, 1.62, 1.2, 0.2), (0.05, 0.05, 0.05), 0.4, 0.12)
    tail = smooth(np.array([[0.8, 1.0], [1.3, 0.6], [1.35, 0.1]], np.float32), 6)
    canvas.solid(ribbon(tail, np.linspace(0.3, 0.14, len(tail))), colour=fur, depth=0.08, strength=0.5)
    canvas.solid(smooth(PUPPY_BODY, 6, closed=True), colour=fur, depth=0.2, strength=0.5)
    if dress is not None:
        cloth_over(canvas, smooth(PUPPY_COAT, 6, closed=True), dress, 0, rng)
    for sign in (-1, 1):
        canvas.solid(ellipse(sign * 0.36, 1.5, 0.24, 0.22), colour=shade(fur, 1.06), depth=0.08, strength=0.5)
        canvas.solid(ellipse(sign * 0.3, 1.0, 0.18, 0.5), colour=fur, depth=0.09, strength=0.4)
    _puppy_head(canvas, fur)
    if rng.random() < 0.6:
        canvas.solid(ellipse(0, -0.22, 0.1, 0.15), colour=(0.9, 0.45, 0.48), depth=0.05, strength=0.4)


def _puppy_head(canvas: Canvas, fur: Colour) -> None:
    dark: Colour = (0.08, 0.05, 0.04)
    canvas.solid(ellipse(0, -0.75, 0.78, 0.7), colour=fur, depth=0.2, strength=0.5)
    for sign in (-1, 1):
        ear = smooth(np.array(PUPPY_EAR, np.float32) * np.array([sign, 1], np.float32), 5, closed=True)
        canvas.solid(ear, colour=shade(fur, 0.7), depth=0.1, strength=0.5)
        canvas.solid(ellipse(sign * 0.29, -0.85, 0.12, 0.14), colour=dark, depth=0.04, strength=0.6)
        canvas.fill(ellipse(sign * 0.29 - 0.04, -0.91, 0.035, 0.035), (1, 1, 1))
    canvas.solid(ellipse(0, -0.48, 0.4, 0.3), colour=shade(fur, 1.15), depth=0.12, strength=0.5)
    canvas.solid(ellipse(0, -0.62, 0.15, 0.11), colour=(0.1, 0.07, 0.07), depth=0.04, strength=0.7)
    mouth = smooth(np.array([[-0.2, -0.4], [0, -0.32], [0.2, -0.4]], np.float32), 5)
    canvas.stroke(mouth, (0.15, 0.1, 0.1), 0.035)


def _food(canvas: Canvas, rng: Generator, dress: Dress | None) -> None:
    table = any_colour(rng, ((0.55, 0.38, 0.26), (0.93, 0.92, 0.9), (0.25, 0.24, 0.25), (0.85, 0.78, 0.7)))
    canvas.fill(box(-9, -9, 9, 9), table)
    for k in range(-8, 9):
        canvas.stroke(np.array([[-9, k * 0.9], [9, k * 0.9 + 0.3]], np.float32), shade(table, 0.85), 0.03)
    if dress is not None:
        cloth_over(canvas, box(-9, 1.0, 9, 9), dress, 0, rng)
    canvas.fill(ellipse(0.1, 0.12, 1.62, 1.6), (0.05, 0.05, 0.05), 0.4, 0.12)
    canvas.solid(ellipse(0, 0, 1.6, 1.58, n=48), colour=(0.96, 0.95, 0.93), depth=0.15, strength=0.35)
    canvas.solid(ellipse(0, 0, 1.15, 1.13, n=40), colour=(0.92, 0.91, 0.89), depth=0.08, strength=-0.3)
    foods: tuple[Colour, ...] = (
        (0.85, 0.32, 0.2),
        (0.45, 0.6, 0.25),
        (0.93, 0.78, 0.4),
        (0.7, 0.45, 0.25),
        (0.95, 0.9, 0.8),
        (0.35, 0.5, 0.2),
        (0.6, 0.2, 0.3),
    )
    for _ in range(int(rng.integers(14, 30))):
        r, a = 0.9 * float(np.sqrt(rng.random())), float(rng.uniform(0, 6.3))
        size = float(rng.uniform(0.1, 0.36))
        canvas.solid(
            ellipse(r * np.cos(a), r * np.sin(a), size, size * float(rng.uniform(0.5, 1)), a),
            colour=any_colour(rng, foods),
            depth=0.07,
            strength=0.6,
        )
    if rng.random() < 0.7:
        canvas.solid(ellipse(1.55, -1.75, 0.55, 0.55), colour=(0.95, 0.94, 0.92), depth=0.08, strength=0.4)
        canvas.solid(ellipse(1.55, -1.75, 0.44, 0.44), colour=(0.62, 0.42, 0.26), depth=0.05, strength=0.3)
    fork = np.array([[-2.0, -0.8], [-1.95, 1.4]], np.float32)
    canvas.stroke(fork, (0.8, 0.8, 0.82), 0.1)


def _curtain(canvas: Canvas, rng: Generator, dress: Dress | None) -> None:
    pattern = dress or Wardrobe(int(rng.integers(1 << 30))).dress(int(rng.integers(1 << 20)))
    height, width = canvas.height, canvas.width
    room = canvas.seen_by(View.upright(height / 5, width / 2, 0))
    half = width / (2 * height / 5)
    room.fill(box(-half * 0.45, 0.4, half * 0.45, 4.0), (0.93, 0.96, 1.0))
    for x in (-half * 0.45, 0.0, half * 0.45):
        room.fill(box(x - 0.05, 0.3, x + 0.05, 4.05), (0.97, 0.97, 0.96))
    for sign in (-1, 1):
        inner = float(rng.uniform(0.1, 0.4)) * half
        hang = np.array(
            [
                [sign * half * 1.2, 0.2],
                [sign * inner, 0.2],
                [sign * (inner + 0.12), 2.4],
                [sign * inner, 4.8],
                [sign * half * 1.2, 4.8],
            ],
            np.float32,
        )
        cloth_over(room, hang, pattern, 11, rng, 0.1)
    room.solid(box(-half * 1.2, 0.1, half * 1.2, 0.24), colour=(0.55, 0.42, 0.28), depth=0.05, strength=0.6)


def _landscape(canvas: Canvas, rng: Generator, dress: Dress | None) -> None:
    frame = canvas.seen_by(View(np.array([[canvas.width, 0, 0], [0, canvas.height, 0]], np.float32)))
    horizon = float(rng.uniform(0.35, 0.55))
    sky = any_colour(rng, ((0.55, 0.74, 0.90), (0.96, 0.76, 0.62), (0.78, 0.80, 0.86), (0.66, 0.62, 0.80)))
    tone = any_colour(rng, ((0.35, 0.45, 0.55), (0.4, 0.5, 0.38), (0.55, 0.42, 0.42)))
    for k in range(24):
        y = horizon * 1.2 * k / 24
        frame.fill(box(-0.1, y - 0.02, 1.1, 0.8), mix(sky, (0.98, 0.95, 0.9), k / 30))
    frame.fill(
        ellipse(float(rng.random()), horizon * 0.6, 0.06, 0.06 * canvas.width / canvas.height),
        (1, 0.97, 0.88),
        0.95,
        0.008,
    )
    for _ in range(5):
        frame.fill(
            ellipse(
                float(rng.random()), float(rng.uniform(0.03, horizon)), float(rng.uniform(0.1, 0.3)), 0.016
            ),
            (1, 1, 1),
            0.4,
            0.015,
        )
    for k in range(4):
        xs = np.linspace(-0.05, 1.05, 40)
        swell = (0.1 - 0.018 * k) * np.sin(xs * float(rng.uniform(4, 9)) + float(rng.uniform(0, 6)))
        ys = horizon + 0.12 * k + swell + 0.02 * np.sin(xs * 31 + k) * (k < 2)
        ridge = np.concatenate([np.stack([xs, ys], 1), [[1.05, 1.2], [-0.05, 1.2]]]).astype(np.float32)
        near = mix(mix(tone, sky, 0.6 - 0.18 * k), (0.16, 0.24, 0.16), 0.16 * k)
        frame.fill(ridge, near, 1.0, 0.002)


def _jewellery(canvas: Canvas, rng: Generator, dress: Dress | None) -> None:
    cloth_colour = any_colour(
        rng, ((0.93, 0.9, 0.86), (0.2, 0.18, 0.2), (0.75, 0.6, 0.6), (0.35, 0.42, 0.42))
    )
    canvas.fill(box(-9, -9, 9, 9), cloth_colour)
    for _ in range(5):
        line = smooth(
            np.array(
                [
                    [-4, float(rng.uniform(-3, 3))],
                    [0, float(rng.uniform(-3, 3))],
                    [4, float(rng.uniform(-3, 3))],
                ],
                np.float32,
            ),
            8,
        )
        canvas.fill(ribbon(line, np.full(len(line), 0.5)), shade(cloth_colour, 0.8), 0.4, 0.2)
    metal = any_colour(rng, (GOLD, (0.82, 0.83, 0.86), (0.9, 0.7, 0.6)))
    stone = any_colour(
        rng, ((0.1, 0.45, 0.35), (0.7, 0.1, 0.2), (0.2, 0.3, 0.7), (0.95, 0.95, 0.97), (0.75, 0.6, 0.85))
    )
    t = np.linspace(-2.5, 2.5, 36) + np.pi / 2
    for k, angle in enumerate(t):
        x, y = 1.35 * float(np.cos(angle)), -0.3 + 1.6 * float(np.sin(angle))
        canvas.solid(
            ellipse(x + 0.03, y + 0.05, 0.09, 0.09, n=10), colour=(0.05, 0.05, 0.05), depth=0.03, strength=0.1
        ) if k % 6 == 0 else None
        canvas.solid(ellipse(x, y, 0.085, 0.085, n=12), colour=metal, depth=0.03, strength=0.8)
    canvas.solid(ellipse(0, 1.55, 0.34, 0.42), colour=metal, depth=0.06, strength=0.7)
    canvas.solid(ellipse(0, 1.55, 0.25, 0.33), colour=stone, depth=0.1, strength=1.0)
    for sign in (-1, 1):
        canvas.solid(ellipse(sign * 0.55, -0.4, 0.13, 0.22), colour=stone, depth=0.06, strength=1.0)
        canvas.solid(ellipse(sign * 0.55, -0.72, 0.08, 0.08), colour=metal, depth=0.04, strength=0.8)


Painter = Callable[[Canvas, Generator, "Dress | None"], None]


PAINTERS: dict[str, Painter] = {
    "bag": _bag,
    "shoes": _shoes,
    "puppy": _puppy,
    "food": _food,
    "selfie": selfie,
    "skirt_and_top": skirt_and_top,
    "curtain": _curtain,
    "landscape": _landscape,
    "jewellery": _jewellery,
    "activewear": activewear,
}


NEGATIVE_KINDS: tuple[str, ...] = tuple(PAINTERS)


def negative_photo(
    kind: str, size: tuple[int, int] = (205, 256), seed: int = 0, dress: Dress | None = None
) -> Image.Image:
    """A post without a dress, `size` (width, height); with `dress`, the puppy, the skirt, the curtain or the
    tablecloth is made of that dress's cloth."""
    if kind not in PAINTERS:
        raise ValueError(f"a photo without a dress shows {', '.join(NEGATIVE_KINDS)}, not {kind!r}")
    rng = np.random.default_rng(
        [seed, NEGATIVE_KINDS.index(kind), 31, 0 if dress is None else dress.index + 1]
    )
    edge = camera.margin(size)
    kinds = ("room",) if kind == "curtain" else None
    where, pixels, light = scenes.background(rng, size[0] + 2 * edge, size[1] + 2 * edge, kinds)
    canvas = _centred(pixels, float(rng.uniform(4.2, 5.6)), rng)
    canvas.light = light
    PAINTERS[kind](canvas, rng, dress)
    return camera.street_finish(canvas.pixels, size, rng, 1.0, where)
