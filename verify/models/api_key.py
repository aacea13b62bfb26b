"""Keys that let a machine call the API: who made each, what it may do and how much, and when it last did."""

import hashlib
import hmac
import re
import secrets
from datetime import UTC, datetime, timedelta
from math import ceil

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MinValueValidator
from django.db import models, transaction
from django.db.models import F, Q

SECRET_BYTES = 32
WHOLE = re.compile(r"(dp_[0-9a-f]{8})_([\w-]{43})", re.ASCII)
LAST_USE_EVERY = timedelta(minutes=1)  # a key in use writes no row for every request
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


class LimitReached(Exception):
    """The key has had its share; the message says of what, ``seconds`` when there is more."""

    def __init__(self, message: str, seconds: int) -> None:
        super().__init__(message)
        self.seconds = seconds


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    def usable(self, now: datetime) -> "ApiKeyQuerySet":
        return self.filter(Q(expires_at=None) | Q(expires_at__gt=now), revoked_at=None)

    def with_text(self, text: str) -> "ApiKey | None":
        """The key, usable or not, that somebody shows by its whole text."""
        if (match := WHOLE.fullmatch(text)) is None:
            return None
        key = self.filter(prefix=match[1]).first()
        return key if key and hmac.compare_digest(key.digest, digest(match[2])) else None


class ApiKey(models.Model):
    """Its text, ``dp_<8 characters>_<secret>``, is shown once; here are its beginning and a digest."""

    class Scope(models.TextChoices):
        CLASSIFY = "classify", "Name the dress in photos"
        RECOMMENDATIONS = "recommendations", "Recommend by what a shopper did"
        INTERACTIONS = "interactions", "Tell what shoppers do"
        REVIEWS = "reviews", "Send customers’ photos of dresses"

    name = models.CharField(max_length=80, help_text="Who calls with it, such as “warehouse scanner”.")
    prefix = models.CharField(max_length=11, unique=True, help_text="How its text begins.")
    digest = models.CharField(max_length=64, help_text="sha256 of its secret part.")
    scopes = ArrayField(models.CharField(max_length=20, choices=Scope), help_text="What it may do.")
    requests_per_minute = models.PositiveIntegerField(default=60, validators=[MinValueValidator(1)])
    photos_per_day = models.PositiveIntegerField(
        default=5_000, validators=[MinValueValidator(1)], help_text="From midnight to midnight in UTC."
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="api_keys"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(
        null=True, blank=True, help_text="From then on it is refused; empty: never."
    )
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    minute = models.DateTimeField(null=True, help_text="The minute that requests are counted in.")
    requests_in_minute = models.PositiveIntegerField(default=0)
    day = models.DateField(null=True, help_text="The day that photos are counted in.")
    photos_in_day = models.PositiveIntegerField(default=0)

    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        verbose_name = "API key"
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    def draw_secret(self) -> str:
        """Give a new key its secret; returns its whole text, which nobody can find again."""
        secret = secrets.token_urlsafe(SECRET_BYTES)
        self.prefix, self.digest = f"dp_{secrets.token_hex(4)}", digest(secret)
        return f"{self.prefix}_{secret}"

    def refusal(self, now: datetime) -> str:
        """Why it opens nothing any more; empty while it does."""
        if self.revoked_at is not None:
            return "This key has been revoked."
        expired = self.expires_at is not None and self.expires_at <= now
        return "This key has expired." if expired else ""

    def used(self, now: datetime) -> None:
        if self.last_used_at is None or now - self.last_used_at >= LAST_USE_EVERY:
            ApiKey.objects.filter(pk=self.pk).update(last_used_at=now)

    def photos_today(self, now: datetime) -> int:
        return self.photos_in_day if self.day == now.astimezone(UTC).date() else 0

    @transaction.atomic
    def count_request(self, now: datetime) -> None:
        """Raises LimitReached. Counted in the database: the limit holds for all web processes together."""
        row = ApiKey.objects.select_for_update().get(pk=self.pk)
        minute = now.replace(second=0, microsecond=0)
        before = row.requests_in_minute if row.minute == minute else 0
        if before >= row.requests_per_minute:
            limit = f"This key may send {row.requests_per_minute:,} requests a minute."
            raise LimitReached(limit, _seconds(minute + MINUTE - now))
        row.minute, row.requests_in_minute = minute, before + 1
        row.save(update_fields=["minute", "requests_in_minute"])

    @transaction.atomic
    def count_photos(self, count: int, now: datetime) -> None:
        """Raises LimitReached, and then counts none of them."""
        row = ApiKey.objects.select_for_update().get(pk=self.pk)
        left = row.photos_per_day - row.photos_today(now)
        if count > left:
            midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
            limit = f"This key may send {row.photos_per_day:,} photos a day, and has {left:,} left today."
            raise LimitReached(limit, _seconds(midnight + DAY - now))
        row.photos_in_day = row.photos_today(now) + count
        row.day = now.astimezone(UTC).date()
        row.save(update_fields=["day", "photos_in_day"])

    def give_back_photos(self, count: int, now: datetime) -> None:
        """What was counted and then could not be answered."""
        today = ApiKey.objects.filter(pk=self.pk, day=now.astimezone(UTC).date())
        today.update(photos_in_day=F("photos_in_day") - count)


def digest(secret: str) -> str:
    """A plain hash is enough: the secret is 256 random bits, which nobody guesses."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _seconds(time: timedelta) -> int:
    return max(1, ceil(time.total_seconds()))
