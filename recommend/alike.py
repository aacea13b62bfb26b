"""How alike rows are: of sparse ratings, users or items, by sparse products; of vectors, by cosine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from recommend.ratings import Floats, rows_of
from recommend.recommender import Recommendation, top

Similarity = Literal["cosine", "pearson"]
Over = Literal["all", "common"]
Numbers = npt.NDArray[np.float64]

LEAST = 1e-5  # a likeness that is not rounding
COLUMNS = 500  # of a number for each pair of items, computed at a time


@dataclass(frozen=True)
class Likeness:
    """Of two rows of centred ratings.

    Cosine or Pearson's correlation, over what both have rated, or over `all`: there, what only one of them
    has rated counts as 0, as like as not, and makes them less alike (Pearson's means are each row's own).
    """

    similarity: Similarity
    over: Over
    shrinkage: float  # n in common count n / (n + shrinkage)
    min_overlap: int  # fewer in common, and nothing is known

    def prepared(self, rows: csr_array) -> csr_array:
        """The rows as they are compared; over all, each of length 1, or 0."""
        if self.over == "common":
            return rows
        count, row_of = rows.shape[0], rows_of(rows)
        values = rows.data.astype(np.float64)
        if self.similarity == "pearson":
            values -= (np.bincount(row_of, values, count) / np.maximum(np.diff(rows.indptr), 1))[row_of]
        lengths = np.sqrt(np.bincount(row_of, values**2, count))
        values /= np.where(lengths > LEAST, lengths, np.inf)[row_of]
        return _with(rows, values.astype(np.float32))

    def between(self, rows: csr_array, others: csr_array) -> Floats:
        """(rows, others) -inf where nothing is known. Both prepared, and `others` transposed."""
        likeness = _product(rows, others) if self.over == "all" else self._over_common(rows, others)
        if self.shrinkage or self.min_overlap > 1:
            common = _product(_with(rows), _with(others))
            few = common < max(self.min_overlap, 1)
            likeness[few] = 0  # -inf times 0 is nothing
            likeness *= common / np.maximum(common + self.shrinkage, 1)
            likeness[few] = -np.inf
        return np.asarray(likeness, np.float32)

    def _over_common(self, rows: csr_array, others: csr_array) -> npt.NDArray[Any]:
        rows, others = rows.astype(np.float64), others.astype(np.float64)  # the sums nearly cancel out
        there, others_there = _with(rows), _with(others)
        both = _product(rows, others)
        own = _product(_with(rows, rows.data**2), others_there)
        theirs = _product(there, _with(others, others.data**2))
        if self.similarity == "pearson":
            common = np.maximum(_product(there, others_there), 1)
            sums, other_sums = _product(rows, others_there), _product(there, others)
            both -= sums * other_sums / common
            own = _without_rounding(own, sums**2 / common)
            theirs = _without_rounding(theirs, other_sums**2 / common)
        return _ratio(both, np.sqrt(own * theirs))

    def shares(self, row: csr_array, others: csr_array) -> Numbers:
        """(others, entries of the row) how much each accounts for of a likeness above 0, to 1 in all."""
        own, theirs = row.data.astype(np.float64), others[:, row.indices]
        there, theirs = _with(theirs).toarray(), theirs.toarray().astype(np.float64)
        if self.similarity == "pearson" and self.over == "common":
            common = np.maximum(there.sum(1, keepdims=True), 1)
            theirs = theirs - theirs.sum(1, keepdims=True) / common
            own = own - (there @ own)[:, None] / common
        products = own * theirs * there
        total = products.sum(1, keepdims=True)
        return np.asarray(np.divide(products, total, out=np.zeros_like(products), where=total > 0))


def by_cosine(
    vectors: npt.NDArray[np.floating], item: int, n: int, rated: npt.NDArray[np.bool_] | None = None
) -> list[Recommendation]:
    """The n items whose vectors (items, k) lie nearest to its own, of those `rated` (items,), without itself.

    None where nobody has rated it, or it has no vector but zeros.
    """
    lengths = np.linalg.norm(vectors, axis=1)
    others = np.ones(len(vectors), np.bool_) if rated is None else rated.copy()
    if not others[item] or not lengths[item]:
        return []
    cosines = vectors @ vectors[item] / np.maximum(lengths * lengths[item], np.finfo(np.float32).tiny)
    others[item] = False
    return top(np.where(others, cosines, -np.inf)[None], n)[0]


def unit(rows: npt.NDArray[np.floating]) -> Floats:
    """Brought to length 1; what has none stays as it is."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.where(lengths > 0, lengths, 1), np.float32)


def nearest(likeness: Floats, count: int, last: bool = False) -> csr_array:
    """The `count` largest of each row, of those that are above 0; ties go to the first, or to the last."""
    if last:
        found = nearest(likeness[:, ::-1], count)
        found.indices = (likeness.shape[1] - 1 - found.indices).astype(found.indices.dtype)
        found.has_sorted_indices = False
        found.sort_indices()
        return found
    kept = likeness > LEAST
    if count < likeness.shape[1]:
        least = -np.partition(-likeness, count - 1, axis=1)[:, count - 1 : count]
        above, tied = likeness > least, likeness == least
        kept &= above | (tied & (np.cumsum(tied, axis=1) <= count - above.sum(1, keepdims=True)))
    rows, columns = np.nonzero(kept)
    starts = np.searchsorted(rows, np.arange(len(likeness) + 1))
    return csr_array((likeness[rows, columns], columns, starts), shape=likeness.shape)


def _with(rows: csr_array, values: npt.NDArray[np.generic] | None = None) -> csr_array:
    """Other values in the same places; ones unless given."""
    values = np.ones(rows.nnz, rows.dtype) if values is None else values
    return csr_array((values, rows.indices, rows.indptr), shape=rows.shape)


def _product(rows: csr_array, others: csr_array) -> npt.NDArray[Any]:
    return np.asarray((rows @ others).toarray())


def _without_rounding(squares: Numbers, of_mean: Numbers) -> Numbers:
    return np.where(squares - of_mean > 1e-9 * np.maximum(squares, 1), squares - of_mean, 0)


def _ratio(part: npt.NDArray[Any], whole: npt.NDArray[Any]) -> npt.NDArray[Any]:
    unknown = np.full(part.shape, -np.inf, part.dtype)
    return np.asarray(np.divide(part, whole, out=unknown, where=whole > 0))


def products(left: csr_array, right: csr_array) -> Iterator[tuple[slice, Numbers]]:
    """left' right, dense, some columns at a time: as a sparse matrix, a full one is thrice as large."""
    by_row, by_column = csr_array(left.T.tocsr()), right.tocsc()
    for start in range(0, right.shape[1], COLUMNS):
        columns = slice(start, min(start + COLUMNS, right.shape[1]))
        yield columns, np.asarray((by_row @ by_column[:, columns]).toarray(), np.float64)
