"""From what shoppers did to ratings: what a recommender is fitted to, or what it folds in of one shopper.

Of a dress that a shopper has rated, the last rating is the rating. Else it follows from what else they did:
each kind of event has a weight, counts once a day, and half as much after each half-life. Of their sum s,

    rating = 1 + 4 (1 - 2^(-s/middle)),

so that nothing says 1, the middle 3, and nothing more than 5. A save counts until it is taken back (unsave).
Weights, middle and half-life are settings.
"""

from array import array
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import numpy as np
from django.conf import settings
from django.db import connection, transaction
from scipy.sparse import csr_array

from recommend.models import Interaction
from recommend.models.interaction import RATES
from recommend.ratings import Floats, Ints, Ratings
from verify.models import Dress

LONGEST = 500  # half-lives, or middles: 2 to the minus of it is nothing, and of thousands of it an error
# Of the database, for the whole table: one sort, after which everything is there in order. Left to itself it
# hashes twice and then sorts, each time through its disk, or fetches the rows one by one by an index.
FOR_ALL = {
    "work_mem": "64MB",
    "enable_hashagg": "off",
    "enable_indexscan": "off",
    "cursor_tuple_fraction": "1",
}

# Of each shopper and dress, the rating: "rated". What is saved and then unsaved was not saved.
RATED = """
    WITH weights AS (
        SELECT * FROM unnest(%(kinds)s::smallint[], %(weights)s::float8[]) AS weights (kind, weight)
        WHERE weight > 0
    ), told AS NOT MATERIALIZED (
        SELECT * FROM recommend_interaction
        WHERE at < %(now)s AND {whose}
    ), unsaved AS (
        SELECT shopper, dress_id, max(at) AS last FROM told WHERE kind = %(unsave)s GROUP BY shopper, dress_id
    ), parts AS (
        SELECT told.shopper, told.dress_id, NULL::float8 AS said, max(weights.weight * power(2, -least(
            %(longest)s::float8, date_part('epoch', %(now)s - told.at) / %(half_life)s::float8
        ))) AS strength
        FROM told JOIN weights USING (kind) LEFT JOIN unsaved USING (shopper, dress_id)
        WHERE told.kind <> %(save)s OR unsaved.last IS NULL OR told.at > unsaved.last
        GROUP BY told.shopper, told.dress_id, told.kind, (told.at AT TIME ZONE 'UTC')::date
        UNION ALL (
            SELECT DISTINCT ON (shopper, dress_id) shopper, dress_id, value, NULL
            FROM told WHERE kind = %(rating)s ORDER BY shopper, dress_id, at DESC, event
        )
    ), rated AS (
        SELECT shopper, dress_id, coalesce(max(said), %(least)s::float8 + %(range)s::float8 * (
            1 - power(2, -least(%(longest)s::float8, sum(strength) / %(middle)s::float8))
        )) AS rating
        FROM parts GROUP BY shopper, dress_id
    )
    {answer}
"""
# One row a shopper, their dresses in order.
RATINGS = RATED.format(
    whose="""(%(since)s::timestamptz IS NULL OR at >= %(since)s)
            AND (%(shoppers)s::uuid[] IS NULL OR shopper = ANY(%(shoppers)s))""",
    answer="""
        SELECT shopper, array_agg(dress_id ORDER BY dress_id), array_agg(rating ORDER BY dress_id)
        FROM rated GROUP BY shopper ORDER BY shopper
    """,
)
# Also dresses of which they have nothing to say, as they are not to be recommended again.
DONE = RATED.format(
    whose="shopper = ANY(%(shoppers)s::uuid[])",
    answer="""
        SELECT done.shopper, dress_id, rated.rating, max(done.look_id) FILTER (WHERE done.kind = %(open)s)
        FROM recommend_interaction done LEFT JOIN rated USING (shopper, dress_id)
        WHERE done.shopper = ANY(%(shoppers)s::uuid[])
        GROUP BY done.shopper, dress_id, rated.rating ORDER BY done.shopper, dress_id
    """,
)


