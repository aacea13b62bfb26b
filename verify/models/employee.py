from datetime import date

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models import F, Q


class Team(models.Model):
    name = models.CharField(max_length=80, unique=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Employee(AbstractUser):
    """Somebody who verifies; with ``is_staff`` also somebody who curates."""

    team = models.ForeignKey(Team, on_delete=models.SET_NULL, null=True, blank=True, related_name="employees")
    display_name = models.CharField(max_length=80, blank=True, help_text="Shown to colleagues.")
    pseudonym = models.CharField(
        max_length=40, blank=True, help_text="Shown to colleagues instead of the name."
    )
    on_boards = models.BooleanField(default=True, help_text="Has a place on the weekly boards.")
    read_only = models.BooleanField(default=False, help_text="Sees the portal, and does not vote.")
    trained = models.PositiveSmallIntegerField(default=0, help_text="Training cards answered.")
    news_seen_at = models.DateTimeField(
        null=True, blank=True, help_text="Looks that went public before are no news."
    )

    class Meta(AbstractUser.Meta):
        verbose_name = "employee"
        verbose_name_plural = "employees"

    def __str__(self) -> str:
        return self.display_name or self.get_full_name() or self.username

    @property
    def public_name(self) -> str:
        """What colleagues see; admins see the name."""
        return self.pseudonym or str(self)

    @property
    def in_training(self) -> bool:
        return self.trained < settings.TRAINING_CARDS


class Leave(models.Model):
    """Days off, which break no streak."""

    employee = models.ForeignKey(Employee, on_delete=models.CASCADE, related_name="leaves")
    first_day = models.DateField()
    last_day = models.DateField()

    class Meta:
        verbose_name_plural = "leave"
        ordering = ["-first_day"]
        constraints = [
            models.CheckConstraint(
                condition=Q(last_day__gte=F("first_day")), name="leave_ends_after_it_began"
            )
        ]

    def __str__(self) -> str:
        return f"{self.employee}, {self.first_day} to {self.last_day}"

    def covers(self, day: date) -> bool:
        return self.first_day <= day <= self.last_day


class Badge(models.Model):
    """A badge that somebody has earned, and keeps."""

    employee = models.ForeignKey(Employee, on_delete=models.CASCADE, related_name="badges")
    kind = models.CharField(max_length=30, help_text="A key of `verify.scoring`'s badges.")
    earned_at = models.DateTimeField()

    class Meta:
        ordering = ["-earned_at"]
        constraints = [models.UniqueConstraint(fields=["employee", "kind"], name="one_badge_of_a_kind")]

    def __str__(self) -> str:
        return f"{self.kind} of {self.employee}"
