"""How the week is going: teams, and one's own neighbourhood."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from verify import access
from verify import leaderboard as board


@access.employee_required
@require_safe
def leaderboard(request: HttpRequest) -> HttpResponse:
    since = board.monday(timezone.now())
    members = board.members(since, request.user)
    table = {
        "since": since,
        "teams": board.teams(members),
        "near": board.neighbourhood(members, request.user),
        "is_empty": not members,
        "least_active": board.LEAST_ACTIVE,
    }
    return render(request, "portal/leaderboard.html", table)
