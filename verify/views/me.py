"""The personal page: how good one's eye is, what became of one's votes, and one's own settings."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from verify import access, chart, record
from verify.models import Employee, Leave
from verify.preferences import LeaveForm, ProfileForm

LOOKS = 12  # on a page
UNPROCESSABLE = 422


@access.employee_required
@never_cache
@require_safe
def me(request: HttpRequest) -> HttpResponse:
    return _page(request)


@require_POST
@access.employee_required
def preferences(request: HttpRequest) -> HttpResponse:
    form = ProfileForm(request.POST, instance=Employee.objects.get(pk=request.user.pk))
    if not form.is_valid():
        return _page(request, profile_form=form, status=UNPROCESSABLE)
    form.save()
    messages.success(
        request, _("Saved: your colleagues see you as %(name)s.") % {"name": form.instance.public_name}
    )
    return redirect("me")


@require_POST
@access.employee_required
def leave_add(request: HttpRequest) -> HttpResponse:
    form = LeaveForm(request.POST, instance=Leave(employee=request.user))
    if not form.is_valid():
        return _page(request, leave_form=form, status=UNPROCESSABLE)
    form.save()
    messages.success(request, _("Noted. Your streak waits for you."))
    return redirect("me")


@require_POST
@access.employee_required
def leave_remove(request: HttpRequest, pk: int) -> HttpResponse:
    get_object_or_404(Leave, pk=pk, employee=request.user).delete()
    messages.success(request, _("Taken off your list."))
    return redirect("me")


def _page(request: HttpRequest, status: int = 200, **forms: Any) -> HttpResponse:
    employee, now = request.user, timezone.now()
    table = {**_figures(employee, now), **_collection(employee), **_settings(employee), **forms}
    looks = Paginator(record.looks(employee), LOOKS).get_page(request.GET.get("looks"))
    return render(request, "portal/me.html", {**table, "looks": looks}, status=status)


def _figures(employee: Employee, now: datetime) -> dict[str, Any]:
    days = record.history(employee, timezone.localdate(now))
    accuracy = record.accuracy(employee)
    voted_days = [day for day in reversed(days) if day.votes]
    return {
        "accuracy": accuracy,
        "strip": chart.strip(accuracy),
        "streak": record.streak(employee, now),
        "days": days,
        "voted_days": voted_days,
        "chart": chart.bars(days),
        "daily_goal": settings.DAILY_GOAL,
        "has_answered": bool(voted_days or accuracy.seen or record.has_answered(employee)),
    }


def _collection(employee: Employee) -> dict[str, Any]:
    labels = record.labels(employee)
    return {
        "earned": [label for label in labels if label.earned_at],
        "to_earn": [label for label in labels if not label.earned_at],
    }


def _settings(employee: Employee) -> dict[str, Any]:
    return {
        "leaves": employee.leaves.all(),
        "profile_form": ProfileForm(instance=employee),
        "leave_form": LeaveForm(instance=Leave(employee=employee)),
    }
