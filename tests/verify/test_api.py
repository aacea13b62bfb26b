"""What the API says of dresses and looks, and to whom."""

import itertools
import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from tests.make import (
    NOON,
    make_admin,
    make_batch,
    make_dress,
    make_employee,
    make_look,
    make_photo,
    make_post,
)
from verify.models import Look, Post

pytestmark = pytest.mark.django_db


def get(client: Client, path: str, **headers: str) -> dict[str, Any]:
    answer = client.get(f"/api/v1/{path}", headers=headers)
    assert answer.status_code == 200, answer.content
    return answer.json()


def test_a_dress_with_its_photos_price_and_number_of_looks(client: Client) -> None:
    dress = make_dress("LUNA-1", photos=2, title="Luna", price="129.90", colour="plum")
    make_look(dress)
    make_look(dress, clearance="waiting")
    luna = get(client, "dresses/LUNA-1/")
    assert luna["price"] == {"amount": "129.90", "currency": "EUR"}
    assert (luna["title"], luna["colour"], luna["in_stock"], luna["looks_count"]) == ("Luna", "plum", True, 1)
    assert len(luna["photos"]) == 2
    assert luna["cover"] == luna["photos"][0]
    assert luna["url"] == "http://testserver/api/v1/dresses/LUNA-1/"
    assert luna["looks_url"] == "http://testserver/api/v1/dresses/LUNA-1/looks/"


def test_a_dress_without_photos_price_and_dates(client: Client) -> None:
    make_dress("BARE", photos=0)
    bare = get(client, "dresses/BARE/")
    assert (bare["cover"], bare["photos"], bare["price"]) == (None, [], None)


def test_the_sizes_of_both_copies_are_told(client: Client) -> None:
    photo = make_photo()
    photo.width, photo.height = 1080, 810
    photo.save()
    dress = make_dress("D", photos=0)
    dress.photos.create(photo=photo)
    cover = get(client, "dresses/D/")["cover"]
    assert cover["large"] == {
        "url": f"http://testserver/media/photos/{photo.token}/large/",
        "width": 1080,
        "height": 810,
    }
    assert (cover["small"]["width"], cover["small"]["height"]) == (360, 270)


@pytest.mark.parametrize("sku", ["Ünïcode 7", "a&b=c?", "50%", "A/B", "dots..", "😀", "x" * 64])
def test_any_sku_a_shop_may_use_has_an_address(client: Client, sku: str) -> None:
    make_look(make_dress(sku))
    dress = get(client, "dresses/")["results"][0]
    assert dress["sku"] == sku
    address = dress["url"].removeprefix("http://testserver")
    assert client.get(address).json()["sku"] == sku
    assert client.get(f"{address}looks/").json()["count"] == 1


def test_retired_and_coming_dresses_are_not_in_stock(client: Client) -> None:
    today = timezone.localdate()
    make_dress("old", retired_on=today)
    make_dress("new", available_from=today + timedelta(days=1))
    make_dress("now")
    stock = {dress["sku"]: dress["in_stock"] for dress in get(client, "dresses/")["results"]}
    assert stock == {"old": False, "new": False, "now": True}


def skus(client: Client, query: str) -> list[str]:
    return [dress["sku"] for dress in get(client, f"dresses/?{query}")["results"]]


def test_dresses_are_found_by_words_category_and_stock(client: Client) -> None:
    make_dress("A", title="Luna", designer="Maison Bleue", category="gown")
    make_dress("B", title="Luna", designer="Rosso", category="Mini")
    make_dress("C", title="Sole", designer="Rosso", colour="blue", category="gown", retired_on="2020-01-01")
    assert skus(client, "q=luna") == ["A", "B"]
    assert skus(client, "q=rosso+luna") == ["B"]
    assert skus(client, "q=BL") == ["A", "C"]
    assert skus(client, "q=100%25") == []
    assert skus(client, "category=mini") == ["B"]
    assert skus(client, "in_stock=true") == ["A", "B"]
    assert skus(client, "in_stock=false") == ["C"]
    assert skus(client, "q=&category=") == ["A", "B", "C"]


def test_dresses_by_their_looks_or_their_age(client: Client) -> None:
    make_dress("A")
    loved = make_dress("B")
    make_look(loved)
    make_dress("C")
    assert skus(client, "order=looks") == ["B", "A", "C"]
    assert skus(client, "order=newest") == ["C", "B", "A"]


def test_looks_come_surest_first_then_most_liked_then_newest(client: Client) -> None:
    dress = make_dress("D")
    values = [(0.98, 5, 3), (0.99, 1, 2), (0.98, 9, 9), (0.98, 9, 1), (None, 99, 0), (0.98, None, 0)]
    for confidence, likes, days in values:
        posted_at = NOON - timedelta(days=days)
        make_look(
            dress,
            confidence=confidence,
            like_count=likes,
            posted_at=posted_at,
            caption=f"{confidence}/{likes}/{days}",
        )
    captions = [look["caption"] for look in get(client, "dresses/D/looks/")["results"]]
    assert captions == ["0.99/1/2", "0.98/9/1", "0.98/9/9", "0.98/5/3", "0.98/None/0", "None/99/0"]


