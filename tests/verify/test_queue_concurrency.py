"""Many people at once, on real connections: no surplus vote, no lost vote, never too many cards out."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
from django.db import connection, transaction
from django.db.models import Count, F, Q
from django.utils import timezone

from tests import make
from tests.verify.players import Player, at_once
from verify import consensus, queue, second_thoughts
from verify.models import Answer, Batch, Lease, Post, Vote
from verify.models.post import RULE

pytestmark = [pytest.mark.concurrency, pytest.mark.django_db(transaction=True)]
PEOPLE = 32


def too_many_cards_out() -> list[int]:
    """Posts, in one snapshot, that more people hold than are needed."""
    out = Count("leases", filter=Q(leases__outcome="open", leases__expires_at__gt=timezone.now()))
    return list(Post.objects.annotate(out=out).filter(out__gt=F("votes_needed")).values_list("pk", flat=True))


def watched(done: Event) -> list[int]:
    found: list[int] = []
    while not done.wait(0.01) and not found:
        found = too_many_cards_out()
    return found


def play_together(players: list[Player]) -> list[int]:
    """Everybody plays; returns the posts that at any moment had too many cards out."""
    done = Event()
    with ThreadPoolExecutor(1) as pool:
        watch = pool.submit(lambda: (watched(done), connection.close())[0])
        try:
            at_once([player.play for player in players])
        finally:
            done.set()
        return watch.result(timeout=60)


def play_to_the_end(players: list[Player]) -> None:
    """Who left while others held the last cards comes back for those on which they disagreed."""
    while Post.objects.filter(settles_at=None).exists():
        before = Vote.objects.count()
        for player in players:
            player.play()
        assert Vote.objects.count() > before


def assert_counted_as_stored(post: Post) -> None:
    stored = (post.posterior, post.votes_cast, post.votes_needed)
    post.recount(timezone.now())
    assert stored[0] == pytest.approx(post.posterior)
    assert stored[1:] == (post.votes_cast, post.votes_needed)


def test_32_people_at_once_lose_no_vote_and_cast_no_surplus_one() -> None:
    posts = make.make_open_posts(16, make.make_batch())
    players = [Player(make.make_employee(), seed) for seed in range(PEOPLE)]
    assert play_together(players) == []
    play_to_the_end(players)
    assert sum(player.refused for player in players) == 0
    assert sum(player.counted for player in players) == Vote.objects.count()
    for post in Post.objects.select_related("suggestion"):
        votes = list(post.votes.select_related("option").order_by("pk"))
        prefixes = [
            [(vote.key, RULE.reliability) for vote in votes[:count]] for count in range(len(votes) + 1)
        ]
        prior, weight = post.suggestion.prior(), consensus.VOTE_WEIGHT
        posteriors = [consensus.after(prior, some, weight) for some in prefixes]
        decided = [consensus.decide(known, count, RULE) for count, known in enumerate(posteriors)]
        assert [decision is not None for decision in decided] == [False] * len(votes) + [True]
        assert post.settles_at is not None
        assert_counted_as_stored(post)
    assert Vote.objects.count() >= 2 * len(posts)


def test_skips_and_undos_in_between_keep_the_promises() -> None:
    make.make_open_posts(12, make.make_batch())
    players = [Player(make.make_employee(), seed, skips=0.05, undoes=0.2) for seed in range(PEOPLE)]
    assert play_together(players) == []
    assert sum(player.counted for player in players) == Vote.objects.count()
    for post in Post.objects.filter(state=Post.State.PROPOSED).select_related("suggestion"):
        assert_counted_as_stored(post)


def test_one_post_and_32_people_give_as_many_cards_as_votes_are_needed() -> None:
    [post] = make.make_open_posts(1, make.make_batch())
    people = [make.make_employee() for _ in range(PEOPLE)]
    handed = at_once([lambda person=person: queue.hand_out(person) for person in people])
    assert sum(map(len, handed)) == post.votes_needed == 2


def test_nobody_is_told_it_is_over_because_of_a_momentary_lock() -> None:
    make.make_open_posts(1, make.make_batch())
    anna, held, asked = make.make_employee(), Event(), Event()

    def hold() -> None:
        with transaction.atomic():
            Post.objects.select_for_update().get()
            held.set()
            assert asked.wait(30)
            assert not done.wait(0.3)  # anna waits for this lock

    def ask() -> list[Lease]:
        assert held.wait(30)
        asked.set()
        leases = queue.hand_out(anna)
        done.set()
        return leases

    done = Event()
    _, leases = at_once([hold, ask])
    assert len(leases) == 1


def test_the_same_answer_sent_twice_at_once_counts_once() -> None:
    make.make_open_posts(1, make.make_batch())
    anna = make.make_employee()
    [lease] = queue.hand_out(anna)

    votes = at_once([lambda: queue.vote(anna, lease.pk, Answer.NOT_A_DRESS).pk] * 8)
    assert len(set(votes)) == 1
    assert Vote.objects.count() == Post.objects.get().votes_cast == 1


def test_two_windows_of_one_person_get_a_post_once() -> None:
    make.make_open_posts(3, make.make_batch())
    anna = make.make_employee()
    at_once([lambda: queue.hand_out(anna, ahead=3, seed=1)] * 8)
    assert Lease.objects.count() == 3


def test_a_vote_waits_for_a_post_on_the_move_to_the_next_batch() -> None:
    """The rotation carries the post over while the vote waits for its row: the vote counts."""
    batch = make.make_batch()
    [post] = make.make_open_posts(1, batch)
    anna, moving = make.make_employee(), Event()
    [lease] = queue.hand_out(anna)
    batch.freeze(timezone.now())
    following = make.make_batch()

    def carry() -> None:
        with transaction.atomic():
            Post.objects.update(batch=following)
            moving.set()
            Event().wait(0.3)

    def answer() -> Vote:
        assert moving.wait(30)
        return queue.vote(anna, lease.pk, Answer.NOT_A_DRESS)

    at_once([carry, answer])
    post.refresh_from_db()
    assert (post.batch, post.votes_cast) == (following, 1)
    assert Batch.objects.open().get() == following


def test_none_of_these_that_waited_for_a_naming_may_mean_what_was_named() -> None:
    make.make_open_posts(1, make.make_batch())
    anna, ben, right, naming = make.make_employee(), make.make_employee(), make.make_dress(), Event()
    [first], [second] = queue.hand_out(anna), queue.hand_out(ben)
    own = queue.vote(anna, first.pk, Answer.NONE_OF_THESE)

    def name() -> None:
        with transaction.atomic():
            second_thoughts.name(anna, own.pk, right)
            naming.set()
            Event().wait(0.3)

    def answer() -> Vote:
        assert naming.wait(30)
        return queue.vote(ben, second.pk, Answer.NONE_OF_THESE)

    at_once([name, answer])
    assert_counted_as_stored(Post.objects.get())
