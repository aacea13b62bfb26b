"""The nightly re-fit: properties that hold for any ballots, and abilities found again that were put in."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from verify import consensus, reliability
from verify.reliability import Ballots, Prior

ABILITIES = np.repeat([0.95, 0.85, 0.7, 0.2], 10)


def ballots_of(
    posts: list[list[float]], votes: list[tuple[int, int, int]], voters: int, **known: np.ndarray
) -> Ballots:
    """``posts`` as the shares of their answers, ``votes`` as (post, answer, voter)."""
    first = np.cumsum([0, *map(len, posts)])
    return Ballots(
        first=first,
        prior=np.array([share / sum(shares) for shares in posts for share in shares], float),
        slot=np.array([first[post] + answer for post, answer, _ in votes], int),
        voter=np.array([voter for *_, voter in votes], int),
        voters=voters,
        truth=known.get("truth", np.full(len(posts), -1)),
        gold_right=known.get("gold_right", np.zeros(voters)),
        gold_seen=known.get("gold_seen", np.zeros(voters)),
        counted=known.get("counted"),
    )


@st.composite
def elections(draw: st.DrawFn) -> tuple[list[list[float]], list[tuple[int, int, int]]]:
    """Up to 6 posts of 2 to 5 answers, and votes of 4 voters, at most one each on a post."""
    posts = draw(st.lists(st.lists(st.floats(0.01, 1), min_size=2, max_size=5), min_size=1, max_size=6))
    pairs = st.tuples(st.integers(0, len(posts) - 1), st.integers(0, 3))
    cast = draw(st.lists(pairs, unique=True, max_size=20))
    return posts, [(post, draw(st.integers(0, len(posts[post]) - 1)), voter) for post, voter in cast]


def office(posts: int = 600, each: int = 5, seed: int = 1) -> tuple[Ballots, np.ndarray]:
    """Posts of four answers with no prior knowledge, and voters of `ABILITIES`; with the truths."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 4, posts)
    votes = []
    for post in range(posts):
        for voter in rng.choice(len(ABILITIES), each, replace=False):
            right = rng.random() < ABILITIES[voter]
            votes.append((post, int(truth[post] if right else (truth[post] + rng.integers(1, 4)) % 4), voter))
    return ballots_of([[1.0] * 4] * posts, votes, len(ABILITIES)), truth + 4 * np.arange(posts)


@settings(deadline=None)
@given(elections())
def test_posteriors_are_distributions_and_reliabilities_lie_within_the_clip(election: tuple) -> None:
    ballots = ballots_of(*election, voters=4)
    fitted = reliability.fit(ballots)
    assert np.add.reduceat(fitted.posterior, ballots.first[:-1]) == pytest.approx(1)
    assert fitted.posterior.min() >= 0
    assert ((fitted.reliability >= consensus.LEAST) & (fitted.reliability <= consensus.MOST)).all()
    assert (fitted.low < fitted.high).all()
    assert fitted.votes.sum() == len(election[1])


@settings(deadline=None)
@given(elections(), st.randoms(use_true_random=False))
def test_the_order_of_votes_does_not_matter(election: tuple, random: object) -> None:
    posts, votes = election
    shuffled = votes.copy()
    random.shuffle(shuffled)
    one, other = (reliability.fit(ballots_of(posts, cast, voters=4)) for cast in (votes, shuffled))
    assert np.array_equal(one.posterior, other.posterior)
    assert np.array_equal(one.reliability, other.reliability)


@settings(deadline=None)
@given(elections())
def test_the_order_of_posts_does_not_matter(election: tuple) -> None:
    posts, votes = election
    last = len(posts) - 1
    turned = [(last - post, answer, voter) for post, answer, voter in votes]
    one = reliability.fit(ballots_of(posts, votes, voters=4))
    other = reliability.fit(ballots_of(posts[::-1], turned, voters=4))
    assert one.reliability == pytest.approx(other.reliability, abs=1e-6)
    assert one.factors == pytest.approx(other.factors, abs=1e-6)


@settings(deadline=None)
@given(elections(), st.integers(0, 3), st.integers(0, 30), st.integers(1, 30))
def test_a_right_gold_answer_more_never_lowers_a_reliability(
    election: tuple, voter: int, right: int, wrong: int
) -> None:
    posts, votes = election
    own = [vote for vote in votes if vote[2] == voter]
    unit = np.eye(4)[voter]
    known = np.array([0, *np.cumsum([len(post) for post in posts])[:-1]])  # every first answer is right
    before, after = (
        reliability.fit(
            ballots_of(posts, own, 4, truth=known, gold_right=unit * extra, gold_seen=unit * (extra + wrong))
        )
        for extra in (right, right + 1)
    )
    assert after.reliability[voter] >= before.reliability[voter]
    assert after.low[voter] > before.low[voter]


