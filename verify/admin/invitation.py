"""Employees by the hundred: a CSV is checked, shown as what it would do, and then invited."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.models import ADDITION, LogEntry
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path

from verify import invitations
from verify.admin.curated import log_change
from verify.intake.people import MAX_BYTES, MAX_PEOPLE, Person, RosterRefused, as_csv, read_people
from verify.models import Employee

ROWS_SHOWN = 250


class RosterForm(forms.Form):
    """A file to look at or, from the page that shows it, its text to invite."""

    file = forms.FileField(required=False, label="CSV file")
    text = forms.CharField(required=False, strip=False, widget=forms.HiddenInput)

    def clean(self) -> dict[str, Any]:
        if not self.errors and not any(self.cleaned_data.values()):
            self.add_error("file", "Choose a CSV file first.")
        return self.cleaned_data

    def people(self) -> list[Person]:
        """Raises RosterRefused. Reads no more of the file than shows that it is too large."""
        file, text = self.cleaned_data.get("file"), self.cleaned_data.get("text", "")
        return read_people(file.read(MAX_BYTES + 1) if file else text.encode())


class InvitePageMixin:
    """For the list of employees: the page to invite, and the action to invite again."""

    change_list_template = "admin/verify/employee/change_list.html"

    def get_urls(self) -> list[URLPattern]:
        page = path("invite/", self.admin_site.admin_view(self.invite_page), name="verify_employee_invite")
        return [page, *super().get_urls()]

    def invite_page(self, request: HttpRequest) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = RosterForm(request.POST or None, request.FILES or None)
        shown: dict[str, Any] = {"form": form}
        if form.is_valid():
            try:
                people = form.people()
                if form.cleaned_data["text"]:
                    return self._invite(request, people)
                shown["plan"], shown["text"] = invitations.plan(people), as_csv(people)
            except RosterRefused as refused:
                shown["refusals"] = refused.refusals
        return TemplateResponse(request, "admin/verify/employee/invite.html", self._page(request) | shown)

    def _page(self, request: HttpRequest) -> dict[str, Any]:
        return {
            **self.admin_site.each_context(request),
            "title": "Invite colleagues",
            "opts": self.opts,
            "days": settings.PASSWORD_RESET_TIMEOUT // 86_400,
            "max_people": f"{MAX_PEOPLE:,}",
            "rows_shown": f":{ROWS_SHOWN}",
        }

    def _invite(self, request: HttpRequest, people: list[Person]) -> HttpResponse:
        done = invitations.invite(people)
        LogEntry.objects.log_actions(request.user.pk, done.employees, ADDITION, change_message="Invited.")
        messages.success(request, " ".join(done.in_words()))
        return redirect("admin:verify_employee_changelist")

    @admin.action(description="Send the invitation again", permissions=["change"])
    def invite_again(self, request: HttpRequest, employees: QuerySet[Employee]) -> None:
        waiting = list(invitations.waiting().exclude(email="").filter(pk__in=employees.values("pk")))
        invitations.send(employee.pk for employee in waiting)
        log_change(request, waiting, "Invited again.")
        self.message_user(request, f"{len(waiting)} invited again.")
        if others := employees.count() - len(waiting):
            reason = "They have set a password, have no e-mail address, or are deactivated."
            self.message_user(request, f"{others} not. {reason}", messages.WARNING)
