"""The post's recipe: a network that has seen many other photos, its first layers frozen, the rest taught."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ml import checkpoint
from ml.embedder import Embedder
from ml.name import SHIPPED
from ml.scarce.learner import STRONG, Learner, Task

SIDE = 64  # pixels that its network is shown: with 32 its last maps are 2 x 2
FROZEN = 4  # of its body's 5 parts


class WithHead(nn.Module):
    """DeepDress's network below its pooling, and a head for these classes."""

    def __init__(self, body: Embedder, classes: int) -> None:
        super().__init__()
        self.body = body
        self.body.requires_grad_(False)
        for part in (*self.body.parts()[FROZEN:], self.body.pools):
            part.requires_grad_(True)
        self.head = nn.Sequential(nn.BatchNorm1d(body.features), nn.Linear(body.features, classes))

    def train(self, mode: bool = True) -> WithHead:
        super().train(mode)
        for part in self.body.parts()[:FROZEN]:  # the statistics of their batch norms stay, too
            part.eval()
        return self

    def look(self, photos: Tensor) -> Tensor:
        """(n, 3, s, s) -> (n, features), not normalised: that would hide the mean of a batch."""
        return self.body.look(F.interpolate(photos, size=(SIDE, SIDE), mode="bilinear"))

    def forward(self, photos: Tensor) -> Tensor:
        logits: Tensor = self.head(self.look(photos))
        return logits.float()


def begun_as_deepdress(task: Task) -> WithHead:
    """Raises CheckpointRefused."""
    torch.manual_seed(task.seed)
    return WithHead(checkpoint.load(SHIPPED).network, task.classes)


class Transfer(Learner):
    """The labelled photos, augmented, teach the last stage and a head. The network is another one."""

    def __init__(self, task: Task) -> None:
        super().__init__(task, begun_as_deepdress(task))

    def step(self, progress: float) -> None:
        photos, labels = self.labelled(STRONG)
        self.descend(F.cross_entropy(self.logits(photos), labels), progress)