@settings(deadline=None)
@given(elections())
def test_a_post_of_which_all_is_known_follows_the_consensus_of_its_votes(election: tuple) -> None:
    """The nightly re-fit and the portal's vote by vote agree on posteriors, given the same reliabilities."""
    posts, votes = election
    ballots = ballots_of(posts, votes, voters=4)
    fitted = reliability.fit(ballots, tolerance=1e-12, iterations=3000)
    for post, size in enumerate(ballots.sizes):
        slots = slice(ballots.first[post], ballots.first[post] + size)
        prior = consensus.corrected(dict(zip("abcde", ballots.prior[slots], strict=False)), fitted.factors)
        cast = [
            ("abcde"[answer], fitted.reliability[voter]) for where, answer, voter in votes if where == post
        ]
        assert list(consensus.after(prior, cast).values()) == pytest.approx(fitted.posterior[slots], abs=1e-4)


@settings(deadline=None)
@given(elections(), st.lists(st.booleans(), min_size=6, max_size=6), st.data())
def test_some_of_the_posts_say_alone_what_they_say_among_the_others(
    election: tuple, chosen: list[bool], data: st.DataObject
) -> None:
    posts, votes = election
    counted = np.array(data.draw(st.lists(st.booleans(), min_size=len(votes), max_size=len(votes))), bool)
    known = np.array([0, *np.cumsum([len(post) for post in posts])[:-1]])
    ballots = ballots_of(posts, votes, 4, counted=counted, truth=known)
    ballots = replace(ballots, named=np.column_stack([known, known + 1]))  # the first of each by a colleague
    mask = np.array(chosen[: len(posts)])
    some, every = (reliability.fit(each, iterations=0) for each in (ballots.of(mask), ballots))
    kept = np.repeat(mask, ballots.sizes)
    assert np.array_equal(some.from_votes, every.from_votes[kept])
    assert np.array_equal(some.posterior, every.posterior[kept])


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000))
def test_who_flips_every_answer_is_distrusted(seed: int) -> None:
    """Ada agrees with the admin on 40 posts; then she answers the opposite."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 2, 40)
    known = {"truth": truth + 2 * np.arange(40)}
    found = []
    for says in (truth, 1 - truth):
        votes = [(post, int(answer), 0) for post, answer in enumerate(says)]
        found.append(float(reliability.fit(ballots_of([[1, 1]] * 40, votes, 1, **known)).reliability[0]))
    assert found[0] > 0.95
    assert found[1] < 0.2


def test_the_same_ballots_give_the_same_bits() -> None:
    ballots, _ = office(posts=100)
    one, other = reliability.fit(ballots), reliability.fit(ballots)
    assert np.array_equal(one.posterior, other.posterior)
    assert np.array_equal(one.right, other.right)


def test_abilities_are_found_again() -> None:
    ballots, truth = office()
    fitted = reliability.fit(ballots)
    in_full = reliability.fit(ballots, ordinary=1.0)
    assert fitted.converged
    assert np.abs(in_full.reliability - ABILITIES).mean() < 0.06
    assert np.corrcoef(fitted.reliability, ABILITIES)[0, 1] > 0.95
    assert set(np.flatnonzero(fitted.reliability < 0.6)) == set(np.flatnonzero(ABILITIES < 0.6))
    assert fitted.posterior[truth].mean() > 0.92


def test_intervals_hold_what_they_promise() -> None:
    """Of the abilities, about 95% lie in their intervals when every truth is known."""
    ballots, truth = office(posts=400)
    fitted = reliability.fit(replace(ballots, truth=truth))
    prior_free = ABILITIES < 0.96
    inside = (fitted.low <= ABILITIES) & (fitted.high >= ABILITIES)
    assert inside[prior_free].mean() >= 0.85


def test_what_an_admin_decided_weighs_four_times_as_much() -> None:
    """Bo is the only one to vote; his answers are certain by the prior, or by an admin."""
    votes = [(post, 0, 0) for post in range(20)]
    sure = [[1, 1e-9]] * 20
    ordinary = reliability.fit(ballots_of(sure, votes, 1), correct=False)
    known = reliability.fit(ballots_of(sure, votes, 1, truth=2 * np.arange(20)), correct=False)
    assert ordinary.right[0] == pytest.approx(Prior().right + 20 / 4)
    assert known.right[0] == pytest.approx(Prior().right + 20)
    assert known.wrong[0] == pytest.approx(Prior().wrong)


def test_a_muted_voter_moves_no_post_but_is_still_judged() -> None:
    votes = [(0, 0, 0), (0, 0, 1), (0, 1, 2)]
    muted = ballots_of([[1, 1]], votes, 3, counted=np.array([True, True, False]))
    without = ballots_of([[1, 1]], votes[:2], 3)
    one, other = reliability.fit(muted), reliability.fit(without)
    assert np.array_equal(one.posterior, other.posterior)
    assert one.reliability[2] < other.reliability[2]


def test_a_vote_for_two_answers_counts_once() -> None:
    """Cleo's "none of these" supports it and the dress that was named after her vote."""
    fitted = reliability.fit(ballots_of([[1, 1, 1]], [(0, 1, 0), (0, 2, 0)], 1), correct=False)
    assert fitted.votes[0] == 1
    assert fitted.right[0] + fitted.wrong[0] == pytest.approx(9.5 + reliability.ORDINARY)
    assert fitted.posterior[1] == fitted.posterior[2] > 0.4


