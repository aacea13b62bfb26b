"""How a body stands, and a dress on it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ml.synthetic import outline
from ml.synthetic.canvas import F32, ribbon, smooth
from ml.synthetic.dress import Dress
from ml.synthetic.outline import Figure

Floats = NDArray[np.floating]


@dataclass(frozen=True)
class Arm:
    """Directions of the upper arm and the forearm, radians from hanging down, outwards positive."""

    upper: float
    fore: float
    length: float = 1.0


@dataclass(frozen=True)
class Pose:
    """How a body stands: `lean` above the hips, `sway` of them, `turn` (radians) about the upright axis."""

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

    def place(self, points: ArrayLike) -> F32:
        """Points of the front of a straight body, moved to where they are in this pose."""
        x, y = np.asarray(points, np.float32).T
        half = np.interp(y, [1.3, 1.6, 1.95, 2.72, 3.5, 7.0], [0.3, 0.75, 0.6, 0.47, 0.7, 1.0])
        forward = np.sqrt(np.maximum(0.0, 1 - (x / half) ** 2)) * np.clip((y - 1.3) / 0.3, 0, 1)
        moved = x * np.cos(self.turn) + 0.36 * np.sin(self.turn) * forward
        return np.stack([moved + self.centre(y), y], 1).astype(np.float32)

    def joints(self, body: Figure, side: int) -> F32:
        """Shoulder, elbow and wrist of the arm on the picture's left (0) or right (1): (3, 2)."""
        arm, sign = self.arms[side], -1 if side == 0 else 1
        shoulder = self.place(np.array([[sign * (body.shoulder - 0.09), 1.62]], np.float32))[0]
        shoulder[0] -= 0.4 * np.sin(self.turn) * 0.5
        upper = np.array([sign * np.sin(arm.upper), np.cos(arm.upper)]) * 1.22 * arm.length
        fore = np.array([sign * np.sin(arm.fore), np.cos(arm.fore)]) * 1.08 * arm.length
        return np.array([shoulder, shoulder + upper, shoulder + upper + fore], np.float32)


@dataclass(frozen=True)
class Wearing:
    """A dress, who wears it and how; everything needed to paint it anywhere."""

    dress: Dress
    body: Figure = field(default_factory=Figure)
    pose: Pose = field(default_factory=Pose)

    def half_widths(self, y: F32) -> F32:
        table = _widths(self.dress, self.body)
        return np.asarray(table[np.clip(y * np.float32(511 / 9), 0, 511).astype(np.int32)])

    @property
    def flare(self) -> float:
        rows = outline.profile(self.dress, self.body)
        return float(max(0.0, rows[-1, 1] - self.body.hip) / 0.8)


def along_arm(joints: F32, at: F32) -> F32:
    """Points of an arm, `at` 0 at the shoulder, 1 at the elbow, 2 at the wrist; a gentle bend is rounded."""
    straight = np.stack([np.interp(np.linspace(0, 2, 25), [0, 1, 2], joints[:, k]) for k in (0, 1)], 1)
    (ax, ay), (bx, by) = joints[1] - joints[0], joints[2] - joints[1]
    gentle = max(0.0, float(ax * bx + ay * by) / 1.3)
    curve = straight + (smooth(joints, 12) - straight) * min(0.65, gentle)
    t = np.linspace(0, 2, 25)
    return np.stack([np.interp(at, t, curve[:, 0]), np.interp(at, t, curve[:, 1])], 1).astype(np.float32)


def limb(line: F32, widths: Floats) -> F32:
    """A band along `line` with a round beginning."""
    along = line[0] - line[1]
    along = along / max(1e-4, float(np.hypot(*along)))
    cap = line[0] + along * (np.array([1.0, 0.85, 0.5]) * widths[0] / 2)[:, None]
    return ribbon(
        np.concatenate([cap, line]), np.concatenate([widths[0] * np.array([0.05, 0.53, 0.87]), widths])
    )


def limbs(joints: F32, at: F32, widths: Floats) -> list[F32]:
    """Outlines of what covers an arm over `at`: the upper arm's and, past the elbow, the forearm's."""
    if at[-1] <= 1.05:
        return [limb(along_arm(joints, at), widths)]
    upper, fore = np.append(at[at < 1], 1).astype(np.float32), np.append(1, at[at > 1]).astype(np.float32)
    return [limb(along_arm(joints, part), np.interp(part, at, widths)) for part in (upper, fore)]


@lru_cache(maxsize=512)
def _widths(dress: Dress, body: Figure) -> F32:
    """Half-widths of a dress at 512 heights from 0 to 9."""
    rows = outline.profile(dress, body)
    return np.interp(np.linspace(0, 9, 512), rows[:, 0], rows[:, 1]).astype(np.float32)
