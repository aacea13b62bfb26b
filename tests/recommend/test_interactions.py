"""What shoppers did: stored once, forgotten in time or when asked, and made into ratings."""

from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from django.core.management import call_command
from django.db import IntegrityError

from recommend import interactions
from recommend.models import Interaction, ShopperKind, shopper_key
from tests.make import make_dress, make_look
from tests.recommend.shoppers import NOON, store, told
from tests.verify.players import at_once
from verify.models import Dress

ANN, BEA = (shopper_key(ShopperKind.USER, who) for who in ("ann", "bea"))


@pytest.fixture
def dresses(db: None) -> list[Dress]:
    return [make_dress(photos=0) for _ in range(3)]


def test_an_event_is_stored_once_and_is_its_shopper_s_own(dresses: list[Dress]) -> None:
    first, second = (told(who, "view", dresses[0], event="1") for who in ("ann", "bea"))
    assert Interaction.objects.store([first, first, second], NOON) == ["stored", "repeated", "stored"]
    assert Interaction.objects.store([second], NOON) == ["repeated"]
    assert Interaction.objects.count() == 2


def test_a_visitor_s_day_has_an_end_and_what_was_there_counts_as_repeated(dresses: list[Dress]) -> None:
    events = [told("ann", "view", dresses[0]) for _ in range(5)]
    assert Interaction.objects.store(events[:2], NOON, 3) == ["stored"] * 2
    assert Interaction.objects.store(events, NOON, 3) == [*["repeated"] * 2, "stored", "over", "over"]
    tomorrow = told("ann", "view", dresses[0], days=-1)
    assert Interaction.objects.store([tomorrow], tomorrow.at, 3) == ["stored"]


@pytest.mark.concurrency
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("most", "expected"), [(None, 40), (7, 7)])
def test_the_same_events_at_once_are_stored_once_and_no_more_than_may_be(
    most: int | None, expected: int
) -> None:
    dress = make_dress(photos=0)
    events = [told("ann", "view", dress) for _ in range(40)]
    orders = [events, events[::-1], events[20:] + events[:20], events[::-1]]
    fates = at_once([lambda order=order: Interaction.objects.store(order, NOON, most) for order in orders])
    assert sum(each.count("stored") for each in fates) == Interaction.objects.count() == expected


@pytest.mark.parametrize(("kind", "value"), [("view", 3.0), ("rating", None), ("rating", float("nan"))])
def test_ratings_and_they_alone_have_a_value(dresses: list[Dress], kind: str, value: float | None) -> None:
    with pytest.raises(IntegrityError):
        store(told("ann", kind, dresses[0], value=value))


def test_age_and_the_asked_for_end_what_is_stored(dresses: list[Dress], settings: Any) -> None:
    settings.INTERACTIONS_KEPT = timedelta(days=10)
    store(
        told("ann", "view", dresses[0], days=11),
        told("ann", "view", dresses[0]),
        told("bea", "view", dresses[0]),
    )
    assert Interaction.objects.forget_old(NOON) == 1
    call_command("forget_shopper", user="ann")
    assert [row.shopper for row in Interaction.objects.all()] == [BEA]
    call_command("forget_shopper", visitor="bea")  # somebody else
    assert Interaction.objects.exists()


def test_nothing_can_be_read_from_a_key_and_the_secret_decides_it(settings: Any) -> None:
    visitor = shopper_key(ShopperKind.VISITOR, "ann")
    settings.SHOPPER_SECRET = "another"
    assert len({ANN, visitor, shopper_key(ShopperKind.USER, "ann")}) == 3


def test_looks_that_somebody_opened_are_those_still_public(dresses: list[Dress]) -> None:
    shown, hidden = make_look(dresses[0]), make_look(dresses[0], "refused")
    store(*(told("ann", "open", dresses[0], look=look.pk) for look in (shown, shown, hidden)))
    assert list(Interaction.objects.looks_opened(ANN)) == [shown]


# Ratings


def as_dict(found: interactions.Ratings) -> dict[tuple[str, str], float]:
    pairs = zip(found.user_of, found.matrix.indices, found.matrix.data, strict=True)
    return {(found.users[row], found.items[column]): float(value) for row, column, value in pairs}


