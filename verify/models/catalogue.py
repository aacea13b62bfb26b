from collections.abc import Iterable
from datetime import date
from functools import reduce
from operator import or_
from typing import Any

from django.db import models
from django.db.models import BooleanField, Case, F, OuterRef, Q, Subquery, When
from django.db.models.expressions import RawSQL
from django.db.models.functions import Coalesce, TruncDate
from django.utils import timezone

from verify.models.photo import Photo

SEARCHED = ("title", "sku", "designer", "category", "colour")


class DressQuerySet(models.QuerySet["Dress"]):
    def in_stock(self, on: date | None = None) -> "DressQuerySet":
        on = on or timezone.localdate()
        return self.filter(
            Q(available_from=None) | Q(available_from__lte=on), Q(retired_on=None) | Q(retired_on__gt=on)
        )

    def new(self, since: date) -> "DressQuerySet":
        """Sold, or in the catalogue, since a later day than that; newest first."""
        begun = Coalesce("available_from", TruncDate("created_at"))
        return self.annotate(begun=begun).filter(begun__gt=since).order_by("-begun", "-pk")

    def among(self, pks: Iterable[int]) -> "DressQuerySet":
        """As `pk__in`, by one parameter: of a hundred, each takes Django and Postgres their time."""
        return self.filter(RawSQL('"verify_dress"."id" = ANY(%s)', [[*pks]], BooleanField()))

    def search(self, words: str) -> "DressQuerySet":
        """Those of which every word says something, with ``cover_token``; what begins with it first."""
        found = self.with_cover()
        for word in words.split():
            said = [Q(**{f"{field}__icontains": word}) for field in SEARCHED]
            found = found.filter(reduce(or_, said))
        begins = Q(title__istartswith=words) | Q(sku__istartswith=words)
        return found.order_by(Case(When(begins, then=0), default=1), "title", "sku")

    def delete(self) -> tuple[int, dict[str, int]]:
        """Delete the dresses and the photos nobody else uses."""
        photos = list(self.filter(photos__isnull=False).values_list("photos__photo", flat=True))
        deleted = super().delete()
        Photo.objects.filter(pk__in=photos).unused().delete()
        return deleted

    def with_cover(self) -> "DressQuerySet":
        """Adds ``cover_token``, the token of the first catalogue photo."""
        return self.annotate(cover_token=cover_token("pk"))


def cover_token(dress_reference: str) -> Subquery:
    """Token of the first catalogue photo of the dress that ``dress_reference`` names outside."""
    photos = DressPhoto.objects.filter(dress=OuterRef(dress_reference)).order_by("position")
    return Subquery(photos.values("photo__token")[:1])


class Dress(models.Model):
    sku = models.CharField("SKU", max_length=64, unique=True)
    title = models.CharField(max_length=200)
    designer = models.CharField(max_length=120, blank=True)
    category = models.CharField(max_length=80, blank=True)
    colour = models.CharField(max_length=80, blank=True)
    price = models.DecimalField(max_digits=10, decimal_places=2, null=True, blank=True)
    available_from = models.DateField(null=True, blank=True)
    retired_on = models.DateField(
        null=True, blank=True, help_text="From this day on it is neither proposed nor sold."
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = DressQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "dresses"
        ordering = ["sku"]
        constraints = [
            models.CheckConstraint(condition=Q(price=None) | Q(price__gte=0), name="price_is_not_negative"),
            models.CheckConstraint(
                condition=Q(retired_on=None)
                | Q(available_from=None)
                | Q(retired_on__gte=F("available_from")),
                name="retired_after_available",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.title} ({self.sku})"

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        return Dress.objects.filter(pk=self.pk).delete()

    def is_in_stock(self, on: date | None = None) -> bool:
        on = on or timezone.localdate()
        return (self.available_from is None or self.available_from <= on) and (
            self.retired_on is None or self.retired_on > on
        )

    def retire(self, on: date | None = None) -> None:
        self.retired_on = on or timezone.localdate()
        self.save(update_fields=["retired_on", "updated_at"])


class DressPhoto(models.Model):
    dress = models.ForeignKey(Dress, on_delete=models.CASCADE, related_name="photos")
    photo = models.ForeignKey(Photo, on_delete=models.PROTECT, related_name="dress_photos")
    position = models.PositiveSmallIntegerField(default=0)
    attempts = models.PositiveSmallIntegerField(
        default=0, help_text="Times a worker tried to embed it in vain; it gives up at the third."
    )

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["dress", "photo"], name="one_photo_once_per_dress"),
            models.UniqueConstraint(
                fields=["dress", "position"],
                name="one_photo_per_position",
                deferrable=models.Deferrable.DEFERRED,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.dress} photo {self.position}"

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Delete it and, if nobody else uses it, the photo."""
        deleted = super().delete(*args, **kwargs)
        Photo.objects.filter(pk=self.photo_id).unused().delete()
        return deleted
