"""The nightly re-fit: how far everybody can be believed, and which settled posts are in doubt again.

It is worked out in memory and stored in one transaction; then each doubtful post is reopened in one of its
own, that judges by what is stored by then. So a re-fit may run twice, at once, or be killed anywhere, and the
next one ends where it would have ended.
"""

from collections.abc import Callable, Collection
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import groupby
from time import perf_counter

import numpy as np
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone

from verify import audit, ballots, consensus, reliability, rotation
from verify.audit import Bin, Labelled
from verify.ballots import Office
from verify.models import Batch, Employee, Lease, Look, Notice, Post, Refit, Reliability, Vote
from verify.models.post import RULE
from verify.models.post_queryset import PostQuerySet
from verify.reliability import BoolArray, Fit, FloatArray

FITTED = ["right", "wrong", "estimate", "low", "high", "votes", "gold_seen", "gold_right", "fitted_at"]
CHUNK = 100  # posts weighed together: who answers one of them waits for all
Progress = Callable[[str], None]


@dataclass(frozen=True)
class Outcome:
    """What the votes say, and what the audit sample says about that."""

    fit: Fit
    vote_weight: float
    audited: int  # posts of the sample with an admin's answer
    diagram: list[Bin]


def refit(now: datetime | None = None, progress: Progress = lambda said: None) -> Refit:
    """Re-fit everybody's reliability, reopen what is in doubt by it, and weigh the open posts anew."""
    now, started = now or timezone.now(), perf_counter()
    _count_late()
    office = ballots.read()
    progress(f"Read {office.votes:,} votes on {len(office.posts):,} posts.")
    outcome = estimate(office)
    doubtful = _doubtful(office, outcome.fit)
    progress(f"Fitted {len(office.voters):,} voters; {len(doubtful):,} settled posts are in doubt.")
    row = _store(office, outcome, now, started)
    reopened = sum(_reopen(pk, row, now) for pk in doubtful)
    progress(f"Reopened {reopened:,} posts.")
    progress(f"Weighed {reweigh(_open_posts(), now):,} open posts anew.")
    row.refresh_from_db()
    return row


def _count_late() -> None:
    """A vote cast at the moment at which its voter is unmuted may be stored as one that does not count."""
    believed = Reliability.objects.filter(muted_at=None).values("employee")
    Vote.objects.filter(counted=False, employee__in=believed).update(counted=True)


def estimate(office: Office) -> Outcome:
    """Reliabilities and posteriors; with enough labels of the audit sample also the weight of a vote."""
    sample = office.audit & office.by_admin
    fitted, weight = reliability.fit_audited(office.ballots, sample)
    audited = int(sample.sum())
    diagram = _diagram(office, sample, fitted, weight) if audited >= audit.ENOUGH else []
    return Outcome(fitted, weight, audited, diagram)


def _diagram(office: Office, sample: BoolArray, fitted: Fit, weight: float) -> list[Bin]:
    priors = reliability.corrected(office.ballots, fitted.factors)
    posts = [_labelled(office, post, fitted, priors) for post in np.flatnonzero(sample).tolist()]
    verdicts = [(audit.replay(post, RULE, weight), post.truth) for post in posts]
    given = [(verdict.confidence, verdict.answer == truth) for verdict, truth in verdicts if verdict]
    return audit.reliability_diagram([stated for stated, _ in given], [right for _, right in given])


def _labelled(office: Office, post: int, fitted: Fit, priors: FloatArray) -> Labelled:
    """A post of the audit sample, by index, with the votes that count."""
    votes = office.ballots
    slots = range(votes.first[post], votes.first[post + 1])
    entries = range(office.entries[post], office.entries[post + 1])
    cast = groupby((each for each in entries if votes.counted[each]), key=office.vote.__getitem__)
    return Labelled(
        {_key(office, slot): float(priors[slot]) for slot in slots},
        [_meant(office, list(entries), fitted) for _, entries in cast],
        _key(office, office.verdict[post]),
    )


def _meant(office: Office, entries: list[int], fitted: Fit) -> tuple[frozenset[str], float]:
    """All that a vote may mean, and its voter's reliability."""
    answers = frozenset(_key(office, office.ballots.slot[entry]) for entry in entries)
    return answers, float(fitted.reliability[office.ballots.voter[entries[0]]])


def _key(office: Office, slot: int) -> str:
    """The answer of a slot as `consensus` names it."""
    answer = int(office.answers[slot])
    if answer > 0:
        return consensus.dress_key(answer)
    return consensus.NOT_A_DRESS if answer == ballots.NOT_A_DRESS else consensus.NONE_OF_THESE


def _doubtful(office: Office, fitted: Fit) -> list[int]:
    """The pks of the posts whose verdict, by voters, is not sure enough now, or stands on too few votes."""
    settled = (office.verdict >= 0) & ~office.by_admin
    unsure = fitted.posterior[office.verdict[settled]] < RULE.reopen_below
    too_few = office.counted_votes()[settled] < RULE.least_votes
    return office.posts[settled][unsure | too_few].tolist()


