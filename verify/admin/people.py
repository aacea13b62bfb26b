from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from verify.admin.curated import CuratedAdmin, TitledAdmin
from verify.models import Employee, Team, Vote


@admin.register(Employee)
class EmployeeAdmin(TitledAdmin, UserAdmin):
    """Django's own permissions rule here, not `access.may_curate`: who can edit people can make admins."""

    list_display = ["username", "display_name", "team", "is_active", "is_staff", "vote_count", "last_login"]
    list_filter = ["team", "is_active", "is_staff"]
    list_select_related = ["team"]
    search_fields = ["username", "display_name", "first_name", "last_name", "email"]
    fieldsets = [
        (None, {"fields": ["username", "password"]}),
        ("Person", {"fields": ["display_name", "team", "first_name", "last_name", "email"]}),
        ("Rights", {"fields": ["is_active", "is_staff", "is_superuser"]}),
        ("Dates", {"fields": ["last_login", "date_joined"]}),
    ]
    add_fieldsets = [
        (None, {"fields": ["username", "display_name", "team", "usable_password", "password1", "password2"]})
    ]
    filter_horizontal: list[str] = []

    def get_queryset(self, request: HttpRequest) -> QuerySet[Employee]:
        votes = Vote.objects.filter(employee=OuterRef("pk")).order_by().values("employee")
        count = Coalesce(Subquery(votes.annotate(count=Count("pk")).values("count")), 0)
        return super().get_queryset(request).annotate(vote_count=count)

    @admin.display(description="votes", ordering="vote_count")
    def vote_count(self, employee: Any) -> int:
        return employee.vote_count


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
