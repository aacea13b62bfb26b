"""Shoppers of the demo, users `demo-1`, `demo-2`…: each likes some cuts, colours and designers more."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt

from recommend.models import Interaction, ShopperKind, shopper_key
from recommend.models.interaction import Told, event_key
from verify.models import Dress, Look

SHOPPERS = 300
DAYS = 120
SEEN = (8, 45)  # dresses that a shopper looks at: the fewest, the most
ATTRIBUTES = {"category": 1.0, "colour": 0.7, "designer": 0.6}  # how much each matters
POPULARITY = 0.6  # standard deviation, of the same scale as a taste's
KINDS = Interaction.Kind
# What may follow a view: how likely for the dress that somebody likes most, and for the one they like least.
FOLLOWS = {KINDS.OPEN: (0.8, 0.1), KINDS.CLICK: (0.6, 0.05), KINDS.SAVE: (0.5, 0), KINDS.RENT: (0.3, 0)}
RATED = 0.15  # of the dresses that somebody looked at
STORED_AT_ONCE = 5_000

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Shop:
    dresses: list[int]
    traits: list[Floats]  # of each attribute, (dresses, values): 1 for the value that a dress has
    popularity: Floats
    looks: dict[int, list[int]]  # by dress


def key(number: int) -> str:
    """What the demo's shop calls a shopper: it tells them from real ones, who have other keys."""
    return f"demo-{number}"


def go_shopping(seed: int, now: datetime) -> int:
    """Store what everybody did until now; returns the number of events."""
    rng = np.random.default_rng(seed)
    shop = open_shop(rng)
    events = [event for number in range(SHOPPERS) for event in _visits(number + 1, shop, now, rng)]
    for start in range(0, len(events), STORED_AT_ONCE):
        Interaction.objects.store(events[start : start + STORED_AT_ONCE], now)
    return len(events)


def open_shop(rng: np.random.Generator) -> Shop:
    dresses, looks = list(Dress.objects.in_stock().order_by("pk")), defaultdict(list)
    for look, dress in Look.objects.public().order_by("pk").values_list("pk", "dress"):
        looks[dress].append(look)
    traits = [_which([getattr(dress, name) for dress in dresses]) for name in ATTRIBUTES]
    popularity = rng.normal(0, POPULARITY, len(dresses))
    return Shop([dress.pk for dress in dresses], traits, popularity, looks)


def _which(values: Sequence[str]) -> Floats:
    return (np.array(values)[:, None] == np.unique(values)).astype(float)


def taste(shop: Shop, rng: np.random.Generator) -> Floats:
    """(dresses,) how much somebody likes each: a few values of each attribute make most of it."""
    weights = ATTRIBUTES.values()
    parts = zip(shop.traits, weights, strict=True)
    return np.sum([weight * trait @ rng.exponential(1, trait.shape[1]) for trait, weight in parts], axis=0)


def _visits(number: int, shop: Shop, now: datetime, rng: np.random.Generator) -> Iterator[Told]:
    """Dresses that they like come up more often, popular ones too, and some by chance."""
    liking = taste(shop, rng)
    drawn = 2 * liking + shop.popularity + rng.gumbel(size=len(liking))  # as a softmax draws
    love = np.argsort(np.argsort(liking)) / max(1, len(liking) - 1)
    for place in np.argsort(-drawn)[: rng.integers(*SEEN)]:
        at = now - timedelta(days=DAYS * float(rng.random()), minutes=30)
        yield from _visit(number, shop, int(place), float(love[place]), at, rng)


def _visit(
    number: int, shop: Shop, place: int, love: float, at: datetime, rng: np.random.Generator
) -> Iterator[Told]:
    dress, shopper = shop.dresses[place], shopper_key(ShopperKind.USER, key(number))
    done: list[tuple[KINDS, int | None, float | None]] = [(KINDS.VIEW, None, None)]
    for kind, (most, least) in FOLLOWS.items():
        shown = shop.looks.get(dress, []) if kind is KINDS.OPEN else [None]
        if shown and rng.random() < least + (most - least) * love**2:
            done.append((kind, shown[rng.integers(len(shown))], None))
    if rng.random() < RATED:
        done.append(
            (KINDS.RATING, None, float(np.clip(np.round(1.5 + 3.5 * love + rng.normal(0, 0.6)), 1, 5)))
        )
    for minute, (kind, look, value) in enumerate(done):
        event = event_key(shopper, f"{dress} {kind}")
        yield Told(event, shopper, at + timedelta(minutes=minute), dress, look, value, kind.value, False)
