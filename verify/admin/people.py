from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.db.models import Count, Exists, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from verify import invitations, lockout
from verify.admin.curated import CuratedAdmin, TitledAdmin, log_change
from verify.admin.invitation import InvitePageMixin
from verify.admin.voter import VoterPageMixin
from verify.models import Employee, Team, Vote
from verify.views.accounts import AdminLoginForm


class AccountFilter(admin.SimpleListFilter):
    title = "account"
    parameter_name = "account"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        return [
            ("active", "Active"),
            ("invited", "Invited, not here yet"),
            ("locked", "Locked out"),
            ("read-only", "Read only"),
            ("deactivated", "Deactivated"),
        ]

    def queryset(self, request: HttpRequest, employees: QuerySet[Employee]) -> QuerySet[Employee]:
        chosen = {
            "active": lambda: employees.filter(is_active=True, is_invited=False),
            "invited": lambda: employees.filter(is_invited=True),
            "locked": lambda: employees.filter(is_locked=True),
            "read-only": lambda: employees.filter(read_only=True),
            "deactivated": lambda: employees.filter(is_active=False),
        }
        return chosen[self.value()]() if self.value() in chosen else employees


@admin.register(Employee)
class EmployeeAdmin(InvitePageMixin, VoterPageMixin, TitledAdmin, UserAdmin):
    """Django's own permissions rule here, not `access.may_curate`: who can edit people can make admins.

    Nobody is deleted: who leaves is deactivated, so that the votes keep their author.
    """

    list_display = [
        "username",
        "display_name",
        "email",
        "team",
        "account",
        "is_staff",
        "vote_count",
        "last_login",
    ]
    list_filter = [AccountFilter, "team", "is_staff"]
    list_select_related = ["team"]
    search_fields = ["username", "display_name", "first_name", "last_name", "email"]
    readonly_fields = ["trained", "last_login", "date_joined"]
    fieldsets = [
        (None, {"fields": ["username", "password"]}),
        ("Person", {"fields": ["display_name", "email", "team", "first_name", "last_name"]}),
        ("Game", {"fields": ["pseudonym", "on_boards", "read_only", "trained"]}),
        ("Rights", {"fields": ["is_active", "is_staff", "is_superuser"]}),
        ("Dates", {"fields": ["last_login", "date_joined"]}),
    ]
    add_fieldsets = [
        (
            None,
            {
                "fields": [
                    "username",
                    "display_name",
                    "email",
                    "team",
                    "usable_password",
                    "password1",
                    "password2",
                ]
            },
        )
    ]
    filter_horizontal: list[str] = []
    actions = ["deactivate", "reactivate", "invite_again", "unlock"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Employee]:
        votes = Vote.objects.filter(employee=OuterRef("pk")).order_by().values("employee")
        locked = lockout.locked_usernames().filter(username=OuterRef("username"))
        return (
            super()
            .get_queryset(request)
            .annotate(
                vote_count=Coalesce(Subquery(votes.annotate(count=Count("pk")).values("count")), 0),
                is_invited=Exists(invitations.waiting().filter(pk=OuterRef("pk"))),
                is_locked=Exists(locked),
            )
        )

    @admin.display(description="votes", ordering="vote_count")
    def vote_count(self, employee: Any) -> int:
        return employee.vote_count

    @admin.display
    def account(self, employee: Any) -> SafeString:
        states = {
            "deactivated": ("refused", not employee.is_active),
            "locked out": ("disputed", employee.is_locked),
            "invited": ("", employee.is_invited),
            "read only": ("", employee.read_only),
            "active": ("settled", True),
        }
        words, (colour, _) = next(state for state in states.items() if state[1][1])
        return format_html('<span class="badge {}">{}</span>', colour, words)

    @admin.action(description="Deactivate: logged out at once, votes stay", permissions=["change"])
    def deactivate(self, request: HttpRequest, employees: QuerySet[Employee]) -> None:
        leaving = list(employees.filter(is_active=True).exclude(pk=request.user.pk))
        Employee.objects.filter(pk__in=[employee.pk for employee in leaving]).update(is_active=False)
        log_change(request, leaving, "Deactivated.")
        self.message_user(request, f"{len(leaving)} deactivated: logged out, and their votes stay.")
        if employees.filter(pk=request.user.pk).exists():
            self.message_user(request, "You cannot deactivate yourself.", messages.WARNING)

    @admin.action(description="Reactivate", permissions=["change"])
    def reactivate(self, request: HttpRequest, employees: QuerySet[Employee]) -> None:
        returning = list(employees.filter(is_active=False))
        Employee.objects.filter(pk__in=[employee.pk for employee in returning]).update(is_active=True)
        log_change(request, returning, "Reactivated.")
        self.message_user(request, f"{len(returning)} reactivated, with the password they had.")

    @admin.action(description="Unlock: may try to log in again now", permissions=["change"])
    def unlock(self, request: HttpRequest, employees: QuerySet[Employee]) -> None:
        locked = list(employees.filter(is_locked=True))
        for employee in locked:
            lockout.unlock(employee)
        log_change(request, locked, "Unlocked.")
        self.message_user(request, f"{len(locked)} unlocked.")


@admin.register(Team)
class TeamAdmin(CuratedAdmin):
    list_display = ["name", "people"]
    search_fields = ["name"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Team]:
        return super().get_queryset(request).annotate(people=Count("employees"))

    @admin.display(ordering="people")
    def people(self, team: Any) -> SafeString:
        url = f"{reverse('admin:verify_employee_changelist')}?team__id__exact={team.pk}"
        return format_html('<a href="{}">{}</a>', url, team.people)


admin.site.login_form = AdminLoginForm
