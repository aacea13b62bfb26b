"""A rotation that is killed anywhere, or meets another one or voters, ends in the same state."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import connections, transaction
from django.utils import timezone

from tests import make
from tests.verify.players import Player, at_once
from verify import queue, rotation
from verify.models import Answer, Batch, Lease, Look, Option, Post, Suggestion, Vote

pytestmark = [pytest.mark.concurrency, pytest.mark.django_db(transaction=True)]
TABLES = [Batch, Post, Suggestion, Option, Lease, Vote, Look]
NOW = timezone.now().replace(hour=3, minute=0, second=0, microsecond=0)


@pytest.fixture(autouse=True)
def small_batches(settings: pytest.FixtureRequest) -> None:
    settings.BATCH_SIZE = 3


class Killed(BaseException):
    """Not an Exception, so that nothing catches it: the process is gone."""


@contextmanager
def killed_at_commit(moment: int, done: bool) -> Iterator[None]:
    """The process ends at its n-th commit: just before it, or once it is ``done``."""
    wrapper, count = connections["default"], 0
    commit = wrapper.commit

    def dying() -> None:
        nonlocal count
        count += 1
        if count == moment:
            (commit if done else wrapper.rollback)()
            raise Killed
        commit()

    wrapper.commit = dying
    try:
        yield
    finally:
        wrapper.commit = commit


@contextmanager
def killed_at_statement(moment: int) -> Iterator[None]:
    """The process ends instead of its n-th statement, and the database rolls back."""
    count = 0

    def dying(execute: Callable[..., Any], *args: Any) -> Any:
        nonlocal count
        count += 1
        if count == moment:
            raise Killed
        return execute(*args)

    with connections["default"].execute_wrapper(dying):
        yield


@pytest.fixture
def evening() -> list[list[Any]]:
    """An open batch with a post of every kind, cards on screens, and new posts: the rows of each table."""
    dresses = [make.make_dress() for _ in range(3)]
    batch = make.make_batch(opened_at=NOW - timedelta(hours=20))
    shown, puppy, half, _, riddle, chosen = make.make_open_posts(6, batch, dresses)
    make.make_open_posts(5, None, dresses)
    voters = [make.make_employee() for _ in range(2)]
    for voter in voters:
        leases = {lease.post: lease for lease in queue.hand_out(voter, 9, NOW - timedelta(minutes=2))}
        queue.vote(voter, leases[puppy].pk, Answer.NOT_A_DRESS, now=NOW)
        dress = shown.suggestion.options.get(rank=0).dress_id
        queue.vote(voter, leases[shown].pk, Answer.DRESS, dress, now=NOW)
    queue.vote(voter, leases[half].pk, Answer.NOT_A_DRESS, now=NOW)
    riddle.dispute("A riddle.")
    Post.objects.filter(pk=chosen.pk).update(
        state=Post.State.SETTLED, answer=Answer.DRESS, dress=dresses[0], settled_at=NOW, settles_at=None
    )
    return [list(model.objects.all()) for model in TABLES]


@transaction.atomic
def back_to(evening: list[list[Any]]) -> None:
    with connections["default"].cursor() as cursor:
        for model in TABLES:  # in any order: foreign keys are checked at the commit
            cursor.execute(f"DELETE FROM {model._meta.db_table}")
    for model, rows in zip(TABLES, evening, strict=True):
        model.objects.bulk_create(rows)


def the_night() -> list[Callable[[], object]]:
    """Two calls: the second one finds the cards on the screens expired."""
    return [lambda at=at: rotation.rotate(now=at) for at in (NOW, NOW + settings.LEASE)]


def state() -> tuple[list[Any], list[Any]]:
    """All that a rotation decides, without primary keys."""
    batches = list(Batch.objects.order_by("opened_at"))
    looks = {look.post_id: (look.dress_id, look.clearance, look.published_at) for look in Look.objects.all()}
    posts = [
        (
            *(post.state, post.answer, post.dress_id, post.settled_at, post.settles_at, post.votes_cast),
            *(post.votes_needed, post.trouble, post.batch and batches.index(post.batch)),
            looks.get(post.pk),
        )
        for post in Post.objects.select_related("batch")
    ]
    return posts, [(batch.state, batch.opened_at, batch.frozen_at, batch.closed_at) for batch in batches]


def undisturbed(evening: list[list[Any]]) -> tuple[list[Any], list[Any]]:
    for call in the_night():
        call()
    expected = state()
    back_to(evening)
    return expected


def is_killed(call: Callable[[], object]) -> bool:
    try:
        call()
    except Killed:
        return True
    return False


@pytest.mark.parametrize(
    ("killed_at", "stride"),
    [
        pytest.param(lambda moment: killed_at_commit(moment, done=False), 1, id="before-commit"),
        pytest.param(lambda moment: killed_at_commit(moment, done=True), 1, id="after-commit"),
        pytest.param(killed_at_statement, 3, id="statement"),
    ],
)
def test_killed_anywhere_the_next_call_ends_in_the_same_state(
    killed_at: Callable[[int], Any], stride: int, evening: list[list[Any]]
) -> None:
    expected, moment, killed = undisturbed(evening), 1 - stride, True
    while killed:
        moment, killed = moment + stride, False
        with killed_at(moment):
            for call in the_night():
                killed = is_killed(call) or killed
                if killed:
                    call()
        assert state() == expected, f"killed at {moment}"
        back_to(evening)
    assert moment > 6


def test_what_the_undisturbed_night_ends_in(evening: list[list[Any]]) -> None:
    """The state that the others are compared with is the right one."""
    posts, batches = undisturbed(evening)
    assert [batch[0] for batch in batches] == [Batch.State.CLOSED, Batch.State.OPEN]
    in_old, in_new = ([post[0] for post in posts if post[8] == batch] for batch in (0, 1))
    assert sorted(in_old) == ["disputed", "settled", "settled", "settled"]
    assert in_new == ["proposed"] * 5
    assert sum(post[9] is not None for post in posts) == 2


def test_each_call_fired_twice_or_days_late_ends_in_the_same_state(evening: list[list[Any]]) -> None:
    expected = undisturbed(evening)
    for call in the_night():
        call()
        call()
    assert state() == expected
    back_to(evening)
    late = NOW + timedelta(days=3)
    for _ in range(2):
        rotation.rotate(now=late)
    kinds = [[(row[0], row[1], row[2], row[5], row[8]) for row in posts] for posts, _ in (state(), expected)]
    assert kinds[0] == kinds[1]


def test_two_rotations_at_once_end_in_the_same_state(evening: list[list[Any]]) -> None:
    expected = undisturbed(evening)
    for call in the_night():
        at_once([call] * 4)
    assert state() == expected


def test_votes_cast_during_rotations_are_counted_or_refused_with_a_word() -> None:
    make.make_open_posts(24)
    rotation.rotate()
    players = [Player(make.make_employee(), seed) for seed in range(8)]
    nights = [lambda: [rotation.rotate() for _ in range(6)]] * 2
    at_once([*(player.play for player in players), *nights])
    assert sum(player.counted for player in players) == Vote.objects.count() > 0
    for post in Post.objects.select_related("suggestion"):
        assert post.votes_cast == post.votes.count()
        stored = post.posterior
        post.recount(timezone.now())
        assert stored == pytest.approx(post.posterior)
    assert not Post.objects.unfinished().filter(batch__state=Batch.State.CLOSED).exists()
    assert Batch.objects.open().count() <= 1


def test_a_vote_that_comes_after_the_night_gets_a_friendly_word() -> None:
    batch = make.make_batch(opened_at=NOW)
    make.make_open_posts(1, batch)
    anna, late = make.make_employee(), NOW + settings.LEASE + timedelta(minutes=1)
    [lease] = queue.hand_out(anna, now=NOW)
    batch.freeze(NOW)
    with pytest.raises(queue.BatchFrozen) as refusal:
        queue.vote(anna, lease.pk, Answer.NOT_A_DRESS, now=late)
    assert str(refusal.value) == "Too late: last night’s photos have been put away."
