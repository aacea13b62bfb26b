"""What shoppers are recommended over HTTP, why, and who may ask about whom."""

from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from recommend import nightly, versions
from recommend.models import RecommenderVersion
from tests.make import make_api_key, make_dress, make_look
from tests.recommend.conftest import Crowd
from verify.models import Dress

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("small")]
ANN = "visitor-of-the-name-ann"


@pytest.fixture
def key() -> str:
    return make_api_key("shop", scopes=["recommendations"], requests_per_minute=1_000)[1]


def get(client: Client, path: str, key: str = "") -> Any:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    return client.get(f"/api/v1/{path}", headers=headers)


def for_ann(client: Client, query: str = "") -> dict[str, Any]:
    answer = get(client, f"recommendations/?visitor={ANN}{query}")
    assert answer.status_code == 200, answer.content
    return answer.json()


def names(body: dict[str, Any]) -> list[str]:
    return [dress["title"] for dress in body["results"]]


@pytest.fixture
def live(crowd: Crowd) -> RecommenderVersion:
    crowd.comes()
    return nightly.fit("TOGETHER", lambda line: None)


def test_what_others_like_with_what_ann_opened_and_why(
    client: Client, crowd: Crowd, live: RecommenderVersion
) -> None:
    look = make_look(crowd.dresses["Luna"])
    crowd.visits(ANN, "Luna", "open", look=look.pk)
    body = for_ann(client)
    assert (body["version"], body["fallback"]) == (live.pk, None)
    assert {*names(body)[:2]} == {"Sole", "Stella"}
    url = "http://testserver/api/v1/dresses/LUNA/"
    assert body["results"][0]["reason"] == {
        "kind": "opened_look",
        "words": "because you opened the look in Luna",
        "dress": {"sku": "LUNA", "title": "Luna", "url": url},
        "look": look.pk,
    }
    look.decide("refused", None)  # it is spoken of no more
    reason = for_ann(client)["results"][0]["reason"]
    assert (reason["kind"], reason["words"]) == ("liked", "people who liked Luna like it, too")


def test_only_what_is_in_stock_and_new_to_ann(client: Client, crowd: Crowd, live: RecommenderVersion) -> None:
    crowd.visits(ANN, "Luna", "save")
    crowd.dresses["Sole"].retire()
    assert names(for_ann(client, "&limit=1")) == ["Stella"]
    assert not {"Luna", "Sole"} & {*names(for_ann(client))}


def test_of_a_stranger_nothing_is_known_and_that_is_said(
    client: Client, crowd: Crowd, live: RecommenderVersion
) -> None:
    for number in range(3):
        crowd.did(f"fan {number}", "Perla")
    nightly.fit("TOGETHER", lambda line: None)
    body = for_ann(client)
    assert body["fallback"]["reason"] == "nothing_known"
    assert names(body)[0] == "Perla"
    assert {dress["reason"]["words"] for dress in body["results"]} == {"many people like it"}


def test_without_a_model_what_is_popular_serves(client: Client, crowd: Crowd) -> None:
    make_dress("NEW", title="Nova", photos=0)
    crowd.did("bea", "Alga")
    crowd.did("cleo", "Alga")
    crowd.did("cleo", "Perla")
    body = for_ann(client, "&limit=3")
    assert (body["version"], body["fallback"]["reason"]) == (None, "no_model")
    assert names(body) == ["Alga", "Perla", "Nova"]
    crowd.visits(ANN, "Alga", "view")
    assert names(for_ann(client, "&limit=2")) == ["Perla", "Nova"]


def test_broken_files_are_no_error_for_a_shopper(client: Client, live: RecommenderVersion) -> None:
    (versions.folder_of(live) / versions.SERVED / "about.json").write_text("{")
    assert for_ann(client)["fallback"]["reason"] == "model_unreadable"


