"""A dress on a body: draped, folded, lit and trimmed."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np

from ml.synthetic import outline
from ml.synthetic.canvas import (
    F32,
    Canvas,
    Colour,
    Mask,
    box,
    ellipse,
    mix,
    noise,
    ribbon,
    shade,
    smooth,
    tint,
)
from ml.synthetic.dress import Dress
from ml.synthetic.fabric import cloth
from ml.synthetic.outline import Figure

Generator = np.random.Generator


@dataclass(frozen=True)
class Arm:
    """Directions of the upper arm and the forearm, radians from hanging down, outwards positive."""

    upper: float
    fore: float
    length: float = 1.0


@dataclass(frozen=True)
class Pose:
    """How a body stands: `lean` sideways above the hips, `sway` of the hips, `turn` about the upright axis."""

    lean: float = 0.0
    sway: float = 0.0
    turn: float = 0.0
    swing: float = 0.0
    arms: tuple[Arm, Arm] = (Arm(0.14, 0.06), Arm(0.14, 0.06))
    back: bool = False
    step: float = 0.0

    def centre(self, y: F32) -> F32:
        """Where the body's middle is at heights `y`."""
        below = np.maximum(y - 3.4, 0)
        return np.asarray(
            self.lean * (3.4 - np.minimum(y, 3.6))
            + self.sway * np.exp(-(((y - 3.3) / 0.9) ** 2))
            + self.swing * below**2,
            np.float32,
        )

    def place(self, points: F32) -> F32:
        """Points of the front of a straight body, moved to where they are in this pose."""
        x, y = points[:, 0], points[:, 1]
        reach = np.sqrt(np.maximum(0.0, 1 - (x / 0.75) ** 2))
        moved = x * np.cos(self.turn) + 0.4 * np.sin(self.turn) * reach
        return np.stack([moved + self.centre(y), y], 1).astype(np.float32)

    def joints(self, body: Figure, side: int) -> F32:
        """Shoulder, elbow and wrist of the arm on the picture's left (0) or right (1): (3, 2)."""
        arm, sign = self.arms[side], -1 if side == 0 else 1
        shoulder = self.place(np.array([[sign * (body.shoulder - 0.09), 1.62]], np.float32))[0]
        shoulder[0] -= 0.4 * np.sin(self.turn) * 0.5
        upper = np.array([sign * np.sin(arm.upper), np.cos(arm.upper)]) * 1.22 * arm.length
        fore = np.array([sign * np.sin(arm.fore), np.cos(arm.fore)]) * 1.08 * arm.length
        return np.array([shoulder, shoulder + upper, shoulder + upper + fore], np.float32)


STIFFNESS = {
    "crepe": 0.8,
    "satin": 1.1,
    "chiffon": 0.9,
    "velvet": 0.8,
    "jersey": 0.9,
    "linen": 0.75,
    "tweed": 0.35,
}
GLOSS = {
    "satin": 0.75,
    "velvet": 0.12,
    "jersey": 0.08,
    "crepe": 0.05,
    "chiffon": 0.08,
    "linen": 0.0,
    "tweed": 0.0,
}


