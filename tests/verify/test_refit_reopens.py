"""The nightly re-fit: what it opens again, whom it tells, and what it leaves alone."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests import make
from tests.verify.office import NOT, answer_gold, cast, settle, unreliable
from tests.verify.players import at_once
from verify import consensus, queue, refit
from verify.models import (
    Answer,
    Batch,
    Dress,
    Employee,
    Lease,
    Look,
    Notice,
    Post,
    Refit,
    Reliability,
)
from verify.models.post import RULE

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def batch() -> Batch:
    return make.make_batch(opened_at=timezone.now() - 12 * HOUR)


@pytest.fixture
def dresses() -> list[Dress]:
    return [make.make_dress() for _ in range(3)]


@pytest.fixture
def people() -> list[Employee]:
    return [make.make_employee(name) for name in ("anna", "ben", "cem", "dora", "emil")]


def fresh(post: Post) -> Post:
    return Post.objects.get(pk=post.pk)


@pytest.fixture
def doubtful(batch: Batch, dresses: list[Dress]) -> Post:
    """Settled by two people of whom nothing was known then; what they said is the least likely of all."""
    [post] = make.make_open_posts(1, batch, dresses)
    for name in ("uwe", "ute"):
        cast(post, unreliable(name), dresses[2], right=True, points=3, confirmed_at=timezone.now())
    return settle(post)


# What it learns

# What it reopens


def test_what_two_unreliable_people_settled_is_open_again(doubtful: Post, batch: Batch) -> None:
    row = refit.refit()
    post = fresh(doubtful)
    assert row.reopened == 1
    assert (post.state, post.answer, post.dress, post.settled_at, post.batch) == (
        *(Post.State.PROPOSED, "", None, None),
        batch,
    )
    assert max(post.posterior.values()) < RULE.threshold
    assert set(post.votes.values_list("right", "points", "confirmed_at")) == {(None, None, None)}
    assert post.votes_needed > 0


@pytest.mark.parametrize("another_open", [True, False])
def test_it_moves_to_the_open_batch_or_waits_for_the_next(
    doubtful: Post, batch: Batch, another_open: bool
) -> None:
    batch.freeze(timezone.now())
    batch.close(timezone.now())
    following = make.make_batch() if another_open else None
    refit.refit()
    assert fresh(doubtful).batch == following
    assert (doubtful in Post.objects.in_no_batch()) == (not another_open)


def test_it_is_reopened_once_a_verdict(doubtful: Post) -> None:
    assert [refit.refit().reopened for _ in range(3)] == [1, 0, 0]


def publish(post: Post) -> Look:
    Post.objects.filter(pk=post.pk).update(rights=Post.Rights.GRANTED)
    look = Look.objects.get(post=post)
    look.decide(Look.Clearance.CLEARED, make.make_admin())
    assert look in Look.objects.public()
    return look


def test_a_published_look_is_hidden_and_an_admin_told_once(doubtful: Post) -> None:
    look = publish(doubtful)
    refit.refit()
    refit.refit()
    assert look not in Look.objects.public()
    notice = Notice.objects.get()
    assert (notice.kind, notice.post) == (Notice.Kind.LOOK_REOPENED, doubtful)
    assert "is not shown any more" in notice.text


def test_a_look_that_was_not_public_is_no_news(doubtful: Post) -> None:
    refit.refit()
    assert not Notice.objects.exists()


def test_settled_again_the_look_is_back_and_may_be_doubted_again(
    doubtful: Post, dresses: list[Dress], people: list[Employee]
) -> None:
    look = publish(doubtful)
    refit.refit()
    post = fresh(doubtful)
    for employee in people:
        cast(post, employee, dresses[2])
    settle(post)
    assert look in Look.objects.public()
    assert refit.refit().reopened == 0
    assert fresh(post).state == Post.State.SETTLED
    for employee in people:
        answer_gold(employee, 0, 30)
    assert refit.refit().reopened == 1
    assert Notice.objects.count() == 1


def test_what_shoppers_see_is_never_turned_round_by_the_same_votes(
    batch: Batch, dresses: list[Dress], people: list[Employee]
) -> None:
    shown, inside = make.make_open_posts(2, batch, dresses)
    bad, good = [unreliable(name) for name in ("uwe", "ute", "ulf")], people[:2]
    for post in (shown, inside):
        for employee in bad:
            cast(post, employee, dresses[0])
        settle(post)
        for employee in good:  # from cards that were out
            cast(post, employee, NOT)
    for employee in good:
        answer_gold(employee, 60, 0)
    publish(shown)
    assert refit.refit().reopened == 2
    assert fresh(shown).state == Post.State.DISPUTED
    assert "something else" in fresh(shown).trouble
    assert (fresh(inside).state, fresh(inside).settles_at is None) == (Post.State.PROPOSED, False)


def test_what_is_sure_enough_is_not_touched(
    batch: Batch, dresses: list[Dress], people: list[Employee]
) -> None:
    posts = make.make_open_posts(3, batch, dresses)
    for post in posts:
        for employee in people[:3]:
            cast(post, employee, dresses[0])
        settle(post)
    before = list(Post.objects.order_by("pk").values())
    assert refit.refit().reopened == 0
    assert list(Post.objects.order_by("pk").values()) == before


def test_an_admins_verdict_stays_whatever_people_say(
    batch: Batch, dresses: list[Dress], people: list[Employee]
) -> None:
    [post] = make.make_open_posts(1, batch, dresses)
    for employee in people:
        cast(post, employee, NOT)
    post.override(Answer.DRESS, dresses[2], make.make_admin())
    assert refit.refit().reopened == 0
    assert fresh(post).dress == dresses[2]


def test_without_the_votes_of_people_muted_a_verdict_is_in_doubt(
    batch: Batch, dresses: list[Dress], people: list[Employee]
) -> None:
    [post] = make.make_open_posts(1, batch, dresses)
    anna, ben, *_ = people
    cast(post, anna, dresses[1])
    cast(post, ben, dresses[1])
    settle(post)
    assert refit.refit().reopened == 0
    for employee in (anna, ben):
        employee.reliability.mute("Clicks.", timezone.now())
    assert refit.refit().reopened == 1
    assert (fresh(post).votes_cast, post.votes.count()) == (0, 2)
    ben.reliability.refresh_from_db()
    assert (ben.reliability.muted_because, ben.reliability.votes) == ("Clicks.", 1)


@pytest.mark.parametrize("muted", [1, 2])
def test_a_verdict_needs_two_votes_that_count_however_sure_the_model_is(
    batch: Batch, dresses: list[Dress], people: list[Employee], muted: int
) -> None:
    post = make.make_post(batch=batch)
    post.open_to_votes(make.make_suggestion(post, dresses, (0.94, 0.02, 0.02), not_a_dress=0.01))
    for employee in people[:2]:
        cast(post, employee, dresses[0])
    publish(settle(post))
    assert refit.refit().reopened == 0
    for employee in people[:muted]:
        employee.reliability.mute("Clicks.", timezone.now())
    assert refit.refit().reopened == 1
    post = fresh(post)
    assert post.posterior[consensus.dress_key(dresses[0].pk)] > RULE.reopen_below
    assert (post.state, post.votes_cast, post.votes_needed) == ("proposed", 2 - muted, muted)
    assert Notice.objects.get().text.endswith("is not shown any more: fewer than 2 of its votes count.")


def test_votes_that_came_in_between_are_heard(
    doubtful: Post, dresses: list[Dress], monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the arrays were read, five good people agree: what is stored decides."""
    store = refit._store

    def slow(*values: Any) -> Refit:
        for number in range(5):
            cast(doubtful, make.make_employee(f"late{number}"), dresses[2])
        return store(*values)

    monkeypatch.setattr(refit, "_store", slow)
    assert refit.refit().reopened == 0
    assert fresh(doubtful).state == Post.State.SETTLED