def test_a_known_truth_has_all_the_posterior_while_the_votes_keep_their_say() -> None:
    votes = [(0, 0, voter) for voter in range(3)]
    fitted = reliability.fit(ballots_of([[1, 1]], votes, 3, truth=np.array([1])))
    assert fitted.posterior.tolist() == [0, 1]
    assert fitted.from_votes[0] > 0.9
    assert (fitted.reliability < 0.85).all()


def overconfident(posts: int) -> Ballots:
    """The classifier gives .85 to its first answer, which is right half the time; six good voters agree."""
    rng = np.random.default_rng(2)
    truth = rng.integers(0, 2, posts)
    votes = [(post, int(answer), voter) for post, answer in enumerate(truth) for voter in range(6)]
    return ballots_of([[0.85, 0.15]] * posts, votes, 6)


def test_an_overconfident_classifier_is_corrected() -> None:
    ballots = overconfident(2000)
    fitted = reliability.fit(ballots)
    corrected = consensus.corrected({"first": 0.85, "other": 0.15}, fitted.factors)
    assert corrected["first"] == pytest.approx(0.5, abs=0.05)
    untouched = [f for b, f in enumerate(fitted.factors) if b != consensus.EDGES.index(0.8) + 1]
    assert untouched == pytest.approx([1] * len(untouched))


def test_a_few_posts_change_the_factors_little() -> None:
    assert reliability.fit(overconfident(4)).factors == pytest.approx(consensus.UNCORRECTED, abs=0.15)


def test_a_calibrated_classifier_is_left_alone() -> None:
    rng = np.random.default_rng(3)
    tops = rng.uniform(0.4, 0.99, 5000)
    wrong = (rng.random(5000) > tops).astype(int)
    votes = [(post, int(answer), voter) for post, answer in enumerate(wrong) for voter in range(4)]
    fitted = reliability.fit(ballots_of([[top, 1 - top] for top in tops], votes, 4))
    top_answers = [
        1 - top + f * top for top, f in zip((0.45, 0.65, 0.85), fitted.factors[1:8:2], strict=False)
    ]
    assert top_answers == pytest.approx([1] * len(top_answers), abs=0.1)


@pytest.mark.parametrize("top", [0.28, *consensus.EDGES, 0.999])
def test_the_portal_applies_a_factor_to_the_posts_that_it_was_fitted_on(top: float) -> None:
    """Those on the edge between two bins included."""
    posts = [[top, *[(1 - top) / 4] * 4]] * 400
    votes = [(post, 1, voter) for post in range(400) for voter in range(3)]
    ballots = ballots_of(posts, votes, 3)
    fitted = reliability.fit(ballots)
    prior = dict(zip("abcde", ballots.prior[:5].tolist(), strict=True))
    assert sum(factor != 1 for factor in fitted.factors) == 1
    assert consensus.corrected(prior, fitted.factors)["a"] < top / 2


