from typing import Any

from django.contrib import admin, messages
from django.db.models import Case, F, Q, QuerySet, Value, When
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from verify.admin.clear import ClearQueue
from verify.admin.curated import CuratedAdmin, day, log_change, share, thumbnail
from verify.admin.flags import FlaggedFilter, flagged
from verify.models import Look
from verify.models.catalogue import cover_token

WAITING_FIRST = Case(When(clearance=Look.Clearance.WAITING, then=Value(0)), default=Value(1))


@admin.register(Look)
class LookAdmin(ClearQueue, CuratedAdmin):
    """The queue of looks to clear for display: the customer's photo beside the catalogue's."""

    list_display = [
        *("picture", "catalogue_photo", "dress", "clearance", "confidence", "rights", "is_public"),
        *("published", "cleared_by"),
    ]
    list_filter = ["clearance", FlaggedFilter, "post__rights"]
    list_select_related = ["post__photo", "dress", "cleared_by"]
    search_fields = ["dress__sku", "dress__title", "post__external_id", "post__username"]
    ordering = [WAITING_FIRST, "-published_at", "-pk"]
    fields = [
        ("picture", "catalogue_photo"),
        *("dress", "post_link", "flags", "clearance", "confidence", "rights", "is_public"),
        *("published_at", "cleared_by", "cleared_at"),
    ]
    readonly_fields = [field for field in list_display if field != "clearance"] + [
        "post_link",
        "flags",
        "published_at",
        "cleared_at",
    ]
    actions = ["clear", "refuse"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Look | None = None) -> bool:
        return False  # a verdict makes and takes looks; whoever wants one gone refuses it

    def get_queryset(self, request: HttpRequest) -> QuerySet[Look]:
        looks = super().get_queryset(request).annotate(cover_token=cover_token("dress"))
        return looks.annotate(public=Case(When(pk__in=Look.objects.public(), then=True), default=False))

    def save_model(self, request: HttpRequest, look: Look, form: Any, change: bool) -> None:
        if "clearance" in form.changed_data:
            look.decide(Look.Clearance(look.clearance), request.user)

    @admin.display(description="posted")
    def picture(self, look: Look) -> SafeString | str:
        return thumbnail(look.post.photo.token, "What the customer posted")

    @admin.display(description="catalogue")
    def catalogue_photo(self, look: Any) -> SafeString | str:
        return thumbnail(look.cover_token, look.dress.title)

    @admin.display(description="post")
    def post_link(self, look: Look) -> SafeString:
        return format_html(
            '<a href="{}">{}</a>', reverse("admin:verify_post_change", args=[look.post_id]), look.post
        )

    @admin.display(description="flagged")
    def flags(self, look: Look) -> str:
        return "; ".join(flag.get_reason_display() for flag in look.post.flags.all()) or "–"

    @admin.display(ordering=F("post__confidence"))
    def confidence(self, look: Look) -> SafeString | str:
        return share(look.post.confidence)

    @admin.display(ordering=F("post__rights"))
    def rights(self, look: Look) -> str:
        return look.post.get_rights_display()

    @admin.display(ordering="published_at")
    def published(self, look: Look) -> str:
        return day(look.published_at)

    @admin.display(description="public", boolean=True)
    def is_public(self, look: Any) -> bool:
        return look.public

    @admin.action(description="Clear for display", permissions=["change"])
    def clear(self, request: HttpRequest, looks: QuerySet[Look]) -> None:
        self._decide(request, looks, Look.Clearance.CLEARED)

    @admin.action(description="Refuse for display", permissions=["change"])
    def refuse(self, request: HttpRequest, looks: QuerySet[Look]) -> None:
        self._decide(request, looks, Look.Clearance.REFUSED)

    def _decide(self, request: HttpRequest, looks: QuerySet[Look], clearance: Look.Clearance) -> None:
        unsafe = Q(flagged()) | ~Q(pk__in=Look.objects.settled())
        held = looks.filter(unsafe) if clearance == Look.Clearance.CLEARED else looks.none()
        kept = held.exclude(clearance=clearance).count()
        decided = list(looks.exclude(clearance=clearance).exclude(pk__in=held.values("pk")))
        for look in decided:
            look.decide(clearance, request.user)
        log_change(request, decided, f"{clearance.label} for display.")
        self.message_user(request, f"{len(decided)} {clearance.value}.")
        if kept:
            told = (
                f"{kept} left as they were: what colleagues flagged is cleared one at a time,"
                " and nothing whose verdict is in doubt."
            )
            self.message_user(request, told, messages.WARNING)
