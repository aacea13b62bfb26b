"""How the week is going: teams and people."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from verify import access
from verify import leaderboard as board

BOARD = 50  # rows; who looks is shown wherever they stand


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
