"""/api/v1/dreams/ with a dreamer of its own process: what it draws, by which tastes, and keeps."""

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
from PIL import Image

from ml.dreamer import Dreamer
from tests.make import make_dreams, make_dress, make_model_version
from tests.ml.tiny_dreamer import SIZE, write_tiny_dreamer
from tests.recommend.test_dream_pages import cover
from tests.recommend.test_dreams_api import body
from tests.verify.tiny_weights import write_tiny_weights
from verify import suggest, versions
from verify.classifier.server import listening
from verify.dreaming import draw, shelf
from verify.dreaming.dream import Dream, dream_of
from verify.models import Dress, Embedding

pytestmark = pytest.mark.django_db


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
