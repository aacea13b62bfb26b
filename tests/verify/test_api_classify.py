"""Photos named over HTTP: who may, how much, what is refused, and what is said while nobody can answer."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from PIL import Image

from tests.make import make_admin, make_api_key, make_dress, make_post
from tests.verify.intake.pictures import encoded, noise, plain, png_header
from tests.verify.tiny_weights import write_tiny_weights
from verify import api_classify, changeover, places, suggest, tasks, versions
from verify.classifier import client as classifier
from verify.classifier import engine as engine_module
from verify.classifier.engine import Engine
from verify.classifier.server import listening
from verify.intake.photos import store
from verify.models import ApiKey, Calibration, Dress, Photo, Suggestion

ADDRESS = "/api/v1/classify/"
Send = Callable[..., Any]


@pytest.fixture
def send(client: Client) -> Send:
    """Sends files as a machine would, with a new key unless one is given."""

    def send(*photos: bytes, key: str | None = None, query: str = "") -> Any:
        text = make_api_key()[1] if key is None else key
        files = [SimpleUploadedFile(f"{number}.jpg", photo) for number, photo in enumerate(photos)]
        headers = {"Authorization": f"Bearer {text}"} if text else {}
        return client.post(f"{ADDRESS}{query}", {"photo": files}, headers=headers)

    return send


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[bytes], int]]:
    """A classifier that names everything alike, and keeps what it was asked."""
    asked: list[tuple[list[bytes], int]] = []

    def classify(photos: list[bytes], k: int) -> dict[str, Any]:
        asked.append((photos, k))
        named = {"not_a_dress": 0.1, "candidates": [("LUNA", "Luna", 0.8)]}
        return {"model_version": "f" * 64, "photos": [dict(named) for _ in photos]}

    monkeypatch.setattr(classifier, "classify", classify)
    return asked


@pytest.mark.django_db
def test_names_come_back_and_nothing_is_kept(send: Send, answers: list[Any]) -> None:
    answer = send(b"one", b"two" * 2_000_000, query="?k=7")
    assert answer.status_code == 200, answer.content
    assert answer.json() == {
        "model_version": "f" * 64,
        "photos": [
            {
                "index": index,
                "name": f"{index}.jpg",
                "error": None,
                "not_a_dress": 0.1,
                "candidates": [{"sku": "LUNA", "title": "Luna", "probability": 0.8}],
            }
            for index in (0, 1)
        ],
    }
    assert answers == [([b"one", b"two" * 2_000_000], 7)]
    assert "no-store" in answer["Cache-Control"]
    assert not Photo.objects.exists()
    key = ApiKey.objects.get()
    assert (key.requests_in_minute, key.photos_in_day, key.last_used_at is None) == (1, 2, False)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("fields", "change", "status", "says"),
    [
        ({}, lambda text: "", 401, "Send a key"),
        ({}, lambda text: f"{text[:-1]}~", 401, "not known"),
        ({}, lambda text: f"{text} {text}", 401, "Send a key"),
        ({"revoked_at": timezone.now()}, str, 401, "has been revoked"),
        ({"expires_at": timezone.now()}, str, 401, "has expired"),
        ({"scopes": ["another"]}, str, 403, "lacks the scope 'classify'"),
        ({"scopes": []}, str, 403, "lacks the scope 'classify'"),
        ({"requests_per_minute": 0}, str, 429, "0 requests a minute"),
        ({"photos_per_day": 0}, str, 429, "0 photos a day"),
        ({}, str, 200, "f" * 64),
    ],
)
def test_who_may(
    client: Client,
    send: Send,
    answers: list[Any],
    fields: dict[str, Any],
    change: Callable[[str], str],
    status: int,
    says: str,
) -> None:
    client.force_login(make_admin())  # which is worth nothing here
    answer = send(b"photo", key=change(make_api_key(**fields)[1]))
    assert answer.status_code == status
    assert says in answer.content.decode()
    assert len(answers) == (status == 200)
    assert ("WWW-Authenticate" in answer) == (status == 401)
    if status == 429:
        assert 0 < int(answer["Retry-After"]) <= 86_400


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("request_", "status", "says"),
    [
        ({"data": {}}, 422, "send 1 to 16 files"),
        ({"data": {"photo": "text"}}, 422, "send 1 to 16 files"),
        ({"data": {"photo": [SimpleUploadedFile("a.jpg", b"a")] * 17}}, 413, "17 files"),
        ({"data": {"photo": [SimpleUploadedFile("a.jpg", b"a")] * 101}}, 400, "too many"),
        ({"data": {"note": "n" * 3_000_000}}, 400, "too many"),
        ({"data": "{}", "content_type": "application/json"}, 415, "application/json"),
        ({"data": "a", "content_type": "multipart/form-data"}, 400, "boundary"),
        ({"data": {}, "CONTENT_LENGTH": 40 * 1024 * 1024 + 1}, 413, "41,943,040 bytes"),
        ({"data": {}, "query_params": {"k": "21"}}, 400, "k: "),
        ({"data": {}, "query_params": {"k": "0"}}, 400, "k: "),
        ({"data": {}, "query_params": {"k": "\0"}}, 400, "k: "),
    ],
)
def test_what_is_no_request_is_refused_in_one_sentence(
    client: Client, answers: list[Any], request_: dict[str, Any], status: int, says: str
) -> None:
    key = make_api_key()[1]
    answer = client.post(ADDRESS, **request_, headers={"Authorization": f"Api-Key {key}"})
    assert answer.status_code == status
    assert set(answer.json()) == {"detail"}
    assert says in answer.json()["detail"]
    assert answers == []


@pytest.mark.django_db
def test_without_a_classifier_there_is_a_time_to_ask_again_and_no_photo_is_counted(
    send: Send, settings: Any, tmp_path: Path
) -> None:
    settings.CLASSIFIER_SOCKET = tmp_path / "nobody"
    answer = send(b"photo")
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert "not running" in answer.json()["detail"]
    assert ApiKey.objects.get().photos_in_day == 0


@pytest.mark.django_db
def test_photos_that_took_too_long_are_counted(send: Send, settings: Any, tmp_path: Path) -> None:
    settings.CLASSIFIER_SOCKET = tmp_path / "socket"
    settings.CLASSIFIER_TIMEOUT = timedelta(seconds=0.1)
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(settings.CLASSIFIER_SOCKET))
        silent.listen()
        answer = send(b"photo")
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert "too long" in answer.json()["detail"]
    assert ApiKey.objects.get().photos_in_day == 1


def test_nothing_is_decoded_for_whoever_has_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Vera waits 20 seconds for photos of half a minute each, and then for a core that is never free."""
    now, decoded, engine = [0.0], list[bytes](), Engine()
    monkeypatch.setattr(engine_module, "time", SimpleNamespace(monotonic=lambda: now[0]))

    def half_a_minute(photo: bytes) -> bytes:
        now[0] += 30
        decoded.append(photo)
        return photo

    monkeypatch.setattr(engine_module, "small_copy", half_a_minute)
    with pytest.raises(TimeoutError):
        engine.classify([b"one", b"two", b"three"], 3, seconds=20)
    assert decoded == [b"one"]
    monkeypatch.setattr(engine, "_decoding", threading.Semaphore(0))
    with pytest.raises(TimeoutError):
        engine.classify([b"four"], 3, seconds=0.05)
    assert decoded == [b"one"]


