import secrets
from dataclasses import asdict
from functools import lru_cache
from typing import Any

from django.apps import apps
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models, transaction
from django.db.models import Exists, OuterRef, Q
from django.urls import reverse

from verify.gates import Measures, bands


def new_token() -> str:
    return secrets.token_urlsafe(16)


def path_of(photo: "Photo", filename: str) -> str:
    return f"photos/{photo.token[:2]}/{photo.token}-{filename}"


class PhotoQuerySet(models.QuerySet["Photo"]):
    def with_publicity(self) -> "PhotoQuerySet":
        """Adds ``is_public``: a catalogue photo, or the photo of a look that anybody may see."""
        in_catalogue = apps.get_model("verify", "DressPhoto").objects.filter(photo=OuterRef("pk"))
        in_a_look = apps.get_model("verify", "Look").objects.public().filter(post__photo=OuterRef("pk"))
        return self.annotate(is_public=Exists(in_catalogue) | Exists(in_a_look))

    def public(self) -> "PhotoQuerySet":
        return self.with_publicity().filter(is_public=True)

    def unused(self) -> "PhotoQuerySet":
        return self.filter(Q(posts=None) & Q(dress_photos=None))

    def unmeasured(self) -> "PhotoQuerySet":
        """From before there were quality gates."""
        return self.filter(measures={})

    def delete(self) -> tuple[int, dict[str, int]]:
        """Delete the rows and, once that is committed, the stored files.

        Whoever is killed between the two leaves a note of the files: `FileToErase` finishes the work.
        """
        files = apps.get_model("verify", "FileToErase").objects
        with transaction.atomic():
            names = [name for pair in self.values_list("large", "small") for name in pair]
            files.enlist(names)
            deleted = super().delete()
            transaction.on_commit(lambda: files.filter(name__in=names).erase())
        return deleted


class Photo(models.Model):
    """Our own copies, in two sizes, of one picture; the same bytes are stored once."""

    token = models.CharField(max_length=32, unique=True, default=new_token, editable=False)
    sha256 = models.CharField(max_length=64, unique=True, help_text="Of the bytes as received.")
    width = models.PositiveIntegerField(help_text="Of the large copy, in pixels.")
    height = models.PositiveIntegerField()
    large = models.FileField(upload_to=path_of, max_length=120)
    small = models.FileField(upload_to=path_of, max_length=120)
    measures = models.JSONField(default=dict, help_text="What gates judge by; empty: never measured.")
    fingerprint = models.BigIntegerField(null=True, help_text="Like photos have like ones: see `gates`.")
    bands = ArrayField(
        models.SmallIntegerField(), default=list, help_text="Of the fingerprint, to find it by."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = PhotoQuerySet.as_manager()

    class Meta:
        indexes = [GinIndex(fields=["bands"], name="photo_by_fingerprint")]

    def __str__(self) -> str:
        return f"photo {self.token}"

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        return Photo.objects.filter(pk=self.pk).delete()

    def measured(self, found: Measures) -> None:
        """The fields, unsaved, of what was measured of it."""
        self.measures = asdict(found)
        self.fingerprint = self.measures.pop("fingerprint")
        self.bands = [] if self.fingerprint is None else bands(self.fingerprint)

    @property
    def large_url(self) -> str:
        return photo_url(self.token, "large")

    @property
    def small_url(self) -> str:
        return photo_url(self.token, "small")


@lru_cache(maxsize=2**15)  # a page or an answer has dozens
def photo_url(token: str, size: str) -> str:
    """Address of a copy. It is served by a view that asks who is looking."""
    return reverse("photo", args=[token, size])
