"""Where posts come from: sources with their schedules, what came of each, and the access to Instagram."""

from datetime import datetime
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timeuntil
from django_q.tasks import async_task

from verify import access
from verify.admin.curated import CuratedAdmin, ReadOnlyAdmin, TitledAdmin, day, log_change
from verify.intake.instagram import token
from verify.intake.instagram.client import Granted
from verify.models import Hashtag, InstagramAccount, Mention, RefusedMedia, Source
from verify.models.instagram import HASHTAGS_IN_WINDOW, WINDOW


class SourceForm(forms.ModelForm):
    tag = forms.CharField(
        label="Hashtag",
        max_length=101,
        required=False,
        help_text="Of a hashtag’s sources: its name. Instagram answers about thirty in seven days.",
    )

    class Meta:
        model = Source
        fields = ["kind", "file", "rights", "every_minutes", "enabled"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.hashtag_id and "tag" in self.fields:
            self.initial.setdefault("tag", self.instance.hashtag.name)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if name := cleaned.get("tag", "").strip().lstrip("#").lower():
            try:
                Hashtag(name=name).full_clean(validate_unique=False)
            except forms.ValidationError as error:
                self.add_error("tag", error.message_dict.get("name", ["Expected a hashtag."]))
                return cleaned
        if cleaned.get("kind") in Source.OF_A_HASHTAG and not name:
            self.add_error("tag", "Which hashtag?")
        elif cleaned.get("kind") in Source.OF_A_HASHTAG:
            self.instance.hashtag = Hashtag.objects.get_or_create(name=name)[0]
        else:
            self.instance.hashtag = None
        same = Source.objects.filter(kind=cleaned.get("kind"), hashtag=self.instance.hashtag)
        file = cleaned.get("file", "") if cleaned.get("kind") in Source.OF_A_FILE else ""
        if not self.errors and same.filter(file=file).exclude(pk=self.instance.pk).exists():
            raise forms.ValidationError("There is such a source already.")
        return cleaned


@admin.register(Source)
class SourceAdmin(CuratedAdmin):
    form = SourceForm
    list_display = ["named", "status", "next_run", "every", "listed", "came", "refused_count", "reaches"]
    list_filter = ["kind", "enabled"]
    list_select_related = ["hashtag"]
    search_fields = ["hashtag__name", "file"]
    asked = ["kind", "tag", "file", "rights", "every_minutes", "enabled"]
    told = [
        *("status", "reaches", "next_run", "last_run", "read_to_its_end", "place"),
        *("listed", "came", "refused_count", "last_error", "error_at"),
    ]
    readonly_fields = told
    actions = ["run_now", "enable", "disable"]
    change_list_template = "admin/verify/source/change_list.html"

    def get_fieldsets(self, request: HttpRequest, obj: Source | None = None) -> list[tuple[str | None, Any]]:
        so_far = [("So far", {"fields": self.told})] if obj else []
        return [(None, {"fields": self.asked}), *so_far]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Source]:
        return super().get_queryset(request).annotate(refusals=Count("refused"))

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        now = timezone.now()
        shown = {"hashtags": places(now), "instagram": access_in_words(now)}
        return super().changelist_view(request, shown | (extra_context or {}))

    def get_deleted_objects(self, sources: Any, request: HttpRequest) -> tuple[Any, Any, set[str], Any]:
        """Who may delete a source may delete what was refused with it, though not that alone."""
        rows, counts, _, protected = super().get_deleted_objects(sources, request)
        return rows, counts, set(), protected

    @admin.action(description="Read now", permissions=["change"])
    def run_now(self, request: HttpRequest, sources: QuerySet[Source]) -> None:
        chosen = list(sources.filter(enabled=True))
        Source.objects.filter(pk__in=[row.pk for row in chosen]).update(next_run_at=timezone.now())
        log_change(request, chosen, "To be read now.")
        async_task("verify.tasks.read_sources")
        self.message_user(request, f"{len(chosen)} to be read by the worker, one after the other.")

    @admin.action(description="Switch on", permissions=["change"])
    def enable(self, request: HttpRequest, sources: QuerySet[Source]) -> None:
        self._switch(request, sources, True)

    @admin.action(description="Switch off", permissions=["change"])
    def disable(self, request: HttpRequest, sources: QuerySet[Source]) -> None:
        self._switch(request, sources, False)

    def _switch(self, request: HttpRequest, sources: QuerySet[Source], on: bool) -> None:
        switched = list(sources.exclude(enabled=on))
        Source.objects.filter(pk__in=[row.pk for row in switched]).update(enabled=on)
        log_change(request, switched, "Switched on." if on else "Switched off.")
        self.message_user(request, f"{len(switched)} switched {'on' if on else 'off'}.")

    @admin.display(description="source", ordering="kind")
    def named(self, source: Source) -> str:
        return str(source)

    @admin.display(description="state")
    def status(self, source: Source) -> SafeString:
        colour, words = state_of(source, timezone.now())
        trouble = source.last_error if source.failures else ""
        return format_html('<span class="badge {}">{}</span> <small>{}</small>', colour, words, trouble)

    @admin.display(description="next", ordering="next_run_at")
    def next_run(self, source: Source) -> str:
        now = timezone.now()
        if not source.enabled:
            return "–"
        if source.next_run_at <= now:
            return "now"
        return f"in {timeuntil(source.next_run_at, now)}"

    @admin.display(ordering="every_minutes")
    def every(self, source: Source) -> str:
        hours, minutes = divmod(source.every_minutes, 60)
        return f"{hours} h" if not minutes else f"{source.every_minutes} min"

    @admin.display(description="seen", ordering="seen")
    def listed(self, source: Source) -> str:
        return f"{source.seen:,}"

    @admin.display(description="new", ordering="new")
    def came(self, source: Source) -> str:
        return f"{source.new:,}"

    @admin.display(description="refused", ordering="refusals")
    def refused_count(self, source: Any) -> SafeString:
        url = f"{reverse('admin:verify_refusedmedia_changelist')}?source__id__exact={source.pk}"
        return format_html('<a href="{}">{}</a>', url, f"{source.refusals:,}")

    @admin.display(description="reaches back to")
    def reaches(self, source: Source) -> str:
        return source.reach

    @admin.display(description="begun last")
    def last_run(self, source: Source) -> str:
        return day(source.last_run_at)

    @admin.display(description="read to its end")
    def read_to_its_end(self, source: Source) -> str:
        return day(source.read_at)

    @admin.display(description="stands at")
    def place(self, source: Source) -> str:
        return f"page {source.pages + 1:,}" if source.pages else "the beginning"

    @admin.display(description="when")
    def error_at(self, source: Source) -> str:
        return day(source.last_error_at)


