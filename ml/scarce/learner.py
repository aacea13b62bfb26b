"""What all methods share: the network, its average, the optimiser, and views of photos."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ml.augmentation import street_like
from ml.embedder import Block
from ml.learner import precision
from ml.photos import Pixels, normalise, to_batch
from ml.scarce.photo_sets import Labels
from ml.train_embedder import LARGEST_GRADIENT, WEIGHT_DECAY, LossNotFinite, learning_rate

CPU = torch.device("cpu")
STRONG, WEAK = 0.5, 0.15  # of ml.augmentation.street_like
LABELLED = 32  # photos in a step
RATE = 2e-3
AVERAGED = 0.99  # of the weights' moving average


@dataclass(frozen=True)
class Task:
    """What a method may know: photos, some of which are labelled."""

    photos: Pixels  # (n, side, side, 3), or 1 channel where all are grey
    labelled: Labels  # rows of them
    labels: Labels  # of those rows
    classes: int
    seed: int

    @property
    def grey(self) -> bool:
        return int(self.photos.shape[-1]) == 1

    @property
    def shares(self) -> Tensor:
        """(classes,): what part of the labelled photos each class is."""
        return torch.from_numpy(self.labels).bincount(minlength=self.classes) / len(self.labels)


class Network(nn.Module):
    """(n, 3, s, s) normalised photos -> (n, classes) logits; residual blocks, of DeepDress's kind."""

    STEM, WIDTHS = 24, (48, 96)

    def __init__(self, classes: int) -> None:
        super().__init__()
        layers: list[nn.Module] = [
            nn.Conv2d(3, self.STEM, 3, 2, 1, bias=False),
            nn.BatchNorm2d(self.STEM),
            nn.ReLU(inplace=True),
        ]
        channels = self.STEM
        for width in self.WIDTHS:
            layers.append(Block(channels, width, 2))
            channels = width
        self.body = nn.Sequential(*layers)  # the last (n, 96, s / 8, s / 8)
        self.features = channels
        self.head = nn.Linear(channels, classes)

    def look(self, photos: Tensor) -> Tensor:
        """(n, 3, s, s) -> (n, features)."""
        found: Tensor = self.body(photos).mean(dim=(2, 3))
        return found

    def forward(self, photos: Tensor) -> Tensor:
        logits: Tensor = self.head(self.look(photos))
        return logits.float()


class Learner:
    """A network that learns, and its average, which judges (Polyak & Juditsky 1992)."""

    def __init__(self, task: Task, network: nn.Module | None = None, rate: float = RATE) -> None:
        self.task = task
        torch.manual_seed(task.seed)
        self.random = torch.Generator().manual_seed(task.seed)
        built = Network(task.classes) if network is None else network
        self.network = built.to(memory_format=torch.channels_last).train()  # type: ignore[call-overload]
        self.averaged = copy.deepcopy(self.network).eval().requires_grad_(False)
        trained = [each for each in self.network.parameters() if each.requires_grad]
        self.optimiser = torch.optim.AdamW(trained, rate, weight_decay=WEIGHT_DECAY)
        self.rate, self.steps = rate, 0
        self.labels = torch.from_numpy(task.labels)

    # Photos

    def views(self, rows: Labels, strength: float) -> Tensor:
        """(n, 3, s, s) normalised, as phones, people and filters would change them; 0: as they are."""
        photos = to_batch(self.task.photos[rows])
        if self.task.grey:
            photos = photos.expand(-1, 3, -1, -1)
        if strength:
            photos = street_like(photos.contiguous(), photos.shape[-1], self.random, strength)
            if self.task.grey:  # a colour cast would tell nothing: no photo has colours
                photos = photos.mean(dim=1, keepdim=True).expand(-1, 3, -1, -1)
        return normalise(photos)

    def some(self, count: int, of: int) -> Tensor:
        """Places (count,) of `of`, at random."""
        return torch.randint(of, (count,), generator=self.random)

    def labelled(self, strength: float, count: int = LABELLED) -> tuple[Tensor, Tensor]:
        """Views of labelled photos and their labels."""
        chosen = self.some(count, len(self.labels))
        return self.views(self.task.labelled[chosen.numpy()], strength), self.labels[chosen]

    def unlabelled(self, count: int) -> Labels:
        """Rows of any photos."""
        rows: Labels = self.some(count, len(self.task.photos)).numpy()
        return rows

    # Learning

    def logits(self, photos: Tensor) -> Tensor:
        with half_bits():
            found: Tensor = self.network(photos)
        return found.float()

    def descend(self, loss: Tensor, progress: float) -> None:
        """One step, at the share `progress` in 0..1 of the time. Raises LossNotFinite."""
        if not torch.isfinite(loss):
            where = f"at step {self.steps}, seed {self.task.seed}"
            raise LossNotFinite(f"{type(self).__name__} diverged: loss {loss.item()} {where}")
        for group in self.optimiser.param_groups:
            group["lr"] = self.rate * learning_rate(min(1.0, progress))
        self.optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.network.parameters(), LARGEST_GRADIENT)
        self.optimiser.step()
        self.steps += 1
        self._average()

    @torch.no_grad()
    def _average(self) -> None:
        kept = min(AVERAGED, self.steps / (self.steps + 10))
        for average, now in zip(self.averaged.parameters(), self.network.parameters(), strict=True):
            average.lerp_(now, 1 - kept)
        for average, now in zip(self.averaged.buffers(), self.network.buffers(), strict=True):
            if average.is_floating_point():
                average.lerp_(now, 1 - kept)

    @torch.inference_mode()
    def probabilities(self, photos: Pixels) -> Tensor:
        """(n, side, side, 1 or 3) -> (n, classes), by the average."""
        found = []
        for start in range(0, len(photos), 500):
            batch = to_batch(photos[start : start + 500])
            with half_bits():
                found.append(self.averaged(normalise(batch.expand(-1, 3, -1, -1))).float().softmax(1))
        return torch.cat(found)


def half_bits() -> torch.autocast:
    """bfloat16 where the processor multiplies it."""
    return torch.autocast("cpu", torch.bfloat16, enabled=precision("auto", CPU) == torch.bfloat16)


@contextmanager
def statistics_kept(network: nn.Module) -> Iterator[None]:
    """Batches normalised by their own statistics that are not remembered: those of dreams, for instance."""
    norms = [each for each in network.modules() if isinstance(each, (nn.BatchNorm1d, nn.BatchNorm2d))]
    momenta = [each.momentum for each in norms]
    for each in norms:
        each.momentum = 0.0
    try:
        yield
    finally:
        for each, momentum in zip(norms, momenta, strict=True):
            each.momentum = momentum
