"""Labels spread over photos that look alike, before any network has learnt anything.

A photo's neighbours are found by the directions of its edges (histograms of oriented gradients; Dalal &
Triggs 2005) and its shades; labels flow along them (Zhou et al. 2004, "Learning with Local and Global
Consistency").
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
import torch
import torch.nn.functional as F
from torch import Tensor

from ml.photos import Pixels

Matrix = npt.NDArray[np.float32]
DIRECTIONS, CELLS, SHADES = 8, 8, 16
NEIGHBOURS, KEPT, TURNS = 6, 0.95, 40
TOGETHER = 256  # classes, so that memory holds them whatever their number
COMPONENTS = 96
PART = 200  # photos at a time: what is larger than a cache costs more than its arithmetic
SHARPNESS = 8  # the power of a cosine that is an edge's weight
WHITENED = 0.5  # 0 leaves components their spread, 1 makes them equal


def outlines(photos: Pixels) -> Tensor:
    """(n, s, s, 1 or 3) -> (n, f): a histogram of directions in each of 8 x 8 cells, and a small picture."""
    found = []
    for start in range(0, len(photos), PART):
        batch = torch.from_numpy(np.ascontiguousarray(photos[start : start + PART])).float().div_(255)
        found.append(_outlines(batch.permute(0, 3, 1, 2)))
    return torch.cat(found)


def _outlines(batch: Tensor) -> Tensor:
    grey = F.pad(batch.mean(dim=1), (1, 1, 1, 1), mode="replicate")
    x, y = grey[:, 1:-1, 2:] - grey[:, 1:-1, :-2], grey[:, 2:, 1:-1] - grey[:, :-2, 1:-1]
    length, angle = torch.hypot(x, y), torch.atan2(y, x) * (DIRECTIONS / (2 * torch.pi)) % DIRECTIONS
    half = DIRECTIONS / 2
    shares = [
        length * (1 - ((angle - each + half) % DIRECTIONS - half).abs()).clamp(min=0)
        for each in range(DIRECTIONS)
    ]
    edges = F.adaptive_avg_pool2d(torch.stack(shares, dim=1), CELLS).sqrt().flatten(1)
    shades = F.adaptive_avg_pool2d(batch, SHADES).flatten(1)
    return torch.cat([F.normalize(edges, dim=1), 0.5 * F.normalize(shades, dim=1)], dim=1)


def directions(features: Tensor) -> Tensor:
    """(n, f) -> (n, at most 96) unit vectors: the principal components."""
    centred = features - features.mean(dim=0)
    _, _, axes = torch.svd_lowrank(centred, min(COMPONENTS, *centred.shape))
    found = centred @ axes
    return F.normalize(found / found.std(dim=0).clamp(min=1e-6) ** WHITENED, dim=1)


def spread(vectors: Tensor, labelled: Tensor, labels: Tensor, shares: Tensor) -> Tensor:
    """Unit vectors (n, d), labels (m,) of the rows `labelled` -> probabilities (n, k) of all rows.

    `shares` (k,) are how often each class occurs: without them, the class with the densest neighbourhood
    would take its neighbours' photos (class mass normalisation; Zhu et al. 2003).
    """
    mass = _flowed(_graph(vectors), labelled, labels, shares)
    certain: Tensor = mass / mass.sum(dim=1, keepdim=True).clamp(min=1e-12)
    return certain.where(mass.sum(dim=1, keepdim=True) > 0, shares)


def likeliest(
    vectors: Tensor,
    labelled: Tensor,
    labels: Tensor,
    classes: int,
    weighed: Callable[[Tensor, slice], Tensor] = lambda mass, _: mass,
) -> tuple[Tensor, Tensor]:
    """As `spread`, of many classes, equally frequent: the likeliest (n,), and its margin (n,) in 0..1.

    The margin is the likeliest class's probability less the second's; 0 where no label has come. `weighed`
    makes of how much of some classes' labels reaches each photo (n, some), by column 1 / n on average, what
    counts instead.
    """
    graph, count = _graph(vectors), len(vectors)
    best, second, total = torch.zeros(count), torch.zeros(count), torch.zeros(count)
    found = torch.zeros(count, dtype=torch.int64)
    for start in range(0, classes, TOGETHER):
        stop = min(start + TOGETHER, classes)
        here = (labels >= start) & (labels < stop)
        mass = _flowed(graph, labelled[here], labels[here] - start, torch.ones(stop - start))
        mass = weighed(mass, slice(start, stop))
        total += mass.sum(dim=1)
        two = torch.cat([mass, torch.zeros(count, 1)], dim=1).topk(2)
        found = torch.where(two.values[:, 0] > best, start + two.indices[:, 0], found)
        ranked = torch.stack([best, second, *two.values.T]).sort(dim=0, descending=True).values
        best, second = ranked[0], ranked[1]
    return found, (best - second) / total.clamp(min=1e-12)


def sureness(margins: Tensor) -> Tensor:
    """How often a photo is to be drawn (n,), in 0..1, by its margin: the surer half always.

    Of these nearly all labels are right, of the rest many are not.
    """
    return (margins / margins.median().clamp(min=1e-6)).clamp(max=1)


def _flowed(graph: sp.csr_matrix, labelled: Tensor, labels: Tensor, shares: Tensor) -> Tensor:
    """How much of each class's label reaches each photo (n, k), the classes' sums being their shares."""
    known = np.zeros((graph.shape[0], len(shares)), np.float32)
    known[labelled.numpy(), labels.numpy()] = 1
    flowed = known.copy()
    for _ in range(TURNS):
        flowed = KEPT * (graph @ flowed) + (1 - KEPT) * known
    mass = torch.from_numpy(flowed)
    return mass / mass.sum(dim=0).clamp(min=1e-12) * shares


def _graph(vectors: Tensor) -> sp.csr_matrix:
    """Each photo's nearest others, both ways, the weights normalised: (n, n)."""
    count, near = len(vectors), min(NEIGHBOURS, len(vectors) - 1)
    cosines, places = [], []
    for start in range(0, count, PART):
        part = vectors[start : start + PART] @ vectors.T
        part[torch.arange(len(part)), start + torch.arange(len(part))] = -1
        best = part.topk(near)
        cosines.append(best.values)
        places.append(best.indices)
    weights = torch.cat(cosines).clamp(min=1e-3).pow(SHARPNESS).flatten().numpy()
    rows = np.repeat(np.arange(count), near)
    graph = sp.csr_matrix((weights, (rows, torch.cat(places).flatten().numpy())), (count, count))
    graph = graph + graph.T
    scale = sp.diags(1 / np.sqrt(np.asarray(graph.sum(axis=1)).ravel()))
    return (scale @ graph @ scale).tocsr().astype(np.float32)
