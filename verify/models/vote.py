from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import Q

from verify.models.post import Answer, Post
from verify.models.suggestion import Option, Suggestion


class LeaseQuerySet(models.QuerySet["Lease"]):
    def open(self, now: datetime) -> "LeaseQuerySet":
        return self.filter(outcome=Lease.Outcome.OPEN, expires_at__gt=now)


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


class Vote(models.Model):
    post = models.ForeignKey(Post, on_delete=models.CASCADE, related_name="votes")
    employee = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="votes"
    )
    suggestion = models.ForeignKey(Suggestion, on_delete=models.CASCADE, related_name="votes")
    answer = models.CharField(max_length=16, choices=Answer)
    option = models.ForeignKey(Option, on_delete=models.CASCADE, null=True, blank=True, related_name="votes")
    created_at = models.DateTimeField()

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
