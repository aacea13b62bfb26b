"""A picture in RGB bytes, and the few ways in which everything here is painted on it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]
Colour = tuple[float, float, float]
Box = tuple[slice, slice]

SUBPIXEL_BITS = 4


def mix(a: Sequence[float], b: Sequence[float], share: float) -> Colour:
    """`a` with `share` of `b` in it."""
    red, green, blue = (x + (y - x) * share for x, y in zip(a, b, strict=True))
    return red, green, blue


def shade(colour: Sequence[float], factor: float) -> Colour:
    """`colour` made darker (factor < 1, shadows keep their hue) or lighter (> 1, towards white)."""
    if factor <= 1:
        red, green, blue = (c ** (1 + 0.25 * (1 - factor)) * factor for c in colour)
        return red, green, blue
    return mix(colour, (1, 1, 1), min(1.0, factor - 1))


@lru_cache(maxsize=32)
def _spline(steps: int) -> F32:
    """Weights (steps, 4) of four neighbouring knots along a Catmull-Rom span."""
    t = np.linspace(0, 1, steps, endpoint=False)
    powers = np.stack([np.ones(steps), t, t**2, t**3], 1)
    basis = np.array([[0, 2, 0, 0], [-1, 0, 1, 0], [2, -5, 4, -1], [-1, 3, -3, 1]]) / 2
    return (powers @ basis).astype(np.float32)


def smooth(points: ArrayLike, steps: int = 8, closed: bool = False) -> F32:
    """A Catmull-Rom curve through `points` (n, 2), `steps` samples a span."""
    knots = np.asarray(points, np.float32)
    ends = (knots[-1:], knots[:2]) if closed else (2 * knots[:1] - knots[1:2], 2 * knots[-1:] - knots[-2:-1])
    p = np.concatenate([ends[0], knots, ends[1]])
    count = len(p) - 3
    spans = np.concatenate([p[:count], p[1 : count + 1], p[2 : count + 2], p[3 : count + 3]], 1).reshape(
        count, 4, 2
    )
    line = (_spline(steps) @ spans).reshape(-1, 2)
    return line if closed else np.concatenate([line, knots[-1:]])


@lru_cache(maxsize=32)
def _circle(n: int) -> F32:
    t = np.linspace(0, 2 * np.pi, n, endpoint=False)
    return np.stack([np.cos(t), np.sin(t)], 1).astype(np.float32)


def ellipse(x: float, y: float, rx: float, ry: float, angle: float = 0.0, n: int = 28) -> F32:
    """Outline of an ellipse, `angle` in radians."""
    c, s = math.cos(angle), math.sin(angle)
    turn = np.array([[rx * c, rx * s], [-ry * s, ry * c]], np.float32)
    return _circle(n) @ turn + np.array([x, y], np.float32)


@lru_cache(maxsize=1)
def _grain_table() -> F32:
    return np.random.default_rng(7).standard_normal((1024, 1024), np.float32)


def grain(rng: np.random.Generator, height: int, width: int) -> F32:
    """White noise (height, width) of deviation 1, cut at random from a fixed sheet, which is far cheaper."""
    top, left = (int(k) for k in rng.integers(0, 1024, 2))
    rows, columns = np.arange(top, top + height) % 1024, np.arange(left, left + width) % 1024
    return _grain_table()[rows].take(columns, axis=1)


def box(x0: float, y0: float, x1: float, y1: float) -> F32:
    """Outline of a rectangle."""
    return np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], np.float32)


def ribbon(line: ArrayLike, widths: ArrayLike) -> F32:
    """Outline of a band along `line` (n, 2); `widths` are full widths at its points."""
    spine = np.asarray(line, np.float32)
    along = np.gradient(spine, axis=0)
    along /= np.maximum(np.hypot(along[:, 0], along[:, 1]), 1e-6)[:, None]
    half = np.stack([-along[:, 1], along[:, 0]], 1) * (np.asarray(widths, np.float32)[:, None] / 2)
    return np.concatenate([spine + half, (spine - half)[::-1]])


def soften(picture: F32, sigma: float) -> F32:
    """Gaussian blur of `sigma` pixels, on a smaller copy where the blur is wide."""
    if sigma < 0.3:
        return picture
    step = max(1, int(sigma / 2.5))
    if step == 1:
        return np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma), np.float32)
    height, width = picture.shape[:2]
    small = cv2.resize(picture, (max(1, width // step), max(1, height // step)), interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), sigma / step)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC), np.float32)


def noise(rng: np.random.Generator, height: int, width: int, cells: float, octaves: int = 2) -> F32:
    """Smooth noise around 0 (deviation about 1), `cells` bumps along the longer side."""
    total = np.zeros((height, width), np.float32)
    for octave in range(octaves):
        count = cells * 2**octave / max(height, width)
        grid = rng.standard_normal((max(2, round(height * count)), max(2, round(width * count))))
        layer = cv2.resize(grid.astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
        total += layer * np.float32(0.6**octave)
    return total


@dataclass(frozen=True)
class View:
    """Where units of a drawing lie on the picture: pixels = matrix[:, :2] @ point + matrix[:, 2]."""

    matrix: F32

    @staticmethod
    def upright(scale: float, x: float, y: float, angle: float = 0.0) -> View:
        """`scale` pixels a unit, the origin at pixel (x, y), turned by `angle` radians."""
        c, s = scale * np.cos(angle), scale * np.sin(angle)
        return View(np.array([[c, -s, x], [s, c, y]], np.float32))

    @property
    def scale(self) -> float:
        """Pixels a unit."""
        (a, b, _), (c, d, _) = self.matrix.tolist()
        return float(abs(a * d - b * c) ** 0.5)

    def to_pixels(self, points: ArrayLike) -> F32:
        return np.asarray(points, np.float32) @ self.matrix[:, :2].T + self.matrix[:, 2]

    def grid(self, where: Box) -> tuple[F32, F32]:
        """Coordinates (x, y), each (height, width), of the pixels in `where`."""
        inverse = np.linalg.inv(self.matrix[:, :2].astype(np.float64)).astype(np.float32)
        px = np.arange(where[1].start, where[1].stop, dtype=np.float32)[None] - self.matrix[0, 2]
        py = np.arange(where[0].start, where[0].stop, dtype=np.float32)[:, None] - self.matrix[1, 2]
        return inverse[0, 0] * px + inverse[0, 1] * py, inverse[1, 0] * px + inverse[1, 1] * py


@dataclass(frozen=True)
class Mask:
    """How much of each pixel in `where` is covered: `cover` (height, width), 0 to 1."""

    where: Box
    cover: F32

    def without(self, other: Mask | None) -> Mask:
        """This mask where the other is not."""
        if other is None:
            return self
        (rows, columns), (other_rows, other_columns) = self.where, other.where
        top, bottom = max(rows.start, other_rows.start), min(rows.stop, other_rows.stop)
        left, right = max(columns.start, other_columns.start), min(columns.stop, other_columns.stop)
        if top >= bottom or left >= right:
            return self
        cover = self.cover.copy()
        hidden = other.cover[
            top - other_rows.start : bottom - other_rows.start,
            left - other_columns.start : right - other_columns.start,
        ]
        cover[top - rows.start : bottom - rows.start, left - columns.start : right - columns.start] *= (
            1 - hidden
        )
        return Mask(self.where, cover)


def _covered(polygons: list[F32], height: int, width: int, finely: bool) -> U8:
    """How much of each pixel polygons in pixel coordinates cover, 0 to 255."""
    fine = 4 if finely else 1
    field = np.zeros((height * fine, width * fine), np.uint8)
    line = cv2.LINE_8 if finely else cv2.LINE_AA
    for xy in polygons:
        fixed = np.rint(((xy + 0.5) * fine - 0.5) * (1 << SUBPIXEL_BITS)).astype(np.int32)
        cv2.fillPoly(field, [fixed], 255, line, SUBPIXEL_BITS)
    return (
        np.asarray(cv2.resize(field, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
        if finely
        else field
    )


class Canvas:
    """`pixels` (height, width, 3), RGB bytes, painted through a `view`; lit from `light` (x, y), y down."""

    def __init__(self, pixels: U8, view: View, light: tuple[float, float] = (-0.6, -0.8)) -> None:
        self.pixels, self.view, self.light = pixels, view, light

    @property
    def height(self) -> int:
        return int(self.pixels.shape[0])

    @property
    def width(self) -> int:
        return int(self.pixels.shape[1])

    @property
    def finely(self) -> bool:
        """Whether shapes are so small here that OpenCV's antialiasing, half a pixel too wide, would show."""
        return self.view.scale < 45

    def seen_by(self, view: View) -> Canvas:
        """The same picture, painted in the units of another view."""
        return Canvas(self.pixels, view, self.light)

    def mask(self, *shapes: ArrayLike, soft: float = 0.0) -> Mask | None:
        """Coverage of polygons together, their edge softened by `soft` units; None outside the picture."""
        pixels = [self.view.to_pixels(points) for points in shapes]
        sigma = soft * self.view.scale
        margin = int(2.5 * sigma) + 2
        low = np.min([xy.min(0) for xy in pixels], 0).tolist()
        high = np.max([xy.max(0) for xy in pixels], 0).tolist()
        x0, y0 = (max(int(c) - margin - 1, -margin) for c in low)
        x1, y1 = (
            min(int(high[0]) + margin + 2, self.width + margin),
            min(int(high[1]) + margin + 2, self.height + margin),
        )
        left, top, right, bottom = max(x0, 0), max(y0, 0), min(x1, self.width), min(y1, self.height)
        if right <= left or bottom <= top:
            return None
        low_corner = np.array([x0, y0], np.float32)
        field = _covered([xy - low_corner for xy in pixels], y1 - y0, x1 - x0, self.finely)
        cover = soften(field.astype(np.float32) * np.float32(1 / 255), sigma)
        cover = cover[top - y0 : bottom - y0, left - x0 : right - x0]
        return Mask((slice(top, bottom), slice(left, right)), cover)

    def blend(self, mask: Mask | None, colour: ArrayLike, alpha: float = 1.0) -> None:
        """Lays `colour`, one RGB or (height, width, 3), 0 to 1, over the picture where the mask covers it."""
        if mask is None:
            return
        under = self.pixels[mask.where].astype(np.float32)
        over = np.asarray(colour, np.float32) * np.float32(255)
        under += (over - under) * (mask.cover * np.float32(alpha))[..., None]
        self.pixels[mask.where] = np.clip(under, 0, 255, out=under).astype(np.uint8)

    def fill(self, points: ArrayLike, colour: Colour, alpha: float = 1.0, soft: float = 0.0) -> None:
        """A flat polygon, with an edge softened by `soft` units."""
        if alpha < 1 or soft * self.view.scale > 0.4:
            self.blend(self.mask(points, soft=soft), colour, alpha)
            return
        fixed = np.round(self.view.to_pixels(points) * (1 << SUBPIXEL_BITS)).astype(np.int32)
        cv2.fillPoly(self.pixels, [fixed], tuple(255 * c for c in colour), cv2.LINE_AA, SUBPIXEL_BITS)

    def stroke(self, line: ArrayLike, colour: Colour, width: float, alpha: float = 1.0) -> None:
        """A line of constant width in units; thinner than a pixel it grows fainter instead."""
        pixels = width * self.view.scale
        if pixels * alpha < 0.12:
            return
        wide = max(width, 1.0 / self.view.scale)
        points = np.asarray(line, np.float32)
        faint = alpha * min(1.0, max(pixels, 0.25))
        self.fill(ribbon(points, np.full(len(points), wide)), colour, faint)

    def solid(
        self,
        *shapes: ArrayLike,
        colour: Colour,
        depth: float,
        strength: float = 0.5,
        soft: float = 0.0,
        behind: Mask | None = None,
    ) -> None:
        """Polygons shaded as one body, its edge rounded over `depth` units, `behind` what a mask covers."""
        mask = self.mask(*shapes, soft=soft)
        if mask is not None:
            light = self.relief(mask.cover, depth) * np.float32(strength)
            self.blend(mask.without(behind), tint(colour, light))

    def relief(self, height: F32, depth: float) -> F32:
        """Light on a height field blurred over `depth` units: -1 in shadow to 1 towards the light."""
        sigma = max(0.6, depth * self.view.scale)
        pad = min(int(2 * sigma) + 1, 64)
        raised = cv2.copyMakeBorder(height, pad, pad, pad, pad, cv2.BORDER_REPLICATE)
        step = max(1, int(sigma / 2.5))
        size = (max(1, raised.shape[1] // step), max(1, raised.shape[0] // step))
        small = cv2.resize(raised, size, interpolation=cv2.INTER_AREA)
        small = cv2.GaussianBlur(small, (0, 0), sigma / step)
        # The slope is taken on the small copy: taken after enlarging, it would show the small one's grid.
        kernel = np.zeros((3, 3), np.float32)
        kernel[1] = [self.light[0], 0, -self.light[0]]
        kernel[:, 1] += [self.light[1], 0, -self.light[1]]
        lit = cv2.filter2D(small, cv2.CV_32F, kernel) * np.float32(1.1 * sigma / step)
        lit = np.asarray(cv2.resize(lit, raised.shape[1::-1], interpolation=cv2.INTER_CUBIC), np.float32)
        return np.asarray(np.clip(lit[pad:-pad, pad:-pad], -1, 1), np.float32)


def tint(colour: ArrayLike, light: F32) -> F32:
    """`colour` (RGB or (..., 3)) under `light`: 0 as it is, below darker and warmer, above brighter."""
    base = np.asarray(colour, np.float32)
    dark = np.minimum(light, 0)[..., None]
    bright = np.maximum(light, 0)[..., None]
    warm = np.array([0.85, 1.0, 1.05], np.float32)
    lit: F32 = np.asarray(base * (1 + dark * warm), np.float32)
    lit += (1 - lit) * bright * np.float32(0.55)
    return np.asarray(np.clip(lit, 0, 1, out=lit), np.float32)
