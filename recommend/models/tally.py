"""What came of looks and dresses, by day: counted from interactions, and kept when those are forgotten."""

from datetime import date, datetime, timedelta

from django.db import connection, models, transaction

from recommend.models.interaction import Interaction
from verify.models import Dress, Look

CREDIT = timedelta(days=7)  # after which a look that was opened has no part in a sale any more
COUNTING = 7_240_977  # an advisory lock's number; any will do that nobody else takes
KINDS = Interaction.Kind

# People a day, each once. What was saved or rented is to the credit of the look of it that they opened last.
COUNT = """
    WITH told AS NOT MATERIALIZED (
        SELECT *, (at AT TIME ZONE 'UTC')::date AS day FROM recommend_interaction
        WHERE at >= %(since)s AND dress_id IN (SELECT id FROM verify_dress)
    ), credited AS (
        SELECT told.day, told.dress_id, opened.look_id, told.kind, told.shopper
        FROM told CROSS JOIN LATERAL (
            SELECT look_id FROM recommend_interaction opened
            WHERE opened.shopper = told.shopper AND opened.dress_id = told.dress_id
                AND opened.look_id IS NOT NULL AND opened.kind = %(open)s
                AND opened.at <= told.at AND opened.at > told.at - %(credit)s
            ORDER BY opened.at DESC LIMIT 1
        ) opened
        WHERE told.kind IN (%(save)s, %(rent)s) AND told.look_id IS NULL
    ), counted AS (
        SELECT day, dress_id, NULL::bigint AS look_id, kind, shopper FROM told
        UNION ALL SELECT day, dress_id, look_id, kind, shopper FROM told WHERE look_id IS NOT NULL
        UNION ALL SELECT day, dress_id, look_id, kind, shopper FROM credited
    )
    INSERT INTO recommend_tally (day, dress_id, look_id, views, opens, clicks, saves, rents)
    SELECT day, dress_id, look_id,
        count(DISTINCT shopper) FILTER (WHERE kind = %(view)s),
        count(DISTINCT shopper) FILTER (WHERE kind = %(open)s),
        count(DISTINCT shopper) FILTER (WHERE kind = %(click)s),
        count(DISTINCT shopper) FILTER (WHERE kind = %(save)s),
        count(DISTINCT shopper) FILTER (WHERE kind = %(rent)s)
    FROM counted GROUP BY day, dress_id, look_id
"""


class TallyQuerySet(models.QuerySet["Tally"]):
    def of_dresses(self) -> "TallyQuerySet":
        return self.filter(look=None)

    def of_looks(self) -> "TallyQuerySet":
        return self.filter(look__isnull=False)

    def since(self, day: date | None) -> "TallyQuerySet":
        return self if day is None else self.filter(day__gte=day)

    @transaction.atomic
    def count_anew(self, since: datetime) -> None:
        """Count the days from that of ``since`` on, whose first moment (UTC) it is; earlier ones stay."""
        values = {"since": since, "credit": CREDIT} | {kind.name.lower(): kind.value for kind in KINDS}
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [COUNTING])
            self.filter(day__gte=since.date()).delete()
            cursor.execute(COUNT, values)


class Tally(models.Model):
    """A day (UTC) of a dress or, with a look, of that look: how many people did what.

    As with interactions, dresses and looks may go; what looks at their tallies joins those that there are.
    """

    day = models.DateField()
    dress = models.ForeignKey(Dress, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+")
    look = models.ForeignKey(
        Look, on_delete=models.DO_NOTHING, db_constraint=False, null=True, blank=True, related_name="+"
    )
    views = models.PositiveIntegerField()
    opens = models.PositiveIntegerField()
    clicks = models.PositiveIntegerField()
    saves = models.PositiveIntegerField()
    rents = models.PositiveIntegerField()

    objects = TallyQuerySet.as_manager()

    class Meta:
        ordering = ["-day", "pk"]
        verbose_name_plural = "looks that sell"
        constraints = [
            models.UniqueConstraint(
                fields=["day", "dress", "look"], nulls_distinct=False, name="one_tally_per_day_and_look"
            )
        ]

    def __str__(self) -> str:
        of = f"look {self.look_id}" if self.look_id else f"dress {self.dress_id}"
        return f"{self.day} of {of}"
