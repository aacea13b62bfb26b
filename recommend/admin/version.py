"""Which version of the recommender serves, since when, what it is worth, and how to take it back."""

from typing import Any

from csp.constants import SELF, UNSAFE_INLINE
from csp.decorators import csp_update
from django.contrib import admin, messages
from django.db.models import F
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from recommend import versions
from recommend.models import RecommenderVersion
from recommend.models.fitted import RecommenderVersionQuerySet
from verify import access
from verify.admin.curated import ReadOnlyAdmin, day, log_change

State = RecommenderVersion.State
COLOURS = {State.LIVE: "settled", State.REFUSED: "refused"}
FIGURES = "precision@10", "recall@10", "arhr@10", "ndcg@10"
COLUMNS = {"new": "this version", "old": "what served then", "popular": "what is popular"}


@admin.register(RecommenderVersion)
class RecommenderVersionAdmin(ReadOnlyAdmin):
    list_display = ["__str__", "what", "precision", "since", "published_by", "people", "page"]
    list_filter = ["state"]
    list_select_related = ["published_by"]
    ordering = [F("live_since").desc(nulls_last=True), "-pk"]
    fields = [
        *("method", "what", "reason", "measured", "page", "fitted", "since", "published_by"),
        *("people", "dresses", "ratings", "data_sha256", "folder"),
    ]
    readonly_fields = ["what", "measured", "page", "fitted", "since"]
    actions = ["publish", "roll_back"]

    def has_publish_permission(self, request: HttpRequest) -> bool:
        return access.may_promote(request.user)

    def get_urls(self) -> list[URLPattern]:
        report = self.admin_site.admin_view(csp_update({"style-src": [SELF, UNSAFE_INLINE]})(self.report))
        return [
            path("report/", report, name="recommend_report"),
            path("<int:pk>/report/", report, name="recommend_report_of"),
            *super().get_urls(),
        ]

    def report(self, request: HttpRequest, pk: int | None = None) -> HttpResponse:
        """The evaluation on the shop's own data, of a night or of the last one that had enough of them."""
        if not self.has_view_permission(request):
            raise Http404
        version = get_object_or_404(RecommenderVersion, pk=pk) if pk else versions.newest_with_report()
        if version is None or (page := versions.report_of(version)) is None:
            context = {**self.admin_site.each_context(request), "title": "No report", "opts": self.opts}
            context["newest"] = RecommenderVersion.objects.first()
            return TemplateResponse(
                request, "admin/recommend/no_report.html", context, status=404 if pk else 200
            )
        return HttpResponse(page)

    @admin.display(description="state", ordering="state")
    def what(self, version: RecommenderVersion) -> SafeString:
        colour = COLOURS.get(State(version.state), "")
        return format_html('<span class="badge {}">{}</span>', colour, version.get_state_display())

    @admin.display(description="precision of 10")
    def precision(self, version: RecommenderVersion) -> str:
        """Beside the version that served then."""
        new, old = (version.metrics.get(which, {}).get("precision@10") for which in ("new", "old"))
        return "–" if new is None else f"{new:.3f} against {old:.3f}"

    @admin.display(ordering="fitted_at")
    def fitted(self, version: RecommenderVersion) -> str:
        return day(version.fitted_at)

    @admin.display(description="serves or served since", ordering="live_since")
    def since(self, version: RecommenderVersion) -> str:
        return day(version.live_since)

    @admin.display(description="report")
    def page(self, version: RecommenderVersion) -> SafeString | str:
        if not versions.has_report(version):
            return "–"
        return format_html('<a href="{}">report</a>', reverse("admin:recommend_report_of", args=[version.pk]))

    @admin.display(description="in the week held out")
    def measured(self, version: RecommenderVersion) -> SafeString | str:
        return figures_table(version.metrics)

    @admin.action(description="Let it serve in the place of the live version", permissions=["publish"])
    def publish(self, request: HttpRequest, chosen: RecommenderVersionQuerySet) -> None:
        others = list(chosen.exclude(state=State.LIVE).exclude(folder=""))
        if len(others) != 1:
            told = "Choose one version that does not serve and whose files are still kept."
            self.message_user(request, told, messages.WARNING)
            return
        try:
            versions.publish(others[0], f"{request.user} wanted it.", request.user)
        except versions.Unchanged as reason:
            self.message_user(request, str(reason), messages.WARNING)
            return
        self._done(request, others[0])

    @admin.action(description="Go back to the version that served before", permissions=["publish"])
    def roll_back(self, request: HttpRequest, chosen: RecommenderVersionQuerySet) -> None:
        if chosen.live() is None:
            self.message_user(request, "Choose the live version, to go back from it.", messages.WARNING)
            return
        try:
            left, back = versions.roll_back(request.user)
        except versions.Unchanged as reason:
            self.message_user(request, str(reason), messages.WARNING)
            return
        log_change(request, [left], f"Taken back in favour of {back}.")
        self._done(request, back)

    def _done(self, request: HttpRequest, version: RecommenderVersion) -> None:
        log_change(request, [version], "To serve.")
        self.message_user(request, f"{version} serves from the next request on.")


def figures_table(metrics: dict[str, Any]) -> SafeString | str:
    if not metrics:
        return "–"
    heads = format_html_join("", "<th>{}</th>", ((words,) for words in COLUMNS.values()))
    rows = format_html_join(
        "",
        "<tr><th>{}</th>{}</tr>",
        ((name, format_html_join("", "<td>{}</td>", _cells(metrics, name))) for name in FIGURES),
    )
    head = format_html("<tr><th>of {} people</th>{}</tr>", f"{metrics['people']:,}", heads)
    return format_html('<table class="metrics"><thead>{}</thead><tbody>{}</tbody></table>', head, rows)


def _cells(metrics: dict[str, Any], name: str) -> list[tuple[str]]:
    return [(f"{metrics[column][name]:.3f}",) for column in COLUMNS]