def state_of(source: Source, now: datetime) -> tuple[str, str]:
    """A colour and a word."""
    if not source.enabled:
        return "", "off"
    if source.claimed_until and source.claimed_until > now:
        return "settled", "being read"
    if source.failures:
        return "refused", "failed"
    return ("settled", "waits for its turn") if source.next_run_at <= now else ("settled", "well")


def places(now: datetime) -> str:
    taken = Hashtag.objects.in_window(now).count()
    return f"{taken} of {HASHTAGS_IN_WINDOW} hashtags in {WINDOW.days} days"


def access_in_words(now: datetime) -> str:
    """How it stands between Instagram and us, in a line; empty where nobody has asked for it."""
    account = InstagramAccount.load()
    if not token.is_set_up():
        return "Not connected: an account and a token are missing. Sources of Instagram wait."
    if account.stopped_at:
        return f"Stopped: {account.stopped_because}."
    if account.waits(now):
        return (
            f"We have asked too much: Instagram is asked nothing for {timeuntil(account.waits_until, now)}."
        )
    ends = f"The token ends in {timeuntil(account.expires_at, now)}. " if account.expires_at else ""
    return f"Connected. {ends}{account.usage:.0f}% of the limit used."


class AccountForm(forms.ModelForm):
    new_token = forms.CharField(
        required=False,
        strip=True,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text="A user access token of the connected account. Stored encrypted, and never shown.",
    )

    class Meta:
        model = InstagramAccount
        fields: list[str] = []


