"""Fair play, watched: what `fairplay` has to know of each voter, and what follows where it objects."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from verify import consensus, fairplay, queue, refit, scoring
from verify.fairplay import Card, Choice, Record, View
from verify.models import Answer, Employee, Notice, Post, Reliability, Vote, statements

RECENT = timedelta(days=1)  # by day, who has answered nothing since is not looked at
MONTH = timedelta(days=30)  # by night, when verdicts on votes of long ago may have come

# Who plays, and since when their answers are looked at: all, or those after an admin's last word.
PLAYING = """
    SELECT employee.id, coalesce(reliability.unmuted_at, '-infinity') AS since,
        CASE WHEN reliability.unmuted_at IS NULL THEN coalesce(reliability.high, 1) ELSE 1 END AS high
    FROM verify_employee employee
        LEFT JOIN verify_reliability reliability ON reliability.employee_id = employee.id
    WHERE reliability.muted_at IS NULL AND (
        EXISTS (SELECT FROM verify_vote WHERE employee_id = employee.id AND created_at >= %(recent)s)
        OR EXISTS (SELECT FROM verify_goldanswer WHERE employee_id = employee.id AND created_at >= %(recent)s)
    )
"""

# Their last votes, oldest first, with what was on the card; the lease tells in which order.
VOTES = f"""
    WITH playing AS ({PLAYING})
    SELECT
        playing.id AS employee, vote.answer, vote.option_id, vote.viewed_ms, vote.right, lease.id AS card,
        extract(epoch FROM vote.dealt_at)::float * 1000 AS dealt,
        extract(epoch FROM vote.created_at)::float * 1000 AS answered,
        CASE WHEN post.state = 'settled' THEN post.answer END AS verdict, post.dress_id,
        suggestion.not_a_dress, offer.shares, offer.offered, offer.dresses
    FROM playing
        CROSS JOIN LATERAL (
            SELECT * FROM verify_vote
            WHERE employee_id = playing.id AND created_at > playing.since
            ORDER BY created_at DESC LIMIT %(window)s
        ) vote
        JOIN verify_post post ON post.id = vote.post_id
        JOIN verify_suggestion suggestion ON suggestion.id = vote.suggestion_id
        LEFT JOIN verify_lease lease ON lease.post_id = vote.post_id AND lease.employee_id = playing.id
        CROSS JOIN LATERAL (
            SELECT
                coalesce(sum(option.probability), 0) AS shares,
                coalesce(array_agg(option.id ORDER BY option.rank), '{{}}') AS offered,
                coalesce(array_agg(option.dress_id), '{{}}') AS dresses
            FROM verify_option option
            WHERE option.suggestion_id = vote.suggestion_id
                AND (NOT option.named OR option.created_at <= vote.dealt_at)
        ) offer
    ORDER BY vote.created_at, vote.id
"""  # noqa: S608 (of constants)

GOLD = f"""
    WITH playing AS ({PLAYING})
    SELECT
        playing.id AS employee, playing.high,
        count(*) FILTER (WHERE gold.right) AS gold_right, count(gold.id) AS gold_seen
    FROM playing
        LEFT JOIN verify_goldanswer gold
            ON gold.employee_id = playing.id AND gold.created_at > playing.since AND NOT gold.training
    GROUP BY playing.id, playing.high
