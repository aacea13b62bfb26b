"""Who looked at how many photos this week."""

from datetime import datetime, timedelta

from django.db.models import Count, Q
from django.utils import timezone

from verify import scoring
from verify.models import Employee, Team


def monday(now: datetime) -> datetime:
    """The start of the week that ``now`` falls in, local time."""
    today = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    return today - timedelta(days=today.weekday())


def people(since: datetime) -> list[Employee]:
    """Active employees who voted, in order, each with its ``place`` (score: votes since then)."""
    votes = Count("votes", filter=Q(votes__created_at__gte=since))
    employees = Employee.objects.filter(is_active=True).select_related("team").annotate(score=votes)
    voters = {employee.username: employee for employee in employees.filter(score__gt=0)}
    places = scoring.leaderboard({username: voter.score for username, voter in voters.items()})
    for place in places:
        voters[place.name].place = place
    return [voters[place.name] for place in places]


def teams(voters: list[Employee]) -> list[Team]:
    """Their teams with ``active`` members and the ``mean`` of their votes, highest mean first."""
    members: dict[Team, list[int]] = {}
    for voter in voters:
        if voter.team:
            members.setdefault(voter.team, []).append(voter.place.score)
    for team, votes in members.items():
        team.active, team.mean = len(votes), sum(votes) / len(votes)
    return sorted(members, key=lambda team: (-team.mean, team.name))
