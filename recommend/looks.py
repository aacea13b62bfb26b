"""Shop the look: what a shopper who likes a look can have; and which looks of a dress come first."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import numpy as np
from django.conf import settings
from django.db import connection, transaction

from recommend import exploration
from recommend.similar import Similar, look_alike
from verify.models import Dress, Look

# Of looks whose dress anybody viewed: people a day who saw its page since then, and who opened the look.
EVIDENCE = """
    SELECT look.id, sum(page.views)::bigint, coalesce(sum(own.opens), 0)::bigint
    FROM verify_look look
    JOIN recommend_tally page ON page.dress_id = look.dress_id AND page.look_id IS NULL
        AND page.day >= (look.published_at AT TIME ZONE 'UTC')::date
    LEFT JOIN recommend_tally own
        ON own.look_id = look.id AND own.dress_id = look.dress_id AND own.day = page.day
    WHERE look.dress_id IN (SELECT dress_id FROM recommend_tally WHERE views > 0)
    GROUP BY look.id ORDER BY look.id
"""
STAND = """
    UPDATE verify_look SET standing = new.standing
    FROM unnest(%s::bigint[], %s::float8[]) AS new (id, standing)
    WHERE verify_look.id = new.id AND verify_look.standing IS DISTINCT FROM new.standing
"""


class Offer(NamedTuple):
    dress: Dress
    alternatives: list[Similar]


def shop(looks: Sequence[Look], count: int) -> list[Offer]:
    """Of each, the dress; once it is not in stock, also the dresses in stock most like it."""
    gone = list({look.dress_id: look.dress for look in looks if not look.dress.is_in_stock()}.values())
    alternatives = dict(zip((dress.pk for dress in gone), look_alike(gone, count), strict=True))
    return [Offer(look.dress, alternatives.get(look.dress_id, [])) for look in looks]


@transaction.atomic
def order_looks(now: datetime) -> int:
    """Give each look its standing among its dress's looks, of the day; returns how many have one.

    By the setting LOOK_ORDER: "explore", a draw of its smoothed click-through rate; "rate", that rate itself;
    "stated", none, so that the surest and most liked come first. A look whose page nobody has seen has none.
    """
    shown, standings = _standings(now) if settings.LOOK_ORDER != "stated" else ([], [])
    Look.objects.exclude(pk__in=shown).exclude(standing=None).update(standing=None)
    with connection.cursor() as cursor:
        cursor.execute(STAND, [shown, standings])
    return len(shown)


def _standings(now: datetime) -> tuple[list[int], list[float]]:
    with connection.cursor() as cursor:
        cursor.execute(EVIDENCE)
        rows = cursor.fetchall()
    if not rows:
        return [], []
    pks, views, opens = (list(column) for column in zip(*rows, strict=True))
    shown, clicked = np.array(views, np.int64), np.array(opens, np.int64)
    common = exploration.prior(shown, clicked)
    if settings.LOOK_ORDER == "rate":
        return pks, exploration.smoothed(shown, clicked, common).tolist()
    drawn = exploration.quantiles(pks, now.astimezone(UTC).date())
    return pks, exploration.thompson(shown, clicked, common, drawn).tolist()
