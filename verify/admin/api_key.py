from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from verify.admin.curated import TitledAdmin, day, log_change
from verify.models import ApiKey


class ApiKeyForm(forms.ModelForm):
    scopes = forms.MultipleChoiceField(
        choices=ApiKey.Scope.choices,
        widget=forms.CheckboxSelectMultiple,
        help_text="What it may do: no more than who calls with it needs.",
    )

    class Meta:
        model = ApiKey
        fields = ["name", "scopes", "requests_per_minute", "photos_per_day", "expires_at"]


@admin.register(ApiKey)
class ApiKeyAdmin(TitledAdmin):
    """Django's own permissions rule here, as for employees: a key lets a machine in.

    No key is deleted: who had one, and until when, stays known.
    """

    form = ApiKeyForm
    list_display = ["name", "state", "may", "last_used", "today", "starts_with", "created_by", "created"]
    list_select_related = ["created_by"]
    search_fields = ["name", "prefix"]
    told = ["state", "starts_with", "last_used", "today", "created_by", "created", "revoked"]
    readonly_fields = told
    actions = ["revoke"]

    def get_fieldsets(self, request: HttpRequest, obj: ApiKey | None = None) -> list[tuple[str | None, Any]]:
        asked = (None, {"fields": ["name", "scopes", "expires_at"]})
        limits = ("Limits", {"fields": ["requests_per_minute", "photos_per_day"]})
        return [asked, limits, *([("So far", {"fields": self.told})] if obj else [])]

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        one_way = {"show_save_and_add_another": False, "show_save_and_continue": False}
        return super().add_view(request, form_url, one_way | (extra_context or {}))

    def has_change_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        return super().has_change_permission(request, obj) and not (obj and obj.revoked_at)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, key: Any, form: Any, change: bool) -> None:
        if not change:
            key.created_by, key.text = request.user, key.draw_secret()
        super().save_model(request, key, form, change)

    def response_add(
        self, request: HttpRequest, key: Any, post_url_continue: str | None = None
    ) -> HttpResponse:
        """The one page that shows it, not a redirect: what a redirect carries is kept somewhere."""
        shown = {"title": "The new key", "opts": self.opts, "key": key, "text": key.text}
        context = self.admin_site.each_context(request) | shown
        return TemplateResponse(request, "admin/verify/apikey/made.html", context)

    @admin.action(description="Revoke: refused from now on", permissions=["change"])
    def revoke(self, request: HttpRequest, keys: QuerySet[ApiKey]) -> None:
        ending = list(keys.filter(revoked_at=None))
        ApiKey.objects.filter(pk__in=[key.pk for key in ending]).update(revoked_at=timezone.now())
        log_change(request, ending, "Revoked.")
        self.message_user(request, f"{len(ending)} revoked. Nothing brings them back: make new ones.")

    @admin.display
    def state(self, key: ApiKey) -> SafeString:
        refused = key.refusal(timezone.now())
        words = "revoked" if key.revoked_at else "expired" if refused else "works"
        return format_html('<span class="badge {}">{}</span>', "refused" if refused else "settled", words)

    @admin.display(description="scopes")
    def may(self, key: ApiKey) -> str:
        return ", ".join(key.scopes)

    @admin.display(description="begins with", ordering="prefix")
    def starts_with(self, key: ApiKey) -> SafeString:
        return format_html("<code>{}…</code>", key.prefix)

    @admin.display(description="last used", ordering="last_used_at")
    def last_used(self, key: ApiKey) -> str:
        return day(key.last_used_at) if key.last_used_at else "never"

    @admin.display(description="photos today")
    def today(self, key: ApiKey) -> str:
        return f"{key.photos_today(timezone.now()):,} of {key.photos_per_day:,}"

    @admin.display(description="created", ordering="created_at")
    def created(self, key: ApiKey) -> str:
        return day(key.created_at)

    @admin.display(description="revoked")
    def revoked(self, key: ApiKey) -> str:
        return day(key.revoked_at)
