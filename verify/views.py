"""The portal: functions that return HTML, and the address of every photo."""

from collections.abc import Callable, Collection
from functools import wraps
from pathlib import PurePath
from typing import Any

from django.conf import settings
from django.contrib.auth import views as auth
from django.core.exceptions import BadRequest
from django.db.models.fields.files import FieldFile
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import get_conditional_response, patch_cache_control
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import HttpResponseClientRedirect

from verify import access, queue
from verify import leaderboard as board
from verify.forms import AnswerForm
from verify.models import Batch, Employee, Photo, Vote

BOARD = 50  # rows; who looks is shown wherever they stand
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


@access.employee_required
@require_safe
def leaderboard(request: HttpRequest) -> HttpResponse:
    since = board.monday(timezone.now())
    people = board.people(since)
    table = {
        "since": since,
        "people": [person for row, person in enumerate(people) if row < BOARD or person == request.user],
        "teams": board.teams(people),
        "voters": len(people),
        "votes": sum(person.place.score for person in people),
        "own_is_missing": request.user not in people,
    }
    return render(request, "portal/leaderboard.html", table)


class LoginView(auth.LoginView):
    redirect_authenticated_user = True

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(demo=_demo_account(), **kwargs)


def _demo_account() -> dict[str, str] | None:
    """The first employee's log-in that the demo wrote down, where this is a demo."""
    path = settings.VAR / "demo-accounts.txt"
    if settings.PRODUCTION or not path.exists():
        return None
    lines = (line.split() for line in path.read_text().splitlines())
    for role, username, password in (line for line in lines if len(line) == 3):
        if role == "employee":
            return {"username": username, "password": password}
    return None


@require_safe
def photo(request: HttpRequest, token: str, size: str) -> HttpResponseBase:
    """A copy of a photo, for who may see it; for anybody else there is no such address."""
    if size not in ("large", "small"):
        raise Http404
    shown = get_object_or_404(Photo.objects.with_publicity(), token=token)
    if not (shown.is_public or access.may_see(request.user, shown)):
        raise Http404
    if settings.MEDIA_BUCKET:
        response: HttpResponseBase = redirect(_file(shown, size).url)
        patch_cache_control(response, private=True, max_age=300)  # well under the signature's life
        return response
    etag = f'"{token}-{size}"'
    response = get_conditional_response(request, etag=etag) or _copy(_file(shown, size))
    response["ETag"] = etag
    if shown.is_public:  # short, for it may be revoked
        patch_cache_control(response, public=True, max_age=600)
    else:
        patch_cache_control(response, private=True, max_age=86400, immutable=True)
    return response


def _file(shown: Photo, size: str) -> FieldFile:
    return shown.large if size == "large" else shown.small


def _copy(stored: FieldFile) -> FileResponse:
    try:
        return FileResponse(stored.open("rb"), filename=PurePath(stored.name).name)
    except FileNotFoundError as missing:
        raise Http404 from missing