@pytest.mark.django_db
def test_who_comes_while_others_are_served_is_asked_to_come_again(
    send: Send, answers: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "_places", threading.BoundedSemaphore(1))
    with api_classify.a_place():
        answer = send(b"photo")
    assert (answer.status_code, answer["Retry-After"]) == (503, "1")
    assert send(b"photo").status_code == 200


@pytest.mark.django_db
def test_the_schema_tells_the_upload_the_key_and_every_answer(client: Client) -> None:
    schema = json.loads(client.get("/api/v1/schema/?format=json").content)
    told = schema["paths"][ADDRESS]["post"]
    assert told["security"] == [{"key": []}]
    assert schema["components"]["securitySchemes"]["key"]["scheme"] == "bearer"
    assert (
        "security" not in schema["paths"]["/api/v1/dresses/"]["get"]
        or {} in (schema["paths"]["/api/v1/dresses/"]["get"]["security"])
    )
    upload = told["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert upload["properties"]["photo"]["items"] == {"type": "string", "format": "binary"}
    assert sorted(told["responses"]) == ["200", "400", "401", "403", "413", "415", "422", "429", "503"]
    assert told["responses"]["200"]["content"]["application/json"]["examples"]


# With a classifier


@pytest.fixture
def running(transactional_db: None, settings: Any, tmp_path: Path) -> Iterator[None]:
    """The classifier of a catalogue of five dresses, in a thread."""
    settings.DEEPDRESS_WEIGHTS = write_tiny_weights(tmp_path / "weights")
    settings.CLASSIFIER_SOCKET = tmp_path / "socket"
    for number in range(5):
        make_dress(f"D{number}")
    suggest.embed_catalogue()
    with listening(settings.CLASSIFIER_SOCKET):
        yield


def upright_and_lying() -> tuple[bytes, bytes]:
    """The same picture, once as a camera held sideways stores it."""
    picture, exif = noise((64, 96)).resize((256, 384)), Image.Exif()
    exif[0x0112] = 6
    lying = picture.transpose(Image.Transpose.ROTATE_90)
    return encoded(picture, "PNG"), encoded(lying, "PNG", exif=exif)


def test_names_are_what_suggestions_say_and_bad_photos_leave_the_others_alone(
    running: None, send: Send
) -> None:
    post = make_post()
    with post.photo.small.open() as file:
        stored = file.read()
    suggest.suggest_waiting()
    small = (32, 43)
    upright, lying = upright_and_lying()
    truncated = encoded(noise())[:-3000]
    refused = [encoded(plain(size=(1, 1)), "PNG"), png_header(30_000, 30_000), truncated, b"<svg/>", b""]
    usable = [stored, encoded(noise()), encoded(plain(), "GIF"), encoded(plain("CMYK")), upright, lying]
    usable.append(encoded(plain(size=small), "WEBP"))
    batch = [photo for pair in zip(usable, refused, strict=False) for photo in pair] + usable[5:]

    answer = send(*batch, query="?k=5")

    assert answer.status_code == 200, answer.content
    photos = answer.json()["photos"]
    assert [photo["index"] for photo in photos] == list(range(len(batch)))
    assert [bool(photo["error"]) for photo in photos] == [False, True] * 5 + [False, False]
    for photo, words in zip(photos[1:10:2], ["32", "pixels", "cut short", "text", "empty"], strict=True):
        assert words in photo["error"]
        assert (photo["not_a_dress"], photo["candidates"]) == (None, [])
    assert all(len(photo["candidates"]) == 5 for photo in photos if not photo["error"])
    as_held, as_turned = photos[8], photos[10]
    assert probabilities(as_held) == pytest.approx(probabilities(as_turned), abs=1e-4)
    assert not Photo.objects.exclude(dress_photos__isnull=False).exclude(posts=post).exists()


def test_the_same_photo_gets_the_same_names_as_its_suggestion(running: None, send: Send) -> None:
    data = encoded(noise((300, 400)))
    own = names_as_suggested(data, send)
    fitted = {"fitted_at": timezone.now(), "posts": 200, "temperature": 0.3, "slope": 0.5, "offset": -1}
    Calibration.objects.create(model_version=versions.live().version, **fitted)
    assert names_as_suggested(data, send)["not_a_dress"] != pytest.approx(own["not_a_dress"], abs=0.01)


def names_as_suggested(data: bytes, send: Send) -> dict[str, Any]:
    post = make_post(photo=store(data))
    suggest.suggest_waiting()
    suggestion = Suggestion.objects.get(post=post)
    answer = send(data).json()
    assert answer["model_version"] == suggestion.model_version.digest
    photo = answer["photos"][0]
    options = suggestion.options.select_related("dress").filter(rank__lt=3)
    assert [each["sku"] for each in photo["candidates"]] == [option.dress.sku for option in options]
    assert probabilities(photo) == pytest.approx([option.probability for option in options], abs=1e-4)
    assert photo["not_a_dress"] == pytest.approx(suggestion.not_a_dress, abs=1e-4)
    return photo


def probabilities(photo: dict[str, Any]) -> list[float]:
    return [each["probability"] for each in photo["candidates"]]


def test_where_no_photo_can_be_used_nothing_is_named(running: None, send: Send) -> None:
    answer = send(b"no image")
    assert answer.status_code == 422
    assert answer.json()["detail"].startswith("No photo could be used. 0.jpg: not a JPEG")
    assert answer.json()["photos"][0]["error"]


def test_a_retired_dress_a_new_one_and_new_weights_count_at_once(
    running: None, send: Send, settings: Any
) -> None:
    key = make_api_key()[1]
    photo = encoded(plain())
    before = send(photo, key=key, query="?k=20").json()
    gone, new = Dress.objects.get(sku="D0"), make_dress("NEW")
    gone.retire()
    suggest.embed_catalogue()
    after = send(photo, key=key, query="?k=20").json()
    assert {each["sku"] for each in after["photos"][0]["candidates"]} == {"D1", "D2", "D3", "D4", new.sku}

    write_tiny_weights(settings.DEEPDRESS_WEIGHTS, seed=2)
    still = send(photo, key=key, query="?k=20").json()
    assert still == after  # they are not live yet
    tasks.beat()
    while changeover.warm():
        pass
    anew = send(photo, key=key, query="?k=20").json()
    assert anew["model_version"] == versions.deepdress().version != before["model_version"]
    assert np.isclose(sum(probabilities(anew["photos"][0])) + anew["photos"][0]["not_a_dress"], 1)


def test_an_empty_catalogue_is_said(
    transactional_db: None, send: Send, settings: Any, tmp_path: Path
) -> None:
    settings.DEEPDRESS_WEIGHTS = write_tiny_weights(tmp_path / "weights")
    settings.CLASSIFIER_SOCKET = tmp_path / "socket"
    with listening(settings.CLASSIFIER_SOCKET):
        first = send(encoded(plain()))
        suggest.embed_catalogue()
        second = send(encoded(plain()))
    assert (first.status_code, second.status_code) == (503, 503)
    assert "has not been started" in first.json()["detail"]
    assert "No dress in stock" in second.json()["detail"]
