"""Where admins delete: requests from outside, all of a person, and whom the shop blocks."""

from tempfile import TemporaryFile
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, QuerySet
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django_q.tasks import async_task

from verify import access, forgetting, identities, opt_outs, person_file
from verify.admin.curated import CuratedAdmin, day, log_change
from verify.api import web_address
from verify.forgetting import Person, Report
from verify.models import OptOut, Tombstone

SHOWN = 24  # posts of a person


class PersonForm(forms.Form):
    handle = forms.CharField(label="User name", max_length=120, required=False)
    permalink = forms.CharField(label="Address of a post", max_length=500, required=False)
    media_id = forms.CharField(label="Id of a medium", max_length=120, required=False)
    email = forms.EmailField(label="E-mail of a reviewer", max_length=254, required=False)

    @property
    def person(self) -> Person:
        return Person(**{name: self.cleaned_data[name].replace("\0", "") for name in self.fields})


class PersonPage:
    """For the list of posts: all that is known of a person, to be handed over or deleted."""

    def get_urls(self) -> list[URLPattern]:
        person = self.admin_site.admin_view(self.person)
        return [path("person/", person, name="verify_person"), *super().get_urls()]

    def person(self, request: HttpRequest) -> HttpResponseBase:
        if not access.may_curate(request.user):
            raise PermissionDenied
        form = PersonForm(request.POST or request.GET or None)
        person = form.person if form.is_bound and form.is_valid() else Person()
        report = None
        if request.method == "POST" and person.is_named:
            deed = request.POST.get("deed")
            if deed == "export":
                return handed_over(person)
            if deed == "forget" and "sure" in request.POST:
                report = forgetting.forget(person, block="block" in request.POST)
                tell(request, report)
            else:
                messages.warning(request, "Tick that you are sure: nothing brings it back.")
        posts = person.posts().select_related("photo").order_by("-posted_at")
        context = {
            **self.admin_site.each_context(request),
            "title": "All of a person",
            "opts": self.opts,
            "form": form,
            "named": person.is_named,
            "posts": posts[:SHOWN],
            "count": posts.count(),
            "opt_outs": person.opt_outs().count(),
            "report": report,
            "windows": Report.windows(),
        }
        return TemplateResponse(request, "admin/verify/post/person.html", context)


def handed_over(person: Person) -> FileResponse:
    file = TemporaryFile()  # noqa: SIM115 -- the response closes it
    person_file.write(person, file)
    file.seek(0)
    return FileResponse(file, as_attachment=True, filename="person.zip")


def tell(request: HttpRequest, report: Report) -> None:
    messages.success(request, f"Deleted: {'; '.join(report.lines()) or 'nothing, for nothing was there'}.")


@admin.register(OptOut)
class OptOutAdmin(CuratedAdmin):
    """Requests from outside: the open ones first."""

    list_display = ["asked", "about", "handle", "email", "hides", "found", "outcome", "closed_by"]
    list_display_links = ["asked"]
    list_filter = ["outcome"]
    search_fields = ["handle", "email", "permalink"]
    list_select_related = ["closed_by"]
    fields = [
        "asked",
        "about",
        "handle",
        "email",
        "words",
        "hides",
        "found",
        "outcome",
        "closed_by",
        "closed_at",
    ]
    readonly_fields = fields
    actions = ["erase", "keep"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: OptOut | None = None) -> bool:
        return False  # closed ones go by themselves

    def get_queryset(self, request: HttpRequest) -> QuerySet[OptOut]:
        return super().get_queryset(request).annotate(hidden_count=Count("hidden"))

    @admin.display(ordering="created_at")
    def asked(self, row: OptOut) -> str:
        return day(row.created_at)

    @admin.display(description="address")
    def about(self, row: OptOut) -> SafeString | str:
        if link := web_address(row.permalink):
            return format_html('<a href="{}" rel="noopener noreferrer" target="_blank">{}</a>', link, link)
        return row.permalink or "–"

    @admin.display(description="hidden at once")
    def hides(self, row: Any) -> int:
        return row.hidden_count

    @admin.display(description="posts named")
    def found(self, row: OptOut) -> int:
        return opt_outs.named_by(row).count()

    @admin.action(description="Delete what they name, for good", permissions=["change"])
    def erase(self, request: HttpRequest, rows: QuerySet[OptOut]) -> None:
        for row in list(rows.filter(closed_at=None)):
            tell(request, opt_outs.grant(row, request.user, timezone.now()))
            log_change(request, [row], "Deleted what it names.")

    @admin.action(description="Not theirs: show again what was hidden", permissions=["change"])
    def keep(self, request: HttpRequest, rows: QuerySet[OptOut]) -> None:
        for row in list(rows.filter(closed_at=None)):
            back = opt_outs.reject(row, request.user, timezone.now())
            log_change(request, [row], "Not theirs.")
            self.message_user(request, f"{row}: closed; {back} posts are shown again.")


class BlockForm(forms.ModelForm):
    handle = forms.CharField(max_length=120, label="User name", help_text="All of their posts are deleted.")

    class Meta:
        model = Tombstone
        fields: list[str] = []

    def clean_handle(self) -> str:
        if not (key := identities.handle_key(self.cleaned_data["handle"])):
            raise forms.ValidationError("That is no user name.")
        return key


@admin.register(Tombstone)
class TombstoneAdmin(CuratedAdmin):
    """What is not taken in again. To add one is to block somebody; to delete one lets it in again."""

    form = BlockForm
    list_display = ["__str__", "kind", "reason", "when"]
    list_filter = ["kind", "reason"]
    search_fields = ["label"]
    fields = ["kind", "label", "reason", "when"]
    readonly_fields = ["kind", "label", "reason", "when"]

    def get_fields(self, request: HttpRequest, obj: Tombstone | None = None) -> list[str]:
        return ["kind", "label", "reason", "when"] if obj else ["handle"]

    def has_change_permission(self, request: HttpRequest, obj: Tombstone | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, stone: Tombstone, form: BlockForm, change: bool) -> None:
        """The stone itself is made where the rule is."""
        hidden = forgetting.block(form.cleaned_data["handle"], timezone.now())
        stored = Tombstone.objects.of_handle(form.cleaned_data["handle"])
        stone.pk, stone.kind, stone.digest = stored.pk, stored.kind, stored.digest
        async_task("verify.tasks.erase_due")
        self.message_user(request, f"{hidden} posts are hidden, and deleted within minutes.")

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        """Without their names: who asks to be forgotten later is not to be found in the log."""
        nameless = [Tombstone(pk=stone.pk, kind=stone.kind, digest=stone.digest) for stone in queryset]
        return super().log_deletions(request, nameless)

    @admin.display(ordering="at")
    def when(self, stone: Tombstone) -> str:
        return day(stone.at)

    def response_add(self, request: HttpRequest, obj: Tombstone, *args: Any, **kwargs: Any) -> HttpResponse:
        return redirect(reverse("admin:verify_tombstone_changelist"))
