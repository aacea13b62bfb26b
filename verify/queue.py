"""Which post next, for whom, and what becomes of the answer.

Two promises hold whoever does what at once: a post's open leases never exceed the votes it still needs, so no
vote is surplus; and a vote that was accepted is counted. For that everything here locks the post's row first,
and judges only by what it reads after that: the locked row itself, or a statement of its own. (A subquery of
the locking statement may have been evaluated before the lock was granted.)
"""

import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from typing import TypeVar

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from verify import consensus, gold, record
from verify.models import (
    Answer,
    Batch,
    Employee,
    GoldAnswer,
    Lease,
    Post,
    Vote,
    statements,
)

Shown = TypeVar("Shown")


class Refused(Exception):
    """What the rules do not allow; the text is for the person who tried."""

    sentence: str | Promise = ""

    def __str__(self) -> str:
        return str(self.sentence)


class LeaseNotFound(Refused):
    sentence = _("That card is not yours, or it is gone. Here is another one.")


class AlreadyVoted(Refused):
    sentence = _("You have answered this one already.")


class PostAlreadySettled(Refused):
    sentence = _("Your colleagues have settled this one in the meantime.")


class LeaseExpired(Refused):
    sentence = _("This card was on your screen for so long that colleagues took it over.")


class BatchFrozen(Refused):
    sentence = _("Too late: last night’s photos have been put away.")


class OptionNotOffered(Refused):
    sentence = _("That is not one of the answers on this card.")


@dataclass(frozen=True)
class Progress:
    today: int  # the employee's votes since midnight, local time
    settled: int  # posts of the batch that need nobody's vote any more
    total: int  # posts of the batch


# Handing out


def hand_out(
    employee: Employee,
    ahead: int = 2,
    now: datetime | None = None,
    seed: int | None = None,
    arriving: bool = False,
    held: Collection[int] = (),
) -> list[Lease]:
    """The cards in this person's hands, oldest first, filled up to ``ahead`` of them with new ones.

    Those ``held`` (pks) count as in hand, and are left out: the screen has them.

    Some are there to learn from: the answer is known (``purpose``), which nothing on the card tells. A new
    colleague who is ``arriving`` gets the training cards.

    Each has its ``post`` with photo, and ``options``: the offered `Option`s with ``dress`` and its
    ``cover_token``, in an order of that card's own. Which post comes next is `settings.SERVING_ORDER`:
    "finish", the one whose next vote most likely settles it; or "backwards": a visit starts at a random post
    of the open batch (``seed``), goes on from the last card handed out, backwards in time, and wraps round.
    Empty means that nothing is left for this person now.
    """
    now = now or timezone.now()
    seed = random.getrandbits(31) if seed is None else seed
    if arriving and employee.in_training:
        training = settings.TRAINING_CARDS
        Lease.objects.deal_known(employee, training, now, seed, [True] * training)
    elif any(draws := _gold_draws(seed, ahead - len(held))):
        Lease.objects.deal_known(employee, ahead, now, seed, draws)
    _top_up(employee, ahead, now, seed)
    cards = _in_hand(employee, now, held)
    # Empty-handed, maybe only because others had the last posts locked for a moment: wait for those.
    while not (cards or held) and _top_up(employee, 1, now, seed, wait=True):
        cards = _in_hand(employee, now)
    return cards


def _gold_draws(seed: int, cards: int) -> list[bool]:
    """Whether the answer of each of so many cards is to be known."""
    chance = random.Random(seed)  # noqa: S311 (not a secret)
    return [chance.random() < settings.GOLD_SHARE for _ in range(cards)]


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


def _in_hand(employee: Employee, now: datetime, held: Collection[int] = ()) -> list[Lease]:
    cards = Lease.objects.cards(employee, now, held)
    for card in cards:  # the same order for the same card each time, and no telling the model's favourite
        card.options = shuffled(card.pk, card.options)
    return cards


