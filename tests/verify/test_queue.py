"""The rules of handing out, voting and skipping, one person after the other."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from tests import make
from tests.verify.voting import NONE, NOT, card, vote
from verify import queue
from verify.models import Answer, Batch, Dress, Employee, Lease, Post, Vote
from verify.models.post import RULE

pytestmark = pytest.mark.django_db
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


@pytest.fixture
def now() -> datetime:
    return timezone.now()


@pytest.fixture
def batch(now: datetime) -> Batch:
    return make.make_batch(opened_at=now - timedelta(hours=1))


@pytest.fixture
def posts(batch: Batch) -> list[Post]:
    return make.make_open_posts(5, batch)


@pytest.fixture
def one(batch: Batch) -> Post:
    return make.make_open_posts(1, batch)[0]


# Handing out


def test_a_card_shows_a_photo_and_the_offered_dresses_with_covers(one: Post, anna: Employee) -> None:
    lease = card(anna)
    assert lease.post.photo == one.photo
    assert {option.pk for option in lease.options} == set(one.suggestion.options.values_list("pk", flat=True))
    covers = dict(Dress.objects.with_cover().values_list("title", "cover_token"))
    assert {option.dress.title: option.dress.cover_token for option in lease.options} == covers


def test_options_stand_in_an_order_of_the_cards_own_that_a_reload_keeps(batch: Batch, anna: Employee) -> None:
    make.make_open_posts(12, batch)
    orders = [[option.dress.pk for option in lease.options] for lease in queue.hand_out(anna, ahead=12)]
    assert orders == [[option.dress.pk for option in lease.options] for lease in queue.hand_out(anna, 12)]
    assert len({tuple(order) for order in orders}) > 2


def test_a_card_without_options_can_be_answered_too(batch: Batch, anna: Employee) -> None:
    post = make.make_post(batch=batch)
    post.open_to_votes(make.make_suggestion(post, []))
    lease = card(anna)
    assert lease.options == []
    queue.vote(anna, lease.pk, NOT)


def test_a_visit_walks_backwards_in_time_and_wraps_round(posts: list[Post], anna: Employee) -> None:
    walk = [lease.post for lease in queue.hand_out(anna, ahead=5, seed=3)]
    start = posts.index(walk[0])
    assert walk == posts[start:] + posts[:start]


def test_visits_start_anywhere(batch: Batch) -> None:
    posts = make.make_open_posts(5, batch)
    seen = {queue.hand_out(make.make_employee(), ahead=1, seed=seed)[0].post for seed in range(10)}
    assert len(seen & set(posts)) > 2


def test_backwards_a_visit_goes_on_where_it_was_and_a_later_one_starts_anew(
    posts: list[Post], anna: Employee, now: datetime, settings: Any
) -> None:
    settings.SERVING_ORDER = "backwards"
    first = queue.hand_out(anna, ahead=1, now=now, seed=3)[0]
    second = queue.hand_out(anna, ahead=2, now=now + MINUTE, seed=99)[1]
    assert posts.index(second.post) == (posts.index(first.post) + 1) % 5
    later = now + settings.VISIT_GAP + 2 * MINUTE
    next_in_walk = posts[(posts.index(second.post) + 1) % 5]
    starts = set()
    for seed in range(12):
        Lease.objects.filter(created_at=later).delete()
        starts.add(queue.hand_out(anna, ahead=1, now=later, seed=seed)[0].post)
    assert starts - {next_in_walk}


def test_what_is_in_hand_is_kept_and_filled_up(posts: list[Post], anna: Employee) -> None:
    first = queue.hand_out(anna)
    assert queue.hand_out(anna) == first
    queue.vote(anna, first[0].pk, NOT)
    second = queue.hand_out(anna)
    assert second[0] == first[1]
    assert len(second) == 2


def test_nobody_is_handed_a_post_twice(posts: list[Post], anna: Employee, now: datetime) -> None:
    """Not after a vote, a skip, or when a card has expired."""
    leases = queue.hand_out(anna, ahead=3, now=now)
    queue.vote(anna, leases[0].pk, NOT, now=now)
    queue.skip(anna, leases[1].pk)
    later = queue.hand_out(anna, ahead=5, now=now + settings.LEASE + SECOND)
    assert len(later) == 2
    assert not {lease.post for lease in later} & {lease.post for lease in leases}


@pytest.mark.parametrize("order", ["finish", "backwards"])
def test_a_retired_dress_is_on_no_new_card_unless_somebody_has_voted(
    posts: list[Post], anna: Employee, ben: Employee, settings: Any, order: str
) -> None:
    settings.SERVING_ORDER = order
    [card] = queue.hand_out(anna, ahead=1)
    Dress.objects.get(pk=card.options[0].dress_id).retire()
    assert queue.hand_out(ben, ahead=5) == []
    queue.vote(anna, card.pk, NOT)
    assert [lease.post for lease in queue.hand_out(ben, ahead=5)] == [card.post]


def test_a_vote_without_a_card_counts_as_seen(one: Post, anna: Employee, now: datetime) -> None:
    Vote.objects.create(post=one, employee=anna, suggestion=one.suggestion, answer=NOT, created_at=now)
    assert queue.hand_out(anna) == []


def test_open_cards_never_exceed_the_votes_needed(one: Post, now: datetime) -> None:
    people = [make.make_employee() for _ in range(4)]
    handed = [queue.hand_out(person, now=now) for person in people]
    assert [len(leases) for leases in handed] == [1, 1, 0, 0]
    after_expiry = now + settings.LEASE + SECOND
    assert len(queue.hand_out(people[2], now=after_expiry)) == 1


def test_a_dissenting_vote_makes_room_for_more(one: Post, anna: Employee, ben: Employee) -> None:
    vote(anna, NOT)
    vote(ben, NONE)
    one.refresh_from_db()
    assert one.settles_at is None
    assert one.votes_needed >= 1
    assert len(queue.hand_out(make.make_employee())) == 1


@pytest.mark.parametrize("change", [{"state": Post.State.DISPUTED}, {"batch": None}])
def test_only_open_posts_of_the_open_batch_are_handed_out(one: Post, anna: Employee, change: dict) -> None:
    Post.objects.filter(pk=one.pk).update(**change)
    assert queue.hand_out(anna) == []


def test_a_frozen_batch_hands_nothing_out_but_keeps_what_is_in_hand(
    posts: list[Post], batch: Batch, anna: Employee, ben: Employee, now: datetime
) -> None:
    in_hand = queue.hand_out(anna, now=now)
    batch.freeze(now)
    assert queue.hand_out(ben, now=now) == []
    assert queue.hand_out(anna, now=now + MINUTE) == in_hand


def test_without_a_batch_there_is_nothing(anna: Employee) -> None:
    assert queue.hand_out(anna) == []
    assert queue.progress(anna) == queue.Progress(0, 0, 0)


# Voting


def test_a_vote_moves_the_posterior_and_the_need(one: Post, anna: Employee, now: datetime) -> None:
    before, lease = one.posterior[NOT], card(anna, now)
    vote = queue.vote(anna, lease.pk, NOT, now=now)
    one.refresh_from_db()
    lease.refresh_from_db()
    assert (vote.post, vote.employee, vote.answer, vote.created_at) == (one, anna, NOT, now)
    assert one.posterior[NOT] > before
    assert (one.votes_cast, one.votes_needed, lease.outcome) == (1, 1, Lease.Outcome.VOTED)


def test_a_deciding_vote_settles_when_it_can_no_longer_be_undone(
    one: Post, anna: Employee, ben: Employee, now: datetime
) -> None:
    lease = card(anna, now)
    option = lease.options[0]
    queue.vote(anna, lease.pk, Answer.DRESS, option.dress_id, now=now)
    queue.vote(ben, card(ben, now).pk, Answer.DRESS, option.dress_id, now=now)
    one.refresh_from_db()
    assert (one.state, one.settles_at, one.votes_needed) == (Post.State.PROPOSED, now + settings.UNDO, 0)
    one.settle(now + settings.UNDO)
    one.refresh_from_db()
    assert (one.state, one.answer, one.dress) == (Post.State.SETTLED, Answer.DRESS, option.dress)
    assert one.confidence >= RULE.threshold


def test_nine_votes_without_agreement_go_to_an_admin(one: Post, now: datetime) -> None:
    dresses = [option.dress_id for option in one.suggestion.options.all()]
    answers = [(NOT, None), (NONE, None), *((Answer.DRESS, pk) for pk in dresses)] * 2
    for answer, dress in answers[:9]:
        person = make.make_employee()
        queue.vote(person, card(person, now).pk, answer, dress, now=now)
    one.refresh_from_db()
    assert (one.votes_cast, one.votes_needed, one.settles_at) == (9, 0, now + settings.UNDO)
    one.settle(now + settings.UNDO)
    assert (one.state, one.trouble) == (Post.State.DISPUTED, "9 votes, and no answer sure enough.")


def test_somebody_elses_card_is_refused(one: Post, anna: Employee, ben: Employee) -> None:
    lease = card(anna)
    with pytest.raises(queue.LeaseNotFound):
        queue.vote(ben, lease.pk, NOT)
    with pytest.raises(queue.LeaseNotFound):
        queue.skip(ben, lease.pk)
    with pytest.raises(queue.LeaseNotFound, match="gone"):
        queue.vote(anna, 2**63 - 1, NOT)


def test_a_second_answer_is_refused(one: Post, anna: Employee) -> None:
    lease = card(anna)
    queue.vote(anna, lease.pk, NOT)
    for again in (lambda: queue.vote(anna, lease.pk, NONE), lambda: queue.skip(anna, lease.pk)):
        with pytest.raises(queue.AlreadyVoted, match="already"):
            again()
    assert Vote.objects.count() == 1


def test_what_is_not_on_the_card_is_refused(posts: list[Post], anna: Employee) -> None:
    first, _ = queue.hand_out(anna)
    wrong = [
        (Answer.DRESS, make.make_dress().pk),
        (Answer.DRESS, None),
        (Answer.DRESS, 2**63 - 1),
        (NOT, first.options[0].dress_id),
        ("perhaps", None),
    ]
    for answer, dress in wrong:
        with pytest.raises(queue.OptionNotOffered):
            queue.vote(anna, first.pk, answer, dress)
    assert not Vote.objects.exists()


def test_a_settled_post_takes_no_more_votes(one: Post, anna: Employee) -> None:
    lease = card(anna)
    one.override(NOT, None, make.make_admin())
    with pytest.raises(queue.PostAlreadySettled):
        queue.vote(anna, lease.pk, NOT)


def test_a_dress_retired_while_on_the_screen_can_be_voted_for(one: Post, anna: Employee) -> None:
    lease = card(anna)
    lease.options[0].dress.retire()
    assert queue.vote(anna, lease.pk, Answer.DRESS, lease.options[0].dress_id).pk


def test_an_expired_card_is_honoured_while_there_is_room(
    one: Post, anna: Employee, ben: Employee, now: datetime
) -> None:
    lease = card(anna, now)
    late = now + settings.LEASE + SECOND
    card(ben, late)
    assert queue.vote(anna, lease.pk, NOT, now=late).pk


def test_an_expired_card_is_refused_once_others_have_taken_over(
    one: Post, anna: Employee, ben: Employee, now: datetime
) -> None:
    lease = card(anna, now)
    late = now + settings.LEASE + SECOND
    card(ben, late), card(make.make_employee(), late)
    with pytest.raises(queue.LeaseExpired):
        queue.vote(anna, lease.pk, NOT, now=late)


def test_a_card_whose_options_were_proposed_anew_is_refused(one: Post, anna: Employee, now: datetime) -> None:
    lease = card(anna, now - settings.LEASE - MINUTE)
    one.open_to_votes(make.make_suggestion(one, []))
    with pytest.raises(queue.LeaseExpired):
        queue.vote(anna, lease.pk, NOT, now=now)


def test_cards_from_before_the_freeze_are_honoured_for_ten_minutes(
    posts: list[Post], batch: Batch, anna: Employee, now: datetime
) -> None:
    first, second = queue.hand_out(anna, now=now)
    batch.freeze(now + MINUTE)
    assert queue.vote(anna, first.pk, NOT, now=now + 11 * MINUTE).pk
    with pytest.raises(queue.BatchFrozen, match="Too late"):
        queue.vote(anna, second.pk, NOT, now=now + 11 * MINUTE + SECOND)


def test_a_deleted_voters_votes_stay(one: Post, anna: Employee) -> None:
    vote(anna)
    anna.delete()
    assert Vote.objects.get().employee is None
    assert len(queue.hand_out(make.make_employee())) == 1


# Skipping


def test_a_skip_frees_the_place(one: Post, anna: Employee, ben: Employee) -> None:
    lease = card(anna)
    queue.skip(anna, lease.pk)
    one.refresh_from_db()
    assert (one.votes_cast, one.votes_needed) == (0, 2)
    assert queue.hand_out(anna) == []
    assert len(queue.hand_out(ben)) == 1
    assert len(queue.hand_out(make.make_employee())) == 1


def test_the_same_skip_sent_twice_counts_once(one: Post, anna: Employee) -> None:
    lease = card(anna)
    for _ in range(3):
        assert queue.skip(anna, lease.pk) == lease
    one.refresh_from_db()
    assert one.state == Post.State.PROPOSED
    with pytest.raises(queue.AlreadyVoted):
        queue.vote(anna, lease.pk, NOT)


def test_three_skips_send_it_to_an_admin(one: Post) -> None:
    holder = make.make_employee()
    held = card(holder)
    for number in range(3):
        one.refresh_from_db()
        assert one.state == Post.State.PROPOSED, f"after {number} skips"
        person = make.make_employee()
        queue.skip(person, card(person).pk)
    one.refresh_from_db()
    assert (one.state, one.trouble) == (Post.State.DISPUTED, "Skipped by 3 people.")
    with pytest.raises(queue.PostAlreadySettled):
        queue.vote(holder, held.pk, NOT)


# Numbers


def test_progress_counts_todays_votes_and_finished_posts(
    posts: list[Post], batch: Batch, anna: Employee, ben: Employee, now: datetime
) -> None:
    now = now.replace(hour=12)
    posts[0].override(NOT, None, make.make_admin())
    posts[1].dispute("A riddle.")
    for number in range(2):
        vote(anna, NOT, now + number * SECOND)
    Vote.objects.filter(pk=Vote.objects.earliest("pk").pk).update(created_at=now - timedelta(days=1))
    assert queue.progress(anna, now=now) == queue.Progress(today=1, settled=2, total=5)
    assert queue.progress(ben, batch, now=now) == queue.Progress(today=0, settled=2, total=5)
    assert queue.streak(anna, now=now) == 2