def test_what_a_person_did_is_told_to_the_shop_alone(
    client: Client, crowd: Crowd, live: RecommenderVersion, key: str
) -> None:
    crowd.did("c-1042", "Onda")
    assert get(client, "recommendations/?user=c-1042").status_code == 401
    wrong = make_api_key("scanner")[1]
    assert get(client, "recommendations/?user=c-1042", wrong).status_code == 403
    answer = get(client, "recommendations/?user=c-1042", key)
    assert {*names(answer.json())[:2]} == {"Perla", "Alga"}
    assert answer.json()["results"][0]["reason"]["words"] == "people who liked Onda like it, too"
    assert "private" in answer.headers["Cache-Control"]
    assert "no-store" in answer.headers["Cache-Control"]


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("", "user"),
        ("?user=a&visitor=visitor-of-the-name-ann", "user"),
        ("?visitor=short", "visitor"),
        ("?visitor=visitor-of-the-name-ann&limit=25", "limit"),
        ("?user=%00", "user"),
        (f"?user={'x' * 129}", "user"),
    ],
)
def test_a_wrong_parameter_is_named(client: Client, key: str, query: str, named: str) -> None:
    answer = get(client, f"recommendations/{query}", key)
    assert (answer.status_code, answer.json()["detail"].partition(":")[0]) == (400, named)


def test_many_shoppers_at_once_in_the_order_asked_for(
    client: Client, crowd: Crowd, live: RecommenderVersion, key: str
) -> None:
    crowd.did("ann", "Luna")
    crowd.did("bea", "Onda")
    answer = get(client, "bulk/recommendations/?user=bea&user=nobody&user=ann&user=bea&limit=2", key).json()
    bea, nobody, ann = answer["results"]
    assert (bea["user"], {*names(bea)}) == ("bea", {"Perla", "Alga"})
    assert (nobody["user"], nobody["fallback"]["reason"]) == ("nobody", "nothing_known")
    assert (ann["user"], {*names(ann)}) == ("ann", {"Sole", "Stella"})
    assert get(client, "bulk/recommendations/?user=bea").status_code == 401
    too_many = "&".join(f"user={number}" for number in range(51))
    assert get(client, f"bulk/recommendations/?{too_many}", key).status_code == 400


def test_liked_alike_and_if_nobody_knows_alike_to_look_at(
    client: Client, crowd: Crowd, live: RecommenderVersion
) -> None:
    body = get(client, "dresses/LUNA/similar/?by=likes").json()
    assert (body["by"], body["fallback"], {*names(body)}) == ("likes", None, {"Sole", "Stella"})
    make_dress("NEW", photos=0)
    body = get(client, "dresses/NEW/similar/?by=likes").json()
    assert (body["by"], body["fallback"]["reason"], names(body)) == ("looks", "nothing_known", [])
    both = get(client, "bulk/similar/?sku=ONDA&sku=nope&sku=LUNA&by=likes&limit=1").json()
    assert [(each["sku"], each["by"], len(each["results"])) for each in both["results"]] == [
        ("ONDA", "likes", 1),
        ("LUNA", "likes", 1),
    ]
    assert both["unknown"] == ["nope"]


def test_shop_many_looks(client: Client, dresses: dict[str, Dress]) -> None:
    shown, gone = make_look(dresses["Luna"]), make_look(dresses["Sole"])
    hidden = make_look(dresses["Onda"], "waiting")
    dresses["Sole"].retire()
    query = f"bulk/shop/?look={gone.pk}&look={hidden.pk}&look={shown.pk}"
    body = get(client, query).json()
    told = [(each["look"], each["dress"]["title"], each["dress"]["in_stock"]) for each in body["results"]]
    assert told == [(gone.pk, "Sole", False), (shown.pk, "Luna", True)]
    assert body["unknown"] == [hidden.pk]
    assert get(client, "bulk/shop/?look=one").status_code == 400
    assert get(client, "bulk/shop/").status_code == 400


def test_the_number_of_statements_does_not_grow(
    client: Client,
    crowd: Crowd,
    live: RecommenderVersion,
    key: str,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    for title in ("Luna", "Sole"):
        crowd.visits(ANN, title, "open", look=make_look(crowd.dresses[title]).pk)
    for_ann(client)
    for limit in (1, 4):
        # what she did, version, stock; dresses; looks that she opened
        with django_assert_num_queries(5):
            assert len(for_ann(client, f"&limit={limit}")["results"]) == limit
    for number in range(6):
        crowd.did(f"shopper {number}", "Luna" if number % 2 == 0 else "Onda")
    get(client, "bulk/recommendations/?user=shopper 0", key)  # the key's last use is stored once a minute
    for people in (2, 6):
        query = "&".join(f"user=shopper {number}" for number in range(people))
        with django_assert_num_queries(9):  # five for the key; no look was opened
            assert len(get(client, f"bulk/recommendations/?{query}", key).json()["results"]) == people
