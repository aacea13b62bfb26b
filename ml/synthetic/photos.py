"""Photos of a dress: in the studio, and out in the world."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np
from PIL import Image

from ml.synthetic import camera, garment, outline, person, scenes
from ml.synthetic.canvas import Canvas, View, ellipse, mix, shade
from ml.synthetic.dress import Dress, Wardrobe
from ml.synthetic.face import Person
from ml.synthetic.outline import Figure
from ml.synthetic.pose import Arm, Pose, Wearing

CatalogueView = Literal["front", "back", "detail"]
VIEWS: tuple[CatalogueView, ...] = ("front", "back", "detail")
Generator = np.random.Generator


def catalogue_photo(
    dress: Dress, view: CatalogueView = "front", size: tuple[int, int] = (205, 256), seed: int = 0
) -> Image.Image:
    """A studio photo of `size` (width, height): the dress, worn by nobody, on a pale ground."""
    if view not in VIEWS:
        raise ValueError(f"a catalogue photo shows {', '.join(VIEWS)}, not {view!r}")
    rng = np.random.default_rng([dress.seed & 0xFFFFFFFF, dress.index, seed, VIEWS.index(view), 23])
    width, height = size
    canvas = Canvas(scenes.studio(rng, width, height), _studio_view(dress, view, width, height, rng))
    pose = Pose(arms=(Arm(0.2, 0.1), Arm(0.2, 0.1)), back=view == "back", turn=float(rng.normal(0, 0.05)))
    worn = Wearing(dress, Figure(), pose)
    _studio_shadow(canvas, worn)
    _inside_back(canvas, worn)
    garment.paint(canvas, worn, rng)
    over = garment.yoke(canvas, worn)
    for side in (0, 1):
        garment.paint_sleeve(canvas, worn, side, over)
    return camera.studio_finish(canvas.pixels, rng)


def _studio_view(dress: Dress, view: str, width: int, height: int, rng: Generator) -> View:
    if view == "detail":
        scale = height / float(rng.uniform(2.3, 2.8))
        return View.upright(scale, width / 2 + float(rng.normal(0, 0.03)) * width, -1.05 * scale)
    top = 1.0
    scale = height * 0.88 / (dress.hem_at - top + 0.2)
    wide = 2 * (float(Wearing(dress).half_widths(np.array([dress.hem_at], np.float32))[0]) + 0.15)
    scale = min(scale, width * 0.92 / max(2.3, wide), height / 4.4)
    middle = (top + dress.hem_at) / 2
    return View.upright(scale, width / 2 + float(rng.normal(0, 0.008)) * width, height * 0.5 - middle * scale)


def _studio_shadow(canvas: Canvas, worn: Wearing) -> None:
    half = float(worn.half_widths(np.array([worn.dress.hem_at], np.float32))[0])
    canvas.fill(ellipse(0.1, worn.dress.hem_at + 0.16, half * 1.1, 0.13), (0.35, 0.33, 0.32), 0.35, 0.14)


def _inside_back(canvas: Canvas, worn: Wearing) -> None:
    """The inside of the back, seen through the neck of a dress that nobody wears."""
    dress = worn.dress
    if worn.pose.back or dress.neckline in outline.BARE_BACKED:
        return
    left, right = outline.neck(dress, worn.body, False)
    edge = np.concatenate([(left.edge * np.array([-1, 1], np.float32))[::-1], right.edge[1:]])
    x, y = edge[-1]
    nape = np.stack([np.linspace(x, -x, 9), y + 0.10 * (1 - np.linspace(1, -1, 9) ** 2)], 1)
    inside = shade(mix(dress.colours[0], (0.75, 0.72, 0.7), 0.2), 0.72)
    canvas.solid(worn.pose.place(np.concatenate([edge, nape])), colour=inside, depth=0.12, strength=-0.5)


def street_photo(
    dress: Dress, size: tuple[int, int] = (205, 256), seed: int = 0, difficulty: float = 1.0
) -> Image.Image:
    """A photo as a customer posts it, `size` (width, height); `difficulty` 0 is posed, 1 as the world is."""
    rng = np.random.default_rng([dress.seed & 0xFFFFFFFF, dress.index, seed, 29])
    width, height = size
    margin = camera.margin(size)
    full = (width + 2 * margin, height + 2 * margin)
    kind, pixels, light = scenes.background(rng, *full)
    view = _street_view(dress, full, rng, difficulty)
    canvas = Canvas(pixels, view, light)
    who, pose = Person.drawn(rng), person.draw_pose(rng, difficulty)
    if kind == "mirror":
        pose = replace(pose, back=False, arms=(pose.arms[0], Arm(0.42, -2.3)))
    if rng.random() < 0.14 * difficulty:
        _companion(canvas, dress, rng)
    _ground_shadow(canvas)
    worn = person.paint(canvas, who, dress, pose, rng)
    if kind == "mirror":
        scenes.mirror(canvas, worn, rng)
    elif rng.random() < 0.45 * difficulty:
        scenes.obstruct(canvas, worn, who, rng)
    return camera.street_finish(canvas.pixels, size, rng, difficulty, kind)


def _street_view(dress: Dress, full: tuple[int, int], rng: Generator, difficulty: float) -> View:
    """Whole figure, three quarters, or cropped; the whole dress most of the time."""
    width, height = full
    bottom = max(dress.hem_at + 0.25, 4.6)
    crop = rng.random()
    top = float(rng.uniform(-0.5, -0.1)) if crop > 0.12 * difficulty else float(rng.uniform(0.4, 0.95))
    if crop > 0.72:
        bottom = 7.7
    elif crop > 0.92 - 0.1 * difficulty:
        bottom = max(4.2, dress.hem_at - 0.8)
    scale = height * 0.86 / (bottom - top)
    scale = min(scale, width / 2.9)
    x = width * (0.5 + 0.07 * difficulty * float(rng.uniform(-1, 1)))
    y = height * 0.5 - (top + bottom) / 2 * scale
    return View.upright(scale, x, y, float(rng.normal(0, 0.035)) * difficulty)


def _ground_shadow(canvas: Canvas) -> None:
    canvas.fill(ellipse(0.2, 7.45, 1.2, 0.16), (0.08, 0.07, 0.08), 0.45, 0.15)


def _companion(canvas: Canvas, dress: Dress, rng: Generator) -> None:
    """Somebody else in another dress, a step behind and aside."""
    other = Wardrobe(dress.seed ^ 0x5EED).dress(int(rng.integers(1 << 20)))
    side = 1 if rng.random() < 0.5 else -1
    shift = np.array([[side * 1.75], [0.15]], np.float32)
    moved = canvas.view.matrix.copy()
    moved[:, 2:] += moved[:, :2] @ shift
    moved[:, :2] *= 0.95
    person.paint(canvas.seen_by(View(moved)), Person.drawn(rng), other, person.draw_pose(rng, 0.6), rng)