def test_cards_from_before_the_verdict_leave_room(doubtful: Post) -> None:
    now = timezone.now()
    for number in range(4):
        Lease.objects.create(
            post=doubtful,
            suggestion=doubtful.suggestion,
            employee=make.make_employee(f"slow{number}"),
            created_at=now,
            expires_at=now + HOUR,
        )
    refit.refit()
    held = Lease.objects.open(timezone.now())
    assert held.count() == fresh(doubtful).votes_needed < 4
    anna = make.make_employee("anna")
    assert queue.hand_out(anna) == []


# Disturbed


def many_doubtful(batch: Batch, dresses: list[Dress], count: int) -> list[Post]:
    bad = [unreliable(name) for name in ("uwe", "ute")]
    posts = make.make_open_posts(count, batch, dresses)
    for post in posts:
        for employee in bad:
            cast(post, employee, dresses[2])
        settle(post)
        publish_quietly(post)
    return posts


def publish_quietly(post: Post) -> None:
    Post.objects.filter(pk=post.pk).update(rights=Post.Rights.GRANTED)
    Look.objects.filter(post=post).update(clearance=Look.Clearance.CLEARED)


def test_killed_after_two_posts_the_next_night_does_the_rest(
    batch: Batch, dresses: list[Dress], monkeypatch: pytest.MonkeyPatch
) -> None:
    posts = many_doubtful(batch, dresses, 4)
    reopen, calls = Post.reopen, iter(range(10))

    def until_killed(post: Post, *values: Any) -> None:
        reopen(post, *values)
        if next(calls) == 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Post, "reopen", until_killed)
        with pytest.raises(KeyboardInterrupt):
            refit.refit()
    assert Post.objects.filter(state=Post.State.PROPOSED).count() == 2
    assert Refit.objects.get().reopened == Notice.objects.count() == Look.objects.public().count() == 2
    before = list(Reliability.objects.order_by("pk").values_list("estimate", flat=True))
    assert refit.refit().reopened == 2
    assert list(Reliability.objects.order_by("pk").values_list("estimate", flat=True)) == before
    assert set(Notice.objects.values_list("post", flat=True)) == {post.pk for post in posts}
    assert not Look.objects.public().exists()


