"""Which posts say what their dress is depends on the model: who was named stands for who was not."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verify.selection import (
    MOST_STOOD_FOR,
    Ending,
    NamedTooSeldom,
    Part,
    ending,
    in_catalogue,
    part,
    stands_for,
)

OFFERED, NAMED, FOUND, UNNAMED, ABSENT = list(Ending)[:5]
counts = st.integers(0, 400)


@pytest.mark.parametrize(
    ("answer", "offered", "by_admin", "expected"),
    [
        ("dress", True, False, Ending.OFFERED),
        ("dress", True, True, Ending.OFFERED),
        ("dress", False, False, Ending.NAMED),
        ("dress", False, True, Ending.FOUND),
        ("none_of_these", False, False, Ending.UNNAMED),
        ("none_of_these", False, True, Ending.ABSENT),
        ("not_a_dress", False, True, Ending.NOT_A_DRESS),
    ],
)
def test_how_a_post_ended(answer: str, offered: bool, by_admin: bool, expected: Ending) -> None:
    assert ending(answer, offered, by_admin) == expected


def test_a_post_is_fitted_on_or_checked_for_ever_and_the_audit_sample_is_never_fitted_on() -> None:
    photos = [sha256(str(number).encode()).hexdigest() for number in range(2000)]
    parts = [part(photo, False) for photo in photos]
    assert parts == [part(photo, False) for photo in photos]
    assert 900 < parts.count(Part.FITTING) < 1100
    assert parts.count(Part.FITTING) + parts.count(Part.CHECKING) == 2000
    assert {part(photo, True) for photo in photos} == {Part.AUDIT}


def test_the_audit_sample_says_how_many_dresses_the_catalogue_has() -> None:
    assert in_catalogue([]) == 1  # nobody has looked: as if all of them were there
    assert in_catalogue([OFFERED] * 50 + [FOUND] * 9 + [ABSENT] * 30) == pytest.approx(10 / 40)


def test_a_named_dress_stands_for_those_that_nobody_named() -> None:
    endings = [OFFERED] * 80 + [NAMED] * 10 + [UNNAMED] * 40
    assert stands_for(endings, 1.0) == 5
    assert stands_for(endings, 0.4) == 2
    assert stands_for(endings, 0.1) == 1


def test_dresses_that_nobody_names_cannot_be_stood_for() -> None:
    with pytest.raises(NamedTooSeldom, match="1 times, and 60 times not"):
        stands_for([OFFERED] * 80 + [NAMED] + [UNNAMED] * 60, 1.0)
    assert stands_for([OFFERED] * 800 + [UNNAMED] * 3, 1.0) == 1  # too few to matter


@given(offered=counts, named=counts, found=counts, unnamed=counts, share=st.floats(0, 1))
def test_no_more_are_stood_for_than_there_may_be(
    offered: int, named: int, found: int, unnamed: int, share: float
) -> None:
    endings = [OFFERED] * offered + [NAMED] * named + [FOUND] * found + [UNNAMED] * unnamed
    try:
        weight = stands_for(endings, share)
    except NamedTooSeldom:
        assert share * (named + unnamed) > MOST_STOOD_FOR * named
        return
    assert 1 <= weight <= MOST_STOOD_FOR
    assert named * weight <= named + unnamed * share + 1e-9
