"""A person in a dress: body, arms, pose."""

from __future__ import annotations

import numpy as np

from ml.synthetic import garment
from ml.synthetic.canvas import Canvas, Mask, ellipse, ribbon, shade, smooth
from ml.synthetic.dress import Dress
from ml.synthetic.face import Person, hair_behind, paint_head
from ml.synthetic.pose import Arm, Pose, Wearing, limbs

Generator = np.random.Generator


def draw_pose(rng: Generator, difficulty: float) -> Pose:
    """A way of standing for a camera."""
    spread = float(min(1.5, difficulty))
    back = bool(rng.random() < 0.08 * difficulty)
    return Pose(
        lean=float(rng.normal(0, 0.025)) * spread,
        sway=float(rng.normal(0, 0.06)) * spread,
        turn=float(np.clip(rng.normal(0, 0.22), -0.5, 0.5)) * spread,
        swing=float(rng.normal(0, 0.01)) * spread,
        arms=(_arm(rng), _arm(rng)),
        back=back,
        step=float(rng.uniform(-1, 1)),
    )


def _arm(rng: Generator) -> Arm:
    kind = int(rng.choice(6, p=[0.34, 0.24, 0.12, 0.12, 0.1, 0.08]))
    j = rng.normal(0, 0.06, 2)
    upper, fore = ((0.16, 0.04), (0.75, -0.72), (0.30, -0.35), (0.9, 0.5), (0.34, -2.25), (1.9, 2.7))[kind]
    return Arm(float(upper + j[0]), float(fore + j[1]))


def paint(canvas: Canvas, who: Person, dress: Dress, pose: Pose, rng: Generator) -> Wearing:
    """The whole person from behind to front; the crown of the head is the origin of the canvas's units."""
    worn = Wearing(dress, who.body, pose)
    paint_body(canvas, who, pose)
    before = [side for side in (0, 1) if dress.neckline == "off shoulder" and pose.arms[side].fore > -1]
    for side in before:
        paint_arm(canvas, who, pose, side, None)
    garment.paint(canvas, worn, rng)
    over = garment.yoke(canvas, worn)
    for side in (0, 1):
        if side not in before:
            paint_arm(canvas, who, pose, side, over)
            garment.paint_sleeve(canvas, worn, side, over)
    paint_head(canvas, who, pose)
    return worn


def paint_body(canvas: Canvas, who: Person, pose: Pose) -> None:
    """What lies under clothes, and the hair behind it."""
    if not pose.back:
        hair_behind(canvas, who, pose)
    _legs(canvas, who, pose)
    _torso(canvas, who, pose)


def paint_arm(canvas: Canvas, who: Person, pose: Pose, side: int, behind: Mask | None) -> None:
    """An arm with its hand, under what `behind` covers."""
    joints = pose.joints(who.body, side)
    at = np.linspace(0, 2.04, 22).astype(np.float32)
    widths = np.interp(at, [0, 0.4, 0.95, 1.25, 1.8, 2.04], [0.31, 0.27, 0.21, 0.22, 0.15, 0.13])
    widths = widths * (0.6 + 0.4 * who.body.bust / 0.6)
    along = joints[2] - joints[1]
    along = along / float(np.hypot(*along))
    across = np.array([-along[1], along[0]]) * (1 if side else -1)
    frame = np.stack([along, across])
    palm = smooth(np.array(HAND) @ frame + joints[2], 4, closed=True)
    thumb = ribbon(
        smooth(np.array(THUMB) @ frame + joints[2], 3), np.array([0.08, 0.075, 0.07, 0.065, 0.06, 0.05, 0.03])
    )
    canvas.solid(*limbs(joints, at, widths), palm, thumb, colour=who.skin, depth=0.07, behind=behind)
    for k in (-1, 0, 1):
        line = np.array([[0.36, 0.045 * k], [0.53, 0.04 * k + 0.01]]) @ frame + joints[2]
        canvas.stroke(line, shade(who.skin, 0.72), 0.012, 0.55)


# along the hand from the wrist, and across it towards the thumb
HAND = (
    (-0.06, 0.06),
    (0.12, 0.095),
    (0.30, 0.11),
    (0.46, 0.09),
    (0.56, 0.035),
    (0.54, -0.04),
    (0.40, -0.10),
    (0.18, -0.095),
    (-0.06, -0.06),
)


THUMB = ((0.08, 0.05), (0.22, 0.13), (0.34, 0.15))


def _legs(canvas: Canvas, who: Person, pose: Pose) -> None:
    for sign in (-1, 1):
        hip = np.array([sign * who.body.hip * 0.48, 3.6])
        step = pose.step * sign * 0.12
        knee, ankle = np.array([sign * 0.25 + step * 0.5, 5.3]), np.array([sign * 0.17 + step, 7.0])
        t = np.linspace(0, 2, 18)
        line = np.stack([np.interp(t, [0, 1, 2], [hip[k], knee[k], ankle[k]]) for k in (0, 1)], 1)
        line[:, 0] = line[:, 0] * np.cos(pose.turn) + pose.centre(np.full(18, 3.6, np.float32))
        widths = np.interp(t, [0, 0.5, 0.95, 1.3, 1.75, 2], [who.body.hip * 0.92, 0.5, 0.32, 0.35, 0.2, 0.17])
        canvas.solid(ribbon(line, widths), colour=shade(who.skin, 0.97), depth=0.09, strength=0.5)
        x, y = line[-1]
        foot = np.array(
            [
                [x - 0.09, y - 0.06],
                [x + 0.09, y - 0.06],
                [x + sign * 0.05 + 0.11, y + 0.38],
                [x + sign * 0.06, y + 0.47],
                [x + sign * 0.05 - 0.1, y + 0.38],
            ],
            np.float32,
        )
        canvas.solid(smooth(foot, 4, closed=True), colour=who.shoes, depth=0.05, strength=0.5)
        canvas.fill(ellipse(x, y + 0.03, 0.075, 0.1), who.skin)


def _torso(canvas: Canvas, who: Person, pose: Pose) -> None:
    b = who.body
    y = np.linspace(1.5, 3.6, 22).astype(np.float32)
    half = b.half_width(y)
    neck = [
        (0.19, 0.85),
        (0.185, 1.1),
        (0.22, 1.25),
        (0.42, 1.36),
        (b.shoulder * 0.8, 1.43),
        (b.shoulder * 0.98, 1.56),
        (b.bust * 0.97, 1.9),
    ]
    right = np.concatenate([smooth(np.array(neck, np.float32), 5), np.stack([half[6:], y[6:]], 1)])
    shape = np.concatenate([right, (right * np.array([-1, 1], np.float32))[::-1]])
    shape[:, 0] = shape[:, 0] * np.cos(pose.turn) + pose.centre(shape[:, 1])
    canvas.solid(shape, colour=who.skin, depth=0.12, strength=0.4)
    dark = shade(who.skin, 0.62)
    chin = pose.place(ellipse(0, 1.08, 0.22, 0.13))
    canvas.fill(chin, dark, 0.6, 0.05)
    if not pose.back:
        for sign in (-1, 1):
            bone = smooth(
                np.array([[sign * 0.07, 1.47], [sign * 0.3, 1.43], [sign * 0.58, 1.40]], np.float32), 4
            )
            canvas.stroke(pose.place(bone), dark, 0.03, 0.35)
