from datetime import datetime
from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib.postgres.expressions import ArraySubquery
from django.db import connections, models
from django.db.models import Exists, Max, OuterRef, Q
from django.db.models.functions import JSONObject

from verify import consensus
from verify.models.batch import Batch
from verify.models.catalogue import cover_token
from verify.models.post import Answer, Post
from verify.models.suggestion import Option, Suggestion

if TYPE_CHECKING:
    from verify.models.employee import Employee


# A post takes one more person in as long as this holds. Whoever relies on it has locked the post before.
HAS_ROOM = """
    batch.state = 'open' AND post.state = 'proposed' AND post.settles_at IS NULL
    AND post.votes_needed > (
        SELECT count(*) FROM verify_lease held
        WHERE held.post_id = post.id AND held.outcome = 'open' AND held.expires_at > %(now)s
    )
"""

# The walk: on from the last post handed out, or from a random one, backwards in time, and round.
NEXT_POSTS = f"""
    WITH recent AS (
        SELECT post.posted_at, post.id
        FROM verify_lease lease JOIN verify_post post ON post.id = lease.post_id
        WHERE lease.employee_id = %(employee)s AND lease.created_at > %(visit)s
        ORDER BY lease.id DESC LIMIT 1
    ), random AS (
        SELECT post.posted_at, post.id
        FROM verify_post post JOIN verify_batch batch ON batch.id = post.batch_id
        WHERE batch.state = 'open' AND NOT EXISTS (SELECT FROM recent)
        ORDER BY md5(post.id || '-' || %(seed)s) LIMIT 1
    ), start AS (
        SELECT * FROM recent UNION ALL SELECT * FROM random
    ), in_hand AS (
        SELECT count(*) AS cards
        FROM verify_lease lease JOIN verify_post post ON post.id = lease.post_id
        WHERE lease.employee_id = %(employee)s AND lease.outcome = 'open' AND lease.expires_at > %(now)s
            AND post.state = 'proposed' AND post.settles_at IS NULL
    )
    SELECT post.id
    FROM start, verify_post post JOIN verify_batch batch ON batch.id = post.batch_id
    WHERE {HAS_ROOM}
        AND NOT EXISTS (
            SELECT FROM verify_lease mine WHERE mine.post_id = post.id AND mine.employee_id = %(employee)s
        )
        AND NOT EXISTS (
            SELECT FROM verify_vote mine WHERE mine.post_id = post.id AND mine.employee_id = %(employee)s
        )
    ORDER BY
        (post.posted_at, post.id) <= (start.posted_at, start.id) DESC, post.posted_at DESC, post.id DESC
    LIMIT greatest(0, %(ahead)s - (SELECT cards FROM in_hand))
"""  # noqa: S608 (of our own constants)

HAND_OUT = f"""
    INSERT INTO verify_lease (post_id, employee_id, suggestion_id, outcome, created_at, expires_at)
    SELECT post.id, %(employee)s, post.suggestion_id, 'open', %(now)s, %(until)s
    FROM verify_post post JOIN verify_batch batch ON batch.id = post.batch_id
    WHERE post.id = ANY(%(posts)s) AND {HAS_ROOM}
    ORDER BY array_position(%(posts)s, post.id)
    ON CONFLICT DO NOTHING -- the same person in another window
"""  # noqa: S608


