"""Dreams for whoever asks: drawn, and with the dresses in stock that come closest."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import urlencode

import numpy as np
from django.utils.translation import gettext as _

from recommend.similar import Similar
from verify import places, suggest
from verify.classifier import client
from verify.classifier.client import Unavailable
from verify.dreaming import shelf
from verify.dreaming.dream import MOST, SEEDS, Drawn, Dream
from verify.models import Dress, DressPhoto, ModelVersion

LEANING = (100, 70, 60, 50)  # percent of the way from the taste that a seed makes up to the one asked for
NOT_NOW = 60  # seconds after which somebody may have brought weights


class NoWeights(Unavailable):
    """Nothing here can dream, and asking again soon does not help."""


class Nothing(ValueError):
    """There is no such dream; the message, for whoever asked, says what is wrong."""


@dataclass(frozen=True)
class Asked:
    """A dream as its address says it."""

    seed: int
    like: tuple[Dress, ...] = ()  # whose mean embedding is the taste
    to: int | None = None  # on the way to another seed
    toward: tuple[Dress, ...] = ()  # or to another taste
    at: int = 0  # percent of the way

    @property
    def query(self) -> str:
        """What follows the seed in the address, in one order, without what changes nothing."""
        told: list[tuple[str, object]] = [("like", dress.sku) for dress in self.like]
        told += [] if self.to is None else [("to", self.to)]
        told += [("toward", dress.sku) for dress in self.toward]
        told += [("at", self.at)] if self.at and (self.to is not None or self.toward) else []
        return urlencode(told)

    @property
    def dresses(self) -> tuple[Dress, ...]:
        return (*self.like, *self.toward)


class Dreamt(NamedTuple):
    asked: Asked
    name: str  # of the picture: another one for other weights, or another taste
    picture: bytes  # WebP
    closest: list[Similar]  # in stock, most similar first, without the dresses that the taste is of


def wall(seed: int, count: int, like: tuple[Dress, ...] = ()) -> list[Asked]:
    """So many dreams, of this seed and those that follow it.

    Of a taste one of four is as near as can be, and the others lean less: else all of them were nearly the
    same dress.
    """
    seeds = [(seed + place) % SEEDS for place in range(count)]
    if not like:
        return [Asked(each) for each in seeds]
    leaning = [LEANING[place % len(LEANING)] for place in range(count)]
    return [Asked(each, toward=like, at=at) for each, at in zip(seeds, leaning, strict=True)]


def way(start: Asked, frames: int) -> list[Asked]:
    """So many places on the way that `start` is on, both ends included."""
    places = np.linspace(0, 100, frames).round().astype(int).tolist()
    return [Asked(start.seed, start.like, start.to, start.toward, at) for at in places]


def dream(asked: Sequence[Asked], count: int) -> list[Dreamt]:
    """Each drawn, with the `count` dresses that come closest. Raises Unavailable, and Nothing."""
    live, told = ModelVersion.objects.live(), _dreams(asked)
    drawn = _drawn(told, live.digest if live else "")
    closest = _closest(drawn, asked, count, live) if count else [[] for _ in drawn]
    names = [each.name(version()) for each in told]
    pictures = [each.picture for each in drawn]
    return [Dreamt(*each) for each in zip(asked, names, pictures, closest, strict=True)]


def name(asked: Asked) -> str:
    """As of `Dreamt`, before it is drawn. Raises as `dream`."""
    [told] = _dreams([asked])
    return told.name(version())


def picture(asked: Asked) -> bytes | None:
    """If it was drawn before, whoever has looked at it since. Raises as `dream`."""
    [told] = _dreams([asked])
    kept = shelf.kept(told, version(), "")
    return kept.picture if kept else None


def version() -> str:
    """sha256 of the weights that dream. Raises NoWeights."""
    if found := shelf.version():
        return found
    raise NoWeights("Nothing dreams here yet: there are no dream weights.", NOT_NOW)


def _dreams(asked: Sequence[Asked]) -> list[Dream]:
    dresses = {dress for each in asked for dress in each.dresses}
    if dresses and not shelf.know_tastes():
        raise Nothing(_("Whoever dreams here has learnt no tastes, and can dream near no dress."))
    covers = _covers(dresses)
    return [
        Dream(
            each.seed,
            tuple(covers[dress.pk] for dress in each.like),
            each.to,
            tuple(covers[dress.pk] for dress in each.toward),
            each.at if each.to is not None or each.toward else 0,
        )
        for each in asked
    ]


def _covers(dresses: Collection[Dress]) -> dict[int, int]:
    """The photo that a dress is dreamt of by, its first one."""
    if not dresses:
        return {}
    rows = DressPhoto.objects.filter(dress__in=dresses).order_by("dress", "position", "pk")
    found = dict(rows.distinct("dress").values_list("dress", "photo"))
    if missing := next((dress for dress in dresses if dress.pk not in found), None):
        raise Nothing(f"{missing.sku!r} has no photo to dream of.")
    return found


def _drawn(dreams: Sequence[Dream], eyes: str) -> list[Drawn]:
    """What is kept is read; for the rest the classifier's process is asked."""
    drawn_by = version()
    found = {each: shelf.kept(each, drawn_by, eyes) for each in dreams}
    new = [each for each, drawn in found.items() if drawn is None]
    for start in range(0, len(new), MOST):
        part = new[start : start + MOST]
        with _a_place():
            found.update(zip(part, client.dream(part), strict=True))
    return [drawn for each in dreams if (drawn := found[each])]


def _a_place() -> AbstractContextManager[None]:
    """Few at once, so that the waiting leaves threads to those who vote and shop. Raises Unavailable."""
    return places.a_place(Unavailable("Too many dreams and photos are waited for at this moment.", 1))


def _closest(
    drawn: Sequence[Drawn], asked: Sequence[Asked], count: int, live: ModelVersion | None
) -> list[list[Similar]]:
    """Empty where DeepDress has not looked at a dream, or knows no dress yet."""
    found: list[list[Similar]] = [[] for _ in drawn]
    seen = [place for place, each in enumerate(drawn) if each.vector]
    index = suggest.catalogue_index(live) if seen else ()
    if not len(index):
        return found
    vectors = np.stack([np.frombuffer(drawn[place].vector, "<f4") for place in seen])
    own = max(len(asked[place].dresses) for place in seen)
    for place, dresses, values in zip(seen, *index.nearest(vectors, count + own), strict=True):
        without = {dress.pk for dress in asked[place].dresses}
        others = zip(dresses.tolist(), values.tolist(), strict=True)
        found[place] = [Similar(*each) for each in others if each[0] not in without][:count]
    return found
