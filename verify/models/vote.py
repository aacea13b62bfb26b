import json
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models
from django.db.models import Exists, Max, OuterRef, Q
from django.utils import timezone

from verify import consensus
from verify.models import statements
from verify.models.batch import Batch
from verify.models.catalogue import Dress
from verify.models.photo import Photo
from verify.models.post import RULE, Post
from verify.models.post_queryset import WEIGHED, Answer
from verify.models.suggestion import Option, Suggestion

if TYPE_CHECKING:
    from verify.models.employee import Employee


class LeaseQuerySet(models.QuerySet["Lease"]):
    def open(self, now: datetime) -> "LeaseQuerySet":
        return self.filter(outcome=Lease.Outcome.OPEN, expires_at__gt=now)

    def to_vote(self, now: datetime) -> "LeaseQuerySet":
        """The open ones whose answers count towards their post."""
        return self.open(now).filter(purpose=Lease.Purpose.VOTE)

    def last_expiry(self, batch: Batch, now: datetime) -> datetime | None:
        """When the last card of a post of ``batch`` that still takes votes falls back."""
        undecided = {"post__state": Post.State.PROPOSED, "post__settles_at": None}
        expiry: datetime | None = (
            self.open(now).filter(post__batch=batch, **undecided).aggregate(last=Max("expires_at"))["last"]
        )
        return expiry

    def cards(self, employee: "Employee", now: datetime, held: Collection[int] = ()) -> "list[Lease]":
        """The cards in this person's hands but not ``held``, oldest first, with what a screen shows of them.

        Each has ``post.photo``, and ``options`` in the model's order, with ``dress`` and its ``cover_token``.
        Posts that votes have decided meanwhile are left out.
        """
        rows = statements.run(statements.CARDS, employee=employee.pk, now=now, held=list(held))
        return [_card(row, employee) for row in rows]

    def lock_card(self, pk: int, employee: "Employee", dress_pk: int | None = None) -> "Lease | None":
        """This person's card, locked as is its post, and what an answer is weighed with.

        ``option_chosen``: the pk of the option that offers that dress; ``named_later``: the pks of dresses
        that colleagues named since the card was dealt; ``reliability`` of the person, None if their votes
        weigh nothing.
        """
        values = {"lease": pk, "employee": employee.pk, "dress": dress_pk}
        rows = statements.run(statements.LOCK_CARD, **values)
        return _locked_card(rows[0], employee) if rows else None

    def deal_known(
        self, employee: "Employee", ahead: int, now: datetime, seed: int, draws: Sequence[bool]
    ) -> int:
        """Hand out cards whose answer is known, at random, never seen or decided by them; returns how many.

        Of the cards missing to ``ahead`` in hand, those for which ``draws`` is true; a new colleague gets the
        training that is left.
        """
        purpose = Lease.Purpose.TRAINING if employee.in_training else Lease.Purpose.GOLD
        most = settings.TRAINING_CARDS - employee.trained if employee.in_training else ahead
        values = {"employee": employee.pk, "ahead": ahead, "now": now, "seed": seed, "most": most}
        until, drawn = now + settings.LEASE, list(draws)
        return len(
            statements.run(statements.DEAL_KNOWN, purpose=str(purpose), until=until, draws=drawn, **values)
        )

    def next_posts(
        self, employee: "Employee", ahead: int, now: datetime, seed: int, lock: bool = True
    ) -> list[int]:
        """The pks of the next posts for this person, so many that ``ahead`` would be in hand.

        They had room when the statement began. With ``lock`` they are locked, and those that others have
        locked are passed over.
        """
        sql = statements.NEXT_POSTS[settings.SERVING_ORDER]
        sql += "FOR NO KEY UPDATE OF post SKIP LOCKED" if lock else ""
        visit = now - settings.VISIT_GAP
        today = timezone.localdate(now)
        values = {"employee": employee.pk, "ahead": ahead, "now": now, "visit": visit, "today": today}
        rows = statements.run(sql, seed=seed, **values)
        return [row["id"] for row in rows]

    def hand_out(self, posts: list[int], employee: "Employee", now: datetime) -> int:
        """Lease those of these locked posts that still have room; returns how many."""
        until = now + settings.LEASE
        return len(
            statements.run(statements.HAND_OUT, posts=posts, employee=employee.pk, now=now, until=until)
        )


def _locked_card(row: dict[str, Any], employee: "Employee") -> "Lease":
    columns = ("id", "post_id", "suggestion_id", "outcome", "purpose", "created_at", "expires_at")
    card = statements.stored(Lease, row, *columns, employee_id=employee.pk)
    card.option_chosen = row["option_chosen"]
    card.reliability = None if row["muted"] else row["reliability"] or RULE.reliability
    card.vote_weight = row["vote_weight"] or consensus.VOTE_WEIGHT
    card.post = statements.stored(
        *(Post, row, "state", "votes_cast", "votes_needed", "closeness", "audit", "settles_at", "batch_id"),
        id=card.post_id,
        suggestion_id=row["post_suggestion_id"],
        posterior=json.loads(row["posterior"]),
    )
    # By the locked row: the subqueries may be older, and not know what was named while this one waited.
    possible = {dress for key in card.post.posterior if (dress := consensus.dress_of(key))}
    card.named_later = possible - set(row["dealt"])
    return card


