"""What training minimises: losses that pull photos of a dress together, and those of single photos.

Metric losses and miners come from pytorch-metric-learning (Musgrave et al. 2020, arXiv:2008.09164).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from pytorch_metric_learning import losses, miners
from torch import Tensor, nn

from ml.training_set import NO_DRESS, UNKNOWN

TEMPERATURE = 0.1
METRIC_LOSSES = ("ntxent", "multi-similarity", "proxy-anchor", "arcface")


def metric_loss(name: str, dresses: int, dimensions: int) -> nn.Module:
    """The loss called `name`, for `dresses` classes; its parameters, if any, are trained along.

    Called with vectors of catalogue photos (n, d), of other photos of the same dresses (m, d), and the
    dresses (n,) and (m,), it gives a number.
    """
    if name == "ntxent":
        return CatalogueAndStreet()
    if name == "multi-similarity":
        loss = losses.MultiSimilarityLoss(alpha=2, beta=50, base=0.5)
        return AllPhotos(loss, miners.MultiSimilarityMiner(epsilon=0.1))
    if name == "proxy-anchor":
        return AllPhotos(losses.ProxyAnchorLoss(dresses, dimensions, margin=0.1, alpha=32))
    if name == "arcface":
        return AllPhotos(losses.ArcFaceLoss(dresses, dimensions, margin=17, scale=24))
    raise ValueError(f"no metric loss {name!r}; expected one of {', '.join(METRIC_LOSSES)}")


class CatalogueAndStreet(nn.Module):
    """Each photo must find its dress's catalogue photo among the batch's, and the other way round.

    InfoNCE (van den Oord et al. 2018, arXiv:1807.03748), as NT-Xent between the two kinds of photos alone:
    nobody will ever ask which of two street photos is like a third.
    """

    def __init__(self) -> None:
        super().__init__()
        self.loss = losses.NTXentLoss(TEMPERATURE)

    def forward(self, catalogue: Tensor, others: Tensor, dresses: Tensor, others_dresses: Tensor) -> Tensor:
        if (
            dresses is others_dresses
        ):  # which the library would take for one set of photos, compared with itself
            others_dresses = dresses.clone()
        there = self.loss(others, others_dresses, ref_emb=catalogue, ref_labels=dresses)
        back = self.loss(catalogue, dresses, ref_emb=others, ref_labels=others_dresses)
        total: Tensor = there + back
        return total


class AllPhotos(nn.Module):
    """A loss over all photos of a batch, whatever their kind."""

    def __init__(self, loss: nn.Module, miner: nn.Module | None = None) -> None:
        super().__init__()
        self.loss, self.miner = loss, miner

    def forward(self, catalogue: Tensor, others: Tensor, dresses: Tensor, others_dresses: Tensor) -> Tensor:
        vectors, classes = torch.cat([catalogue, others]), torch.cat([dresses, others_dresses])
        mined = self.miner(vectors, classes) if self.miner else None
        total: Tensor = self.loss(vectors, classes, mined)
        return total


def not_a_dress_loss(logits: Tensor, dresses: Tensor) -> Tensor:
    """Cross-entropy of the not-a-dress logits (n,)."""
    return F.binary_cross_entropy_with_logits(logits, (dresses == NO_DRESS).float())


def attribute_loss(logits: list[Tensor], attributes: Tensor) -> Tensor:
    """Mean cross-entropy over attributes, each (n, values), where `attributes` (n, a) are known."""
    found = [
        F.cross_entropy(values, truth, ignore_index=UNKNOWN, label_smoothing=0.05)
        for values, truth in zip(logits, attributes.T, strict=True)
        if bool((truth != UNKNOWN).any())
    ]
    return torch.stack(found).mean() if found else torch.zeros(())
