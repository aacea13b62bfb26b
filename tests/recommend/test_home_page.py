"""The demo shop's home page before any script has run, its till, and a browser that wants to be forgotten."""

import re
from datetime import date
from typing import Any

import pytest
from django.test import Client

from recommend.models import Interaction
from tests.make import make_dreams, make_dress, make_look
from tests.recommend.shoppers import store, told
from verify.models import Dress

pytestmark = pytest.mark.django_db
ANN, BEN = "ann-s-random-visitor", "ben-s-random-visitor"


def home(client: Client) -> str:
    page = client.get("/shop/")
    assert page.status_code == 200
    assert "unsafe-inline" not in page.headers["Content-Security-Policy"]
    return page.content.decode()


def recommended(html: str) -> list[str]:
    return re.findall(r'<li data-sku="([^"]+)"', html)


def test_without_javascript_it_shows_the_newest_looks_and_what_many_people_like(client: Client) -> None:
    luna, sole, gone = make_dress("LUNA", title="Luna <3"), make_dress("SOLE"), make_dress("GONE")
    store(told("ann", "save", sole), told("ben", "view", sole), told("ben", "view", gone))
    Dress.objects.filter(pk=gone.pk).update(retired_on=date(2020, 1, 1))
    make_look(luna, username="wearer0")
    newest = make_look(luna, username="wearer1")
    make_look(luna, clearance="waiting", username="uncleared")
    html = home(client)
    assert recommended(html) == ["SOLE", "LUNA"]
    assert f'href="/dresses/LUNA/?look={newest.pk}"' in html
    assert "worn by @wearer1" in html
    assert "wearer0" not in html  # one of a dress
    assert "uncleared" not in html
    assert "<b>Luna &lt;3</b>" in html
    assert "this is what many people like" in html


def test_the_first_day_says_what_comes(client: Client) -> None:
    html = home(client)
    assert recommended(html) == []
    assert "No look has been shown yet." in html
    assert re.search(r'<div class="empty" id="none">', html)
    assert 'class="looks' not in html


def test_it_takes_as_many_statements_for_many_as_for_one(
    client: Client, django_assert_max_num_queries: Any
) -> None:
    for number in range(10):
        dress = make_dress(f"D-{number}", photos=2)
        make_look(dress)
        make_look(dress)
    with django_assert_max_num_queries(8):
        html = home(client)
    assert len(recommended(html)) == 8
    assert html.count("?look=") == 5


def test_where_something_dreams_it_invites_to_like_looks_and_dreams_nothing_yet(
    client: Client, settings: Any
) -> None:
    assert 'id="dreamt"' not in home(client)
    make_dreams([])
    settings.CLASSIFIER_SOCKET = settings.DREAMS_FOLDER / "nobody"
    html = home(client)
    assert "Save or open what you like" in html[html.index('id="dreamt"') :]
    assert ".webp" not in html


@pytest.mark.parametrize(
    ("look", "asked"), [("?look=7", 'look="7"'), ("?look=x", ""), ("?look=%22%3E", ""), ("", "")]
)
def test_a_look_is_asked_for_by_its_number_alone(client: Client, look: str, asked: str) -> None:
    make_dress("LUNA")
    html = client.get(f"/dresses/LUNA/{look}").content.decode()
    found = re.search(r'<dress-looks sku="LUNA" limit="12" (look="[^"]*")?', html)
    assert found
    assert (found[1] or "") == asked


def rent(client: Client, body: Any, sku: str = "LUNA") -> int:
    return client.post(f"/dresses/{sku}/rent/", body, "application/json").status_code


def test_the_demo_s_till_tells_of_a_rent_once(client: Client) -> None:
    make_dress("LUNA")
    assert rent(client, {"visitor": ANN, "event": "1"}) == 204
    assert rent(client, {"visitor": ANN, "event": "1", "kind": "rating", "value": 5}) == 400
    assert rent(client, {"visitor": ANN, "event": "1", "kind": "view", "sku": "SOLE"}) == 204
    assert [row.get_kind_display() for row in Interaction.objects.all()] == ["Rent"]


@pytest.mark.parametrize(
    "body",
    [[], 1, None, {}, {"visitor": "short", "event": "1"}, {"visitor": ANN}, {"visitor": [ANN], "event": "1"}],
)
def test_a_rent_that_cannot_be_read_is_refused(client: Client, body: Any) -> None:
    make_dress("LUNA")
    assert rent(client, body) == 400
    assert rent(client, {"visitor": ANN, "event": "1"}, "NOWHERE") == 400
    assert not Interaction.objects.exists()


def test_a_real_shop_has_no_till_for_everybody(client: Client, settings: Any) -> None:
    make_dress("LUNA")
    assert b"/dresses/LUNA/rent/" in client.get("/dresses/LUNA/").content
    settings.PRODUCTION = True
    assert b"/dresses/LUNA/rent/" not in client.get("/dresses/LUNA/").content
    assert rent(client, {"visitor": ANN, "event": "1"}) == 404
    assert not Interaction.objects.exists()


def test_who_wants_to_be_forgotten_is_and_nobody_else(client: Client) -> None:
    make_dress("LUNA")
    for visitor in (ANN, BEN):
        assert rent(client, {"visitor": visitor, "event": "1"}) == 204
    for query, status in {"": 400, "?visitor=short": 400, f"?visitor={ANN}": 204}.items():
        assert client.delete(f"/api/v1/interactions/{query}").status_code == status
    assert client.delete(f"/api/v1/interactions/?visitor={ANN}").status_code == 204  # nothing is left
    [left] = Interaction.objects.all()
    assert rent(client, {"visitor": BEN, "event": "1"}) == 204
    assert Interaction.objects.get() == left