@pytest.mark.concurrency
@pytest.mark.django_db(transaction=True)
def test_two_at_once_reopen_once_and_tell_once(batch: Batch, dresses: list[Dress]) -> None:
    posts = many_doubtful(batch, dresses, 6)
    rows = at_once([refit.refit, refit.refit])
    assert sum(Refit.objects.values_list("reopened", flat=True)) == len(posts) == Notice.objects.count()
    assert rows[0].prior_factors == rows[1].prior_factors
    assert Reliability.objects.count() == 2


def test_somebody_who_leaves_in_between_is_no_error(doubtful: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        refit, "estimate", lambda office, estimate=refit.estimate: leave_after(estimate(office))
    )
    refit.refit()
    assert Reliability.objects.count() == 1


def leave_after(outcome: refit.Outcome) -> refit.Outcome:
    Employee.objects.get(username="uwe").delete()
    return outcome


def test_statements_do_not_grow_with_the_posts_that_are_settled(
    batch: Batch, dresses: list[Dress], people: list[Employee]
) -> None:
    def settled(count: int) -> int:
        for post in make.make_open_posts(count, batch, dresses):
            for employee in people[:3]:
                cast(post, employee, dresses[0])
            settle(post)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            refit.refit()
        return len(queries)

    assert settled(3) == settled(20)


def test_nor_with_those_that_are_open(
    batch: Batch, dresses: list[Dress], people: list[Employee], monkeypatch: pytest.MonkeyPatch
) -> None:
    def weighed(count: int) -> int:
        for post in make.make_open_posts(count, batch, dresses):
            cast(post, people[0], dresses[0])
        with CaptureQueriesContext(connection) as queries:
            assert refit.reweigh(Post.objects.all(), timezone.now()) == Post.objects.count()
        return len(queries)

    few, many = weighed(3), weighed(20)
    assert few == many
    monkeypatch.setattr(refit, "CHUNK", 10)
    assert few < weighed(1) < 3 * few
    assert set(Post.objects.values_list("votes_cast", flat=True)) == {1}


def test_the_command_says_what_it_found(doubtful: Post, capsys: pytest.CaptureFixture[str]) -> None:
    publish(doubtful)
    call_command("refit_votes")
    said, progress = capsys.readouterr()
    assert "2 votes, 1 posts and 2 voters" in said
    assert "1 reopened" in said
    assert "Uwe" in said
    assert "Read 2 votes on 1 posts." in progress
