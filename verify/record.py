"""A person's record: the queries behind the personal page."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.conf import settings
from django.db.models import Count, F, Q, QuerySet, Window
from django.db.models.functions import RowNumber, TruncDate
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from verify import scoring
from verify.models import Answer, Badge, Employee, GoldAnswer, Leave, Look, Vote

HISTORY = 30  # days
NEWS = 20  # looks told of at once
WIDEST_INTERVAL = 0.3  # one wider than that says nothing
LABELS: dict[str, tuple[Promise, Promise]] = {
    "first_stitch": (_("First stitch"), _("Your first answer that colleagues confirmed.")),
    "impostor": (_("Impostor spotted"), _("Ten times right: not a dress.")),
    "empty_hanger": (_("Empty hanger"), _("Ten times right: none of these.")),
    "fine_needle": (_("Fine needle"), _("Ten right answers where DeepDress was unsure.")),
    "seamless": (_("Seamless"), _("Twenty confirmed answers in a row.")),
    "first_name": (_("On first-name terms"), _("You named a dress, and colleagues agreed.")),
    "gold_thread": (_("Gold thread"), _("At least 95% right on twenty photos whose answer was known.")),
    "against_the_grain": (_("Against the grain"), _("Three times the only one who was right.")),
    "lookbook": (_("Walking lookbook"), _("Five dresses named, and colleagues agreed.")),
    "haute_couture": (_("Haute couture"), _("Fifty confirmed answers in a row.")),
}


# What badges are awarded for


def records(employees: Collection[int]) -> dict[int, scoring.Record]:
    """The confirmed answers of each of these people (by pk) in figures; three statements."""
    figures: dict[int, dict[str, int]] = {pk: {} for pk in employees}
    for row in [*_confirmed(employees), *_gold(employees)]:
        figures[row.pop("employee")].update(row)
    for pk, rights in _newest(employees).items():
        figures[pk]["in_a_row"] = scoring.run(rights)
    return {pk: scoring.Record(**found) for pk, found in figures.items()}


def _confirmed(employees: Collection[int]) -> QuerySet[Vote]:
    right = Q(right=True)
    named = right & Q(option__named=True, option__named_by=F("employee"))
    return (
        Vote.objects.filter(employee__in=employees, counted=True, right__isnull=False)
        .order_by()
        .values("employee")
        .annotate(
            confirmed=Count("pk", filter=right),
            not_a_dress=Count("pk", filter=right & Q(answer=Answer.NOT_A_DRESS)),
            none_of_these=Count("pk", filter=right & Q(answer=Answer.NONE_OF_THESE)),
            hard=Count("pk", filter=Q(points__in=scoring.HARD_POINTS)),
            lone=Count("pk", filter=Q(points__gte=scoring.LEAST_LONE)),
            named=Count("pk", filter=named),
        )
    )


def _gold(employees: Collection[int]) -> QuerySet[GoldAnswer]:
    answers = GoldAnswer.objects.filter(employee__in=employees, training=False).order_by().values("employee")
    return answers.annotate(gold_seen=Count("pk"), gold_right=Count("pk", filter=Q(right=True)))


def _newest(employees: Collection[int]) -> dict[int, list[bool]]:
    """By person, whether the newest confirmed answers are right, newest first."""
    newest = {"partition_by": "employee", "order_by": ["-created_at", "-pk"]}
    votes = Vote.objects.filter(employee__in=employees, counted=True, right__isnull=False)
    numbered = votes.annotate(number=Window(RowNumber(), **newest)).filter(number__lte=scoring.LONGEST_RUN)
    rights: dict[int, list[bool]] = {}
    for pk, right in numbered.order_by("employee", "number").values_list("employee", "right"):
        rights.setdefault(pk, []).append(right)
    return rights


@dataclass(frozen=True)
class Label:
    """A badge as it hangs on the wall: earned, or still to earn."""

    kind: str
    name: Promise
    line: Promise
    earned_at: datetime | None
    reached: int
    target: int


def labels(employee: Employee) -> list[Label]:
    """Every badge there is, the earned ones first."""
    earned = dict(Badge.objects.filter(employee=employee).values_list("kind", "earned_at"))
    own = records([employee.pk])[employee.pk]
    hung = [
        Label(kind, *LABELS[kind], earned.get(kind), min(aim.reached(own), aim.target), aim.target)
        for kind, aim in scoring.AIMS.items()
    ]
    return sorted(hung, key=lambda label: label.earned_at is None)


# Accuracy


@dataclass(frozen=True)
class Accuracy:
    """How many answers were right, and where the real share lies with 95% certainty."""

    confirmed: int
    seen: int
    low: float
    high: float

    @property
    def share(self) -> float:
        return self.confirmed / self.seen if self.seen else 0.0

    @property
    def is_early(self) -> bool:
        return self.high - self.low > WIDEST_INTERVAL


def accuracy(employee: Employee) -> Accuracy:
    """Of the votes that verdicts have judged, and the answers to known cards, training left out."""
    counts = {
        "confirmed": Count("pk", filter=Q(right=True)),
        "seen": Count("pk", filter=Q(right__isnull=False)),
    }
    votes = Vote.objects.filter(employee=employee).aggregate(**counts)
    gold = GoldAnswer.objects.filter(employee=employee, training=False).aggregate(**counts)
    confirmed, seen = votes["confirmed"] + gold["confirmed"], votes["seen"] + gold["seen"]
    return Accuracy(confirmed, seen, *scoring.wilson(confirmed, seen))


# Days


def has_answered(employee: Employee) -> bool:
    """Whether there is anything to tell of this person at all, training included."""
    return any(model.objects.filter(employee=employee).exists() for model in (Vote, GoldAnswer))


@dataclass(frozen=True)
class Day:
    """The votes cast on one day, by what has become of them."""

    date: date
    confirmed: int
    wrong: int
    open: int

    @property
    def votes(self) -> int:
        return self.confirmed + self.wrong + self.open


def history(employee: Employee, today: date, days: int = HISTORY) -> list[Day]:
    """One for each of the last ``days`` days, today's last."""
    first = today - timedelta(days=days - 1)
    votes = Vote.objects.filter(employee=employee, created_at__gte=_midnight(first)).order_by()
    rows = (
        votes.annotate(date=TruncDate("created_at"))
        .values("date")
        .annotate(
            confirmed=Count("pk", filter=Q(right=True)),
            wrong=Count("pk", filter=Q(right=False)),
            open=Count("pk", filter=Q(right=None)),
        )
    )
    voted = {row["date"]: Day(**row) for row in rows}
    dates = (first + timedelta(days=number) for number in range(days))
    return [voted.get(day, Day(day, 0, 0, 0)) for day in dates]


