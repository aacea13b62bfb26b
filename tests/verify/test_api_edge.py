"""The edge of the API: caches, other origins, limits, and nonsense."""

from urllib.parse import quote

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_django import Settings
from rest_framework.throttling import AnonRateThrottle

from tests.make import make_dress, make_look

pytestmark = pytest.mark.django_db

ENDPOINTS = ["dresses/", "dresses/D/", "dresses/D/looks/", "dresses/D/similar/"]


@pytest.mark.parametrize("path", ENDPOINTS)
def test_an_unchanged_answer_is_not_sent_twice(client: Client, path: str) -> None:
    dress = make_dress("D")
    first = client.get(f"/api/v1/{path}")
    tag = first.headers["ETag"]
    assert tag.startswith('"')  # strong
    assert first.headers["Cache-Control"] == "public, max-age=60"
    again = client.get(f"/api/v1/{path}", headers={"If-None-Match": tag})
    assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", tag)
    assert again.headers["Cache-Control"] == "public, max-age=60"
    if path != "dresses/D/similar/":
        make_look(dress)
        changed = client.get(f"/api/v1/{path}", headers={"If-None-Match": tag})
        assert (changed.status_code, changed.headers["ETag"] != tag) == (200, True)


def test_no_cookie_and_no_session(client: Client) -> None:
    make_dress("D")
    answer = client.get("/api/v1/dresses/D/")
    assert not answer.cookies
    assert "Cookie" not in answer.headers.get("Vary", "")


def test_every_origin_may_read_in_development(client: Client) -> None:
    answer = client.get("/api/v1/dresses/", headers={"Origin": "https://shop.example"})
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


def test_only_named_origins_may_read_where_some_are_named(client: Client, settings: Settings) -> None:
    settings.CORS_ALLOW_ALL_ORIGINS = False
    settings.CORS_ALLOWED_ORIGINS = ["https://shop.example"]
    allowed = client.get("/api/v1/dresses/", headers={"Origin": "https://shop.example"})
    assert allowed.headers["Access-Control-Allow-Origin"] == "https://shop.example"
    assert "origin" in allowed.headers["Vary"].lower()
    other = client.get("/api/v1/dresses/", headers={"Origin": "https://thief.example"})
    assert "Access-Control-Allow-Origin" not in other.headers


def test_too_many_requests_are_told_when_to_come_back(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(AnonRateThrottle, "rate", "3/min", raising=False)
    codes = [client.get("/api/v1/dresses/").status_code for _ in range(3)]
    refused = client.get("/api/v1/dresses/")
    assert codes == [200, 200, 200]
    assert refused.status_code == 429
    assert 0 < int(refused.headers["Retry-After"]) <= 60
    assert refused.headers["Cache-Control"] == "no-store"
    assert set(refused.json()) == {"detail"}


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
@pytest.mark.parametrize("path", ENDPOINTS)
def test_nothing_can_be_written(client: Client, method: str, path: str) -> None:
    make_dress("D")
    answer = getattr(client, method)(f"/api/v1/{path}")
    assert (answer.status_code, set(answer.json())) == (405, {"detail"})


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("dresses/?limit=0", 400),
        ("dresses/?limit=-1", 400),
        ("dresses/?limit=101", 400),
        ("dresses/?limit=99999999999999999999999", 400),
        ("dresses/?limit=1e3", 400),
        ("dresses/?limit=%00", 400),
        (f"dresses/?limit={'9' * 5000}", 400),
        ("dresses/?page=0", 404),
        ("dresses/?page=-1", 404),
        ("dresses/?page=99999999999999999999999", 404),
        (f"dresses/?page={'9' * 5000}", 404),
        ("dresses/?page=%00", 404),
        ("dresses/?page=two", 404),
        ("dresses/?q=%00", 400),
        ("dresses/?q=%ED%A0%80", 200),
        (f"dresses/?q={'x' * 101}", 400),
        ("dresses/?category=%00", 400),
        ("dresses/?in_stock=perhaps", 400),
        ("dresses/?order=price", 400),
        ("dresses/none/", 404),
        ("dresses/none/looks/", 404),
        ("dresses/none/similar/", 404),
        ("dresses/%00/", 404),
        ("dresses/D%00/looks/", 404),
        ("dresses/%FF/", 404),
        (f"dresses/{'x' * 65}/", 404),
        ("dresses/D/similar/?limit=25", 400),
        ("looks/0/shop/", 404),
        ("looks/99999999999999999999999999/shop/", 404),
        (f"looks/{'9' * 5000}/shop/", 404),
        ("looks/-1/shop/", 404),
        ("nothing/here/", 404),
    ],
)
def test_nonsense_is_refused_in_one_sentence(client: Client, path: str, status: int) -> None:
    make_dress("D")
    answer = client.get(f"/api/v1/{path}")
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/json"
    if status != 200:
        assert set(answer.json()) == {"detail"}
        assert len(answer.json()["detail"]) < 300
        assert answer.headers["Cache-Control"] == "no-store"


def test_an_error_names_the_parameter_or_the_dress(client: Client) -> None:
    assert client.get("/api/v1/dresses/?limit=x").json()["detail"].startswith("limit: ")
    assert "'NO-1'" in client.get("/api/v1/dresses/NO-1/").json()["detail"]


words = st.text(max_size=80)
query = st.dictionaries(st.sampled_from(["q", "limit", "page", "category", "in_stock", "order"]), words)
paths = st.one_of(
    st.sampled_from(["dresses/", "dresses/D/looks/", "dresses/D/similar/"]),
    words.map(lambda word: f"dresses/{quote(word, safe='')}/"),
    words.map(lambda word: f"dresses/{quote(word, safe='')}/looks/"),
    st.integers().map(lambda number: f"looks/{number}/shop/"),
)


@settings(
    max_examples=80,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(path=paths, query=query)
def test_nothing_a_stranger_sends_is_a_server_error(client: Client, path: str, query: dict[str, str]) -> None:
    answer = client.get(f"/api/v1/{path}", query, follow=True)
    assert answer.status_code in (200, 400, 404, 429)


def test_the_documentation_is_a_page(client: Client) -> None:
    page = client.get("/api/docs/")
    assert page.status_code == 200
    assert b"swagger-ui" in page.content
    assert "'unsafe-inline'" in page.headers["Content-Security-Policy"]
    assert "script-src" not in page.headers["Content-Security-Policy"]
