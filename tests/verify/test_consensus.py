"""Properties of the consensus that hold for any prior, any votes and any rule."""

import math
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verify import consensus
from verify.consensus import NONE_OF_THESE, NOT_A_DRESS, Escalate, Rule, Verdict

DRESSES = [consensus.dress_key(pk) for pk in (1, 2, 3)]
KEYS = [*DRESSES, NOT_A_DRESS, NONE_OF_THESE]
shares = st.lists(st.floats(0, 1), min_size=4, max_size=4)
answers = st.lists(st.sampled_from(KEYS), max_size=9)
reliabilities = st.floats(0.51, 0.99)


@st.composite
def priors(draw: st.DrawFn) -> dict[str, float]:
    *options, not_a_dress = draw(shares)
    total = max(1.0, sum(options) + not_a_dress)
    return consensus.prior(dict(zip(DRESSES, (o / total for o in options), strict=True)), not_a_dress / total)


@given(priors())
def test_prior_is_a_distribution_in_which_nothing_is_impossible(prior: dict[str, float]) -> None:
    assert list(prior) == KEYS
    assert sum(prior.values()) == pytest.approx(1)
    assert min(prior.values()) > 0.9 * consensus.FLOOR


def test_prior_keeps_the_classifiers_probabilities() -> None:
    prior = consensus.prior(dict(zip(DRESSES, (0.4, 0.2, 0.1), strict=True)), 0.1)
    assert list(prior.values()) == pytest.approx([0.4, 0.2, 0.1, 0.1, 0.2])


def test_a_vote_follows_bayes() -> None:
    """Two answers at .3 and .7, reliability .9: .3 x .9 against .7 x .1."""
    posterior = consensus.updated({"a": 0.3, "b": 0.7}, "a", 0.9)
    assert posterior["a"] == pytest.approx(0.27 / (0.27 + 0.07))


@given(priors(), answers, reliabilities)
def test_votes_give_the_formula_of_the_one_coin_model(prior: dict, votes: list[str], s: float) -> None:
    wrong = (1 - s) / (len(KEYS) - 1)
    joint = {z: prior[z] * math.prod(s if y == z else wrong for y in votes) for z in KEYS}
    expected = {z: share / sum(joint.values()) for z, share in joint.items()}
    assert consensus.after(prior, [(vote, s) for vote in votes]) == pytest.approx(expected)


@given(priors(), st.lists(st.tuples(st.sampled_from(KEYS), reliabilities), max_size=9), st.randoms())
def test_order_of_votes_does_not_matter(prior: dict, votes: list, random: object) -> None:
    shuffled = list(votes)
    random.shuffle(shuffled)
    posterior = consensus.after(prior, votes)
    assert consensus.after(prior, shuffled) == pytest.approx(posterior)
    assert sum(posterior.values()) == pytest.approx(1)


@given(priors(), answers, st.sampled_from(KEYS), reliabilities)
def test_an_agreeing_vote_raises_its_answer_and_lowers_the_others(
    prior: dict, votes: list[str], answer: str, s: float
) -> None:
    before = consensus.after(prior, [(vote, s) for vote in votes])
    after = consensus.updated(before, answer, s)
    assert after[answer] >= before[answer] - 1e-12
    assert all(after[other] <= before[other] + 1e-12 for other in KEYS if other != answer)


@given(priors(), answers, st.integers(0, 8))
def test_needs_are_never_negative_and_end_at_the_most(prior: dict, votes: list[str], extra: int) -> None:
    rule = Rule()
    posterior = consensus.after(prior, [(vote, rule.reliability) for vote in votes])
    needed = consensus.votes_needed(posterior, len(votes), rule)
    assert 0 <= needed <= rule.most_votes - len(votes)
    assert (needed == 0) == (consensus.decide(posterior, len(votes), rule) is not None)


@given(priors(), st.lists(st.sampled_from(KEYS), max_size=6))
def test_fewer_votes_than_needed_decide_nothing_whatever_they_say(prior: dict, votes: list[str]) -> None:
    rule = Rule(most_votes=9)
    posterior = consensus.after(prior, [(vote, rule.reliability) for vote in votes])
    needed = consensus.votes_needed(posterior, len(votes), rule)
    for further in product(KEYS, repeat=min(max(0, needed - 1), 3)):
        later = consensus.after(posterior, [(vote, rule.reliability) for vote in further])
        cast = len(votes) + len(further)
        if len(further) < needed:
            assert consensus.decide(later, cast, rule) is None
            assert consensus.votes_needed(later, cast, rule) >= needed - len(further)


@given(priors(), st.lists(st.sampled_from(KEYS), max_size=8))
def test_each_vote_lowers_the_need_by_one_at_most(prior: dict, votes: list[str]) -> None:
    """So whoever else holds the post has room for theirs."""
    rule, posterior = Rule(), prior
    for cast, vote in enumerate(votes):
        before = consensus.votes_needed(posterior, cast, rule)
        posterior = consensus.updated(posterior, vote, rule.reliability)
        assert consensus.votes_needed(posterior, cast + 1, rule) >= before - 1


