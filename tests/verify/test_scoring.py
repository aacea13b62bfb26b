from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from verify import consensus, scoring
from verify.consensus import NONE_OF_THESE, NOT_A_DRESS
from verify.scoring import Ballot, Judgement, Place, Record, Streak

TODAY = date(2026, 3, 2)  # a Monday
DRESS, OTHER, UNSEEN = (consensus.dress_key(pk) for pk in (1, 2, 3))
OFFERED = {DRESS, OTHER}


def days_ago(*numbers: int) -> list[date]:
    return [TODAY - timedelta(days=number) for number in numbers]


def ballots(*said: str, **fields: bool) -> list[Ballot]:
    return [Ballot(answer, OFFERED, **fields) for answer in said]


# Points


@pytest.mark.parametrize(
    ("said", "verdict", "right"),
    [
        (DRESS, DRESS, True),
        (OTHER, DRESS, False),
        (NONE_OF_THESE, DRESS, False),
        (NOT_A_DRESS, DRESS, False),
        (NONE_OF_THESE, UNSEEN, True),
        (DRESS, UNSEEN, False),
        (UNSEEN, UNSEEN, True),  # who named it
        (NONE_OF_THESE, NONE_OF_THESE, True),
        (DRESS, NONE_OF_THESE, False),
        (NOT_A_DRESS, NOT_A_DRESS, True),
        (NONE_OF_THESE, NOT_A_DRESS, False),
    ],
)
def test_what_agrees_with_a_verdict(said: str, verdict: str, right: bool) -> None:
    assert scoring.is_right(said, verdict, OFFERED) is right


def test_only_a_right_answer_earns_points_and_more_on_a_hard_photo() -> None:
    easy, hard = scoring.difficulty([0.9, 0.05, 0.05]), scoring.difficulty([0.3, 0.4, 0.3])
    assert (scoring.points(True, easy), scoring.points(True, hard)) == (11, 16)
    assert scoring.points(False, hard) == 0
    assert (scoring.gold_points(True), scoring.gold_points(False)) == (10, 0)


def test_the_lone_right_answer_among_three_earns_a_bonus() -> None:
    judged = scoring.judge(ballots(OTHER, DRESS, NONE_OF_THESE), DRESS, 0.2)
    assert judged == [Judgement(False, 0), Judgement(True, 32), Judgement(False, 0)]


def test_of_two_nobody_is_the_lone_one() -> None:
    assert scoring.judge(ballots(OTHER, DRESS), DRESS, 0)[1] == Judgement(True, 10)


def test_an_uncounted_vote_earns_nothing_and_keeps_nobody_company() -> None:
    muted = Ballot(DRESS, OFFERED, counted=False)
    judged = scoring.judge([muted, *ballots(OTHER, DRESS)], DRESS, 0)
    assert judged == [Judgement(True, None), Judgement(False, 0), Judgement(True, 10)]
    judged = scoring.judge([muted, *ballots(OTHER, DRESS, OTHER)], DRESS, 0)
    assert judged[2] == Judgement(True, 30)


def test_a_vote_beyond_the_cap_is_judged_and_not_scored() -> None:
    beyond = Ballot(DRESS, OFFERED, scored=False)
    assert scoring.judge([beyond, *ballots(DRESS)], DRESS, 0) == [Judgement(True, None), Judgement(True, 10)]


answers = st.sampled_from([DRESS, OTHER, UNSEEN, NOT_A_DRESS, NONE_OF_THESE])
voted = st.lists(st.builds(Ballot, answers, st.just(OFFERED), st.booleans(), st.booleans()), max_size=9)


@given(voted, answers, st.floats(0, 1))
def test_points_are_for_right_counted_scored_votes_alone(
    votes: list[Ballot], verdict: str, difficulty: float
) -> None:
    judged = scoring.judge(votes, verdict, difficulty)
    for ballot, judgement in zip(votes, judged, strict=True):
        assert (judgement.points is None) == (not (ballot.counted and ballot.scored))
        assert bool(judgement.points) == (judgement.right and ballot.counted and ballot.scored)
    assert sum((judgement.points or 0) >= scoring.LEAST_LONE for judgement in judged) <= 1


