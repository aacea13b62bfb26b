"""Why a dress is recommended to somebody: the one of their dresses that speaks most for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

from recommend.recommender import Recommender
from recommend.shelf import Shelved

LIKED_FROM = 1.5  # a rating; a dress that somebody found worse, or saw once long ago, speaks for no other
LOOKS_LIKE = 0.5  # cosine of two dresses' photos from which on we say that they look alike


class Kind(StrEnum):
    OPENED_LOOK = "opened_look"  # LIKED, where what they did was to open a look
    LIKED = "liked"
    LOOKS_LIKE = "looks_like"
    POPULAR = "popular"


class Because(NamedTuple):
    kind: Kind
    item: int | None = None  # of the shopper's own


def why(
    shopper: Recommender, shelved: Shelved, ratings: Mapping[int, float], items: Sequence[int]
) -> list[Because]:
    """A reason for each item, from the shopper's own ratings by item."""
    liked = {item for item, rating in ratings.items() if rating >= LIKED_FROM}
    return [_why(shopper, shelved, liked, item) for item in items]


def _why(shopper: Recommender, shelved: Shelved, liked: set[int], item: int) -> Because:
    told = (reason.item for reason in shopper.explain(0, item) if reason.weight > 0)
    seed = _first(told, liked)
    if seed is None:
        seed = _first(shelved.alike[item].tolist(), liked)
    if seed is not None:
        return Because(Kind.LIKED, seed)
    seed = _looks_alike(shelved, sorted(liked), item)
    return Because(Kind.POPULAR) if seed is None else Because(Kind.LOOKS_LIKE, seed)


def _first(items: Iterable[int], liked: set[int]) -> int | None:
    return next((item for item in items if item in liked), None)


def _looks_alike(shelved: Shelved, liked: list[int], item: int) -> int | None:
    if not liked or not shelved.looks.shape[1]:
        return None
    cosines = shelved.looks[liked] @ shelved.looks[item]
    best = int(cosines.argmax())
    return liked[best] if cosines[best] >= LOOKS_LIKE else None
