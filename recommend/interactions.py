"""From what shoppers did to ratings: what a recommender is fitted to, or what it folds in of one shopper.

Of a dress that a shopper has rated, the last rating is the rating. Else it follows from what else they did:
each kind of event has a weight, counts once a day, and half as much after each half-life. Of their sum s,

    rating = 1 + 4 (1 - 2^(-s/middle)),

so that nothing says 1, the middle 3, and nothing more than 5. Weights, middle and half-life are settings.
"""

from array import array
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import numpy as np
from django.conf import settings
from django.db import connection
from scipy.sparse import csr_array

from recommend.models import Interaction
from recommend.models.interaction import RATES
from recommend.ratings import Ratings
from verify.models import Dress

LONGEST = 500  # half-lives, or middles: 2 to the minus of it is nothing, and of thousands of it an error

# One row a shopper. Both parts read all rows of the time; nothing of them is held here.
RATINGS = """
    WITH catalogue AS (
        SELECT * FROM unnest(%(catalogue)s::bigint[]) WITH ORDINALITY AS catalogue (dress_id, place)
    ), weights AS (
        SELECT * FROM unnest(%(kinds)s::smallint[], %(weights)s::float8[]) AS weights (kind, weight)
        WHERE weight > 0
    ), told AS NOT MATERIALIZED (
        SELECT * FROM recommend_interaction
        WHERE at < %(now)s AND (%(since)s::timestamptz IS NULL OR at >= %(since)s)
            AND (%(shoppers)s::uuid[] IS NULL OR shopper = ANY(%(shoppers)s))
    ), daily AS (
        SELECT told.shopper, told.dress_id, max(weights.weight * power(2, -least(%(longest)s::float8,
            extract(epoch FROM %(now)s - told.at)::float8 / %(half_life)s
        ))) AS strength
        FROM told JOIN weights USING (kind)
        GROUP BY told.shopper, told.dress_id, told.kind, (told.at AT TIME ZONE 'UTC')::date
    ), done AS (
        SELECT shopper, dress_id, %(least)s + (%(most)s - %(least)s)
            * (1 - power(2, -least(%(longest)s, sum(strength) / %(middle)s))) AS rating
        FROM daily GROUP BY shopper, dress_id
    ), said AS (
        SELECT DISTINCT ON (shopper, dress_id) shopper, dress_id, value AS rating
        FROM told WHERE kind = %(rating)s ORDER BY shopper, dress_id, at DESC, event
    )
    SELECT shopper, array_agg(place - 1 ORDER BY place), array_agg(
        coalesce(said.rating, done.rating)::float8 ORDER BY place
    )
    FROM done FULL JOIN said USING (shopper, dress_id) JOIN catalogue USING (dress_id)
    GROUP BY shopper ORDER BY shopper
"""


def catalogue() -> tuple[str, ...]:
    """The items of ratings: the dresses that there are, retired ones too, by pk in its order."""
    return tuple(str(pk) for pk in Dress.objects.order_by("pk").values_list("pk", flat=True))


def ratings(
    now: datetime,
    *,
    since: datetime | None = None,
    shoppers: Sequence[UUID] | None = None,
    items: Sequence[str] | None = None,
) -> Ratings:
    """As of `now`, from what was done before it, and not before `since`.

    Users are shoppers' keys as `Interaction.shopper` has them; of `shoppers` who did nothing there is no row.
    Items are the `catalogue`, or those that a model knows. One statement aggregates, whatever the number of
    rows; what is held here is the ratings alone.
    """
    known = catalogue() if items is None else tuple(items)
    users, columns, values, counts = list[str](), array("q"), array("f"), array("q", [0])
    with connection.chunked_cursor() as cursor:
        cursor.execute(RATINGS, _values(now, since, shoppers, known))
        for shopper, places, found in cursor:
            users.append(str(shopper))
            columns.extend(places)
            values.extend(found)
            counts.append(len(places))
    parts = (
        np.frombuffer(values, np.float32).copy(),
        np.frombuffer(columns, np.int64).astype(np.int32),
        np.cumsum(np.frombuffer(counts, np.int64)),
    )
    return Ratings(csr_array(parts, shape=(len(users), len(known))), tuple(users), known)


def _values(
    now: datetime, since: datetime | None, shoppers: Sequence[UUID] | None, items: Sequence[str]
) -> dict[str, object]:
    weights = settings.INTERACTION_WEIGHTS
    return {
        "now": now,
        "since": since,
        "shoppers": None if shoppers is None else list(shoppers),
        "catalogue": [int(item) for item in items],
        "kinds": [Interaction.Kind[kind.upper()].value for kind in weights],
        "weights": list(weights.values()),
        "half_life": settings.INTERACTION_HALF_LIFE.total_seconds(),
        "middle": settings.INTERACTION_MIDDLE,
        "least": RATES[0],
        "most": RATES[1],
        "longest": LONGEST,
        "rating": Interaction.Kind.RATING.value,
    }