def test_a_look_names_its_source(client: Client) -> None:
    look = make_look(make_dress("D"), username="mia", caption="<b>love</b> it")
    shown = get(client, "dresses/D/looks/")["results"][0]
    assert shown["id"] == look.pk
    assert shown["permalink"] == look.post.permalink
    assert (shown["credit"], shown["caption"], shown["source"]) == ("mia", "<b>love</b> it", "instagram")
    assert shown["shop_url"] == f"http://testserver/api/v1/looks/{look.pk}/shop/"


@pytest.mark.parametrize(
    "link",
    ["javascript:alert(1)", "data:text/html,x", "//evil.example", "http://", "http://[", "", "ftp://a/b"],
)
def test_a_permalink_leads_to_a_web_page_or_nowhere(client: Client, link: str) -> None:
    make_look(make_dress("D"), permalink=link)
    assert get(client, "dresses/D/looks/")["results"][0]["permalink"] is None


def test_pages_follow_each_other_without_gap_or_repetition(client: Client) -> None:
    dress = make_dress("D")
    for _ in range(7):
        make_look(dress)
    seen, path = [], "dresses/D/looks/?limit=3"
    while path:
        page = get(client, path)
        assert page["count"] == 7
        seen += [look["id"] for look in page["results"]]
        path = (page["next"] or "").partition("/api/v1/")[2]
    assert len(seen) == 7 == len(set(seen))


def test_only_public_looks_are_ever_shown(client: Client) -> None:
    """Every combination of rights, clearance, state and viewer."""
    dress = make_dress("D")
    expected = set()
    for rights, clearance, state in itertools.product(
        Post.Rights.values, Look.Clearance.values, Post.State.values
    ):
        settled = state == "settled"
        fields = {} if settled else {"answer": "", "dress": None, "settled_at": None}
        look = make_look(dress, clearance, rights=rights, state=state, **fields)
        if (rights, clearance, state) == ("granted", "cleared", "settled"):
            expected.add(look.pk)
    assert len(expected) == 1
    employee, admin = make_employee("bea"), make_admin()
    for user in [None, employee, admin]:
        if user:
            client.force_login(user)
        assert {look["id"] for look in get(client, "dresses/D/looks/?limit=100")["results"]} == expected
        shown = {pk for pk in Look.objects.values_list("pk", flat=True) if shop_status(client, pk) == 200}
        assert shown == expected
        assert get(client, "dresses/D/")["looks_count"] == 1


def shop_status(client: Client, pk: int) -> int:
    return client.get(f"/api/v1/looks/{pk}/shop/").status_code


def test_a_look_whose_post_shows_another_dress_by_now_is_not_public(client: Client) -> None:
    dress, other = make_dress("D"), make_dress("E")
    look = make_look(dress)
    Post.objects.filter(pk=look.post_id).update(dress=other)
    assert get(client, "dresses/D/looks/")["count"] == get(client, "dresses/E/looks/")["count"] == 0


def test_what_loses_its_rights_or_clearance_is_gone_at_once(client: Client) -> None:
    dress = make_dress("D")
    first, second = make_look(dress), make_look(dress)
    tag = client.get("/api/v1/dresses/D/looks/").headers["ETag"]
    first.decide(Look.Clearance.REFUSED, None)
    Post.objects.filter(pk=second.post_id).update(rights="revoked")
    answer = client.get("/api/v1/dresses/D/looks/", headers={"If-None-Match": tag})
    assert (answer.status_code, answer.json()["count"]) == (200, 0)


def test_the_number_of_statements_does_not_grow(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(2):
        dress = make_dress(f"D{number}", photos=3)
        for _ in range(1 + 6 * number):
            make_look(dress)
    for sku in ("D0", "D1"):
        with django_assert_num_queries(3):  # dress, its photos
            get(client, f"dresses/{sku}/")
        with django_assert_num_queries(3):  # dress, count, looks with photos
            get(client, f"dresses/{sku}/looks/")
    for limit in (1, 2):
        with django_assert_num_queries(2):  # count, dresses with their covers
            get(client, f"dresses/?limit={limit}")


def test_the_schema_describes_every_endpoint(client: Client) -> None:
    schema = client.get("/api/v1/schema/?format=json")
    assert set(json.loads(schema.content)["paths"]) == {
        "/api/v1/bulk/recommendations/",
        "/api/v1/bulk/shop/",
        "/api/v1/bulk/similar/",
        "/api/v1/classify/",
        "/api/v1/dreams/",
        "/api/v1/dreams/for/",
        "/api/v1/dreams/{seed}.webp",
        "/api/v1/dreams/{seed}/",
        "/api/v1/dresses/",
        "/api/v1/dresses/{sku}/",
        "/api/v1/dresses/{sku}/looks/",
        "/api/v1/dresses/{sku}/similar/",
        "/api/v1/interactions/",
        "/api/v1/looks/{id}/shop/",
        "/api/v1/recommendations/",
        "/api/v1/reviews/",
    }


def test_a_batch_says_nothing_here(client: Client) -> None:
    """Open votes are nobody's business outside: a post on its way is not even counted."""
    dress = make_dress("D")
    make_post(batch=make_batch(), state="proposed")
    assert get(client, "dresses/D/")["looks_count"] == get(client, "dresses/D/looks/")["count"] == 0
    assert dress.looks.count() == 0
