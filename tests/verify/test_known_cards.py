"""Training and gold: cards whose answer is known, which look like all others until they are answered."""

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from tests import make
from verify import consensus, gold, queue
from verify.models import (
    Answer,
    Batch,
    Dress,
    Employee,
    GoldAnswer,
    Lease,
    Look,
    Post,
    Reliability,
    Suggestion,
    Vote,
)

pytestmark = pytest.mark.django_db
NOT, NONE = Answer.NOT_A_DRESS, Answer.NONE_OF_THESE


@pytest.fixture
def admin() -> Employee:
    return make.make_admin()


@pytest.fixture
def dresses() -> list[Dress]:
    return [make.make_dress() for _ in range(3)]


@pytest.fixture
def batch(dresses: list[Dress]) -> Batch:
    batch = make.make_batch()
    make.make_open_posts(20, batch, dresses)
    return batch


@pytest.fixture
def decided(admin: Employee, dresses: list[Dress]) -> list[Post]:
    """Posts of another night, decided by an admin."""
    posts = make.make_open_posts(12, None, dresses)
    for number, post in enumerate(posts):
        post.override("dress" if number % 2 else NOT, dresses[0] if number % 2 else None, admin)
    return posts


@pytest.fixture
def ben() -> Employee:
    return make.make_employee("ben", trained=5)


def known(employee: Employee) -> Any:
    return Lease.objects.filter(employee=employee).exclude(purpose="vote")


def right_answer(lease: Lease) -> tuple[str, int | None]:
    key = Post.objects.get(pk=lease.post_id).truth_key()
    dress = consensus.dress_of(key)
    return (Answer.DRESS, dress) if dress else (key, None)


def test_a_new_colleague_starts_with_five_training_cards(
    batch: Batch, decided: list[Post], anna: Employee
) -> None:
    cards = queue.hand_out(anna, ahead=4, arriving=True)
    assert [card.purpose for card in cards] == ["training"] * 5
    for card in cards:
        given = queue.vote(anna, card.pk, *right_answer(card))
        assert isinstance(given, GoldAnswer)
        assert (given.training, given.right, given.points) == (True, True, 0)
    anna.refresh_from_db()
    assert (anna.trained, anna.in_training) == (5, False)
    assert {card.purpose for card in queue.hand_out(anna, ahead=4, arriving=True)} == {"vote"}
    assert not Vote.objects.exists()
    assert not Reliability.objects.exists()  # training tells nothing about the trained


def test_where_nothing_is_known_yet_the_game_starts_at_once(batch: Batch, anna: Employee) -> None:
    assert {card.purpose for card in queue.hand_out(anna, ahead=4, arriving=True)} == {"vote"}


def test_gold_is_three_to_five_in_a_hundred(
    batch: Batch, decided: list[Post], ben: Employee, settings: Any
) -> None:
    settings.GOLD_SHARE = 0.04
    dealt = 0
    for seed in range(1_000):
        queue.hand_out(ben, ahead=1, seed=seed)
        dealt += known(ben).count()
        Lease.objects.all().delete()
    assert 25 <= dealt <= 55


def test_every_card_of_a_short_visit_is_gold_as_often(
    batch: Batch, decided: list[Post], ben: Employee, settings: Any
) -> None:
    settings.GOLD_SHARE = 0.04
    dealt = 0
    for visit in range(60):
        held: list[int] = []
        for answered in range(5):  # four cards at once, then one after each answer
            held += [card.pk for card in queue.hand_out(ben, 4, seed=1_000 * visit + answered, held=held)]
            Lease.objects.filter(pk=held.pop(0)).update(outcome="voted")
        dealt += known(ben).count()
        Lease.objects.all().delete()
    assert 0.025 <= dealt / (60 * 8) <= 0.055


