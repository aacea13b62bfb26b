"""How good dreams are: figures of likeness on what DeepDress sees in dreams and in photos held out."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ml import checkpoint
from ml.gan import Generator
from ml.gan_metrics import frechet_distance, kernel_distance, manifold, nearest
from ml.learner import precision
from ml.photos import Pixels, normalise, shrink, to_batch

if TYPE_CHECKING:
    from ml.gan_photos import Collection, Photos

Floats = npt.NDArray[np.float32]
BATCH = 64


class Judge:
    """DeepDress looking at photos of whichever size, as at small copies of the portal's."""

    def __init__(self, weights: Path | str, device: torch.device) -> None:
        """Raises ml.checkpoint.CheckpointRefused."""
        trained = checkpoint.load(weights)
        self.version, self.device = trained.version, device
        self._network = trained.network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.features, self.dimensions = self._network.features, self._network.config.dimensions
        self._dtype = precision("auto", device)

    @torch.inference_mode()
    def look(self, pixels: Pixels) -> tuple[Floats, Floats]:
        """(n, s, s, 3) uint8 -> features (n, f), and the unit vectors (n, d) that are read from them."""
        photos = shrink(to_batch(pixels).to(self.device), self._network.config.input_size)
        with torch.autocast(self.device.type, self._dtype, enabled=self._dtype != torch.float32):
            features = self._network.look(normalise(photos))
            vectors, _ = self._network.read(features)
        return features.float().cpu().numpy(), vectors.float().cpu().numpy()


def to_pixels(photos: Tensor) -> Pixels:
    """(n, 3, s, s) in -1..1 -> (n, s, s, 3) uint8."""
    pixels: Pixels = ((photos + 1) * 127.5).round().clamp(0, 255).byte().permute(0, 2, 3, 1).cpu().numpy()
    return np.ascontiguousarray(pixels)


@torch.inference_mode()
def dreams(generator: Generator, noise: Tensor, conditions: Tensor | None = None) -> Iterator[Pixels]:
    """In batches of (n, s, s, 3) uint8."""
    device = next(generator.parameters()).device
    for start in range(0, len(noise), BATCH):
        part = slice(start, start + BATCH)
        asked = None if conditions is None else conditions[part].to(device)
        yield to_pixels(generator(noise[part].to(device), asked))


def figures(
    generator: Generator, data: Collection, judge: Judge, seed: int, most: int | None = None
) -> dict[str, Any]:
    """Of as many dreams as photos are held out, `most` at the most: of those nothing is asked of, and
    ("asked") of those that are asked for what the photos held out are. What so few do not tell is None. The
    generator is in evaluation mode.
    """
    count = min(len(data.held_out), most or len(data.held_out))
    rows = np.linspace(0, len(data.held_out) - 1, count).round().astype(int)
    noise = torch.randn(count, generator.config.noise, generator=torch.Generator().manual_seed(seed))
    found = _likeness(_seen(generator, noise, None, judge), data, rows)
    asked = conditions(generator.config.condition, data.held_out, rows)
    if asked is not None:
        seen = _seen(generator, noise, asked, judge)
        cosine = (seen[1] * data.held_out.vectors[rows]).sum(axis=1).mean()
        found["asked"] = {**_likeness(seen, data, rows), "cosine": _rounded(cosine)}
    return found


def conditions(kind: str, photos: Photos, rows: npt.NDArray[np.int64]) -> Tensor | None:
    """What some photos are, as a generator is asked for it; None where it is asked nothing."""
    if kind == "none":
        return None
    known = photos.classes if kind == "class" else photos.vectors
    return torch.from_numpy(np.array(known[rows]))


def _seen(generator: Generator, noise: Tensor, asked: Tensor | None, judge: Judge) -> tuple[Floats, Floats]:
    features, vectors = zip(*(judge.look(pixels) for pixels in dreams(generator, noise, asked)), strict=True)
    return np.concatenate(features), np.concatenate(vectors)


def _likeness(seen: tuple[Floats, Floats], data: Collection, rows: npt.NDArray[np.int64]) -> dict[str, Any]:
    real, fake = data.held_out.features[rows], seen[0]
    among = manifold(real, fake)
    return {
        "photos": len(rows),
        "fid": _rounded(frechet_distance(real, fake)),
        "kid": _rounded(kernel_distance(real, fake)),
        "precision": _rounded(among.precision),
        "recall": _rounded(among.recall),
        "nearest": _copies(seen[1], data, rows),
    }


def _copies(vectors: Floats, data: Collection, rows: npt.NDArray[np.int64]) -> dict[str, float | None]:
    """Median distances of vectors to the nearest photo trained on. Dreams that are copies would be much
    nearer than photos that were never trained on are."""
    of_dreams = nearest(vectors, data.train.vectors)[1]
    of_photos = nearest(data.held_out.vectors[rows], data.train.vectors)[1]
    close = np.quantile(of_photos, 0.01)
    return {
        "dreams": _rounded(np.median(of_dreams)),
        "held_out": _rounded(np.median(of_photos)),
        # One in a hundred, were they photos.
        "share_closer_than_1_percent_of_held_out": _rounded((of_dreams < close).mean()),
    }


def _rounded(value: float) -> float | None:
    return None if math.isnan(value) else round(float(value), 5)
