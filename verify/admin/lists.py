"""Rows that come about by themselves, to look at: each number of the dashboard leads to some of them."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from verify import access
from verify.admin.curated import ReadOnlyAdmin, day, log_change, share, thumbnail
from verify.admin.figures import percent
from verify.admin.voter import interval_in_words, voter_url
from verify.models import Flag, GoldAnswer, Heartbeat, Nomination, Notice, Refit, Reliability


class YesNoFilter(admin.SimpleListFilter):
    """Whether a column has a value."""

    column = ""
    words = ("Yes", "No")

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        return [("yes", self.words[0]), ("no", self.words[1])]

    def queryset(self, request: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() not in ("yes", "no"):
            return rows
        return rows.filter(**{f"{self.column}__isnull": self.value() == "no"})


class MutedFilter(YesNoFilter):
    title = parameter_name = "muted"
    column, words = "muted_at", ("Muted", "Counting")


class DoneFilter(YesNoFilter):
    title = parameter_name = "done"
    column, words = "closed_at", ("Done", "Open")


def post_link(post_id: int | None, label: object) -> SafeString | str:
    if post_id is None:
        return "–"
    return format_html('<a href="{}">{}</a>', reverse("admin:verify_post_change", args=[post_id]), label)


def voter_link(employee: Any) -> SafeString | str:
    if employee is None:
        return "–"
    return format_html('<a href="{}">{}</a>', voter_url(employee.pk), employee)


class AboutAPost(ReadOnlyAdmin):
    """Something that somebody said of a post."""

    list_select_related = ["post__photo", "employee"]
    search_fields = ["post__external_id", "employee__username", "employee__display_name"]
    ordering = ["-created_at"]

    @admin.display(description="photo")
    def picture(self, row: Any) -> SafeString | str:
        return thumbnail(row.post.photo.token)

    @admin.display(description="post")
    def about(self, row: Any) -> SafeString | str:
        return post_link(row.post_id, row.post)

    @admin.display(description="by", ordering="employee")
    def said_by(self, row: Any) -> SafeString | str:
        return voter_link(row.employee)

    @admin.display(description="when", ordering="created_at")
    def said(self, row: Any) -> str:
        return day(row.created_at)


@admin.register(Flag)
class FlagAdmin(AboutAPost):
    list_display = ["picture", "reason", "about", "said_by", "said"]
    list_display_links = ["reason"]
    list_filter = ["reason", "by_gate"]
    list_select_related = ["post__photo", "employee"]
    fields = ["picture", "about", "reason", "said_by", "said"]

    @admin.display(description="by", ordering="employee")
    def said_by(self, row: Flag) -> SafeString | str:
        return voter_link(row.employee) if row.employee else row.by


@admin.register(Nomination)
class NominationAdmin(AboutAPost):
    list_display = ["picture", "about", "said_by", "said"]
    list_display_links = ["said"]
    fields = ["picture", "about", "said_by", "said"]


@admin.register(GoldAnswer)
class GoldAnswerAdmin(AboutAPost):
    list_display = ["picture", "answer", "dress", "right", "training", "about", "said_by", "said"]
    list_display_links = ["answer"]
    list_filter = ["right", "training", "answer"]
    list_select_related = ["post__photo", "employee", "option__dress"]
    fields = ["picture", "about", "answer", "dress", "right", "training", "said_by", "said", "viewed_ms"]

    @admin.display
    def dress(self, row: GoldAnswer) -> str:
        return str(row.option.dress) if row.option else "–"


@admin.register(Reliability)
class ReliabilityAdmin(ReadOnlyAdmin):
    list_display = ["voter", "reliable", "average", "interval", "votes", "gold", "muted", "muted_because"]
    list_display_links = None
    list_filter = [MutedFilter, "employee__team"]
    list_select_related = ["employee__team"]
    search_fields = ["employee__username", "employee__display_name"]
    ordering = ["estimate"]
    fields = [
        *("voter", "reliable", "average", "interval", "votes", "gold", "fitted_at"),
        *("muted", "muted_because"),
    ]

    @admin.display(ordering="employee__username")
    def voter(self, row: Reliability) -> SafeString | str:
        return voter_link(row.employee)

    @admin.display(description="right", ordering="estimate")
    def reliable(self, row: Reliability) -> SafeString | str:
        return share(row.estimate)

    @admin.display(description="mean")
    def average(self, row: Reliability) -> str:
        return percent(row.mean)

    @admin.display(description="95% interval", ordering="low")
    def interval(self, row: Reliability) -> str:
        return interval_in_words(row)

    @admin.display(description="gold", ordering="gold_seen")
    def gold(self, row: Reliability) -> str:
        return f"{row.gold_right} of {row.gold_seen}"

    @admin.display(description="muted", ordering="muted_at")
    def muted(self, row: Reliability) -> SafeString | str:
        return (
            format_html('<span class="badge refused">muted</span> {}', day(row.muted_at))
            if row.muted_at
            else ""
        )


@admin.register(Refit)
class RefitAdmin(ReadOnlyAdmin):
    list_display = ["__str__", "votes", "posts", "voters", "reopened", "audited", "vote_weight", "seconds"]
    fields = [*list_display[1:], "fitted_at", "prior_factors", "diagram"]


@admin.register(Heartbeat)
class HeartbeatAdmin(ReadOnlyAdmin):
    list_display = ["name", "last_sign", "model_version"]
    fields = ["name", "last_sign", "model_version"]

    @admin.display(description="last sign of life", ordering="beat_at")
    def last_sign(self, row: Heartbeat) -> str:
        return day(row.beat_at)


@admin.register(Notice)
class NoticeAdmin(ReadOnlyAdmin):
    list_display = ["text", "kind", "about", "about_whom", "told", "closed_by"]
    list_filter = [DoneFilter, "kind"]
    list_select_related = ["post", "employee", "closed_by"]
    fields = ["kind", "text", "about", "about_whom", "told", "closed_by", "closed_at"]

    def get_urls(self) -> list[URLPattern]:
        done = self.admin_site.admin_view(require_POST(self.done))
        return [path("<int:pk>/done/", done, name="verify_notice_done"), *super().get_urls()]

    def done(self, request: HttpRequest, pk: int) -> HttpResponse:
        if not access.may_curate(request.user):
            raise PermissionDenied
        notice = get_object_or_404(Notice, pk=pk)
        if notice.closed_at is None:
            notice.close(request.user, timezone.now())
            log_change(request, [notice], "Done.")
        return redirect("admin:index")

    @admin.display(description="post")
    def about(self, notice: Notice) -> SafeString | str:
        return post_link(notice.post_id, notice.post)

    @admin.display(description="voter")
    def about_whom(self, notice: Notice) -> SafeString | str:
        return voter_link(notice.employee)

    @admin.display(description="since", ordering="created_at")
    def told(self, notice: Notice) -> str:
        return day(notice.created_at)