def test_a_gold_answer_is_no_vote_and_weighs_its_voter(
    batch: Batch, decided: list[Post], ben: Employee, settings: Any
) -> None:
    settings.GOLD_SHARE = 1
    before = Post.objects.get(pk=decided[0].pk)
    for number in range(2):
        [card] = queue.hand_out(ben, ahead=1)
        answer = right_answer(card) if number == 0 else (NONE, None)
        given = queue.vote(ben, card.pk, *answer, viewed_ms=1_200)
        assert given.right == (number == 0)
        assert given.viewed_ms == 1_200
    voter = Reliability.objects.get(employee=ben)
    assert (voter.gold_seen, voter.gold_right) == (2, 1)
    assert (voter.right, voter.wrong) == (9.0, 2.5)
    assert not Vote.objects.exists()
    after = Post.objects.get(pk=before.pk)
    assert (after.votes_cast, after.state) == (before.votes_cast, "settled")
    assert queue.progress(ben).today == 2  # the ring fills as with any card


def test_gold_is_what_an_admin_decided_or_cleared_but_no_dispute(
    admin: Employee, dresses: list[Dress]
) -> None:
    posts = make.make_open_posts(6, make.make_batch(), dresses)
    decided, disputed, cleared, waiting, automatic, otherwise = posts
    decided.override(NOT, None, admin)
    disputed.dispute("Nine votes, and no answer sure enough.")
    disputed.override(NOT, None, admin)
    for post in (cleared, waiting, automatic, otherwise):
        post.override("dress", dresses[1], admin)
        Post.objects.filter(pk=post.pk).update(settled_by=None)
    for post in (cleared, otherwise):
        Look.objects.get(post=post).decide(Look.Clearance.CLEARED, admin)
    Post.objects.filter(pk=otherwise.pk).update(dress=dresses[2])  # by voters, when it was open again
    Look.objects.get(post=automatic).decide(Look.Clearance.CLEARED, None)
    assert set(Post.objects.gold()) == {decided, cleared}


def test_the_statement_deals_what_the_query_set_says(
    batch: Batch, decided: list[Post], ben: Employee, admin: Employee, dresses: list[Dress], settings: Any
) -> None:
    settings.GOLD_SHARE = 1
    for said in dresses[1:]:
        [cleared] = make.make_open_posts(1, None, dresses)
        cleared.override("dress", dresses[1], admin)
        Look.objects.get(post=cleared).decide(Look.Clearance.CLEARED, admin)
        Post.objects.filter(pk=cleared.pk).update(settled_by=None, dress=said)
    while queue.hand_out(ben, ahead=1)[0].purpose == "gold":
        lease = known(ben).get(outcome="open")
        queue.skip(ben, lease.pk)
    assert {lease.post_id for lease in known(ben)} == {post.pk for post in Post.objects.gold()}


def test_nobody_sees_a_known_card_twice_nor_one_voted_on(
    batch: Batch, decided: list[Post], ben: Employee, settings: Any
) -> None:
    settings.GOLD_SHARE = 1
    for post in decided[2:]:
        Vote.objects.create(
            post=post, employee=ben, suggestion=post.suggestion, answer=NOT, created_at=timezone.now()
        )
    seen = []
    while queue.hand_out(ben, ahead=1)[0].purpose == "gold":
        lease = known(ben).get(outcome="open")
        seen.append(lease.post_id)
        queue.skip(ben, lease.pk)
    assert sorted(seen) == sorted(post.pk for post in decided[:2])
    assert not Post.objects.filter(state="disputed").exists()


def test_gold_does_not_run_dry_among_many_disputes(
    batch: Batch, decided: list[Post], admin: Employee, ben: Employee, dresses: list[Dress], settings: Any
) -> None:
    settings.GOLD_SHARE = 1
    for post in make.make_open_posts(100, None, dresses):
        post.dispute("Nine votes, and no answer sure enough.")
        post.override(NOT, None, admin)
    assert [card.purpose for card in queue.hand_out(ben, ahead=4)] == ["gold"] * 4


def test_an_admin_who_plays_is_not_asked_what_they_decided(
    batch: Batch, decided: list[Post], admin: Employee, settings: Any
) -> None:
    settings.GOLD_SHARE = 1
    admin.trained = settings.TRAINING_CARDS
    assert {card.purpose for card in queue.hand_out(admin, ahead=4)} == {"vote"}
    Post.objects.filter(pk=decided[1].pk).update(settled_by=None)
    Look.objects.get(post=decided[1]).decide(Look.Clearance.CLEARED, admin)
    assert not known(admin).exists()


