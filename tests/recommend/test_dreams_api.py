"""/api/v1/dreams/: the same address is the same dream, also from a dreamer of its own process."""

import io
import json
import shutil
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.db import connections
from django.test import Client
from django.utils import timezone
from PIL import Image

from ml.dreamer import Dreamer
from recommend import dreams
from recommend.models import Interaction, ShopperKind, shopper_key
from recommend.models.interaction import Told, event_key
from tests.make import forget_tastes, make_api_key, make_dreams, make_dress, make_model_version
from tests.ml.tiny_dreamer import SIZE, write_tiny_dreamer
from tests.recommend.test_dream_pages import cover, near, shop
from tests.verify.tiny_weights import write_tiny_weights
from verify import places, suggest, versions
from verify.classifier.server import listening
from verify.dreaming import draw, shelf
from verify.dreaming.dream import Drawn, Dream, dream_of
from verify.models import Dress, Embedding

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


# With a dreamer


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Of a DeepDress, and of a generator that has learnt from it."""
    deepdress = write_tiny_weights(tmp_path_factory.mktemp("deepdress"))
    digest = versions.digest_of(deepdress)
    return deepdress, write_tiny_dreamer(tmp_path_factory.mktemp("dreamer"), deepdress=digest)


@pytest.fixture
def catalogue(
    transactional_db: None, settings: Any, weights: tuple[Path, Path], tmp_path: Path
) -> list[Dress]:
    settings.DEEPDRESS_WEIGHTS, settings.DREAM_WEIGHTS = weights
    settings.CLASSIFIER_SOCKET = tmp_path / "socket"
    found = [make_dress(f"D{number}") for number in range(4)]
    suggest.embed_catalogue()
    return found


@pytest.fixture
def running(catalogue: list[Dress], settings: Any) -> Iterator[None]:
    with listening(settings.CLASSIFIER_SOCKET):
        yield


def pixels(content: bytes) -> Any:
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB")).astype(int)


@pytest.mark.django_db(transaction=True)
def test_dreams_are_the_generators_and_are_drawn_once(
    client: Client, running: None, weights: tuple[Path, Path], settings: Any
) -> None:
    found = body(client, "dreams/", seed=0, count=5, limit=3)
    dreamer = Dreamer.load(weights[1], "cpu")
    drawn = dreamer.dream([dreamer.noise(seed) for seed in range(5)])
    for each, expected in zip(found["results"], drawn, strict=True):
        assert each["image"]["width"] == SIZE
        picture = client.get(each["image"]["url"]).content
        assert np.abs(pixels(picture) - expected).max() <= 1
        assert len(each["closest"]) == 3
    [vector] = versions.deepdress().embed([drawn[0]]).vectors
    nearest = suggest.catalogue_index().nearest(vector[None], 3)
    skus = dict(Dress.objects.values_list("pk", "sku"))
    assert [dress["sku"] for dress in found["results"][0]["closest"]] == [
        skus[pk] for pk in nearest.dress_ids[0].tolist()
    ]
    kept = {path: path.stat().st_mtime_ns for path in Path(settings.DREAMS_FOLDER).rglob("*.webp")}
    assert len(kept) == 5
    assert body(client, "dreams/", seed=0, count=5, limit=3) == found
    assert {path: path.stat().st_mtime_ns for path in kept} == kept


@pytest.mark.django_db(transaction=True)
def test_a_dreamer_that_is_just_being_started_is_waited_for(
    client: Client, catalogue: list[Dress], settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("verify.classifier.client.STARTING", 60.0)
    settings.DREAM_TIMEOUT = timedelta(seconds=60)
    found = []
    asking = threading.Thread(target=lambda: found.append(asked()))

    def asked() -> int:
        try:
            return client.get("/api/v1/dreams/3.webp").status_code
        finally:
            connections.close_all()

    asking.start()
    time.sleep(0.2)  # it finds nobody
    with listening(settings.CLASSIFIER_SOCKET):
        asking.join()
    assert found == [200]


@pytest.mark.django_db(transaction=True)
def test_at_its_start_a_dreamer_loads_its_networks_and_keeps_no_picture(
    catalogue: list[Dress], settings: Any
) -> None:
    draw._load.cache_clear()
    with listening(settings.CLASSIFIER_SOCKET) as engine:
        engine.wake()
    assert draw._load.cache_info().currsize == 1
    assert not settings.DREAMS_FOLDER.exists()


@pytest.mark.django_db(transaction=True)
def test_a_taste_is_what_deepdress_sees_in_the_first_photos(
    client: Client, running: None, weights: tuple[Path, Path], catalogue: list[Dress]
) -> None:
    dreamer = Dreamer.load(weights[1], "cpu")
    rows = [Embedding.objects.get(photo=cover(dress)).vector for dress in catalogue[:2]]
    mean = np.sum([np.frombuffer(row, "<f4") for row in rows], axis=0)
    noise = dreamer.noise(3)
    [expected] = dreamer.dream([noise], [mean / np.linalg.norm(mean)])
    picture = client.get("/api/v1/dreams/3.webp?like=D0,D1").content
    assert np.abs(pixels(picture) - expected).max() <= 1
    ends = [client.get(f"/api/v1/dreams/3.webp?like=D0&toward=D1&at={at}").content for at in (0, 100)]
    alone = [client.get(f"/api/v1/dreams/3.webp?like=D{number}").content for number in (0, 1)]
    assert all(np.abs(pixels(end) - pixels(one)).max() <= 1 for end, one in zip(ends, alone, strict=True))
    assert (
        client.get("/api/v1/dreams/3.webp?to=4&at=100").content == client.get("/api/v1/dreams/4.webp").content
    )


@pytest.mark.django_db(transaction=True)
def test_where_another_deepdress_proposes_tastes_stay_those_that_the_generator_knows(
    client: Client, running: None, catalogue: list[Dress], settings: Any
) -> None:
    before = client.get("/api/v1/dreams/3.webp?like=D0").content
    shutil.rmtree(settings.DREAMS_FOLDER)
    live = versions.ModelVersion.objects.live()
    live.rest()
    make_model_version("a" * 64)
    assert client.get("/api/v1/dreams/3.webp?like=D0").content == before
    assert body(client, "dreams/3/", like="D0")["closest"] == []  # its weights are not here to look at dreams


@pytest.mark.django_db(transaction=True)
def test_a_taste_that_cannot_be_looked_at_is_not_dreamt_without(
    client: Client, running: None, catalogue: list[Dress], settings: Any
) -> None:
    photo = catalogue[0].photos.get().photo
    Embedding.objects.filter(photo=photo).delete()
    photo.small.storage.delete(photo.small.name)
    for taste in ("D0", "D1,D0"):
        answer = client.get(f"/api/v1/dreams/3.webp?like={taste}")
        assert answer.status_code == 503
        assert answer.json()["detail"].endswith("cannot be looked at. Its file is missing from the storage.")
    assert not settings.DREAMS_FOLDER.exists()
    assert client.get("/api/v1/dreams/3.webp?like=D1").status_code == 200


@pytest.mark.django_db(transaction=True)
def test_the_deepdress_that_is_shipped_goes_on_telling_tastes_where_another_is_set(
    client: Client, running: None, settings: Any, tmp_path: Path
) -> None:
    before = client.get("/api/v1/dreams/3.webp?like=D0").content
    shutil.rmtree(settings.DREAMS_FOLDER)
    Embedding.objects.all().delete()
    settings.DEEPDRESS_SHIPPED = settings.DEEPDRESS_WEIGHTS
    settings.DEEPDRESS_WEIGHTS = write_tiny_weights(tmp_path / "another", seed=5)
    assert client.get("/api/v1/dreams/3.webp?like=D0").content == before


@pytest.mark.django_db(transaction=True)
def test_a_dreamer_without_tastes_draws_none(catalogue: list[Dress], settings: Any, tmp_path: Path) -> None:
    settings.DREAM_WEIGHTS = write_tiny_dreamer(tmp_path / "tasteless", condition="none")
    assert len(draw.draw([Dream(3)])) == 1
    with pytest.raises(versions.NotReady, match="know no tastes"):
        draw.draw([Dream(3, (cover(catalogue[0]),))])


@pytest.mark.django_db(transaction=True)
def test_broken_weights_are_told_of_and_others_can_still_be_named(
    client: Client, running: None, settings: Any, tmp_path: Path
) -> None:
    settings.DREAM_WEIGHTS = tmp_path / "broken"
    settings.DREAM_WEIGHTS.mkdir()
    (settings.DREAM_WEIGHTS / "weights.safetensors").write_bytes(b"nothing")
    answer = client.get("/api/v1/dreams/3.webp")
    assert answer.status_code == 503
    assert "The dream weights cannot be used." in answer.json()["detail"]


def test_old_pictures_make_room(settings: Any) -> None:
    make_dreams(range(6))
    settings.DREAMS_KEPT = 4
    older = settings.DREAMS_FOLDER / "0123456789abcdef"
    older.mkdir()
    assert shelf.tidy(shelf.version()) == 4  # two pictures, and a vector of each
    assert not older.exists()
    assert [shelf.kept(Dream(seed), shelf.version(), "") is None for seed in (0, 1, 2, 5)] == [
        True,
        True,
        False,
        False,
    ]


def test_what_comes_over_the_line_is_checked() -> None:
    dream = Dream(3, (1, 2), 4, (), 50)
    assert dream_of(json.loads(json.dumps(dream.told()))) == dream
    seeds: list[Any] = [{"seed": seed} for seed in (-1, 2**32, True, 1.0)]
    for wrong in [*seeds, {"like": [1] * 25}, {"like": ["1"]}, {"at": 101}, {"to": "4"}]:
        with pytest.raises(ValueError):
            dream_of({**json.loads(json.dumps(dream.told())), **wrong})
    with pytest.raises(ValueError, match="no dream"):
        dream_of("dream")
    assert dream.name("a") != dream.name("b") != Dream(3, (2, 1), 4, (), 50).name("b")
