"""The moments that exports of Instagram and shops write."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verify.intake.posts import parse_timestamp


@given(st.datetimes(datetime(2001, 1, 2), datetime(2098, 12, 30)), st.integers(-14 * 60, 14 * 60))
def test_every_form_of_a_moment_is_the_same_moment(naive: datetime, minutes: int) -> None:
    moment = naive.replace(microsecond=0, tzinfo=timezone(timedelta(minutes=minutes)))
    for written in (moment.strftime("%Y-%m-%dT%H:%M:%S%z"), moment.isoformat(), int(moment.timestamp())):
        assert parse_timestamp(written) == moment
        assert parse_timestamp(written).tzinfo == UTC
    assert parse_timestamp(str(int(moment.timestamp()))) == moment
    assert parse_timestamp(moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")) == moment


@given(st.one_of(st.none(), st.booleans(), st.floats(), st.integers(), st.text(), st.lists(st.integers())))
def test_anything_else_is_a_value_error_or_a_moment_of_our_time(value: Any) -> None:
    with suppress(ValueError):
        assert 2000 <= parse_timestamp(value).year <= 2099


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("yesterday", "Expected a time"),
        ("2026-05-31T12:00:00", "time zone is missing"),
        ("2026-02-30T12:00:00Z", "Expected a time"),
        (1780228800000, "Expected a time|cannot be"),  # milliseconds
        (0, "1970 cannot be"),
        (True, "Expected a time"),
        ("0001-01-01T00:00:00+1400", "cannot be"),
    ],
)
def test_what_is_wrong_with_a_timestamp(value: Any, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse_timestamp(value)
