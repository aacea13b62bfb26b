"""What shoppers did, for staff to look at: newest first, of nobody more than a few characters of a digest."""

from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.safestring import SafeString

from recommend.models import Interaction
from verify.admin.curated import ReadOnlyAdmin, day

COUNTED = 10_000  # rows: to count tens of millions takes longer than anybody reads
SHOWN = 8  # characters of a shopper's digest


class UpToCounted(Paginator):
    @cached_property
    def count(self) -> int:
        return int(self.object_list[:COUNTED].count())


class SourceFilter(admin.SimpleListFilter):
    title = parameter_name = "source"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        return [("page", "A page: a visitor"), ("server", "The shop: a customer")]

    def queryset(self, request: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() not in ("page", "server"):
            return rows
        return rows.filter(by_visitor=self.value() == "page")


class SinceFilter(admin.SimpleListFilter):
    """The last week unless told otherwise: rows of a time are found fast, and all of them sorted slowly."""

    title, parameter_name = "when", "since"
    days = {"1": "Past 24 hours", "7": "Past 7 days", "30": "Past 30 days", "all": "Any time"}
    usual = "7"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        return [*self.days.items()]

    def value(self) -> str:
        told = super().value()
        return told if told in self.days else self.usual

    def choices(self, changelist: Any) -> Any:
        _, *own = super().choices(changelist)  # without Django's “All”, which is Any time here
        return own

    def queryset(self, request: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "all":
            return rows
        return rows.filter(at__gte=timezone.now() - timedelta(days=int(self.value())))


@admin.register(Interaction)
class InteractionAdmin(ReadOnlyAdmin):
    list_display = ["what", "of", "when", "who", "source", "told"]
    list_filter = ["kind", SourceFilter, SinceFilter]
    search_fields = ["dress__sku"]
    list_select_related = ["dress"]
    ordering = ["-at", "event"]
    paginator = UpToCounted
    show_full_result_count = False
    fields = readonly_fields = list_display

    def get_queryset(self, request: HttpRequest) -> QuerySet[Interaction]:
        """Those of a dress that has been deleted count for nothing any more."""
        return super().get_queryset(request).filter(dress__sku__isnull=False)

    @admin.display(description="what", ordering="kind")
    def what(self, row: Interaction) -> str:
        return row.get_kind_display()

    @admin.display(description="dress", ordering="dress__sku")
    def of(self, row: Interaction) -> SafeString:
        return format_html(
            '<a href="{}">{}</a>', reverse("admin:verify_dress_change", args=[row.dress_id]), row.dress
        )

    @admin.display(description="with it")
    def told(self, row: Interaction) -> str:
        if row.value is not None:
            return f"{row.value:g} of 5"
        return f"look {row.look_id}" if row.look_id else "–"

    @admin.display(description="shopper")
    def who(self, row: Interaction) -> SafeString:
        return format_html("<code>{}…</code>", row.shopper.hex[:SHOWN])

    @admin.display(description="source", ordering="by_visitor")
    def source(self, row: Interaction) -> str:
        return "a page" if row.by_visitor else "the shop"

    @admin.display(description="when", ordering="at")
    def when(self, row: Interaction) -> str:
        return day(row.at)
