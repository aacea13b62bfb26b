"""The trained model as others use it: photos in, vectors and probabilities out."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from ml import checkpoint
from ml.catalogue_index import DressIndex
from ml.embedder import Embedder
from ml.named import Fit, Named, named
from ml.photos import Photo, Pixels, normalise, read_square, to_batch

# Of float32's time: converting to and fro takes some of what the convolutions gain.
WORTH_IT = 0.8


class Embeddings(NamedTuple):
    """One row a photo."""

    vectors: npt.NDArray[np.float32]  # (n, dimensions), unit length
    not_a_dress: npt.NDArray[np.float32]  # (n,) calibrated probabilities


def best_device() -> torch.device:
    """CUDA, Apple's MPS or the CPU, in this order."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


@lru_cache(maxsize=4)
def bfloat16_pays(device: torch.device) -> bool:
    """Whether half the bits take less time: on CUDA that can, on a CPU where a trial of some ms says so.

    Vectors differ from those of float32 by a cosine below .001, whichever it is.
    """
    if device.type == "cpu":
        return _half_bits_are_faster()
    return device.type == "cuda" and torch.cuda.is_bf16_supported()


def _half_bits_are_faster() -> bool:
    """By convolutions like the network's, in turns and on one thread, so that neighbours do not decide."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        trials = [(_seconds(torch.bfloat16), _seconds(torch.float32)) for _ in range(5)]
    finally:
        torch.set_num_threads(threads)
    halved, full = (min(times) for times in zip(*trials, strict=True))
    return bool(halved < WORTH_IT * full)


def _seconds(kind: torch.dtype) -> float:
    photos = torch.zeros(2, 64, 24, 24, dtype=kind).to(memory_format=torch.channels_last)
    weights = torch.zeros(64, 64, 3, 3, dtype=kind).to(memory_format=torch.channels_last)
    with torch.inference_mode():
        start = time.perf_counter()
        torch.conv2d(photos, weights, padding=1)
        return time.perf_counter() - start


class OutOfMemory(RuntimeError):
    """Not even one photo at a time fits into the memory that is left."""


def out_of_memory(error: BaseException) -> bool:
    """CUDA and Python have a class for it, MPS and the CPU's allocator only words."""
    words = ("out of memory", "can't allocate memory", "not enough memory")
    return isinstance(error, (MemoryError, torch.OutOfMemoryError)) or (
        isinstance(error, RuntimeError) and any(said in str(error) for said in words)
    )


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
        """Embed images, paths, encoded bytes or pixels (h, w, 3), in their order.

        A batch that the memory does not hold is halved. Raises ml.photos.UnreadablePhoto, and OutOfMemory.
        """
        squares = (read_square(photo, self.config.input_size) for photo in photos)
        vectors = [np.empty((0, self.config.dimensions), np.float32)]
        logits = [np.empty(0, np.float32)]
        while batch := list(islice(squares, batch_size)):
            for part_vectors, part_logits in self._fitting(batch):
                vectors.append(part_vectors.numpy())
                logits.append(part_logits.numpy())
        return Embeddings(np.concatenate(vectors), self.calibration.not_a_dress(np.concatenate(logits)))

    def name(
        self,
        photos: Iterable[Photo],
        index: DressIndex | None = None,
        k: int = 3,
        fit: Fit | None = None,
    ) -> list[Named]:
        """The k likeliest dresses of `index` for each photo, and how probably it shows none.

        `index` holds vectors of this model: ml.name.read_catalogue makes one of a folder. `fit` is what has
        been learnt about its probabilities since it was trained. Raises ml.photos.UnreadablePhoto.
        """
        vectors, not_a_dress = self.embed(photos)
        if fit is None:
            return named(vectors, not_a_dress, index, self.temperature, k)
        return named(vectors, fit.not_a_dress(not_a_dress), index, fit.temperature, k)

    def _fitting(self, squares: list[Pixels]) -> Iterator[tuple[Tensor, Tensor]]:
        """The batch in one part or, where the memory does not hold that, in smaller ones."""
        try:
            yield embed_batch(self._network, to_batch(squares), self.device)
            return
        except (MemoryError, RuntimeError) as error:
            if not out_of_memory(error):
                raise
            if len(squares) == 1:
                raise OutOfMemory(f"The memory does not hold one photo on {self.device}: {error}") from error
        # Out of the handler, whose traceback holds what did not fit.
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
        half = len(squares) // 2
        yield from self._fitting(squares[:half])
        yield from self._fitting(squares[half:])


def embed_batch(network: Embedder, batch: Tensor, device: torch.device) -> tuple[Tensor, Tensor]:
    """(n, 3, s, s) in 0..1 -> vectors (n, dimensions) and logits (n,), float32 on the CPU."""
    photos = normalise(batch.to(device))
    with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16, enabled=bfloat16_pays(device)):
        vectors, logits = network(photos)
        if network.config.mirrored:
            in_the_mirror = network(photos.flip(dims=[3]))
            vectors = F.normalize(vectors + in_the_mirror[0], dim=1)
            logits = (logits + in_the_mirror[1]) / 2
    return vectors.cpu(), logits.cpu()
