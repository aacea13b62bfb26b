from collections.abc import Iterator
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from verify.admin.curated import CuratedAdmin, ForCurators, log_change, thumbnail
from verify.intake.catalogue import no_formula
from verify.models import Dress, DressPhoto, Look

LOOKS_SHOWN = 24


class StockFilter(admin.SimpleListFilter):
    title = "stock"
    parameter_name = "stock"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        return [("in", "In stock"), ("coming", "Not yet available"), ("retired", "Retired")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Dress]) -> QuerySet[Dress]:
        today = timezone.localdate()
        chosen = {
            "in": lambda: queryset.in_stock(today),
            "coming": lambda: queryset.filter(available_from__gt=today),
            "retired": lambda: queryset.filter(retired_on__lte=today),
        }
        return chosen[self.value()]() if self.value() in chosen else queryset


class NamedValuesFilter(admin.AllValuesFieldListFilter):
    """Every value that there is; having none is one of them, and a link to click on as well."""

    def choices(self, changelist: ChangeList) -> Iterator[dict[str, Any]]:
        for choice in super().choices(changelist):
            yield {**choice, "display": choice["display"] or "None"}


class DressPhotoInline(ForCurators, admin.StackedInline):
    """Photos come in with the catalogue; here they can be put in another order or thrown out."""

    model = DressPhoto
    fields = [("picture", "position", "trouble")]
    readonly_fields = ["picture", "trouble"]
    ordering = ["position"]
    extra = 0

    def get_queryset(self, request: HttpRequest) -> QuerySet[DressPhoto]:
        return super().get_queryset(request).select_related("photo", "dress")

    def has_add_permission(self, request: HttpRequest, obj: Dress | None = None) -> bool:
        return False

    @admin.display(description="photo")
    def picture(self, row: DressPhoto) -> SafeString | str:
        return thumbnail(row.photo.token, f"Photo {row.position}")

    @admin.display(description="DeepDress")
    def trouble(self, row: DressPhoto) -> str:
        return f"tried {row.attempts} times in vain" if row.attempts else "–"


class DressForm(forms.ModelForm):
    sku = forms.CharField(label="SKU", max_length=64, validators=[no_formula])


@admin.register(Dress)
class DressAdmin(CuratedAdmin):
    form = DressForm
    list_display = [
        *("picture", "title", "sku", "designer", "category", "colour", "price"),
        *("is_in_stock", "retired_on", "look_count"),
    ]
    list_display_links = ["picture", "title"]
    list_filter = [StockFilter, ("category", NamedValuesFilter), ("colour", NamedValuesFilter)]
    search_fields = ["sku", "title", "designer", "colour"]
    ordering = ["sku"]
    readonly_fields = ["gallery", "created_at", "updated_at"]
    fieldsets = [
        (None, {"fields": ["sku", "title", "designer", ("category", "colour"), "price"]}),
        ("Stock", {"fields": [("available_from", "retired_on")]}),
        ("Looks", {"fields": ["gallery"]}),
        ("Dates", {"fields": [("created_at", "updated_at")], "classes": ["collapse"]}),
    ]
    inlines = [DressPhotoInline]
    actions = ["retire", "sell_again"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Dress]:
        looks = Look.objects.filter(dress=OuterRef("pk")).order_by().values("dress")
        count = Coalesce(Subquery(looks.annotate(count=Count("pk")).values("count")), 0)
        return super().get_queryset(request).with_cover().annotate(look_count=count)

    @admin.display(description="photo")
    def picture(self, dress: Any) -> SafeString | str:
        return thumbnail(dress.cover_token, dress.title)

    @admin.display(description="in stock", boolean=True)
    def is_in_stock(self, dress: Dress) -> bool:
        return dress.is_in_stock()

    @admin.display(description="looks", ordering="look_count")
    def look_count(self, dress: Any) -> SafeString:
        url = f"{reverse('admin:verify_look_changelist')}?dress__id__exact={dress.pk}"
        return format_html('<a href="{}">{}</a>', url, dress.look_count)

    @admin.display(description="verified looks")
    def gallery(self, dress: Dress) -> SafeString | str:
        looks = Look.objects.looks_for(dress).select_related("post__photo")[:LOOKS_SHOWN]
        return thumbnails_of(looks) or "None yet."

    @admin.action(description="Retire the selected dresses today", permissions=["change"])
    def retire(self, request: HttpRequest, dresses: QuerySet[Dress]) -> None:
        retired = list(dresses.filter(pk__in=dresses.in_stock()))
        for dress in retired:
            dress.retire()
        log_change(request, retired, "Retired.")
        self.message_user(request, f"{len(retired)} retired: no longer proposed, no longer sold.")

    @admin.action(description="Sell the selected dresses again", permissions=["change"])
    def sell_again(self, request: HttpRequest, dresses: QuerySet[Dress]) -> None:
        returned = list(dresses.exclude(retired_on=None))
        for dress in returned:
            dress.retired_on = None
            dress.save(update_fields=["retired_on", "updated_at"])
        log_change(request, returned, "On sale again.")
        self.message_user(request, f"{len(returned)} on sale again.")


def thumbnails_of(looks: QuerySet[Look]) -> SafeString:
    links = [
        format_html(
            '<a href="{}">{}</a>',
            reverse("admin:verify_look_change", args=[look.pk]),
            thumbnail(look.post.photo.token, f"Look {look.pk}, {look.clearance}"),
        )
        for look in looks
    ]
    return SafeString("".join(links))