@given(st.floats(0, 1), st.booleans())
def test_points_alone_tell_a_lone_answer_and_a_hard_photo(difficulty: float, lone: bool) -> None:
    earned = scoring.points(True, difficulty, lone)
    assert (earned >= scoring.LEAST_LONE) == lone
    assert (earned in scoring.HARD_POINTS) == (round(10 * difficulty) >= scoring.HARD)


# Badges


@pytest.mark.parametrize(
    ("record", "kind"),
    [
        (Record(confirmed=1), "first_stitch"),
        (Record(not_a_dress=10), "impostor"),
        (Record(none_of_these=10), "empty_hanger"),
        (Record(hard=10), "fine_needle"),
        (Record(in_a_row=20), "seamless"),
        (Record(named=1), "first_name"),
        (Record(gold_seen=20, gold_right=19), "gold_thread"),
        (Record(lone=3), "against_the_grain"),
    ],
)
def test_what_a_badge_asks_for(record: Record, kind: str) -> None:
    assert scoring.badges(record) == {kind}


def test_the_greater_badges_include_the_smaller() -> None:
    assert scoring.badges(Record(in_a_row=50)) == {"seamless", "haute_couture"}
    assert scoring.badges(Record(named=5)) == {"first_name", "lookbook"}


@pytest.mark.parametrize(("seen", "right"), [(19, 19), (20, 18), (100, 94), (0, 0)])
def test_gold_thread_wants_twenty_and_95_per_cent(seen: int, right: int) -> None:
    assert "gold_thread" not in scoring.badges(Record(gold_seen=seen, gold_right=right))


def test_nobody_starts_with_a_badge_and_volume_earns_one() -> None:
    assert scoring.badges(Record()) == set()
    assert scoring.badges(Record(confirmed=10_000)) == {"first_stitch"}


@given(st.lists(st.booleans()))
def test_a_run_is_broken_by_the_newest_wrong_answer(rights: list[bool]) -> None:
    length = scoring.run(rights)
    assert all(rights[:length])
    assert length == len(rights) or not rights[length]


# Streaks


def test_streak_counts_days_in_a_row_up_to_today() -> None:
    assert scoring.streak(days_ago(0, 3, 4, 6), TODAY) == 3  # Monday, Friday, Thursday; not Tuesday


def test_streak_is_not_broken_before_the_day_is_over() -> None:
    assert scoring.streak(days_ago(3, 4), TODAY) == 2
    assert scoring.streak([], TODAY) == 0


def test_a_working_day_missed_ends_it() -> None:
    friday = TODAY - timedelta(days=3)
    assert scoring.streak(days_ago(4, 5), TODAY) == 0
    assert scoring.streak(days_ago(4, 5), TODAY, off=[friday]) == 2
    assert scoring.streak(days_ago(4, 5), TODAY, freezes=1) == 2


def test_a_vote_on_a_saturday_counts() -> None:
    assert scoring.streak(days_ago(0, 2, 3), TODAY) == 3


def test_freezes_are_for_the_first_misses_of_a_month() -> None:
    wednesdays = [date(2026, 3, day) for day in (4, 11, 18)]
    march = [date(2026, 3, day) for day in range(2, 28)]
    voted = [day for day in march if day not in wednesdays]
    before_the_third = scoring.streak_and_freezes(voted, date(2026, 3, 17), (), 2)
    assert before_the_third == Streak(len([day for day in voted if day <= date(2026, 3, 17)]), 0)
    assert scoring.streak(voted, date(2026, 3, 20), (), 2) == 2  # Thursday and Friday after it
    assert scoring.streak_and_freezes(march, date(2026, 4, 1), (), 2) == Streak(26, 2)  # two of March's spent
    assert scoring.streak_and_freezes([*march, date(2026, 4, 2)], date(2026, 4, 2), (), 2).freezes == 1


