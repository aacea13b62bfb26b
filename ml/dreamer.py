"""The generator as others use it: seeds, and tastes if one has any, in; pictures of dresses out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from ml import checkpoint
from ml.deepdress import best_device
from ml.gan import Generator, load_generator

SHIPPED = Path(__file__).parent / "weights" / "dream"
TOGETHER = 64  # dreams in a batch

Floats = npt.NDArray[np.float32]
Pictures = npt.NDArray[np.uint8]


class Dreamer:
    """A loaded generator on a device; make it in the process that uses it: CUDA does not survive a fork."""

    def __init__(
        self, generator: Generator, config: dict[str, Any], version: str, device: torch.device
    ) -> None:
        self.device = device
        self.version = version  # sha256 of the weights' file
        self.config = generator.config
        self.deepdress = str(config.get("deepdress", ""))  # sha256 of the weights whose vectors are tastes
        self._generator = generator.to(device)

    @classmethod
    def load(cls, directory: Path | str = SHIPPED, device: str | None = None) -> Dreamer:
        """Load a checkpoint folder. Raises ml.checkpoint.CheckpointRefused for one that cannot be used."""
        _, config, version = checkpoint.contents(Path(directory))
        where = torch.device(device) if device else best_device()
        return cls(load_generator(directory), config, version, where)

    @property
    def size(self) -> int:
        """Of a picture, in pixels: it is square."""
        return self.config.size

    @property
    def dimensions(self) -> int:
        """Of a taste: a unit vector of DeepDress; 0 where these weights know no tastes."""
        return self.config.told if self.config.condition == "embedding" else 0

    def noise(self, seed: int) -> Floats:
        """(z,) from N(0, 1): the same for a seed, 0 to 2^32 - 1, on every machine."""
        generator = torch.Generator().manual_seed(seed)
        return torch.randn(self.config.noise, generator=generator).numpy()

    @torch.inference_mode()
    def taste(self, noise: Floats) -> Floats:
        """(d,) the unit vector that this noise (z,) makes up where nobody asks for anything."""
        row = torch.from_numpy(noise)[None].to(self.device)
        vector: Floats = self._generator.condition(row)[0].cpu().numpy().astype(np.float32)
        return vector

    @torch.inference_mode()
    def dream(self, noises: npt.ArrayLike, tastes: npt.ArrayLike | None = None) -> Pictures:
        """Noises (n, z) and tastes (n, d), unit vectors or rows of zeros for none -> (n, s, s, 3) uint8.

        Raises ValueError for other shapes, and for tastes where the weights know none.
        """
        rows = np.asarray(noises, np.float32).reshape(-1, self.config.noise)
        asked = None if tastes is None else np.asarray(tastes, np.float32)
        found = [np.empty((0, self.size, self.size, 3), np.uint8)]
        for start in range(0, len(rows), TOGETHER):
            part = slice(start, start + TOGETHER)
            found.append(self._batch(rows[part], None if asked is None else asked[part]))
        return np.concatenate(found)

    def _batch(self, noises: Floats, tastes: Floats | None) -> Pictures:
        asked = None if tastes is None else torch.from_numpy(tastes).to(self.device)
        photos = self._generator(torch.from_numpy(noises).to(self.device), asked)
        pixels = ((photos + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)
        pictures: Pictures = pixels.permute(0, 2, 3, 1).cpu().numpy()
        return pictures


def between(start: Floats, end: Floats, share: float) -> Floats:
    """The place at `share` (0 to 1) of the way between two vectors, along the sphere (Shoemake 1985, slerp).

    Their lengths go evenly from one to the other. A straight line would lead noise through the middle, where
    nothing was ever dreamt of. Opposite vectors, between which no way is the shortest, are joined by a line.
    """
    lengths = float(np.linalg.norm(start)), float(np.linalg.norm(end))
    if not all(lengths):
        return np.asarray((1 - share) * start + share * end, np.float32)
    ways = start / lengths[0], end / lengths[1]
    angle = float(np.arccos(np.clip(ways[0] @ ways[1], -1, 1)))
    if np.sin(angle) < 1e-4:
        return np.asarray((1 - share) * start + share * end, np.float32)
    way = (np.sin((1 - share) * angle) * ways[0] + np.sin(share * angle) * ways[1]) / np.sin(angle)
    length = (1 - share) * lengths[0] + share * lengths[1]
    return np.asarray(way * length, np.float32)
