"""How the portal is doing, as plain values: the numbers of the admin's first page.

Every function is one or two statements that count in the database, however many rows there are.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple

from django.conf import settings
from django.db.models import Count, DateField, Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Cast, ExtractHour, TruncDate, TruncWeek
from django.utils import timezone
from django_q.models import Failure, OrmQ

from verify import audit, models, scoring
from verify.gates import Gate
from verify.models import (
    Batch,
    GateVerdict,
    Heartbeat,
    Look,
    Notice,
    Option,
    Post,
    Refit,
    Reliability,
    RightsAnswer,
    Vote,
)
from verify.models.post import AUDIT_RULE
from verify.models.post_queryset import Answer

DAYS = 28
WEEKS = 26
BATCHES = 8
VOTERS = 40
NOTICES = 20
DAY = timedelta(days=1)
SILENCE = timedelta(minutes=3)  # a part that beats every minute is in trouble then


class Share(NamedTuple):
    """So many of ``whole``, from ``start`` for a day or a week, with a 95% interval."""

    start: date
    part: int
    whole: int
    low: float
    high: float

    @property
    def value(self) -> float:
        return self.part / self.whole


class BatchCount(NamedTuple):
    """Posts by state; ``batch`` is None for the posts in none."""

    batch: int | None
    opened_at: datetime | None
    open: int
    settled: int
    disputed: int


class Bin(NamedTuple):
    """Posts of the audit sample: the confidence we stated, and how often we were right."""

    stated: float
    real: float
    count: int
    low: float
    high: float


@dataclass(frozen=True)
class Calibration:
    """``bins`` is empty while fewer than `audit.ENOUGH` posts are labelled, or no re-fit has seen them."""

    labelled: int
    bins: list[Bin]
    fitted_at: datetime | None


class Part(NamedTuple):
    """A part that runs beside the web server."""

    name: str
    beat_at: datetime
    model_version: str
    silent: bool


@dataclass(frozen=True)
class Health:
    parts: list[Part]
    queued: int
    failed: int  # tasks, in a day
    refit: Refit | None


@dataclass(frozen=True)
class Waiting:
    """What waits for admins, and what for others."""

    disputed: int
    audit: int
    looks: int
    without_rights: int
    to_ask: int
    answers: int
    set_aside: int
    waiting: int
    proposed: int
    to_come: int  # posts that are ready and in no batch
    held: int = 0  # back by a quality gate

    @property
    def batches_to_come(self) -> float:
        return self.to_come / settings.BATCH_SIZE


# Votes


def votes_by_day(now: datetime, days: int = DAYS) -> list[tuple[date, int]]:
    """The last ``days`` days, today included, oldest first; those without a vote too."""
    first = timezone.localdate(now) - timedelta(days=days - 1)
    votes = _votes_since(first).annotate(day=TruncDate("created_at")).values("day")
    counts = dict(votes.annotate(count=Count("pk")).values_list("day", "count"))
    return [(day, counts.get(day, 0)) for day in _days(first, days)]


def votes_by_hour(now: datetime, days: int = DAYS) -> list[tuple[int, int]]:
    """Votes of the last ``days`` days by hour of the day, local time; all 24."""
    first = timezone.localdate(now) - timedelta(days=days - 1)
    votes = _votes_since(first).annotate(hour=ExtractHour("created_at")).values("hour")
    counts = dict(votes.annotate(count=Count("pk")).values_list("hour", "count"))
    return [(hour, counts.get(hour, 0)) for hour in range(24)]


def agreement(now: datetime, days: int = DAYS) -> list[Share]:
    """By day of the vote: those that agree with the verdict, of those on posts that have one."""
    first = timezone.localdate(now) - timedelta(days=days - 1)
    judged = _votes_since(first).filter(right__isnull=False).annotate(start=TruncDate("created_at"))
    return _shares(judged, Q(right=True))


def _votes_since(day: date) -> QuerySet[Vote]:
    return Vote.objects.filter(created_at__gte=_midnight(day)).order_by()


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))


def _days(first: date, days: int) -> list[date]:
    return [first + timedelta(days=number) for number in range(days)]


# Posts


def batches(limit: int = BATCHES) -> list[BatchCount]:
    """The posts in no batch, then those of the newest batches."""
    states = {
        "open": Count("pk", filter=Q(state=Post.State.PROPOSED)),
        "settled": Count("pk", filter=Q(state=Post.State.SETTLED)),
        "disputed": Count("pk", filter=Q(state=Post.State.DISPUTED)),
    }
    newest = dict(Batch.objects.order_by("-opened_at").values_list("pk", "opened_at")[:limit])
    posts = Post.objects.filter(Q(batch__in=newest) | Q(batch=None)).order_by()
    rows = {row.pop("batch"): row for row in posts.values("batch").annotate(**states)}
    empty = dict.fromkeys(states, 0)
    return [
        BatchCount(pk, newest.get(pk), **rows.get(pk, empty))
        for pk in (None, *newest)
        if pk or any(rows.get(pk, empty).values())
    ]


def not_a_dress(now: datetime, weeks: int = WEEKS) -> list[Share]:
    """By week of the verdict: posts without a dress, of those settled."""
    return _shares(_settled(now, weeks), Q(answer=Answer.NOT_A_DRESS))


def recall(now: datetime, weeks: int = WEEKS) -> list[Share]:
    """By week of the verdict: the model had proposed the dress, of the posts it saw that show one."""
    dresses = _settled(now, weeks).exclude(answer=Answer.NOT_A_DRESS).filter(suggestion__isnull=False)
    return _shares(dresses.annotate(proposed=proposed()), Q(proposed=True))


def proposed() -> Exists:
    """Whether the dress of a post's verdict is among the model's own options, not only a named one."""
    return Exists(
        Option.objects.filter(suggestion=OuterRef("suggestion"), dress=OuterRef("dress"), named=False)
    )


def _settled(now: datetime, weeks: int) -> QuerySet[Post]:
    since = _midnight(first_week(now, weeks))
    settled = Post.objects.filter(state=Post.State.SETTLED, settled_at__gte=since).order_by()
    return settled.annotate(start=Cast(TruncWeek("settled_at"), DateField()))


def first_week(now: datetime, weeks: int = WEEKS) -> date:
    """The Monday that begins the last ``weeks`` weeks, this one included."""
    today = timezone.localdate(now)
    return today - timedelta(days=today.weekday(), weeks=weeks - 1)


def _shares(rows: QuerySet[Any], part: Q) -> list[Share]:
    """Of ``rows`` by their ``start``, oldest first."""
    counts = rows.values("start").annotate(whole=Count("pk"), part=Count("pk", filter=part)).order_by("start")
    return [
        Share(row["start"], row["part"], row["whole"], *scoring.wilson(row["part"], row["whole"]))
        for row in counts
    ]


def promises(nights: int = DAYS) -> list[models.Calibration]:
    """What was promised of option sets and how it was kept, of the last nights, oldest first."""
    return list(reversed(models.Calibration.objects.exclude(promised=None)[:nights]))


class GateCount(NamedTuple):
    """Posts that a gate has judged, those it holds back or flags, and those that an admin let through."""

    gate: str
    judged: int
    held: int
    let_through: int
    flagged: int


def gates() -> list[GateCount]:
    """In the order of their names' table; those that have judged nothing are left out."""
    through = Count("pk", filter=Q(overruled_at__isnull=False))
    holding = Count("pk", filter=Q(held=True, overruled_at=None))
    by_gate = GateVerdict.objects.order_by().values("gate")
    found = by_gate.annotate(judged=Count("pk"), held=holding, let_through=through)
    flagged = GateVerdict.objects.flagging().count()
    rows = {row["gate"]: GateCount(**row, flagged=flagged * (row["gate"] == Gate.PEOPLE)) for row in found}
    return [rows[gate] for gate in Gate if gate in rows]