class Done(NamedTuple):
    """What a shopper had to do with a dress."""

    rating: float | None  # None where nothing that they did weighs anything
    look: int | None  # that they opened


def catalogue() -> tuple[str, ...]:
    """The items of ratings: the dresses that there are, retired ones too, by pk in its order."""
    return tuple(str(pk) for pk in Dress.objects.order_by("pk").values_list("pk", flat=True))


def done(now: datetime, shoppers: Sequence[UUID]) -> dict[UUID, dict[int, Done]]:
    """What each did with which dresses (by pk), in one statement; who did nothing is not in it."""
    found: dict[UUID, dict[int, Done]] = {}
    with connection.cursor() as cursor:
        cursor.execute(
            DONE, rule() | {"now": now, "shoppers": list(shoppers), "open": Interaction.Kind.OPEN.value}
        )
        for shopper, dress, rating, look in cursor:
            found.setdefault(shopper, {})[dress] = Done(rating, look)
    return found


def ratings(
    now: datetime,
    *,
    since: datetime | None = None,
    shoppers: Sequence[UUID] | None = None,
    items: Sequence[str] | None = None,
) -> Ratings:
    """As of `now`, from what was done before it, and not before `since`, by all or some.

    Users are shoppers' keys as `Interaction.shopper` has them. Items are the `catalogue`, or those that a
    model knows. One statement aggregates, whatever the number of rows; what is held here is the ratings.
    """
    known = catalogue() if items is None else tuple(items)
    users, dresses, values, counts = list[str](), array("q"), array("f"), array("q")
    with _cursor() as cursor:
        cursor.execute(
            RATINGS, rule() | {"now": now, "since": since, "shoppers": shoppers and list(shoppers)}
        )
        for shopper, told, found in cursor:
            users.append(str(shopper))
            dresses.extend(told)
            values.extend(found)
            counts.append(len(told))
    rows = np.repeat(np.arange(len(users)), np.frombuffer(counts, np.int64))
    return _of_catalogue(users, rows, np.array(dresses, np.int64), np.array(values, np.float32), known)


@contextmanager
def _cursor() -> Iterator[Any]:
    """Of a whole table the rows come a part at a time."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            for name, value in FOR_ALL.items():
                cursor.execute("SELECT set_config(%s, %s, true)", [name, value])  # of this transaction
        with connection.chunked_cursor() as cursor:
            yield cursor


def _of_catalogue(
    users: list[str], rows: Ints, dresses: Ints, values: Floats, items: tuple[str, ...]
) -> Ratings:
    """Without dresses that are no items, and without users who told of nothing else."""
    pks = np.array(items, np.int64)
    order = np.argsort(pks)
    places = np.searchsorted(pks, dresses, sorter=order).clip(max=max(0, len(pks) - 1))
    columns = order[places] if len(pks) else places
    kept = pks[columns] == dresses if len(pks) else np.zeros(len(dresses), bool)
    counts = np.bincount(rows[kept], minlength=len(users))
    starts = np.concatenate([[0], np.cumsum(counts[counts > 0])])
    parts = (values[kept], columns[kept].astype(np.int32), starts)
    matrix = csr_array(parts, shape=(len(starts) - 1, len(items)))
    matrix.sort_indices()  # the items may stand in any order
    return Ratings(matrix, tuple(user for user, count in zip(users, counts, strict=True) if count), items)


def rule() -> dict[str, Any]:
    """By which interactions become ratings, whoever aggregates them; `half_life` in seconds."""
    weights = settings.INTERACTION_WEIGHTS
    return {
        "kinds": [Interaction.Kind[kind.upper()].value for kind in weights],
        "weights": list(weights.values()),
        "half_life": settings.INTERACTION_HALF_LIFE.total_seconds(),
        "middle": settings.INTERACTION_MIDDLE,
        "least": RATES[0],
        "range": RATES[1] - RATES[0],
        "longest": LONGEST,
        "rating": Interaction.Kind.RATING.value,
        "save": Interaction.Kind.SAVE.value,
        "unsave": Interaction.Kind.UNSAVE.value,
    }