def shuffled(card: int, options: Sequence[Shown]) -> list[Shown]:
    """The options (or their pks), given by rank, in the order in which the lease with this pk shows them."""
    key = salted_hmac("order of options", str(card)).digest()
    shown = list(options)
    random.Random(key).shuffle(shown)  # noqa: S311 (the key is the secret)
    return shown


# Answering


@transaction.atomic
def vote(
    employee: Employee,
    lease_id: int,
    answer: str,
    dress_id: int | None = None,
    viewed_ms: int | None = None,
    now: datetime | None = None,
) -> Vote | GoldAnswer:
    """Count an answer to a card: an `Answer`, for a dress with its pk. Raises Refused.

    The same answer to the same card once more is a message that was sent twice, and changes nothing.
    """
    lease = _locked(employee, lease_id, dress_id)
    now = now or timezone.now()  # not before the lock: who waited must not judge by an old clock
    key = _key(lease, answer, dress_id)
    if lease.outcome == Lease.Outcome.VOTED:
        return _said_before(lease, answer)
    if lease.outcome == Lease.Outcome.SKIPPED:
        raise AlreadyVoted
    if lease.purpose != Lease.Purpose.VOTE:
        try:
            return gold.answer(lease, employee, answer, lease.option_chosen, viewed_ms, now)
        except gold.AnswerUnknown as unknown:
            raise LeaseExpired from unknown
    _check(lease, now)
    if lease.reliability is not None:
        meant = {key, *map(consensus.dress_key, lease.named_later)} if key == Answer.NONE_OF_THESE else {key}
        lease.post.count(meant, lease.reliability, now, lease.vote_weight)
    return Vote.objects.cast(lease, answer, lease.option_chosen, viewed_ms, now)


def _said_before(lease: Lease, answer: str) -> Vote | GoldAnswer:
    answers = Vote.objects if lease.purpose == Lease.Purpose.VOTE else GoldAnswer.objects
    same = {"answer": answer, "option": lease.option_chosen}
    before = answers.filter(post=lease.post_id, employee=lease.employee_id, **same).first()
    if before is None:
        raise AlreadyVoted
    return before


@transaction.atomic
def skip(employee: Employee, lease_id: int) -> Lease:
    """Leave a card to others; after some skips an admin gets it. Raises Refused.

    The same skip once more is a message that was sent twice, and changes nothing.
    """
    lease = _locked(employee, lease_id)
    if lease.outcome == Lease.Outcome.VOTED:
        raise AlreadyVoted
    if lease.outcome == Lease.Outcome.SKIPPED:
        return lease
    lease.close(Lease.Outcome.SKIPPED)
    if lease.purpose != Lease.Purpose.VOTE:
        return lease
    skipped = Lease.objects.filter(post=lease.post, outcome=Lease.Outcome.SKIPPED)
    skips = skipped.filter(purpose=Lease.Purpose.VOTE).count()
    if lease.post.takes_votes and skips >= settings.SKIPS_BEFORE_ADMIN:
        lease.post.dispute(f"Skipped by {skips} people.")
    return lease


def _locked(employee: Employee, lease_id: int, dress_id: int | None = None) -> Lease:
    lease = Lease.objects.lock_card(lease_id, employee, dress_id)
    if lease is None:
        raise LeaseNotFound
    return lease


def _key(lease: Lease, answer: str, dress_id: int | None) -> str:
    """The answer as `consensus` names it."""
    names_a_dress = answer == Answer.DRESS
    if (
        answer not in Answer
        or names_a_dress != (dress_id is not None)
        or names_a_dress != bool(lease.option_chosen)
    ):
        raise OptionNotOffered
    return consensus.dress_key(dress_id) if dress_id else answer


def _check(lease: Lease, now: datetime) -> None:
    """Raises Refused unless this card may be answered."""
    post = lease.post
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
    if Lease.objects.to_vote(now).filter(post=lease.post).count() >= lease.post.votes_needed:
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
    """Days in a row on which this person answered, by working days."""
    return record.streak(employee, now).length