def test_two_who_agree_settle_it() -> None:
    rule, prior = Rule(), consensus.prior(dict(zip(DRESSES, (0.5, 0.2, 0.1), strict=True)), 0.1)
    once = consensus.updated(prior, DRESSES[1], rule.reliability)
    twice = consensus.updated(once, DRESSES[1], rule.reliability)
    assert consensus.decide(once, 1, rule) is None
    assert consensus.decide(twice, 2, rule) == Verdict(DRESSES[1], twice[DRESSES[1]])


def test_one_vote_settles_nothing_however_sure_the_classifier_is() -> None:
    posterior = consensus.updated(consensus.prior({DRESSES[0]: 0.999}, 0.0), DRESSES[0], 0.88)
    assert posterior[DRESSES[0]] > 0.99
    assert consensus.decide(posterior, 1, Rule()) is None
    assert consensus.votes_needed(posterior, 1, Rule()) == 1


def test_votes_that_never_agree_go_to_an_admin() -> None:
    rule, posterior = Rule(), dict.fromkeys(KEYS, 0.2)
    votes = [KEYS[number % len(KEYS)] for number in range(rule.most_votes)]
    posterior = consensus.after(posterior, [(vote, rule.reliability) for vote in votes])
    assert consensus.decide(posterior, rule.most_votes - 1, rule) is None
    assert consensus.decide(posterior, rule.most_votes, rule) == Escalate(rule.most_votes)


def test_a_dress_key_names_its_dress() -> None:
    assert consensus.dress_of(consensus.dress_key(42)) == 42
    assert consensus.dress_of(NOT_A_DRESS) is None


@pytest.mark.parametrize("values", [{"reliability": 0.5}, {"threshold": 1.0}, {"least_votes": 10}])
def test_a_rule_that_cannot_work_is_refused(values: dict) -> None:
    with pytest.raises(ValueError, match="expected"):
        Rule(**values)


def test_an_impossible_vote_is_refused() -> None:
    with pytest.raises(KeyError):
        consensus.updated({"a": 0.5, "b": 0.5}, "c", 0.9)
    with pytest.raises(ValueError, match="reliability"):
        consensus.updated({"a": 0.5, "b": 0.5}, "a", 1.0)


# More than the options


@given(priors(), reliabilities)
def test_a_named_dress_takes_its_share_of_none_of_these_and_of_nothing_else(
    prior: dict[str, float], reliability: float
) -> None:
    named = consensus.joined(prior, "dress:999")
    assert sum(named.values()) == pytest.approx(1)
    assert named["dress:999"] + named[NONE_OF_THESE] == pytest.approx(prior[NONE_OF_THESE])
    assert all(named[key] == prior[key] for key in prior if key != NONE_OF_THESE)
    with pytest.raises(ValueError, match="already"):
        consensus.joined(named, "dress:999")


@given(priors(), reliabilities)
def test_a_vote_that_may_mean_either_favours_neither(prior: dict[str, float], reliability: float) -> None:
    named = consensus.joined(prior, "dress:999")
    after = consensus.updated(named, {NONE_OF_THESE, "dress:999"}, reliability)
    assert after[NONE_OF_THESE] / after["dress:999"] == pytest.approx(
        named[NONE_OF_THESE] / named["dress:999"]
    )


@given(priors(), reliabilities)
def test_a_vote_of_no_weight_says_nothing(prior: dict[str, float], reliability: float) -> None:
    assert consensus.updated(prior, NONE_OF_THESE, reliability, weight=0) == pytest.approx(prior)


@given(priors(), st.floats(0.2, 5))
def test_a_correction_changes_the_odds_of_the_top_answer_alone(
    prior: dict[str, float], factor: float
) -> None:
    top = max(prior, key=prior.__getitem__)
    corrected = consensus.corrected(prior, [factor] * len(consensus.UNCORRECTED))
    assert sum(corrected.values()) == pytest.approx(1)
    odds, before = corrected[top] / (1 - corrected[top]), prior[top] / (1 - prior[top])
    assert odds == pytest.approx(before * factor, rel=1e-6)
    assert consensus.corrected(prior) == pytest.approx(prior)


@given(priors(), priors())
def test_fewer_votes_to_go_is_nearer_whatever_the_posterior(
    one: dict[str, float], other: dict[str, float]
) -> None:
    assert consensus.closeness(one, 1) >= consensus.closeness(other, 2)


@given(priors(), reliabilities, reliabilities)
def test_of_posts_one_vote_away_the_surer_is_the_likelier_to_settle(
    prior: dict[str, float], first: float, second: float
) -> None:
    """Closeness orders as the probability does that the next voter names the leading answer."""
    surer = consensus.updated(prior, max(prior, key=prior.__getitem__), max(first, 0.6))
    assert consensus.closeness(surer, 1) >= consensus.closeness(prior, 1) - 1e-12
