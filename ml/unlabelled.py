"""Photos that nobody has named, in the training of DeepDress: they get the dress of those they look like.

Names spread from labelled photos to their neighbours in the network's own vectors (Iscen et al. 2019,
arXiv:1904.04717, who do so for classes), with how sure each is.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from ml.batches import Batches, Places
from ml.embedder import Embedder
from ml.evaluation import embed_rows
from ml.manifest import UNLABELLED
from ml.scarce.neighbour_labels import likeliest, sureness

LEAST = 0.05  # of how sure a name is that anybody is told


class Names(NamedTuple):
    """Of all photos that nobody has named, in the training set's order."""

    classes: Places  # (m,) places in Batches.dresses
    sure: npt.NDArray[np.float64]  # (m,) in 0..1; 0 is no name


def names(network: Embedder, batches: Batches, device: torch.device, side: int) -> Names:
    """What labelled photos, and what `network` sees in photos of `side` pixels, say of the others."""
    data = batches.data
    known, others = data.rows("train"), data.rows(UNLABELLED, dress=False)
    vectors, logits = embed_rows(network, data, np.concatenate([known, others]), device, side)
    labels = torch.from_numpy(np.searchsorted(batches.dresses, data.dress[known]))
    found, margins = likeliest(
        torch.from_numpy(vectors), torch.arange(len(known)), labels, len(batches.dresses)
    )
    sure = sureness(margins[len(known) :]).double().numpy()
    shows_one = logits[len(known) :] < 0
    return Names(found[len(known) :].numpy(), np.where(shows_one & (sure > LEAST), sure, 0.0))