# Storing


def _store(office: Office, outcome: Outcome, now: datetime, started: float) -> Refit:
    with rotation.step():
        employed = Employee.objects.filter(pk__in=office.voters.tolist()).order_by("pk")
        present = set(employed.select_for_update(no_key=True).values_list("pk", flat=True))
        fitted = [row for row in _reliabilities(office, outcome.fit, now) if row.pk in present]
        Reliability.objects.bulk_create(
            fitted, update_conflicts=True, unique_fields=["employee"], update_fields=FITTED, batch_size=1000
        )
        return Refit.objects.create(
            fitted_at=now,
            votes=office.votes,
            posts=len(office.posts),
            voters=len(office.voters),
            seconds=perf_counter() - started,
            prior_factors=list(outcome.fit.factors),
            vote_weight=outcome.vote_weight,
            audited=outcome.audited,
            diagram=[asdict(each) for each in outcome.diagram],
        )


def _reliabilities(office: Office, fitted: Fit, now: datetime) -> list[Reliability]:
    gold = office.ballots.gold_seen, office.ballots.gold_right
    columns = (fitted.right, fitted.wrong, fitted.reliability, fitted.low, fitted.high, fitted.votes, *gold)
    values = np.column_stack(columns)[: len(office.voters)].tolist()
    return [
        Reliability(
            employee_id=pk,
            right=right,
            wrong=wrong,
            estimate=estimate,
            low=low,
            high=high,
            votes=round(votes),
            gold_seen=round(seen),
            gold_right=round(of_them),
            fitted_at=now,
        )
        for pk, (right, wrong, estimate, low, high, votes, seen, of_them) in zip(
            office.voters.tolist(), values, strict=True
        )
    ]


# What follows from it


def _reopen(pk: int, row: Refit, now: datetime) -> bool:
    """Give a post back to the voters if what is stored now leaves its verdict in doubt, theirs or nobody's.

    If the same votes now decide for another answer, what shoppers see is left to an admin.
    """
    with rotation.step():  # else its batch might close under it
        settled = Post.objects.filter(pk=pk, state=Post.State.SETTLED, settled_by=None)
        post = settled.select_for_update(of=("self",), no_key=True).first()
        if post is None:
            return False
        verdict = consensus.dress_key(post.dress_id) if post.dress_id else str(post.answer)
        public = Look.objects.public().filter(post=post).exists()
        post.reopen(now, Batch.objects.open().first())
        doubt = _doubt(post, verdict)
        if not doubt:
            transaction.set_rollback(True)
            return False
        _take_back_surplus([post], now)
        if public:
            said = f"The look of {post} is not shown any more: {doubt}."
            Notice.objects.tell(Notice.Kind.LOOK_REOPENED, said, now, post=post)
        if public and post.settles_at:
            post.dispute("Published, and by the nightly re-fit its votes say something else, or too little.")
        Refit.objects.filter(pk=row.pk).update(reopened=F("reopened") + 1)
    return True


def _doubt(post: Post, verdict: str) -> str:
    """What speaks against a verdict of the voters, by the votes as they weigh now; "" for nothing."""
    confidence = post.posterior.get(verdict, 0.0)
    if confidence < RULE.reopen_below:
        return f"its dress is right at {confidence:.0%} only"
    if post.votes_cast < RULE.least_votes:
        return f"fewer than {RULE.least_votes} of its votes count"
    return ""


def reweigh(posts: PostQuerySet, now: datetime) -> int:
    """Weigh the votes of those of ``posts`` anew that are open to votes; returns how many.

    ``CHUNK`` posts to a transaction.
    """
    pks = list(posts.order_by("pk").values_list("pk", flat=True))
    return sum(_reweigh(pks[start : start + CHUNK], now) for start in range(0, len(pks), CHUNK))


@transaction.atomic
def _reweigh(pks: list[int], now: datetime) -> int:
    taking_votes = Post.objects.taking_votes().filter(pk__in=pks)
    posts = list(taking_votes.order_by("pk").select_for_update(no_key=True))
    Post.objects.recount(posts, now)
    _take_back_surplus(posts, now)
    return len(posts)


def _open_posts() -> PostQuerySet:
    """Where new figures make a difference: in play, or with votes already."""
    has_votes = Exists(Vote.objects.filter(post=OuterRef("pk")))
    in_play = Q(batch__in=Batch.objects.unfinished())
    return Post.objects.taking_votes().filter(in_play | has_votes)


def _take_back_surplus(posts: Collection[Post], now: datetime) -> None:
    """Of the cards in people's hands, leave the oldest of each locked post, so many as it needs votes."""
    held = Lease.objects.to_vote(now).filter(post__in=posts).order_by("pk")
    by_post: dict[int, list[int]] = {post.pk: [] for post in posts}
    for pk, post_pk in held.values_list("pk", "post"):
        by_post[post_pk].append(pk)
    surplus = [pk for post in posts for pk in by_post[post.pk][post.votes_needed :]]
    Lease.objects.filter(pk__in=surplus).update(expires_at=now)
