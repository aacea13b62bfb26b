"""What an office does besides voting: an admin decides, people answer known cards, name, flag and praise."""

from datetime import datetime, timedelta

import numpy as np
from django.db.models import Count

from dressportal.demo.people import Voter
from dressportal.demo.play import Office
from verify import remarks, scoring, second_thoughts
from verify.models import (
    Answer,
    Dress,
    Employee,
    Flag,
    GoldAnswer,
    Lease,
    Look,
    Nomination,
    Post,
    Reliability,
    Vote,
)

SPOT_CHECKS = 60  # posts that an admin has looked at besides the audit sample
GOLD_SHARE = 0.04  # of what somebody sees
NAMED = 5  # posts of today of which somebody knew the dress
FLAGGED = 4
PRAISED = 9


def decide_some(office: Office, admin: Employee, rng: np.random.Generator) -> None:
    """The audit sample, and spot checks: an admin says what they show."""
    settled = list(Post.objects.filter(state=Post.State.SETTLED, batch__state="closed").order_by("pk"))
    audited = [post for post in settled if post.audit]
    others = [post for post in settled if not post.audit]
    chosen = rng.choice(len(others), min(SPOT_CHECKS, len(others)), replace=False)
    dresses = Dress.objects.in_bulk()
    for post in [*audited, *(others[index] for index in chosen)]:
        shown = office.truth[post.pk]
        if shown is None:
            post.override(Answer.NOT_A_DRESS, None, admin)
        elif shown:
            post.override(Answer.DRESS, dresses[shown], admin)


def answer_known_cards(office: Office, now: datetime, rng: np.random.Generator) -> None:
    """Everybody's gold of the last weeks."""
    known = list(Post.objects.gold().select_related("suggestion").prefetch_related("suggestion__options"))
    votes = dict(Vote.objects.values_list("employee").annotate(Count("pk")))
    answers: list[GoldAnswer] = []
    for voter in office.voters:
        seen = set(Lease.objects.filter(employee=voter.employee).values_list("post", flat=True))
        unseen = [post for post in known if post.pk not in seen]
        count = min(len(unseen), round(GOLD_SHARE * votes.get(voter.employee.pk, 0)))
        for index in rng.choice(len(unseen), count, replace=False):
            answers.append(_gold_answer(office, voter, unseen[index], now, rng))
    GoldAnswer.objects.bulk_create(answers)
    _learn(answers)


def _gold_answer(
    office: Office, voter: Voter, post: Post, now: datetime, rng: np.random.Generator
) -> GoldAnswer:
    said, option = office.answer(voter, post, list(post.suggestion.options.all()))
    at = now - timedelta(days=float(rng.uniform(0.2, 20)))
    given = GoldAnswer(post=post, employee=voter.employee, training=False, answer=said, option=option)
    given.right = given.key == post.truth_key()
    given.points, given.viewed_ms, given.created_at = scoring.gold_points(given.right), office.look(voter), at
    return given


def _learn(answers: list[GoldAnswer]) -> None:
    voters = {row.employee_id: row for row in Reliability.objects.all()}
    for given in answers:
        voter = voters.setdefault(given.employee_id, Reliability(employee_id=given.employee_id))
        voter.take_in(given.right)
    facts = ["right", "wrong", "estimate", "gold_seen", "gold_right"]
    Reliability.objects.bulk_create(
        voters.values(), update_conflicts=True, unique_fields=["employee"], update_fields=facts
    )


def name_some(office: Office, now: datetime) -> None:
    """Of this morning's "none of these", somebody knew the dress."""
    unsure = Vote.objects.filter(
        answer=Answer.NONE_OF_THESE, post__state=Post.State.PROPOSED, post__batch__state="open"
    ).select_related("employee")
    named = 0
    for vote in unsure.order_by("pk"):
        dress = Dress.objects.filter(pk=office.truth[vote.post_id] or 0).first()
        if dress and named < NAMED:
            second_thoughts.name(vote.employee, vote.pk, dress, now)
            named += 1


def remark(kinds: dict[int, str], now: datetime, rng: np.random.Generator) -> None:
    """Flags on looks that wait to be cleared, and voices for the hall of fame.

    ``kinds``: by post, what it shows.
    """
    waiting = Look.objects.filter(clearance=Look.Clearance.WAITING).order_by("pk")
    for look, reason in zip(waiting[:FLAGGED], Flag.Reason, strict=False):
        lease = look.post.leases.exclude(employee=None).first()
        if lease:
            remarks.flag(lease.employee, lease.pk, reason, now)
    praised = Vote.objects.filter(post__answer=Answer.NOT_A_DRESS, answer=Answer.NOT_A_DRESS)
    by_post: dict[int, list[Vote]] = {}
    for vote in praised.select_related("employee").order_by("pk"):
        if kinds.get(vote.post_id) == "puppy":
            by_post.setdefault(vote.post_id, []).append(vote)
    voices = [
        Nomination(post_id=post, employee=vote.employee, created_at=now)
        for post, votes in list(by_post.items())[:PRAISED]
        for vote in votes[: int(rng.integers(1, len(votes) + 1))]
    ]
    Nomination.objects.bulk_create(voices)
