"""How cloth hangs and takes the light."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from ml.synthetic import outline
from ml.synthetic.canvas import F32, Canvas, Mask, grain, noise, tint
from ml.synthetic.dress import Dress
from ml.synthetic.fabric import cloth
from ml.synthetic.pose import Wearing

Generator = np.random.Generator

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
        height = 0.05 * soft * noise(rng, Drape.ROWS, Drape.COLUMNS, 10)
        for _ in range(int(5 + 7 * min(1.5, flare))):
            height += _fold(rng, n, v, 0.25 + 0.9 * flare)
        if dress.pleats != "none":
            height += _pleats(dress.pleats, n, v)
        if dress.silhouette in ("tiered", "fit and flare", "ballgown") or dress.waist in ("belt", "sash"):
            height += 0.03 * np.sin(n * 46 + rng.uniform(0, 6)) * np.exp(-(((v - 0.33) / 0.06) ** 2))
        slope = np.asarray(np.gradient(height, axis=1)) * (Drape.COLUMNS / 16 * soft)
        slope -= np.asarray(np.gradient(height, axis=0)) * (Drape.ROWS / 28 * soft)
        return Drape(slope.astype(np.float32), (height * 0.07).astype(np.float32))

    def at(self, across: F32, down: F32) -> tuple[F32, F32]:
        """Slope and shift looked up at columns `across` and rows `down`."""
        border = cv2.BORDER_REPLICATE
        slope, shift = (
            cv2.remap(m, across, down, cv2.INTER_LINEAR, borderMode=border) for m in (self.slope, self.shift)
        )
        return np.asarray(slope, np.float32), np.asarray(shift, np.float32)


def _fold(rng: Generator, n: F32, v: F32, depth: float) -> F32:
    """One ridge that grows on its way down."""
    at, width, start = rng.uniform(-1, 1), rng.uniform(0.05, 0.16), rng.uniform(0.2, 0.55)
    ramp = np.clip((v - start) / 0.45, 0, 1)
    bend = at + 0.05 * np.sin(4 * v + rng.uniform(0, 6)) * ramp
    ridge = np.exp(-(((n - bend) / width) ** 2)) * (width * 5 * depth * rng.uniform(0.5, 1.0))
    return np.asarray(ramp * ridge, np.float32)


def _pleats(kind: str, n: F32, v: F32) -> F32:
    count = 13 if kind == "soft" else 24
    teeth = (n * count / 2) % 1
    wave = 0.5 - 0.5 * np.cos(2 * np.pi * teeth) if kind == "soft" else teeth
    return np.asarray(0.55 * (13 / count) * wave * np.clip((v - 0.27) / 0.1, 0, 1), np.float32)


def lit_cloth(canvas: Canvas, worn: Wearing, mask: Mask, rng: Generator) -> F32:
    """The colours of the dress in `mask`, lit, (height, width, 3)."""
    dress, pose = worn.dress, worn.pose
    x, y = canvas.view.grid(mask.where)
    x = x - pose.centre(y)
    width = worn.half_widths(y)
    n = np.clip(x / (width * np.float32(np.cos(pose.turn))), -1, 1)
    drape = Drape.hung(dress, rng, worn.flare)
    slope, shift = drape.at(
        (n + 1) * np.float32(Drape.COLUMNS / 2 - 0.5),
        (y - np.float32(1.4)) * np.float32(Drape.ROWS / (dress.hem_at - 1.3)),
    )
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
    texture = {"tweed": 0.075, "linen": 0.03}.get(dress.fabric, 0.012)
    if dress.pattern == "sequin":
        texture = 0.06
    light += grain(rng, *light.shape) * np.float32(texture)
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
