"""What is known about a voter, as plain values."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import exp, lgamma, log, log1p
from typing import Any, NamedTuple

from django.db.models import Count, F, Max, Q
from django.db.models.functions import TruncDate
from django.utils import timezone

from verify.models import Employee, Reliability, Vote

DAYS = 56
CONFUSIONS = 10
POINTS = 200


class Tally(NamedTuple):
    votes: int
    uncounted: int  # cast while muted
    judged: int  # on posts that have a verdict
    right: int  # of these, as the verdict
    last_at: datetime | None


class Confusion(NamedTuple):
    """What somebody said where the verdict was another, and how often. A dress is its pk and title."""

    said: str
    said_dress: tuple[int, str] | None
    verdict: str
    verdict_dress: tuple[int, str] | None
    count: int


@dataclass(frozen=True)
class Record:
    reliability: Reliability | None
    tally: Tally
    days: list[tuple[date, int]]  # with votes, oldest first
    confusions: list[Confusion]  # commonest first


def record_of(employee: Employee, now: datetime) -> Record:
    return Record(
        reliability=Reliability.objects.filter(pk=employee.pk).first(),
        tally=_tally(employee),
        days=_days(employee, now),
        confusions=_confusions(employee),
    )


def _tally(employee: Employee) -> Tally:
    counts: dict[str, Any] = employee.votes.aggregate(
        votes=Count("pk"),
        uncounted=Count("pk", filter=Q(counted=False)),
        judged=Count("pk", filter=Q(right__isnull=False)),
        right=Count("pk", filter=Q(right=True)),
        last_at=Max("created_at"),
    )
    return Tally(**counts)


def _days(employee: Employee, now: datetime) -> list[tuple[date, int]]:
    since = timezone.localtime(now) - timedelta(days=DAYS)
    votes = employee.votes.filter(created_at__gte=since).order_by()
    by_day = votes.annotate(day=TruncDate("created_at")).values("day").annotate(count=Count("pk"))
    return list(by_day.order_by("day").values_list("day", "count"))


def _confusions(employee: Employee) -> list[Confusion]:
    wrong = Vote.objects.filter(employee=employee, right=False).exclude(post__answer="")
    kinds = wrong.order_by().values(
        "answer",
        said_dress=F("option__dress"),
        said_title=F("option__dress__title"),
        verdict=F("post__answer"),
        verdict_dress=F("post__dress"),
        verdict_title=F("post__dress__title"),
    )
    rows = kinds.annotate(count=Count("pk")).order_by("-count", "answer", "said_title", "verdict_title")
    return [
        Confusion(
            row["answer"],
            _dress(row["said_dress"], row["said_title"]),
            row["verdict"],
            _dress(row["verdict_dress"], row["verdict_title"]),
            row["count"],
        )
        for row in rows[:CONFUSIONS]
    ]


def _dress(pk: int | None, title: str | None) -> tuple[int, str] | None:
    return (pk, title or "") if pk else None


def density(right: float, wrong: float) -> list[tuple[float, float]]:
    """Points (share, density) of Beta(``right``, ``wrong``), from 0 to 1 without the ends."""
    log_beta = lgamma(right) + lgamma(wrong) - lgamma(right + wrong)
    shares = [(point + 0.5) / POINTS for point in range(POINTS)]
    return [
        (share, exp((right - 1) * log(share) + (wrong - 1) * log1p(-share) - log_beta)) for share in shares
    ]
