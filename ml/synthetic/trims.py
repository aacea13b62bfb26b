"""What is sewn onto a dress: straps, seams, belts, bows, collars, buttons."""

from __future__ import annotations

import numpy as np

from ml.synthetic import outline
from ml.synthetic.canvas import F32, Canvas, Colour, box, ellipse, mix, ribbon, shade, smooth, tint
from ml.synthetic.fabric import cloth
from ml.synthetic.pose import Wearing


def straps(canvas: Canvas, worn: Wearing) -> None:
    dress, pose = worn.dress, worn.pose
    if dress.neckline in outline.STRAPS:
        for sign in (-1, 1):
            low = 1.98 if pose.back else 1.76
            line = np.array([[sign * 0.36, low], [sign * 0.40, 1.6], [sign * 0.46, 1.40]], np.float32)
            canvas.fill(ribbon(pose.place(smooth(line, 4)), np.full(9, 0.055)), shade(dress.colours[0], 0.85))
    if dress.neckline == "cowl" and not pose.back:
        for k, depth in enumerate((2.02, 2.12, 2.24)):
            curve = np.array([[-0.42, 1.76 + 0.05 * k], [0, depth], [0.42, 1.76 + 0.05 * k]], np.float32)
            canvas.fill(
                ribbon(pose.place(smooth(curve, 8)), np.full(17, 0.05)),
                shade(dress.colours[0], 0.55),
                0.5,
                0.02,
            )


def _band(worn: Wearing, y: float, height: float, ease: float = 0.02) -> F32:
    half = float(worn.half_widths(np.array([y], np.float32))[0]) * np.cos(worn.pose.turn) + ease
    x = np.linspace(-1, 1, 15)
    upper = np.stack([x * half, y - height / 2 + 0.045 * (1 - x**2)], 1)
    lower = np.stack([x * half, y + height / 2 + 0.045 * (1 - x**2)], 1)
    shape = np.concatenate([upper, lower[::-1]]).astype(np.float32)
    shape[:, 0] += worn.pose.centre(shape[:, 1])
    return shape


def trims(canvas: Canvas, worn: Wearing) -> None:
    dress = worn.dress
    _seams(canvas, worn)
    _waist(canvas, worn)
    if dress.silhouette == "peplum":
        _peplum(canvas, worn)
    if dress.hem in ("band", "ruffle"):
        _hem_band(canvas, worn)
    if not worn.pose.back:
        _front(canvas, worn)
    else:
        _zip(canvas, worn)


def _seams(canvas: Canvas, worn: Wearing) -> None:
    dress, pose = worn.dress, worn.pose
    dark = shade(dress.colours[0], 0.5)
    if dress.silhouette == "wrap" and not pose.back:
        line = smooth(np.array([[0.34, 1.5], [0.0, 2.05], [-0.42, 2.7]], np.float32), 8)
        canvas.fill(ribbon(pose.place(line), np.full(len(line), 0.045)), dark, 0.6, 0.012)
        fall = smooth(np.array([[-0.36, 2.75], [-0.1, 4.0], [0.3, dress.hem_at]], np.float32), 8)
        canvas.fill(ribbon(pose.place(fall), np.linspace(0.03, 0.07, len(fall))), dark, 0.55, 0.015)
    if dress.waist != "plain" or dress.silhouette in ("empire", "fit and flare", "ballgown", "tiered"):
        y = outline.waistline(dress)
        canvas.fill(_band(worn, y, 0.03, 0), dark, 0.55)
    if dress.hem == "slit":
        side = 1 if dress.layout % 2 else -1
        edge = np.array([[side * 0.36, dress.hem_at - 1.75], [side * 0.31, dress.hem_at + 0.02]], np.float32)
        canvas.fill(ribbon(pose.place(edge), np.array([0.02, 0.06])), dark, 0.5, 0.01)


def _waist(canvas: Canvas, worn: Wearing) -> None:
    dress = worn.dress
    y, trim = outline.waistline(dress), dress.colours[3]
    if dress.waist == "belt":
        canvas.solid(_band(worn, y, 0.11), colour=trim, depth=0.04, strength=0.4)
    elif dress.waist == "buckle":
        canvas.solid(_band(worn, y, 0.17), colour=trim, depth=0.05, strength=0.4)
        centre = float(worn.pose.centre(np.array([y], np.float32))[0])
        if not worn.pose.back:
            canvas.fill(box(centre - 0.11, y - 0.07, centre + 0.11, y + 0.16), (0.85, 0.72, 0.42))
            canvas.fill(box(centre - 0.065, y - 0.025, centre + 0.065, y + 0.115), trim)
    elif dress.waist == "sash":
        canvas.solid(
            _band(worn, y, 0.26), colour=mix(dress.colours[0], trim, 0.85), depth=0.06, strength=0.45
        )
        _tails(canvas, worn, 0.2, y + 0.1, 1.5, 0.12, mix(dress.colours[0], trim, 0.85))
    elif dress.waist == "ties":
        colour = shade(dress.colours[0], 0.8)
        canvas.solid(_band(worn, y, 0.09), colour=colour, depth=0.04, strength=0.4)
        _bow(canvas, worn, -0.3, y + 0.05, 0.2, colour)
        _tails(canvas, worn, -0.3, y + 0.05, 0.9, 0.07, colour)


