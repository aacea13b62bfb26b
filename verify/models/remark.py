"""What people say about a post beside their vote."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from verify import consensus
from verify.models.post import Post
from verify.models.post_queryset import Answer


class Flag(models.Model):
    """Whatever dress it is, this photo is not for the shop. A flagged look is never cleared automatically."""

    class Reason(models.TextChoices):
        CHILD = "child", _("A child is in it")
        REVEALING = "revealing", _("Too revealing")
        OFFENSIVE = "offensive", _("Offensive")
        SEVERAL = "several", _("Several people are in it")
        BAD_PHOTO = "bad_photo", _("A bad photo of a good dress")
        BRANDING = "branding", _("Somebody else’s advertising")
        OTHER = "other", _("Something else")

    post = models.ForeignKey(Post, on_delete=models.CASCADE, related_name="flags")
    employee = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="flags"
    )
    reason = models.CharField(max_length=12, choices=Reason)
    by_gate = models.BooleanField(default=False, help_text="Said by a quality gate, and by no colleague.")
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["created_at"]
        constraints = [
            models.UniqueConstraint(fields=["post", "employee"], name="one_flag_per_employee"),
            models.UniqueConstraint(fields=["post"], condition=Q(by_gate=True), name="one_flag_by_gates"),
        ]

    def __str__(self) -> str:
        return f"{self.post}: {self.get_reason_display()}"

    @property
    def by(self) -> str:
        """Whoever says it."""
        return "a quality gate" if self.by_gate else str(self.employee or "somebody who has left")


class Nomination(models.Model):
    """A vote for a place in the hall of fame of what is not a dress."""

    post = models.ForeignKey(Post, on_delete=models.CASCADE, related_name="nominations")
    employee = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="nominations"
    )
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["post", "employee"], name="one_nomination_per_employee")
        ]

    def __str__(self) -> str:
        return f"{self.post} for the hall of fame"


class GoldAnswer(models.Model):
    """An answer to a card whose right answer was known: kept apart from votes."""

    post = models.ForeignKey(Post, on_delete=models.CASCADE, related_name="gold_answers")
    employee = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="gold_answers"
    )
    training = models.BooleanField()
    answer = models.CharField(max_length=16, choices=Answer)
    option = models.ForeignKey(
        "Option", on_delete=models.CASCADE, null=True, blank=True, related_name="gold_answers"
    )
    right = models.BooleanField()
    points = models.PositiveSmallIntegerField(
        default=0, null=True, blank=True, help_text="Null: beyond the day's cap, or by somebody muted."
    )
    viewed_ms = models.PositiveIntegerField(null=True, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["created_at"]
        constraints = [
            models.UniqueConstraint(fields=["post", "employee"], name="one_gold_answer_per_employee")
        ]
        indexes = [models.Index(fields=["employee", "created_at"], name="gold_by_employee_and_time")]

    def __str__(self) -> str:
        return f"{self.employee or 'somebody'} on {self.post}: {'right' if self.right else 'wrong'}"

    @property
    def key(self) -> str:
        """The answer as `consensus` names it."""
        return consensus.dress_key(self.option.dress_id) if self.option else self.answer
