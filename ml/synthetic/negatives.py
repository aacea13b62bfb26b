"""What else people post: bags, shoes, puppies, food."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PIL import Image

from ml.synthetic import camera, person, scenes
from ml.synthetic.canvas import F32, Canvas, Colour, View, box, ellipse, mix, ribbon, shade, smooth, tint
from ml.synthetic.dress import Dress, Wardrobe
from ml.synthetic.fabric import cloth
from ml.synthetic.person import Person
from ml.synthetic.pose import Arm, Pose

Generator = np.random.Generator
LEATHER: tuple[Colour, ...] = (
    (0.13, 0.11, 0.11),
    (0.62, 0.38, 0.22),
    (0.86, 0.77, 0.63),
    (0.62, 0.13, 0.2),
    (0.93, 0.9, 0.86),
    (0.2, 0.35, 0.33),
    (0.9, 0.68, 0.7),
)
GOLD: Colour = (0.87, 0.73, 0.42)


def _colour(rng: Generator, choices: tuple[Colour, ...]) -> Colour:
    return choices[int(rng.integers(len(choices)))]


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


def _cloth_over(
    canvas: Canvas, shape: np.ndarray, dress: Dress, folds: float, rng: Generator, depth: float = 0.15
) -> None:
    """A polygon of the dress's cloth, lit as a body under it would be."""
    mask = canvas.mask(shape)
    if mask is None:
        return
    x, y = canvas.view.grid(mask.where)
    wave = np.sin(x * np.float32(folds) + np.sin(y * np.float32(1.3)) * np.float32(0.4))
    light = canvas.relief(mask.cover, depth) * np.float32(0.5) + wave * np.float32(0.14 if folds else 0)
    u = (x + wave * np.float32(0.06)).astype(np.float32)
    canvas.blend(
        mask, tint(cloth(dress, u, y + np.float32(3.2), canvas.view.scale), light.astype(np.float32))
    )


def _surface(canvas: Canvas, y: float, rng: Generator) -> None:
    """A table, a shelf or a floor from `y` downwards."""
    wood = _colour(rng, ((0.62, 0.46, 0.32), (0.92, 0.91, 0.89), (0.36, 0.3, 0.27), (0.78, 0.7, 0.6)))
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
    leather, y = _colour(rng, LEATHER), float(rng.uniform(0.3, 0.7))
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
    leather = _colour(rng, (*LEATHER, (0.75, 0.75, 0.8)))
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


def _puppy(canvas: Canvas, rng: Generator, dress: Dress | None) -> None:
    fur = _colour(
        rng,
        ((0.82, 0.62, 0.38), (0.93, 0.88, 0.8), (0.32, 0.22, 0.16), (0.16, 0.14, 0.14), (0.68, 0.66, 0.64)),
    )
    spot = shade(fur, 0.7)
    canvas.fill(ellipse(0, 1.62, 1.2, 0.2), (0.05, 0.05, 0.05), 0.4, 0.12)
    tail = smooth(np.array([[0.8, 1.0], [1.3, 0.6], [1.35, 0.1]], np.float32), 6)
    canvas.solid(ribbon(tail, np.linspace(0.3, 0.14, len(tail))), colour=fur, depth=0.08, strength=0.5)
    body = smooth(
        np.array(
            [[0, -0.3], [0.62, 0.1], [0.9, 0.9], [0.75, 1.6], [-0.75, 1.6], [-0.9, 0.9], [-0.62, 0.1]],
            np.float32,
        ),
        6,
        closed=True,
    )
    canvas.solid(body, colour=fur, depth=0.2, strength=0.5)
    if dress is not None:
        coat = smooth(
            np.array(
                [
                    [0, -0.2],
                    [0.62, 0.08],
                    [0.92, 0.85],
                    [0.8, 1.25],
                    [0, 1.35],
                    [-0.8, 1.25],
                    [-0.92, 0.85],
                    [-0.62, 0.08],
                ],
                np.float32,
            ),
            6,
            closed=True,
        )
        _cloth_over(canvas, coat, dress, 0, rng)
    for sign in (-1, 1):
        canvas.solid(ellipse(sign * 0.36, 1.5, 0.24, 0.22), colour=shade(fur, 1.06), depth=0.08, strength=0.5)
        canvas.solid(ellipse(sign * 0.3, 1.0, 0.18, 0.5), colour=fur, depth=0.09, strength=0.4)
    canvas.solid(ellipse(0, -0.75, 0.78, 0.7), colour=fur, depth=0.2, strength=0.5)
    for sign in (-1, 1):
        ear = smooth(
            np.array([[0.42, -1.3], [0.85, -1.35], [1.02, -0.7], [0.86, -0.3], [0.66, -0.6]], np.float32)
            * [sign, 1],
            5,
            closed=True,
        )
        canvas.solid(ear, colour=spot, depth=0.1, strength=0.5)
        canvas.solid(
            ellipse(sign * 0.29, -0.85, 0.12, 0.14), colour=(0.08, 0.05, 0.04), depth=0.04, strength=0.6
        )
        canvas.fill(ellipse(sign * 0.29 - 0.04, -0.91, 0.035, 0.035), (1, 1, 1))
    canvas.solid(ellipse(0, -0.48, 0.4, 0.3), colour=shade(fur, 1.15), depth=0.12, strength=0.5)
    canvas.solid(ellipse(0, -0.62, 0.15, 0.11), colour=(0.1, 0.07, 0.07), depth=0.04, strength=0.7)
    mouth = smooth(np.array([[-0.2, -0.4], [0, -0.32], [0.2, -0.4]], np.float32), 5)
    canvas.stroke(mouth, (0.15, 0.1, 0.1), 0.035)
    if rng.random() < 0.6:
        canvas.solid(ellipse(0, -0.22, 0.1, 0.15), colour=(0.9, 0.45, 0.48), depth=0.05, strength=0.4)