def test_a_known_card_in_doubt_again_is_not_held_against_anybody(
    batch: Batch, decided: list[Post], ben: Employee, settings: Any
) -> None:
    settings.GOLD_SHARE = 1
    card, *_ = queue.hand_out(ben, ahead=1)
    Post.objects.get(pk=card.post_id).reopen(timezone.now(), batch)
    settings.GOLD_SHARE = 0
    assert card not in queue.hand_out(ben, ahead=1)
    with pytest.raises(queue.LeaseExpired):
        queue.vote(ben, card.pk, NONE)
    assert not GoldAnswer.objects.exists()
    assert not Reliability.objects.exists()


def test_where_the_dress_was_not_offered_none_of_these_is_right(
    admin: Employee, dresses: list[Dress], ben: Employee, settings: Any
) -> None:
    settings.GOLD_SHARE = 1
    [post] = make.make_open_posts(1, None, dresses)
    post.override("dress", make.make_dress(), admin)
    [card] = queue.hand_out(ben, ahead=1)
    assert queue.vote(ben, card.pk, NONE).right


def test_the_same_gold_answer_sent_twice_counts_once(
    batch: Batch, decided: list[Post], ben: Employee, settings: Any
) -> None:
    settings.GOLD_SHARE = 1
    [card] = queue.hand_out(ben, ahead=1)
    first, second = queue.vote(ben, card.pk, NOT), queue.vote(ben, card.pk, NOT)
    assert first == second
    assert Reliability.objects.get(employee=ben).gold_seen == 1
    with pytest.raises(queue.AlreadyVoted):
        queue.vote(ben, card.pk, NONE)


def test_a_skipped_known_card_says_nothing_and_cannot_be_answered(
    batch: Batch, decided: list[Post], ben: Employee, settings: Any
) -> None:
    settings.GOLD_SHARE = 1
    [card] = queue.hand_out(ben, ahead=1)
    queue.skip(ben, card.pk)
    with pytest.raises(queue.AlreadyVoted):
        queue.vote(ben, card.pk, NOT)
    assert not GoldAnswer.objects.exists()


def test_a_known_card_brings_points_as_long_as_the_day_does(
    batch: Batch, decided: list[Post], ben: Employee, settings: Any
) -> None:
    settings.GOLD_SHARE, settings.SCORED_VOTES_A_DAY = 0, 2
    [card] = queue.hand_out(ben, ahead=1)
    queue.vote(ben, card.pk, NOT)
    settings.GOLD_SHARE = 1
    points = []
    for _ in range(2):
        [card] = queue.hand_out(ben, ahead=1)
        points.append(queue.vote(ben, card.pk, *right_answer(card)).points)
    assert points == [10, None]


def test_who_is_muted_learns_the_answer_and_earns_nothing(
    batch: Batch, decided: list[Post], ben: Employee, settings: Any
) -> None:
    settings.GOLD_SHARE = 1
    Reliability.objects.create(employee=ben, muted_at=timezone.now(), muted_because="Too fast.")
    [card] = queue.hand_out(ben, ahead=1)
    given = queue.vote(ben, card.pk, *right_answer(card))
    assert (given.right, given.points) == (True, None)
    assert Reliability.objects.get(employee=ben).gold_right == 1


@pytest.mark.parametrize("purpose", ["gold", "training"])
def test_nothing_is_judged_by_a_verdict_that_is_gone(
    batch: Batch, decided: list[Post], ben: Employee, settings: Any, purpose: str
) -> None:
    settings.GOLD_SHARE = 1
    [card] = queue.hand_out(ben, ahead=1)
    Lease.objects.filter(pk=card.pk).update(purpose=purpose)
    lease = Lease.objects.get(pk=card.pk)
    for undo in (lambda post: post.reopen(timezone.now(), batch), lambda post: post.dispute("In doubt.")):
        undo(Post.objects.get(pk=card.post_id))
        with pytest.raises(gold.AnswerUnknown, match="was a known card"):
            gold.answer(lease, ben, NOT, None, None, timezone.now())
    assert not GoldAnswer.objects.exists()
    assert Lease.objects.get(pk=card.pk).outcome == "open"
    assert Employee.objects.get(pk=ben.pk).trained == ben.trained


