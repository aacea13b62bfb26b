"""What shoppers are recommended, at request time: the live model, and what they did until a moment ago."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

import numpy as np
from django.core.cache import cache
from django.db.models import Count, Q
from django.utils import timezone

from recommend import interactions, newcomers, reasons, versions
from recommend.diversify import spread
from recommend.interactions import Done
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


class New(NamedTuple):
    """Dresses by pk: all that are new, and those that a shopper is dealt of them."""

    all: frozenset[int]
    hand: list[int]


def live() -> Serving | None:
    """The live version, its files mapped once per process. Raises ModelRefused where they are broken."""
    version = RecommenderVersion.objects.serving()
    return Serving(version, _mapped(versions.folder_of(version))) if version else None


@lru_cache(maxsize=2)  # two, because a request may still be at work with the one before
def _mapped(folder: Path) -> Shelved:
    return take(folder / versions.SERVED)


def recommend(shoppers: Sequence[UUID], n: int) -> list[Answer]:
    """For each, n dresses in stock that they have had nothing to do with; fewer where there are no more.

    What is new has its places (`newcomers`). In three statements, whatever the number of shoppers.
    """
    done = interactions.done(timezone.now(), shoppers)
    try:
        serving = live()
    except ModelRefused as error:
        logger.error("What is popular serves. %s", error)
        return _popular(shoppers, done, n, "model_unreadable")
    if serving is None:
        return _popular(shoppers, done, n, "no_model")
    wishes = [_wish(serving.shelved, _shopper(serving.shelved, done.get(key, {}))) for key in shoppers]
    new = _new(serving, shoppers, done, n)
    there = _there(serving.shelved, [wish.order for wish in wishes], new, n)
    return [_answer(serving, wish, each, there, n) for wish, each in zip(wishes, new, strict=True)]


def _shopper(shelved: Shelved, done: dict[int, Done]) -> Shopper:
    ratings = {
        column: each.rating
        for dress, each in done.items()
        if each.rating is not None and (column := shelved.columns.get(str(dress))) is not None
    }
    return Shopper({dress: each.look for dress, each in done.items()}, ratings)


def _new(
    serving: Serving | None, shoppers: Sequence[UUID], done: dict[UUID, dict[int, Done]], n: int
) -> list[New]:
    today, places = timezone.localdate(), newcomers.places(n)
    shelved, version = (serving.shelved, serving.version.pk) if serving else (None, None)
    found = frozenset(newcomers.new_dresses(shelved, version, today) if places else ())
    return [
        New(found, newcomers.hand(key, today, found - done.get(key, {}).keys(), places)) for key in shoppers
    ]


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


def _there(shelved: Shelved, orders: list[Ints], new: list[New], n: int) -> set[int]:
    """Dresses in stock: of the best few which, nearly always, are enough for everybody; else of all."""
    found, dealt = set[int](), {dress for each in new for dress in each.hand}
    for few in (POOL, None):
        dresses = [{dress_of(shelved, item) for item in order[:few].tolist()} for order in orders]
        found = in_stock(dealt.union(*dresses))
        if all(len(order) <= POOL or len(found & of) >= n for order, of in zip(orders, dresses, strict=True)):
            break
    return found


def _answer(serving: Serving, wish: Wish, new: New, there: set[int], n: int) -> Answer:
    """The best that are in stock, those that look alike spread apart, and what is new in its places."""
    shelved, shopper = serving.shelved, wish.shopper
    items = (item for item in wish.order.tolist() if dress_of(shelved, item) in there)
    kept = np.array([*islice(items, POOL)], np.int64)
    chosen = kept[spread(wish.scores[kept], shelved.looks[kept], n, DIVERSITY)].tolist()
    if wish.model is None:
        fallback = "nothing_learnt" if shopper.ratings else "nothing_known"
        results = [Recommended(dress_of(shelved, item)) for item in chosen]
    else:
        fallback, because = "", reasons.why(wish.model, shelved, shopper.ratings, chosen)
        results = [_recommended(shelved, shopper, *each) for each in zip(chosen, because, strict=True)]
    ranked = _ranked(shelved, shopper, [dress for dress in new.hand if dress in there])
    return Answer(serving.version, fallback, _with_new(results, ranked, new, n))


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
    return set(Dress.objects.in_stock().among(dresses).values_list("pk", flat=True))


# What is new


def _ranked(shelved: Shelved, shopper: Shopper, hand: list[int]) -> list[Recommended]:
    """What looks most like the shopper's taste first; of who has none, like most people's."""
    if not hand:
        return []
    looks, taste = newcomers.looks(shelved, hand), shelved.style
    if shopper.ratings:
        above = np.array([*shopper.ratings.values()], np.float32) - 1  # which says nothing
        taste = above @ shelved.looks[[*shopper.ratings]]
    liked = reasons.speaking(shopper.ratings)
    seeds = [reasons.looks_alike(shelved, liked, vector) for vector in looks]
    told = [
        Recommended(dress, Kind.NEW, None if seed is None else dress_of(shelved, seed))
        for dress, seed in zip(hand, seeds, strict=True)
    ]
    return [told[place] for place in np.argsort(-(looks @ taste), kind="stable")]


def _with_new(results: list[Recommended], ranked: list[Recommended], new: New, n: int) -> list[Recommended]:
    """As many places as are not taken by new dresses that are in the list anyway.

    Of those, too, it would be no reason that many people like them.
    """
    listed = {each.dress for each in results}
    left = max(0, newcomers.places(n) - len(listed.intersection(new.all)))
    chosen = [each for each in ranked if each.dress not in listed][:left]
    found = [_honest(each, new) for each in results[: n - len(chosen)]]
    for spot, each in zip(newcomers.spots(n, len(chosen)), chosen, strict=True):
        found.insert(spot, each)
    return found


def _honest(each: Recommended, new: New) -> Recommended:
    return each._replace(kind=Kind.NEW) if each.kind == Kind.POPULAR and each.dress in new.all else each


# Without a model


def _popular(shoppers: Sequence[UUID], done: dict[UUID, dict[int, Done]], n: int, why: str) -> list[Answer]:
    known, others = cache.get_or_set("recommend.favourites", _favourites, FAVOURITES_FOR)
    favourites = list(dict.fromkeys([*known, *others]))
    new = [New(each.all - {*known}, each.hand) for each in _new(None, shoppers, done, n)]
    there = in_stock({*favourites, *(dress for each in new for dress in each.hand)})
    best = [Recommended(dress) for dress in favourites if dress in there]
    found = []
    for key, each in zip(shoppers, new, strict=True):
        left = [one for one in best if one.dress not in done.get(key, {})]
        dealt = [Recommended(dress, Kind.NEW) for dress in each.hand if dress in there]
        found.append(Answer(None, why, _with_new(left[:n], dealt, each, n)))
    return found


def _favourites() -> tuple[list[int], list[int]]:
    """Those in stock that most people had to do with; and those with most looks, then the newest."""
    there = Dress.objects.in_stock()
    touched = Interaction.objects.filter(dress__in=there).order_by().values("dress")
    fans = touched.annotate(people=Count("shopper", distinct=True)).order_by("-people", "dress")
    worn = there.annotate(worn=Count("looks", filter=Q(looks__in=Look.objects.public())))
    worn = worn.order_by("-worn", "-created_at", "pk")
    known, others = fans.values_list("dress", flat=True), worn.values_list("pk", flat=True)
    return list(known[:FAVOURITES]), list(others[:FAVOURITES])
