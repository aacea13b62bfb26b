"""/api/v1/dreams/: the same address is the same dream."""

import io
import json
import threading
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from PIL import Image

from recommend import dreams
from recommend.models import Interaction, ShopperKind, shopper_key
from recommend.models.interaction import Told, event_key
from tests.make import forget_tastes, make_api_key, make_dreams, make_model_version
from tests.recommend.test_dream_pages import cover, near, shop
from verify import places, versions
from verify.dreaming import shelf
from verify.dreaming.dream import Drawn, Dream
from verify.models import Dress

__all__ = ["shop"]
pytestmark = pytest.mark.django_db


def body(client: Client, path: str, status: int = 200, **told: Any) -> Any:
    answer = client.get(f"/api/v1/{path}", told)
    assert answer.status_code == status, answer.content
    return answer.json()


def test_a_wall_tells_of_each_dream_its_picture_and_the_dresses_in_stock_that_come_closest(
    client: Client, shop: dict[str, Dress]
) -> None:
    make_dreams([*range(7, 10)])
    found = body(client, "dreams/", seed=7, count=3, limit=2)
    assert found["version"] == shelf.version()
    assert [each["seed"] for each in found["results"]] == [7, 8, 9]
    first = found["results"][0]
    assert first["image"] == {"url": "http://testserver/api/v1/dreams/7.webp", "width": 64, "height": 64}
    assert [(dress["sku"], dress["similarity"]) for dress in first["closest"]] == [
        ("LUNA", 1),
        ("SOLE", 0.8944),
    ]
    assert first["closest"][0]["reason"] == {"kind": "looks_like_the_dream", "words": "looks like this dream"}
    assert body(client, "dreams/7/", limit=2) == first
    assert body(client, "dreams/7/", limit=0)["closest"] == []


def test_a_taste_of_several_dresses_stands_in_every_address(client: Client, shop: dict[str, Dress]) -> None:
    make_dreams([Dream(7, (cover(shop["Luna"]), cover(shop["Onda"])))])
    found = body(client, "dreams/7/", like="LUNA,ONDA")
    assert found["like"] == ["LUNA", "ONDA"]
    assert found["url"] == "http://testserver/api/v1/dreams/7/?like=LUNA&like=ONDA"
    assert found["image"]["url"] == "http://testserver/api/v1/dreams/7.webp?like=LUNA&like=ONDA"
    assert [dress["sku"] for dress in found["closest"]] == ["SOLE"]
    assert found["closest"][0]["reason"]["words"] == "looks like a dream of Luna and Onda"


def test_a_picture_is_kept_by_caches_until_weights_or_photos_are_others(
    client: Client, shop: dict[str, Dress], settings: Any
) -> None:
    make_dreams([7, Dream(7, (cover(shop["Luna"]),))])
    answer = client.get("/api/v1/dreams/7.webp", headers={"Accept": "image/webp"})
    assert answer["Content-Type"] == "image/webp"
    assert set(answer["Cache-Control"].split(", ")) == {"public", "max-age=3600"}
    assert Image.open(io.BytesIO(answer.content)).size == (64, 64)
    again = client.get("/api/v1/dreams/7.webp", headers={"If-None-Match": answer["ETag"]})
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", answer["ETag"])
    near = client.get("/api/v1/dreams/7.webp?like=LUNA")
    assert near["ETag"] != answer["ETag"]
    (settings.DREAM_WEIGHTS / "weights.safetensors").write_bytes(b"others")
    settings.CLASSIFIER_SOCKET = settings.DREAMS_FOLDER / "nobody"
    anew = client.get("/api/v1/dreams/7.webp", headers={"If-None-Match": answer["ETag"]})
    assert (anew.status_code, anew["Retry-After"], anew["Cache-Control"]) == (503, "5", "no-store")
    assert "not running" in anew.json()["detail"]


@pytest.mark.parametrize(
    ("path", "status", "says"),
    [
        ("dreams/4294967296/", 400, "seed: expected a number from 0 to 4294967295"),
        ("dreams/4294967296.webp", 400, "seed: expected"),
        ("dreams/?seed=-1", 400, "seed: "),
        ("dreams/?count=25", 400, "count: "),
        ("dreams/7/?limit=25", 400, "limit: "),
        ("dreams/7/?like=NOWHERE", 400, "like: no dress has the SKU “NOWHERE”"),
        ("dreams/7.webp?like=LUNA,NOWHERE", 400, "“NOWHERE”"),
        ("dreams/7.webp?like=%00", 400, "like: "),
        ("dreams/7.webp?at=101", 400, "at: expected a number from 0 to 100"),
        ("dreams/7.webp?to=x", 400, "to: expected"),
        ("dreams/for/", 401, "Send a key"),
        ("dreams/for/?visitor=short", 400, "visitor: "),
        ("dreams/7/", 503, "no dream weights"),
        ("dreams/7.webp", 503, "no dream weights"),
    ],
)
def test_what_is_no_dream_is_refused_in_one_sentence(
    client: Client, shop: dict[str, Dress], path: str, status: int, says: str
) -> None:
    if status != 503:
        make_dreams([7])
    found = body(client, path, status)
    assert set(found) == {"detail"}
    assert says in found["detail"]


def test_many_requests_of_one_address_are_told_to_wait(client: Client, settings: Any) -> None:
    settings.DREAMS_RATE = "2/min"
    make_dreams([7])
    assert [client.get("/api/v1/dreams/7/").status_code for _ in range(3)] == [200, 200, 429]
    assert client.get("/api/v1/dreams/7.webp").status_code == 200  # of the pictures there are many on a page


