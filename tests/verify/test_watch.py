"""Fair play, watched: who is muted, who is told, and what an admin's word is worth."""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests import make
from tests.verify.office import NONE, NOT, answer_gold, cast, settle
from tests.verify.players import at_once
from verify import queue, refit, rotation, scoring, watch
from verify.fairplay import Choice
from verify.models import Answer, Dress, Employee, Lease, Notice, Post, Reliability, Vote

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)
PACE = timedelta(seconds=3)
YESTERDAY = timezone.now() - watch.RECENT


@pytest.fixture
def dresses() -> list[Dress]:
    return [make.make_dress() for _ in range(3)]


@pytest.fixture
def posts(dresses: list[Dress]) -> list[Post]:
    return make.make_open_posts(50, make.make_batch(), dresses)


def press(
    employee: Employee,
    posts: list[Post],
    places: Iterator[int] | None = None,
    at: datetime | None = None,
    every: timedelta = PACE,
    **fields: Any,
) -> None:
    """Votes, from ``at`` on, for the options at these places of the cards, the first of all by default."""
    at = at or timezone.now() - 10 * MINUTE
    leases = Lease.objects.bulk_create(
        Lease(
            post=post,
            employee=employee,
            suggestion=post.suggestion,
            outcome="voted",
            created_at=at,
            expires_at=at + MINUTE,
        )
        for post in posts
    )
    values = {"answer": Answer.DRESS, "dealt_at": at, **fields}
    options = [queue.shuffled(lease.pk, lease.suggestion.options.all()) for lease in leases]
    chosen = [shown[next(places) if places else 0] for shown in options]
    Vote.objects.bulk_create(
        Vote(
            post=lease.post,
            suggestion=lease.suggestion,
            employee=employee,
            option=option if values["answer"] == Answer.DRESS else None,
            created_at=at + number * every,
            **values,
        )
        for number, (lease, option) in enumerate(zip(leases, chosen, strict=True), start=1)
    )


def honest() -> Iterator[int]:
    rng = random.Random(1)
    return iter(lambda: rng.randrange(3), None)


def muted() -> list[str]:
    return list(Reliability.objects.muted().values_list("employee__username", flat=True))


def test_the_place_pressed_is_known_although_options_are_shuffled(anna: Employee, posts: list[Post]) -> None:
    press(anna, posts[:4], iter([2, 0, 1, 1]))
    places = sorted(choice.place for choice in watch.records(YESTERDAY)[anna.pk].choices)
    assert places == [0, 1, 1, 2]


def test_who_always_presses_the_first_option_is_muted_and_an_admin_told_once(
    anna: Employee, posts: list[Post]
) -> None:
    press(anna, posts)
    assert watch.watch() == 1
    assert watch.watch() == 0
    notice = Notice.objects.get()
    assert (notice.kind, notice.employee, notice.post) == (Notice.Kind.VOTER_MUTED, anna, None)
    assert notice.text == (
        "The votes of Anna weigh nothing from now on. "
        "Option 1 was chosen 50 times in 50, though they are shuffled."
    )
    assert anna.reliability.muted_because.startswith("Option 1 was chosen 50 times")


def test_the_votes_of_who_is_muted_leave_the_open_posts_at_once(anna: Employee, posts: list[Post]) -> None:
    ben = make.make_employee("ben")
    press(anna, posts)
    cast(posts[0], ben, NOT)
    for post in posts[:2]:
        post.recount(timezone.now())
    watch.watch()
    first, second = (Post.objects.get(pk=post.pk) for post in posts[:2])
    assert (first.votes_cast, second.votes_cast) == (1, 0)
    assert second.posterior == pytest.approx(second.suggestion.prior())


def test_who_looks_is_left_alone(anna: Employee, posts: list[Post]) -> None:
    press(anna, posts, honest(), viewed_ms=1500, right=True)
    assert watch.watch() == 0
    assert not Reliability.objects.exists()


def test_a_glance_is_too_short(anna: Employee, posts: list[Post]) -> None:
    press(anna, posts[:29], honest(), viewed_ms=300)
    assert watch.watch() == 0
    press(anna, posts[29:30], honest(), viewed_ms=300)
    assert watch.watch() == 1


