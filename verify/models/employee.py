from django.contrib.auth.models import AbstractUser
from django.db import models


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

    class Meta(AbstractUser.Meta):
        verbose_name = "employee"
        verbose_name_plural = "employees"

    def __str__(self) -> str:
        return self.display_name or self.get_full_name() or self.username
