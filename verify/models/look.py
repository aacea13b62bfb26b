from datetime import datetime
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from verify.models.catalogue import Dress
from verify.models.post import Post
from verify.models.post_queryset import publishable

if TYPE_CHECKING:
    from verify.models.employee import Employee


class LookQuerySet(models.QuerySet["Look"]):
    def follow(self, post: Post, now: datetime) -> "Look | None":
        """Make, change or delete the look of ``post`` so that it says what the verdict says.

        A look of another dress than before has to be cleared anew.
        """
        look = self.filter(post=post).first() or Look(post=post)
        if post.state != Post.State.SETTLED or post.dress is None:
            self.filter(pk=look.pk).delete()
            return None
        if look.dress_id != post.dress_id:
            look.show(post.dress, now)
        return look

    def settled(self) -> "LookQuerySet":
        """Whose post is settled as this dress: no longer so once the verdict is in doubt."""
        return self.filter(post__state=Post.State.SETTLED, post__dress=F("dress"))

    def public(self) -> "LookQuerySet":
        """Settled with its dress known, cleared for display, and `publishable`: its owner lets us show it."""
        return self.settled().filter(publishable("post__"), clearance=Look.Clearance.CLEARED)

    def to_ask(self) -> "LookQuerySet":
        """Of whose owners nobody has asked yet whether it may be shown, and that the shop would show."""
        unasked = self.settled().filter(post__rights=Post.Rights.UNKNOWN, post__hidden_at=None)
        return unasked.exclude(clearance=Look.Clearance.REFUSED)

    def to_clear(self) -> "LookQuerySet":
        return self.settled().filter(clearance=Look.Clearance.WAITING)

    def looks_for(self, dress: Dress) -> "LookQuerySet":
        """Best first: by standing, where there is one; then the surest, the most liked, the newest."""
        return self.filter(dress=dress).order_by(
            F("standing").desc(nulls_last=True),
            F("post__confidence").desc(nulls_last=True),
            F("post__like_count").desc(nulls_last=True),
            "-post__posted_at",
            "pk",
        )


class Look(models.Model):
    """A verified photo of a dress, as a product page may show it."""

    class Clearance(models.TextChoices):
        WAITING = "waiting"
        CLEARED = "cleared"
        REFUSED = "refused"

    post = models.OneToOneField(Post, on_delete=models.CASCADE, related_name="look")
    dress = models.ForeignKey(Dress, on_delete=models.PROTECT, related_name="looks")
    published_at = models.DateTimeField()
    clearance = models.CharField(max_length=8, choices=Clearance, default=Clearance.WAITING)
    cleared_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    cleared_at = models.DateTimeField(null=True, blank=True)
    standing = models.FloatField(
        null=True,
        blank=True,
        help_text="Its place among its dress's looks, as shoppers have it: the more the earlier.",
    )

    objects = LookQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["dress"], condition=Q(clearance="cleared"), name="look_cleared_by_dress")
        ]

    def __str__(self) -> str:
        return f"look {self.pk} of {self.dress}"

    def decide(self, clearance: "Look.Clearance", by: "Employee | None") -> None:
        """Clear or refuse it for display; ``by`` is None where the setting clears automatically."""
        self.clearance, self.cleared_by, self.cleared_at = clearance, by, timezone.now()
        self.save(update_fields=["clearance", "cleared_by", "cleared_at"])

    def await_clearance(self) -> None:
        """An admin is to decide, or to decide anew: until then it is not shown."""
        self.clearance, self.cleared_by, self.cleared_at = Look.Clearance.WAITING, None, None
        self.save(update_fields=["clearance", "cleared_by", "cleared_at"])

    def show(self, dress: Dress, now: datetime) -> None:
        """Publish as a look of ``dress``, to be cleared for display, or cleared by the setting."""
        self.dress, self.published_at = dress, now
        # A stranger's upload is seen by an admin first, whatever the setting.
        unseen = self.post.flags.exists() or getattr(self.post, "review", None) is not None
        automatic = settings.CLEAR_LOOKS_AUTOMATICALLY and not unseen
        self.clearance = Look.Clearance.CLEARED if automatic else Look.Clearance.WAITING
        self.cleared_by, self.cleared_at = None, now if automatic else None
        self.save()
