from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models
from django.db.models import Q

from verify.models.photo import Photo

if TYPE_CHECKING:
    from verify.models.employee import Employee


class ModelVersionQuerySet(models.QuerySet["ModelVersion"]):
    def live(self) -> "ModelVersion | None":
        """The version that proposes now."""
        return self.filter(state=ModelVersion.State.LIVE).first()

    def warming(self) -> "ModelVersion | None":
        """The version that is to propose next."""
        return self.filter(state=ModelVersion.State.WARMING).first()

    def to_change(self, version: "ModelVersion") -> "ModelVersion":
        """The row as it is, locked with those in use: changes of who proposes wait for each other."""
        in_use = Q(state__in=[ModelVersion.State.LIVE, ModelVersion.State.WARMING])
        list(self.select_for_update().filter(Q(pk=version.pk) | in_use).order_by("pk"))
        return self.get(pk=version.pk)

    def were_live(self) -> "ModelVersionQuerySet":
        """Retired ones, the last one first."""
        retired = self.filter(state=ModelVersion.State.RETIRED, activated_at__isnull=False)
        return retired.order_by("-activated_at", "-pk")

    def forgettable(self) -> "ModelVersionQuerySet":
        """Those of whose work nothing is needed: neither live nor to be so, nor the one to go back to."""
        kept = self.were_live().values("pk")[:1]
        in_use = [ModelVersion.State.LIVE, ModelVersion.State.WARMING]
        return self.exclude(state__in=in_use).exclude(pk__in=list(kept.values_list("pk", flat=True)))


class ModelVersion(models.Model):
    """Weights of DeepDress, known by the digest of their file."""

    class State(models.TextChoices):
        CANDIDATE = "candidate", "trained, not compared"
        NOT_BETTER = "not_better", "not better than the live one"
        WARMING = "warming", "about to go live"
        LIVE = "live", "live: it proposes"
        RETIRED = "retired", "was live"
        BROKEN = "broken", "its weights cannot be used"

    digest = models.CharField(max_length=64, unique=True, help_text="sha256 of the weights.")
    state = models.CharField(max_length=10, choices=State, default=State.CANDIDATE)
    folder = models.CharField(
        max_length=80, blank=True, help_text="Of its weights, among the portal's own; empty: shipped with it."
    )
    metrics = models.JSONField(default=dict, help_text="As measured when it was trained.")
    temperature = models.FloatField(help_text="Divides similarities before the softmax over dresses.")
    comparison = models.JSONField(default=dict, help_text="With the live version of its time.")
    verdict = models.CharField(max_length=400, blank=True, help_text="What the comparison said.")
    data_sha256 = models.CharField(max_length=64, blank=True, help_text="Of the manifest it was trained on.")
    code_version = models.CharField(max_length=64, blank=True, help_text="Of the program that trained it.")
    trained_at = models.DateTimeField(null=True, blank=True)
    trouble = models.CharField(max_length=300, blank=True, help_text="Why it cannot be used.")
    created_at = models.DateTimeField(auto_now_add=True)
    activated_at = models.DateTimeField(null=True, blank=True)
    activated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        help_text="The admin who wanted it live; nobody: the portal by itself.",
    )
    attempts = models.PositiveSmallIntegerField(default=0, help_text="Times a worker began with it in vain.")
    worked_at = models.DateTimeField(null=True, blank=True)
    reproposed_to = models.BigIntegerField(
        null=True, blank=True, help_text="Up to which post it has replaced older proposals; empty: done."
    )

    objects = ModelVersionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["state"], condition=Q(state="live"), name="one_live_model_version"
            ),
            models.UniqueConstraint(
                fields=["state"], condition=Q(state="warming"), name="one_warming_model_version"
            ),
            models.CheckConstraint(
                condition=~Q(state="live") | Q(activated_at__isnull=False), name="live_since_some_time"
            ),
        ]

    def __str__(self) -> str:
        return f"DeepDress {self.digest[:8]}"

    def warm(self, by: "Employee | None") -> None:
        """Let it be the next to go live, in the place of any other that was to be."""
        if other := ModelVersion.objects.exclude(pk=self.pk).warming():
            other.rest()
        self._become(state=self.State.WARMING, activated_by=by, attempts=0, worked_at=None, trouble="")

    def rest(self) -> None:
        """Neither live nor about to be."""
        kept = self.State.NOT_BETTER if self.comparison.get("better") is False else self.State.CANDIDATE
        self._become(state=self.State.RETIRED if self.activated_at else kept)

    def go_live(self, now: datetime, repropose: bool) -> None:
        """Take the live one's place; with ``repropose``, its proposals are replaced where nobody voted."""
        if live := ModelVersion.objects.exclude(pk=self.pk).live():
            live.rest()
        start = 0 if repropose else None
        since = {"activated_at": now, "reproposed_to": start, "attempts": 0, "worked_at": None, "trouble": ""}
        self._become(state=self.State.LIVE, **since)

    def repropose(self) -> None:
        """Let it replace what was proposed otherwise than it would now, where nobody voted."""
        self._become(reproposed_to=0, attempts=0, worked_at=None)

    def fail(self, why: str) -> None:
        """Its weights turned out to be of no use."""
        self._become(state=self.State.BROKEN, trouble=why[:300])

    def _become(self, **values: Any) -> None:
        for name, value in values.items():
            setattr(self, name, value)
        self.save(update_fields=[*values])


class Embedding(models.Model):
    """What a version of DeepDress made of a photo."""

    photo = models.ForeignKey(Photo, on_delete=models.CASCADE, related_name="embeddings")
    model_version = models.ForeignKey(ModelVersion, on_delete=models.CASCADE, related_name="embeddings")
    vector = models.BinaryField(help_text="Unit vector, little-endian float32.")
    not_a_dress = models.FloatField(help_text="Calibrated probability that the photo shows no dress.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["photo", "model_version"], name="one_embedding_per_version")
        ]

    def __str__(self) -> str:
        return f"{self.photo} by {self.model_version}"
