"""Why a dress is recommended to somebody: the one of their dresses that speaks most for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

import numpy as np

from recommend.ratings import Floats, Ints
from recommend.recommender import Recommender
from recommend.shelf import Shelved

LIKED_FROM = 1.5  # a rating; a dress that somebody found worse, or saw once long ago, speaks for no other
LOOKS_LIKE = 0.5  # cosine of two dresses' photos from which on we say that they look alike


class Kind(StrEnum):
    OPENED_LOOK = "opened_look"  # LIKED, where what they did was to open a look
    LIKED = "liked"
    LOOKS_LIKE = "looks_like"
    POPULAR = "popular"
    NEW = "new"  # it has a place of its own; with a seed, it looks like it


class Because(NamedTuple):
    kind: Kind
    item: int | None = None  # of the shopper's own


class Liked(NamedTuple):
    """What of the shopper's own may speak for another."""

    items: list[int]
    alike: Ints  # (items, ALIKE) as `Shelved` has them
    weights: Floats


def why(
    shopper: Recommender, shelved: Shelved, ratings: Mapping[int, float], items: Sequence[int]
) -> list[Because]:
    """A reason for each item, from the shopper's own ratings by item."""
    own = speaking(ratings)
    liked = Liked(own, np.array(shelved.alike[own]), np.array(shelved.alike_weights[own]))
    return [_why(shopper, shelved, liked, item) for item in items]


def speaking(ratings: Mapping[int, float]) -> list[int]:
    """What of the shopper's own may speak for others."""
    return sorted(item for item, rating in ratings.items() if rating >= LIKED_FROM)


def _why(shopper: Recommender, shelved: Shelved, liked: Liked, item: int) -> Because:
    seed = _liked_alike(liked, item)
    if seed is None:  # asking the method takes longer
        told = (each.item for each in shopper.explain(0, item) if each.weight > 0)
        seed = next((own for own in told if own in liked.items), None)
    if seed is not None:
        return Because(Kind.LIKED, seed)
    seed = looks_alike(shelved, liked.items, shelved.looks[item])
    return Because(Kind.POPULAR) if seed is None else Because(Kind.LOOKS_LIKE, seed)


def _liked_alike(liked: Liked, item: int) -> int | None:
    """Of those to which it is among the most alike, the one to which it is most so."""
    weights = np.where(liked.alike == item, liked.weights, 0).max(axis=1, initial=0)
    return liked.items[int(weights.argmax())] if weights.any() else None


def looks_alike(shelved: Shelved, liked: list[int], vector: Floats) -> int | None:
    """Of those liked, the one whose photos are most alike, if it is enough to say so."""
    if not liked or not shelved.looks.shape[1]:
        return None
    cosines = shelved.looks[liked] @ vector
    best = int(cosines.argmax())
    return liked[best] if cosines[best] >= LOOKS_LIKE else None