class LeaseQuerySet(models.QuerySet["Lease"]):
    def open(self, now: datetime) -> "LeaseQuerySet":
        return self.filter(outcome=Lease.Outcome.OPEN, expires_at__gt=now)

    def last_expiry(self, batch: Batch, now: datetime) -> datetime | None:
        """When the last card of a post of ``batch`` that still takes votes falls back."""
        undecided = {"post__state": Post.State.PROPOSED, "post__settles_at": None}
        expiry: datetime | None = (
            self.open(now).filter(post__batch=batch, **undecided).aggregate(last=Max("expires_at"))["last"]
        )
        return expiry

    def cards(self) -> "LeaseQuerySet":
        """What a screen shows, oldest first, with ``offer``: a dict per option. Not of decided posts."""
        dress = {
            field: f"dress__{field}" for field in ("id", "sku", "title", "designer", "category", "colour")
        }
        option = JSONObject(pk="pk", dress=JSONObject(**dress), cover_token=cover_token("dress"))
        options = Option.objects.filter(suggestion=OuterRef("suggestion")).order_by("rank")
        post = ("caption", "permalink", "posted_at", "photo__token", "photo__width", "photo__height")
        return (
            self.filter(post__state=Post.State.PROPOSED, post__settles_at=None)
            .select_related("post__photo")
            .only("employee", "created_at", "expires_at", *(f"post__{field}" for field in post))
            .annotate(offer=ArraySubquery(options.values(option=option)))
            .order_by("pk")
        )

    def next_posts(
        self, employee: "Employee", ahead: int, now: datetime, seed: int, lock: bool = True
    ) -> list[int]:
        """The pks of the next posts for this person, so many that ``ahead`` would be in hand.

        They had room when the statement began. With ``lock`` they are locked, and those that others have
        locked are passed over.
        """
        sql = NEXT_POSTS + ("FOR NO KEY UPDATE OF post SKIP LOCKED" if lock else "")
        visit = now - settings.VISIT_GAP
        values = {"employee": employee.pk, "ahead": ahead, "now": now, "visit": visit, "seed": seed}
        with connections[self.db].cursor() as cursor:
            cursor.execute(sql, values)
            return [pk for (pk,) in cursor.fetchall()]

    def hand_out(self, posts: list[int], employee: "Employee", now: datetime) -> int:
        """Lease those of these locked posts that still have room; returns how many."""
        until = now + settings.LEASE
        values = {"posts": posts, "employee": employee.pk, "now": now, "until": until}
        with connections[self.db].cursor() as cursor:
            cursor.execute(HAND_OUT, values)
            return int(cursor.rowcount)


class Lease(models.Model):
    """A post in one employee's hands: on the screen, or loaded ahead. One per post and person, ever."""

    class Outcome(models.TextChoices):
        OPEN = "open"
        VOTED = "voted"
        SKIPPED = "skipped"

    post = models.ForeignKey(Post, on_delete=models.CASCADE, related_name="leases")
    employee = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="leases")
    suggestion = models.ForeignKey(Suggestion, on_delete=models.CASCADE, related_name="leases")
    outcome = models.CharField(max_length=8, choices=Outcome, default=Outcome.OPEN)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    objects = LeaseQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["post", "employee"], name="one_lease_per_employee")]
        indexes = [
            models.Index(fields=["employee", "-id"], name="lease_by_employee"),
            models.Index(fields=["post"], condition=Q(outcome="open"), name="lease_open_by_post"),
        ]

    def __str__(self) -> str:
        return f"{self.post} in the hands of {self.employee}"

    def close(self, outcome: "Lease.Outcome") -> None:
        self.outcome = outcome
        self.save(update_fields=["outcome"])

    def reopen(self, until: datetime) -> None:
        """Back into the same hands; with ``until`` in the past only as a claim, honoured if there is room."""
        self.outcome, self.expires_at = Lease.Outcome.OPEN, until
        self.save(update_fields=["outcome", "expires_at"])


class VoteQuerySet(models.QuerySet["Vote"]):
    def cast_in(self, batch: Batch) -> "VoteQuerySet":
        """Votes since ``batch`` was opened, on its posts; not on cards from before, of posts carried over."""
        lease = Lease.objects.filter(post=OuterRef("post"), employee=OuterRef("employee"))
        from_before = Exists(lease.filter(created_at__lt=batch.opened_at))
        return self.filter(~from_before, post__batch=batch, created_at__gte=batch.opened_at)


class Vote(models.Model):
    post = models.ForeignKey(Post, on_delete=models.CASCADE, related_name="votes")
    employee = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="votes"
    )
    suggestion = models.ForeignKey(Suggestion, on_delete=models.CASCADE, related_name="votes")
    answer = models.CharField(max_length=16, choices=Answer)
    option = models.ForeignKey(Option, on_delete=models.CASCADE, null=True, blank=True, related_name="votes")
    created_at = models.DateTimeField()

    objects = VoteQuerySet.as_manager()

    class Meta:
        ordering = ["created_at"]
        constraints = [
            models.UniqueConstraint(fields=["post", "employee"], name="one_vote_per_employee"),
            models.CheckConstraint(
                condition=Q(answer="dress", option__isnull=False) | (~Q(answer="dress") & Q(option=None)),
                name="vote_names_an_option_for_a_dress",
            ),
        ]
        indexes = [models.Index(fields=["employee", "created_at"], name="vote_by_employee_and_time")]

    def __str__(self) -> str:
        return f"{self.employee or 'somebody'} on {self.post}: {self.get_answer_display()}"

    @property
    def key(self) -> str:
        """The answer as `consensus` names it."""
        return consensus.dress_key(self.option.dress_id) if self.option else self.answer
