"""What the admin pages share: who may, pictures, bars, and a log of every change."""

from datetime import datetime
from typing import Any

from django.contrib import admin
from django.contrib.admin.models import CHANGE, LogEntry
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst

from verify import access
from verify.models.photo import photo_url


class TitledAdmin(admin.ModelAdmin):
    """A list that is called what it holds."""

    list_per_page = 50
    show_full_result_count = False

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if any("\0" in value for _, values in request.GET.lists() for value in values):
            return redirect(request.path)  # Postgres takes no such text, whatever the filter
        title = {"title": capfirst(str(self.opts.verbose_name_plural))}
        return super().changelist_view(request, title | (extra_context or {}))

    def get_search_results(
        self, request: HttpRequest, rows: QuerySet[Any], words: str
    ) -> tuple[QuerySet[Any], bool]:
        return super().get_search_results(request, rows, words.replace("\0", ""))


class ForCurators:
    """Open to whoever may curate; Django's own permissions play no part."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return access.may_curate(request.user)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return access.may_curate(request.user)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return access.may_curate(request.user)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return access.may_curate(request.user)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return access.may_curate(request.user)


class CuratedAdmin(ForCurators, TitledAdmin):
    """A page of what admins curate."""


class ReadOnlyAdmin(CuratedAdmin):
    """To look at: it comes about by itself, and nobody edits it."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


def typed(values: QueryDict, name: str) -> str:
    """What somebody has typed, without the NUL bytes that Postgres does not take."""
    return values.get(name, "").replace("\0", "").strip()


def log_change(request: HttpRequest, rows: QuerySet[Any] | list[Any], message: str) -> None:
    """Put a change made by an action into each row's history."""
    LogEntry.objects.log_actions(request.user.pk, rows, CHANGE, change_message=message)


def thumbnail(token: str | None, alt: str = "") -> SafeString | str:
    if not token:
        return "–"
    return format_html(
        '<img class="thumbnail" src="{}" alt="{}" loading="lazy">', photo_url(token, "small"), alt
    )


def day(moment: datetime | None) -> str:
    return date_format(timezone.localtime(moment), "j M Y, H:i") if moment else "–"


def share(probability: float | None) -> SafeString | str:
    """A probability as a bar with its number."""
    if probability is None:
        return "–"
    return format_html(
        '<span class="share"><meter min="0" max="1" value="{}"></meter> {}</span>',
        f"{probability:.4f}",
        f"{probability:.0%}",
    )