def _tails(
    canvas: Canvas, worn: Wearing, x: float, y: float, length: float, width: float, colour: Colour
) -> None:
    for spread in (-0.1, 0.12):
        line = smooth(
            np.array(
                [[x, y], [x + spread * 0.6, y + length * 0.5], [x + spread * 1.7, y + length]], np.float32
            ),
            6,
        )
        canvas.solid(
            ribbon(worn.pose.place(line), np.linspace(width * 0.5, width * 1.2, len(line))),
            colour=colour,
            depth=0.04,
            strength=0.5,
        )


def _bow(canvas: Canvas, worn: Wearing, x: float, y: float, size: float, colour: Colour) -> None:
    for sign in (-1, 1):
        loop = np.array([[0, 0], [0.55, -0.5], [1.1, -0.35], [1.1, 0.35], [0.55, 0.42]], np.float32) * [
            sign * size,
            size,
        ]
        canvas.solid(
            worn.pose.place(smooth(loop + np.array([x, y], np.float32), 5, closed=True)),
            colour=colour,
            depth=0.06,
            strength=0.6,
        )
    canvas.solid(
        worn.pose.place(ellipse(x, y, size * 0.22, size * 0.27)),
        colour=shade(colour, 0.85),
        depth=0.04,
        strength=0.5,
    )


def _peplum(canvas: Canvas, worn: Wearing) -> None:
    y0, y1, half = outline.WAIST + 0.04, 3.32, worn.body.hip + 0.3
    x = np.linspace(1, -1, 25)
    low = np.stack([x * half, y1 + 0.06 * np.sin(x * 14)], 1)
    top = np.array([[-worn.body.waist - 0.03, y0], [worn.body.waist + 0.03, y0]])
    colour = (
        worn.dress.colours[0] if worn.dress.pattern in ("solid", "lace", "sequin") else worn.dress.colours[3]
    )
    canvas.fill(
        worn.pose.place(np.concatenate([low, top]).astype(np.float32) + np.array([0, 0.05], np.float32)),
        shade(colour, 0.3),
        0.4,
        0.04,
    )
    canvas.solid(
        worn.pose.place(np.concatenate([low, top]).astype(np.float32)),
        colour=colour,
        depth=0.09,
        strength=0.5,
    )


def _hem_band(canvas: Canvas, worn: Wearing) -> None:
    dress, rows = worn.dress, outline.profile(worn.dress, worn.body)
    edge = outline.hemline(dress, rows, worn.pose.back)
    tall = 0.2 if dress.hem == "band" else 0.4
    half = float(np.interp(dress.hem_at - tall, rows[:, 0], rows[:, 1]))
    x = np.linspace(-1, 1, len(edge))
    upper = np.stack([x * half, edge[::-1, 1] - tall], 1)
    if dress.hem == "band":
        band = np.concatenate([edge, upper]).astype(np.float32)
        canvas.solid(worn.pose.place(band), colour=dress.colours[3], depth=0.06, strength=0.35)
    else:
        _flounce(canvas, worn, upper, half)


def _flounce(canvas: Canvas, worn: Wearing, upper: F32, half: float) -> None:
    """A gathered strip below the line `upper`, `half` its half-width."""
    dress = worn.dress
    waves = 7 + 5 * half
    x = np.linspace(-1, 1, 61)
    y = np.interp(x, upper[:, 0] / half, upper[:, 1]) + 0.42 + 0.03 * np.cos(x * waves * 3.1)
    lower = np.stack([x * (half + 0.13), y], 1)
    mask = canvas.mask(worn.pose.place(np.concatenate([lower, upper[::-1]]).astype(np.float32)))
    if mask is None:
        return
    px, py = canvas.view.grid(mask.where)
    px = px - worn.pose.centre(py)
    folds = np.cos(px * np.float32(waves * 3.1 / (half + 0.1))) * np.float32(0.2)
    gathered = np.exp((np.float32(dress.hem_at - 0.36) - py) * np.float32(9)) * np.float32(-0.3)
    light = canvas.relief(mask.cover, 0.06) * np.float32(0.4) + folds + np.maximum(gathered, np.float32(-0.4))
    canvas.blend(mask, tint(cloth(dress, px, py, canvas.view.scale), light))


