"""The game: functions that return HTML."""

from collections.abc import Callable, Collection
from functools import wraps
from typing import Any

from django.conf import settings
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import HttpResponseClientRedirect

from verify import access, queue, record, second_thoughts
from verify.forms import AnswerForm, UndoForm
from verify.models import Batch, Employee, Flag, GoldAnswer, Vote

IN_HAND = 4  # the card on the screen and three loaded ahead
MILESTONES = {
    10: gettext_lazy("Ten today. Nice eye."),
    25: gettext_lazy("Twenty-five today. The shop thanks you."),
    50: gettext_lazy("Fifty today. You could name these in your sleep."),
    100: gettext_lazy("A hundred today. Have you had lunch?"),
}
View = Callable[..., HttpResponseBase]


def player_required(view: View) -> View:
    """Who was logged out meanwhile is sent to the log-in page and then to the game, not back to a POST."""

    @wraps(view)
    def guarded(request: HttpRequest, **path: Any) -> HttpResponseBase:
        if access.may_vote(request.user):
            return view(request, **path)
        if access.may_look(request.user):
            raise PermissionDenied
        login = reverse("login")
        return HttpResponseClientRedirect(login) if request.htmx else redirect(login)

    return guarded


@access.employee_required
@never_cache
@require_safe
def play(request: HttpRequest) -> HttpResponse:
    if not access.may_vote(request.user):
        return render(request, "portal/play.html", {"may_vote": False, **_numbers(request.user)})
    if request.htmx:  # a window whose answers another one has sent
        return _update(request, answered=True, undoable=_undoable(request))
    news = record.news(request.user)
    response = page(request, news=news, **_answered(request))
    if news:
        record.seen(request.user, timezone.now())
    return response


@require_POST
@player_required
def vote(request: HttpRequest) -> HttpResponse:
    form = AnswerForm(request.POST)
    if not form.is_valid():
        raise BadRequest("That is not an answer to a card.")
    employee, facts = request.user, form.cleaned_data
    try:
        if form.is_skip:
            queue.skip(employee, facts["lease"])
            return go_on(request, answered=True)
        cast = queue.vote(employee, facts["lease"], form.answer, form.dress, facts["viewed"])
    except queue.Refused as refusal:
        return refuse(request, refusal, answered=True)
    known = isinstance(cast, GoldAnswer)
    if not request.htmx:
        return redirect(f"{reverse('play')}?{'known' if known else 'cast'}={cast.pk}")
    said = {"feedback": cast} if known else {"cast": cast, "undoable": facts["lease"]}
    return go_on(request, answered=True, **said)


def _answered(request: HttpRequest) -> dict[str, Any]:
    """What there is to say about the answer that led to this page, for who has no script."""
    for name, key, answers in (("cast", "cast", Vote.objects), ("known", "feedback", GoldAnswer.objects)):
        pk = request.GET.get(name, "")
        if pk.isascii() and pk.isdigit() and len(pk) < 19:
            own = answers.filter(pk=pk, employee=request.user)
            return {key: own.select_related("post__dress", "post__photo").first()}
    return {}


@require_POST
@player_required
def undo(request: HttpRequest) -> HttpResponse:
    form = UndoForm(request.POST)
    if not form.is_valid():
        raise BadRequest("That is not a card.")
    try:
        lease = second_thoughts.undo(request.user, form.cleaned_data["lease"])
    except queue.Refused as refusal:
        return refuse(request, refusal, answered=True)
    said = "" if lease else _("Taken back. A colleague has that photo now.")
    return go_on(request, answered=True, said=said)


def _undoable(request: HttpRequest) -> int | None:
    return second_thoughts.undoable(request.user, timezone.now())


def page(request: HttpRequest, status: int = 200, **said: Any) -> HttpResponse:
    """The whole game, with something said."""
    table = {**_table(request.user, arriving=True), "streak": queue.streak(request.user)}
    table.update({"undoable": _undoable(request), **said})
    return render(request, "portal/play.html", table, status=status)


def go_on(request: HttpRequest, **said: Any) -> HttpResponse:
    """The next cards, and what there is to say about the last one."""
    return _update(request, **said) if request.htmx else redirect("play")


def refuse(request: HttpRequest, refusal: queue.Refused, **said: Any) -> HttpResponse:
    show = _update if request.htmx else page
    return show(request, status=409, said=str(refusal), refused=True, **said)


def _update(
    request: HttpRequest, status: int = 200, undoable: int | None = None, **said: Any
) -> HttpResponse:
    """The cards that the screen does not hold yet, and the numbers around them.

    Where a card was ``answered``, or its answer taken back, what was offered about the last one is replaced.
    """
    table = {**_table(request.user, request.POST.getlist("held")), "undoable": undoable, **said}
    if undoable:
        table.setdefault("said", MILESTONES.get(table["progress"].today))
    if table["progress"].today <= 1:  # later votes of a day leave the streak as it is
        table["streak"] = queue.streak(request.user)
    return render(request, "portal/play.html#update", table, status=status)


def _table(employee: Employee, held: Collection[str] = (), arriving: bool = False) -> dict[str, Any]:
    """What the game shows: the cards in hand that are not held yet, and how far the batch is."""
    on_screen = [int(pk) for pk in held if pk.isascii() and pk.isdigit() and len(pk) < 19]
    leases = queue.hand_out(employee, ahead=IN_HAND, arriving=arriving, held=on_screen)
    numbers = _numbers(employee)
    return {
        "may_vote": True,
        "leases": leases,
        "finale": "" if leases or on_screen else _finale(numbers["progress"]),
        "undo_seconds": int(settings.UNDO.total_seconds()),
        "flag_reasons": Flag.Reason.choices,
        **numbers,
    }


def _numbers(employee: Employee) -> dict[str, Any]:
    return {"progress": queue.progress(employee), "goal": settings.DAILY_GOAL}


def _finale(progress: queue.Progress) -> str:
    """Why there is no card: the name of what the page says instead."""
    if progress.total:
        return "settled" if progress.settled == progress.total else "waiting"
    return "between" if Batch.objects.exists() else "first"
