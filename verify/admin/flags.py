"""What colleagues say is not for the site, in lists and queues."""

from typing import Any

from django.contrib import admin
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest

from verify.models import Flag


def flagged(post: str = "post") -> Exists:
    """Whether somebody has flagged the post that ``post`` names outside."""
    return Exists(Flag.objects.filter(post=OuterRef(post)))


class FlaggedFilter(admin.SimpleListFilter):
    title = parameter_name = "flagged"
    post = "post"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        return [("yes", "Not for our site, says somebody")]

    def queryset(self, request: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any]:
        return rows.filter(flagged(self.post)) if self.value() == "yes" else rows


class FlaggedPostFilter(FlaggedFilter):
    post = "pk"