@pytest.mark.parametrize("viewed_ms", [None, 5_000], ids=["nothing", "five seconds"])
def test_a_script_is_found_by_the_time_between_its_answers(
    anna: Employee, posts: list[Post], viewed_ms: int | None
) -> None:
    press(anna, posts, honest(), every=PACE / 15, viewed_ms=viewed_ms)
    assert watch.watch() == 1
    assert anna.reliability.muted_because == (
        "Half of the last 30 cards were on the screen for 0.20 s or less."
    )


def test_without_script_nobody_says_how_long_they_looked(anna: Employee, posts: list[Post]) -> None:
    press(anna, posts, honest())
    assert watch.watch() == 0


def test_answers_that_waited_in_a_tunnel_are_no_glances(anna: Employee, posts: list[Post]) -> None:
    """Four cards in hand, answered two seconds apart and delivered together, again and again."""
    start = timezone.now() - 30 * MINUTE
    for number in range(12):
        burst = posts[4 * number : 4 * number + 4]
        press(anna, burst, honest(), start + number * MINUTE, viewed_ms=2_000)
        Vote.objects.filter(post__in=burst).update(created_at=start + number * MINUTE + 5 * PACE)
    assert watch.records(YESTERDAY)[anna.pk].viewed_ms == [2_000] * 48
    assert watch.watch() == 0


def test_answers_of_before_cards_were_dealt_ahead_tell_no_time(anna: Employee, posts: list[Post]) -> None:
    press(anna, posts, honest())
    Vote.objects.update(created_at=F("dealt_at"))
    assert watch.records(YESTERDAY)[anna.pk].viewed_ms == []


@pytest.mark.parametrize("answer", [NOT, NONE])
def test_who_presses_one_key_whatever_is_shown(anna: Employee, posts: list[Post], answer: str) -> None:
    press(anna, posts[:40], answer=answer)
    dress = posts[0].suggestion.options.get(rank=0).dress
    said = {"state": "settled", "dress": dress, "answer": "dress", "settled_at": timezone.now()}
    Post.objects.filter(pk__in=[post.pk for post in posts[:5]]).update(**said)
    assert watch.watch() == 0
    Post.objects.filter(pk__in=[post.pk for post in posts[:30]]).update(**said)
    assert watch.watch() == 1
    assert "whatever the photos show" in anna.reliability.muted_because


def test_what_a_card_showed_is_held_against_verdict_or_model(
    anna: Employee, posts: list[Post], dresses: list[Dress]
) -> None:
    press(anna, posts[:4], answer=NONE)
    settled = {"state": "settled", "settled_at": timezone.now()}
    for post, verdict in zip(posts, (dresses[0], make.make_dress(), None), strict=False):
        answer = "dress" if verdict else NOT
        Post.objects.filter(pk=post.pk).update(answer=answer, dress=verdict, **settled)
    offered, elsewhere, no_dress, open_still = watch.records(YESTERDAY)[anna.pk].cards
    assert [dict(card.shares) for card in (offered, elsewhere, no_dress)] == [
        {NOT: 0, NONE: 0},
        {NOT: 0, NONE: 1},
        {NOT: 1, NONE: 0},
    ]
    assert open_still.shares == {NOT: 0.2, NONE: pytest.approx(0.15)}
    assert [card.judged for card in (offered, elsewhere, no_dress, open_still)] == [True] * 3 + [False]


def test_wrong_gold_and_wrong_verdicts(posts: list[Post]) -> None:
    ben, cem, dora = (make.make_employee(name) for name in ("ben", "cem", "dora"))
    answer_gold(ben, 1, 11)
    press(cem, posts, honest(), right=False)
    answer_gold(dora, 0, 12, training=True)
    assert watch.watch() == 2
    assert sorted(muted()) == ["ben", "cem"]
    assert set(Reliability.objects.values_list("muted_because", flat=True)) == {
        "1 of 12 cards with a known answer were right.",
        "0 of 50 answers agree with the verdict.",
    }


def test_the_interval_of_the_re_fit(anna: Employee, posts: list[Post]) -> None:
    press(anna, posts[:5], honest())
    Reliability.objects.create(employee=anna, right=8, wrong=30, estimate=0.2, low=0.1, high=0.4)
    watch.watch()
    assert Reliability.objects.get().muted_because == "The reliability is 40% at most."


