from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from verify import scoring
from verify.scoring import Place

TODAY = date(2026, 3, 2)


def days_ago(*numbers: int) -> list[date]:
    return [TODAY - timedelta(days=number) for number in numbers]


def test_streak_counts_days_in_a_row_up_to_today() -> None:
    assert scoring.streak(days_ago(0, 1, 2, 4), TODAY) == 3


def test_streak_is_not_broken_before_the_day_is_over() -> None:
    assert scoring.streak(days_ago(1, 2), TODAY) == 2


def test_a_day_missed_ends_it() -> None:
    assert scoring.streak(days_ago(2, 3), TODAY) == 0
    assert scoring.streak([], TODAY) == 0


@given(st.sets(st.integers(0, 40)))
def test_streak_is_a_run_of_days_that_were_voted_on(numbers: set[int]) -> None:
    length = scoring.streak(days_ago(*numbers), TODAY)
    first = 0 if 0 in numbers else 1
    assert all(day in numbers for day in range(first, first + length))
    assert first + length not in numbers


def test_equals_share_a_place_and_stand_by_name() -> None:
    scores = {"Zoe": 5, "ada": 5, "Bo": 7, "Cy": 1, "Idle": 0}
    assert scoring.leaderboard(scores) == [
        Place(1, "Bo", 7),
        Place(2, "ada", 5),
        Place(2, "Zoe", 5),
        Place(4, "Cy", 1),
    ]
