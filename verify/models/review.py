from django.db import models
from django.db.models import Q

from verify.models.api_key import ApiKey
from verify.models.post import Post

SOURCE = "review"


class Review(models.Model):
    """What came with a customer's photo of a dress that they say it is; the photo itself is a post."""

    post = models.OneToOneField(Post, on_delete=models.CASCADE, related_name="review")
    rating = models.PositiveSmallIntegerField(null=True, blank=True)
    email_digest = models.CharField(max_length=64, blank=True, db_index=True)
    consent = models.CharField(max_length=300, help_text="The words that were agreed to.")
    key = models.ForeignKey(
        ApiKey,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        help_text="Whose program sent it; empty: the form on the product page.",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(rating=None) | Q(rating__range=(1, 5)), name="a_rating_is_one_to_five"
            )
        ]

    def __str__(self) -> str:
        return f"review {self.post.external_id}"
