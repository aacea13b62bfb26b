"""Which dress is nearest: exact search over the catalogue's prototypes.

Needs numpy only, so that a web process can answer from stored vectors without loading a network.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Ids = npt.NDArray[np.int64]


class Neighbours(NamedTuple):
    """The nearest dresses, nearest first; k is smaller than asked for where the catalogue is."""

    dress_ids: Ids  # (m, k)
    similarities: Floats  # (m, k), cosines in -1..1


class Options(NamedTuple):
    """Candidates with their probabilities, likeliest first."""

    dress_ids: Ids  # (m, k)
    probabilities: Floats  # (m, k); a row sums to at most 1 - P(not a dress)


class DressIndex(Protocol):
    """What names photos: `CatalogueIndex`, or another that answers as it does."""

    def options(
        self, vectors: npt.ArrayLike, not_a_dress: npt.ArrayLike, temperature: float, k: int = 3
    ) -> Options: ...


class CatalogueIndex:
    """Prototypes of dresses: vectors (n, d) float32 of unit length and the dress (n,) int64 each belongs to.

    A dress may have several prototypes and is as similar as its most similar one. A prototype's weight, above
    0 and at most 1, multiplies its cosine: it wins over a full one only where it is nearer by that factor,
    alone it still names its dress, and what is unlike it stays unlike. (A constant taken off instead would
    mean more to networks whose cosines lie closer together.)
    """

    def __init__(
        self, vectors: npt.ArrayLike, dress_ids: npt.ArrayLike, weights: npt.ArrayLike | None = None
    ) -> None:
        vectors = np.asarray(vectors, np.float32)
        ids = np.asarray(dress_ids, np.int64)
        if weights is not None and len(vectors):
            vectors = vectors * _checked(weights, len(ids))[:, None]
        if ids.ndim != 1 or len(vectors) != len(ids) or (len(ids) and vectors.ndim != 2):
            raise ValueError(
                f"expected vectors (n, d) and dress_ids (n,), got {vectors.shape} and {ids.shape}"
            )
        order = np.argsort(ids, kind="stable")
        self._vectors = np.ascontiguousarray(vectors[order])
        self.dress_ids, self._starts = np.unique(ids[order], return_index=True)

    def __len__(self) -> int:
        """The number of dresses."""
        return len(self.dress_ids)

    def similarities(self, queries: npt.ArrayLike) -> Floats:
        """Of queries (m, d), or one (d,), with every dress: (m, dresses), columns as in `dress_ids`."""
        rows = np.atleast_2d(np.asarray(queries, np.float32))
        if not len(self):
            return np.empty((len(rows), 0), np.float32)
        if rows.shape[1] != self._vectors.shape[1]:
            raise ValueError(
                f"queries have {rows.shape[1]} dimensions, the catalogue {self._vectors.shape[1]}"
            )
        best: Floats = np.maximum.reduceat(rows @ self._vectors.T, self._starts, axis=1)
        return best

    def nearest(self, queries: npt.ArrayLike, k: int) -> Neighbours:
        """The k most similar dresses of each query (m, d); an empty catalogue gives k = 0 columns."""
        similarities = self.similarities(queries)
        columns = largest(similarities, k)
        return Neighbours(self.dress_ids[columns], np.take_along_axis(similarities, columns, axis=1))

    def nearest_to_all(self, queries: npt.ArrayLike, k: int) -> tuple[Ids, Floats]:
        """The k dresses most similar to the queries (m, d) on average, and how much: (k,), (k,)."""
        means = self.similarities(queries).mean(axis=0)
        columns = np.argsort(-means, kind="stable")[:k]
        return self.dress_ids[columns], means[columns]

    def options(
        self, vectors: npt.ArrayLike, not_a_dress: npt.ArrayLike, temperature: float, k: int = 3
    ) -> Options:
        """The k likeliest dresses of each photo.

        P(dress) = (1 - P(not a dress)) softmax(similarity / temperature), the softmax over every dress of the
        catalogue, not only over the k that are returned. `vectors` (m, d) or (d,), `not_a_dress` (m,) or one
        number in 0..1, `temperature` > 0 as fitted by ml.calibration.
        """
        similarities = self.similarities(vectors)
        columns = largest(similarities, k)
        dress = 1 - np.asarray(not_a_dress, np.float32).reshape(-1, 1)
        probabilities = dress * _softmax(similarities, temperature)
        return Options(self.dress_ids[columns], np.take_along_axis(probabilities, columns, axis=1))

    def probabilities(
        self, vectors: npt.ArrayLike, temperature: float, down_to: float | None = None
    ) -> Floats:
        """Of each dress (m, dresses), given that the photo shows one of them; columns as in `dress_ids`.

        All of them here; an index that finds the nearest alone has to have those of `down_to` and above.
        """
        return _softmax(self.similarities(vectors), temperature)


def _softmax(similarities: Floats, temperature: float) -> Floats:
    if not temperature > 0:
        raise ValueError(f"temperature must be positive, got {temperature}")
    top = similarities.max(axis=1, keepdims=True, initial=-1)
    weights = np.exp((similarities - top) / np.float32(temperature))
    found: Floats = weights / weights.sum(axis=1, keepdims=True)
    return found


def _checked(weights: npt.ArrayLike, count: int) -> Floats:
    found = np.asarray(weights, np.float32)
    if found.shape != (count,) or not ((found > 0) & (found <= 1)).all():
        raise ValueError(f"expected {count} weights above 0 and at most 1, got {found}")
    return found


def largest(similarities: Floats, k: int) -> Ids:
    """Columns (m, min(k, columns)) of each row's largest values, largest first."""
    k = min(k, similarities.shape[1])
    if k < similarities.shape[1]:
        columns = np.argpartition(-similarities, k, axis=1)[:, :k]
    else:
        columns = np.broadcast_to(np.arange(k), similarities.shape)
    order = np.argsort(-np.take_along_axis(similarities, columns, axis=1), axis=1, kind="stable")
    ranked: Ids = np.take_along_axis(columns, order, axis=1)
    return ranked
