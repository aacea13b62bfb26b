"""What is new has a place in every list, on its first day and no more than its share."""

from collections import Counter
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.test import Client
from django.utils import timezone

from recommend import newcomers, nightly, serving
from recommend.models import ShopperKind, shopper_key
from recommend.serving import Recommended
from tests.make import embed, make_dress, make_photo
from tests.recommend.conftest import Crowd
from verify.models import Dress, DressPhoto

TODAY = date(2026, 6, 1)
SHOPPERS = [UUID(int=number) for number in range(400)]
ANN = "visitor-of-the-name-ann"


# Hands


def test_a_hand_is_the_shopper_s_own_for_the_day() -> None:
    new = range(100, 150)
    hands = [newcomers.hand(shopper, TODAY, new, 1) for shopper in SHOPPERS]
    assert hands == [newcomers.hand(shopper, TODAY, [*new][::-1], 1) for shopper in SHOPPERS]
    assert hands != [newcomers.hand(shopper, TODAY + timedelta(days=1), new, 1) for shopper in SHOPPERS]
    assert {len(hand) for hand in hands} == set(range(1, newcomers.LARGEST_HAND + 1))
    assert all(len({*hand}) == len(hand) for hand in hands)


def test_what_looks_like_nobody_s_taste_is_seen_all_the_same() -> None:
    """Of each hand the one of the lowest number is liked best, so that 109 wins none but alone."""
    new = range(100, 110)
    shown = Counter(min(newcomers.hand(shopper, TODAY, new, 1)) for shopper in SHOPPERS)
    assert {*shown} == {*new}
    assert shown[100] > 5 * shown[109] > 0


def test_there_is_no_hand_without_new_dresses_or_places() -> None:
    assert newcomers.hand(SHOPPERS[0], TODAY, [], 1) == []
    assert newcomers.hand(SHOPPERS[0], TODAY, [7], 0) == []
    assert newcomers.hand(SHOPPERS[0], TODAY, [7], 3) == [7]


@pytest.mark.parametrize(
    ("share", "n", "expected"), [(0.125, 8, [7]), (0.125, 7, []), (0.125, 24, [7, 15, 23]), (0.5, 5, [1, 4])]
)
def test_places_are_spread_and_never_more_than_the_share(
    settings: Any, share: float, n: int, expected: list[int]
) -> None:
    settings.RECOMMEND_NEW_SHARE = share
    assert newcomers.spots(n, newcomers.places(n)) == expected


# Lists


@pytest.fixture
def old(crowd: Crowd, settings: Any) -> Crowd:
    """A shop of six dresses that have been there for long, of which everybody knows some."""
    settings.RECOMMEND_NEW_SHARE = 0.5
    crowd.comes()
    return crowd


def looking(dress: Dress, *vector: float) -> Dress:
    DressPhoto.objects.create(dress=dress, photo=make_photo())
    return embed(dress, [vector])


def listed(who: str = "ann", n: int = 2) -> list[Recommended]:
    return serving.recommend([shopper_key(ShopperKind.USER, who)], n)[0].results


def titles(results: list[Recommended]) -> list[str]:
    return [Dress.objects.get(pk=each.dress).title for each in results]