@dataclass(frozen=True)
class Drape:
    """Folds of one photo: height and slope over (height, angle about the body)."""

    slope: F32
    shift: F32

    ROWS = 40
    COLUMNS = 160

    @staticmethod
    def hung(dress: Dress, rng: Generator, flare: float) -> Drape:
        """Folds that fall from the waist, deeper where the skirt is wide, and wrinkles at the waist."""
        n = np.linspace(-1, 1, Drape.COLUMNS, dtype=np.float32)[None]
        v = np.linspace(0, 1, Drape.ROWS, dtype=np.float32)[:, None]
        soft = STIFFNESS[dress.fabric]
        height = np.zeros((Drape.ROWS, Drape.COLUMNS), np.float32)
        for _ in range(int(5 + 7 * min(1.5, flare))):
            at, width, start = rng.uniform(-1, 1), rng.uniform(0.05, 0.16), rng.uniform(0.2, 0.55)
            ramp = np.clip((v - start) / 0.45, 0, 1)
            bend = at + 0.05 * np.sin(4 * v + rng.uniform(0, 6)) * ramp
            height += (
                rng.uniform(0.5, 1.0)
                * ramp
                * (0.25 + 0.9 * flare)
                * np.exp(-(((n - bend) / width) ** 2))
                * np.float32(width * 5)
            )
        height += 0.05 * noise(rng, Drape.ROWS, Drape.COLUMNS, 10) * soft
        if dress.pleats != "none":
            count = 13 if dress.pleats == "soft" else 24
            teeth = (n * count / 2) % 1
            wave = 0.5 - 0.5 * np.cos(2 * np.pi * teeth) if dress.pleats == "soft" else teeth
            height += 0.55 * (13 / count) * wave.astype(np.float32) * np.clip((v - 0.27) / 0.1, 0, 1)
        if dress.silhouette in ("tiered", "fit and flare", "ballgown") or dress.waist in ("belt", "sash"):
            gathers = np.sin(n * 46 + rng.uniform(0, 6)) * np.exp(-(((v - 0.33) / 0.06) ** 2))
            height += 0.03 * gathers.astype(np.float32)
        slope = np.gradient(height, axis=1) * np.float32(Drape.COLUMNS / 16 * soft)
        slope -= np.gradient(height, axis=0) * np.float32(Drape.ROWS / 28 * soft)
        return Drape(slope.astype(np.float32), (height * 0.07).astype(np.float32))


@dataclass(frozen=True)
class Wearing:
    """A dress, who wears it and how; everything needed to paint it anywhere."""

    dress: Dress
    body: Figure = field(default_factory=Figure)
    pose: Pose = field(default_factory=Pose)

    def half_widths(self, y: F32) -> F32:
        rows = outline.profile(self.dress, self.body)
        table = np.interp(np.linspace(0, 9, 512), rows[:, 0], rows[:, 1]).astype(np.float32)
        return table[np.clip(y * np.float32(511 / 9), 0, 511).astype(np.int32)]

    @property
    def flare(self) -> float:
        rows = outline.profile(self.dress, self.body)
        return float(max(0.0, rows[-1, 1] - self.body.hip) / 0.8)


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
    canvas.blend(mask, _lit_cloth(canvas, worn, mask, rng), 0.96 if dress.fabric == "chiffon" else 1.0)
    _straps(canvas, worn)
    _trims(canvas, worn, rng)


def _underside(canvas: Canvas, worn: Wearing) -> None:
    dress = worn.dress
    half = float(outline.profile(dress, worn.body)[-1, 1])
    low = outline.hemline(dress, half, back=True)
    top = np.array([[-half * 0.9, dress.hem_at - 1.0], [half * 0.9, dress.hem_at - 1.0]], np.float32)
    canvas.solid(worn.pose.place(np.concatenate([low, top])), shade(dress.colours[0], 0.62), 0.2, 0.4)


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
    cover = mask.cover
    for hole in holes:
        cut = canvas.mask(worn.pose.place(np.array(hole, np.float32)))
        if cut is not None:
            full = np.zeros((canvas.height, canvas.width), np.float32)
            full[cut.where] = cut.cover
            cover = cover * (1 - full[mask.where])
    return Mask(mask.where, cover)


