"""The methods that are compared, each a step at a time on the same network: without a second net.

Those that play against a generator are in ml.scarce.games, the post's transfer in ml.scarce.transfer.
"""

from __future__ import annotations

import math
from typing import Protocol

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ml.photos import Pixels
from ml.scarce.learner import STRONG, WEAK, Learner, Task, half_bits, weighted_cross_entropy
from ml.scarce.neighbour_labels import directions, outlines, spread
from ml.scarce.photo_sets import Labels

UNLABELLED = 96  # photos in a step
NOISE = 0.5  # in the range that ml.photos.normalise makes, of 4: an eighth of black to white
GRAPH = 20_000  # photos at most over which labels are spread


class Method(Protocol):
    """One way to learn; made and stepped at the expense of its time, asked for free."""

    steps: int

    def step(self, progress: float) -> None:
        """Learn a little, at the share `progress` of the time."""

    def probabilities(self, photos: Pixels) -> Tensor:
        """(n, side, side, 1 or 3) -> (n, classes)."""


class Supervised(Learner):
    """The labelled photos alone, as they are."""

    strength = 0.0

    def step(self, progress: float) -> None:
        photos, labels = self.labelled(self.strength)
        self.descend(F.cross_entropy(self.logits(self.changed(photos)), labels), progress)

    def changed(self, photos: Tensor) -> Tensor:
        return photos


class Augmented(Supervised):
    """The labelled photos, each time as another phone, person and filter would change them."""

    strength = STRONG


class Noisy(Supervised):
    """The labelled photos with noise: the post's other way to make more of few."""

    def changed(self, photos: Tensor) -> Tensor:
        amount = NOISE * torch.rand(len(photos), 1, 1, 1, generator=self.random)
        return photos + amount * torch.randn(photos.shape, generator=self.random)


class FixMatch(Learner):
    """What the network is sure of on a photo, it shall say of the photo much changed, too.

    FixMatch (Sohn et al. 2020, arXiv:2001.07685), its threshold by class and following the network as in
    FreeMatch (Wang et al. 2023, arXiv:2205.07246), its guesses aligned with the classes' shares as in
    ReMixMatch (Berthelot et al. 2020, arXiv:1911.09785).
    """

    def __init__(self, task: Task) -> None:
        super().__init__(task)
        self.pool: Labels = np.arange(len(task.photos))  # rows that unlabelled photos are drawn from
        self.guessed = task.shares.clone()  # moving averages
        self.sure = torch.tensor(1 / task.classes)
        self.sure_of = torch.full((task.classes,), 1 / task.classes)

    def step(self, progress: float) -> None:
        places = self.some(UNLABELLED, len(self.pool))
        rows = self.pool[places.numpy()]
        targets, weights = self.believed(places, self.guesses(rows), progress)
        photos, labels = self.labelled(STRONG)
        logits = self.logits(torch.cat([photos, self.views(rows, STRONG)]))
        loss = F.cross_entropy(logits[: len(photos)], labels)
        loss = loss + weighted_cross_entropy(logits[len(photos) :], targets, weights)
        self.descend(loss, progress)

    @torch.no_grad()
    def guesses(self, rows: Labels) -> Tensor:
        """(n, classes), aligned with the classes' shares."""
        found = self.logits(self.views(rows, WEAK)).softmax(1)
        self.guessed.lerp_(found.mean(dim=0), 0.05)
        aligned = found * self.task.shares / self.guessed
        return aligned / aligned.sum(dim=1, keepdim=True)

    def believed(self, places: Tensor, guesses: Tensor, progress: float) -> tuple[Tensor, Tensor]:
        """Targets of the pool's photos, and what each weighs: 1 above its class's threshold, and else 0."""
        surest, classes = guesses.max(dim=1)
        self.sure = torch.lerp(self.sure, surest.mean(), 0.05)
        self.sure_of.lerp_(guesses.mean(dim=0), 0.05)
        least = self.sure * self.sure_of / self.sure_of.max()
        return classes, (surest > least[classes]).float()


class Neighbours(FixMatch):
    """Labels are first spread over photos that look alike; then the network learns from these and itself.

    Spread once before the first step by outlines, later by what the network sees (as Iscen et al. 2019,
    arXiv:1904.04717, do each epoch).
    """

    AGAIN = (0.35, 0.6)
    OWN = 0.5

    def __init__(self, task: Task) -> None:
        super().__init__(task)
        known = torch.from_numpy(task.labelled)
        others = torch.randperm(len(task.photos), generator=self.random)
        others = others[~torch.isin(others, known)][: max(0, GRAPH - len(known))]
        self.pool = torch.cat([known, others]).numpy()
        self.again = list(self.AGAIN)
        self.spread(outlines(task.photos[self.pool]))

    def spread(self, features: Tensor) -> None:
        """Labels of the pool, from those of its first photos."""
        known = torch.arange(len(self.labels))
        self.likely = spread(directions(features), known, self.labels, self.task.shares)
        two = self.likely.topk(2).values
        margins = two[:, 0] - two[:, 1]
        # Of the surer half nearly all are right, of the rest many are not.
        self.certain = (margins / margins.median().clamp(min=1e-6)).clamp(max=1)

    def step(self, progress: float) -> None:
        if self.again and progress >= self.again[0]:
            self.again.pop(0)
            self.spread(self.seen())
        super().step(progress)

    @torch.inference_mode()
    def seen(self) -> Tensor:
        """(n, features) of the pool, by the average."""
        with half_bits():
            parts = [
                self.averaged.look(self.views(rows, 0)).float()
                for rows in np.array_split(self.pool, math.ceil(len(self.pool) / 500))
            ]
        return torch.cat(parts)

    def believed(self, places: Tensor, guesses: Tensor, progress: float) -> tuple[Tensor, Tensor]:
        own = min(1.0, progress / 0.5) * self.OWN
        both = self.likely[places] ** (1 - own) * guesses**own
        both = both / both.sum(dim=1, keepdim=True).clamp(min=1e-12)
        return both, self.certain[places]
