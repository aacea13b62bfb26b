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
from ml.scarce.learner import STRONG, WEAK, Learner, Task, half_bits
from ml.scarce.neighbour_labels import directions, outlines, spread, sureness
from ml.scarce.photo_sets import Labels

BESIDE, UNLABELLED = 16, 48  # labelled and other photos in a step
NOISE = 0.5  # in the range that ml.photos.normalise makes, of 4: an eighth of black to white
GRAPH = 6_000  # photos at most over which labels are spread
AGAIN = 1_500  # steps after which they are spread anew
NEVER = 1e-3  # the least that neighbours say of any class: they may be wrong
OWN = 0.5  # part that the network's guesses have in the end in what it is taught


class Method(Protocol):
    """One way to learn; made and stepped at the expense of its time, asked for free."""

    @property
    def steps(self) -> int:
        """So far."""

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
        self.guessed = task.shares.clone()  # moving averages
        self.sure = torch.tensor(1 / task.classes)
        self.sure_of = torch.full((task.classes,), 1 / task.classes)

    def step(self, progress: float) -> None:
        rows = self.unlabelled(UNLABELLED)
        self.agree(rows, self.guesses(rows), progress)

    def agree(self, rows: Labels, guesses: Tensor, progress: float) -> None:
        """Labelled photos are called what they are; those of `rows`, much changed, what is guessed."""
        classes, weights = self.trusted(guesses)
        photos, labels = self.labelled(STRONG, BESIDE)
        logits = self.logits(torch.cat([photos, self.views(rows, STRONG)]))
        loss = F.cross_entropy(logits[: len(photos)], labels)
        others = F.cross_entropy(logits[len(photos) :], classes, reduction="none")
        loss = loss + (weights * others).mean()  # over all of them, whatever they weigh
        self.descend(loss, progress)

    @torch.no_grad()
    def guesses(self, rows: Labels) -> Tensor:
        """(n, classes), aligned with the classes' shares."""
        return self.aligned(self.logits(self.views(rows, WEAK)).softmax(1))

    def aligned(self, guesses: Tensor) -> Tensor:
        """(n, classes), so that over many photos each class is guessed as often as it occurs."""
        self.guessed.lerp_(guesses.mean(dim=0), 0.05)
        found = guesses * self.task.shares / self.guessed
        return found / found.sum(dim=1, keepdim=True)

    def trusted(self, guesses: Tensor) -> tuple[Tensor, Tensor]:
        """The likeliest class of each photo, and its weight: 1 above the class's threshold, and else 0."""
        surest, classes = guesses.max(dim=1)
        self.sure = torch.lerp(self.sure, surest.mean(), 0.05)
        self.sure_of.lerp_(guesses.mean(dim=0), 0.05)
        least = self.sure * self.sure_of / self.sure_of.max()
        return classes, (surest > least[classes]).float()


class LookAlikes(FixMatch):
    """Labels are spread over photos that look alike by outlines, before the first step."""

    def __init__(self, task: Task) -> None:
        super().__init__(task)
        known = torch.from_numpy(task.labelled)
        others = torch.randperm(len(task.photos), generator=self.random)
        others = others[~torch.isin(others, known)][: max(0, GRAPH - len(known))]
        self.pool = torch.cat([known, others]).numpy()
        self.spread(outlines(task.photos[self.pool]))

    def spread(self, features: Tensor) -> None:
        """Labels of the pool, from those of its first photos."""
        known = torch.arange(len(self.labels))
        self.likely = spread(directions(features), known, self.labels, self.task.shares)


class Neighbours(LookAlikes):
    """Labels are first spread over photos that look alike; then the network learns from these and itself.

    Every so often they are spread anew by what the network sees (as Iscen et al. 2019, arXiv:1904.04717, do
    each epoch).
    """

    def spread(self, features: Tensor) -> None:
        """Labels of the pool, and how sure each is."""
        super().spread(features)
        two = self.likely.topk(2).values
        self.certain = sureness(two[:, 0] - two[:, 1])

    def step(self, progress: float) -> None:
        if self.steps and self.steps % AGAIN == 0:
            self.spread(self.seen())
        places = self.certain.multinomial(UNLABELLED, replacement=True, generator=self.random)
        photos, labels = self.labelled(STRONG, BESIDE)
        # There are enough of the others to learn from them nearly as they are.
        logits = self.logits(torch.cat([photos, self.views(self.pool[places.numpy()], WEAK)]))
        loss = F.cross_entropy(logits[: len(photos)], labels)
        loss = loss + F.cross_entropy(logits[len(photos) :], self.believed(places, progress))
        self.descend(loss, progress)

    def believed(self, places: Tensor, progress: float) -> Tensor:
        """(n, classes): what neighbours say and, from half of the time on, more and more the network."""
        own = OWN * min(1.0, max(0.0, 4 * progress - 2))
        if not own:
            return self.likely[places]
        both = self.likely[places] ** (1 - own) * self.guesses(self.pool[places.numpy()]) ** own
        return both / both.sum(dim=1, keepdim=True).clamp(min=1e-12)

    @torch.inference_mode()
    def seen(self) -> Tensor:
        """(n, features) of the pool, by the average."""
        parts = np.array_split(self.pool, math.ceil(len(self.pool) / 500))
        with half_bits():
            return torch.cat([self.averaged.look(self.views(rows, 0)).float() for rows in parts])


class FixMatchNeighbours(LookAlikes):
    """FixMatch, but a guess is the product of two opinions that err in different places.

    The network's (its average's) is multiplied with that of the photos that look alike by outlines, as the
    opinions of experts are who know different things (Hinton 2002, "Training Products of Experts").
    """

    def step(self, progress: float) -> None:
        places = self.some(UNLABELLED, len(self.pool))
        rows = self.pool[places.numpy()]
        self.agree(rows, self.aligned(self.product(rows, places)), progress)

    @torch.no_grad()
    def product(self, rows: Labels, places: Tensor) -> Tensor:
        """(n, classes) of the photos at these places of the pool."""
        with half_bits():
            found = self.averaged(self.views(rows, WEAK)).float().softmax(1)
        both: Tensor = found * self.likely[places].clamp(min=NEVER)
        return both / both.sum(dim=1, keepdim=True)
