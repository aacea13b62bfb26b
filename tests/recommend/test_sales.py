"""What came of looks is counted by day, orders the looks of a dress, and can be seen by admins."""

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from recommend import looks, sales, tasks
from recommend.models import Interaction, Tally
from tests import make
from tests.recommend.shoppers import NOON, store, told
from verify.models import Dress, Look

pytestmark = pytest.mark.django_db
LONG_AGO = NOON - timedelta(days=1000)


def counted() -> None:
    Tally.objects.count_anew(LONG_AGO)


def of(tallies: Any) -> dict[str, int]:
    return {deed: sum(getattr(row, deed) for row in tallies) for deed in sales.DEEDS}


@pytest.fixture
def luna() -> Dress:
    return make.make_dress("LUNA", title="Luna")


@pytest.fixture
def look(luna: Dress) -> Look:
    found = make.make_look(luna)
    Look.objects.update(published_at=NOON - timedelta(days=30))
    return found


def test_people_count_once_a_day_for_each_thing_that_they_do(luna: Dress) -> None:
    store(
        *(told("ann", "view", luna) for _ in range(3)), told("bob", "view", luna), told("ann", "save", luna)
    )
    store(told("ann", "view", luna, days=1), told("ann", "rating", luna, value=4.0))
    counted()
    assert of(Tally.objects.filter(day=NOON.date())) == {
        "views": 2,
        "opens": 0,
        "clicks": 0,
        "saves": 1,
        "rents": 0,
    }
    assert of(Tally.objects.all())["views"] == 3


def test_a_sale_is_to_the_credit_of_the_look_of_that_dress_that_was_opened_last(
    luna: Dress, look: Look
) -> None:
    later, other = make.make_look(luna), make.make_dress()
    store(told("ann", "open", luna, days=3, look=look.pk), told("ann", "open", luna, days=2, look=later.pk))
    store(told("ann", "rent", luna, days=1), told("ann", "rent", other, days=1))
    store(told("bob", "open", luna, days=20, look=look.pk), told("bob", "rent", luna, days=1))
    store(told("cat", "rent", luna, days=2), told("cat", "open", luna, days=1, look=look.pk))
    store(told("dan", "save", luna, look=look.pk))
    counted()
    assert of(Tally.objects.filter(look=later))["rents"] == 1
    assert of(Tally.objects.filter(look=look)) == {
        "views": 0,
        "opens": 3,
        "clicks": 0,
        "saves": 1,
        "rents": 0,
    }
    assert of(Tally.objects.of_dresses().filter(dress=luna))["rents"] == 3


def test_counting_again_changes_nothing_and_what_is_forgotten_stays_counted(luna: Dress) -> None:
    store(told("ann", "view", luna), told("bob", "view", luna, days=40))
    counted()
    before = list(Tally.objects.order_by("day").values("day", "dress", "look", *sales.DEEDS))
    counted()
    assert list(Tally.objects.order_by("day").values("day", "dress", "look", *sales.DEEDS)) == before
    Interaction.objects.all().delete()
    Tally.objects.count_anew(NOON - timedelta(days=10, hours=12))
    assert [row["day"] for row in before[:1]] == list(Tally.objects.values_list("day", flat=True))


def test_interactions_of_deleted_dresses_do_no_harm(luna: Dress) -> None:
    store(told("ann", "view", luna))
    Dress.objects.filter(pk=luna.pk).delete()
    counted()
    assert not Tally.objects.exists()


# The order of looks


def shown(dress: Dress, opens: dict[Look, int], views: int = 400) -> None:
    """As many people viewed the page; of those so many opened each look."""
    make.make_tally(dress, views=views, opens=0)
    for look, count in opens.items():
        make.make_tally(dress, look, views=0, opens=count)


def order(dress: Dress) -> list[Look]:
    return list(Look.objects.looks_for(dress))


def test_without_views_looks_stand_as_stated(luna: Dress) -> None:
    sure, liked = make.make_look(luna, confidence=0.99), make.make_look(luna, like_count=99)
    assert looks.order_looks(timezone.now()) == 0
    assert order(luna) == [sure, liked]


def test_what_people_open_comes_first(luna: Dress, settings: Any) -> None:
    sure, opened, new = (make.make_look(luna, confidence=each) for each in (0.99, 0.9, 0.8))
    shown(luna, {opened: 200, sure: 4, new: 30})
    settings.LOOK_ORDER = "rate"
    assert looks.order_looks(timezone.now()) == 3
    assert order(luna) == [opened, new, sure]
    settings.LOOK_ORDER = "stated"
    assert looks.order_looks(timezone.now()) == 0
    assert order(luna) == [sure, opened, new]


def test_a_days_order_holds_and_days_try_what_is_not_known(luna: Dress, settings: Any) -> None:
    settings.LOOK_ORDER = "explore"
    many = [make.make_look(luna) for _ in range(8)]
    best, poor = make.make_look(luna), make.make_look(luna)
    Look.objects.update(published_at=timezone.now())
    shown(luna, {best: 240, poor: 0, **dict.fromkeys(many, 8)})
    now, orders = timezone.now(), []
    for day in range(5):
        looks.order_looks(now + timedelta(days=day))
        orders.append([look.pk for look in order(luna)])
        looks.order_looks(now + timedelta(days=day))
        assert [look.pk for look in order(luna)] == orders[-1]
    assert {tuple(each) for each in orders} != {tuple(orders[0])}
    assert {each[0] for each in orders} == {best.pk}


