"""A place in every list for what is new: by score alone, what nobody knows yet would never be shown.

A dress is new for some days, until so many people have had to do with it. Each shopper is dealt a hand of the
new dresses for the day, and of it is shown what looks most like their taste. Hands are of one dress up to
LARGEST_HAND, evenly, so that what looks like nobody's taste has its turn, too: a day's list of one in
LARGEST_HAND shoppers, times the new dresses, has it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from hashlib import blake2b
from uuid import UUID

import numpy as np
from django.conf import settings
from django.core.cache import cache

from recommend.embeddings import looks_of
from recommend.ratings import Floats, Ints
from recommend.shelf import Shelved
from verify.models import Dress

LARGEST_HAND = 8  # new dresses, for each place
MOST = 1_000  # of them, the newest
KEPT_FOR, LOOKS_KEPT_FOR = 60, 600  # seconds, in a web process


def places(n: int) -> int:
    """In a list of n: never more than the share that is set."""
    return int(n * settings.RECOMMEND_NEW_SHARE)


def spots(n: int, count: int) -> list[int]:
    """Where in a list of n they stand: each at the end of its stretch."""
    return [(place + 1) * n // count - 1 for place in range(count)]


def new_dresses(shelved: Shelved | None, version: int | None, today: date) -> list[int]:
    """By pk, in stock, newest first, known to few people by the fit of that version."""
    name = f"recommend.new.{version}.{today}"
    found: list[int] = cache.get_or_set(name, lambda: _newest(shelved, today), KEPT_FOR)
    return found


def _newest(shelved: Shelved | None, today: date) -> list[int]:
    since = today - timedelta(days=settings.RECOMMEND_NEW_DAYS)
    found = Dress.objects.in_stock(today).new(since).values_list("pk", flat=True)
    return [pk for pk in found if shelved is None or _fans(shelved, pk) < settings.RECOMMEND_NEW_PEOPLE][
        :MOST
    ]


def _fans(shelved: Shelved, dress: int) -> float:
    column = shelved.columns.get(str(dress))
    return 0 if column is None else float(shelved.fans[column])


def hand(shopper: UUID, today: date, new: Iterable[int], n: int) -> list[int]:
    """What a shopper is dealt today for n places."""
    left = sorted(new)
    if not left or not n:
        return []
    seed = blake2b(shopper.bytes + today.isoformat().encode(), digest_size=8).digest()
    dealer = np.random.default_rng(int.from_bytes(seed))
    size = n * int(dealer.integers(1, LARGEST_HAND + 1))
    return [left[place] for place in dealer.permutation(len(left))[:size]]


def looks(shelved: Shelved, dresses: Sequence[int]) -> Floats:
    """(dresses, d) unit vectors, of today's dresses as well; zeros where nothing is known."""
    found = np.zeros((len(dresses), shelved.looks.shape[1]), np.float32)
    known: Ints = np.array([shelved.columns.get(str(pk), -1) for pk in dresses], np.int64)
    found[known >= 0] = shelved.looks[known[known >= 0]]
    later = [pk for pk, column in zip(dresses, known, strict=True) if column < 0]
    for place, vector in zip(np.flatnonzero(known < 0), _looks_of_today(later), strict=True):
        if len(vector) == found.shape[1]:  # else another DeepDress is live than when it was fitted
            found[place] = vector
    return found


def _looks_of_today(dresses: Sequence[int]) -> list[Floats]:
    """Those that no fit has seen yet: read once in a while."""
    names = {pk: f"recommend.looks.{pk}" for pk in dresses}
    kept: dict[str, Floats] = cache.get_many(names.values())
    missing = [pk for pk in dresses if names[pk] not in kept]
    if missing:
        read = dict(zip((names[pk] for pk in missing), looks_of([str(pk) for pk in missing]), strict=True))
        cache.set_many({name: vector for name, vector in read.items() if vector.any()}, LOOKS_KEPT_FOR)
        kept |= read
    return [kept[names[pk]] for pk in dresses]
