"""Which photos are trained on together: a function of seed and step alone, so that training resumes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from ml.processes import ALONE, Processes
from ml.training_set import NO_DRESS, TrainingSet

Places = npt.NDArray[np.int64]
LOOK_ALIKES = 8  # of each dress


@dataclass(frozen=True)
class Batch:
    """A catalogue photo of each of some dresses, another of each in the same order, then negatives."""

    rows: Places  # (2 * pairs + negatives,)
    classes: Places  # places in Batches.dresses, or NO_DRESS
    pairs: int


class Batches:
    """Batches without end; an epoch shows about every dress once.

    Without `neighbours` the dresses of a batch are drawn at random. With them, (dresses, k) places of each
    dress's look-alikes, it is made of small groups that are hard to tell apart (hard negatives; Schroff et
    al. 2015, arXiv:1503.03832, of which the hardest alone would teach the labels' errors).
    """

    def __init__(
        self, data: TrainingSet, seed: int, pairs: int, negatives: int, processes: Processes = ALONE
    ) -> None:
        self.data, self.seed, self.processes = data, seed, processes
        self.dresses = np.unique(data.dress[data.rows("train")])
        catalogue = _rows_by_dress(data, self.dresses, catalogue=True)
        others = _rows_by_dress(data, self.dresses, catalogue=False)
        # Who has photos of one kind alone is paired within it.
        self.catalogue = [own if len(own) else rest for own, rest in zip(catalogue, others, strict=True)]
        self.others = [own if len(own) else rest for own, rest in zip(others, catalogue, strict=True)]
        self.without = data.rows("train", dress=False)
        self.pairs = min(pairs, len(self.dresses))
        self.negatives = min(negatives, len(self.without))
        self.neighbours: Places | None = None
        self.named, self.weight = self.others, data.weight
        self._order = lru_cache(maxsize=2)(self._epoch)

    def __len__(self) -> int:
        """The number of batches in an epoch."""
        return len(self.dresses) // self.pairs

    def group(self, neighbours: Places) -> None:
        """From the next epoch on, dresses meet their look-alikes."""
        self.neighbours = neighbours
        self._order.cache_clear()

    def name(self, rows: Places, classes: Places, weights: npt.NDArray[np.float64]) -> None:
        """From now on, photos `rows` (m,) that nobody has named are among the others of `classes` (m,).

        `weights` (m,), above 0, as `TrainingSet.weight`: how sure each name is. Earlier names are forgotten.
        """
        order = np.argsort(classes, kind="stable")
        starts = np.searchsorted(classes[order], np.arange(1, len(self.dresses)))
        added = np.split(rows[order], starts)
        self.named = [np.append(own, more) for own, more in zip(self.others, added, strict=True)]
        self.weight = self.data.weight.copy()
        self.weight[rows] = weights

    def at(self, step: int) -> Batch:
        """The batch of a step, counted from 0; of several processes, this one's part of it."""
        return self._part(self._whole(step))

    def _whole(self, step: int) -> Batch:
        rng = np.random.default_rng([self.seed, step, 1])
        epoch, place = divmod(step, len(self))
        classes = self._order(epoch)[place * self.pairs : (place + 1) * self.pairs]
        rows = [self._draw(photos[c], rng) for photos in (self.catalogue, self.named) for c in classes]
        rows += [self._draw(self.without, rng) for _ in range(self.negatives)]
        none = np.full(self.negatives, NO_DRESS)
        return Batch(np.array(rows), np.concatenate([classes, classes, none]), len(classes))

    def _part(self, batch: Batch) -> Batch:
        """Dresses side by side stay so, as they may be look-alikes."""
        if self.processes.count == 1:
            return batch
        mine, pairs = self.processes.rank, np.arange(batch.pairs)
        chosen = np.array_split(pairs, self.processes.count)[mine]
        without = np.array_split(np.arange(2 * batch.pairs, len(batch.rows)), self.processes.count)[mine]
        places = np.concatenate([chosen, batch.pairs + chosen, without])
        return Batch(batch.rows[places], batch.classes[places], len(chosen))

    def _epoch(self, number: int) -> Places:
        rng = np.random.default_rng([self.seed, number, 2])
        order = rng.permutation(len(self.dresses))
        return order if self.neighbours is None else in_groups(order, self.neighbours, rng)

    def _draw(self, rows: Places, rng: np.random.Generator) -> int:
        weight = self.weight[rows]
        return int(rows[np.searchsorted(np.cumsum(weight), rng.random() * weight.sum(), side="right")])


def in_groups(order: Places, neighbours: Places, rng: np.random.Generator, size: int = 4) -> Places:
    """The same dresses, each that is still alone followed by up to `size` - 1 of its look-alikes."""
    alone = np.ones(len(order), bool)
    grouped: list[int] = []
    for dress in order:
        if alone[dress]:
            like_it = neighbours[dress][alone[neighbours[dress]]]
            group = [dress, *rng.permutation(like_it)[: size - 1]]
            alone[group] = False
            grouped += group
    return np.array(grouped)


def look_alikes(vectors: npt.NDArray[np.float32], k: int = LOOK_ALIKES) -> Places:
    """The k nearest others of unit vectors (n, d), in no order: (n, min(k, n - 1))."""
    k, found = min(k, len(vectors) - 1), []
    for start in range(0, len(vectors), 1024):
        cosines = vectors[start : start + 1024] @ vectors.T
        cosines[np.arange(len(cosines)), start + np.arange(len(cosines))] = -np.inf
        found.append(np.argpartition(-cosines, k - 1, axis=1)[:, :k])
    return np.concatenate(found)


def _rows_by_dress(data: TrainingSet, dresses: Places, *, catalogue: bool) -> list[Places]:
    rows = data.rows("train", catalogue=catalogue)
    rows = rows[np.argsort(data.dress[rows], kind="stable")]
    return np.split(rows, np.searchsorted(data.dress[rows], dresses[1:]))
