"""Fair play: who tries is never caught, who does not soon is."""

import random
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verify import fairplay
from verify.fairplay import Choice, Record, objection

OPTIONS = 3
NOT_A_DRESS = 0.35
FOUND = 0.75  # share of the dresses that are among the options
Clicker = Callable[[random.Random], int]


def answers(voter: Callable[[int], int], cards: int, rng: random.Random) -> Record:
    """What somebody leaves behind who answers ``cards`` of them, all settled by their truth.

    Places 0 to 2 hold the shuffled dresses, 3 is "not a dress", 4 "none of these".
    """
    choices, right = [], 0
    for _ in range(cards):
        truth = 3 if rng.random() < NOT_A_DRESS else 4
        if truth == 4 and rng.random() < FOUND:
            truth = rng.randrange(OPTIONS)
        place = voter(truth)
        right += place == truth
        if place < OPTIONS:
            choices.append(Choice(place, OPTIONS))
    viewed = [round(rng.lognormvariate(7.3, 0.5)) for _ in range(cards)]
    gold = round(0.04 * cards)
    return Record(choices, viewed, round(right * gold / cards), gold, right, cards)


def trying(ability: float, rng: random.Random) -> Callable[[int], int]:
    def voter(truth: int) -> int:
        others = [place for place in range(OPTIONS + 2) if place != truth]
        return truth if rng.random() < ability else rng.choice(others)

    return voter


@pytest.mark.parametrize("seed", range(2))
def test_two_hundred_who_try_are_left_alone_at_any_time(seed: int) -> None:
    rng = random.Random(seed)
    for number in range(200):
        ability = 0.75 + 0.23 * number / 199
        record = answers(trying(ability, rng), 300, rng)
        assert objection(record) is None, ability
        for cards in (50, 100, 200):
            assert objection(answers(trying(ability, rng), cards, rng)) is None, ability


@pytest.mark.parametrize(
    ("clicker", "cards"),
    [
        pytest.param(lambda rng: rng.randrange(5), 60, id="anything"),
        pytest.param(lambda rng: rng.randrange(3), 60, id="any dress"),
        pytest.param(lambda rng: 0, 50, id="the first option"),
        pytest.param(lambda rng: 0 if rng.random() < 0.9 else rng.randrange(5), 60, id="mostly the first"),
        pytest.param(lambda rng: 3, 150, id="not a dress, always"),
        pytest.param(lambda rng: 4, 60, id="none of these, always"),
    ],
)
@pytest.mark.parametrize("seed", range(10))
def test_who_does_not_look_is_found(clicker: Clicker, cards: int, seed: int) -> None:
    rng = random.Random(seed)
    assert objection(answers(lambda truth: clicker(rng), cards, rng)) is not None


def test_the_first_option_is_found_by_its_place_alone() -> None:
    assert objection(Record([Choice(0, 3)] * 10)) is None
    assert objection(Record([Choice(0, 3)] * 50)) == (
        "Option 1 was chosen 50 times in 50, though they are shuffled."
    )


def test_a_key_that_is_changed_now_and_then_shows_in_its_runs() -> None:
    keys = [Choice(place, 3) for place in (0, 1, 2) for _ in range(32)]
    assert objection(Record(keys)) == "Option 1 was chosen 32 times in a row, though they are shuffled."
    assert objection(Record(keys[::3])) is None


def test_a_single_option_tells_nothing() -> None:
    assert objection(Record([Choice(0, 1)] * 300)) is None


def test_a_good_voter_may_lean_to_the_first_of_two_that_look_the_same() -> None:
    rng = random.Random(1)
    places = [0 if rng.random() < 0.15 else rng.randrange(3) for _ in range(300)]
    assert objection(Record([Choice(place, 3) for place in places])) is None


def test_nobody_is_caught_for_what_is_long_past() -> None:
    rng = random.Random(1)
    since = [Choice(rng.randrange(3), 3) for _ in range(fairplay.WINDOW)]
    assert objection(Record([Choice(0, 3)] * 50 + since)) is None
    assert objection(Record(viewed_ms=[100] * 30 + [2000] * 30)) is None


@pytest.mark.parametrize(
    ("viewed", "fair"),
    [([599] * 30, False), ([600] * 30, True), ([599] * 29, True), ([100] * 15 + [2000] * 15, True)],
)
def test_half_of_the_last_cards_take_more_than_a_glance(viewed: list[int], fair: bool) -> None:
    assert (objection(Record(viewed_ms=viewed)) is None) == fair


@pytest.mark.parametrize(
    ("right", "seen", "fair"), [(0, 9, True), (2, 10, False), (3, 10, True), (9, 20, True), (6, 20, False)]
)
def test_known_answers_have_a_floor(right: int, seen: int, fair: bool) -> None:
    assert (objection(Record(gold_right=right, gold_seen=seen)) is None) == fair


@pytest.mark.parametrize(
    ("agreed", "judged", "fair"), [(0, 29, True), (9, 30, False), (15, 30, True), (42, 100, False)]
)
def test_verdicts_have_a_floor(agreed: int, judged: int, fair: bool) -> None:
    assert (objection(Record(agreed=agreed, judged=judged)) is None) == fair


def test_the_interval_of_the_re_fit_has_a_floor() -> None:
    assert objection(Record(high=0.6)) is None
    assert objection(Record(high=0.58)) == "The reliability is 58% at most."


def test_a_place_that_does_not_exist_is_an_error() -> None:
    for place, places in [(-1, 3), (3, 3), (0, 0)]:
        with pytest.raises(ValueError, match="expected 0 to"):
            Choice(place, places)


@given(
    st.lists(st.integers(1, 6).flatmap(lambda n: st.builds(Choice, st.integers(0, n - 1), st.just(n)))),
    st.lists(st.integers(0, 100_000)),
    st.integers(0, 50),
)
def test_an_objection_fits_where_it_is_stored(choices: list[Choice], viewed: list[int], wrong: int) -> None:
    reason = objection(Record(choices, viewed, 0, wrong, 0, wrong))
    assert reason is None or 0 < len(reason) <= 200


@given(st.lists(st.integers(0, 2), max_size=25), st.permutations(range(3)))
def test_it_does_not_matter_which_place_it_is(places: list[int], renamed: list[int]) -> None:
    record = Record([Choice(place, 3) for place in places])
    other = Record([Choice(renamed[place], 3) for place in places])
    assert (objection(record) is None) == (objection(other) is None)
