"""What shoppers did: one narrow row an event, in tens of millions, and nothing that says who they are."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import UUID

from django.conf import settings
from django.contrib.postgres.indexes import BrinIndex
from django.db import connection, models, transaction
from django.db.models import Q
from django.utils.crypto import salted_hmac

from verify.models import Dress, Look

LARGEST_EVENT = 64  # characters of an event's id
RATES = (1.0, 5.0)  # the least and the most that a rating says


class ShopperKind(models.TextChoices):
    USER = "user"  # whom the shop knows
    VISITOR = "visitor"  # of whom nobody knows anything


def shopper_key(kind: ShopperKind | str, key: str) -> UUID:
    """What is stored of a shopper: a digest that nobody without the portal's secret finds the key by."""
    digest = salted_hmac("shopper", f"{kind}:{key}", settings.SHOPPER_SECRET, algorithm="sha256").digest()
    return UUID(bytes=digest[:16])


def event_key(shopper: UUID, event: str) -> int:
    """An event's id is its shopper's own: nobody takes others' events away by sending theirs first.

    64 bits: among 30 million events, two of the same key have a chance of 1 in 40,000.
    """
    return int.from_bytes(hashlib.sha256(shopper.bytes + event.encode()).digest()[:8], signed=True)


Fate = Literal["stored", "repeated", "over"]


@dataclass(frozen=True, slots=True)
class Told:
    """An event as somebody told it, found well formed."""

    event: int
    shopper: UUID
    at: datetime
    dress: int
    look: int | None
    value: float | None
    kind: int
    by_visitor: bool


# Sorted, so that two requests with the same events cannot each wait for the other.
STORE = """
    WITH told AS (
        SELECT * FROM unnest(
            %(event)s::bigint[], %(shopper)s::uuid[], %(at)s::timestamptz[], %(dress)s::bigint[],
            %(look)s::bigint[], %(value)s::float8[], %(kind)s::smallint[], %(by_visitor)s::boolean[]
        ) WITH ORDINALITY AS told (event, shopper, at, dress_id, look_id, value, kind, by_visitor, place)
    ), known AS (
        SELECT event FROM told
        WHERE EXISTS (SELECT FROM recommend_interaction before WHERE before.event = told.event)
    ), fresh AS (
        SELECT * FROM told WHERE event NOT IN (SELECT event FROM known) ORDER BY place
        LIMIT CASE WHEN %(most)s::bigint IS NOT NULL THEN greatest(0, %(most)s::bigint - (
            SELECT count(*) FROM recommend_interaction today
            WHERE today.shopper = %(one)s AND today.at >= %(midnight)s
        )) END
    ), stored AS (
        INSERT INTO recommend_interaction (event, shopper, at, dress_id, look_id, value, kind, by_visitor)
        SELECT event, shopper, at, dress_id, look_id, value, kind, by_visitor FROM fresh ORDER BY event
        ON CONFLICT DO NOTHING RETURNING event
    )
    SELECT event, CASE
        WHEN event IN (SELECT event FROM stored) THEN 'stored'
        WHEN event IN (SELECT event FROM known) OR event IN (SELECT event FROM fresh) THEN 'repeated'
        ELSE 'over'
    END FROM told
"""


class InteractionQuerySet(models.QuerySet["Interaction"]):
    def of(self, shopper: UUID) -> "InteractionQuerySet":
        return self.filter(shopper=shopper)

    def looks_opened(self, shopper: UUID) -> "models.QuerySet[Look]":
        """Those that are still public, each once, in no order."""
        opened = self.of(shopper).filter(look__isnull=False).values("look")
        return Look.objects.public().filter(pk__in=opened)

    def forget(self, shopper: UUID) -> int:
        """Delete all that a shopper did; returns how many rows there were."""
        return self.of(shopper).delete()[0]

    def forget_old(self, now: datetime) -> int:
        """Delete what is older than the setting; returns how many rows there were."""
        return self.filter(at__lt=now - settings.INTERACTIONS_KEPT).delete()[0]

    def store(self, told: Sequence[Told], now: datetime, most_today: int | None = None) -> list[Fate]:
        """Store what is not there yet, in one statement; returns what became of each.

        With `most_today`, of the one shopper that all are of, so many of a day (UTC) at most, also when many
        requests come at once.
        """
        if not told:
            return []
        first = {each.event: place for place, each in reversed(list(enumerate(told)))}
        with transaction.atomic(), connection.cursor() as cursor:
            if most_today is not None:
                lock = int.from_bytes(told[0].shopper.bytes[:8], signed=True)
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [lock])
            once = [told[place] for place in sorted(first.values())]
            midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
            limits = {"most": most_today, "one": told[0].shopper, "midnight": midnight}
            cursor.execute(STORE, _columns(once) | limits)
            fates: dict[int, Fate] = dict(cursor.fetchall())
        return [
            fates[each.event] if first[each.event] == place or fates[each.event] == "over" else "repeated"
            for place, each in enumerate(told)
        ]


class Interaction(models.Model):
    """A shopper did something with a dress. No foreign key is checked: rows come in bulk, dresses may go.

    What looks at them joins the catalogue, so that those of a deleted dress count no more; age ends them.
    """

    class Kind(models.IntegerChoices):
        VIEW = 1  # of a page of a dress
        OPEN = 2  # of a look, large
        CLICK = 3  # on a dress that was shown
        SAVE = 4
        RENT = 5
        RATING = 6
        UNSAVE = 7  # takes back the saves before it

    event = models.BigIntegerField(primary_key=True, help_text="Of the shopper and their event's id, hashed.")
    shopper = models.UUIDField(help_text="Of the kind of shopper and their key, hashed with a secret.")
    at = models.DateTimeField()
    dress = models.ForeignKey(
        Dress, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    look = models.ForeignKey(
        Look, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, null=True, related_name="+"
    )
    value = models.FloatField(null=True, help_text="Of a rating.")
    kind = models.PositiveSmallIntegerField(choices=Kind)
    by_visitor = models.BooleanField(help_text="Whether the shop doesn't know who it was.")

    objects = InteractionQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["shopper", "at"], name="interactions_of_a_shopper"),
            BrinIndex(fields=["at"], autosummarize=True, name="interactions_by_age"),
        ]
        verbose_name = "what a shopper did"
        verbose_name_plural = "what shoppers did"
        constraints = [
            models.CheckConstraint(
                condition=Q(kind=6, value__isnull=False, value__range=RATES) | (~Q(kind=6) & Q(value=None)),
                name="ratings_and_they_alone_have_a_value",
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} of dress {self.dress_id}"


def _columns(told: Sequence[Told]) -> dict[str, list[Any]]:
    return {field.name: [getattr(each, field.name) for each in told] for field in fields(Told)}
