"""The audit: where the rule would have stopped, and what its confidence is worth."""

import random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from verify import audit, consensus
from verify.audit import Labelled, reliability_diagram, replay
from verify.consensus import NONE_OF_THESE, NOT_A_DRESS, Rule, Verdict

RULE = Rule()
RED, BLUE = "dress:1", "dress:2"
PRIOR = consensus.prior({RED: 0.4, BLUE: 0.2}, 0.2)


def labelled(*answers: str, truth: str = RED, reliability: float = 0.9) -> Labelled:
    return Labelled(PRIOR, [(frozenset({answer}), reliability) for answer in answers], truth)


def test_it_stops_where_the_rule_would_have_stopped() -> None:
    """The last three votes of the five would have overruled the first two."""
    verdict = replay(labelled(RED, RED, BLUE, BLUE, BLUE), RULE)
    assert verdict == Verdict(RED, pytest.approx(consensus.after(PRIOR, [(RED, 0.9)] * 2)[RED]))


def test_the_order_of_votes_decides() -> None:
    assert replay(labelled(BLUE, BLUE, BLUE, RED, RED), RULE).answer == BLUE


def test_without_a_verdict_there_is_nothing_to_state() -> None:
    assert replay(labelled(RED, BLUE), RULE) is None
    assert replay(labelled(), RULE) is None


def test_what_went_to_an_admin_stays_there() -> None:
    """Nine votes without a verdict: a later agreement no longer counts."""
    quarrel = [RED, BLUE, NOT_A_DRESS, NONE_OF_THESE] * 2 + [RED]
    assert replay(labelled(*quarrel, *[RED] * 9, reliability=0.7), RULE) is None


def test_a_vote_that_may_mean_two_answers_supports_both() -> None:
    either = (frozenset({NONE_OF_THESE, BLUE}), 0.9)
    post = Labelled(PRIOR, [either, either, (frozenset({BLUE}), 0.9)], BLUE)
    assert replay(post, Rule(threshold=0.9)).answer == BLUE


@given(st.lists(st.sampled_from(sorted(PRIOR)), max_size=12), st.floats(0.5, 0.99), st.floats(0.2, 1.5))
def test_a_verdict_is_that_of_the_votes_so_far(answers: list[str], reliability: float, weight: float) -> None:
    verdict = replay(labelled(*answers, reliability=reliability), RULE, weight)
    outcomes = [
        consensus.decide(consensus.after(PRIOR, [(a, reliability) for a in answers[:n]], weight), n, RULE)
        for n in range(1, len(answers) + 1)
    ]
    first = next((outcome for outcome in outcomes if outcome), None)
    assert verdict == (first if isinstance(first, Verdict) else None)


def test_without_verdicts_there_is_no_diagram() -> None:
    assert reliability_diagram([], []) == []


def test_a_few_verdicts_are_one_bin() -> None:
    [each] = reliability_diagram([0.97, 0.99], [True, False])
    assert (each.stated, each.real, each.count) == (pytest.approx(0.98), 0.5, 2)
    assert (each.low, each.high) == (pytest.approx(0.0945, abs=1e-3), pytest.approx(0.9055, abs=1e-3))


def test_stated_confidence_meets_real_accuracy_if_it_is_true() -> None:
    rng = random.Random(1)
    stated = [rng.uniform(0.9, 1) for _ in range(20_000)]
    diagram = reliability_diagram(stated, [rng.random() < confidence for confidence in stated])
    assert len(diagram) == audit.MOST_BINS
    assert all(each.real == pytest.approx(each.stated, abs=0.02) for each in diagram)
    assert sum(each.low < each.stated < each.high for each in diagram) > 0.7 * len(diagram)


def test_confidence_that_is_too_high_shows() -> None:
    rng = random.Random(1)
    diagram = reliability_diagram([0.99] * 1000, [rng.random() < 0.9 for _ in range(1000)])
    assert all(each.stated == pytest.approx(0.99) for each in diagram)
    assert sum(each.real * each.count for each in diagram) / 1000 == pytest.approx(0.9, abs=0.03)


@settings(max_examples=15)
@given(st.lists(st.tuples(st.floats(0.5, 1), st.booleans()), min_size=1, max_size=300))
@example([(1.0, True)] * 4)
def test_each_post_is_in_one_bin_and_bins_rise(posts: list[tuple[float, bool]]) -> None:
    diagram = reliability_diagram([stated for stated, _ in posts], [right for _, right in posts])
    assert sum(each.count for each in diagram) == len(posts)
    assert sum(each.real * each.count for each in diagram) == pytest.approx(sum(right for _, right in posts))
    assert [each.stated for each in diagram] == sorted(each.stated for each in diagram)
    assert all(0 <= each.low <= each.real <= each.high <= 1 for each in diagram)
    assert min(each.count for each in diagram) >= min(len(posts), audit.POSTS_A_BIN)


def test_an_outcome_for_each_confidence() -> None:
    with pytest.raises(ValueError, match="2 confidences and 1 outcomes"):
        reliability_diagram([0.9, 0.9], [True])
