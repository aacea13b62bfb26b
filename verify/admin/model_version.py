from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import Count, F, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django_q.tasks import async_task

from verify import access, suggest, versions
from verify.admin.curated import ReadOnlyAdmin, day, log_change
from verify.admin.figures import interval, percent
from verify.models import Calibration, ModelVersion, Post, Suggestion
from verify.models.model_version import ModelVersionQuerySet
from verify.option_sets import Checked

State = ModelVersion.State
COLOURS = {State.LIVE: "settled", State.WARMING: "settled", State.BROKEN: "refused"}


@admin.register(ModelVersion)
class ModelVersionAdmin(ReadOnlyAdmin):
    """Versions of DeepDress, what they are worth, and which of them proposes."""

    list_display = ["__str__", "what", "at_once", "trained", "activated", "activated_by", "suggestion_count"]
    list_filter = ["state"]
    list_select_related = ["activated_by"]
    ordering = [F("activated_at").desc(nulls_last=True), "-pk"]
    fields = [
        *("digest", "what", "trouble", "verdict", "compared", "trained", "code_version", "data_sha256"),
        *("created_at", "activated", "activated_by", "suggestion_count", "temperature", "measured"),
    ]
    readonly_fields = ["what", "compared", "trained", "activated", "suggestion_count", "measured"]
    actions = ["promote", "revert"]

    def has_promote_permission(self, request: HttpRequest) -> bool:
        return access.may_promote(request.user)

    def get_queryset(self, request: HttpRequest) -> QuerySet[ModelVersion]:
        made = Suggestion.objects.filter(model_version=OuterRef("pk")).order_by().values("model_version")
        count = Coalesce(Subquery(made.annotate(count=Count("pk")).values("count")), 0)
        return super().get_queryset(request).annotate(suggestion_count=count)

    @admin.display(description="state", ordering="state")
    def what(self, version: ModelVersion) -> SafeString:
        colour = COLOURS.get(State(version.state), "")
        return format_html('<span class="badge {}">{}</span>', colour, version.get_state_display())

    @admin.display(description="right at once")
    def at_once(self, version: ModelVersion) -> str:
        """On the golden posts of its training, beside the version that was live then."""
        found = version.comparison.get("at_1")
        return f"{found['challenger']:.1%} against {found['champion']:.1%}" if found else "–"

    @admin.display(ordering="trained_at")
    def trained(self, version: ModelVersion) -> str:
        return day(version.trained_at)

    @admin.display(description="went live", ordering="activated_at")
    def activated(self, version: ModelVersion) -> str:
        return day(version.activated_at)

    @admin.display(description="suggestions", ordering="suggestion_count")
    def suggestion_count(self, version: Any) -> int:
        return version.suggestion_count

    @admin.display(description="when it was trained")
    def measured(self, version: ModelVersion) -> SafeString:
        rows = format_html_join("", "<tr><th>{}</th><td>{}</td></tr>", flattened(version.metrics))
        return format_html('<table class="metrics">{}</table>', rows)

    @admin.display(description="on the golden posts")
    def compared(self, version: ModelVersion) -> SafeString | str:
        return comparison_table(version.comparison) or "–"

    @admin.action(description="Let it propose in the place of the live version", permissions=["promote"])
    def promote(self, request: HttpRequest, chosen: ModelVersionQuerySet) -> HttpResponse | None:
        candidates = list(chosen.exclude(state__in=[State.LIVE, State.WARMING]))
        if len(candidates) != 1:
            self.message_user(request, "Choose one version that is not live.", messages.WARNING)
            return None
        return self._asked(request, "promote", candidates[0], candidates[0])

    @admin.action(description="Go back to the version that was live before", permissions=["promote"])
    def revert(self, request: HttpRequest, chosen: ModelVersionQuerySet) -> HttpResponse | None:
        live = chosen.live()
        if live is None:
            self.message_user(request, "Choose the live version, to go back from it.", messages.WARNING)
            return None
        try:
            return self._asked(request, "revert", live, versions.before(live))
        except versions.Unchanged as reason:
            self.message_user(request, str(reason), messages.WARNING)
            return None

    def _asked(
        self, request: HttpRequest, action: str, chosen: ModelVersion, version: ModelVersion
    ) -> HttpResponse | None:
        """Do it, once the page that says what will happen has been read."""
        if request.POST.get("post"):
            self._promote(request, version)
            return None
        live, now = ModelVersion.objects.live(), timezone.now()
        untouched = Post.objects.filter(state=Post.State.PROPOSED).proposable(now)
        context = {
            **self.admin_site.each_context(request),
            **{"title": f"{version} is to propose", "opts": self.opts, "action": action, "chosen": chosen},
            **{"version": version, "live": live, "compared": comparison_table(version.comparison)},
            "photos": suggest.photos_to_embed(version).count(),
            "posts": untouched.exclude(suggestion__model_version=version).count(),
        }
        return TemplateResponse(request, "admin/verify/modelversion/promote.html", context)

    @transaction.atomic
    def _promote(self, request: HttpRequest, version: ModelVersion) -> None:
        try:
            versions.promote(version, request.user)
        except versions.Unchanged as reason:
            self.message_user(request, str(reason), messages.WARNING)
            return
        log_change(request, [version], "To go live.")
        async_task("verify.tasks.change_version")
        self.message_user(request, f"{version} is checked, learns the catalogue and then goes live.")