def _food(canvas: Canvas, rng: Generator, dress: Dress | None) -> None:
    table = _colour(rng, ((0.55, 0.38, 0.26), (0.93, 0.92, 0.9), (0.25, 0.24, 0.25), (0.85, 0.78, 0.7)))
    canvas.fill(box(-9, -9, 9, 9), table)
    for k in range(-8, 9):
        canvas.stroke(np.array([[-9, k * 0.9], [9, k * 0.9 + 0.3]], np.float32), shade(table, 0.85), 0.03)
    if dress is not None:
        _cloth_over(canvas, box(-9, 1.0, 9, 9), dress, 0, rng)
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
            colour=_colour(rng, foods),
            depth=0.07,
            strength=0.6,
        )
    if rng.random() < 0.7:
        canvas.solid(ellipse(1.55, -1.75, 0.55, 0.55), colour=(0.95, 0.94, 0.92), depth=0.08, strength=0.4)
        canvas.solid(ellipse(1.55, -1.75, 0.44, 0.44), colour=(0.62, 0.42, 0.26), depth=0.05, strength=0.3)
    fork = np.array([[-2.0, -0.8], [-1.95, 1.4]], np.float32)
    canvas.stroke(fork, (0.8, 0.8, 0.82), 0.1)


def _selfie(canvas: Canvas, rng: Generator, dress: Dress | None) -> None:
    height, width = canvas.height, canvas.width
    scale = height / float(rng.uniform(1.25, 1.7))
    close = canvas.seen_by(
        View.upright(scale, width * 0.5, height * 0.52 - 0.55 * scale, float(rng.normal(0, 0.12)))
    )
    who, pose = Person.drawn(rng), Pose(turn=float(rng.normal(0, 0.2)))
    person._hair_behind(close, who, pose)
    person._torso(close, who, pose)
    top = np.array(
        [[-1.2, 2.6], [-0.85, 1.5], [-0.45, 1.4], [0, 1.62], [0.45, 1.4], [0.85, 1.5], [1.2, 2.6]], np.float32
    )
    close.solid(top, colour=_colour(rng, LEATHER), depth=0.1, strength=0.4)
    person.paint_head(close, who, pose)


def _figure(canvas: Canvas, rng: Generator) -> tuple[Canvas, Person, Pose]:
    scale = canvas.height * 0.86 / float(rng.uniform(5.6, 7.8))
    body = canvas.seen_by(
        View.upright(
            scale,
            canvas.width * float(rng.uniform(0.44, 0.56)),
            canvas.height * 0.09,
            float(rng.normal(0, 0.03)),
        )
    )
    return body, Person.drawn(rng), person.draw_pose(rng, 0.8)


def _dressed(body: Canvas, who: Person, pose: Pose, paint_clothes: Callable[[], None]) -> None:
    person.paint_body(body, who, pose)
    paint_clothes()
    for side in (0, 1):
        person.paint_arm(body, who, pose, side, body.mask(pose.place(_top(who, 2.0)[1:-1])))
    person.paint_head(body, who, pose)


def _top(who: Person, low: float) -> np.ndarray:
    b = who.body
    right = np.array(
        [
            [0, 1.62],
            [0.3, 1.5],
            [0.42, 1.34],
            [b.shoulder * 0.86, 1.48],
            [b.bust * 0.95, 1.9],
            [b.bust + 0.04, 2.2],
            [b.waist + 0.06, 2.72],
            [b.waist + 0.1, low],
        ],
        np.float32,
    )
    return np.concatenate([right, (right * np.array([-1, 1], np.float32))[::-1]])


def _skirt_and_top(canvas: Canvas, rng: Generator, dress: Dress | None) -> None:
    body, who, pose = _figure(canvas, rng)
    b, hem, flare = who.body, float(rng.choice([4.7, 5.4, 6.2])), float(rng.uniform(0.95, 1.6))
    plain = _colour(rng, (*LEATHER, (0.97, 0.97, 0.96), (0.5, 0.6, 0.75), (0.3, 0.33, 0.42)))
    skirt = np.array(
        [
            [-b.waist - 0.03, 2.7],
            [b.waist + 0.03, 2.7],
            [b.hip + 0.08, 3.4],
            [b.hip * flare + 0.1, hem],
            [-b.hip * flare - 0.1, hem],
            [-b.hip - 0.08, 3.4],
        ],
        np.float32,
    )

    def clothes() -> None:
        if dress is not None:
            _cloth_over(body, pose.place(skirt), dress, 9, rng)
        else:
            body.solid(pose.place(skirt), colour=_colour(rng, LEATHER), depth=0.1, strength=0.5)
        body.solid(
            pose.place(_top(who, float(rng.uniform(2.5, 2.95)))), colour=plain, depth=0.1, strength=0.45
        )

    _dressed(body, who, pose, clothes)


