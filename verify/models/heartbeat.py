from django.db import models
from django.utils import timezone


class Heartbeat(models.Model):
    """The last sign of life of a part that runs beside the web server."""

    name = models.CharField(max_length=40, unique=True)
    beat_at = models.DateTimeField()
    model_version = models.CharField(max_length=64, blank=True, help_text="Weights the part has loaded.")

    def __str__(self) -> str:
        return f"{self.name} at {self.beat_at:%H:%M:%S}"

    @classmethod
    def beat(cls, name: str, model_version: str = "") -> None:
        cls.objects.update_or_create(
            name=name, defaults={"beat_at": timezone.now(), "model_version": model_version}
        )
