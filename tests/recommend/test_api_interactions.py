"""The door for what shoppers do: who may tell what, how much, and what becomes of each event."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries

from recommend import interactions
from recommend.models import Interaction, ShopperKind, shopper_key
from tests.make import make_api_key, make_dress, make_look

ADDRESS = "/api/v1/interactions/"
VISITOR = "a-random-visitor"
Send = Callable[..., Any]

pytestmark = pytest.mark.django_db


@pytest.fixture
def from_a_server(client: Client) -> Send:
    key = make_api_key(scopes=["interactions"])[1]

    def send(*events: Any) -> Any:
        body, headers = {"events": list(events)}, {"Authorization": f"Bearer {key}"}
        return client.post(ADDRESS, body, "application/json", headers=headers)

    return send


@pytest.fixture
def from_a_page(client: Client) -> Send:
    def send(*events: Any, visitor: str = VISITOR, **headers: str) -> Any:
        body = json.dumps({"visitor": visitor, "events": list(events)})
        return client.post(ADDRESS, body, "text/plain;charset=UTF-8", headers=headers)

    return send


def view(event: str = "1", **fields: Any) -> dict[str, Any]:
    return {"event": event, "kind": "view", "sku": "LUNA", **fields}


def test_a_shop_s_server_tells_of_its_shoppers_in_bulk(from_a_server: Send) -> None:
    dress = make_dress("LUNA", retired_on="2026-01-01")
    look, yesterday = make_look(dress), timezone.now() - timedelta(days=1)
    answer = from_a_server(
        {"event": "1", "kind": "open", "user": "ann", "look": look.pk, "at": yesterday.isoformat()},
        {"event": "1", "kind": "rating", "user": "bea", "sku": "LUNA", "value": 4.5},
        {"event": "1", "kind": "save", "visitor": VISITOR, "sku": "LUNA", "look": 10**9},  # is gone
    )
    assert (answer.status_code, answer.json()) == (200, {"stored": 3, "repeated": 0, "errors": []})
    rows = {row.shopper: row for row in Interaction.objects.all()}
    ann, bea = (rows[shopper_key(ShopperKind.USER, who)] for who in ("ann", "bea"))
    visitor = rows[shopper_key(ShopperKind.VISITOR, VISITOR)]
    assert {row.dress_id for row in rows.values()} == {dress.pk}
    assert (ann.look_id, ann.at, ann.get_kind_display()) == (look.pk, yesterday, "Open")
    assert (bea.value, bea.by_visitor, visitor.by_visitor, visitor.look_id) == (4.5, False, True, None)


def test_a_save_is_taken_back_once_and_may_be_made_again(from_a_page: Send) -> None:
    dress, ann = make_dress("LUNA"), shopper_key(ShopperKind.VISITOR, VISITOR)

    def rating() -> float | None:
        return interactions.done(timezone.now() + timedelta(seconds=1), [ann])[ann][dress.pk].rating

    saved = view("1", kind="save")
    assert from_a_page(saved).json()["stored"] == 1
    assert rating() == pytest.approx(3, abs=1e-3)
    assert from_a_page(view("2", kind="unsave")).json()["stored"] == 1
    assert rating() is None
    assert from_a_page(saved, view("2", kind="unsave")).json()["repeated"] == 2
    assert rating() is None
    from_a_page(view("3", kind="unsave"), view("4", kind="save"))  # in one request, in this order
    assert rating() == pytest.approx(3, abs=1e-3)


def test_bad_events_are_named_and_the_others_stored_and_all_may_be_sent_again(from_a_server: Send) -> None:
    make_dress("LUNA")
    too_late = timezone.now() + timedelta(hours=1)
    rows = {
        "sku: Expected a sku": {"event": "1", "kind": "view", "user": "ann"},
        "No dress has the SKU 'NO'": view(user="ann", sku="NO"),
        "There is no look 9": {"event": "1", "kind": "open", "user": "ann", "look": 9},
        "kind: ": view(user="ann", kind="stare"),
        "event: ": view("", user="ann"),
        "value: A rating has one": view(user="ann", kind="rating"),
        "value: A rating": view(user="ann", value=3),
        "value: A valid number": view(user="ann", kind="rating", value="nan"),
        "value: Expected a number from 1 to 5": view(user="ann", kind="rating", value=-1e300),
        "user: Expected": view(),
        "user: Expected a user or": view(user="ann", visitor=VISITOR),
        "visitor: Expected": view(visitor="short"),
        "user: ": view(user="a\0b"),
        "sku: ": view(user="ann", sku="\ud800"),
        "at: It lies in the future": view(user="ann", at=too_late.isoformat()),
        "at: Only 400 days": view(user="ann", at="2001-01-01T00:00Z"),
        "value: Integer value too large": view(user="ann", kind="rating", value=10**400),
        "Invalid data": [],
    }
    sent = [view("good", user="ann"), *rows.values(), view("last", user="ann")]
    answer = from_a_server(*sent).json()
    assert (answer["stored"], [error["index"] for error in answer["errors"]]) == (2, [*range(1, 19)])
    for says, error in zip(rows, answer["errors"], strict=True):
        assert error["detail"].startswith(says)
    again = from_a_server(*sent).json()
    assert (again["stored"], again["repeated"], len(again["errors"])) == (0, 2, 18)
    alone = from_a_server(view(user="ann", sku="NO"))
    assert alone.status_code == 422
    assert alone.json()["detail"] == "Nothing could be stored. Event 0: No dress has the SKU 'NO'."


def test_a_page_tells_what_a_visitor_sees_and_no_more(from_a_page: Send) -> None:
    make_dress("LUNA")
    answer = from_a_page(
        view("1"),
        view("2", kind="click"),
        view("3", kind="rent"),
        view("4", user="ann"),
        view("5", at="2026-01-01"),
    ).json()
    assert answer["stored"] == 2
    told = ["kind: A rent needs a key.", "user: Told with a key alone.", "at: Told with a key alone."]
    assert [error["detail"] for error in answer["errors"]] == told
    assert {row.shopper for row in Interaction.objects.all()} == {shopper_key(ShopperKind.VISITOR, VISITOR)}
    assert from_a_page(view(), visitor="ann").json()["detail"].startswith("visitor: Expected a random key")


def test_a_visitor_s_day_is_limited_and_the_rest_is_said(from_a_page: Send, settings: Any) -> None:
    settings.INTERACTIONS_A_DAY = 3
    make_dress("LUNA")
    answer = from_a_page(*(view(str(number)) for number in range(5))).json()
    assert (answer["stored"], [error["index"] for error in answer["errors"]]) == (3, [3, 4])
    assert from_a_page(view("6")).status_code == 422
    assert from_a_page(view("6"), visitor="another-random-visitor").status_code == 200


def test_an_address_is_limited_apart_from_what_it_reads(
    client: Client, from_a_page: Send, from_a_server: Send, settings: Any
) -> None:
    settings.INTERACTIONS_RATE = "2/min"
    make_dress("LUNA")
    codes = [from_a_page(view(str(number))).status_code for number in range(3)]
    assert codes == [200, 200, 429]
    assert client.get("/api/v1/dresses/").status_code == 200
    assert from_a_server(view(user="ann")).status_code == 200


def test_only_pages_of_named_shops_may_tell_where_some_are_named(from_a_page: Send, settings: Any) -> None:
    settings.CORS_ALLOW_ALL_ORIGINS = False
    settings.CORS_ALLOWED_ORIGINS = ["https://shop.example"]
    make_dress("LUNA")
    for origin in ("https://shop.example", "http://testserver"):
        assert from_a_page(view(), Origin=origin).status_code == 200
    for origin in ("https://thief.example", "null"):
        assert from_a_page(view(), Origin=origin).status_code == 403


@pytest.mark.parametrize(
    ("body", "kind", "scopes", "status", "says"),
    [
        ("{", "application/json", None, 400, "JSON"),
        ("[" * 100_000, "text/plain", None, 400, "nested"),
        ('{"a":' * 100_000, "text/plain", None, 400, "nested"),
        ("[]", "application/json", None, 400, "events: expected a list of 1 to 20"),
        ('{"events": []}', "application/json", ["interactions"], 400, "1 to 1,000"),
        ('{"events": [1]}', "application/json", None, 400, "visitor: "),
        (json.dumps({"events": [1] * 21}), "application/json", None, 413, "21 of them"),
        (json.dumps({"events": [1] * 1001}), "application/json", ["interactions"], 413, "1,001 of them"),
        (" " * (1024 * 1024 + 1), "application/json", None, 413, "1,048,576 bytes"),
        ("a=b", "application/x-www-form-urlencoded", None, 415, "media type"),
        ("{}", "application/json", ["classify"], 403, "lacks the scope 'interactions'"),
        ("{}", "application/json", [], 403, "lacks the scope"),
    ],
)
def test_what_is_no_request_is_refused_in_one_sentence(
    client: Client, body: str, kind: str, scopes: list[str] | None, status: int, says: str
) -> None:
    key = "" if scopes is None else f"Bearer {make_api_key(scopes=scopes)[1]}"
    answer = client.post(ADDRESS, body, kind, headers={"Authorization": key} if key else {})
    assert (answer.status_code, set(answer.json())) == (status, {"detail"})
    assert says in answer.json()["detail"]
    assert "no-store" in answer["Cache-Control"]


def test_a_wrong_key_is_not_taken_for_none(client: Client) -> None:
    answer = client.post(ADDRESS, {}, "application/json", headers={"Authorization": "Bearer dp_no"})
    assert answer.status_code == 401


def test_a_thousand_events_take_no_more_statements_than_two(
    from_a_server: Send, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    look = make_look(make_dress("LUNA"))
    from_a_server(view(user="ann"))  # the key's use is noted once a minute
    for count in (2, 1_000):
        events = [view(f"{count}-{number}", user=f"u{number % 50}", look=look.pk) for number in range(count)]
        with django_assert_num_queries(
            10
        ):  # five for the key; dresses, looks and one to store, in a savepoint
            assert from_a_server(*events).json()["stored"] == count


junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
fields = st.sampled_from(["event", "kind", "sku", "look", "value", "user", "visitor", "at"])
rows = st.dictionaries(
    fields, junk | st.sampled_from(["view", "rating", "LUNA", 4, "2026-01-01"]), max_size=8
)


@hypothesis_settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(events=st.lists(rows | junk, max_size=4))
def test_nothing_that_is_sent_is_a_server_error(
    client: Client, from_a_server: Send, events: list[Any]
) -> None:
    assert from_a_server(*events).status_code in (200, 400, 422, 429)


def test_the_schema_tells_both_ways_in(client: Client) -> None:
    schema = json.loads(client.get("/api/v1/schema/?format=json").content)
    told = schema["paths"][ADDRESS]["post"]
    assert told["security"] == [{"key": []}, {}]
    assert sorted(told["responses"]) == ["200", "400", "401", "403", "413", "415", "422", "429"]