def _front(canvas: Canvas, worn: Wearing) -> None:
    dress, pose, trim = worn.dress, worn.pose, worn.dress.colours[3]
    left, right = outline.neck(dress, worn.body, False)
    edge = np.concatenate([(left.edge * np.array([-1, 1], np.float32))[::-1], right.edge[1:]])
    if dress.trim in ("piping", "neck band"):
        canvas.fill(
            ribbon(pose.place(edge), np.full(len(edge), 0.05 if dress.trim == "piping" else 0.12)), trim
        )
    else:
        canvas.stroke(pose.place(edge), shade(dress.colours[0], 0.6), 0.02, 0.5)
    if dress.neckline == "collar":
        _collar(canvas, worn)
    if dress.neckline == "off shoulder":
        _bardot(canvas, worn)
    if dress.trim == "buttons":
        _buttons(canvas, worn)
    elif dress.trim == "bow":
        _bow(canvas, worn, 0.0, float(edge[:, 1].max()) + 0.1, 0.24, trim)
        _tails(canvas, worn, 0.0, float(edge[:, 1].max()) + 0.12, 0.6, 0.08, trim)
    elif dress.trim == "ruffle front":
        _jabot(canvas, worn, float(edge[:, 1].max()))
    elif dress.trim == "brooch":
        for radius, colour in ((0.11, (0.8, 0.68, 0.4)), (0.06, trim)):
            canvas.fill(pose.place(ellipse(0.36, 2.0, radius, radius)), colour)
    elif dress.trim == "pockets":
        for sign in (-1, 1):
            pocket = np.array(
                [[0.24, 3.2], [0.56, 3.2], [0.56, 3.55], [0.4, 3.65], [0.24, 3.55]], np.float32
            ) * [sign, 1]
            canvas.solid(
                pose.place(pocket),
                colour=shade(mix(dress.colours[0], trim, 0.25), 0.9),
                depth=0.05,
                strength=0.5,
            )


def _collar(canvas: Canvas, worn: Wearing) -> None:
    white = (
        worn.dress.colours[3]
        if worn.dress.trim in ("piping", "neck band")
        else shade(worn.dress.colours[0], 1.12)
    )
    for sign in (-1, 1):
        leaf = np.array([[0.0, 1.86], [0.27, 1.24], [0.40, 1.36], [0.34, 1.86]], np.float32) * [sign, 1]
        canvas.fill(
            worn.pose.place(leaf + np.array([0, 0.03], np.float32)),
            shade(worn.dress.colours[0], 0.35),
            0.4,
            0.02,
        )
        canvas.solid(worn.pose.place(leaf), colour=white, depth=0.05, strength=0.35)


def _bardot(canvas: Canvas, worn: Wearing) -> None:
    x = np.linspace(-1, 1, 25)
    wide = worn.body.shoulder + 0.08
    upper = np.stack([x * wide, 1.64 + 0.12 * (1 - x**2)], 1)
    lower = np.stack(
        [x * (wide + 0.05), 2.06 + 0.10 * (1 - x**2) + 0.025 * np.cos(np.arange(25) * np.pi / 1.5)], 1
    )
    shape = worn.pose.place(np.concatenate([upper, lower[::-1]]).astype(np.float32))
    colour = worn.dress.colours[0]
    canvas.fill(shape + np.array([0, 0.04], np.float32), shade(colour, 0.3), 0.35, 0.03)
    mask = canvas.mask(shape)
    if mask is not None:
        x_, y_ = canvas.view.grid(mask.where)
        print_ = cloth(worn.dress, x_ - worn.pose.centre(y_), y_, canvas.view.scale)
        canvas.blend(mask, tint(print_, canvas.relief(mask.cover, 0.1) * np.float32(0.5)))


def _buttons(canvas: Canvas, worn: Wearing) -> None:
    dress = worn.dress
    left, _ = outline.neck(dress, worn.body, False)
    start, end = float(left.edge[0, 1]) + 0.12, dress.hem_at - 0.15 if dress.layout % 3 else 3.3
    line = np.array([[0.09, start - 0.1], [0.09, end]], np.float32)
    canvas.stroke(worn.pose.place(line), shade(dress.colours[0], 0.5), 0.018, 0.5)
    for y in np.arange(start, end, 0.27):
        spot = worn.pose.place(ellipse(0, float(y), 0.05, 0.05, n=10))
        canvas.fill(spot, dress.colours[3])


def _jabot(canvas: Canvas, worn: Wearing, top: float) -> None:
    """Small frills, one below the other, down the front."""
    colour = mix(worn.dress.colours[0], worn.dress.colours[3], 0.3)
    for k in range(5, -1, -1):
        y, wide = top + 0.06 + 0.13 * k, 0.24 - 0.018 * k
        x = np.linspace(-1, 1, 13)
        low = np.stack([x * wide, y + 0.17 - 0.05 * x**2 + 0.022 * np.cos(x * 13)], 1)
        frill = np.concatenate([low, [[wide * 0.4, y], [-wide * 0.4, y]]]).astype(np.float32)
        canvas.solid(
            worn.pose.place(frill), colour=shade(colour, 1.04 - 0.03 * (k % 2)), depth=0.035, strength=0.6
        )


def _zip(canvas: Canvas, worn: Wearing) -> None:
    line = np.array([[0, 1.6 if worn.dress.neckline not in outline.STRAPS else 2.2], [0, 3.4]], np.float32)
    canvas.stroke(worn.pose.place(line), shade(worn.dress.colours[0], 0.45), 0.022, 0.7)
