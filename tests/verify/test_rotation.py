"""The night: what one rotation does, and what it leaves."""

import json
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.utils import timezone

from tests import make
from verify import queue, rotation
from verify.models import Answer, Batch, Dress, Look, Post
from verify.models.post_queryset import AlreadyInPlay

pytestmark = pytest.mark.django_db
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
NOT = Answer.NOT_A_DRESS


@pytest.fixture
def now() -> datetime:
    return timezone.now().replace(hour=3, minute=0)


@pytest.fixture(autouse=True)
def small_batches(settings: pytest.FixtureRequest) -> None:
    settings.BATCH_SIZE = 4


def opened(now: datetime, count: int = 4) -> tuple[Batch, list[Post]]:
    """A batch of yesterday's and its posts, newest first."""
    batch = make.make_batch(opened_at=now - 24 * HOUR)
    return batch, make.make_open_posts(count, batch)


def vote(post: Post, at: datetime, *answers: str) -> None:
    """Somebody new votes, for each answer: an `Answer`, or "first" for the first option."""
    for answer in answers:
        employee = make.make_employee()
        pick = post.suggestion.options.first().dress_id if answer == "first" else None
        lease = next(lease for lease in queue.hand_out(employee, 99, at) if lease.post == post)
        queue.vote(employee, lease.pk, Answer.DRESS if pick else answer, pick, now=at)
        employee.leases.exclude(pk=lease.pk).delete()


def refreshed(posts: list[Post]) -> list[Post]:
    return [Post.objects.get(pk=post.pk) for post in posts]


def test_the_first_batch_is_the_newest_posts(now: datetime) -> None:
    posts = make.make_open_posts(6)
    done = rotation.rotate(now=now)
    assert (done.frozen, done.opened, done.nothing_to_open) == (False, 4, False)
    assert list(Batch.objects.get().posts.all()) == posts[:4]
    assert done.in_words() == ["Opened a batch with 4 posts new to it."]


def test_with_nothing_to_open_it_says_so(now: datetime) -> None:
    make.make_post()
    done = rotation.rotate(now=now)
    assert done.in_words() == ["Nothing to open: no post is ready for a batch."]
    assert not Batch.objects.exists()


def test_a_batch_that_nobody_touched_stays(now: datetime) -> None:
    batch, _ = opened(now)
    make.make_open_posts(2)
    done = rotation.rotate(now=now)
    assert (done.frozen, done.opened) == (False, None)
    assert "no vote yet: it stays" in done.in_words()[0]
    assert Batch.objects.get() == batch


def test_a_night_settles_publishes_carries_over_and_opens(now: datetime) -> None:
    batch, (dress, puppy, half, untouched) = opened(now)
    fresh = make.make_open_posts(6)
    vote(dress, now - HOUR, "first", "first")
    vote(puppy, now - 2 * MINUTE, NOT, NOT)
    vote(half, now - HOUR, NOT)
    done = rotation.rotate(now=now)
    assert (done.frozen, done.settled, done.published, done.carried) == (True, 2, 1, 2)
    assert (done.closed, done.opened, done.waiting_until) == (True, 4, None)
    batch.refresh_from_db()
    assert (batch.state, batch.frozen_at, batch.closed_at) == (Batch.State.CLOSED, now, now)
    dress, puppy, half, untouched = refreshed([dress, puppy, half, untouched])
    assert (dress.answer, dress.settled_at, puppy.answer) == (Answer.DRESS, now, NOT)
    assert (dress.look.dress, dress.look.clearance) == (dress.dress, Look.Clearance.WAITING)
    following = Batch.objects.open().get()
    assert set(following.posts.all()) == {half, untouched, *fresh[:4]}
    assert (half.votes_cast, half.votes.count(), half.votes_needed) == (1, 1, 1)


def test_looks_are_cleared_where_the_setting_says_so(now: datetime, settings: pytest.FixtureRequest) -> None:
    settings.CLEAR_LOOKS_AUTOMATICALLY = True
    _, (post, *_) = opened(now)
    vote(post, now - HOUR, "first", "first")
    rotation.rotate(now=now)
    look = Look.objects.get()
    assert (look.clearance, look.cleared_at, look.cleared_by) == (Look.Clearance.CLEARED, now, None)


def test_the_second_call_of_a_night_changes_nothing(now: datetime) -> None:
    _, (post, *_) = opened(now)
    make.make_open_posts(6)
    vote(post, now - HOUR, "first", "first")
    rotation.rotate(now=now)
    before = list(Batch.objects.values()), list(Post.objects.values())
    again = rotation.rotate(now=now + MINUTE)
    assert (again.frozen, again.settled, again.published, again.carried, again.opened) == (
        *(False, 0, 0, 0),
        None,
    )
    assert (list(Batch.objects.values()), list(Post.objects.values())) == before


