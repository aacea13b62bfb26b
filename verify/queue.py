"""Which post next, for whom, and what becomes of the answer.

Two promises hold whoever does what at once: a post's open leases never exceed the votes it still needs, so no
vote is surplus; and a vote that was accepted is counted. For that everything here locks the post's row first,
and judges only by what it reads after that: the locked row itself, or a statement of its own. (A subquery of
the locking statement may have been evaluated before the lock was granted.)
"""

import random
from dataclasses import dataclass
from datetime import datetime, time

from django.conf import settings
from django.db import transaction
from django.db.models import Subquery
from django.db.models.functions import TruncDate
from django.utils import timezone
from django.utils.crypto import salted_hmac

from verify import consensus, scoring
from verify.models import Answer, Batch, Employee, Lease, Post, Vote, statements


class Refused(Exception):
    """What the rules do not allow; the text is for the person who tried."""

    sentence = ""

    def __init__(self, sentence: str = "") -> None:
        super().__init__(sentence or self.sentence)


class LeaseNotFound(Refused):
    sentence = "That card is not yours, or it is gone. Here is another one."


class AlreadyVoted(Refused):
    sentence = "You have answered this one already."


class PostAlreadySettled(Refused):
    sentence = "Your colleagues have settled this one in the meantime."


class LeaseExpired(Refused):
    sentence = "This card was on your screen for so long that colleagues took it over."


class BatchFrozen(Refused):
    sentence = "Too late: last night's photos have been put away."


class OptionNotOffered(Refused):
    sentence = "That is not one of the answers on this card."


class NothingToUndo(Refused):
    sentence = "There is nothing left to undo."


@dataclass(frozen=True)
class Progress:
    today: int  # the employee's votes since midnight, local time
    settled: int  # posts of the batch that need nobody's vote any more
    total: int  # posts of the batch


# Handing out


def hand_out(
    employee: Employee, ahead: int = 2, now: datetime | None = None, seed: int | None = None
) -> list[Lease]:
    """The cards in this person's hands, oldest first, filled up to ``ahead`` of them with new ones.

    Each has its ``post`` with photo, and ``options``: the offered `Option`s with ``dress`` and its
    ``cover_token``, in an order of that card's own. A visit starts at a random post of the open batch
    (``seed``), goes on from the last card handed out, backwards in time, and wraps round. Empty means that
    nothing is left for this person now.
    """
    now = now or timezone.now()
    seed = random.getrandbits(31) if seed is None else seed
    _top_up(employee, ahead, now, seed)
    cards = _in_hand(employee, now)
    # Empty-handed, maybe only because others had the last posts locked for a moment: wait for those.
    while not cards and _top_up(employee, 1, now, seed, wait=True):
        cards = _in_hand(employee, now)
    return cards


def _wait_for(posts: list[int]) -> None:
    """Lock by pk, one post: who holds a lock must not wait for another, or two could wait for each other."""
    list(Post.objects.filter(pk__in=posts).select_for_update(no_key=True).only("pk"))


@transaction.atomic
def _top_up(employee: Employee, ahead: int, now: datetime, seed: int, wait: bool = False) -> bool:
    """Hand out new posts up to ``ahead``; returns whether there was any to try."""
    posts = Lease.objects.next_posts(employee, ahead, now, seed, lock=not wait)
    if wait:
        _wait_for(posts[:1])
    if posts:
        Lease.objects.hand_out(posts, employee, now)
    return bool(posts)


def _in_hand(employee: Employee, now: datetime) -> list[Lease]:
    cards = Lease.objects.cards(employee, now)
    for card in cards:  # the same order for the same card each time, and no telling the model's favourite
        key = salted_hmac("order of options", str(card.pk)).digest()
        random.Random(key).shuffle(card.options)  # noqa: S311 (the key is the secret)
    return cards


# Answering


@transaction.atomic
def vote(
    employee: Employee, lease_id: int, answer: str, option_id: int | None = None, now: datetime | None = None
) -> Vote:
    """Count an answer to a card: an `Answer`, for a dress with the pk of the option. Raises Refused."""
    lease = _locked(employee, lease_id, option_id)
    now = now or timezone.now()  # not before the lock: who waited must not judge by an old clock
    key = _key(lease, answer, option_id)
    _check(lease, now)
    lease.post.count(key, now)
    return Vote.objects.cast(lease, answer, option_id, now)