def markup(html: str) -> list[str]:
    """Each card's HTML with the photo, the tokens and the order of the dresses taken out."""
    cards = [card.split("</article>")[0] for card in html.split("<article")[1:]]
    masks = (
        r'(card|question)-\d+|data-lease="\d+"|name="(lease|csrfmiddlewaretoken)" value="\w+"|<img [^>]*>'
        r'|href="/media/[^"]*"|(data-key|aria-keyshortcuts)="(Shift\+)?\d"|<kbd>\d</kbd>'
    )
    return ["".join(sorted(re.split("</?li>", re.sub(masks, "·", card)))) for card in cards]


def test_a_known_card_looks_like_any_other(
    batch: Batch, decided: list[Post], ben: Employee, settings: Any
) -> None:
    client = Client()
    client.force_login(ben)
    settings.GOLD_SHARE = 1
    queue.hand_out(ben, ahead=2)
    settings.GOLD_SHARE = 0
    html = client.get("/").content.decode()
    assert [card.purpose for card in queue.hand_out(ben, ahead=4)] == ["gold", "gold", "vote", "vote"]
    assert len(set(markup(html)[1:])) == 1
    assert not re.search("gold|training|known", html, re.IGNORECASE)


def test_a_known_card_shows_as_many_options_as_most_cards_do(
    batch: Batch, decided: list[Post], ben: Employee, settings: Any
) -> None:
    settings.GOLD_SHARE = 1
    Suggestion.objects.filter(current_for__in=decided[2:]).update(shown=4)
    Suggestion.objects.filter(current_for__batch=batch).update(shown=4)
    some = list(Post.objects.filter(batch=batch)[:5])  # proposed when cards showed fewer
    Suggestion.objects.filter(current_for__in=some).update(shown=3)
    queue.hand_out(ben, ahead=12)
    assert {lease.post for lease in known(ben)} == set(decided[2:])


def test_the_answer_is_told_at_once_and_undo_is_not_offered(
    batch: Batch, decided: list[Post], ben: Employee, settings: Any
) -> None:
    client = Client()
    client.force_login(ben)
    settings.GOLD_SHARE = 1
    [card] = queue.hand_out(ben, ahead=1)
    data = {"lease": card.pk, "choice": "none_of_these"}
    response = client.post(reverse("vote"), data, headers={"HX-Request": "true"})
    assert response.status_code == 200
    assert response.context["feedback"] == GoldAnswer.objects.get()
    assert not response.context["undoable"]
    plain = queue.hand_out(ben, ahead=1)[0]
    settings.GOLD_SHARE = 0
    page = client.post(reverse("vote"), {"lease": plain.pk, "choice": "not_a_dress"}, follow=True)
    assert page.status_code == 200


def test_a_known_card_answered_in_between_closes_the_undo(
    batch: Batch, decided: list[Post], ben: Employee, settings: Any
) -> None:
    client = Client()
    client.force_login(ben)
    settings.GOLD_SHARE = 0
    [voted] = queue.hand_out(ben, ahead=1)
    client.post(reverse("vote"), {"lease": voted.pk, "choice": "not_a_dress"})
    settings.GOLD_SHARE = 1
    [card] = queue.hand_out(ben, ahead=1)
    page = client.post(reverse("vote"), {"lease": card.pk, "choice": "not_a_dress"}, follow=True)
    assert page.context["feedback"] == GoldAnswer.objects.get()
    assert page.context["undoable"] is None
    for lease in (voted, card):
        assert client.post(reverse("undo"), {"lease": lease.pk}).status_code == 409
    assert Vote.objects.count() == 1


def test_dealing_gold_costs_one_statement_more(
    batch: Batch, decided: list[Post], ben: Employee, settings: Any
) -> None:
    with CaptureQueriesContext(connection) as without:
        queue.hand_out(ben, ahead=1)
    Lease.objects.all().delete()
    settings.GOLD_SHARE = 1
    with CaptureQueriesContext(connection) as with_gold:
        queue.hand_out(ben, ahead=1)
    assert len(with_gold) <= len(without) + 1
