"""Which looks and dresses sell: what came of them in a period, from the tallies by day."""

from collections import defaultdict
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from django.db.models import F, Sum

from recommend import exploration
from recommend.models import Tally
from recommend.models.tally import TallyQuerySet
from verify.models import Dress, Look

DEEDS = ("views", "opens", "clicks", "saves", "rents")
SORTS = (*DEEDS, "rate")


@dataclass(frozen=True)
class Sold:
    """A look, or a dress as a whole, and the people who did something with it, each once a day.

    ``views`` are of the dress's page, for a look since it was published. ``rate`` is the share of them who
    opened the look, or any look of the dress, smoothed by what looks have in common.
    """

    dress: Dress
    look: Look | None
    views: int
    opens: int
    clicks: int
    saves: int
    rents: int
    rate: float


def looks(since: date | None) -> list[Sold]:
    """Every look that anybody did anything with since then."""
    rows = _summed(Tally.objects.of_looks().since(since), "look", "dress")
    shown = Look.objects.select_related("dress", "post__photo").in_bulk([row["look"] for row in rows])
    views = _views(since, {look.dress_id for look in shown.values()})
    return _sold(
        [
            (shown[row["look"]].dress, shown[row["look"]], row)
            for row in rows
            if row["look"] in shown and row["dress"] == shown[row["look"]].dress_id
        ],
        lambda look: sum(
            count for day, count in views[look.dress_id].items() if day >= look.published_at.date()
        ),
    )


def dresses(since: date | None) -> list[Sold]:
    """Every dress that anybody did anything with since then."""
    rows = _summed(Tally.objects.of_dresses().since(since), "dress")
    shown = Dress.objects.in_bulk([row["dress"] for row in rows])
    return _sold([(shown[row["dress"]], None, row) for row in rows if row["dress"] in shown], None)


def _summed(tallies: TallyQuerySet, *by: str) -> list[dict[str, int]]:
    return list(tallies.order_by(*by).values(*by).annotate(**{f"{deed}_": Sum(deed) for deed in DEEDS}))


def _views(since: date | None, of: Collection[int]) -> dict[int, dict[date, int]]:
    views: dict[int, dict[date, int]] = defaultdict(dict)
    tallies = Tally.objects.of_dresses().since(since).filter(dress__in=of, views__gt=0).order_by()
    for dress, day, count in tallies.values_list("dress", "day", "views"):
        views[dress][day] = count
    return views


def _sold(
    rows: list[tuple[Dress, Look | None, dict[str, int]]], viewed: Callable[[Look], int] | None
) -> list[Sold]:
    counts = [
        {deed: row[f"{deed}_"] for deed in DEEDS} | ({"views": viewed(look)} if viewed and look else {})
        for _, look, row in rows
    ]
    shown, opened = (np.array([count[deed] for count in counts], np.int64) for deed in ("views", "opens"))
    rates = exploration.smoothed(shown, opened, exploration.prior(shown, opened))
    return [
        Sold(dress, look, **count, rate=float(rate))
        for (dress, look, _), count, rate in zip(rows, counts, rates, strict=True)
    ]


def best_first(sold: list[Sold], by: str) -> list[Sold]:
    """By one of `SORTS`; of equals those with more rents, then more opens."""
    return sorted(sold, key=lambda row: (getattr(row, by), row.rents, row.opens, row.rate), reverse=True)


def series(sold: list[Sold], deed: str, first: date, last: date) -> list[list[int]]:
    """For each of them the people a day, the first day to the last; of a look its opens for its views."""
    of_looks = bool(sold) and sold[0].look is not None
    deed = "opens" if of_looks and deed == "views" else deed
    key = "look" if of_looks else "dress"
    pks = [(row.look or row.dress).pk for row in sold]
    tallies = Tally.objects.of_looks() if of_looks else Tally.objects.of_dresses()
    found = tallies.filter(day__range=(first, last), **{f"{key}__in": pks}).order_by()
    counts = {(pk, day): count for pk, day, count in found.values_list(key, "day", F(deed))}
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    return [[counts.get((pk, day), 0) for day in days] for pk in pks]
