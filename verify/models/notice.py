from datetime import datetime

from django.db import models
from django.db.models import Q

from verify.models.employee import Employee
from verify.models.post import Post


class NoticeQuerySet(models.QuerySet["Notice"]):
    def open(self) -> "NoticeQuerySet":
        return self.filter(closed_at=None)

    def tell(
        self,
        kind: "Notice.Kind",
        text: str,
        now: datetime,
        post: Post | None = None,
        employee: Employee | None = None,
    ) -> "Notice":
        """Tell the admins, once as long as nobody has closed the notice."""
        about = {"kind": kind, "post": post, "employee": employee}
        notice, _ = self.open().get_or_create(**about, defaults={"text": text, "created_at": now})
        return notice


class Notice(models.Model):
    """Something that an admin should know and may have to act on."""

    class Kind(models.TextChoices):
        LOOK_REOPENED = "look_reopened", "a published look is in doubt again"
        VOTER_MUTED = "voter_muted", "somebody's votes weigh nothing"
        MODEL_BROKEN = "model_broken", "a version of DeepDress cannot be used"
        SOURCE_SILENT = "source_silent", "the daily question for posts at their source is not answered"
        OPT_OUT = "opt_out", "somebody wants photos to go"
        MODEL_REMEMBERS = "model_remembers", "DeepDress has learnt from a photo that was withdrawn"
        INSTAGRAM_STOPPED = "instagram_stopped", "Instagram is asked nothing any more"
        TOKEN_EXPIRES = "token_expires", "the access to Instagram ends soon"

    kind = models.CharField(max_length=20, choices=Kind)
    text = models.CharField(max_length=300)
    post = models.ForeignKey(Post, on_delete=models.CASCADE, null=True, blank=True, related_name="notices")
    employee = models.ForeignKey(
        Employee, on_delete=models.CASCADE, null=True, blank=True, related_name="notices"
    )
    created_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_by = models.ForeignKey(
        Employee, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )

    objects = NoticeQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "post", "employee"],
                condition=Q(closed_at=None),
                nulls_distinct=False,
                name="one_open_notice_about_it",
            )
        ]

    def __str__(self) -> str:
        return self.text

    def close(self, by: Employee, now: datetime) -> None:
        self.closed_by, self.closed_at = by, now
        self.save(update_fields=["closed_by", "closed_at"])