def test_a_factor_holds_for_what_the_classifier_said_before_a_dress_was_named() -> None:
    """It gave "none of these" .7, which is mostly wrong; and every post has a named dress, sharing it.

    Slots: an offered dress, the named one, "none of these".
    """
    said = {"offered": 0.3, consensus.NONE_OF_THESE: 0.7}
    joined = list(consensus.joined(said, "named").values())
    rng = np.random.default_rng(3)
    truth = np.where(rng.random(600) < 0.9, 0, 1)
    votes = [(post, int(answer), voter) for post, answer in enumerate(truth) for voter in range(3)]
    ballots = ballots_of([[joined[0], joined[2], joined[1]]] * 600, votes, 3)
    pairs = np.column_stack([ballots.first[:-1] + 1, ballots.first[:-1] + 2])
    fitted = reliability.fit(replace(ballots, named=pairs))
    assert [bin for bin, factor in enumerate(fitted.factors) if factor != 1] == [
        consensus.EDGES.index(0.7) + 1
    ]
    assert fitted.factors[consensus.EDGES.index(0.7) + 1] < 0.2
    prior = consensus.joined(consensus.corrected(said, fitted.factors), "named")
    for post, answer in enumerate(truth[:20]):
        cast = [(("offered", "named")[answer], each) for each in fitted.reliability]
        expected = consensus.after(prior, cast)
        found = fitted.posterior[3 * post : 3 * post + 3]
        assert found == pytest.approx(
            [expected[key] for key in ("offered", "named", "none_of_these")], abs=1e-4
        )


def test_reliabilities_of_arrays_are_those_of_the_portal() -> None:
    right, wrong = np.array([8.0, 1000, 1.001]), np.array([1.5, 1.01, 500])
    assert reliability.estimates(right, wrong).tolist() == [
        consensus.estimate(r, w) for r, w in zip(right, wrong, strict=True)
    ]


@pytest.mark.parametrize(("copies", "expected"), [(1, 1.0), (3, 1 / 3)])
def test_votes_that_are_copied_are_found_to_weigh_less(copies: int, expected: float) -> None:
    """Each independent answer is given by one person, or by three who ask one another."""
    rng = np.random.default_rng(5)
    posts, abilities = 3000, [0.75, 0.7, 0.65]
    truth = rng.integers(0, 2, posts)
    votes = [
        (post, int(truth[post] ^ (rng.random() > ability)), voter)
        for post in range(posts)
        for voter, ability in enumerate(abilities)
    ]
    copied = [(post, answer, voter * copies + c) for post, answer, voter in votes for c in range(copies)]
    ballots = ballots_of([[1, 1]] * posts, copied, 3 * copies, truth=truth + 2 * np.arange(posts))
    fitted = reliability.fit(ballots, correct=False)
    assert reliability.fit_vote_weight(ballots, fitted) == pytest.approx(expected, abs=0.08)


def test_nobody_has_voted_yet() -> None:
    fitted = reliability.fit(ballots_of([[3, 1]], [], voters=2))
    assert fitted.posterior == pytest.approx([0.75, 0.25])
    assert fitted.reliability == pytest.approx(consensus.estimate(8, 1.5))
    empty = reliability.fit(ballots_of([], [], voters=0))
    assert empty.converged
    assert len(empty.posterior) == 0


BROKEN: dict[str, Callable[[Ballots], Ballots]] = {
    "first rises": lambda b: replace(b, first=b.first + 1),
    "two slots": lambda b: replace(b, first=np.array([0, 1, 4]), truth=np.array([-1, -1])),
    "existing slot": lambda b: replace(b, slot=b.slot + 4),
    "existing voter": lambda b: replace(b, voter=b.voter + 2),
    "a slot and a voter": lambda b: replace(b, voter=b.voter[:-1]),
    "value for each entry": lambda b: replace(b, counted=np.ones(1, bool)),
    "gold has": lambda b: replace(b, gold_seen=np.zeros(3)),
    "a named dress": lambda b: replace(b, named=np.array([[0, 4]])),
    "truth has": lambda b: replace(b, truth=np.array([-1])),
    "its own post": lambda b: replace(b, truth=np.array([-1, 0])),
}


@pytest.mark.parametrize("rule", BROKEN)
def test_ballots_that_contradict_themselves_are_refused(rule: str) -> None:
    ballots = ballots_of([[1, 1], [1, 1]], [(0, 0, 0), (1, 1, 1)], voters=2)
    with pytest.raises(ValueError, match=rule):
        BROKEN[rule](ballots)


def test_a_prior_without_a_mode_is_refused() -> None:
    with pytest.raises(ValueError, match="no mode"):
        Prior(0.5, 2)
