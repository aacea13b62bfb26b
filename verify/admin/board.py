"""The admin's first page: the numbers of `verify.dashboard` as figures whose numbers are links."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format

from verify import audit, dashboard, option_sets
from verify.admin.figures import Cell, Figure, Row, interval, listed, percent
from verify.admin.gates import gates_figure
from verify.admin.model_version import checked_in_words
from verify.admin.rights import address
from verify.admin.signs import Sign, broken_promise, signs
from verify.admin.voter import interval_in_words, known_interval, voter_url
from verify.models import Calibration, Employee, Notice, Reliability


class Task(NamedTuple):
    """So many rows, what they are, where they are; ``rank`` "work" is for an admin to do."""

    count: str
    words: str
    url: str
    rank: str = ""


@dataclass(frozen=True)
class Section:
    title: str
    figures: list[Figure]


@dataclass(frozen=True)
class Board:
    tasks: list[Task]
    notices: list[Notice]
    sections: list[Section]
    signs: list[Sign]


def board(user: Employee, now: datetime) -> Board:
    return Board(
        tasks=tasks(dashboard.waiting()),
        notices=dashboard.notices(),
        sections=sections(now),
        signs=[*signs(dashboard.health(now), user, now), *broken_promise()],
    )


def tasks(waiting: dashboard.Waiting) -> list[Task]:
    decide = reverse("admin:verify_decide")
    return [
        Task(str(waiting.disputed), "posts for you to decide", decide, "work"),
        Task(str(waiting.looks), "looks to clear", reverse("admin:verify_clear"), "work"),
        Task(str(waiting.audit), "posts of the audit sample to label", f"{decide}?tab=audit", "work"),
        Task(str(waiting.proposed), "posts open to votes", listed("post", state__exact="proposed")),
        Task(
            f"{waiting.batches_to_come:.1f}",
            f"batches to come, of {waiting.to_come:,} posts",
            listed("post", state__exact="proposed", batch__isnull=True),
        ),
        Task(str(waiting.to_ask), "owners to ask for their photo", reverse("admin:verify_rights"), "work"),
        Task(str(waiting.answers), "answers of owners to confirm", address("answered"), "work"),
        Task(
            str(waiting.without_rights),
            "looks without rights",
            listed("look", post__rights__in="unknown,requested"),
        ),
        Task(str(waiting.waiting), "posts waiting for DeepDress", listed("post", state__exact="waiting")),
        Task(str(waiting.held), "posts held back by a gate", listed("post", state__exact="held")),
        Task(
            str(waiting.set_aside),
            "posts set aside",
            listed("post", state__exact="set_aside", photo__isnull=False),
        ),
    ]


def sections(now: datetime) -> list[Section]:
    return [
        Section("Votes", [days_figure(now), hours_figure(now), agreement_figure(now)]),
        Section("Posts", posts_figures(now)),
        Section("Voters, and how sure we may be", [voters_figure(), calibration_figure()]),
    ]


# Votes


def days_figure(now: datetime) -> Figure:
    days = dashboard.votes_by_day(now)
    rows = [
        counted({"day": day}, short(day), votes, listed("vote", created_at__date=day)) for day, votes in days
    ]
    total = sum(votes for _, votes in days)
    return Figure(
        name="days",
        kind="days",
        title="Votes per day",
        sentence=f"{total:,} in {len(days)} days.",
        url=listed("vote", created_at__date__gte=days[0][0]),
        headings=["day", "votes"],
        rows=rows if total else [],
        empty="Nobody has voted in the last four weeks.",
    )


def hours_figure(now: datetime) -> Figure:
    hours = dashboard.votes_by_hour(now)
    since = timezone.localdate(now) - timedelta(days=dashboard.DAYS - 1)
    total = sum(votes for _, votes in hours)
    busiest = max(hours, key=lambda row: row[1])[0]
    return Figure(
        name="hours",
        kind="hours",
        title="Votes by hour of the day",
        sentence=f"Most between {busiest} and {busiest + 1} o’clock, in {dashboard.DAYS} days."
        if total
        else "",
        url=listed("vote", created_at__date__gte=since),
        headings=["hour", "votes"],
        rows=[
            counted(
                {"hour": hour},
                f"{hour}:00",
                votes,
                listed("vote", created_at__hour=hour, created_at__date__gte=since),
            )
            for hour, votes in hours
        ]
        if total
        else [],
        empty="Nobody has voted in the last four weeks.",
    )


def counted(drawn: dict[str, object], name: str, count: int, url: str) -> Row:
    return Row({**drawn, "count": count, "href": url}, [Cell(name), Cell(f"{count:,}", url)])


def agreement_figure(now: datetime) -> Figure:
    def links(share: dashboard.Share) -> tuple[str, str]:
        day = {"created_at__date": share.start}
        return listed("vote", **day, right__exact=1), listed("vote", **day, right__isnull=False)

    since = timezone.localdate(now) - timedelta(days=dashboard.DAYS - 1)
    return shares_figure(
        dashboard.agreement(now),
        links,
        url=listed("vote", created_at__date__gte=since, right__isnull=False),
        noun="votes",
        name="agreement",
        title="Votes that agree with the verdict",
        headings=["day of the vote", "share", "95% interval", "agree", "of"],
        empty="No vote of the last four weeks has a verdict yet.",
    )


# Posts


def posts_figures(now: datetime) -> list[Figure]:
    shares = [not_a_dress_figure(now), recall_figure(now), promise_figure()]
    return [batches_figure(), *shares, gates_figure()]


def batches_figure() -> Figure:
    rows = []
    for batch in dashboard.batches():
        name = short(timezone.localdate(batch.opened_at)) if batch.opened_at else "in no batch"
        within = {"batch__id__exact": batch.batch} if batch.batch else {"batch__isnull": True}
        states = [("open", "proposed"), ("settled", "settled"), ("disputed", "disputed")]
        links = {word: listed("post", **within, state__exact=state) for word, state in states}
        counts = {word: getattr(batch, word) for word, _ in states}
        told = [Cell(f"{counts[word]:,}", links[word]) for word, _ in states]
        drawn = [
            {"batch": name, "state": word, "count": counts[word], "href": links[word]} for word in counts
        ]
        rows.append(Row({"bars": drawn}, [Cell(name), *told]))
    return Figure(
        name="batches",
        kind="batches",
        title="Posts per batch",
        headings=["opened on", "open to votes", "settled", "disputed"],
        rows=rows,
        empty="No post has been proposed for yet.",
    )


def not_a_dress_figure(now: datetime) -> Figure:
    def links(share: dashboard.Share) -> tuple[str, str]:
        week = settled_in(share.start)
        return listed("post", **week, answer__exact="not_a_dress"), listed("post", **week)

    return shares_figure(
        dashboard.not_a_dress(now),
        links,
        url=listed("post", **settled_since(now)),
        noun="posts",
        name="not-a-dress",
        title="Settled as “not a dress”",
        headings=["week of the verdict", "share", "95% interval", "not a dress", "settled"],
        empty="Nothing has been settled yet.",
    )


SHOWS_A_DRESS = {"answer__in": "dress,none_of_these", "suggestion__isnull": False}


def recall_figure(now: datetime) -> Figure:
    def links(share: dashboard.Share) -> tuple[str, str]:
        dresses = settled_in(share.start) | SHOWS_A_DRESS
        return listed("post", **dresses, model="right"), listed("post", **dresses)

    return shares_figure(
        dashboard.recall(now),
        links,
        url=listed("post", **settled_since(now), **SHOWS_A_DRESS),
        noun="posts that show a dress",
        name="recall",
        title="The model’s options had the dress, say people",
        headings=["week of the verdict", "share", "95% interval", "among the options", "shows a dress"],
        empty="No post that shows a dress has been settled yet.",
    )


def promise_figure() -> Figure:
    nights, url = dashboard.promises(), reverse("admin:verify_calibration_changelist")
    return Figure(
        name="promise",
        kind="shares",
        title="The dress is among those that DeepDress holds possible",
        sentence=promise_in_words(nights[-1]) if nights else "",
        url=url,
        headings=["night", "share", "95% interval", "of", "promised", "a card shows"],
        rows=[promise_row(night) for night in nights if night.checked],
        empty="Too early to say: a night learns it from "
        f"{option_sets.ENOUGH} settled posts with a dress, and checks it on as many others.",
    )


def promise_in_words(night: Calibration) -> str:
    checked, audited = night.coverage.get("checked"), night.coverage.get("audited")
    of_audit = f", of the audit sample for {checked_in_words(audited)}" if audited else ""
    warning = " That is less than promised: the sets are too small." if night.broken else ""
    return (
        f"Promised for {percent(night.promised or 0)} of the posts whose dress the catalogue has. Of posts"
        f" that nothing was learnt from it holds for {checked_in_words(checked)}{of_audit}.{warning}"
        f" Each card shows {night.shown} of them."
    )


def promise_row(night: Calibration) -> Row:
    found, on = night.coverage["checked"], timezone.localdate(night.fitted_at)
    url = reverse("admin:verify_calibration_change", args=[night.pk])
    told = [
        *(percent(found.share), interval(found.low, found.high), f"{found.count:,} posts"),
        *(percent(night.promised or 0), f"{night.shown} options"),
    ]
    drawn = {"day": on, "share": found.share, "low": found.low, "high": found.high, "href": url}
    return Row(drawn, [Cell(short(on)), *(Cell(text, url) for text in told)])


def settled_since(now: datetime) -> dict[str, object]:
    return {"state__exact": "settled", "settled_at__date__gte": dashboard.first_week(now)}


def settled_in(week: date) -> dict[str, object]:
    return {
        "state__exact": "settled",
        "settled_at__date__gte": week,
        "settled_at__date__lt": week + timedelta(days=7),
    }


def shares_figure(
    shares: list[dashboard.Share],
    links: Callable[[dashboard.Share], tuple[str, str]],
    noun: str,
    **words: Any,
) -> Figure:
    """``links`` gives the addresses of the rows that count and of all, which are called ``noun``."""
    rows = []
    for share in shares:
        part_url, whole_url = links(share)
        rows.append(
            Row(
                {
                    "day": share.start,
                    "share": share.value,
                    "low": share.low,
                    "high": share.high,
                    "href": whole_url,
                },
                [
                    Cell(short(share.start)),
                    Cell(percent(share.value), part_url),
                    Cell(interval(share.low, share.high), whole_url),
                    Cell(f"{share.part:,}", part_url),
                    Cell(f"{share.whole:,}", whole_url),
                ],
            )
        )
    part, whole = sum(share.part for share in shares), sum(share.whole for share in shares)
    sentence = f"{percent(part / whole)} of {whole:,} {noun}." if whole else ""
    return Figure(kind="shares", rows=rows, sentence=sentence, **words)


# Voters and confidence


def voters_figure() -> Figure:
    shown, total = dashboard.voters()
    more = f"The {len(shown)} least reliable of {total:,}." if total > len(shown) else f"All {total:,}."
    return Figure(
        name="voters",
        kind="voters",
        title="How often voters are right",
        sentence=f"{more} Lines: 95% intervals." if total else "",
        url=reverse("admin:verify_reliability_changelist"),
        headings=["voter", "right", "95% interval", "votes", "gold", "muted"],
        rows=[voter_row(voter) for voter in shown],
        empty="The first re-fit at night says how far each voter can be believed.",
    )


def voter_row(voter: Reliability) -> Row:
    url, name = voter_url(voter.pk), str(voter.employee)
    mine = {"employee__id__exact": voter.pk}
    low, high = known_interval(voter)
    numbers = {"estimate": voter.estimate, "low": low, "high": high}
    return Row(
        {"voter": name, "key": voter.pk, **numbers, "muted": voter.muted_at is not None, "href": url},
        [
            Cell(name, url),
            Cell(percent(voter.estimate), url),
            Cell(interval_in_words(voter), url),
            Cell(f"{voter.votes:,}", listed("vote", **mine)),
            Cell(f"{voter.gold_right} of {voter.gold_seen}", listed("goldanswer", **mine)),
            Cell("muted" if voter.muted_at else "no"),
        ],
    )


def calibration_figure() -> Figure:
    found = dashboard.calibration()
    having = dict.fromkeys(["settled_by__isnull", "suggestion__isnull", "votes__isnull"], False)
    audited = listed("post", audit__exact=1, **having)
    rows = [calibration_row(bin, audited) for bin in found.bins]
    fitted = f" As of {short(timezone.localdate(found.fitted_at))}." if found.fitted_at else ""
    return Figure(
        name="calibration",
        kind="diagram",
        title="Stated confidence against real accuracy",
        sentence=f"{found.labelled:,} posts of the audit sample are labelled.{fitted}",
        url=audited,
        headings=["we said", "we were right", "95% interval", "posts"],
        rows=rows,
        empty=too_early(found.labelled),
    )


def calibration_row(bin: dashboard.Bin, audited: str) -> Row:
    """Its posts are told apart by what a re-fit has replayed, which is not stored: so it leads to all."""
    told = [percent(bin.stated), percent(bin.real), interval(bin.low, bin.high), f"{bin.count:,}"]
    return Row({**bin._asdict(), "href": audited}, [Cell(text, audited) for text in told])


def too_early(labelled: int) -> str:
    missing = audit.ENOUGH - labelled
    if missing > 0:
        return f"Too early to say: from {audit.ENOUGH} on there is a diagram, {missing} to go."
    return "Enough to say something: the next re-fit at night draws the diagram."


def short(day: date) -> str:
    return date_format(day, "j M")