def held() -> int:
    return Post.objects.filter(state=Post.State.HELD).count()


# Voters and confidence


def voters(limit: int = VOTERS) -> tuple[list[Reliability], int]:
    """The muted and the least reliable, least reliable first, and how many voters there are in all."""
    rows = Reliability.objects.select_related("employee")
    picked = rows.order_by(F("muted_at").asc(nulls_last=True), "estimate", "pk")[:limit]
    return sorted(picked, key=lambda row: (row.estimate, row.pk)), rows.count()


def to_label() -> QuerySet[Post]:
    """Posts of the audit sample that get no more votes, and wait for an admin's independent answer."""
    settled = Q(state=Post.State.SETTLED, votes_cast__gte=AUDIT_RULE.least_votes)
    return Post.objects.filter(settled | Q(state=Post.State.DISPUTED), audit=True, settled_by=None)


def to_decide() -> QuerySet[Post]:
    """Disputed posts, but for those that are judged without the votes in view."""
    return Post.objects.filter(state=Post.State.DISPUTED).exclude(pk__in=to_label())


def labelled() -> QuerySet[Post]:
    """Posts of the audit sample with an admin's answer and votes to hold against it: what a re-fit reads."""
    voted_on = Exists(Vote.objects.filter(post=OuterRef("pk")))
    return Post.objects.filter(voted_on, audit=True, settled_by__isnull=False, suggestion__isnull=False)


def calibration() -> Calibration:
    count = labelled().count()
    refit = Refit.objects.exclude(diagram=[]).first()
    if refit is None or count < audit.ENOUGH:
        return Calibration(count, [], None)
    bins = [Bin(*(row[name] for name in Bin._fields)) for row in refit.diagram]
    return Calibration(count, bins, refit.fitted_at)


# The portal


def waiting() -> Waiting:
    with_photo = Post.objects.exclude(photo=None)  # videos without one wait for nobody
    states = dict(with_photo.order_by().values_list("state").annotate(Count("pk")))
    without_rights = Look.objects.filter(post__rights__in=[Post.Rights.UNKNOWN, Post.Rights.REQUESTED])
    return Waiting(
        disputed=to_decide().count(),
        audit=to_label().count(),
        looks=Look.objects.to_clear().count(),
        without_rights=without_rights.count(),
        to_ask=Look.objects.to_ask().count(),
        answers=RightsAnswer.objects.to_confirm().count(),
        set_aside=states.get(Post.State.SET_ASIDE, 0),
        waiting=states.get(Post.State.WAITING, 0),
        proposed=states.get(Post.State.PROPOSED, 0),
        to_come=Post.objects.in_no_batch().count(),
        held=states.get(Post.State.HELD, 0),
    )


def health(now: datetime) -> Health:
    parts = [
        Part(part.name, part.beat_at, part.model_version, now - part.beat_at > SILENCE)
        for part in Heartbeat.objects.order_by("name")
    ]
    failed = Failure.objects.filter(stopped__gte=now - DAY).count()
    return Health(parts, OrmQ.objects.count(), failed, Refit.objects.first())


def notices(limit: int = NOTICES) -> list[Notice]:
    """The open ones, newest first."""
    return list(Notice.objects.open().select_related("post", "employee")[:limit])
