"""Dreams that colleagues like."""

from django.conf import settings
from django.db import models
from django.db.models import Count


class LikedDreamQuerySet(models.QuerySet["LikedDream"]):
    def most_liked(self) -> "LikedDreamQuerySet":
        """Those that somebody likes, each with its `hearts`, the most liked first."""
        return self.annotate(hearts=Count("likes")).filter(hearts__gt=0).order_by("-hearts", "-pk")


class LikedDream(models.Model):
    """A dream as its address says it. Its picture is kept: other weights dream something else of the seed."""

    name = models.CharField(max_length=32, unique=True, help_text="Of the weights, the seed and the taste.")
    version = models.CharField(max_length=64, help_text="sha256 of the weights that dreamt it.")
    seed = models.PositiveBigIntegerField()
    query = models.TextField(blank=True, help_text="What follows the seed in its address.")
    picture = models.BinaryField(help_text="WebP.")
    created_at = models.DateTimeField()

    objects = LikedDreamQuerySet.as_manager()

    def __str__(self) -> str:
        return f"dream {self.seed}"


class DreamLike(models.Model):
    dream = models.ForeignKey(LikedDream, on_delete=models.CASCADE, related_name="likes")
    employee = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["dream", "employee"], name="one_like_per_dream_and_employee")
        ]

    def __str__(self) -> str:
        return f"{self.employee or 'somebody'} likes {self.dream}"
