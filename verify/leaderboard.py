"""The week's boards: teams by the mean of their people, and everybody's own neighbourhood.

Who opted out of the boards is in neither. Nothing here is ranked by how much somebody did.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Case, Count, Exists, Model, OuterRef, Q, QuerySet, Subquery, Sum, Value, When
from django.db.models.functions import Coalesce, JSONObject
from django.utils import timezone

from verify import scoring
from verify.models import Employee, GoldAnswer, Reliability, Team, Vote

LEAST_ACTIVE = 2  # of one person the mean would be that person's own figure


def monday(now: datetime) -> datetime:
    """The start of the week that ``now`` falls in, local time."""
    today = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    return today - timedelta(days=today.weekday())


def members(since: datetime, viewer: Employee | None = None) -> list[Employee]:
    """Who has a place on the boards: answers confirmed since then, and no wish to be left out.

    Each with ``points`` and ``answers``, the number of answers that could earn some; by public name. A
    ``viewer`` who is muted keeps a place on the boards that they see, and on no others: they notice nothing.
    """
    votes = Vote.objects.filter(_shown_to(viewer), confirmed_at__gte=since)
    gold = GoldAnswer.objects.filter(_shown_to(viewer), created_at__gte=since, training=False)
    visible = Employee.objects.filter(is_active=True, on_boards=True).select_related("team")
    everybody = list(visible.annotate(of_votes=_earned(votes), of_gold=_earned(gold)))
    for member in everybody:
        earned = [figures for figures in (member.of_votes, member.of_gold) if figures]
        member.points = sum(figures["points"] for figures in earned)
        member.answers = sum(figures["answers"] for figures in earned)
    active = [member for member in everybody if member.answers]
    return sorted(active, key=lambda member: (member.public_name.casefold(), member.pk))


def _earned(answers: QuerySet[Model]) -> Subquery:
    """Points and number of each employee's answers, found along the index by employee; null without any."""
    own = answers.filter(employee=OuterRef("pk")).order_by().values("employee")
    points = Sum(Coalesce("points", Case(When(right=True, then=scoring.RIGHT), default=Value(0))))
    return Subquery(own.values(figures=JSONObject(points=points, answers=Count("pk"))))


def _shown_to(viewer: Employee | None) -> Q:
    """The answers that are worth points, or would seem to be."""
    is_muted = Exists(Reliability.objects.muted().filter(employee=viewer))
    return Q(points__isnull=False) | Q(is_muted, employee=viewer)


@dataclass(frozen=True)
class TeamRow:
    """``mean`` and ``rank`` are None where so few were active that they would give somebody away."""

    team: Team
    active: int
    mean: float | None = None
    rank: int | None = None


def teams(members: list[Employee]) -> list[TeamRow]:
    """Their teams by mean points of an active member, highest first; those without a mean last."""
    of_team: dict[int, list[Employee]] = defaultdict(list)
    for member in sorted(members, key=lambda member: member.team.name if member.team else ""):
        if member.team:
            of_team[member.team.pk].append(member)
    tenths = {
        pk: round(10 * sum(member.points for member in active) / len(active))
        for pk, active in of_team.items()
        if len(active) >= LEAST_ACTIVE
    }
    ranked = {place.key: (place.score / 10, place.rank) for place in scoring.places(tenths)}
    hidden = [pk for pk in of_team if pk not in ranked]
    return [TeamRow(of_team[pk][0].team, len(of_team[pk]), *ranked.get(pk, ())) for pk in [*ranked, *hidden]]


def neighbourhood(members: list[Employee], employee: Employee) -> list[Employee]:
    """This person and the three on either side by the quality of their answers, each with a ``place``.

    Empty for who has no place on the boards.
    """
    by_pk = {member.pk: member for member in members}
    answers = sum(member.answers for member in members)
    mean = sum(member.points for member in members) / answers if answers else 0.0
    scores = {member.pk: scoring.score(member.points, member.answers, mean) for member in members}
    near = scoring.neighbourhood(scoring.places(scores), employee.pk)
    for place in near:
        by_pk[place.key].place = place
    return [by_pk[place.key] for place in near]
