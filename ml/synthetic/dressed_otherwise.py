"""People in other clothes than a dress, and cloth laid over things."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ml.synthetic import face, person
from ml.synthetic.canvas import Canvas, Colour, View, ribbon, smooth, tint
from ml.synthetic.dress import Dress
from ml.synthetic.fabric import cloth
from ml.synthetic.face import Person
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


def any_colour(rng: Generator, choices: tuple[Colour, ...]) -> Colour:
    return choices[int(rng.integers(len(choices)))]


def cloth_over(
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


def selfie(canvas: Canvas, rng: Generator, dress: Dress | None) -> None:
    height, width = canvas.height, canvas.width
    scale = height / float(rng.uniform(1.25, 1.7))
    close = canvas.seen_by(
        View.upright(scale, width * 0.5, height * 0.52 - 0.55 * scale, float(rng.normal(0, 0.12)))
    )
    who, pose = Person.drawn(rng), Pose(turn=float(rng.normal(0, 0.2)))
    face.hair_behind(close, who, pose)
    person._torso(close, who, pose)
    top = np.array(
        [[-1.2, 2.6], [-0.85, 1.5], [-0.45, 1.4], [0, 1.62], [0.45, 1.4], [0.85, 1.5], [1.2, 2.6]], np.float32
    )
    close.solid(top, colour=any_colour(rng, LEATHER), depth=0.1, strength=0.4)
    face.paint_head(close, who, pose)


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
    face.paint_head(body, who, pose)


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


def skirt_and_top(canvas: Canvas, rng: Generator, dress: Dress | None) -> None:
    body, who, pose = _figure(canvas, rng)
    b, hem, flare = who.body, float(rng.choice([4.7, 5.4, 6.2])), float(rng.uniform(0.95, 1.6))
    plain = any_colour(rng, (*LEATHER, (0.97, 0.97, 0.96), (0.5, 0.6, 0.75), (0.3, 0.33, 0.42)))
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
            cloth_over(body, pose.place(skirt), dress, 9, rng)
        else:
            body.solid(pose.place(skirt), colour=any_colour(rng, LEATHER), depth=0.1, strength=0.5)
        body.solid(
            pose.place(_top(who, float(rng.uniform(2.5, 2.95)))), colour=plain, depth=0.1, strength=0.45
        )

    _dressed(body, who, pose, clothes)


def activewear(canvas: Canvas, rng: Generator, dress: Dress | None) -> None:
    body, who, pose = _figure(canvas, rng)
    pose = Pose(
        lean=pose.lean * 2,
        sway=pose.sway,
        turn=pose.turn,
        arms=(Arm(float(rng.uniform(0.3, 2.6)), float(rng.uniform(0.3, 2.9))), pose.arms[1]),
    )
    tights = any_colour(rng, ((0.12, 0.12, 0.14), (0.25, 0.3, 0.45), (0.45, 0.2, 0.35), (0.3, 0.42, 0.38)))

    def clothes() -> None:
        _tights(body, who, pose, tights)
        top = any_colour(rng, ((0.9, 0.4, 0.45), (0.12, 0.12, 0.14), (0.5, 0.75, 0.75), (0.95, 0.95, 0.95)))
        body.solid(pose.place(_top(who, 2.45)), colour=top, depth=0.09, strength=0.45)

    _dressed(body, who, pose, clothes)


def _tights(body: Canvas, who: Person, pose: Pose, colour: Colour) -> None:
    b, step = who.body, pose.step
    widths = np.interp(np.linspace(0, 1, 19), [0, 0.3, 0.6, 1], [b.hip, b.hip * 1.02, 0.4, 0.24])
    for sign in (-1, 1):
        x = np.array([b.hip * 0.48, b.hip * 0.5, 0.25 + step * 0.06, 0.17 + step * 0.12]) * sign
        leg = np.stack([x + float(pose.centre(np.array([3.6], np.float32))[0]), [3.0, 3.7, 5.3, 6.7]], 1)
        body.solid(ribbon(smooth(leg, 6), widths), colour=colour, depth=0.09, strength=0.5)
    half = np.array([[b.waist + 0.02, 2.75], [b.hip + 0.03, 3.5], [0.1, 3.9]])
    waist = np.concatenate([half, (half * [-1, 1])[::-1]])
    body.solid(pose.place(waist), colour=colour, depth=0.1, strength=0.4)