def comparison_table(comparison: dict[str, Any]) -> SafeString | str:
    """The figures of both versions; empty where they have not been compared."""
    figures = comparison.get("figures")
    if not figures:
        return ""
    new, live = (dict(flattened(figures[name])) for name in ("new", "live"))
    rows = [(label, new.get(label, "–"), live.get(label, "–")) for label in new | live]
    head = "<tr><th></th><th>this version</th><th>live then</th></tr>"
    body = format_html_join("", "<tr><th>{}</th><td>{}</td><td>{}</td></tr>", rows)
    return format_html('<table class="metrics"><thead>' + head + "</thead><tbody>{}</tbody></table>", body)


@admin.register(Calibration)
class CalibrationAdmin(ReadOnlyAdmin):
    list_display = [
        "fitted",
        "model_version",
        "posts",
        "kept",
        "kept_in_audit",
        "shown",
        "error",
        "mean_size",
    ]
    list_select_related = ["model_version"]
    fields = [
        *("fitted", "model_version", "posts", "promised", "kept", "kept_in_audit", "shown", "recall"),
        *("mean_size", "error", "temperature", "slope", "offset", "threshold"),
    ]
    readonly_fields = ["fitted", "kept", "kept_in_audit", "error"]

    @admin.display(description="fitted", ordering="fitted_at")
    def fitted(self, row: Calibration) -> str:
        return day(row.fitted_at)

    @admin.display(description="dress in the set, other posts")
    def kept(self, row: Calibration) -> str:
        return checked_in_words(row.coverage.get("checked"))

    @admin.display(description="dress in the set, audit sample")
    def kept_in_audit(self, row: Calibration) -> str:
        return checked_in_words(row.coverage.get("audited"))

    @admin.display(description="calibration error", ordering="error_after")
    def error(self, row: Calibration) -> str:
        if row.error_before is None or row.error_after is None:
            return "–"
        return f"{row.error_before:.3f} before, {row.error_after:.3f} after"


def checked_in_words(found: Checked | None) -> str:
    """A share, of how many posts, and its interval."""
    return f"{percent(found.share)} of {found.count:,} ({interval(found.low, found.high)})" if found else "–"


def flattened(metrics: dict[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Nested metrics as rows: "unseen recall 3", "0.81"."""
    rows: list[tuple[str, str]] = []
    for name, value in metrics.items():
        label = f"{prefix} {name}".strip().replace("_", " ")
        if isinstance(value, dict):
            rows += flattened(value, label)
        else:
            rows.append((label, f"{value:.4g}" if isinstance(value, float) else str(value)))
    return rows
