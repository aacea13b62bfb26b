"""What shoppers are recommended, at request time: the live model, and what they did until a moment ago."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

import numpy as np
from django.core.cache import cache
from django.db.models import Case, Count, Max, Q, When
from django.utils import timezone

from recommend import interactions, reasons, versions
from recommend.diversify import spread
from recommend.models import Interaction, RecommenderVersion
from recommend.ratings import Floats, Ints
from recommend.reasons import Because, Kind
from recommend.recommender import ModelRefused, Recommender
from recommend.shelf import Shelved, take
from verify.models import Dress, Look

POOL = 120  # candidates that a list is chosen from
# On MovieLense, genres for looks: lists a seventh more varied, P@10 .428 -> .415 (-.014 ± .017). Leaving out
# near-twins, for as much variety, costs .054.
DIVERSITY = 0.3
FAVOURITES, FAVOURITES_FOR = 1_000, 600  # dresses, and seconds that a web process goes by them

logger = logging.getLogger(__name__)


class Recommended(NamedTuple):
    dress: int  # primary keys
    kind: Kind = Kind.POPULAR
    seed: int | None = None  # the shopper's own dress that speaks for it
    look: int | None = None  # of that dress, which they opened


class Answer(NamedTuple):
    version: RecommenderVersion | None
    fallback: str  # why it is what is popular; empty where it is the shopper's own
    results: list[Recommended]


class Serving(NamedTuple):
    version: RecommenderVersion
    shelved: Shelved


class Shopper(NamedTuple):
    """What somebody did, as far as it counts now."""

    looks: dict[int, int | None]  # of each dress that they had to do with, the one that they opened
    ratings: dict[int, float]  # by columns of the model


NOBODY = Shopper({}, {})


def live() -> Serving | None:
    """The live version, its files mapped once per process. Raises ModelRefused where they are broken."""
    version = RecommenderVersion.objects.live()
    return Serving(version, _mapped(versions.folder_of(version))) if version else None


@lru_cache(maxsize=2)  # two, because a request may still be at work with the one before
def _mapped(folder: Path) -> Shelved:
    return take(folder / versions.SERVED)


def recommend(shoppers: Sequence[UUID], n: int) -> list[Answer]:
    """For each, n dresses in stock that they have had nothing to do with; fewer where there are no more."""
    try:
        serving = live()
    except ModelRefused as error:
        logger.error("What is popular serves. %s", error)
        return _popular(shoppers, n, "model_unreadable")
    if serving is None:
        return _popular(shoppers, n, "no_model")
    known = _known(shoppers, serving.shelved)
    wishes = [_wish(serving.shelved, known.get(shopper, NOBODY)) for shopper in shoppers]
    there = _there(serving.shelved, [wish.order for wish in wishes], n)
    return [_answer(serving, wish, there, n) for wish in wishes]


# Shoppers


def _opened(shoppers: Sequence[UUID]) -> dict[UUID, dict[int, int | None]]:
    look = Max(Case(When(kind=Interaction.Kind.OPEN, then="look_id")))
    rows = Interaction.objects.filter(shopper__in=shoppers).order_by().values("shopper", "dress_id")
    found: dict[UUID, dict[int, int | None]] = {}
    for shopper, dress, opened in rows.annotate(opened=look).values_list("shopper", "dress_id", "opened"):
        found.setdefault(shopper, {})[dress] = opened
    return found


def _known(shoppers: Sequence[UUID], shelved: Shelved) -> dict[UUID, Shopper]:
    opened = _opened(shoppers)
    items = sorted({str(dress) for looks in opened.values() for dress in looks} & shelved.columns.keys())
    ratings = interactions.ratings(timezone.now(), shoppers=list(opened), items=items)
    columns = [shelved.columns[item] for item in items]
    rows = {}
    for row, shopper in enumerate(ratings.users):
        begin, end = ratings.matrix.indptr[row : row + 2]
        own = (columns[item] for item in ratings.matrix.indices[begin:end].tolist())
        rows[UUID(shopper)] = dict(zip(own, ratings.matrix.data[begin:end].tolist(), strict=True))
    return {shopper: Shopper(looks, rows.get(shopper, {})) for shopper, looks in opened.items()}


# Dresses


class Wish(NamedTuple):
    """What a shopper is to be recommended, if it is in stock."""

    shopper: Shopper
    model: Recommender | None  # with them folded in; None where it is what is popular
    scores: Floats  # (items,)
    order: Ints  # items, best first, without those that they have had to do with


def _wish(shelved: Shelved, shopper: Shopper) -> Wish:
    """What is popular where the model tells no dress from another for this shopper."""
    own = [shelved.columns[str(dress)] for dress in shopper.looks if str(dress) in shelved.columns]
    if shopper.ratings:
        model = shelved.shopper(list(shopper.ratings), list(shopper.ratings.values()))
        scores = np.array(model.scores(np.array([0]))[0], np.float32)
        if scores.max() > scores.min():
            return Wish(shopper, model, scores, _order(scores, own))
    scores = np.array(shelved.fans)
    return Wish(shopper, None, scores, _order(scores, own))


def _order(scores: Floats, own: list[int]) -> Ints:
    scores[own] = -np.inf
    order = np.argsort(-scores, kind="stable")
    return order[scores[order] > -np.inf]


def _there(shelved: Shelved, orders: list[Ints], n: int) -> set[int]:
    """Items in stock: of the best few which, nearly always, are enough for everybody; else of all."""
    found = set[int]()
    for few in (POOL, None):
        items = {item for order in orders for item in order[:few].tolist()}
        dresses = {dress_of(shelved, item): item for item in items}
        found = {dresses[dress] for dress in in_stock(dresses)}
        if all(len(order) <= POOL or len(found.intersection(order[:few].tolist())) >= n for order in orders):
            break
    return found


def _answer(serving: Serving, wish: Wish, there: set[int], n: int) -> Answer:
    """The best that are in stock, those that look alike spread apart."""
    shelved, shopper = serving.shelved, wish.shopper
    kept = np.array([item for item in wish.order.tolist() if item in there][:POOL], np.int64)
    chosen = kept[spread(wish.scores[kept], shelved.looks[kept], n, DIVERSITY)].tolist()
    if wish.model is None:
        fallback = "nothing_learnt" if shopper.ratings else "nothing_known"
        return Answer(serving.version, fallback, [Recommended(dress_of(shelved, item)) for item in chosen])
    because = reasons.why(wish.model, shelved, shopper.ratings, chosen)
    results = [_recommended(shelved, shopper, *each) for each in zip(chosen, because, strict=True)]
    return Answer(serving.version, "", results)


def _recommended(shelved: Shelved, shopper: Shopper, item: int, why: Because) -> Recommended:
    dress = dress_of(shelved, item)
    if why.item is None:
        return Recommended(dress)
    seed = dress_of(shelved, why.item)
    look = shopper.looks.get(seed) if why.kind == Kind.LIKED else None
    return Recommended(dress, Kind.OPENED_LOOK if look else why.kind, seed, look)


def dress_of(shelved: Shelved, item: int) -> int:
    return int(shelved.model.known.items[item])


def in_stock(dresses: Iterable[int]) -> set[int]:
    return set(Dress.objects.in_stock().filter(pk__in=[*dresses]).values_list("pk", flat=True))


# Without a model


def _popular(shoppers: Sequence[UUID], n: int, why: str) -> list[Answer]:
    done = _opened(shoppers)
    favourites: list[int] = cache.get_or_set("recommend.favourites", _favourites, FAVOURITES_FOR)
    there = in_stock(favourites)
    best = [dress for dress in favourites if dress in there]
    left = [[dress for dress in best if dress not in done.get(shopper, {})] for shopper in shoppers]
    return [Answer(None, why, [Recommended(dress) for dress in dresses[:n]]) for dresses in left]


def _favourites() -> list[int]:
    """Those in stock that most people had to do with, then those with most looks, then the newest."""
    there = Dress.objects.in_stock()
    touched = Interaction.objects.filter(dress__in=there).order_by().values("dress")
    fans = touched.annotate(people=Count("shopper", distinct=True)).order_by("-people", "dress")
    worn = there.annotate(worn=Count("looks", filter=Q(looks__in=Look.objects.public())))
    lists = fans.values_list("dress"), worn.order_by("-worn", "-created_at", "pk").values_list("pk")
    return list(dict.fromkeys(pk for found in lists for (pk,) in found[:FAVOURITES]))
