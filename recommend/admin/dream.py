"""The dreams that people like most."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, QueryDict
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from recommend.models import LikedDream
from recommend.models.liked_dream import LikedDreamQuerySet
from verify.admin.curated import ReadOnlyAdmin, day
from verify.dreaming import shelf


@admin.register(LikedDream)
class LikedDreamAdmin(ReadOnlyAdmin):
    """For merchandisers: which dress that nobody has sewn people would like most."""

    list_display = ["drawn", "__str__", "liked", "taste", "since", "dreamt_by"]
    list_display_links = ["__str__"]
    fields = ["drawn", "seed", "liked", "taste", "closest", "since", "dreamt_by"]

    def get_queryset(self, request: HttpRequest) -> LikedDreamQuerySet:
        return super().get_queryset(request).most_liked()

    @admin.display(description="picture")
    def drawn(self, dream: LikedDream) -> SafeString:
        address = reverse("liked_dream", args=[dream.name])
        return format_html('<img class="thumbnail" src="{}" alt="" loading="lazy">', address)

    @admin.display(description="hearts", ordering="hearts")
    def liked(self, dream: Any) -> int:
        return dream.hearts

    @admin.display(description="near")
    def taste(self, dream: LikedDream) -> str:
        told = QueryDict(dream.query)
        return ", ".join(told.getlist("like") + told.getlist("toward")) or "–"

    @admin.display(description="in the shop")
    def closest(self, dream: LikedDream) -> SafeString:
        """Where the same weights still dream: others make another picture of the seed."""
        if dream.version != shelf.version():
            return format_html("{}", "Other weights dream by now: only the picture is left.")
        address = reverse("dream", args=[dream.seed]) + (f"?{dream.query}" if dream.query else "")
        return format_html('<a href="{}">What comes closest to it</a>', address)

    @admin.display(description="first liked", ordering="created_at")
    def since(self, dream: LikedDream) -> str:
        return day(dream.created_at)

    @admin.display(description="weights", ordering="version")
    def dreamt_by(self, dream: LikedDream) -> str:
        return dream.version[:8]