def test_what_an_admin_has_forgiven_mutes_no_more(anna: Employee, posts: list[Post]) -> None:
    press(anna, posts[:40], right=False, viewed_ms=100)
    answer_gold(anna, 0, 20)
    refit.refit()
    assert watch.watch() == 1
    anna.reliability.unmute(timezone.now())
    assert watch.watch() == 0
    at = timezone.now() + MINUTE
    press(anna, posts[40:], at=at)
    assert watch.watch(at) == 0
    record = watch.records(YESTERDAY)[anna.pk]
    assert (len(record.choices), record.gold_seen, record.judged, record.high) == (10, 0, 0, 1)
    press(anna, more_posts(posts), at=at + MINUTE)
    assert watch.watch(at) == 1
    assert Notice.objects.count() == 1


def test_what_was_said_or_judged_while_muted_counts_once_an_admin_lets_it(
    anna: Employee, posts: list[Post]
) -> None:
    now, (before, meanwhile, open_still) = timezone.now(), posts[:3]
    Reliability.objects.create(employee=anna, muted_at=now - 30 * MINUTE, muted_because="Too fast.")
    cast(before, anna, NOT)
    for post in (meanwhile, open_still):
        cast(post, anna, NOT, counted=False)
    colleagues = [make.make_employee(name) for name in ("ben", "cem")]
    for post in (before, meanwhile):
        for colleague in colleagues:
            cast(post, colleague, NOT)
        settle(post)
    rotation.settle_due(now)
    assert set(anna.votes.values_list("right", "points")) == {(True, None), (None, None)}
    assert watch.unmute(anna.pk, now)
    rotation.settle_due(now)
    assert not anna.votes.filter(counted=False).exists()
    assert anna.votes.filter(points__gte=scoring.RIGHT).count() == 2
    assert Post.objects.get(pk=open_still.pk).votes_cast == 1


def more_posts(posts: list[Post]) -> list[Post]:
    dresses = [option.dress for option in posts[0].suggestion.options.all()]
    return make.make_open_posts(30, posts[0].batch, dresses)


def test_a_dress_named_later_has_no_place_and_moves_none(anna: Employee, posts: list[Post]) -> None:
    """The card had three options; that there are four by now changes nothing about it."""
    press(anna, posts[:3], iter([0, 1, 2]))
    for post in posts[:4]:
        post.suggestion.offer(make.make_dress(), anna, timezone.now())
    named = posts[3].suggestion.options.get(named=True)
    cast(posts[3], anna, named.dress)
    choices = watch.records(YESTERDAY)[anna.pk].choices
    assert sorted(choices, key=lambda choice: choice.place) == [Choice(place, 3) for place in range(3)]


def test_only_the_last_ones_count_and_only_of_those_who_play(
    anna: Employee, posts: list[Post], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch.fairplay, "WINDOW", 5)
    press(anna, posts[:10])
    now = timezone.now()
    assert len(watch.records(YESTERDAY)[anna.pk].choices) == 5
    assert watch.records(now) == {}


def test_the_night_looks_further_back_than_the_day(anna: Employee, posts: list[Post]) -> None:
    press(anna, posts, at=timezone.now() - 5 * watch.RECENT)
    assert watch.watch() == 0
    assert watch.watch(recent=watch.MONTH) == 1


def test_the_votes_of_somebody_who_left_are_nobodys(anna: Employee, posts: list[Post]) -> None:
    press(anna, posts)
    anna.delete()
    assert watch.watch() == 0


def test_somebody_who_leaves_in_between_is_no_error(
    anna: Employee, posts: list[Post], monkeypatch: pytest.MonkeyPatch
) -> None:
    press(anna, posts)
    found = watch.records(YESTERDAY)
    anna.delete()
    monkeypatch.setattr(watch, "records", lambda recent: found)
    assert watch.watch() == 0


def test_the_figures_take_two_statements_however_many_play(posts: list[Post]) -> None:
    for name in ("ben", "cem", "dora"):
        press(make.make_employee(name), posts[:5])
    with CaptureQueriesContext(connection) as queries:
        assert len(watch.records(YESTERDAY)) == 3
    assert len(queries) == 2


@pytest.mark.concurrency
@pytest.mark.django_db(transaction=True)
def test_two_watches_at_once_mute_once() -> None:
    anna = make.make_employee("anna")
    press(anna, make.make_open_posts(50, make.make_batch()))
    assert sorted(at_once([watch.watch, watch.watch])) == [0, 1]
    assert Notice.objects.count() == 1