def test_nor_does_it_when_somebody_has_voted_in_between_if_the_day_is_given(now: datetime) -> None:
    _, (post, *_) = opened(now)
    make.make_open_posts(6)
    vote(post, now - HOUR, NOT)
    assert rotation.rotate(on=now.date(), now=now).frozen
    vote(Batch.objects.open().get().posts.first(), now + 2 * HOUR, NOT)
    again = rotation.rotate(on=now.date(), now=now + 3 * HOUR)
    assert not again.frozen
    assert "was not open before" in again.kept


@pytest.mark.parametrize(("on", "frozen"), [(date(1990, 1, 1), False), (date(2990, 1, 1), True)])
def test_any_date_is_defined(now: datetime, on: date, frozen: bool) -> None:
    _, (post, *_) = opened(now)
    vote(post, now - HOUR, NOT)
    assert rotation.rotate(on=on, now=now).frozen == frozen


def test_three_days_late_is_one_night(now: datetime) -> None:
    _, (dress, *_) = opened(now)
    make.make_open_posts(2)
    vote(dress, now - HOUR, "first", "first")
    done = rotation.rotate(on=(now + 72 * HOUR).date(), now=now + 72 * HOUR)
    assert (done.settled, done.published, done.carried, done.opened) == (1, 1, 3, 2)
    assert Batch.objects.open().get().posts.count() == 5


def test_cards_on_screens_are_waited_for_while_the_next_batch_is_open_already(now: datetime) -> None:
    _, (post, other) = opened(now, count=2)
    fresh = make.make_open_posts(2)
    vote(post, now - HOUR, "first", "first")
    anna = make.make_employee("anna")
    [lease] = queue.hand_out(anna, now=now - MINUTE)
    done = rotation.rotate(now=now)
    assert done.waiting_until == now - MINUTE + settings.LEASE
    assert (done.frozen, done.settled, done.published, done.opened, done.closed) == (True, 1, 1, 2, False)
    assert f"until {done.waiting_until:%H:%M}" in done.in_words()[-1]
    queue.vote(anna, lease.pk, NOT, now=now + 2 * MINUTE)
    done = rotation.finish(now + 3 * MINUTE)
    assert (done.closed, done.carried, done.waiting_until) == (True, 1, None)
    other.refresh_from_db()
    assert (other.votes_cast, other.batch) == (1, Batch.objects.open().get())
    assert set(other.batch.posts.all()) == {other, *fresh}


def test_a_vote_of_the_old_batch_does_not_make_the_new_one_a_touched_one(now: datetime) -> None:
    _, (post, _) = opened(now, count=2)
    make.make_open_posts(2)
    vote(post, now - HOUR, NOT)
    anna = make.make_employee("anna")
    lease, *_ = queue.hand_out(anna, now=now - MINUTE)
    rotation.rotate(now=now)
    queue.vote(anna, lease.pk, Answer.NONE_OF_THESE, now=now + MINUTE)
    rotation.rotate(now=now + 11 * MINUTE)
    again = rotation.rotate(now=now + 12 * MINUTE)
    assert (again.frozen, Batch.objects.count()) == (False, 2)


def test_a_card_that_nobody_answers_is_waited_for_ten_minutes(now: datetime) -> None:
    _, (post, _) = opened(now, count=2)
    vote(post, now - HOUR, NOT)
    queue.hand_out(make.make_employee(), ahead=2, now=now)
    assert rotation.rotate(now=now).waiting_until == now + settings.LEASE
    done = rotation.rotate(now=now + settings.LEASE)
    assert (done.closed, done.carried) == (True, 2)


def test_unfinished_posts_get_a_batch_together_with_what_is_new_by_then(now: datetime) -> None:
    """Nothing was there to open at the freeze; when the last card is back, there is."""
    _, (post, _) = opened(now, count=2)
    vote(post, now - HOUR, NOT)
    queue.hand_out(make.make_employee(), ahead=2, now=now)
    assert rotation.rotate(now=now).nothing_to_open
    make.make_open_posts(6)
    done = rotation.finish(now + settings.LEASE)
    assert (done.carried, done.opened) == (2, 4)
    assert Batch.objects.open().get().posts.count() == 6


def test_disputed_posts_stay_and_block_nothing(now: datetime) -> None:
    batch, (riddle, post) = opened(now, count=2)
    vote(post, now - HOUR, NOT, NOT)
    riddle.refresh_from_db()
    riddle.dispute("A riddle.")
    done = rotation.rotate(now=now)
    assert (done.closed, done.carried, done.nothing_to_open) == (True, 0, True)
    riddle.refresh_from_db()
    assert (riddle.batch, riddle.state) == (batch, Post.State.DISPUTED)


