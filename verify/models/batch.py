from datetime import UTC, date, datetime

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone


class BatchQuerySet(models.QuerySet["Batch"]):
    def open(self) -> "BatchQuerySet":
        return self.filter(state=Batch.State.OPEN)

    def frozen(self) -> "BatchQuerySet":
        return self.filter(state=Batch.State.FROZEN)

    def unfinished(self) -> "BatchQuerySet":
        return self.exclude(state=Batch.State.CLOSED)


class Batch(models.Model):
    """The posts of one night: open to votes, then frozen, then closed."""

    class State(models.TextChoices):
        OPEN = "open"
        FROZEN = "frozen"
        CLOSED = "closed"

    state = models.CharField(max_length=8, choices=State, default=State.OPEN)
    opened_at = models.DateTimeField()
    frozen_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)

    objects = BatchQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "batches"
        ordering = ["-opened_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["state"], condition=~Q(state="closed"), name="one_batch_open_one_frozen"
            ),
            models.CheckConstraint(
                condition=Q(state="open", frozen_at=None, closed_at=None)
                | Q(state="frozen", frozen_at__isnull=False, closed_at=None)
                | Q(state="closed", frozen_at__isnull=False, closed_at__isnull=False),
                name="batch_dates_follow_its_state",
            ),
        ]

    def __str__(self) -> str:
        return f"batch of {self.opened_at:%-d %B %Y}"

    def honours_votes(self, now: datetime) -> bool:
        """Open, or frozen so lately that cards from before may still be on a screen."""
        if self.state == Batch.State.FROZEN and self.frozen_at:
            return now <= self.frozen_at + settings.LEASE
        return self.state == Batch.State.OPEN

    def opened_before(self, day: date) -> bool:
        """By days of UTC, as is the schedule: elsewhere a batch and the night after it may share a date."""
        return timezone.localdate(self.opened_at, UTC) < day

    def freeze(self, now: datetime) -> None:
        self.state, self.frozen_at = Batch.State.FROZEN, now
        self.save(update_fields=["state", "frozen_at"])

    def close(self, now: datetime) -> None:
        self.state, self.closed_at = Batch.State.CLOSED, now
        self.save(update_fields=["state", "closed_at"])
