"""Splits by person and by photo: nothing leaks, and what was held out stays so."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verify.splits import SPLITS, Node, Shot, drawn, splits


def draw(node: Node) -> float:
    return int.from_bytes(hashlib.sha256(repr(node).encode()).digest()[:4]) / 2**32


names = st.sampled_from(["", "ruby", "pearl", "opal", "jade", "amber", "coral"])
contents = st.sampled_from("abcdefghij")
shots = st.lists(st.tuples(names, contents, st.booleans()), max_size=30).map(
    lambda found: [Shot(str(number), *fields) for number, fields in enumerate(found)]
)


@given(shots)
def test_a_person_and_a_photo_are_in_one_split(found: list[Shot]) -> None:
    by_person: dict[str, str] = {}
    by_content: dict[str, str] = {}
    for shot, split in zip(found, splits(found, draw, 0.3), strict=True):
        assert by_content.setdefault(shot.content, split) == split
        assert not shot.person or by_person.setdefault(shot.person, split) == split
        assert split == "test" or not shot.frozen


@given(shots, st.randoms(use_true_random=False))
def test_the_order_of_posts_says_nothing(found: list[Shot], chance: object) -> None:
    shuffled = list(found)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    once = dict(zip(found, splits(found, draw, 0.3), strict=True))
    assert once == dict(zip(shuffled, splits(shuffled, draw, 0.3), strict=True))


@given(shots, st.integers(0, 30))
def test_later_posts_take_nothing_out_of_what_is_held_out(found: list[Shot], first: int) -> None:
    before, after = splits(found[:first], draw, 0.3), splits(found, draw, 0.3)
    for one, other in zip(before, after, strict=False):
        assert SPLITS.index(one) <= SPLITS.index(other)


def test_posts_of_nobody_are_not_one_person() -> None:
    found = [Shot(str(number), "", f"photo {number}") for number in range(200)]
    assert set(splits(found, draw, 0.2)) == set(SPLITS)


def test_who_shares_a_photo_is_held_out_together() -> None:
    ruby, shared, pearl = Shot("1", "ruby", "a"), Shot("2", "ruby", "b"), Shot("3", "pearl", "b")
    audited, other = Shot("4", "pearl", "c", frozen=True), Shot("5", "opal", "d")
    found = splits([ruby, shared, pearl, audited, other], lambda node: 0.9, 0.1)
    assert found == ["test", "test", "test", "test", "train"]


def test_a_long_chain_of_people_is_one_group() -> None:
    chain = [Shot(str(n), f"person {n // 2}", f"photo {(n + 1) // 2}") for n in range(20_000)]
    assert set(splits([*chain, Shot("last", "person 9999", "x", frozen=True)], draw, 0)) == {"test"}


@pytest.mark.parametrize(("number", "split"), [(0.0, "test"), (0.1, "validation"), (0.2, "train")])
def test_as_much_for_validation_as_for_the_test(number: float, split: str) -> None:
    assert drawn(number, 0.1) == split
    assert drawn(number, 0) == "train"
