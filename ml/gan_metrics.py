"""How like two sets of photos are, by features of them (n, d), in plain numpy.

Which features decides what the figures mean: ours are DeepDress's, so that they compare with each other and
not with those of papers, which take Inception's.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Features = npt.NDArray[np.float64]
BLOCK = 1024  # rows whose distances are held at once


def frechet_distance(real: npt.ArrayLike, fake: npt.ArrayLike) -> float:
    """Between two normal distributions with the sets' means and covariances (FID; Heusel et al. 2017,
    arXiv:1706.08500). 0 for equal sets; few photos make it larger. nan with fewer than 2 rows in either."""
    a, b = _rows(real), _rows(fake)
    if min(len(a), len(b)) < 2:
        return float("nan")
    root = _root(np.atleast_2d(np.cov(a, rowvar=False)))
    other = np.atleast_2d(np.cov(b, rowvar=False))
    # The trace of the root of a product of covariances, by a symmetric matrix of the same eigenvalues.
    shared = np.sqrt(np.linalg.eigvalsh(root @ other @ root).clip(0)).sum()
    apart = float(((a.mean(axis=0) - b.mean(axis=0)) ** 2).sum())
    return max(0.0, apart + float((root * root).sum() + np.trace(other) - 2 * shared))


def kernel_distance(real: npt.ArrayLike, fake: npt.ArrayLike) -> float:
    """Squared maximum mean discrepancy under (x·y / d + 1)³ (KID; Bińkowski et al. 2018, arXiv:1801.01401).

    Unbiased however few photos there are, so that it may fall below 0. nan with fewer than 2 rows in either.
    """
    a, b = _rows(real), _rows(fake)
    if min(len(a), len(b)) < 2:
        return float("nan")
    return _among(a) + _among(b) - 2 * _kernel_sum(a, b) / (len(a) * len(b))


class Manifold(NamedTuple):
    """Shares in 0..1 (Kynkäänniemi et al. 2019, arXiv:1904.06991)."""

    precision: float  # of dreams that lie among real photos: how good they are
    recall: float  # of real photos that lie among dreams: how many kinds of them are dreamt


def manifold(real: npt.ArrayLike, fake: npt.ArrayLike, k: int = 3) -> Manifold:
    """A row lies among others if it is nearer to one of them than that one's k-th nearest is.

    nan where a set has no more than k rows.
    """
    a, b = _rows(real), _rows(fake)
    if min(len(a), len(b)) <= k:
        return Manifold(float("nan"), float("nan"))
    return Manifold(_among_share(a, b, k), _among_share(b, a, k))


def nearest(queries: npt.ArrayLike, among: npt.ArrayLike) -> tuple[npt.NDArray[np.int64], Features]:
    """For each query (m,) the place of the nearest row, and its distance. Raises ValueError without rows."""
    a, b = _rows(queries), _rows(among)
    if not len(b):
        raise ValueError("nothing to be near to")
    places, distances = [np.empty(0, np.int64)], [np.empty(0)]
    for start in range(0, len(a), BLOCK):
        found = _distances(a[start : start + BLOCK], b)
        places.append(found.argmin(axis=1))
        distances.append(found.min(axis=1))
    return np.concatenate(places), np.concatenate(distances)


def _rows(features: npt.ArrayLike) -> Features:
    return np.asarray(features, np.float64)


def _root(covariance: Features) -> Features:
    values, vectors = np.linalg.eigh(covariance)
    root: Features = (vectors * np.sqrt(values.clip(0))) @ vectors.T
    return root


def _kernel(products: Features, dimensions: int) -> Features:
    kernel: Features = (products / dimensions + 1) ** 3
    return kernel


def _kernel_sum(a: Features, b: Features) -> float:
    """Over all pairs of rows."""
    parts = (a[start : start + BLOCK] @ b.T for start in range(0, len(a), BLOCK))
    return sum(float(_kernel(part, a.shape[1]).sum()) for part in parts)


def _among(a: Features) -> float:
    """The mean over pairs of different rows."""
    with_themselves = float(_kernel((a * a).sum(axis=1), a.shape[1]).sum())
    return (_kernel_sum(a, a) - with_themselves) / (len(a) * (len(a) - 1))


def _distances(a: Features, b: Features) -> Features:
    squares = (a * a).sum(axis=1)[:, None] + (b * b).sum(axis=1) - 2 * a @ b.T
    distances: Features = np.sqrt(squares.clip(0))
    return distances


def _among_share(others: Features, queries: Features, k: int) -> float:
    radii = np.concatenate(
        [
            np.partition(_distances(others[start : start + BLOCK], others), k, axis=1)[:, k]
            for start in range(0, len(others), BLOCK)
        ]
    )
    inside = [
        (_distances(queries[start : start + BLOCK], others) <= radii).any(axis=1)
        for start in range(0, len(queries), BLOCK)
    ]
    return float(np.concatenate(inside).mean())