def test_the_api_gives_looks_in_that_order(client: Client, luna: Dress, settings: Any) -> None:
    sure, opened = make.make_look(luna, confidence=0.99), make.make_look(luna, confidence=0.9)
    shown(luna, {opened: 300, sure: 1})
    settings.LOOK_ORDER = "rate"
    looks.order_looks(timezone.now())
    answer = client.get("/api/v1/dresses/LUNA/looks/").json()
    assert [each["id"] for each in answer["results"]] == [opened.pk, sure.pk]


def test_the_hourly_task_counts_everything_the_first_time(luna: Dress, look: Look) -> None:
    now = timezone.now()
    Look.objects.update(published_at=now - timedelta(days=90))
    store(*(told(who, "view", luna, at=now - timedelta(days=60)) for who in ("ann", "bob")))
    store(told("ann", "open", luna, at=now - timedelta(days=60), look=look.pk))
    tasks.count_hourly()
    assert of(Tally.objects.of_dresses())["views"] == 2
    look.refresh_from_db()
    assert look.standing is not None
    store(told("cat", "view", luna, at=now - timedelta(days=20)))
    tasks.count_hourly()
    assert of(Tally.objects.of_dresses())["views"] == 2
    tasks.count_nightly()
    assert of(Tally.objects.of_dresses())["views"] == 3


@pytest.mark.parametrize(("kept", "credit"), [(31, True), (9, True), (5, False), (1, False)])
def test_what_is_forgotten_stays_counted(
    luna: Dress, look: Look, settings: Any, kept: int, credit: bool
) -> None:
    """So does a rent to the credit of a look that was opened before, unless less than that is kept."""
    settings.INTERACTIONS_KEPT = timedelta(days=kept)
    noon = timezone.now().replace(hour=12)
    for days in range(40):
        store(told("ann", "open", luna, at=noon - timedelta(days=days + 6), look=look.pk))
        store(told("ann", "rent", luna, at=noon - timedelta(days=days)))
    counted()
    tallies = Tally.objects.all() if credit else Tally.objects.of_dresses()
    before = list(tallies.order_by("day", "look").values("day", "look", *sales.DEEDS))
    Interaction.objects.forget_old(noon + timedelta(hours=1))
    tasks.count_hourly()
    tasks.count_nightly()
    assert list(tallies.order_by("day", "look").values("day", "look", *sales.DEEDS)) == before


# The page


def page(client: Client, query: str = "") -> Any:
    return client.get(reverse("admin:recommend_tally_changelist") + query)


@pytest.fixture
def sold(client: Client) -> tuple[Look, Look]:
    client.force_login(make.make_admin())
    luna, sole = make.make_dress("LUNA", title="=Luna"), make.make_dress("SOLE", title="Sole")
    first, second = make.make_look(luna), make.make_look(sole)
    Look.objects.update(published_at=timezone.now() - timedelta(days=300))
    make.make_tally(luna, views=90)
    make.make_tally(luna, first, opens=9, rents=1)
    make.make_tally(sole, views=50)
    make.make_tally(sole, second, opens=20, rents=5, day=timezone.localdate() - timedelta(days=60))
    return first, second


def test_looks_are_shown_by_period_and_what_is_asked_for(client: Client, sold: tuple[Look, Look]) -> None:
    first, second = sold
    assert [line.sold.look for line in page(client).context["lines"]] == [first]
    every = page(client, "?days=all&by=opens").context["lines"]
    assert [line.sold.look for line in every] == [second, first]
    assert [line.sold.look for line in page(client, "?days=all&by=views").context["lines"]] == [first, second]
    assert page(client).context["lines"][0].sold.views == 90
    assert "polyline" in page(client).content.decode()


def test_dresses_are_shown_as_a_whole(client: Client, sold: tuple[Look, Look]) -> None:
    [luna, sole] = page(client, "?of=dresses&by=views").context["lines"]
    assert (luna.sold.dress.sku, luna.sold.views) == ("LUNA", 90)
    assert (sole.sold.dress.sku, sole.sold.views) == ("SOLE", 50)


@pytest.mark.parametrize("query", ["?of=people", "?days=-1", "?by=password", "?of=%00&days=%00", "?q=1&e=1"])
def test_what_is_not_to_be_had_is_not_asked_for(client: Client, sold: tuple[Look, Look], query: str) -> None:
    answer = page(client, query)
    assert answer.status_code == 200
    assert answer.context["asked"] == ("looks", "28", "rents")


def test_the_csv_has_every_row_and_no_formula(client: Client, sold: tuple[Look, Look]) -> None:
    answer = page(client, "?days=all&format=csv")
    assert answer["Content-Disposition"] == 'attachment; filename="looks-all.csv"'
    rows = list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode())))
    assert [(row["sku"], row["title"], row["rents"]) for row in rows] == [
        ("SOLE", "Sole", "5"),
        ("LUNA", "'=Luna", "1"),
    ]


def test_what_is_gone_is_left_out(client: Client, sold: tuple[Look, Look]) -> None:
    first, second = sold
    for look in (first, second):
        look.post.delete()
    Dress.objects.filter(sku="SOLE").delete()
    assert page(client, "?days=all").context["lines"] == []
    assert [line.sold.dress.sku for line in page(client, "?days=all&of=dresses").context["lines"]] == ["LUNA"]
    looks.order_looks(timezone.now())


def test_nothing_yet(client: Client) -> None:
    client.force_login(make.make_admin())
    assert "Nobody has done anything with a look" in page(client).content.decode()


def test_the_page_costs_as_many_statements_for_many_looks(client: Client, sold: tuple[Look, Look]) -> None:
    def statements() -> int:
        with CaptureQueriesContext(connection) as queries:
            page(client, "?days=all")
        return len(queries)

    before = statements()
    for _ in range(6):
        dress = make.make_dress()
        make.make_tally(dress, make.make_look(dress))
    assert statements() == before
