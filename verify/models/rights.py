"""Whether the owner of a photo lets us show it: what was asked and answered, and who changed what and why."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils import timezone

from verify import rights
from verify.models.post import Post

if TYPE_CHECKING:
    from verify.models.employee import Employee


class RightsChangeQuerySet(models.QuerySet["RightsChange"]):
    @transaction.atomic
    def make(self, posts: Iterable[Post], to: str, reason: str, by: "Employee | None" = None) -> list[Post]:
        """Put the posts into the state; returns those that were in another, with their changes noted.

        The one way in which the rights of a stored post change. Where no person does it, a no stays a no,
        even one that came since the posts were read.
        """
        stay = [to, *(now for now in Post.Rights.values if by is None and not rights.may_state(now, to))]
        locked = Post.objects.filter(pk__in=[post.pk for post in posts]).exclude(rights__in=stay)
        changed = list(locked.order_by("pk").select_for_update(no_key=True))
        former = {post.pk: post.rights for post in changed}
        Post.objects.filter(pk__in=former).update(rights=to)
        for post in changed:
            post.rights = to
        self._note(changed, former, reason, by)
        return changed

    def note_new(self, posts: Collection[Post], reason: str) -> None:
        """What new posts came with, where anything is known."""
        known = [post for post in posts if post.rights != Post.Rights.UNKNOWN]
        self._note(known, {}, reason, None)

    def _note(
        self, posts: Iterable[Post], former: dict[int, str], reason: str, by: "Employee | None"
    ) -> None:
        now = timezone.now()
        self.bulk_create(
            RightsChange(
                post=post,
                former=former.get(post.pk, Post.Rights.UNKNOWN),
                rights=post.rights,
                reason=reason[:300],
                by=by,
                at=now,
            )
            for post in posts
        )


class RightsChange(models.Model):
    """A line of a post's history. Postgres refuses to change one; it goes with its post."""

    post = models.ForeignKey(Post, on_delete=models.CASCADE, related_name="rights_changes")
    former = models.CharField(max_length=10, choices=Post.Rights)
    rights = models.CharField(max_length=10, choices=Post.Rights)
    at = models.DateTimeField()
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        help_text="Empty: no person did it.",
    )
    reason = models.CharField(max_length=300)

    objects = RightsChangeQuerySet.as_manager()

    class Meta:
        ordering = ["-at", "-pk"]

    def __str__(self) -> str:
        return f"{self.post}: {self.former} to {self.rights}"


class RightsTemplate(models.Model):
    """How people are asked."""

    name = models.CharField(max_length=80, unique=True)
    text = models.TextField(
        max_length=2000,
        help_text="As it is sent; {handle} is the person, {hashtag} what they answer with to say yes.",
    )
    hashtag = models.CharField(
        "key hashtag", max_length=81, help_text="Such as #YesMaison: nobody writes it by chance."
    )
    nameless = models.CharField(
        max_length=40, default="there", help_text="What stands for {handle} where it is not known."
    )
    active = models.BooleanField(default=True, help_text="Offered to ask with.")

    class Meta:
        ordering = ["-active", "name"]
        verbose_name = "template of a request"
        verbose_name_plural = "templates of requests"

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        if found := rights.complaints(self.text, self.hashtag):
            raise ValidationError(found)

    def text_for(self, post: Post) -> str:
        return rights.request_text(self.text, self.hashtag, post.username, self.nameless)


class RightsRequest(models.Model):
    """The owner of a post's photo was asked."""

    post = models.ForeignKey(Post, on_delete=models.CASCADE, related_name="rights_requests")
    text = models.TextField()
    hashtag = models.CharField(max_length=81)
    asked_at = models.DateTimeField()
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    comment_id = models.CharField(
        max_length=120, blank=True, help_text="Of the reply that the API sent; empty: sent by hand."
    )

    class Meta:
        ordering = ["-asked_at", "-pk"]

    def __str__(self) -> str:
        return f"request for {self.post}"


class RightsAnswerQuerySet(models.QuerySet["RightsAnswer"]):
    def to_confirm(self) -> "RightsAnswerQuerySet":
        waiting = [Post.Rights.UNKNOWN, Post.Rights.REQUESTED]
        return self.filter(decided_at=None, post__rights__in=waiting, post__hidden_at=None)


class RightsAnswer(models.Model):
    """Words with the key hashtag, by the owner as it seems: an admin says whether they are a yes."""

    post = models.ForeignKey(Post, on_delete=models.CASCADE, related_name="rights_answers")
    external_id = models.CharField(
        max_length=140, help_text="Of the comment; of a caption, “caption” and its key hashtag."
    )
    text = models.TextField()
    username = models.CharField(max_length=120, blank=True)
    hashtag = models.CharField(max_length=81)
    at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )

    objects = RightsAnswerQuerySet.as_manager()

    class Meta:
        ordering = ["at", "pk"]
        constraints = [models.UniqueConstraint(fields=["post", "external_id"], name="one_answer_per_comment")]

    def __str__(self) -> str:
        return f"answer on {self.post}"

    def decide(self, by: "Employee", now: datetime) -> None:
        self.decided_by, self.decided_at = by, now
        self.save(update_fields=["decided_by", "decided_at"])