def _card(row: dict[str, Any], employee: "Employee") -> "Lease":
    columns = ("id", "post_id", "suggestion_id", "outcome", "purpose", "created_at", "expires_at")
    card = statements.stored(Lease, row, *columns, employee_id=employee.pk)
    card.post = statements.stored(Post, row, "photo_id", id=card.post_id)
    card.post.photo = statements.stored(Photo, row["photo"], *row["photo"])
    card.options = [_option(**option) for option in row["offer"]]
    return card


def _option(option: dict[str, Any], dress: dict[str, Any], cover_token: str | None) -> Option:
    offered = statements.stored(Option, option, *option)
    offered.dress = statements.stored(Dress, dress, *dress)
    offered.dress.cover_token = cover_token
    return offered


class Lease(models.Model):
    """A post in one employee's hands: on the screen, or loaded ahead. One per post and person, ever."""

    class Outcome(models.TextChoices):
        OPEN = "open"
        VOTED = "voted"
        SKIPPED = "skipped"

    class Purpose(models.TextChoices):
        VOTE = "vote"
        GOLD = "gold", "gold: the answer is known"
        TRAINING = "training", "training: the answer is known, and explained"

    post = models.ForeignKey(Post, on_delete=models.CASCADE, related_name="leases")
    employee = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="leases")
    suggestion = models.ForeignKey(Suggestion, on_delete=models.CASCADE, related_name="leases")
    outcome = models.CharField(max_length=8, choices=Outcome, default=Outcome.OPEN)
    purpose = models.CharField(max_length=8, choices=Purpose, default=Purpose.VOTE)
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
    def cast(
        self, lease: Lease, answer: str, option_pk: int | None, viewed_ms: int | None, now: datetime
    ) -> "Vote":
        """Store an answer to a locked card, with what `Post.count` made of it, and close the card."""
        post = lease.post
        columns: dict[str, Any] = {
            "post_id": post.pk,
            "employee_id": lease.employee_id,
            "suggestion_id": lease.suggestion_id,
            "answer": str(answer),
            "option_id": option_pk,
            "created_at": now,
            "dealt_at": lease.created_at,
            "viewed_ms": viewed_ms,
            "counted": lease.reliability is not None,
        }
        weighed = {name: getattr(post, name) for name in WEIGHED if name != "posterior"}
        posterior = json.dumps(post.posterior)
        [row] = statements.run(statements.CAST, lease=lease.pk, posterior=posterior, **columns, **weighed)
        vote = statements.stored(Vote, row, "id", **columns)
        vote.post, lease.outcome = post, Lease.Outcome.VOTED
        return vote

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
    dealt_at = models.DateTimeField(
        default=timezone.now, help_text="When the card was handed out, with the options of that moment."
    )
    viewed_ms = models.PositiveIntegerField(
        null=True, blank=True, help_text="How long the card was on the screen, as the browser says."
    )
    counted = models.BooleanField(
        default=True, help_text="False: cast by somebody whose votes weigh nothing."
    )
    right = models.BooleanField(
        null=True, blank=True, help_text="Whether the verdict agrees; null before one."
    )
    points = models.PositiveSmallIntegerField(null=True, blank=True)
    confirmed_at = models.DateTimeField(null=True, blank=True)

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
        indexes = [
            models.Index(fields=["employee", "created_at"], name="vote_by_employee_and_time"),
            models.Index(fields=["employee", "confirmed_at"], name="vote_by_employee_and_verdict"),
            models.Index(fields=["post"], condition=Q(confirmed_at=None), name="vote_to_confirm"),
        ]

    def __str__(self) -> str:
        return f"{self.employee or 'somebody'} on {self.post}: {self.get_answer_display()}"

    @property
    def key(self) -> str:
        """The answer as `consensus` names it."""
        return consensus.dress_key(self.option.dress_id) if self.option else self.answer

    def may_change(self) -> bool:
        """Until the post is settled or its batch put away."""
        batch = self.post.batch
        return (
            self.post.state == Post.State.PROPOSED and batch is not None and batch.state == Batch.State.OPEN
        )

    def may_mean(self, named: Collection[Option]) -> frozenset[str]:
        """The answer; for "none of these", also the dresses that were ``named`` after the card was dealt."""
        if self.answer != Answer.NONE_OF_THESE:
            return frozenset({self.key})
        later = {
            consensus.dress_key(option.dress_id) for option in named if option.created_at > self.dealt_at
        }
        return frozenset({self.key}) | later
