"""A simulated office: what is drawn, that it is played by the portal's rules, and what comes of it."""

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import numpy as np
import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from tests import make
from verify import consensus
from verify.consensus import Rule, Verdict
from verify.models import Lease, Post
from verify.simulation import Office, Outcome, World, policies, simulate
from verify.simulation.office import Kind, Voter, photos
from verify.simulation.play import Campaign, State
from verify.simulation.serving import ORDERS, Drawn, Order, Ranked, Walk

SMALL = Office(posts=600, batch=200, voters=60)
RULE = Rule()
POLICIES = policies(RULE)


def played(office: Office, policy: str, order: str | None = None, seed: int = 1) -> Outcome:
    return simulate(office, World.draw(office, seed), POLICIES[policy], RULE, order, seed)


def campaign(office: Office, policy: str, seed: int = 1) -> Campaign:
    chosen = POLICIES[policy]
    return Campaign(office, World.draw(office, seed), chosen, RULE, chosen.order, seed)


# The office


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ({"recall": 1.0}, "recall is 1.0: expected more than 0 and less than 1"),
        ({"bad": -0.1}, "bad is -0.1: expected 0 or more"),
        ({"posts": 0}, "posts is 0: expected at least 1"),
        ({"dresses": 3}, "dresses is 3: expected more than 3"),
        ({"not_a_dress": 0.0}, "not-a-dress is 0.0"),
        ({"spread": 0.5}, "spread is 0.5: expected more than 0 and less than 0.32"),
        ({"overconfidence": 0.0}, "overconfidence"),
        ({"days": -1}, "days is -1: expected 0 or more"),
        ({"recall": float("nan")}, "recall is nan"),
    ],
)
def test_an_office_that_cannot_be_is_refused(values: dict, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        Office(**values)


def test_posts_are_as_the_parameters_say() -> None:
    office = Office(recall=0.6, not_a_dress=0.2)
    truths = [photo.keys.index(photo.truth) for photo in photos(office, 8_000, np.random.default_rng(1))]
    assert np.mean(np.equal(truths, 3)) == pytest.approx(0.2, abs=0.02)
    assert np.mean(np.less(truths, 3)) == pytest.approx(0.8 * 0.6, abs=0.02)


@pytest.mark.parametrize(("power", "gap"), [(1.0, 0.0), (2.0, 0.13)])
def test_the_classifier_is_calibrated_unless_overconfident(power: float, gap: float) -> None:
    drawn = photos(Office(overconfidence=power), 8_000, np.random.default_rng(1))
    top = [max(photo.prior, key=photo.prior.__getitem__) for photo in drawn]
    stated = np.mean([photo.prior[key] for photo, key in zip(drawn, top, strict=True)])
    right = np.mean([photo.truth == key for photo, key in zip(drawn, top, strict=True)])
    assert stated - right == pytest.approx(gap, abs=0.02)


@pytest.mark.parametrize(
    ("kind", "expected"), [(Kind.DILIGENT, 0.9), (Kind.SPAMMER, 0.2), (Kind.CLICKER, 0.65 * 0.75 / 3)]
)
def test_voters_are_right_as_often_as_their_kind_is(kind: Kind, expected: float) -> None:
    voter, rng = Voter(kind, 0.9, 1.0), random.Random(1)
    drawn = photos(Office(), 8_000, np.random.default_rng(1))
    right = np.mean([voter.answer(photo, 0.5, rng) == photo.truth for photo in drawn])
    assert right == pytest.approx(expected, abs=0.02)


def test_the_office_has_its_share_of_bad_voters_and_its_mean_ability() -> None:
    people = World.draw(Office(posts=10), 1).voters
    assert sum(voter.is_bad for voter in people) == 20
    assert np.mean([voter.ability for voter in people if not voter.is_bad]) == pytest.approx(0.88, abs=0.015)
    assert sum(voter.activity for voter in people) == pytest.approx(1)


def test_a_clicker_presses_the_first_option_and_others_any() -> None:
    [photo], rng = photos(Office(), 1, np.random.default_rng(1)), random.Random(1)
    places = {
        kind: {Voter(kind, 0.9, 1.0).place(photo.keys[1], photo, rng) for _ in range(50)} for kind in Kind
    }
    assert places == {Kind.CLICKER: {0}, Kind.SPAMMER: {0, 1, 2}, Kind.DILIGENT: {0, 1, 2}}
    assert Voter(Kind.CLICKER, 0.2, 1.0).place(consensus.NOT_A_DRESS, photo, rng) is None


# Serving


@given(st.dictionaries(st.integers(0, 30), st.floats(-9, 1), min_size=1), st.sets(st.integers(0, 30)))
def test_ranked_serves_the_highest_the_newest_of_equals(ranks: dict[int, float], done: set[int]) -> None:
    order = Ranked(ranks.__getitem__)
    for post in ranks:
        order.add(post)
    left = [post for post in ranks if post not in done]
    expected = max(left, key=lambda post: (ranks[post], -post)) if left else None
    assert order.next(0, done) == expected
    assert order.next(0, done) == expected  # what was passed over is still there


def test_ranked_forgets_what_was_closed_and_follows_what_changed() -> None:
    ranks = {1: 0.9, 2: 0.5, 3: 0.1}
    order = Ranked(ranks.__getitem__)
    for post in ranks:
        order.add(post)
    order.close(1)
    ranks[3] = 0.8
    order.add(3)
    assert order.next(0, set()) == 3


@pytest.mark.parametrize("make", [Walk, Drawn])
def test_each_post_comes_once(make: Callable[[random.Random], Order]) -> None:
    order, done = make(random.Random(1)), set()
    for post in range(40):
        order.add(post)
    order.close(7)
    while (post := order.next(0, done)) is not None:
        assert post not in done
        done.add(post)
    assert done == set(range(40)) - {7}


def test_a_walk_goes_back_in_time_and_round_and_the_next_begins_elsewhere() -> None:
    order = Walk(random.Random(1))
    for post in range(100):
        order.add(post)
    seen: list[int] = []
    for _ in range(30):
        seen.append(order.next(0, set(seen)))
    assert [(after - before) % 100 for before, after in pairwise(seen)] == [1] * 29
    order.rest(0)
    assert order.next(0, set(seen)) != (seen[-1] + 1) % 100


# Playing


@pytest.mark.parametrize("name", POLICIES)
def test_every_policy_finishes_its_posts(name: str) -> None:
    figures = played(SMALL, name).figures
    assert figures.coverage > 0.97
    assert 0.88 < figures.accuracy < 1
    assert 0 < figures.votes_per_finished <= figures.cards_per_finished


def test_policies_cost_what_their_names_say() -> None:
    assert played(SMALL, "majority-3").figures.votes_per_finished == 3
    assert played(SMALL, "majority-5").figures.votes_per_finished == 5
    assert played(SMALL, "first-to-2").figures.least_votes == 2
    assert played(SMALL, "first-to-3").figures.least_votes == 3
    assert played(SMALL, "posterior-raw").figures.least_votes == 1
    assert played(SMALL, "dressportal").figures.least_votes == 2


@pytest.mark.parametrize("order", ORDERS)
def test_the_same_seed_gives_the_same_campaign(order: str) -> None:
    once, again = (played(SMALL, "dressportal", order) for _ in range(2))
    assert once == again
    assert once != played(SMALL, "dressportal", order, seed=2)


@pytest.mark.parametrize("name", ["posterior", "posterior-raw", "dressportal"])
def test_posteriors_and_decisions_are_those_of_the_consensus(name: str) -> None:
    """Each post's votes of a day, weighed again, and decided at the last of them and not before."""
    play = campaign(replace(SMALL, audit=0.3, gold=0.0), name)
    play._open_batch()
    play._day()
    single = RULE if name == "dressportal" else replace(RULE, least_votes=1)
    for number, post in enumerate(play.posts[: play.opened]):
        rule = replace(single, least_votes=5) if post.audit else single
        prior = post.photo.prior if name != "posterior" else dict.fromkeys(post.photo.keys, 0.2)
        votes = [(post.photo.keys[slot], RULE.reliability) for slot, _ in play.box.votes_on(number)]
        states = [consensus.after(prior, votes[:count], play.weight) for count in range(len(votes) + 1)]
        decisions = [consensus.decide(state, count, rule) for count, state in enumerate(states)]
        assert post.known == pytest.approx(states[-1])
        assert decisions[:-1] == [None] * len(votes)
        if post.state == State.SETTLED:
            assert isinstance(decisions[-1], Verdict)
            assert post.answer == decisions[-1].answer
    assert sum(post.state == State.SETTLED for post in play.posts) > 150


STATES = {
    State.OPEN: Post.State.PROPOSED,
    State.SETTLED: Post.State.SETTLED,
    State.ESCALATED: Post.State.DISPUTED,
}


def unsure(seed: int = 1) -> Campaign:
    """A day on which many posts get nine votes: people know little, and some count for more than others."""
    play = campaign(
        Office(posts=400, batch=400, voters=40, ability=0.6, audit=0.3, gold=0.0), "dressportal", seed
    )
    for person in play.people:
        person.believed = play.rng.uniform(0.4, 0.95)
    play._open_batch()
    play._last = 1_500
    while play._is_day:
        play._session(play.rng.randrange(len(play.people)))
    return play


def test_posts_are_opened_settled_and_escalated_as_the_portal_does() -> None:
    """The same votes, taken by the portal's own `Post`."""
    play, now = unsure(), timezone.now()
    for number, simulated in enumerate(play.posts):
        post = Post(audit=simulated.audit, state=Post.State.PROPOSED)
        post._weigh(simulated.photo.prior, 0, now, play.weight)
        for slot, voter in play.box.votes_on(number):
            assert post.takes_votes
            post.count({simulated.photo.keys[slot]}, play.people[voter].believed, now, play.weight)
        if not post.takes_votes:
            post.settle(now, save=False)
        assert post.state == STATES[simulated.state]
        assert post.posterior == pytest.approx(simulated.known)
        if post.state == Post.State.SETTLED:
            said = consensus.dress_key(post.dress_id) if post.dress_id else post.answer
            assert (said, post.confidence) == (simulated.answer, pytest.approx(simulated.confidence))
    assert min(sum(post.state == state for post in play.posts) for state in STATES) > 20


@pytest.mark.django_db
def test_finish_serves_posts_in_the_order_of_the_portals_statement() -> None:
    """Every fourth is as near as the nearest: of equals the newest comes first."""
    play, now = unsure(), timezone.now()
    open_posts = [number for number, post in enumerate(play.posts) if post.state == State.OPEN]
    nearest = play.posts[max(open_posts, key=play._closeness)]
    for number in open_posts[::4]:
        equal = play.posts[number]
        equal.known, equal.votes, equal.audit = nearest.known, nearest.votes, nearest.audit
        play.order.add(number)
    rows = make.make_open_posts(len(open_posts), make.make_batch())
    for row, number in zip(rows, open_posts, strict=True):
        simulated = play.posts[number]
        row.audit, row.posted_at = simulated.audit, now - timedelta(minutes=number)
        row._weigh(simulated.known, simulated.votes, now, play.weight)
    Post.objects.bulk_update(
        rows, ["audit", "posted_at", "posterior", "votes_cast", "votes_needed", "closeness"]
    )
    numbers = {row.pk: number for row, number in zip(rows, open_posts, strict=True)}
    served = [numbers[pk] for pk in Lease.objects.next_posts(make.make_employee(), 32, now, 1)]
    expected: list[int] = []
    while len(expected) < 32:
        expected.append(play.order.next(0, set(expected)))
    assert served == expected
    assert 10 < sum(row.closeness == max(each.closeness for each in rows) for row in rows) < 32


def test_gold_tells_about_a_voter_at_once_and_training_does_not() -> None:
    play = campaign(replace(SMALL, gold=0.3), "dressportal")
    play._open_batch()
    play._day()
    tested = [person for person in play.people if len(person.gold_seen) > SMALL.training]
    new = [person for person in play.people if len(person.gold_seen) <= SMALL.training]
    for person in tested:
        wrong = len(person.gold_seen) - SMALL.training - person.gold_right
        assert person.believed == consensus.estimate(8 + person.gold_right, 1.5 + wrong)
    assert {person.believed for person in new} == {RULE.reliability}
    assert len(tested) > 20


def test_nobody_votes_twice_on_a_post() -> None:
    play = campaign(SMALL, "dressportal")
    play.play()
    for number in range(SMALL.posts):
        voters = [voter for _, voter in play.box.votes_on(number)]
        assert len(voters) == len(set(voters))


def test_the_audit_sample_gets_five_votes_and_is_left_out_of_the_figures() -> None:
    play = campaign(replace(SMALL, audit=0.2), "dressportal")
    play.play()
    audited = [post for post in play.posts if post.audit and post.state == State.SETTLED]
    assert min(post.spent for post in audited) >= 5
    outcome = played(replace(SMALL, audit=0.2), "dressportal")
    assert outcome.figures.posts == SMALL.posts - sum(post.audit for post in play.posts)
    assert played(replace(SMALL, audit=0.2), "majority-3").figures.posts == SMALL.posts


def test_bad_voters_are_found_and_good_ones_are_not() -> None:
    office = Office(posts=1_000, batch=200, voters=30, bad=0.2, gold=0.1, activity=0.3)
    play = campaign(office, "dressportal")
    play.play()
    figures = simulate(office, play.world, POLICIES["dressportal"], RULE, seed=1).figures
    assert figures.bad_voters_found == figures.bad_voters > 3
    assert figures.good_voters_flagged == 0
    assert figures.cards_per_finished > figures.votes_per_finished
    assert sum(post.cards - post.spent for post in play.posts) > 50  # answers of the muted weigh nothing


def test_a_verdict_reopens_when_too_few_of_its_votes_still_count_however_sure_it_is() -> None:
    play = campaign(replace(SMALL, checked=0.0), "dressportal")
    play._open_batch()
    play._day()
    settled = [post for post in play.posts if post.state == State.SETTLED and post.votes == RULE.least_votes]
    sure = max(settled, key=lambda post: post.photo.prior[post.answer])
    _, voter = play.box.votes_on(play.posts.index(sure))[0]
    play.people[voter].muted = True
    answer = sure.answer
    assert play._refit() > 0
    assert (sure.state, sure.votes) == (State.OPEN, RULE.least_votes - 1)
    assert sure.known[answer] > RULE.reopen_below


def test_an_office_full_of_bad_voters_reopens_what_they_settled() -> None:
    office = Office(posts=1_000, batch=250, voters=40, bad=0.4, ability=0.95, spread=0.02, activity=0.3)
    portal, others = played(office, "dressportal"), played(office, "posterior-raw")
    assert portal.figures.reopened > 5
    assert others.figures.reopened == 0
    assert portal.figures.accuracy > others.figures.accuracy


def test_finishing_first_finishes_most_and_the_most_uncertain_first_fewest() -> None:
    """Two weeks in which people have time for little: what they do finish depends on the order."""
    office = Office(posts=3_000, batch=3_000, votes_a_day=100, days=8)
    finished = {order: played(office, "dressportal", order).figures.finished for order in ORDERS}
    assert finished["finish"] > 3 * finished["random"]
    assert finished["uncertain"] < finished["random"]
    assert finished["uncertain"] < finished["backwards"]


def test_days_end_when_people_have_no_more_time() -> None:
    outcome = played(replace(SMALL, votes_a_day=50, days=4), "two-ahead")
    assert outcome.days.votes == [50, 100, 150, 200]
    assert outcome.days.finished == sorted(outcome.days.finished)


def test_a_campaign_ends_though_nobody_is_left_to_vote() -> None:
    figures = played(Office(posts=20, batch=20, voters=2, known=0), "majority-3").figures
    assert figures.finished == 0
    assert figures.accuracy == 0


def test_voters_are_seen_with_their_intervals() -> None:
    outcome = played(SMALL, "dressportal")
    busy = [voter for voter in outcome.voters if voter.votes > 40]
    assert all(voter.low < voter.high for voter in busy)
    assert np.mean([voter.low <= voter.ability <= voter.high for voter in busy]) > 0.8
    assert played(SMALL, "majority-3").voters == []


def test_the_reliability_diagram_holds_every_finished_post_by_rising_confidence() -> None:
    outcome = played(SMALL, "dressportal")
    stated = [each.stated for each in outcome.bins]
    assert stated == sorted(stated)
    assert sum(each.posts for each in outcome.bins) == outcome.figures.finished
    mean = sum(each.accuracy * each.posts for each in outcome.bins) / outcome.figures.finished
    assert mean == pytest.approx(outcome.figures.accuracy)
