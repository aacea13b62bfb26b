"""Photos as DeepDress names them: dresses of a catalogue with probabilities, and "not a dress"."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from ml.catalogue_index import DressIndex


class Candidate(NamedTuple):
    dress: int  # as the index numbers its dresses
    probability: float  # "not a dress" taken into account


class Named(NamedTuple):
    """One photo."""

    candidates: list[Candidate]  # likeliest first
    not_a_dress: float


class Fit(Protocol):
    """Calibration learnt after the training."""

    @property
    def temperature(self) -> float: ...

    def not_a_dress(self, probabilities: npt.NDArray[np.float32]) -> Sequence[float]:
        """The checkpoint's probabilities (n,) -> better ones."""


def named(
    vectors: npt.NDArray[np.float32],
    not_a_dress: npt.NDArray[np.float32] | Sequence[float],
    index: DressIndex | None,
    temperature: float,
    k: int,
) -> list[Named]:
    """Photos' vectors (n, d) and probabilities (n,) -> n names; without an index nobody is a candidate."""
    if index is None or not len(vectors):
        return [Named([], float(probability)) for probability in not_a_dress]
    options = index.options(vectors, not_a_dress, temperature, k)
    return [
        Named([Candidate(*pair) for pair in zip(dresses, probabilities, strict=True)], float(none))
        for dresses, probabilities, none in zip(
            options.dress_ids.tolist(), options.probabilities.tolist(), not_a_dress, strict=True
        )
    ]