def _activewear(canvas: Canvas, rng: Generator, dress: Dress | None) -> None:
    body, who, pose = _figure(canvas, rng)
    pose = Pose(
        lean=pose.lean * 2,
        sway=pose.sway,
        turn=pose.turn,
        arms=(Arm(float(rng.uniform(0.3, 2.6)), float(rng.uniform(0.3, 2.9))), pose.arms[1]),
    )
    tights = _colour(rng, ((0.12, 0.12, 0.14), (0.25, 0.3, 0.45), (0.45, 0.2, 0.35), (0.3, 0.42, 0.38)))

    def clothes() -> None:
        for sign in (-1, 1):
            leg = np.array(
                [
                    [sign * b.hip * 0.48, 3.0],
                    [sign * b.hip * 0.5, 3.7],
                    [sign * 0.25 + pose.step * sign * 0.06, 5.3],
                    [sign * 0.17 + pose.step * sign * 0.12, 6.7],
                ],
                np.float32,
            )
            leg[:, 0] += float(pose.centre(np.array([3.6], np.float32))[0])
            body.solid(
                ribbon(
                    smooth(leg, 6),
                    np.interp(np.linspace(0, 1, 19), [0, 0.3, 0.6, 1], [b.hip, b.hip * 1.02, 0.4, 0.24]),
                ),
                colour=tights,
                depth=0.09,
                strength=0.5,
            )
        waist = np.array(
            [
                [-b.waist - 0.02, 2.75],
                [b.waist + 0.02, 2.75],
                [b.hip + 0.03, 3.5],
                [0.1, 3.9],
                [-0.1, 3.9],
                [-b.hip - 0.03, 3.5],
            ],
            np.float32,
        )
        body.solid(pose.place(waist), colour=tights, depth=0.1, strength=0.4)
        body.solid(
            pose.place(_top(who, 2.45)),
            colour=_colour(
                rng, ((0.9, 0.4, 0.45), (0.12, 0.12, 0.14), (0.5, 0.75, 0.75), (0.95, 0.95, 0.95))
            ),
            depth=0.09,
            strength=0.45,
        )

    b = who.body
    _dressed(body, who, pose, clothes)


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
        _cloth_over(room, hang, pattern, 11, rng, 0.1)
    room.solid(box(-half * 1.2, 0.1, half * 1.2, 0.24), colour=(0.55, 0.42, 0.28), depth=0.05, strength=0.6)


def _landscape(canvas: Canvas, rng: Generator, dress: Dress | None) -> None:
    frame = canvas.seen_by(View(np.array([[canvas.width, 0, 0], [0, canvas.height, 0]], np.float32)))
    horizon = float(rng.uniform(0.35, 0.55))
    sky = _colour(rng, ((0.55, 0.74, 0.90), (0.96, 0.76, 0.62), (0.78, 0.80, 0.86), (0.66, 0.62, 0.80)))
    tone = _colour(rng, ((0.35, 0.45, 0.55), (0.4, 0.5, 0.38), (0.55, 0.42, 0.42)))
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
        x = np.linspace(-0.05, 1.05, 40)
        y = (
            horizon
            + 0.12 * k
            + (0.1 - 0.018 * k) * np.sin(x * float(rng.uniform(4, 9)) + float(rng.uniform(0, 6)))
        )
        y = y + 0.02 * np.sin(x * 31 + k) * (k < 2)
        ridge = np.concatenate([np.stack([x, y], 1), [[1.05, 1.2], [-0.05, 1.2]]]).astype(np.float32)
        near = mix(mix(tone, sky, 0.6 - 0.18 * k), (0.16, 0.24, 0.16), 0.16 * k)
        frame.fill(ridge, near, 1.0, 0.002)


def _jewellery(canvas: Canvas, rng: Generator, dress: Dress | None) -> None:
    cloth_colour = _colour(rng, ((0.93, 0.9, 0.86), (0.2, 0.18, 0.2), (0.75, 0.6, 0.6), (0.35, 0.42, 0.42)))
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
    metal = _colour(rng, (GOLD, (0.82, 0.83, 0.86), (0.9, 0.7, 0.6)))
    stone = _colour(
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
    "bag": _bag, "shoes": _shoes, "puppy": _puppy, "food": _food, "selfie": _selfie, "skirt_and_top": _skirt_and_top,
    "curtain": _curtain, "landscape": _landscape, "jewellery": _jewellery, "activewear": _activewear,
}  # fmt: skip
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
