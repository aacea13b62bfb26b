from typing import Any

from django.contrib import admin
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from verify.admin.curated import ReadOnlyAdmin
from verify.models import ModelVersion, Suggestion


@admin.register(ModelVersion)
class ModelVersionAdmin(ReadOnlyAdmin):
    list_display = ["__str__", "activated_at", "temperature", "suggestion_count", "created_at"]
    ordering = ["-activated_at"]
    fields = ["digest", "created_at", "activated_at", "temperature", "suggestion_count", "measured"]
    readonly_fields = ["suggestion_count", "measured"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[ModelVersion]:
        made = Suggestion.objects.filter(model_version=OuterRef("pk")).order_by().values("model_version")
        count = Coalesce(Subquery(made.annotate(count=Count("pk")).values("count")), 0)
        return super().get_queryset(request).annotate(suggestion_count=count)

    @admin.display(description="suggestions", ordering="suggestion_count")
    def suggestion_count(self, version: Any) -> int:
        return version.suggestion_count

    @admin.display(description="metrics")
    def measured(self, version: ModelVersion) -> SafeString:
        rows = format_html_join("", "<tr><th>{}</th><td>{}</td></tr>", flattened(version.metrics))
        return format_html('<table class="metrics">{}</table>', rows)


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
