"""A list that is not the same dress eight times."""

from __future__ import annotations

import numpy as np

from recommend.ratings import Floats, Ints


def spread(scores: Floats, looks: Floats, n: int, weight: float) -> Ints:
    """n of the candidates (m,), best first, each unlike those before it: (min(n, m),) their numbers.

    Maximal marginal relevance (Carbonell and Goldstein 1998): the next is the one with the largest
    (1 - weight) x relevance - weight x its largest cosine with those chosen. Relevance is the score, brought
    to 0..1 over the candidates; `looks` (m, d) are unit vectors, or zeros for what no photo is known of.
    """
    left = np.ones(len(scores), bool)
    relevance = _from_0_to_1(scores)
    nearest, chosen = np.zeros(len(scores), np.float32), list[int]()
    while len(chosen) < min(n, len(scores)):
        value = (1 - weight) * relevance - weight * nearest
        best = int(np.argmax(np.where(left, value, -np.inf)))
        chosen.append(best)
        left[best] = False
        nearest = np.maximum(nearest, looks @ looks[best])
    return np.array(chosen, np.int64)


def _from_0_to_1(scores: Floats) -> Floats:
    low, high = scores.min(initial=np.inf), scores.max(initial=-np.inf)
    return (scores - low) / (high - low) if high > low else np.ones_like(scores)
