from django.db import models

from verify.models.photo import Photo


class ModelVersionQuerySet(models.QuerySet["ModelVersion"]):
    def live(self) -> "ModelVersion | None":
        """The version that proposes now: the one activated last."""
        return self.exclude(activated_at=None).order_by("-activated_at").first()


class ModelVersion(models.Model):
    """Weights of DeepDress that have proposed, known by the digest of their file."""

    digest = models.CharField(max_length=64, unique=True, help_text="sha256 of the weights.")
    metrics = models.JSONField(default=dict, help_text="As measured when it was trained.")
    temperature = models.FloatField(help_text="Divides similarities before the softmax over dresses.")
    created_at = models.DateTimeField(auto_now_add=True)
    activated_at = models.DateTimeField(null=True, blank=True)

    objects = ModelVersionQuerySet.as_manager()

    def __str__(self) -> str:
        return f"DeepDress {self.digest[:8]}"


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