def test_no_freeze_is_spent_where_there_is_no_streak() -> None:
    assert scoring.streak_and_freezes([], TODAY, (), 2) == Streak(0, 2)
    long_ago = [date(2026, 1, 5)]  # two freezes of January for it, and no more
    assert scoring.streak_and_freezes(long_ago, TODAY, (), 2) == Streak(0, 2)


some_days = st.sets(st.integers(-2, 60)).map(lambda numbers: set(days_ago(*numbers)))


@given(some_days, some_days, st.integers(0, 3))
def test_more_days_off_or_freezes_never_shorten_a_streak(
    days: set[date], off: set[date], freezes: int
) -> None:
    strict = scoring.streak(days, TODAY)
    assert strict <= scoring.streak(days, TODAY, off) <= len(days)
    assert strict <= scoring.streak(days, TODAY, (), freezes)
    assert scoring.streak(days, TODAY, off | {TODAY}) == scoring.streak(days, TODAY, off)


@given(some_days, some_days)
def test_a_streak_is_the_days_since_the_last_working_day_missed(days: set[date], off: set[date]) -> None:
    def missed(day: date) -> bool:
        return day.weekday() < 5 and day not in days | off

    breaks = [day for day in days_ago(*range(1, 70)) if missed(day)]
    expected = [day for day in days if max(breaks) < day <= TODAY]
    assert scoring.streak(days, TODAY, off) == len(expected)


@given(some_days, some_days, st.integers(0, 3))
def test_freezes_left_are_what_a_month_has_at_most(days: set[date], off: set[date], freezes: int) -> None:
    assert 0 <= scoring.streak_and_freezes(days, TODAY, off, freezes).freezes <= freezes


# Boards


def test_equals_share_a_place_in_the_order_given() -> None:
    assert scoring.places({4: 50, 2: 50, 7: 70, 1: 10}) == [
        Place(1, 7, 70),
        Place(2, 4, 50),
        Place(2, 2, 50),
        Place(4, 1, 10),
    ]


def test_one_lucky_answer_is_no_lead_and_many_poor_ones_are_none() -> None:
    office = 11.0
    lucky, steady, busy = (
        scoring.score(points, answers, office) for points, answers in ((30, 1), (400, 30), (900, 150))
    )
    assert steady > lucky > busy


@given(st.lists(st.integers(0, 99), max_size=20), st.integers(0, 20), st.integers(0, 4))
def test_a_neighbourhood_is_at_most_so_many_on_either_side(scores: list[int], own: int, reach: int) -> None:
    places = scoring.places(dict(enumerate(scores)))
    near = scoring.neighbourhood(places, own, reach)
    if own >= len(scores):
        assert near == []
        return
    keys = [place.key for place in near]
    at = keys.index(own)
    assert at <= reach
    assert len(keys) - at - 1 <= reach
    assert len(keys) >= min(len(scores), reach + 1)
    assert near == [place for place in places if place.key in keys]


# Accuracy


def test_wilson_as_published() -> None:
    low, high = scoring.wilson(15, 20)
    assert (round(low, 4), round(high, 4)) == (0.5313, 0.8881)
    assert scoring.wilson(0, 0) == (0, 1)


@given(st.integers(1, 10_000).flatmap(lambda seen: st.tuples(st.integers(0, seen), st.just(seen))))
def test_wilson_holds_the_share_and_is_that_of_the_textbook(figures: tuple[int, int]) -> None:
    right, seen = figures
    low, high = scoring.wilson(right, seen)
    assert 0 <= low <= right / seen <= high <= 1
    assert high - low < 1
    expected = binomtest(right, seen).proportion_ci(method="wilson")
    assert (low, high) == pytest.approx((expected.low, expected.high), abs=1e-6)
