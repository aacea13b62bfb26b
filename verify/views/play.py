"""The game: functions that return HTML."""

from collections.abc import Callable, Collection
from functools import wraps
from typing import Any

from django.conf import settings
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import HttpResponseClientRedirect

from verify import access, queue
from verify.forms import AnswerForm
from verify.models import Batch, Employee, Vote

IN_HAND = 2  # the card on the screen and the one loaded ahead
MILESTONES = {
    10: "Ten today. Nice eye.",
    25: "Twenty-five today. The shop thanks you.",
    50: "Fifty today. You could name these in your sleep.",
    100: "A hundred today. Have you had lunch?",
}
View = Callable[..., HttpResponseBase]


def player_required(view: View) -> View:
    """Who was logged out meanwhile is sent to the log-in page and then to the game, not back to a POST."""

    @wraps(view)
    def guarded(request: HttpRequest) -> HttpResponseBase:
        if access.may_vote(request.user):
            return view(request)
        login = reverse("login")
        return HttpResponseClientRedirect(login) if request.htmx else redirect(login)

    return guarded


@access.employee_required
@never_cache
@require_safe
def play(request: HttpRequest) -> HttpResponse:
    return _page(request, undoable=_voted_just_now(request.user))


@require_POST
@player_required
def vote(request: HttpRequest) -> HttpResponse:
    form = AnswerForm(request.POST)
    if not form.is_valid():
        raise BadRequest("That is not an answer to a card.")
    employee, lease = request.user, form.cleaned_data["lease"]
    try:
        if form.is_skip:
            queue.skip(employee, lease)
        else:
            queue.vote(employee, lease, form.answer, form.option)
    except queue.Refused as refusal:
        return _refuse(request, refusal)
    return _go_on(request, undoable=True)


@require_POST
@player_required
def undo(request: HttpRequest) -> HttpResponse:
    try:
        lease = queue.undo(request.user)
    except queue.Refused as refusal:
        return _refuse(request, refusal)
    return _go_on(request, said="" if lease else "Taken back. A colleague has that photo now.")


def _page(request: HttpRequest, status: int = 200, **said: Any) -> HttpResponse:
    table = {**_table(request.user), "streak": queue.streak(request.user), **said}
    return render(request, "portal/play.html", table, status=status)


def _go_on(request: HttpRequest, **said: Any) -> HttpResponse:
    return _update(request, **said) if request.htmx else redirect("play")


def _refuse(request: HttpRequest, refusal: queue.Refused) -> HttpResponse:
    show = _update if request.htmx else _page
    return show(request, status=409, said=str(refusal), refused=True)


def _update(request: HttpRequest, status: int = 200, undoable: bool = False, **said: Any) -> HttpResponse:
    """The cards that the screen does not hold yet, and the numbers around them."""
    table = {**_table(request.user, request.POST.getlist("held")), "undoable": undoable, **said}
    if undoable:
        table.setdefault("said", MILESTONES.get(table["progress"].today))
    if table["progress"].today <= 1:  # later votes of a day leave the streak as it is
        table["streak"] = queue.streak(request.user)
    return render(request, "portal/play.html#update", table, status=status)


def _table(employee: Employee, held: Collection[str] = ()) -> dict[str, Any]:
    """What the game shows: the cards in hand that are not held yet, and how far the batch is."""
    leases = queue.hand_out(employee, ahead=IN_HAND)
    progress = queue.progress(employee)
    return {
        "leases": [lease for lease in leases if str(lease.pk) not in held],
        "finale": "" if leases else _finale(progress),
        "progress": progress,
        "undo_seconds": int(settings.UNDO.total_seconds()),
    }


def _finale(progress: queue.Progress) -> str:
    """Why there is no card: the name of what the page says instead."""
    if progress.total:
        return "settled" if progress.settled == progress.total else "waiting"
    return "between" if Batch.objects.exists() else "first"


def _voted_just_now(employee: Employee) -> bool:
    return Vote.objects.filter(employee=employee, created_at__gte=timezone.now() - settings.UNDO).exists()
