"""The rules of taking an answer back."""

from datetime import datetime, timedelta

import pytest
from django.conf import settings
from django.utils import timezone

from tests import make
from tests.verify.voting import NONE, NOT, vote
from verify import queue, second_thoughts
from verify.models import Batch, Employee, Lease, Post, Vote

pytestmark = pytest.mark.django_db
SECOND = timedelta(seconds=1)


@pytest.fixture
def now() -> datetime:
    return timezone.now()


@pytest.fixture
def batch(now: datetime) -> Batch:
    return make.make_batch(opened_at=now - timedelta(hours=1))


@pytest.fixture
def one(batch: Batch) -> Post:
    return make.make_open_posts(1, batch)[0]


def undo(employee: Employee, post: Post, now: datetime) -> Lease | None:
    lease = Lease.objects.filter(post=post, employee=employee).first()
    return second_thoughts.undo(employee, lease.pk if lease else 1, now=now)


def test_undo_takes_the_vote_back_and_returns_the_card(one: Post, anna: Employee, now: datetime) -> None:
    before, cast = one.posterior, vote(anna, NOT, now)
    lease = undo(anna, one, now=now + settings.UNDO)
    one.refresh_from_db()
    assert lease == queue.hand_out(anna, now=now + settings.UNDO)[0]
    assert one.posterior == pytest.approx(before)
    assert (one.votes_cast, one.votes_needed) == (0, 2)
    assert not Vote.objects.filter(pk=cast.pk).exists()
    assert queue.vote(anna, lease.pk, NONE).answer == NONE


def test_undo_reopens_a_decided_post(one: Post, anna: Employee, ben: Employee, now: datetime) -> None:
    vote(anna, NOT, now)
    vote(ben, NOT, now + SECOND)
    assert undo(anna, one, now=now + 2 * SECOND)
    one.refresh_from_db()
    assert (one.settles_at, one.votes_cast, one.votes_needed) == (None, 1, 1)


def test_undo_comes_too_late(one: Post, batch: Batch, anna: Employee, ben: Employee, now: datetime) -> None:
    with pytest.raises(second_thoughts.NothingToUndo):
        undo(anna, one, now=now)
    vote(anna, NOT, now)
    with pytest.raises(second_thoughts.NothingToUndo):
        undo(anna, one, now=now + settings.UNDO + SECOND)
    batch.freeze(now)
    with pytest.raises(second_thoughts.NothingToUndo):
        undo(anna, one, now=now)


def test_a_settled_post_cannot_be_undone(one: Post, anna: Employee, ben: Employee, now: datetime) -> None:
    vote(anna, NOT, now)
    vote(ben, NOT, now)
    one.refresh_from_db()
    one.settle(now)
    with pytest.raises(second_thoughts.NothingToUndo):
        undo(ben, one, now=now)
    assert Vote.objects.count() == 2


def test_undo_never_leaves_more_cards_out_than_votes_needed(one: Post, now: datetime) -> None:
    """Two disagree, more are asked; when the second takes back, as many cards as are too many fall back."""
    people = [make.make_employee() for _ in range(4)]
    vote(people[0], NOT, now)
    vote(people[1], NONE, now)
    one.refresh_from_db()
    held = [lease for person in people[2:] for lease in queue.hand_out(person, now=now)]
    assert len(held) == one.votes_needed
    undo(people[1], one, now=now)
    one.refresh_from_db()
    assert Lease.objects.open(now).filter(post=one).count() == one.votes_needed