def _lit_cloth(canvas: Canvas, worn: Wearing, mask: Mask, rng: Generator) -> F32:
    dress, pose = worn.dress, worn.pose
    x, y = canvas.view.grid(mask.where)
    x = x - pose.centre(y)
    width = worn.half_widths(y)
    n = np.clip(x / (width * np.float32(np.cos(pose.turn))), -1, 1)
    drape = Drape.hung(dress, rng, worn.flare)
    at_x = (n + 1) * np.float32(Drape.COLUMNS / 2 - 0.5)
    at_y = (y - np.float32(1.4)) * np.float32(Drape.ROWS / (dress.hem_at - 1.3))
    slope = cv2.remap(drape.slope, at_x, at_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    shift = cv2.remap(drape.shift, at_x, at_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    around = n * (1 + np.float32(0.22) * n * n) - np.float32(pose.turn)
    sign = np.float32(-1 if pose.back else 1)
    u = sign * around * (np.float32(0.7) * width + np.float32(0.2)) + shift
    colour = cloth(dress, u, y + shift * np.float32(0.6), canvas.view.scale)
    return _light(canvas, worn, mask, colour, n, y, slope, rng)


def _light(
    canvas: Canvas, worn: Wearing, mask: Mask, colour: F32, n: F32, y: F32, slope: F32, rng: Generator
) -> F32:
    dress = worn.dress
    facing = np.float32(-canvas.light[0])
    light = np.float32(0.06) - np.float32(0.26) * n * n - np.float32(0.2) * facing * n
    light -= np.clip(slope * facing * np.float32(0.55), -0.5, 0.4)
    light += canvas.relief(mask.cover, 0.10) * np.float32(0.3)
    if not worn.pose.back:
        light += _bust(n, y)
    gloss = GLOSS[dress.fabric] + (0.3 if dress.pattern == "sequin" else 0)
    if gloss:
        shine = np.exp(-(((slope * facing + n * np.float32(0.5) + np.float32(0.42)) / np.float32(0.24)) ** 2))
        light += np.float32(gloss * 0.5) * shine
    if dress.fabric == "velvet":
        light += np.float32(0.25) * np.abs(n) ** 3 - np.float32(0.08)
    texture = {"tweed": 0.12, "linen": 0.035}.get(dress.fabric, 0.012)
    if dress.pattern == "sequin":
        texture = 0.16
    light += rng.standard_normal(light.shape, np.float32) * np.float32(texture)
    if dress.silhouette == "tiered":
        light += _tiers(dress, y)
    return tint(colour, light)


def _bust(n: F32, y: F32) -> F32:
    fall = np.exp(-(((y - np.float32(2.3)) / np.float32(0.13)) ** 2)) * np.float32(-0.16)
    rise = np.exp(-(((y - np.float32(2.04)) / np.float32(0.17)) ** 2)) * np.float32(0.10)
    return np.asarray(
        (fall + rise) * np.exp(-(((np.abs(n) - np.float32(0.48)) / np.float32(0.3)) ** 2)), np.float32
    )


def _tiers(dress: Dress, y: F32) -> F32:
    count = 3 if dress.hem_at > 5.6 else 2
    pitch = np.float32((dress.hem_at - outline.WAIST) / count)
    within = ((y - np.float32(outline.WAIST)) / pitch) % 1
    below = (y > outline.WAIST).astype(np.float32)
    return np.asarray(
        below * (np.float32(-0.4) * np.exp(-within * 14) + np.float32(0.10) * np.exp(-(1 - within) * 10)),
        np.float32,
    )


def _straps(canvas: Canvas, worn: Wearing) -> None:
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


def _trims(canvas: Canvas, worn: Wearing, rng: Generator) -> None:
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
        canvas.solid(_band(worn, y, 0.11), trim, 0.04, 0.4)
    elif dress.waist == "buckle":
        canvas.solid(_band(worn, y, 0.17), trim, 0.05, 0.4)
        centre = float(worn.pose.centre(np.array([y], np.float32))[0])
        if not worn.pose.back:
            canvas.fill(box(centre - 0.11, y - 0.07, centre + 0.11, y + 0.16), (0.85, 0.72, 0.42))
            canvas.fill(box(centre - 0.065, y - 0.025, centre + 0.065, y + 0.115), trim)
    elif dress.waist == "sash":
        canvas.solid(_band(worn, y, 0.26), mix(dress.colours[0], trim, 0.85), 0.06, 0.45)
        _tails(canvas, worn, 0.2, y + 0.1, 1.5, 0.12, mix(dress.colours[0], trim, 0.85))
    elif dress.waist == "ties":
        colour = shade(dress.colours[0], 0.8)
        canvas.solid(_band(worn, y, 0.09), colour, 0.04, 0.4)
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
            ribbon(worn.pose.place(line), np.linspace(width * 0.5, width * 1.2, len(line))), colour, 0.04, 0.5
        )


def _bow(canvas: Canvas, worn: Wearing, x: float, y: float, size: float, colour: Colour) -> None:
    for sign in (-1, 1):
        loop = np.array([[0, 0], [0.55, -0.5], [1.1, -0.35], [1.1, 0.35], [0.55, 0.42]], np.float32) * [
            sign * size,
            size,
        ]
        canvas.solid(worn.pose.place(smooth(loop + [x, y], 5, closed=True)), colour, 0.06, 0.6)
    canvas.solid(worn.pose.place(ellipse(x, y, size * 0.22, size * 0.27)), shade(colour, 0.85), 0.04, 0.5)


def _peplum(canvas: Canvas, worn: Wearing) -> None:
    y0, y1, half = outline.WAIST + 0.04, 3.32, worn.body.hip + 0.3
    x = np.linspace(1, -1, 25)
    low = np.stack([x * half, y1 + 0.06 * np.sin(x * 14)], 1)
    top = np.array([[-worn.body.waist - 0.03, y0], [worn.body.waist + 0.03, y0]])
    colour = (
        worn.dress.colours[0] if worn.dress.pattern in ("solid", "lace", "sequin") else worn.dress.colours[3]
    )
    canvas.fill(
        worn.pose.place((np.concatenate([low, top]) + [0, 0.05]).astype(np.float32)),
        shade(colour, 0.3),
        0.4,
        0.04,
    )
    canvas.solid(worn.pose.place(np.concatenate([low, top]).astype(np.float32)), colour, 0.09, 0.5)


def _hem_band(canvas: Canvas, worn: Wearing) -> None:
    dress = worn.dress
    rows = outline.profile(dress, worn.body)
    half = float(rows[-1, 1])
    edge = outline.hemline(dress, half, worn.pose.back)
    tall = 0.2 if dress.hem == "band" else 0.42
    upper = (edge - [0, tall])[::-1] * np.array([0.985, 1])
    shape = worn.pose.place(np.concatenate([edge, upper]).astype(np.float32))
    if dress.hem == "band":
        canvas.solid(shape, dress.colours[3], 0.06, 0.35)
        return
    x = np.linspace(-1, 1, 27)
    lower = np.stack([x * (half + 0.1), dress.hem_at + 0.05 + 0.045 * np.cos(np.arange(27) * np.pi)], 1)
    flounce = np.concatenate(
        [lower, (np.stack([x * half * 0.985, np.full(27, dress.hem_at - tall)], 1))[::-1]]
    )
    canvas.solid(
        worn.pose.place(flounce.astype(np.float32)), mix(dress.colours[0], dress.colours[3], 0.15), 0.05, 0.7
    )
    canvas.stroke(
        worn.pose.place(np.stack([x * half, np.full(27, dress.hem_at - tall)], 1).astype(np.float32)),
        shade(dress.colours[0], 0.4),
        0.035,
        0.6,
    )


def _front(canvas: Canvas, worn: Wearing) -> None:
    dress, pose, trim = worn.dress, worn.pose, worn.dress.colours[3]
    left, right = outline.neck(dress, worn.body, False)
    edge = np.concatenate([(left.edge * np.array([-1, 1], np.float32))[::-1], right.edge[1:]])
    if dress.trim in ("piping", "neck band"):
        canvas.fill(
            ribbon(pose.place(edge), np.full(len(edge), 0.05 if dress.trim == "piping" else 0.12)), trim
        )
    else:
        canvas.stroke(pose.place(edge), shade(dress.colours[0], 0.55), 0.022, 0.6)
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
            canvas.solid(pose.place(pocket), shade(mix(dress.colours[0], trim, 0.25), 0.9), 0.05, 0.5)


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
        canvas.solid(worn.pose.place(leaf), white, 0.05, 0.35)


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
    t = np.linspace(0, 1, 15)
    line = np.stack([0.03 * np.sin(14 * t), top + 0.9 * t], 1)
    width = 0.16 + 0.09 * np.abs(np.sin(9 * t))
    shape = worn.pose.place(ribbon(line, width))
    canvas.solid(shape, mix(worn.dress.colours[0], worn.dress.colours[3], 0.3), 0.05, 0.8)


def _zip(canvas: Canvas, worn: Wearing) -> None:
    line = np.array([[0, 1.6 if worn.dress.neckline not in outline.STRAPS else 2.2], [0, 3.4]], np.float32)
    canvas.stroke(worn.pose.place(line), shade(worn.dress.colours[0], 0.45), 0.022, 0.7)


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


def along_arm(joints: F32, at: F32) -> F32:
    """Points of a rounded arm, `at` 0 at the shoulder, 1 at the elbow, 2 at the wrist."""
    curve = smooth(joints, 12)
    curve = (1 - 0.35) * curve + 0.35 * np.stack(
        [np.interp(np.linspace(0, 2, len(curve)), [0, 1, 2], joints[:, k]) for k in (0, 1)], 1
    )
    t = np.linspace(0, 2, len(curve))
    return np.stack([np.interp(at, t, curve[:, 0]), np.interp(at, t, curve[:, 1])], 1).astype(np.float32)


def paint_sleeve(canvas: Canvas, worn: Wearing, side: int) -> None:
    """The sleeve over an arm that is already there."""
    dress = worn.dress
    if dress.sleeve == "none":
        return
    shape = np.array(SLEEVE_SHAPES[dress.sleeve])
    at = np.linspace(0, shape[-1, 0], 18).astype(np.float32)
    widths = np.interp(at, shape[:, 0], shape[:, 1])
    joints = worn.pose.joints(worn.body, side)
    line = along_arm(joints, at)
    start = line[0] - 0.10 * (line[2] - line[0]) / max(1e-3, float(np.hypot(*(line[2] - line[0]))))
    polygon = ribbon(np.concatenate([start[None], line]), np.concatenate([[widths[0] * 0.7], widths]))
    mask = canvas.mask(polygon)
    if mask is None:
        return
    x, y = canvas.view.grid(mask.where)
    direction = line[-1] - line[0]
    direction /= max(1e-3, float(np.hypot(*direction)))
    u = (x - line[0, 0]) * direction[1] - (y - line[0, 1]) * direction[0]
    v = (x - line[0, 0]) * direction[0] + (y - line[0, 1]) * direction[1] + np.float32(1.5)
    u, v = u.astype(np.float32) + np.float32(0.31 * side), v.astype(np.float32)
    light = canvas.relief(mask.cover, 0.10) * np.float32(0.55)
    folds = np.sin(u * 16 + np.sin(v * 5)) * (
        0.16 if dress.sleeve in ("puff", "bishop", "bell", "flutter") else 0.05
    )
    colour = cloth(dress, u, v, canvas.view.scale)
    canvas.blend(
        mask, tint(colour, light + folds.astype(np.float32)), 0.9 if dress.fabric == "chiffon" else 1.0
    )
    if dress.trim in ("piping", "neck band") or dress.sleeve in ("puff", "bishop"):
        cuff = along_arm(joints, at[-1] + np.array([-0.06, 0.02], np.float32))
        canvas.fill(
            ribbon(cuff, np.full(2, widths[-1] * 1.04)),
            dress.colours[3] if dress.trim != "none" else shade(dress.colours[0], 0.8),
        )
