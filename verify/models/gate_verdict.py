from django.conf import settings
from django.db import models
from django.db.models import F, Q

from verify.gates import Gate, flags
from verify.models.post import Post


class GateVerdictQuerySet(models.QuerySet["GateVerdict"]):
    def holding(self) -> "GateVerdictQuerySet":
        """Those that keep a post back: nobody has overruled them."""
        return self.filter(held=True, overruled_at=None)

    def flagging(self) -> "GateVerdictQuerySet":
        """Those by which a look is cleared one at a time: nobody has overruled them."""
        return self.filter(gate=Gate.PEOPLE, value__gt=F("threshold"), overruled_at=None)

    def orphans(self) -> "GateVerdictQuerySet":
        """Duplicates of a post that is gone."""
        return self.holding().filter(gate=Gate.DUPLICATE, duplicate_of=None)


class GateVerdict(models.Model):
    """What a gate found in a post's photo, held against what threshold, when the post was taken in."""

    post = models.ForeignKey(Post, on_delete=models.CASCADE, related_name="gate_verdicts")
    gate = models.CharField(max_length=10, choices=[(gate.value, gate.value) for gate in Gate])
    value = models.FloatField()
    threshold = models.FloatField()
    held = models.BooleanField()
    duplicate_of = models.ForeignKey(
        Post,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="duplicates",
        help_text="The first post with this photo.",
    )
    judged_at = models.DateTimeField()
    overruled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    overruled_at = models.DateTimeField(null=True, blank=True)

    objects = GateVerdictQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["post", "gate"], name="one_verdict_per_post_and_gate"),
            models.CheckConstraint(
                condition=Q(overruled_at=None) | Q(held=True) | Q(gate="people"),
                name="only_what_holds_or_flags_is_overruled",
            ),
        ]
        indexes = [
            models.Index(fields=["gate"], condition=Q(held=True, overruled_at=None), name="gates_that_hold")
        ]

    def __str__(self) -> str:
        return f"{self.gate} of {self.post}"

    @property
    def flagged(self) -> bool:
        return flags(self.gate, self.value, self.threshold)