def test_a_batch_with_nothing_left_to_vote_on_goes(now: datetime) -> None:
    """Although nobody voted: an admin has settled all of it, or it was emptied."""
    _, (post,) = opened(now, count=1)
    make.make_open_posts(1)
    post.override(NOT, None, make.make_admin())
    assert rotation.rotate(now=now).closed
    Batch.objects.open().get().posts.all().delete()
    assert rotation.rotate(now=now).closed


def test_what_an_admin_settled_is_published_once(now: datetime) -> None:
    _, (post, other) = opened(now, count=2)
    post.override(Answer.DRESS, make.make_dress(), make.make_admin())
    vote(other, now - HOUR, NOT)
    assert rotation.rotate(now=now).published == 0
    assert Look.objects.get().post == post


def test_what_was_settled_in_no_batch_is_published_too(now: datetime) -> None:
    """Reopened when no batch was open, and decided by the votes that it had."""
    _, (post, other) = opened(now, count=2)
    vote(post, now - HOUR, "first", "first")
    vote(other, now - HOUR, NOT)
    Post.objects.filter(pk=post.pk).update(batch=None)
    rotation.settle_due(now)
    assert rotation.rotate(now=now).published == 1
    assert Look.objects.get().post == post


def test_settle_due_waits_for_the_undo(now: datetime) -> None:
    _, (post, *_) = opened(now)
    vote(post, now, NOT, NOT)
    assert rotation.settle_due(now + settings.UNDO - MINUTE / 60) == 0
    assert rotation.settle_due(now + settings.UNDO) == 1
    assert rotation.settle_due(now + settings.UNDO) == 0
    assert refreshed([post])[0].state == Post.State.SETTLED


# Verdicts and looks


def override(post: Post) -> Callable[[str, Dress | None], None]:
    admin = make.make_admin(f"admin{post.pk}")
    return lambda answer, dress=None: post.override(answer, dress, admin)


def test_a_look_follows_the_verdict() -> None:
    post, red, blue = make.make_post(), make.make_dress(), make.make_dress()
    decide = override(post)
    decide(Answer.DRESS, red)
    look = Look.objects.get()
    assert (post.state, post.confidence, look.dress) == (Post.State.SETTLED, 1.0, red)
    look.decide(Look.Clearance.CLEARED, post.settled_by)
    decide(Answer.DRESS, red)
    look.refresh_from_db()
    assert look.clearance == Look.Clearance.CLEARED
    decide(Answer.DRESS, blue)
    look.refresh_from_db()
    assert (look.dress, look.clearance, look.cleared_by) == (blue, Look.Clearance.WAITING, None)
    decide(NOT)
    assert not Look.objects.exists()
    assert (post.dress, post.answer) == (None, NOT)


@pytest.mark.parametrize("answer", [Answer.DRESS, "perhaps"])
def test_a_verdict_without_its_dress_is_refused(answer: str) -> None:
    with pytest.raises(ValueError, match=r"dress|perhaps"):
        override(make.make_post())(answer)


def test_options_change_only_while_nobody_has_judged_them(now: datetime) -> None:
    _, (post, voted) = opened(now, count=2)
    post.open_to_votes(make.make_suggestion(post, []))
    assert post.suggestion.options.count() == 0
    vote(voted, timezone.now(), NOT)
    queue.hand_out(make.make_employee())
    for closed in (post, voted):
        with pytest.raises(AlreadyInPlay):
            closed.open_to_votes(make.make_suggestion(closed, []))


# The command


def test_the_command_says_what_it_did_and_writes_it(
    now: datetime, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make.make_open_posts(2)
    call_command("rotate_batch", "--on", "2026-06-01", "--json", str(tmp_path / "done.json"))
    assert capsys.readouterr().out == "Opened a batch with 2 posts new to it.\n"
    assert json.loads((tmp_path / "done.json").read_text())["opened"] == 2


def test_the_command_refuses_a_bad_date_and_a_bad_path(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="'tomorrow' is no date: expected YYYY-MM-DD"):
        call_command("rotate_batch", "--on", "tomorrow")
    with pytest.raises(CommandError, match="cannot be written"):
        call_command("rotate_batch", "--json", str(tmp_path / "missing" / "done.json"))


def test_a_look_goes_when_its_post_turns_out_to_show_no_dress() -> None:
    first = make.make_batch()
    [post] = make.make_open_posts(1, first)
    post.override("dress", make.make_dress(), make.make_admin())
    assert Look.objects.filter(post=post).exists()
    post.reopen(timezone.now(), first)
    for _ in range(2):
        employee = make.make_employee()
        queue.vote(employee, queue.hand_out(employee)[0].pk, Answer.NOT_A_DRESS)
    rotation.rotate()
    rotation.finish(timezone.now() + settings.LEASE)
    assert Post.objects.get().answer == Answer.NOT_A_DRESS
    assert not Look.objects.exists()
