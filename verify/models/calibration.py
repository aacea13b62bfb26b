from django.db import models
from django.db.models import Q

from verify.models.model_version import ModelVersion
from verify.option_sets import LEAST_SHOWN, Checked, Fit


class CalibrationQuerySet(models.QuerySet["Calibration"]):
    def of(self, version: ModelVersion) -> "Calibration":
        """The last one; before there is any, all is as the checkpoint has it, and cards are as they were."""
        return self.filter(model_version=version).first() or Calibration(
            model_version=version, temperature=version.temperature, shown=self.shown()
        )

    def shown(self) -> int:
        """The options on each card, whichever version was calibrated last."""
        return self.values_list("shown", flat=True).first() or LEAST_SHOWN


class Calibration(models.Model):
    """What a night learnt from settled posts about a version's probabilities, and from others how good it is.

    Shares are of the posts whose dress the catalogue has; "checked" ones were not fitted on.
    """

    model_version = models.ForeignKey(ModelVersion, on_delete=models.CASCADE, related_name="calibrations")
    fitted_at = models.DateTimeField()
    posts = models.PositiveIntegerField(help_text="Whose dress is known, fitted on.")
    temperature = models.FloatField(help_text="Divides similarities before the softmax over dresses.")
    slope = models.FloatField(default=1.0, help_text='Of the checkpoint\'s log odds of "not a dress".')
    offset = models.FloatField(default=0.0)
    threshold = models.FloatField(
        null=True,
        help_text="Probability from which a dress belongs to a post's set; null: nothing is promised.",
    )
    promised = models.FloatField(null=True, help_text="Coverage that the threshold is to keep.")
    shown = models.PositiveSmallIntegerField(default=LEAST_SHOWN, help_text="Options on each card.")
    recall = models.JSONField(default=dict, help_text="By number of options, on checked posts.")
    mean_size = models.FloatField(null=True, help_text="Of the sets of checked posts.")
    error_before = models.FloatField(
        null=True, help_text="Expected calibration error of the checkpoint's own."
    )
    error_after = models.FloatField(null=True, help_text="Expected calibration error with this one.")
    checked = models.JSONField(null=True, help_text="Coverage on checked posts, with a 95% interval.")
    audited = models.JSONField(null=True, help_text="Coverage on the audit sample, with a 95% interval.")

    objects = CalibrationQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(condition=Q(temperature__gt=0), name="calibration_has_a_temperature")
        ]

    def __str__(self) -> str:
        return f"calibration of {self.model_version}"

    @property
    def fit(self) -> Fit:
        return Fit(self.temperature, self.slope, self.offset, self.threshold)

    @property
    def coverage(self) -> "dict[str, Checked]":
        """By what it was measured on: the posts that were not fitted on, and the audit sample."""
        measured = {"checked": self.checked, "audited": self.audited}
        return {name: Checked(**found) for name, found in measured.items() if found}

    @property
    def broken(self) -> bool:
        """Whether a measured coverage lies below the promise by more than chance would have it."""
        return any(found.high < (self.promised or 0) for found in self.coverage.values())
