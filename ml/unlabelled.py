"""Photos that nobody has named, in the training of DeepDress: they get the dress on which two opinions agree.

The one is that of the photos that they look like: names spread from labelled photos to their neighbours in
the network's own vectors (Iscen et al. 2019, arXiv:1904.04717, who do so for classes). The other is the
network's of the photo alone: which dress's catalogue photos it is near. They are multiplied, as the opinions
of experts are who know different things (Hinton 2002, "Training Products of Experts"), and as in
ml.scarce.methods.FixMatchNeighbours, the best of the ways that docs/scarce-labels.md compares.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from ml import losses
from ml.batches import Batches, Places
from ml.embedder import Embedder
from ml.evaluation import embed_rows
from ml.manifest import UNLABELLED
from ml.scarce.neighbour_labels import likeliest, sureness

LEAST = 0.05  # of how sure a name is that anybody is told
TEMPERATURE = losses.TEMPERATURE  # of the network's own opinion
NEVER = 0.01  # the least that look-alikes say of a dress, as a part of what they say on average


class Names(NamedTuple):
    """Of all photos that nobody has named, in the training set's order."""

    classes: Places  # (m,) places in Batches.dresses
    sure: npt.NDArray[np.float64]  # (m,) in 0..1; 0 is no name


def names(network: Embedder, batches: Batches, device: torch.device, side: int) -> Names:
    """What labelled photos, and what `network` sees in photos of `side` pixels, say of the others."""
    data = batches.data
    known, others = data.rows("train"), data.rows(UNLABELLED, dress=False)
    seen, logits = embed_rows(network, data, np.concatenate([known, others]), device, side)
    vectors = torch.from_numpy(seen)
    labels = torch.from_numpy(np.searchsorted(batches.dresses, data.dress[known]))
    catalogue = [vectors[np.searchsorted(known, rows)] for rows in batches.catalogue]
    found, sure = agreed(vectors, labels, F.normalize(torch.stack([each.mean(dim=0) for each in catalogue])))
    shows_one = logits[len(known) :] < 0
    sure = np.where(shows_one & (sure > LEAST), sure, 0.0)
    return Names(found, sure)


def agreed(vectors: Tensor, labels: Tensor, catalogue: Tensor) -> tuple[Places, npt.NDArray[np.float64]]:
    """Unit vectors (k + m, d), labels (k,) of the first of them, unit vectors of the dresses (c, d).

    Of the m others: the dress (m,) that look-alikes and catalogue make likeliest, how sure it is (m,).
    """

    def product(reached: Tensor, some: slice) -> Tensor:  # (k + m, some) of the dresses
        own = torch.exp(vectors @ catalogue[some].T / TEMPERATURE)
        return own * reached.clamp(min=NEVER / len(vectors))

    count = len(labels)
    found, margins = likeliest(vectors, torch.arange(count), labels, len(catalogue), product)
    return found[count:].numpy(), sureness(margins)[count:].double().numpy()
