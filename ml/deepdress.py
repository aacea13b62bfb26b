"""The trained model as others use it: photos in, vectors and probabilities out."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ml import checkpoint
from ml.catalogue_index import CatalogueIndex
from ml.named import Named, named
from ml.photos import Photo, normalise, read_square, to_batch


class Embeddings(NamedTuple):
    """One row a photo."""

    vectors: npt.NDArray[np.float32]  # (n, dimensions), unit length
    not_a_dress: npt.NDArray[np.float32]  # (n,) calibrated probabilities


def best_device() -> torch.device:
    """CUDA, Apple's MPS or the CPU, in this order."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def bfloat16_pays(device: torch.device) -> bool:
    """On CUDA, and on CPUs with AMX tiles; measured slower than float32 on AVX-512 alone."""
    if device.type == "cpu":
        return bool(torch.cpu._is_amx_tile_supported())
    return device.type == "cuda" and torch.cuda.is_bf16_supported()


class DeepDress:
    """A loaded checkpoint on a device; make it in the process that uses it: CUDA does not survive a fork."""

    def __init__(self, trained: checkpoint.Checkpoint, device: torch.device) -> None:
        self.device = device
        self.version = trained.version
        self.calibration = trained.calibration
        self.temperature = trained.calibration.temperature
        self.metrics: dict[str, Any] = trained.metrics
        self.config = trained.network.config
        self._network = trained.network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]

    @classmethod
    def load(cls, directory: Path | str, device: str | None = None) -> DeepDress:
        """Load a checkpoint folder. Raises ml.checkpoint.CheckpointRefused for one that cannot be used."""
        return cls(checkpoint.load(directory), torch.device(device) if device else best_device())

    def embed(self, photos: Iterable[Photo], batch_size: int = 64) -> Embeddings:
        """Embed images, paths or encoded bytes, in their order; raises ml.photos.UnreadablePhoto."""
        squares = (read_square(photo, self.config.input_size) for photo in photos)
        vectors = [np.empty((0, self.config.dimensions), np.float32)]
        logits = [np.empty(0, np.float32)]
        while batch := list(islice(squares, batch_size)):
            found = embed_batch(self._network, to_batch(batch), self.device)
            vectors.append(found[0].numpy())
            logits.append(found[1].numpy())
        return Embeddings(np.concatenate(vectors), self.calibration.not_a_dress(np.concatenate(logits)))

    def name(self, photos: Iterable[Photo], index: CatalogueIndex | None = None, k: int = 3) -> list[Named]:
        """The k likeliest dresses of `index` for each photo, and how probably it shows none.

        `index` holds vectors of this model: ml.name.read_catalogue makes one of a folder. Raises
        ml.photos.UnreadablePhoto.
        """
        found = self.embed(photos)
        return named(found.vectors, found.not_a_dress, index, self.temperature, k)


def embed_batch(network: torch.nn.Module, batch: Tensor, device: torch.device) -> tuple[Tensor, Tensor]:
    """(n, 3, s, s) in 0..1 -> vectors (n, dimensions) and logits (n,), float32 on the CPU."""
    with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16, enabled=bfloat16_pays(device)):
        vectors, logits = network(normalise(batch.to(device)))
    return vectors.cpu(), logits.cpu()