def streak(employee: Employee, now: datetime | None = None) -> scoring.Streak:
    """Days in a row with an answer, by working days, and the freezes left this month."""
    answers = (
        model.objects.filter(employee=employee).order_by().annotate(day=TruncDate("created_at")).values("day")
        for model in (Vote, GoldAnswer)
    )
    votes, gold = answers
    days = {row["day"] for row in votes.union(gold)}
    return scoring.streak_and_freezes(
        days, timezone.localdate(now), _days_off(employee), settings.STREAK_FREEZES
    )


def _days_off(employee: Employee) -> set[date]:
    off = set(settings.HOLIDAYS)
    for first, last in Leave.objects.filter(employee=employee).values_list("first_day", "last_day"):
        off.update(first + timedelta(days=number) for number in range((last - first).days + 1))
    return off


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))


# Looks in the shop


def looks(employee: Employee) -> QuerySet[Look]:
    """Public looks that carry a right vote of this person, the newest in the shop first."""
    votes = {
        "post__votes__employee": employee,
        "post__votes__right": True,
        "post__votes__answer": Answer.DRESS,
    }
    public = Look.objects.public().filter(**votes)
    return public.select_related("dress", "post__photo").order_by(
        F("cleared_at").desc(nulls_last=True), "-pk"
    )


def news(employee: Employee) -> list[Look]:
    """The newest of `looks` that became public since this person last heard of it; one statement."""
    since = employee.news_seen_at
    fresh = looks(employee).filter(cleared_at__isnull=False)
    return list((fresh.filter(cleared_at__gt=since) if since else fresh)[:NEWS])


def seen(employee: Employee, now: datetime) -> None:
    """This person has been told the news."""
    employee.news_seen_at = now
    employee.save(update_fields=["news_seen_at"])
