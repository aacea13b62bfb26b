"""A page per voter: how far the votes can be believed, and whether they count."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from verify import access, watch
from verify.admin.curated import day, log_change, typed
from verify.admin.figures import Cell, Figure, Row, interval, listed, percent
from verify.admin.record import Confusion, Record, density, record_of
from verify.models import Answer, Employee, Reliability

NOT_FITTED = "not fitted yet"


class VoterPageMixin:
    """For the list of employees: a page for each, what may be done there, and no deletion.

    Who leaves is deactivated: the votes stay and keep their author.
    """

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("<int:pk>/voter/", wrap(self.voter_page), name="verify_voter"),
            path("<int:pk>/mute/", wrap(require_POST(self.mute)), name="verify_voter_mute"),
            path("<int:pk>/unmute/", wrap(require_POST(self.unmute)), name="verify_voter_unmute"),
            path("<int:pk>/active/", wrap(require_POST(self.set_active)), name="verify_voter_active"),
            *super().get_urls(),
        ]

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        return [*super().get_list_display(request), "record"]

    def has_delete_permission(self, request: HttpRequest, obj: Employee | None = None) -> bool:
        return False

    @admin.display(description="as a voter")
    def record(self, employee: Employee) -> SafeString:
        return format_html('<a href="{}">record</a>', voter_url(employee.pk))

    def voter_page(self, request: HttpRequest, pk: int) -> HttpResponse:
        employee = _employee(request, pk)
        record = record_of(employee, timezone.now())
        context = {
            **self.admin_site.each_context(request),
            "title": str(employee),
            "opts": self.opts,
            "employee": employee,
            "record": record,
            "facts": facts(employee, record),
            "figures": figures(employee, record),
            "confusions": [confusion_row(employee, confusion) for confusion in record.confusions],
            "may_edit": self.has_change_permission(request, employee),
        }
        return TemplateResponse(request, "admin/verify/employee/voter.html", context)

    def mute(self, request: HttpRequest, pk: int) -> HttpResponse:
        employee = _employee(request, pk)
        reason = typed(request.POST, "reason")[:160] or "no reason given"
        if watch.mute(pk, f"By {request.user}: {reason}", timezone.now()):
            log_change(request, [employee], f"Muted: {reason}")
            messages.success(request, f"From now on {employee}’s votes weigh nothing.")
        else:
            messages.warning(request, f"{employee}’s votes weighed nothing already.")
        return redirect(voter_url(pk))

    def unmute(self, request: HttpRequest, pk: int) -> HttpResponse:
        employee = _employee(request, pk)
        if watch.unmute(pk, timezone.now()):
            log_change(request, [employee], "The votes count again.")
            messages.success(request, f"{employee}’s votes count again, those cast meanwhile too.")
        return redirect(voter_url(pk))

    def set_active(self, request: HttpRequest, pk: int) -> HttpResponse:
        employee = _employee(request, pk)
        if not self.has_change_permission(request, employee) or employee == request.user:
            raise PermissionDenied
        employee.is_active = request.POST.get("active") == "yes"
        employee.save(update_fields=["is_active"])
        done = "Activated" if employee.is_active else "Deactivated"
        log_change(request, [employee], f"{done}.")
        messages.success(request, f"{done}: {employee}.")
        return redirect(voter_url(pk))


def voter_url(pk: int) -> str:
    return reverse("admin:verify_voter", args=[pk])


def _employee(request: HttpRequest, pk: int) -> Employee:
    if not access.may_curate(request.user):
        raise PermissionDenied
    return get_object_or_404(Employee.objects.select_related("team", "reliability"), pk=pk)


def known_interval(row: Reliability) -> tuple[float, float]:
    """The 95% interval; before the first re-fit there is none but the estimate itself."""
    return (row.low, row.high) if row.fitted_at else (row.estimate, row.estimate)


def interval_in_words(row: Reliability) -> str:
    return interval(row.low, row.high) if row.fitted_at else NOT_FITTED


def how_sure(row: Reliability | None) -> str:
    return f"95%: {interval(row.low, row.high)}" if row and row.fitted_at else NOT_FITTED


def facts(employee: Employee, record: Record) -> list[tuple[str, Cell, str]]:
    """A name, a number with its link, and a remark."""
    tally, row, mine = record.tally, record.reliability, {"employee__id__exact": employee.pk}
    gold = listed("goldanswer", **mine)
    return [
        ("votes", Cell(f"{tally.votes:,}", listed("vote", **mine)), last_vote(record)),
        (
            "agree with the verdict",
            Cell(
                percent(tally.right / tally.judged) if tally.judged else "–",
                listed("vote", **mine, right__exact=1),
            ),
            f"{tally.right:,} of {tally.judged:,}",
        ),
        (
            "reliability",
            Cell(percent(row.estimate) if row else "–", listed("reliability", **mine)),
            f"mean {percent(row.mean)}; {how_sure(row)}" if row else NOT_FITTED,
        ),
        (
            "gold right",
            Cell(f"{row.gold_right} of {row.gold_seen}" if row else "–", gold),
            "cards whose answer was known",
        ),
        (
            "not counted",
            Cell(f"{tally.uncounted:,}", listed("vote", **mine, counted__exact=0)),
            "cast while muted",
        ),
    ]


def last_vote(record: Record) -> str:
    return f"the last on {day(record.tally.last_at)}" if record.tally.last_at else "none yet"


def figures(employee: Employee, record: Record) -> list[Figure]:
    return [posterior_figure(record.reliability), days_figure(employee, record)]


def posterior_figure(row: Reliability | None) -> Figure:
    return Figure(
        name="posterior",
        kind="density",
        title="How often right, as far as is known",
        sentence=f"Most likely {percent(row.estimate)}, on average {percent(row.mean)}; {how_sure(row)}."
        if row
        else "",
        headings=["right", "density"],
        rows=density_rows(row) if row else [],
        empty="The next re-fit at night says how far these votes can be believed.",
    )


def density_rows(row: Reliability) -> list[Row]:
    low, high = known_interval(row)
    marks = {"low": low, "high": high, "estimate": row.estimate}
    votes = listed("vote", employee__id__exact=row.pk)
    return [
        Row({"x": x, "y": y, **marks}, [Cell(percent(x)), Cell(f"{y:.2f}", votes)])
        for x, y in density(row.right, row.wrong)
    ]


def days_figure(employee: Employee, record: Record) -> Figure:
    rows = []
    for date, votes in record.days:
        url = listed("vote", employee__id__exact=employee.pk, created_at__date=date)
        rows.append(
            Row({"day": date, "count": votes, "href": url}, [Cell(f"{date:%-d %b}"), Cell(str(votes), url)])
        )
    return Figure(
        name="days",
        kind="days",
        title="Votes per day",
        headings=["day", "votes"],
        rows=rows,
        empty="No vote in the last eight weeks.",
    )


def confusion_row(employee: Employee, confusion: Confusion) -> dict[str, Any]:
    filters = {
        "employee__id__exact": employee.pk,
        "right__exact": 0,
        "answer__exact": confusion.said,
        "post__answer__exact": confusion.verdict,
    }
    if confusion.said_dress:
        filters["option__dress__id__exact"] = confusion.said_dress[0]
    if confusion.verdict_dress:
        filters["post__dress__id__exact"] = confusion.verdict_dress[0]
    return {
        "said": in_words(confusion.said, confusion.said_dress),
        "verdict": in_words(confusion.verdict, confusion.verdict_dress),
        "count": confusion.count,
        "url": listed("vote", **filters),
    }


def in_words(answer: str, dress: tuple[int, str] | None) -> str:
    return dress[1] if dress else str(Answer(answer).label)
