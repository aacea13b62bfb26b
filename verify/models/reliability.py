from collections.abc import Collection
from datetime import datetime

from django.db import models
from django.db.models import Q

from verify import consensus
from verify.models.employee import Employee
from verify.models.post import RULE


class ReliabilityQuerySet(models.QuerySet["Reliability"]):
    def muted(self) -> "ReliabilityQuerySet":
        return self.exclude(muted_at=None)

    def weigh(self, employees: Collection[int | None]) -> dict[int | None, float | None]:
        """By employee's pk, None of those who left: what a vote of theirs is weighed by; None if muted."""
        known = {row.pk: row for row in self.filter(pk__in=employees)}
        return {pk: known[pk].weighs if pk in known else RULE.reliability for pk in employees}


class Reliability(models.Model):
    """How often a voter is right: a Beta posterior, re-fitted every night, and whether the votes count."""

    employee = models.OneToOneField(
        Employee, on_delete=models.CASCADE, primary_key=True, related_name="reliability"
    )
    right = models.FloatField(
        default=consensus.RIGHT, help_text="First parameter of the Beta posterior: prior and evidence."
    )
    wrong = models.FloatField(default=consensus.WRONG, help_text="Second parameter of the Beta posterior.")
    estimate = models.FloatField(default=RULE.reliability, help_text="What a vote is weighed by.")
    low = models.FloatField(default=0, help_text="Lower end of the 95% interval.")
    high = models.FloatField(default=1, help_text="Upper end of the 95% interval.")
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

    @property
    def weighs(self) -> float | None:
        return None if self.muted_at else self.estimate

    @property
    def mean(self) -> float:
        """Of the posterior; `estimate` is where it is highest."""
        return self.right / (self.right + self.wrong)

    def learn(self, right: bool) -> None:
        """Take in one answer to a card whose truth is known, and store what follows."""
        self.take_in(right)
        self.save(update_fields=["right", "wrong", "gold_seen", "gold_right", "estimate"])

    def take_in(self, right: bool) -> None:
        """The fields, unsaved, after one more answer to a card whose truth is known."""
        self.right, self.wrong = self.right + right, self.wrong + (not right)
        self.gold_seen, self.gold_right = self.gold_seen + 1, self.gold_right + right
        self.estimate = consensus.estimate(self.right, self.wrong)

    def mute(self, reason: str, now: datetime) -> None:
        self.muted_at, self.muted_because = now, reason
        self.save(update_fields=["muted_at", "muted_because"])

    def unmute(self, now: datetime) -> None:
        self.muted_at, self.muted_because, self.unmuted_at = None, "", now
        self.save(update_fields=["muted_at", "muted_because", "unmuted_at"])


class RefitQuerySet(models.QuerySet["Refit"]):
    def current(self) -> "Refit":
        """The last one; before the first night, one that corrects nothing."""
        unfitted = Refit(prior_factors=list(consensus.UNCORRECTED), vote_weight=consensus.VOTE_WEIGHT)
        return self.first() or unfitted


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
        default=consensus.VOTE_WEIGHT,
        help_text="The power to which a vote's likelihood is raised, fitted on the audit sample.",
    )
    audited = models.PositiveIntegerField(default=0, help_text="Posts of the audit sample with a label.")
    diagram = models.JSONField(default=list, help_text="Stated confidence and real accuracy, by bin.")

    objects = RefitQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        verbose_name = "re-fit"

    def __str__(self) -> str:
        return f"re-fit of {self.fitted_at:%-d %B %Y, %H:%M}"