def test_ratings_by_hand(dresses: list[Dress], settings: Any) -> None:
    """Weights 1, 2, 4 and 12, a middle of 4, and half of it after 10 days."""
    settings.INTERACTION_HALF_LIFE = timedelta(days=10)
    first, second, third = dresses
    store(
        told("ann", "view", first, 10),  # 1/2
        told("ann", "view", first, 10.1),  # the same day: no more
        told("ann", "view", first, 20),  # 1/4
        told("ann", "open", first, 10),  # 1
        told("ann", "rent", second),  # 12
        told("ann", "rating", second, 5, value=2.0),
        told("ann", "rating", second, 1, value=4.5),  # the last word
        told("bea", "save", third, 30),  # 4/8
        told("bea", "view", Dress(pk=999_999)),  # is gone
    )
    found = interactions.ratings(NOON + timedelta(seconds=1))
    assert found.items == tuple(str(dress.pk) for dress in dresses)
    assert as_dict(found) == pytest.approx(
        {
            (str(ANN), str(first.pk)): 1 + 4 * (1 - 2 ** (-1.75 / 4)),
            (str(ANN), str(second.pk)): 4.5,
            (str(BEA), str(third.pk)): 1 + 4 * (1 - 2 ** (-0.5 / 4)),
        },
        abs=1e-4,
    )
    assert (found.matrix.has_sorted_indices, found.matrix.data.dtype) == (True, np.float32)


def test_some_time_some_shoppers_and_a_model_s_own_items(dresses: list[Dress]) -> None:
    first, second, _ = dresses
    store(told("ann", "view", first, 9), told("ann", "view", second, 2), told("bea", "view", first, 2))
    week_ago, later = NOON - timedelta(days=7), NOON + timedelta(days=1)
    assert set(as_dict(interactions.ratings(week_ago))) == {(str(ANN), str(first.pk))}
    assert len(interactions.ratings(later, since=week_ago)) == 2
    for items, columns in (((str(second.pk), "999999"), [0]), ((str(second.pk), str(first.pk)), [0, 1])):
        both = interactions.ratings(later, items=items)
        mine = both.by([both.users.index(str(ANN))])
        assert (mine.users, mine.items, mine.matrix.indices.tolist()) == ((str(ANN),), items, columns)
        assert as_dict(mine)[str(ANN), str(second.pk)] > 1.6
    nothing = interactions.ratings(later, items=())
    assert nothing.matrix.shape == (0, 0)


def test_what_some_shoppers_did_is_what_a_fit_would_see_of_them(dresses: list[Dress], settings: Any) -> None:
    settings.INTERACTION_WEIGHTS = {**settings.INTERACTION_WEIGHTS, "click": 0.0}
    first, second, third = dresses
    looks = [make_look(first), make_look(first)]
    store(
        *(told("ann", "open", first, look=look.pk) for look in looks),
        told("ann", "rating", second, value=2.0),
        told("ann", "click", third),
        told("bea", "view", first, 9),
        told("cleo", "save", first),
    )
    now = NOON + timedelta(seconds=1)
    found, fitted = interactions.done(now, [ANN, BEA]), as_dict(interactions.ratings(now))
    assert found.keys() == {ANN, BEA}
    assert found[ANN][third.pk] == (None, None)  # nothing that weighs, and yet no dress to recommend
    assert found[ANN][first.pk].look == looks[1].pk
    told_of = {(who, dress): each.rating for who, of in found.items() for dress, each in of.items()}
    expected = {(ANN, first): fitted[str(ANN), str(first.pk)], (ANN, second): 2.0}
    expected[BEA, first] = fitted[str(BEA), str(first.pk)]
    for (who, dress), rating in expected.items():
        assert told_of[who, dress.pk] == pytest.approx(rating)
    assert interactions.done(now, []) == {}


def test_a_save_counts_until_it_is_taken_back(dresses: list[Dress]) -> None:
    first, second, third = dresses
    store(
        *(told("ann", "save", dress, 3) for dress in dresses),
        told("ann", "view", first, 3),
        told("ann", "unsave", first, 2),
        told("ann", "unsave", second, 2),
        told("ann", "save", second, 1),  # and saved again
        told("bea", "unsave", third, 1),  # who saved nothing
    )
    later = NOON + timedelta(seconds=1)
    rating_of = {dress: rating for (_, dress), rating in as_dict(interactions.ratings(later)).items()}
    assert rating_of[str(first.pk)] == pytest.approx(1.6, abs=0.05)  # a view
    assert rating_of[str(second.pk)] == pytest.approx(rating_of[str(third.pk)], abs=0.05)
    assert interactions.done(later, [BEA]) == {BEA: {third.pk: (None, None)}}
    before = as_dict(interactions.ratings(NOON - timedelta(days=2)))
    assert before[str(ANN), str(first.pk)] > 3  # as was known then


def test_weights_of_nothing_and_ages_beyond_measure(dresses: list[Dress], settings: Any) -> None:
    """The power of a number as small as these is an error in Postgres."""
    settings.INTERACTION_WEIGHTS = {**settings.INTERACTION_WEIGHTS, "view": 0.0, "rent": 1e6}
    settings.INTERACTION_HALF_LIFE = timedelta(seconds=1)
    store(
        told("ann", "view", dresses[0]), told("ann", "save", dresses[1], 30), told("ann", "rent", dresses[2])
    )
    found = as_dict(interactions.ratings(NOON + timedelta(microseconds=1)))
    assert list(found.values()) == pytest.approx([1, 5])
