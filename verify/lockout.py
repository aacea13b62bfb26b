"""The pause after too many wrong passwords: whom it concerns, what they see, how an admin lifts it.

django-axes counts failures by user name and address, in the database; nothing is asked of ordinary requests.
"""

import ipaddress
from datetime import datetime, timedelta
from math import ceil

from axes.models import AccessAttempt
from axes.utils import reset
from django.conf import settings
from django.db.models import Max, QuerySet, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from rest_framework.throttling import BaseThrottle

from verify.models import Employee


def client_address(request: HttpRequest) -> str | None:
    """The visitor's address as the nearest trusted proxy saw it; headers are believed no further."""
    for address in (BaseThrottle().get_ident(request), request.META.get("REMOTE_ADDR")):
        try:
            return str(ipaddress.ip_address(address))
        except ValueError:
            continue
    return None


def locked_out(request: HttpRequest, response: HttpResponse, credentials: dict[str, str]) -> HttpResponse:
    """The page instead of the log-in page, with the time of the next try."""
    attempts = _recent().filter(username=credentials["username"], ip_address=request.axes_ip_address)
    last = attempts.aggregate(at=Max("attempt_time"))["at"] or timezone.now()  # unlocked this very moment
    again_at = last + settings.AXES_COOLOFF_TIME
    wait: timedelta = max(again_at - timezone.now(), timedelta(seconds=1))
    context = {"again_at": again_at, "minutes": ceil(wait / timedelta(minutes=1))}
    page = render(request, "registration/locked_out.html", context, status=429)
    page["Retry-After"] = str(ceil(wait.total_seconds()))
    return page


def locked_usernames(now: datetime | None = None) -> QuerySet[AccessAttempt]:
    """User names that have to wait, at one address at least; to be used as a subquery."""
    failures = _recent(now).order_by().values("username", "ip_address")
    too_many = failures.annotate(count=Sum("failures_since_start"))
    return too_many.filter(count__gte=settings.AXES_FAILURE_LIMIT).values("username")


def unlock(employee: Employee) -> None:
    reset(username=employee.username)


def _recent(now: datetime | None = None) -> QuerySet[AccessAttempt]:
    return AccessAttempt.objects.filter(
        attempt_time__gte=(now or timezone.now()) - settings.AXES_COOLOFF_TIME
    )
