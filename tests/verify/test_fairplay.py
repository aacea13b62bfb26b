"""Fair play: who tries is never caught, who does not soon is."""

import random
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verify import fairplay
from verify.consensus import NONE_OF_THESE, NOT_A_DRESS
from verify.fairplay import Card, Choice, Record, View, credible, objection

OPTIONS = 3
SHOWS_NONE = 0.35
FOUND = 0.75  # share of the dresses that are among the options
Clicker = Callable[[random.Random], int]


def answers(voter: Callable[[int], int], cards: int, rng: random.Random) -> Record:
    """What somebody leaves behind who answers ``cards`` of them, all settled by their truth.

    Places 0 to 2 hold the shuffled dresses, 3 is "not a dress", 4 "none of these".
    """
    choices, cards_seen, right = [], [], 0
    for _ in range(cards):
        truth = 3 if rng.random() < SHOWS_NONE else 4
        if truth == 4 and rng.random() < FOUND:
            truth = rng.randrange(OPTIONS)
        place = voter(truth)
        right += place == truth
        cards_seen.append(judged(SAID.get(place, "dress:1"), SAID.get(truth)))
        if place < OPTIONS:
            choices.append(Choice(place, OPTIONS))
    viewed = [round(rng.lognormvariate(7.3, 0.5)) for _ in range(cards)]
    gold = round(0.04 * cards)
    return Record(choices, cards_seen, viewed, round(right * gold / cards), gold, right, cards)


SAID = {3: NOT_A_DRESS, 4: NONE_OF_THESE}


def judged(said: str, verdict: str | None) -> Card:
    return Card(said, {answer: float(answer == verdict) for answer in fairplay.UNMOVED}, judged=True)


def unjudged(said: str, not_a_dress: float, none_of_these: float) -> Card:
    return Card(said, {NOT_A_DRESS: not_a_dress, NONE_OF_THESE: none_of_these}, judged=False)


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
        pytest.param(lambda rng: 3, 60, id="not a dress, always"),
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
    reason = objection(Record(choices, [], viewed, 0, wrong, 0, wrong))
    assert reason is None or 0 < len(reason) <= 200


@given(st.lists(st.integers(0, 2), max_size=25), st.permutations(range(3)))
def test_it_does_not_matter_which_place_it_is(places: list[int], renamed: list[int]) -> None:
    record = Record([Choice(place, 3) for place in places])
    other = Record([Choice(renamed[place], 3) for place in places])
    assert (objection(record) is None) == (objection(other) is None)


# The two answers that never move

UNMOVED = st.sampled_from(sorted(fairplay.UNMOVED))


@pytest.mark.parametrize(("answer", "name"), sorted(fairplay.UNMOVED.items()))
def test_the_same_answer_where_the_verdict_is_another(answer: str, name: str) -> None:
    assert objection(Record(cards=[judged(answer, None)] * 15)) is None
    assert objection(Record(cards=[judged(answer, None)] * 16)) == (
        f"{name} was chosen 16 times in 16, whatever the photos show."
    )


@pytest.mark.parametrize("share", [0.35, 0.6, 0.8])
def test_many_posts_that_are_no_dress_do_not_hide_who_presses_nothing_else(share: float) -> None:
    rng = random.Random(1)
    verdicts = [NOT_A_DRESS if rng.random() < share else None for _ in range(150)]
    assert objection(Record(cards=[judged(NOT_A_DRESS, verdict) for verdict in verdicts])) is not None


def test_a_key_pressed_through_an_afternoon_shows_in_its_run() -> None:
    looked = [judged("dress:1", None)] * 150
    run = [judged(NOT_A_DRESS, NOT_A_DRESS), judged(NOT_A_DRESS, None)] * 22
    assert objection(Record(cards=[*looked, *run])) == (
        "“Not a dress” was chosen 22 times in a row, whatever the photos show."
    )


def test_a_bad_week_for_dresses_catches_nobody() -> None:
    assert objection(Record(cards=[judged(NOT_A_DRESS, NOT_A_DRESS)] * 300)) is None
    assert objection(Record(cards=[unjudged(NOT_A_DRESS, 0.97, 0.01)] * 300)) is None


def test_before_any_verdict_the_model_alone_finds_who_presses_one_key_all_day() -> None:
    rng = random.Random(1)
    shares = [0.95 if rng.random() < SHOWS_NONE else 0.03 for _ in range(200)]
    assert objection(Record(cards=[unjudged(NOT_A_DRESS, share, 0.02) for share in shares])) is not None