@transaction.atomic
def skip(employee: Employee, lease_id: int) -> Lease:
    """Leave a card to others; after some skips an admin gets it. Raises Refused."""
    lease = _locked(employee, lease_id)
    if lease.outcome != Lease.Outcome.OPEN:
        raise AlreadyVoted
    lease.close(Lease.Outcome.SKIPPED)
    skips = Lease.objects.filter(post=lease.post, outcome=Lease.Outcome.SKIPPED).count()
    if lease.post.takes_votes and skips >= settings.SKIPS_BEFORE_ADMIN:
        lease.post.dispute(f"Skipped by {skips} people.")
    return lease


@transaction.atomic
def undo(employee: Employee, now: datetime | None = None) -> Lease | None:
    """Take back this person's last vote. Returns its card, in hand again, or None if others have it by now.

    Raises NothingToUndo: it is too long ago, or its post or batch is finished.
    """
    newest = Vote.objects.filter(employee=employee).order_by("-created_at", "-pk").values("pk")[:1]
    votes = Vote.objects.filter(pk=Subquery(newest)).select_related("post")
    last = votes.select_for_update(of=("post", "self"), no_key=True).first()
    now = now or timezone.now()
    if last is None or not _may_undo(last, now):
        raise NothingToUndo
    last.delete()
    last.post.recount(now)
    return _return(last.post, employee, now)


def _may_undo(last: Vote, now: datetime) -> bool:
    batch = last.post.batch
    in_time = now <= last.created_at + settings.UNDO and last.post.state == Post.State.PROPOSED
    return in_time and batch is not None and batch.state == Batch.State.OPEN


def _return(post: Post, employee: Employee, now: datetime) -> Lease | None:
    """Put the card back, where others have left room; where they hold too many now, the newest fall back."""
    others = list(Lease.objects.open(now).filter(post=post).exclude(employee=employee).order_by("pk"))
    surplus = [lease.pk for lease in others[post.votes_needed :]]
    Lease.objects.filter(pk__in=surplus).update(expires_at=now)
    lease = Lease.objects.filter(post=post, employee=employee).first()
    if lease is None:
        return None
    has_room = len(others) < post.votes_needed
    lease.reopen(now + settings.LEASE if has_room else now)
    return lease if has_room else None


def _locked(employee: Employee, lease_id: int, option_id: int | None = None) -> Lease:
    lease = Lease.objects.lock_card(lease_id, employee, option_id)
    if lease is None:
        raise LeaseNotFound
    return lease


def _key(lease: Lease, answer: str, option_id: int | None) -> str:
    """The answer as `consensus` names it."""
    names_a_dress = answer == Answer.DRESS
    if (
        answer not in Answer
        or names_a_dress != (option_id is not None)
        or names_a_dress != bool(lease.dress_chosen)
    ):
        raise OptionNotOffered
    return consensus.dress_key(lease.dress_chosen) if names_a_dress else answer


def _check(lease: Lease, now: datetime) -> None:
    """Raises Refused unless this card may be answered."""
    post = lease.post
    if lease.outcome != Lease.Outcome.OPEN:
        raise AlreadyVoted
    if post.state in (Post.State.SETTLED, Post.State.DISPUTED) or post.settles_at:
        raise PostAlreadySettled
    if not post.takes_votes or post.suggestion_id != lease.suggestion_id:
        raise LeaseExpired
    if lease.expires_at <= now:
        _check_room(lease, now)


def _check_room(lease: Lease, now: datetime) -> None:
    """An expired card is honoured as long as its post is in play and nobody has taken the place."""
    if lease.post.batch is None or not lease.post.batch.honours_votes(now):
        raise BatchFrozen
    if Lease.objects.open(now).filter(post=lease.post).count() >= lease.post.votes_needed:
        raise LeaseExpired


# Numbers


def progress(employee: Employee, batch: Batch | None = None, now: datetime | None = None) -> Progress:
    """The header's numbers, in one statement; of the open batch unless another is given."""
    now = timezone.localtime(now)
    midnight = timezone.make_aware(datetime.combine(now.date(), time.min))
    values = {"employee": employee.pk, "midnight": midnight, "batch": batch and batch.pk}
    [row] = statements.run(statements.PROGRESS, **values)
    return Progress(**row)


def streak(employee: Employee, now: datetime | None = None) -> int:
    """Days in a row on which this person voted."""
    days = Vote.objects.filter(employee=employee).order_by().annotate(day=TruncDate("created_at"))
    voted = set(days.values_list("day", flat=True).distinct())
    return scoring.streak(voted, timezone.localdate(now))
