"""What we know of our access to Instagram: the account's token and limits, hashtags, mentions."""

from datetime import datetime, timedelta

from django.core.validators import RegexValidator
from django.db import models, transaction
from django.db.models import F, Q

WINDOW = timedelta(days=7)
HASHTAGS_IN_WINDOW = 30


class WindowFull(Exception):
    """Thirty other hashtags were asked for in the last seven days; ``free_at`` is when one falls out."""

    def __init__(self, free_at: datetime) -> None:
        super().__init__(
            f"{HASHTAGS_IN_WINDOW} other hashtags were asked for in the last {WINDOW.days} days."
        )
        self.free_at = free_at


# Instagram answers about no other signs, emoji among them.
plain_word = RegexValidator(r"^\w+\Z", "Expected letters, digits and underscores alone, without the #.")


class InstagramAccount(models.Model):
    """One row: the token that opens the API, and what the API says of our use of it."""

    token = models.TextField(blank=True, editable=False, help_text="Encrypted.")
    seed = models.CharField(
        max_length=64, blank=True, editable=False, help_text="A digest of the environment's token it is from."
    )
    obtained_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    end_stated = models.BooleanField(default=False, help_text="By Instagram; else we take sixty days for it.")
    tried_at = models.DateTimeField(null=True, blank=True, help_text="When an exchange was last tried.")
    warned_at = models.DateTimeField(null=True, blank=True)
    usage = models.FloatField(default=0, help_text="Percent of the fullest limit.")
    usage_at = models.DateTimeField(null=True, blank=True)
    refusals = models.PositiveIntegerField(default=0, help_text="Answers in a row that we asked too much.")
    waits_until = models.DateTimeField(null=True, blank=True)
    stopped_at = models.DateTimeField(null=True, blank=True)
    stopped_because = models.CharField(max_length=300, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "Instagram account"
        constraints = [models.CheckConstraint(condition=Q(pk=1), name="one_instagram_account")]

    def __str__(self) -> str:
        return "Instagram"

    @classmethod
    def load(cls) -> "InstagramAccount":
        return cls.objects.get_or_create(pk=1)[0]

    def waits(self, now: datetime) -> bool:
        return self.waits_until is not None and self.waits_until > now

    def note_use(self, percent: float, now: datetime) -> None:
        """After an answer; written when it says something new, or every minute."""
        last = self.usage_at
        if last is None or percent != self.usage or now - last > timedelta(minutes=1):
            self.usage, self.usage_at = percent, now
            self.save(update_fields=["usage", "usage_at"])

    def wait(self, until: datetime) -> None:
        """Ask nothing until then."""
        self.refusals, self.waits_until = self.refusals + 1, until
        self.save(update_fields=["refusals", "waits_until"])

    def answered(self) -> None:
        """Whoever answers does not refuse."""
        if self.refusals or self.waits_until:
            self.refusals, self.waits_until = 0, None
            self.save(update_fields=["refusals", "waits_until"])

    def stop(self, reason: str, now: datetime) -> None:
        """Ask nothing until an admin has seen to it."""
        self.stopped_at, self.stopped_because = now, reason[:300]
        self.save(update_fields=["stopped_at", "stopped_because"])

    def go_on(self) -> None:
        self.stopped_at, self.stopped_because, self.waits_until, self.refusals = None, "", None, 0
        self.save(update_fields=["stopped_at", "stopped_because", "waits_until", "refusals"])


class HashtagQuerySet(models.QuerySet["Hashtag"]):
    def in_window(self, now: datetime) -> "HashtagQuerySet":
        """Those that count: Instagram answers about thirty in seven days."""
        return self.filter(asked_since__gt=now - WINDOW)


class Hashtag(models.Model):
    name = models.CharField(max_length=100, unique=True, validators=[plain_word], help_text="Without #.")
    graph_id = models.CharField(
        max_length=40, blank=True, help_text="Instagram's number of it, the same for ever."
    )
    asked_since = models.DateTimeField(
        null=True,
        blank=True,
        help_text="The first time in its seven days; later ones neither count nor reset it.",
    )

    objects = HashtagQuerySet.as_manager()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return f"#{self.name}"

    def clean(self) -> None:
        self.name = self.name.strip().lstrip("#").lower()

    def counts(self, now: datetime) -> bool:
        return self.asked_since is not None and self.asked_since > now - WINDOW

    @transaction.atomic
    def ask(self, now: datetime) -> None:
        """Take one of the thirty places, unless it has one. Raises WindowFull, and then nothing is asked."""
        InstagramAccount.objects.select_for_update().get_or_create(pk=1)  # one at a time
        self.refresh_from_db(fields=["asked_since"])
        if self.counts(now):
            return
        taken = Hashtag.objects.in_window(now).order_by("asked_since").values_list("asked_since", flat=True)
        if len(taken) >= HASHTAGS_IN_WINDOW:
            first = taken[len(taken) - HASHTAGS_IN_WINDOW]
            raise WindowFull((first or now) + WINDOW)
        self.asked_since = now
        self.save(update_fields=["asked_since"])


class MentionQuerySet(models.QuerySet["Mention"]):
    def waiting(self) -> "MentionQuerySet":
        return self.filter(done_at=None).order_by("pk")


class Mention(models.Model):
    """That somebody has mentioned us, as Instagram told it; it tells everything once and keeps nothing."""

    media_id = models.CharField(max_length=120)
    comment_id = models.CharField(max_length=120, blank=True, help_text="Where a comment mentions us.")
    received_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True, blank=True)
    trouble = models.CharField(max_length=300, blank=True)

    objects = MentionQuerySet.as_manager()

    class Meta:
        ordering = ["-received_at"]
        constraints = [models.UniqueConstraint(fields=["media_id", "comment_id"], name="each_mention_once")]
        indexes = [models.Index(F("id"), condition=Q(done_at=None), name="mention_waiting")]

    def __str__(self) -> str:
        return f"comment {self.comment_id}" if self.comment_id else f"medium {self.media_id}"
