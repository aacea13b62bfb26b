from datetime import datetime
from typing import Any

from django.db import models
from django.db.models import Q

from verify.models.batch import Batch
from verify.models.catalogue import Dress
from verify.models.photo import Photo


class Answer(models.TextChoices):
    """What can be said of a post: an offered dress, none of the offered, or no dress at all."""

    DRESS = "dress", "a dress"
    NOT_A_DRESS = "not_a_dress", "not a dress"
    NONE_OF_THESE = "none_of_these", "none of these"


class PostQuerySet(models.QuerySet["Post"]):
    def waiting_for_suggestion(self, now: datetime) -> "PostQuerySet":
        """To be proposed for, and in no worker's hands."""
        return self.filter(Q(claimed_until=None) | Q(claimed_until__lt=now), state=Post.State.WAITING)

    def in_no_batch(self) -> "PostQuerySet":
        return self.filter(state=Post.State.PROPOSED, batch=None)

    def due(self, now: datetime) -> "PostQuerySet":
        """Decided, and the time to undo the deciding vote is over."""
        return self.filter(state=Post.State.PROPOSED, settles_at__lte=now)

    def delete(self) -> tuple[int, dict[str, int]]:
        """Delete the posts, all that hangs on them, and the photos nobody else uses."""
        photos = list(self.values_list("photo", flat=True))
        deleted = super().delete()
        Photo.objects.filter(pk__in=photos).unused().delete()
        return deleted


class Post(models.Model):
    """A photo that a customer posted, and what is known about it."""

    class Rights(models.TextChoices):
        UNKNOWN = "unknown"
        REQUESTED = "requested"
        GRANTED = "granted"
        REFUSED = "refused"
        REVOKED = "revoked"

    class State(models.TextChoices):
        WAITING = "waiting", "waiting for a suggestion"
        PROPOSED = "proposed", "open to votes"
        SETTLED = "settled"
        DISPUTED = "disputed", "for an admin to decide"
        SET_ASIDE = "set_aside", "set aside: it could not be classified"

    source = models.CharField(max_length=40, default="instagram")
    external_id = models.CharField(max_length=120)
    permalink = models.URLField(max_length=500, blank=True)
    username = models.CharField(max_length=120, blank=True)
    caption = models.TextField(blank=True)
    posted_at = models.DateTimeField()
    media_type = models.CharField(max_length=20, default="IMAGE")
    like_count = models.PositiveIntegerField(null=True, blank=True)
    photo = models.ForeignKey(Photo, on_delete=models.PROTECT, related_name="posts")
    rights = models.CharField(max_length=10, choices=Rights, default=Rights.UNKNOWN)
    created_at = models.DateTimeField(auto_now_add=True)

    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0, help_text="Times a worker took it up.")
    claimed_until = models.DateTimeField(null=True, blank=True)
    trouble = models.CharField(max_length=300, blank=True, help_text="Why it was set aside or is disputed.")

    suggestion = models.OneToOneField(
        "Suggestion", on_delete=models.SET_NULL, null=True, blank=True, related_name="current_for"
    )
    batch = models.ForeignKey(Batch, on_delete=models.PROTECT, null=True, blank=True, related_name="posts")
    posterior = models.JSONField(default=dict, help_text="Probability of each answer after the votes so far.")
    votes_needed = models.PositiveSmallIntegerField(
        default=0, help_text="Fewest further votes that can settle it; open leases never exceed it."
    )
    settles_at = models.DateTimeField(
        null=True, blank=True, help_text="Decided; settled when this time has come."
    )

    answer = models.CharField(max_length=16, choices=Answer, blank=True)
    dress = models.ForeignKey(Dress, on_delete=models.PROTECT, null=True, blank=True, related_name="posts")
    confidence = models.FloatField(
        null=True, blank=True, help_text="Posterior of the answer when it was settled."
    )
    settled_at = models.DateTimeField(null=True, blank=True)
    settled_by = models.ForeignKey(
        "Employee",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        help_text="An admin who decided.",
    )

    objects = PostQuerySet.as_manager()

    class Meta:
        ordering = ["-posted_at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["source", "external_id"], name="one_post_per_source_and_id"),
            models.CheckConstraint(
                condition=Q(answer="dress", dress__isnull=False) | (~Q(answer="dress") & Q(dress=None)),
                name="post_names_a_dress_for_a_dress",
            ),
            models.CheckConstraint(
                condition=Q(state="settled", settled_at__isnull=False) & ~Q(answer="")
                | ~Q(state="settled") & Q(answer="", settled_at=None),
                name="settled_post_has_an_answer",
            ),
        ]
        indexes = [
            models.Index(fields=["batch", "-posted_at", "-id"], name="post_walk_of_a_batch"),
            models.Index(fields=["state", "-posted_at", "-id"], name="post_by_state"),
            models.Index(fields=["settles_at"], condition=Q(state="proposed"), name="post_due"),
        ]

    def __str__(self) -> str:
        return f"post {self.external_id}"

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        return Post.objects.filter(pk=self.pk).delete()
