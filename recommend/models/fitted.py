from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q

from verify.models import Employee


class RecommenderVersionQuerySet(models.QuerySet["RecommenderVersion"]):
    def live(self) -> "RecommenderVersion | None":
        """The version that serves now; without one, what is popular is recommended."""
        return self.filter(state=RecommenderVersion.State.LIVE).first()

    def serving(self) -> "RecommenderVersion | None":
        """The live version, of which nothing is read but where its files lie: asked at every request."""
        return self.filter(state=RecommenderVersion.State.LIVE).only("folder").order_by().first()

    def to_change(self, version: "RecommenderVersion") -> "RecommenderVersion":
        """The row as it is, locked with the live one: changes of who serves wait for each other."""
        live = Q(state=RecommenderVersion.State.LIVE)
        list(self.select_for_update().filter(Q(pk=version.pk) | live).order_by("pk"))
        return self.get(pk=version.pk)

    def retired(self) -> "RecommenderVersionQuerySet":
        """Those that can be gone back to, the one that served last first."""
        retired = self.filter(state=RecommenderVersion.State.RETIRED).exclude(folder="")
        return retired.order_by("-live_since", "-pk")


class RecommenderVersion(models.Model):
    """A method, fitted to what shoppers had done by one night; or why none could be."""

    class State(models.TextChoices):
        FITTED = "fitted", "fitted"
        LIVE = "live", "live: it serves"
        RETIRED = "retired", "served before"
        REFUSED = "refused", "not published"

    method = models.CharField(max_length=300, help_text="With its options, as RSVD:categories=20,lambda=10.")
    state = models.CharField(max_length=8, choices=State, default=State.FITTED)
    reason = models.CharField(max_length=500, blank=True, help_text="Why it serves, or does not.")
    metrics = models.JSONField(default=dict, help_text="Of the last week held out, beside what served then.")
    people = models.PositiveIntegerField(help_text="Whose interactions it was fitted to.")
    dresses = models.PositiveIntegerField(help_text="That it can recommend.")
    ratings = models.PositiveIntegerField(help_text="A person's interactions with a dress count as one.")
    data_sha256 = models.CharField(max_length=64, blank=True, help_text="Of those ratings.")
    folder = models.CharField(
        max_length=80, blank=True, help_text="Of its files; empty: thrown away since, or never written."
    )
    fitted_at = models.DateTimeField()
    live_since = models.DateTimeField(null=True, blank=True)
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        help_text="The admin who wanted it live; nobody: the portal by itself.",
    )

    objects = RecommenderVersionQuerySet.as_manager()

    class Meta:
        ordering = ["-fitted_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["state"], condition=Q(state="live"), name="one_live_recommender_version"
            ),
            models.CheckConstraint(
                condition=~Q(state="live") | Q(live_since__isnull=False) & ~Q(folder=""),
                name="a_live_recommender_has_files",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.method.partition(':')[0]} of {self.fitted_at:%Y-%m-%d %H:%M} (no. {self.pk})"

    def go_live(self, now: datetime, by: Employee | None, reason: str) -> None:
        """Take the live one's place."""
        if live := RecommenderVersion.objects.exclude(pk=self.pk).live():
            live._become(state=self.State.RETIRED)
        self._become(state=self.State.LIVE, live_since=now, published_by=by, reason=reason[:500])

    def refuse(self, reason: str) -> None:
        """It is not to serve, or no longer."""
        self._become(state=self.State.REFUSED, reason=reason[:500])

    def lose_files(self) -> None:
        self._become(folder="")

    def _become(self, **values: Any) -> None:
        for name, value in values.items():
            setattr(self, name, value)
        self.save(update_fields=[*values])
