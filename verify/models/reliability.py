from datetime import datetime

from django.db import models
from django.db.models import Q

from verify.models.employee import Employee


class ReliabilityQuerySet(models.QuerySet["Reliability"]):
    def muted(self) -> "ReliabilityQuerySet":
        return self.exclude(muted_at=None)


class Reliability(models.Model):
    """How often a voter is right: a Beta posterior, re-fitted every night, and whether the votes count."""

    employee = models.OneToOneField(
        Employee, on_delete=models.CASCADE, primary_key=True, related_name="reliability"
    )
    right = models.FloatField(help_text="First parameter of the Beta posterior: prior and evidence.")
    wrong = models.FloatField(help_text="Second parameter of the Beta posterior.")
    estimate = models.FloatField(help_text="What a vote is weighed by.")
    low = models.FloatField(help_text="Lower end of the 95% interval.")
    high = models.FloatField(help_text="Upper end of the 95% interval.")
    votes = models.PositiveIntegerField(default=0, help_text="Votes that it was last fitted on.")
    gold_seen = models.PositiveIntegerField(default=0)
    gold_right = models.PositiveIntegerField(default=0)
    fitted_at = models.DateTimeField(null=True, blank=True)
    muted_at = models.DateTimeField(
        null=True, blank=True, help_text="Since then the votes are kept, and weigh nothing."
    )
    muted_because = models.CharField(max_length=200, blank=True)
    unmuted_at = models.DateTimeField(
        null=True, blank=True, help_text="An admin let the votes count; earlier evidence mutes no more."
    )

    objects = ReliabilityQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "reliabilities"
        constraints = [
            models.CheckConstraint(
                condition=Q(estimate__gt=0, estimate__lt=1), name="reliability_is_a_probability"
            )
        ]

    def __str__(self) -> str:
        return f"{self.employee}: {self.estimate:.0%}"

    def mute(self, reason: str, now: datetime) -> None:
        self.muted_at, self.muted_because = now, reason
        self.save(update_fields=["muted_at", "muted_because"])

    def unmute(self, now: datetime) -> None:
        self.muted_at, self.muted_because, self.unmuted_at = None, "", now
        self.save(update_fields=["muted_at", "muted_because", "unmuted_at"])


class Refit(models.Model):
    """A nightly re-fit of everybody's reliability, and what it says about the office as a whole."""

    fitted_at = models.DateTimeField()
    votes = models.PositiveIntegerField()
    posts = models.PositiveIntegerField()
    voters = models.PositiveIntegerField()
    seconds = models.FloatField()
    reopened = models.PositiveIntegerField(default=0)
    prior_factors = models.JSONField(
        default=list, help_text="By bin of the classifier's top probability: what its odds are multiplied by."
    )
    vote_weight = models.FloatField(
        default=1.0, help_text="The power to which a vote's likelihood is raised, fitted on the audit sample."
    )
    audited = models.PositiveIntegerField(default=0, help_text="Posts of the audit sample with a label.")
    diagram = models.JSONField(default=list, help_text="Stated confidence and real accuracy, by bin.")

    class Meta:
        ordering = ["-pk"]
        verbose_name = "re-fit"

    def __str__(self) -> str:
        return f"re-fit of {self.fitted_at:%-d %B %Y, %H:%M}"