"""  # noqa: S608


def watch(now: datetime | None = None, recent: timedelta = RECENT) -> int:
    """Mute whoever has answered lately and does not play fair; returns how many more than before."""
    now = now or timezone.now()
    found = records(now - recent)
    objections = {employee: fairplay.objection(record) for employee, record in found.items()}
    return sum(mute(employee, reason, now, tell=True) for employee, reason in objections.items() if reason)


def records(recent: datetime) -> dict[int, Record]:
    """By pk of those who have answered since ``recent``: their last answers, since an admin's last word."""
    votes = defaultdict(list)
    for row in statements.run(VOTES, recent=recent, window=fairplay.WINDOW):
        votes[row["employee"]].append(row)
    return {
        row["employee"]: Record(
            choices=list(_choices(votes[row["employee"]])),
            cards=[_card(vote) for vote in votes[row["employee"]]],
            viewed_ms=fairplay.credible(_views(votes[row["employee"]])),
            gold_right=row["gold_right"],
            gold_seen=row["gold_seen"],
            agreed=sum(vote["right"] is True for vote in votes[row["employee"]]),
            judged=sum(vote["right"] is not None for vote in votes[row["employee"]]),
            high=row["high"],
        )
        for row in statements.run(GOLD, recent=recent)
    }


def _choices(votes: Iterable[dict[str, Any]]) -> Iterable[Choice]:
    """The places of the options chosen; a dress that was named and not offered has none."""
    for vote in votes:
        if vote["card"] and vote["option_id"] in vote["offered"]:
            shown = queue.shuffled(vote["card"], vote["offered"])
            yield Choice(shown.index(vote["option_id"]), len(shown))


def _card(vote: dict[str, Any]) -> Card:
    """What was said, held against the verdict, or without one against the model."""
    if vote["verdict"] is None:
        rest = max(0.0, 1 - vote["shares"] - vote["not_a_dress"])
        shares = {Answer.NOT_A_DRESS: vote["not_a_dress"], Answer.NONE_OF_THESE: rest}
        return Card(vote["answer"], shares, judged=False)
    verdict = consensus.dress_key(vote["dress_id"]) if vote["dress_id"] else vote["verdict"]
    offered = {consensus.dress_key(pk) for pk in vote["dresses"]}
    rights = {answer: float(scoring.is_right(answer, verdict, offered)) for answer in fairplay.UNMOVED}
    return Card(vote["answer"], rights, judged=True)


def _views(votes: Iterable[dict[str, Any]]) -> Iterable[View]:
    """Without the votes of before cards were dealt ahead: of those nobody knows."""
    for vote in votes:
        if vote["dealt"] < vote["answered"]:
            yield View(vote["dealt"], vote["answered"], vote["viewed_ms"])


def mute(employee_pk: int, reason: str, now: datetime, tell: bool = False) -> bool:
    """Let this person's votes weigh nothing, those on open posts too; they notice nothing.

    With ``tell`` the admins are told. Returns False for somebody who is muted already, or gone.
    """
    with transaction.atomic():
        reliability = _locked(employee_pk)
        if reliability is None or reliability.muted_at:
            return False
        reliability.mute(reason, now)
        if tell:
            said = f"The votes of {reliability.employee} weigh nothing from now on. {reason}"
            Notice.objects.tell(Notice.Kind.VOTER_MUTED, said, now, employee=reliability.employee)
    _reweigh(employee_pk, now)
    return True


def unmute(employee_pk: int, now: datetime) -> bool:
    """Let this person's votes count again, those cast meanwhile too; False for somebody who is not muted.

    Open posts are weighed anew; points for what was judged meanwhile come with the next `confirm_all`.
    """
    with transaction.atomic():
        reliability = _locked(employee_pk)
        if reliability is None or reliability.muted_at is None:
            return False
        votes = Vote.objects.filter(employee=employee_pk)
        votes.filter(counted=False).update(counted=True)
        votes.filter(confirmed_at__gte=reliability.muted_at).update(confirmed_at=None)
        reliability.unmute(now)
    _reweigh(employee_pk, now)
    return True


def _locked(employee_pk: int) -> Reliability | None:
    employee = Employee.objects.select_for_update(no_key=True).filter(pk=employee_pk).first()
    return Reliability.objects.get_or_create(employee=employee)[0] if employee else None


def _reweigh(employee_pk: int, now: datetime) -> None:
    refit.reweigh(Post.objects.filter(votes__employee=employee_pk, state=Post.State.PROPOSED), now)
