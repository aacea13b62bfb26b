"""A dress on a body: the skirt and bodice, then the sleeves."""

from __future__ import annotations

import numpy as np

from ml.synthetic import outline
from ml.synthetic.canvas import F32, Canvas, Mask, ellipse, ribbon, shade, tint
from ml.synthetic.drape import lit_cloth
from ml.synthetic.fabric import cloth
from ml.synthetic.pose import Wearing, along_arm, limbs
from ml.synthetic.trims import straps, trims

Generator = np.random.Generator


def paint(canvas: Canvas, worn: Wearing, rng: Generator) -> None:
    """The dress without its sleeves, over whatever of the body is already there."""
    dress, pose = worn.dress, worn.pose
    if dress.hem == "high-low":
        _underside(canvas, worn)
    shape = pose.place(outline.outline(dress, worn.body, pose.back))
    mask = canvas.mask(shape)
    if mask is None:
        return
    mask = _cut(canvas, worn, mask)
    canvas.blend(mask, lit_cloth(canvas, worn, mask, rng), 0.96 if dress.fabric == "chiffon" else 1.0)
    straps(canvas, worn)
    trims(canvas, worn)


def _underside(canvas: Canvas, worn: Wearing) -> None:
    dress = worn.dress
    rows = outline.profile(dress, worn.body)
    low = outline.hemline(dress, rows, back=True)
    above = np.linspace(dress.hem_at - 0.05, dress.hem_at - 1.0, 6)
    half = np.interp(above, rows[:, 0], rows[:, 1]) * 0.97
    top = np.concatenate([np.stack([-half, above], 1), np.stack([half, above], 1)[::-1]])
    canvas.solid(
        worn.pose.place(np.concatenate([low, top])),
        colour=shade(dress.colours[0], 0.62),
        depth=0.2,
        strength=0.4,
    )


def _cut(canvas: Canvas, worn: Wearing, mask: Mask) -> Mask:
    """The mask without a slit or a keyhole."""
    holes = []
    dress = worn.dress
    half = float(outline.profile(dress, worn.body)[-1, 1])
    if dress.hem == "slit":
        side = 1 if dress.layout % 2 else -1
        x = side * 0.36
        holes.append(
            [
                (x, dress.hem_at - 1.7),
                (x - side * 0.05, dress.hem_at + 0.3),
                (x + side * 0.2 * max(1.0, half), dress.hem_at + 0.3),
            ]
        )
    if dress.neckline == "keyhole" and not worn.pose.back:
        holes.append([tuple(p) for p in ellipse(0, 1.76, 0.1, 0.17).tolist()])
    for hole in holes:
        mask = mask.without(canvas.mask(worn.pose.place(np.array(hole, np.float32))))
    return mask


# how far down the arm (0 shoulder, 1 elbow, 2 wrist) and the widths there
SLEEVE_SHAPES: dict[str, tuple[tuple[float, float], ...]] = {
    "cap": ((0.0, 0.50), (0.28, 0.46)),
    "short": ((0.0, 0.48), (0.3, 0.46), (0.55, 0.46)),
    "flutter": ((0.0, 0.44), (0.25, 0.60), (0.5, 0.86)),
    "puff": ((0.0, 0.50), (0.15, 0.74), (0.35, 0.76), (0.5, 0.62), (0.56, 0.38)),
    "elbow": ((0.0, 0.48), (0.5, 0.42), (1.05, 0.38)),
    "long": ((0.0, 0.47), (0.5, 0.40), (1.0, 0.35), (1.95, 0.25)),
    "bishop": ((0.0, 0.48), (0.5, 0.44), (1.0, 0.50), (1.6, 0.64), (1.82, 0.52), (1.95, 0.24)),
    "bell": ((0.0, 0.47), (0.6, 0.40), (1.1, 0.46), (1.7, 0.84)),
}


def yoke(canvas: Canvas, worn: Wearing) -> Mask | None:
    """What of the dress lies over the tops of arms and sleeves."""
    return canvas.mask(worn.pose.place(outline.yoke(worn.dress, worn.body, worn.pose.back)))


def paint_sleeve(canvas: Canvas, worn: Wearing, side: int, behind: Mask | None) -> None:
    """The sleeve over an arm that is already there, under the shoulder of the dress (`behind`)."""
    dress = worn.dress
    if dress.sleeve == "none":
        return
    shape = np.array(SLEEVE_SHAPES[dress.sleeve])
    at = np.linspace(0, shape[-1, 0], 18).astype(np.float32)
    widths = np.interp(at, shape[:, 0], shape[:, 1])
    joints = worn.pose.joints(worn.body, side)
    line = along_arm(joints, at)
    mask = canvas.mask(*limbs(joints, at, widths))
    if mask is None:
        return
    canvas.blend(
        mask.without(behind),
        _sleeve_cloth(canvas, worn, side, mask, line),
        0.92 if dress.fabric == "chiffon" else 1.0,
    )
    if dress.trim in ("piping", "neck band") or dress.sleeve in ("puff", "bishop"):
        cuff = along_arm(joints, at[-1] + np.array([-0.07, 0.02], np.float32))
        canvas.solid(
            ribbon(cuff, np.full(2, widths[-1] * 1.04)),
            colour=dress.colours[3] if dress.trim != "none" else shade(dress.colours[0], 0.85),
            depth=0.05,
        )


def _sleeve_cloth(canvas: Canvas, worn: Wearing, side: int, mask: Mask, line: F32) -> F32:
    dress = worn.dress
    x, y = canvas.view.grid(mask.where)
    down = line[-1] - line[0]
    down = down / max(1e-3, float(np.hypot(*down)))
    u = ((x - line[0, 0]) * down[1] - (y - line[0, 1]) * down[0]).astype(np.float32) + np.float32(0.31 * side)
    v = ((x - line[0, 0]) * down[0] + (y - line[0, 1]) * down[1]).astype(np.float32) + np.float32(1.5)
    loose = dress.sleeve in ("puff", "bishop", "bell", "flutter")
    folds = np.sin(u * np.float32(17) + np.sin(v * np.float32(5))) * np.float32(0.15 if loose else 0.05)
    light = canvas.relief(mask.cover, 0.10) * np.float32(0.55) + folds
    return tint(cloth(dress, u, v, canvas.view.scale), light)