@admin.register(InstagramAccount)
class InstagramAccountAdmin(TitledAdmin):
    """Everybody who curates may see how it stands; a token is entered by who may connect accounts."""

    form = AccountForm
    list_display = ["__str__", "stands", "ends"]
    fields = ["stands", "number", "ends", "obtained", "new_token"]
    readonly_fields = ["stands", "number", "ends", "obtained"]
    actions = ["go_on"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[InstagramAccount]:
        InstagramAccount.load()
        return super().get_queryset(request)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return access.may_curate(request.user)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return access.may_curate(request.user)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return access.may_connect(request.user)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return self.fields if self.has_change_permission(request, obj) else self.readonly_fields

    def save_model(self, request: HttpRequest, account: Any, form: Any, change: bool) -> None:
        if entered := form.cleaned_data.get("new_token"):
            token.keep(Granted(entered, None), timezone.now())

    @admin.action(description="Ask Instagram again", permissions=["change"])
    def go_on(self, request: HttpRequest, accounts: QuerySet[InstagramAccount]) -> None:
        for account in accounts:
            account.go_on()
        log_change(request, list(accounts), "Asked again.")
        self.message_user(request, "The sources that are due are read with the next minute.")

    @admin.display(description="state")
    def stands(self, account: InstagramAccount) -> str:
        return access_in_words(timezone.now())

    @admin.display(description="account")
    def number(self, account: InstagramAccount) -> str:
        return settings.INSTAGRAM_USER or "– (set DRESSPORTAL_INSTAGRAM_USER)"

    @admin.display(description="the token ends")
    def ends(self, account: InstagramAccount) -> str:
        return day(account.expires_at) + (
            "" if account.end_stated or not account.expires_at else " at the latest"
        )

    @admin.display(description="obtained")
    def obtained(self, account: InstagramAccount) -> str:
        return day(account.obtained_at)


@admin.register(Hashtag)
class HashtagAdmin(ReadOnlyAdmin):
    list_display = ["__str__", "in_window", "since", "graph_id"]
    search_fields = ["name"]
    fields = ["name", "graph_id", "in_window", "since"]

    @admin.display(description="takes a place", boolean=True)
    def in_window(self, hashtag: Hashtag) -> bool:
        return hashtag.counts(timezone.now())

    @admin.display(description="asked for since", ordering="asked_since")
    def since(self, hashtag: Hashtag) -> str:
        return day(hashtag.asked_since)


@admin.register(Mention)
class MentionAdmin(ReadOnlyAdmin):
    list_display = ["__str__", "received", "done", "trouble"]
    fields = ["media_id", "comment_id", "received", "done", "trouble"]

    @admin.display(ordering="received_at")
    def received(self, mention: Mention) -> str:
        return day(mention.received_at)

    @admin.display(description="read", ordering="done_at")
    def done(self, mention: Mention) -> str:
        return day(mention.done_at)


@admin.register(RefusedMedia)
class RefusedMediaAdmin(ReadOnlyAdmin):
    list_display = ["external_id", "reason", "source", "attempts", "last"]
    list_filter = ["source__kind"]
    list_select_related = ["source__hashtag"]
    search_fields = ["external_id", "reason"]
    fields = ["external_id", "source", "reason", "attempts", "last"]

    @admin.display(description="last tried", ordering="last_at")
    def last(self, row: RefusedMedia) -> str:
        return day(row.last_at)