@pytest.mark.django_db
@pytest.mark.usefixtures("small")
class TestLists:
    def test_a_dress_is_listed_on_its_first_day(self, old: Crowd) -> None:
        nightly.fit("TOGETHER", lambda line: None)
        old.did("ann", "Luna")
        nova = make_dress("NEW", photos=0, title="Nova")  # after the fit, and without a photo
        found = listed()
        assert found[1] == Recommended(nova.pk, "new", None)
        assert titles(found)[0] in ("Sole", "Stella")
        assert nova.pk not in {each.dress for each in listed(n=1)}  # half of one place is none

    @pytest.mark.parametrize("who", ["ann", "nobody"])
    def test_without_a_model_as_well(self, old: Crowd, who: str) -> None:
        make_dress("NEW", photos=0, title="Nova")
        assert titles(listed(who))[1] == "Nova"

    def test_that_many_people_like_it_is_not_said_of_it(self, old: Crowd, client: Client) -> None:
        """Nova is listed anyway, as there are no more than eight."""
        make_dress("NEW", photos=0, title="Nova")
        body = client.get("/api/v1/recommendations/?visitor=visitor-whom-nobody-knows").json()
        words = {dress["title"]: dress["reason"]["words"] for dress in body["results"]}
        assert (words["Nova"], words["Luna"]) == ("new in the shop", "many people like it")
        assert client.get("/shop/").content.decode().count("new in the shop") == 1

    def test_of_a_stranger_as_well(self, old: Crowd) -> None:
        nightly.fit("TOGETHER", lambda line: None)
        make_dress("NEW", photos=0, title="Nova")
        assert titles(listed("nobody"))[1] == "Nova"

    @pytest.mark.parametrize(
        "why", ["its days are over", "it is out of stock", "ann knows it", "no place is set"]
    )
    def test_it_has_no_place_when(self, old: Crowd, settings: Any, why: str) -> None:
        nova = make_dress("NEW", photos=0, title="Nova")
        old.dresses["Nova"] = nova
        nightly.fit("TOGETHER", lambda line: None)
        if why == "its days are over":
            nova.available_from = timezone.localdate() - timedelta(days=settings.RECOMMEND_NEW_DAYS)
            nova.save()
        elif why == "it is out of stock":
            listed("bea")  # remembers what is new
            nova.retire()
        elif why == "ann knows it":
            old.did("ann", "Nova", kind="view")
        else:
            settings.RECOMMEND_NEW_SHARE = 0.0
        assert "Nova" not in titles(listed())

    def test_nor_once_enough_people_know_it(self, old: Crowd, settings: Any) -> None:
        old.dresses["Nova"] = make_dress("NEW", photos=0, title="Nova")
        for number in range(2):
            old.did(f"fan {number}", "Nova")
        for people, expected in ((3, True), (2, False)):
            settings.RECOMMEND_NEW_PEOPLE = people
            nightly.fit("TOGETHER", lambda line: None)
            assert ("Nova" in titles(listed())) == expected

    def test_what_is_listed_by_its_score_takes_the_place(self, crowd: Crowd, settings: Any) -> None:
        settings.RECOMMEND_NEW_SHARE = 0.5
        Dress.objects.update(available_from=None)  # all of them are new
        crowd.comes()
        nightly.fit("TOGETHER", lambda line: None)
        crowd.did("ann", "Luna")
        assert {*titles(listed())} == {"Sole", "Stella"}

    def test_of_a_hand_what_looks_most_like_her_taste_and_it_is_said(
        self, old: Crowd, monkeypatch: pytest.MonkeyPatch, client: Client
    ) -> None:
        monkeypatch.setattr(newcomers, "LARGEST_HAND", 1)
        monkeypatch.setattr(newcomers, "hand", lambda shopper, today, new, n: sorted(new))
        for title, vector in {"Luna": (1, 0, 0), "Onda": (0, 1, 0), "Sole": (0.2, 0, 1)}.items():
            looking(old.dresses[title], *vector)
        nightly.fit("TOGETHER", lambda line: None)
        for sku, vector in {"N1": (0, 1, 0), "N2": (0.9, 0.1, 0), "N3": (0, 0, 1)}.items():
            looking(make_dress(sku, photos=0, title=f"Nova {sku}"), *vector)
        old.visits(ANN, "Luna", "save")
        *_, last = client.get(f"/api/v1/recommendations/?visitor={ANN}&limit=2").json()["results"]
        assert (last["title"], last["reason"]["kind"]) == ("Nova N2", "new")
        assert last["reason"]["words"] == "new, and looks like Luna"
        assert last["reason"]["dress"]["sku"] == "LUNA"
        url = "/api/v1/recommendations/?visitor=visitor-whom-nobody-knows&limit=2"
        *_, last = client.get(url).json()["results"]
        assert last["reason"]["words"] == "new in the shop"
        assert last["reason"]["dress"] is None

    def test_looks_of_today_are_read_once(self, old: Crowd, django_assert_num_queries: Any) -> None:
        looking(old.dresses["Luna"], 1, 0)
        nightly.fit("TOGETHER", lambda line: None)
        old.did("ann", "Luna")
        looking(make_dress("NEW", photos=0, title="Nova"), 1, 0)
        serving.live()
        # what she did, version, what is new, stock; the live DeepDress, looks
        with django_assert_num_queries(6):
            found = listed()
        assert titles(found)[1] == "Nova"
        with django_assert_num_queries(3):
            assert listed() == found

    def test_a_look_by_another_deepdress_says_nothing(self, old: Crowd) -> None:
        looking(old.dresses["Luna"], 1, 0, 0)
        nightly.fit("TOGETHER", lambda line: None)
        old.did("ann", "Luna")
        nova = looking(make_dress("NEW", photos=0, title="Nova"), 1, 0)
        assert listed()[1] == Recommended(nova.pk, "new", None)
