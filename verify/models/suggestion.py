from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import Max, Q
from django.utils import timezone

from verify import consensus, option_sets
from verify.models.catalogue import Dress
from verify.models.model_version import ModelVersion

if TYPE_CHECKING:
    from verify.models.employee import Employee


class Suggestion(models.Model):
    """The option set that a version of DeepDress proposed for a post.

    A post's current one is ``Post.suggestion``; the first vote freezes it, but for dresses that people name.
    What is left of the probability after the options and ``not_a_dress`` belongs to "none of these".
    """

    post = models.ForeignKey("Post", on_delete=models.CASCADE, related_name="suggestions")
    model_version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="suggestions")
    not_a_dress = models.FloatField()
    shown = models.PositiveSmallIntegerField(
        default=option_sets.LEAST_SHOWN, help_text="The model's options, on every card of it alike."
    )
    set_size = models.PositiveIntegerField(
        null=True,
        blank=True,
        help_text="Options that would keep the promised coverage; never shown to voters.",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(not_a_dress__gte=0, not_a_dress__lte=1), name="not_a_dress_is_a_probability"
            )
        ]

    def __str__(self) -> str:
        return f"options for {self.post}"

    @property
    def needs_more(self) -> bool:
        """Whether the card shows too few options to keep the promise on this post."""
        return self.set_size is not None and self.set_size > self.shown

    def prior(self, factors: Sequence[float] = consensus.UNCORRECTED) -> dict[str, float]:
        """The probability of each answer before any vote, as a re-fit's ``factors`` correct the model's."""
        offered = [option for option in self.options.all() if not option.named]
        shares = {consensus.dress_key(option.dress_id): option.probability for option in offered}
        prior = consensus.corrected(consensus.prior(shares, self.not_a_dress), factors)
        for option in self.named():
            prior = consensus.joined(prior, consensus.dress_key(option.dress_id))
        return prior

    def offer(self, dress: Dress, named_by: "Employee", now: datetime) -> "Option":
        """The option for ``dress``, made if there is none: later voters see it."""
        last = self.options.aggregate(last=Max("rank"))["last"]
        named = {"rank": 0 if last is None else last + 1, "probability": 0, "named": True}
        defaults = {**named, "named_by": named_by, "created_at": now}
        option, _ = self.options.get_or_create(dress=dress, defaults=defaults)
        return option

    def named(self) -> "list[Option]":
        """Dresses that people named after "none of these", in their order."""
        return [option for option in self.options.all() if option.named]


class Option(models.Model):
    suggestion = models.ForeignKey(Suggestion, on_delete=models.CASCADE, related_name="options")
    dress = models.ForeignKey(Dress, on_delete=models.PROTECT, related_name="options")
    rank = models.PositiveSmallIntegerField(help_text="0 is the model's favourite; never shown to voters.")
    probability = models.FloatField(help_text="Of this dress, 'not a dress' taken into account.")
    named = models.BooleanField(default=False, help_text="Not the model's: a colleague named it.")
    named_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["rank"]
        constraints = [
            models.UniqueConstraint(fields=["suggestion", "dress"], name="one_option_per_dress"),
            models.UniqueConstraint(fields=["suggestion", "rank"], name="one_option_per_rank"),
            models.CheckConstraint(
                condition=Q(probability__gte=0, probability__lte=1), name="option_has_a_probability"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.dress} at {self.probability:.0%}"
