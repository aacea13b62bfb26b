import secrets
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models, transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.text import capfirst

from verify.models.instagram import Hashtag
from verify.models.post import Post

ATTEMPTS = 3  # sweeps in which a medium that was refused is tried again
LONGEST_PAUSE = timedelta(hours=6)  # after failures in a row


class ClaimLost(Exception):
    """Another worker has taken the source over: nothing that is in hand may be stored."""


class SourceQuerySet(models.QuerySet["Source"]):
    def due(self, now: datetime) -> "SourceQuerySet":
        free = Q(claimed_until=None) | Q(claimed_until__lt=now)
        return self.filter(free, enabled=True, next_run_at__lte=now)

    @transaction.atomic
    def claim_next(self, now: datetime) -> "Source | None":
        """Take up the source that has waited longest; nobody else gets it until it is let go."""
        due = self.due(now).order_by("next_run_at", "pk")
        source = due.select_for_update(of=("self",), skip_locked=True).select_related("hashtag").first()
        if source:
            source.claim, source.claimed_until = secrets.token_hex(8), now + settings.INTAKE_CLAIM
            source.last_run_at = now
            source.save(update_fields=["claim", "claimed_until", "last_run_at"])
        return source


class Source(models.Model):
    """Where posts come from, how often it is asked, and how far it has been read."""

    class Kind(models.TextChoices):
        HASHTAG_RECENT = "hashtag_recent", "a hashtag’s newest"
        HASHTAG_TOP = "hashtag_top", "a hashtag’s most popular"
        TAGGED = "tagged", "photos that we are tagged in"
        MENTIONS = "mentions", "posts that mention us"
        JSON_LINES = "json_lines", "a file of JSON lines, with its photos"
        EXPORT = "export", "Instagram’s own export, a ZIP"

    OF_A_HASHTAG = [Kind.HASHTAG_RECENT, Kind.HASHTAG_TOP]
    OF_A_FILE = [Kind.JSON_LINES, Kind.EXPORT]
    REACH = {
        Kind.HASHTAG_RECENT: "the last 24 hours; what is missed is gone",
        Kind.HASHTAG_TOP: "any age, as many as Instagram ranks",
        Kind.TAGGED: "all that is public, back to the first",
        Kind.MENTIONS: "from the day that the webhook is set up",
        Kind.JSON_LINES: "whatever the file holds",
        Kind.EXPORT: "all of the account’s own posts",
    }

    kind = models.CharField(max_length=20, choices=Kind)
    hashtag = models.ForeignKey(
        Hashtag, on_delete=models.PROTECT, null=True, blank=True, related_name="sources"
    )
    file = models.CharField(
        max_length=200, blank=True, help_text="In the portal’s intake folder, such as “spring/posts.jsonl”."
    )
    rights = models.CharField(
        max_length=10,
        choices=Post.Rights,
        blank=True,
        help_text="Of every post in the file; empty: unknown, as those of hashtags are.",
    )
    enabled = models.BooleanField(default=True)
    every_minutes = models.PositiveIntegerField(
        "every (minutes)", default=60, validators=[MinValueValidator(5)]
    )
    next_run_at = models.DateTimeField("next run", default=timezone.now)
    last_run_at = models.DateTimeField(null=True, blank=True)
    read_at = models.DateTimeField(null=True, blank=True, help_text="When it was last read to its end.")
    claim = models.CharField(max_length=16, blank=True, help_text="Of the worker that reads it.")
    claimed_until = models.DateTimeField(null=True, blank=True)

    cursor = models.TextField(blank=True, help_text="Where reading goes on; empty: at the beginning.")
    pages = models.PositiveIntegerField(default=0, help_text="Read since it was begun.")
    thorough = models.BooleanField(default=True, help_text="Read to the end, whatever is known already.")
    left_behind = models.BooleanField(default=False, help_text="Something is to be tried again.")

    seen = models.PositiveBigIntegerField(default=0, help_text="Photos and videos listed, repeats included.")
    new = models.PositiveIntegerField(default=0, help_text="Posts that came in by it.")
    failures = models.PositiveIntegerField(default=0, help_text="Runs in a row that failed.")
    last_error = models.CharField(max_length=300, blank=True)
    last_error_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = SourceQuerySet.as_manager()

    class Meta:
        ordering = ["kind", "hashtag__name", "file"]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__startswith="hashtag_", hashtag__isnull=False, file="")
                | Q(kind__in=["json_lines", "export"], hashtag=None) & ~Q(file="")
                | Q(kind__in=["tagged", "mentions"], hashtag=None, file=""),
                name="source_has_what_its_kind_needs",
            ),
            models.UniqueConstraint(
                fields=["kind", "hashtag", "file"], nulls_distinct=False, name="each_source_once"
            ),
        ]
        indexes = [models.Index(fields=["next_run_at"], condition=Q(enabled=True), name="source_due")]

    def __str__(self) -> str:
        if self.hashtag:
            rank = "newest" if self.kind == Source.Kind.HASHTAG_RECENT else "most popular"
            return f"#{self.hashtag.name}, {rank}"
        return self.file or capfirst(self.get_kind_display())

    def clean(self) -> None:
        if self.kind in Source.OF_A_FILE and not self.file:
            raise ValidationError({"file": "Which file?"})
        if self.kind not in Source.OF_A_HASHTAG:
            self.hashtag = None
        if self.kind not in Source.OF_A_FILE:
            self.file = self.rights = ""

    @property
    def reach(self) -> str:
        return Source.REACH[Source.Kind(self.kind)]

    @property
    def of_instagram(self) -> bool:
        return self.kind not in Source.OF_A_FILE

    @property
    def interval(self) -> timedelta:
        return timedelta(minutes=self.every_minutes)

    def held(self) -> "models.QuerySet[Source]":
        """This row, as long as it is in our hands."""
        return Source.objects.filter(pk=self.pk, claim=self.claim).exclude(claim="")

    def keep_claim(self, now: datetime) -> None:
        """A sign of life. Raises ClaimLost."""
        if not self.held().update(claimed_until=now + settings.INTAKE_CLAIM):
            raise ClaimLost(f"{self} was taken over.")

    def advance(self, now: datetime, seen: int, new: int, cursor: str, left_behind: bool) -> None:
        """Count a page, and remember where the next begins; in the transaction that stores it.

        Raises ClaimLost, so that nothing of the page is stored twice.
        """
        counted = {"seen": F("seen") + seen, "new": F("new") + new, "pages": F("pages") + 1}
        left = {"left_behind": True} if left_behind else {}
        if not self.held().update(
            cursor=cursor, claimed_until=now + settings.INTAKE_CLAIM, **counted, **left
        ):
            raise ClaimLost(f"{self} was taken over.")
        self.cursor, self.pages, self.left_behind = cursor, self.pages + 1, self.left_behind or left_behind

    def begin_again(self) -> None:
        """From the first page, and to the last: where it stood is not known any more."""
        self._let(cursor="", pages=0, thorough=True, left_behind=False)

    def let_go(self, now: datetime) -> None:
        """Not read to the end yet: others take turns, then it goes on."""
        self._let(next_run_at=now, failures=0, last_error="", claim="", claimed_until=None)

    def finish(self, now: datetime, cursor: str = "") -> None:
        """Read to its end. What was left behind is why the next time is from the start, and thorough."""
        anew = {
            "cursor": "" if self.left_behind else cursor,
            "pages": 0,
            "thorough": self.left_behind,
            "left_behind": False,
        }
        due = {"next_run_at": now + self.interval, "read_at": now, "failures": 0, "last_error": ""}
        self._let(**anew, **due, claim="", claimed_until=None)

    def fail(self, reason: str, now: datetime, next_run_at: datetime | None = None) -> None:
        """Keeps where it stands. Failures in a row double the pause, unless a time is given."""
        pause = min(max(self.interval, LONGEST_PAUSE), self.interval * 2 ** min(self.failures, 8))
        self._let(
            last_error=reason[:300],
            last_error_at=now,
            failures=self.failures + 1,
            next_run_at=next_run_at or now + pause,
            claim="",
            claimed_until=None,
        )

    def _let(self, **fields: Any) -> None:
        """Set the fields if the row is in our hands still; else whoever has it does."""
        self.held().update(**fields)
        for name, value in fields.items():
            setattr(self, name, value)


class RefusedMedia(models.Model):
    """A photo or video that a source listed and that was not taken in; tried again a few times."""

    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="refused")
    external_id = models.CharField(max_length=120)
    reason = models.CharField(max_length=300)
    attempts = models.PositiveSmallIntegerField(default=1)
    last_at = models.DateTimeField()

    class Meta:
        ordering = ["-last_at"]
        verbose_name_plural = "refused media"
        constraints = [
            models.UniqueConstraint(fields=["source", "external_id"], name="one_refusal_per_source_and_id")
        ]

    def __str__(self) -> str:
        return f"{self.external_id}: {self.reason}"