def test_a_picture_that_is_to_be_drawn_counts_as_much_as_an_answer(
    client: Client, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[Dream] = []

    def draw_it(dreams: list[Dream]) -> list[Drawn]:
        drawn.extend(dreams)
        return [Drawn(b"picture", b"") for _ in dreams]

    monkeypatch.setattr("verify.classifier.client.dream", draw_it)
    settings.DREAMS_RATE = "2/min"
    make_dreams([7])
    seeds = (1, 7, 7, 7, 2, 3, 7)
    answers = [client.get(f"/api/v1/dreams/{seed}.webp") for seed in seeds]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 200, 200, 429, 200]
    assert int(answers[5]["Retry-After"]) > 0
    assert drawn == [Dream(1), Dream(2)]
    assert client.get("/api/v1/dreams/7/").status_code == 429


def test_a_drawn_picture_is_asked_for_of_nobody_where_another_deepdress_has_to_look_yet(
    client: Client, settings: Any
) -> None:
    make_dreams([7])
    versions.ModelVersion.objects.live().rest()
    make_model_version("b" * 64)
    settings.CLASSIFIER_SOCKET = settings.DREAMS_FOLDER / "nobody"
    assert client.get("/api/v1/dreams/7.webp").status_code == 200


def test_who_comes_while_others_wait_for_their_dreams_is_asked_to_come_again(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_dreams([])
    monkeypatch.setattr(places, "_places", threading.BoundedSemaphore(1))
    with dreams._a_place():
        answer = client.get("/api/v1/dreams/7.webp")
    assert (answer.status_code, answer["Retry-After"]) == (503, "1")


def did(visitor: str, dress: Dress, kind: str, of: ShopperKind = ShopperKind.VISITOR) -> None:
    shopper, at = shopper_key(of, visitor), timezone.now() - timedelta(minutes=1)
    what = (dress.pk, None, None, Interaction.Kind[kind], of == ShopperKind.VISITOR)
    Interaction.objects.store([Told(event_key(shopper, f"{dress.sku}{kind}"), shopper, at, *what)], at)


def test_a_shoppers_dreams_are_near_what_they_like_best(client: Client, shop: dict[str, Dress]) -> None:
    # Rented, and saved before it left the shop.
    make_dreams([*range(8), *near(shop["Onda"], shop["Stella"])])
    for dress, kind in (("Stella", "SAVE"), ("Onda", "RENT"), ("Luna", "VIEW")):
        did("a-visitor-of-16-letters", shop[dress], kind)
    found = body(client, "dreams/for/", visitor="a-visitor-of-16-letters")
    assert [each["like"] for each in found["results"]] == [["ONDA", "STELLA"]] * 8
    assert found["fallback"] is None
    assert {dress["sku"] for dress in found["results"][0]["closest"]} == {"LUNA", "SOLE"}
    stranger = body(client, "dreams/for/", visitor="another-of-16-letters")
    assert stranger["results"][0]["like"] == []
    assert stranger["fallback"]["reason"] == "nothing_known"
    did("c-1042", shop["Onda"], "RENT", ShopperKind.USER)
    make_dreams(near(shop["Onda"]))
    key = make_api_key(scopes=["recommendations"])[1]
    answer = client.get("/api/v1/dreams/for/?user=c-1042", headers={"Authorization": f"Bearer {key}"})
    assert answer.json()["results"][0]["like"] == ["ONDA"]
    assert "no-store" in answer["Cache-Control"]


def test_weights_without_tastes_are_asked_for_none(client: Client, shop: dict[str, Dress]) -> None:
    make_dreams([*range(8), Dream(7, (cover(shop["Luna"]),))])
    forget_tastes()
    for path in ("dreams/", "dreams/7/", "dreams/7.webp"):
        assert "has learnt no tastes" in body(client, path, 400, like="LUNA")["detail"]
    did("a-visitor-of-16-letters", shop["Luna"], "RENT")
    found = body(client, "dreams/for/", visitor="a-visitor-of-16-letters")
    assert [each["like"] for each in found["results"]] == [[]] * 8
    assert found["fallback"]["reason"] == "no_tastes"


def test_for_a_stranger_nothing_need_be_dreamt(client: Client, shop: dict[str, Dress], settings: Any) -> None:
    make_dreams(near(shop["Onda"]))
    settings.CLASSIFIER_SOCKET = settings.DREAMS_FOLDER / "nobody"
    visitor = {"visitor": "a-visitor-of-16-letters", "own_only": "true"}
    stranger = body(client, "dreams/for/", **visitor)
    assert stranger["results"] == []
    assert stranger["fallback"]["reason"] == "nothing_known"
    did("a-visitor-of-16-letters", shop["Onda"], "RENT")
    known = body(client, "dreams/for/", count=3, **visitor)
    assert [each["like"] for each in known["results"]] == [["ONDA"]] * 3
    assert known["fallback"] is None


def test_the_schema_tells_of_the_picture(client: Client) -> None:
    schema = json.loads(client.get("/api/v1/schema/?format=json").content)
    told = schema["paths"]["/api/v1/dreams/{seed}.webp"]["get"]
    assert told["responses"]["200"]["content"] == {
        "image/webp": {"schema": {"type": "string", "format": "binary"}}
    }
    assert {"400", "429", "503"} <= told["responses"].keys()
    assert {"seed", "like", "at"} <= {each["name"] for each in told["parameters"]}
