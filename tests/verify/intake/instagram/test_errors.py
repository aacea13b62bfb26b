"""What each error of the Graph API means for us."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verify.intake.instagram.errors import (
    TREATMENTS,
    Treatment,
    error_in,
    parse_treatments,
    redacted,
    treatment_of,
)
from verify.intake.instagram.pacing import (
    FULL,
    LONGEST_WAIT_MINUTES,
    SLOWEST,
    Usage,
    pause_before_next,
    usage,
    wait_minutes,
)


def answer(code: Any, **more: Any) -> dict[str, Any]:
    return {"error": {"message": "No.", "type": "OAuthException", "code": code, **more}}


@pytest.mark.parametrize(
    ("codes", "treatment"),
    [
        ((1, 2), Treatment.RETRY),
        ((4, 17, 32, 341, 613, 80001, 80002), Treatment.WAIT),
        ((368,), Treatment.WAIT_LONG),
        ((3, 10, 102, 190, 200, 250, 299), Treatment.STOP),
        ((18, 24, 100, 506, 9999), Treatment.SKIP),
    ],
)
def test_the_table(codes: tuple[int, ...], treatment: Treatment) -> None:
    for code in codes:
        error = error_in(400, answer(code))
        assert error.treatment == treatment
        assert f"error {code}" in str(error)


def test_every_row_of_the_table_is_tested() -> None:
    [marks] = [mark for mark in test_the_table.pytestmark if mark.name == "parametrize"]
    assert set(TREATMENTS) <= {code for codes, _ in marks.args[1] for code in codes}


def test_what_a_portal_states_goes_before_the_table() -> None:
    stated = parse_treatments("24=stop, 190=wait")
    assert stated == {24: Treatment.STOP, 190: Treatment.WAIT}
    assert error_in(400, answer(24), stated=stated).treatment == Treatment.STOP
    assert treatment_of(190, False, stated) == Treatment.WAIT
    assert parse_treatments("") == {}
    for wrong in ("24", "x=skip", "24=perhaps"):
        with pytest.raises(ValueError):
            parse_treatments(wrong)


def test_an_unlisted_error_that_says_it_passes_is_tried_again() -> None:
    assert error_in(500, answer(9999, is_transient=True)).treatment == Treatment.RETRY


@pytest.mark.parametrize(
    ("status", "found", "treatment"),
    [
        (500, None, Treatment.RETRY),
        (502, {"oops": 1}, Treatment.RETRY),
        (200, None, Treatment.RETRY),
        (200, [1], Treatment.RETRY),
        (429, None, Treatment.WAIT),
        (404, None, Treatment.SKIP),
        (400, answer("seven"), Treatment.SKIP),
        (400, answer(None), Treatment.SKIP),
    ],
)
def test_answers_that_are_no_errors_of_the_table(status: int, found: Any, treatment: Treatment) -> None:
    assert error_in(status, found).treatment == treatment


def test_a_good_answer_is_no_error() -> None:
    assert error_in(200, {"data": []}) is None


@pytest.mark.parametrize(
    ("subcode", "words"),
    [
        (458, "no longer installed"),
        (459, "checkpoint"),
        (460, "password"),
        (463, "expired"),
        (464, "confirmed"),
        (467, "not valid"),
        (492, "session"),
    ],
)
def test_what_is_wrong_with_a_token(subcode: int, words: str) -> None:
    error = error_in(400, answer(190, error_subcode=subcode, message="EAABsecretsecret is bad"))
    assert (error.treatment, words in str(error), "EAA" in str(error)) == (Treatment.STOP, True, False)


@given(st.text(), st.text(alphabet="abcdefghijklmnopqrstuvwxyzABCXYZ0123456789_-", min_size=12))
def test_no_secret_is_told(text: str, secret: str) -> None:
    told = f"{text} {secret} https://g.example/?access_token={secret}&b=1 EAA{secret}"
    assert secret not in redacted(told, secret)
    assert secret not in redacted(f"?access_token={secret}&client_secret={secret}")
    assert secret not in str(error_in(400, answer(190, message=told), (secret,)))


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda x: st.lists(x) | st.dictionaries(st.text(), x),
    )
)
def test_no_answer_of_whatever_form_ends_in_a_crash(found: Any) -> None:
    error_in(400, found)
    error_in(200, {"error": found})
    error_in(200, {"error": {"message": found, "code": found, "error_subcode": found}})
    usage({"X-App-Usage": json.dumps(found), "X-Business-Use-Case-Usage": json.dumps({"1": found})})


# The pace


def test_the_fullest_limit_counts() -> None:
    cases = {"178": [{"type": "instagram", "call_count": 12, "total_cputime": 29, "total_time": 10}]}
    headers = {
        "X-App-Usage": '{"call_count": 28, "total_time": 3, "total_cputime": 25}',
        "X-Business-Use-Case-Usage": json.dumps(cases),
    }
    assert usage(headers) == Usage(29, 0)
    cases["178"][0]["estimated_time_to_regain_access"] = 7
    assert usage({"X-Business-Use-Case-Usage": json.dumps(cases)}) == Usage(29, 7)
    assert usage({}) == usage({"X-App-Usage": "{"}) == Usage()


@given(st.floats(0, 200), st.floats(0, 200))
def test_the_fuller_the_slower(one: float, other: float) -> None:
    less, more = sorted((one, other))
    pauses = pause_before_next(Usage(less)), pause_before_next(Usage(more))
    assert 0 <= pauses[0] <= pauses[1] <= SLOWEST
    assert pause_before_next(Usage(50)) == 0
    assert Usage(FULL).full
    assert Usage(3, 5).full
    assert not Usage(FULL - 1).full


@given(st.integers(1, 50), st.floats(0, 0.999), st.floats(0, 10_000))
def test_waits_double_up_to_hours_and_are_never_shorter_than_stated(
    refusals: int, chance: float, stated: float
) -> None:
    wait = wait_minutes(stated, refusals, chance)
    assert wait >= stated
    assert wait <= 1.5 * max(stated, LONGEST_WAIT_MINUTES)
    assert wait_minutes(0, 2, 0) == 2 * wait_minutes(0, 1, 0)