@pytest.mark.parametrize("seed", range(20))
def test_a_new_collection_that_the_model_does_not_know_catches_nobody(seed: int) -> None:
    """For once "none of these" is right on most cards, and the model is sure of some dress on each."""
    rng = random.Random(seed)
    said = [NONE_OF_THESE if rng.random() < 0.9 else "dress:1" for _ in range(fairplay.WINDOW)]
    lunch = [unjudged(answer, 0.05, 0.03) for answer in said]
    for cards in (40, 80, fairplay.WINDOW):
        assert objection(Record(cards=lunch[:cards])) is None


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("share", [0.35, 0.7])
def test_who_tries_is_left_alone_while_only_the_model_speaks(share: float, seed: int) -> None:
    """However sure of itself it is, and wrong in one of four."""
    rng = random.Random(seed)
    for _ in range(40):
        cards = []
        for _ in range(fairplay.WINDOW):
            truth = NOT_A_DRESS if rng.random() < share else "dress:1"
            said = truth if rng.random() < 0.75 else rng.choice([NOT_A_DRESS, NONE_OF_THESE, "dress:1"])
            sees = (truth == NOT_A_DRESS) == (rng.random() < 0.75)
            cards.append(unjudged(said, 0.97 if sees else 0.02, 0.01))
        assert objection(Record(cards=cards)) is None


@given(st.lists(st.tuples(UNMOVED, st.booleans()), max_size=fairplay.WINDOW))
def test_nobody_is_caught_for_an_answer_that_the_verdict_confirms(said: list[tuple[str, bool]]) -> None:
    cards = [judged(answer if says else "dress:1", answer) for answer, says in said]
    assert objection(Record(cards=cards)) is None


@given(st.lists(st.tuples(st.sampled_from([NOT_A_DRESS, "dress:1"]), st.floats(0, 1)), max_size=200))
def test_the_likelier_an_answer_is_right_the_less_it_tells(cards: list[tuple[str, float]]) -> None:
    found = objection(Record(cards=[unjudged(said, share, 0) for said, share in cards]))
    likelier = objection(Record(cards=[unjudged(said, (1 + share) / 2, 0) for said, share in cards]))
    assert found or not likelier


@given(st.lists(st.tuples(UNMOVED, UNMOVED | st.none()), max_size=60))
def test_it_does_not_matter_which_of_the_two_it_is(said: list[tuple[str, str | None]]) -> None:
    other = {NOT_A_DRESS: NONE_OF_THESE, NONE_OF_THESE: NOT_A_DRESS, None: None}
    record = Record(cards=[judged(answer, verdict) for answer, verdict in said])
    swapped = Record(cards=[judged(str(other[answer]), other[verdict]) for answer, verdict in said])
    assert (objection(record) is None) == (objection(swapped) is None)


# Viewing times


def test_what_a_browser_says_holds_as_far_as_there_was_time_for_it() -> None:
    views = [View(0, 2_000, 1_500), View(0, 2_050, 5_000), View(1_000, 4_000, None), View(3_900, 4_100, 150)]
    assert credible(views) == [1_500, 550, 1_950, 100]


def test_a_tunnel_costs_nobody_their_time() -> None:
    """Four cards in hand, looked at for two seconds each without a connection, and sent within 90 ms."""
    views = [View(0, 60_000 + 30 * number, 2_000) for number in range(4)]
    assert credible(views) == [2_000] * 4


@pytest.mark.parametrize("claimed", [None, 5_000, 600], ids=["nothing", "five seconds", "the least"])
def test_a_script_cannot_claim_time_that_has_not_passed(claimed: int | None) -> None:
    """Cards are dealt four ahead, and answered every 200 ms."""
    views = [View(200 * max(0, number - 4), 200 * (number + 1), claimed) for number in range(60)]
    assert objection(Record(viewed_ms=credible(views))) == (
        "Half of the last 30 cards were on the screen for 0.20 s or less."
    )


Timeline = list[tuple[int, int, int]]
timelines = st.lists(st.tuples(st.integers(0, 5_000), st.integers(0, 20_000), st.integers(0, 60_000)))


def played(timeline: Timeline, honest: bool = True) -> list[View]:
    """Pauses, looks and delays of delivery; what is sent arrives in order, what is shown was dealt before."""
    clock, arrived, views = 0, 0, []
    for number, (pause, look, delay) in enumerate(timeline):
        dealt = clock if number % 4 == 0 else views[-1].dealt
        clock += pause + look
        arrived = max(arrived, clock + delay)
        views.append(View(dealt, arrived, look if honest else 3_600_000))
    return views


@given(timelines)
def test_the_truth_is_believed_whatever_the_connection(timeline: Timeline) -> None:
    assert credible(played(timeline)) == [look for _, look, _ in timeline]


@given(timelines)
def test_never_more_than_has_passed(timeline: Timeline) -> None:
    views = played(timeline, honest=False)
    assert sum(credible(views)) <= max((view.answered for view in views), default=0)
