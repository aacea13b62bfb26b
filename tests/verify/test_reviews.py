"""Customers' photos with a known dress: sent with a key, or by the form on the product page."""

from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from recommend.product_page import ReviewThrottle
from tests.make import jpeg, make_admin, make_api_key, make_dress
from verify import forgetting, training_export
from verify.forgetting import Person
from verify.models import Dress, Look, Photo, Post, Review
from verify.models.privacy import sha256_of_email

pytestmark = pytest.mark.django_db
API = "/api/v1/reviews/"
CLIENT_ID = "0b6f7a52-1111-4222-8333-444455556666"


@pytest.fixture
def dress() -> Dress:
    return make_dress("LUNA-1")


@pytest.fixture
def key() -> str:
    return make_api_key("shop", scopes=["reviews"])[1]


def photo(data: bytes | None = None, name: str = "me.jpg") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, jpeg() if data is None else data, "image/jpeg")


def send(client: Client, key: str, **told: Any) -> Any:
    form = {"client_id": "r-1", "sku": "LUNA-1", "photo": photo(), "consent": "true", **told}
    form = {name: value for name, value in form.items() if value is not None}
    return client.post(API, form, headers={"Authorization": f"Bearer {key}"})


def fill_in(client: Client, **told: Any) -> Any:
    form = {"client_id": CLIENT_ID, "photo": photo(), "consent": "on", **told}
    return client.post(
        "/dresses/LUNA-1/review/", {name: value for name, value in form.items() if value is not None}
    )


def test_a_review_waits_for_an_admin_and_is_then_a_look(client: Client, key: str, dress: Dress) -> None:
    email = sha256_of_email("Ruby@X.example")
    answer = send(client, key, rating="5", text="Loved it!", handle="ruby", email_sha256=email)
    assert (answer.status_code, answer.json()) == (
        201,
        {"client_id": "r-1", "sku": "LUNA-1", "status": "waiting"},
    )
    post = Post.objects.get()
    assert (post.state, post.dress, post.rights, post.source) == ("settled", dress, "granted", "review")
    assert "The customer has agreed" in post.rights_changes.get().reason
    assert not Look.objects.public().exists()
    Look.objects.get().decide(Look.Clearance.CLEARED, make_admin())
    [look] = client.get("/api/v1/dresses/LUNA-1/looks/").json()["results"]
    assert (look["credit"], look["caption"], look["permalink"]) == ("ruby", "Loved it!", None)
    assert list(Person(email="ruby@x.example").posts()) == [post]
    assert Review.objects.get().email_digest not in ("", email)


def test_no_setting_shows_an_upload_that_nobody_has_seen(
    client: Client, key: str, dress: Dress, settings: Any
) -> None:
    settings.CLEAR_LOOKS_AUTOMATICALLY = True
    assert send(client, key).json()["status"] == "waiting"
    assert not Look.objects.public().exists()


def test_sent_again_it_is_the_same_review(client: Client, key: str, dress: Dress) -> None:
    data = jpeg()
    answers = [send(client, key, photo=photo(data)) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 200]
    other = send(client, key, photo=photo())
    assert other.status_code == 409
    assert "needs a new id" in other.json()["detail"]
    assert Post.objects.count() == 1
    another_shop = make_api_key("other shop", scopes=["reviews"])[1]
    assert send(client, another_shop).status_code == 201


def test_sent_again_after_it_was_found_to_be_none_it_is_refused(
    client: Client, key: str, dress: Dress
) -> None:
    data = jpeg()
    send(client, key, photo=photo(data))
    Post.objects.get().override("not_a_dress", None, make_admin())
    answer = send(client, key, photo=photo(data))
    assert (answer.status_code, answer.json()["status"], answer.json()["sku"]) == (200, "refused", "LUNA-1")


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"consent": "false"}, "consent: Without the customer's consent nothing is taken in."),
        ({"consent": None}, "consent: "),
        ({"sku": "NOWHERE"}, "sku: No dress has the SKU 'NOWHERE'."),
        ({"photo": None}, "photo: "),
        ({"rating": "6"}, "rating: "),
        ({"client_id": "a b"}, "client_id: "),
        ({"email_sha256": "ruby@x.example"}, "email_sha256: "),
        ({"text": "x" * 2001}, "text: "),
    ],
)
def test_what_is_wrong_is_named(
    client: Client, key: str, dress: Dress, told: dict[str, Any], said: str
) -> None:
    answer = send(client, key, **told)
    assert answer.status_code == 400
    assert answer.json()["detail"].startswith(said)
    assert not Post.objects.exists()


def bomb() -> bytes:
    buffer = BytesIO()
    Image.new("1", (20_000, 20_000)).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.mark.parametrize(
    "data",
    [b"GIF89a", b"<svg onload=alert(1)>", b"%PDF-1.7", jpeg()[:200], b"\xff\xd8\xff" + b"A" * 500, bomb()],
    ids=["gif", "svg", "pdf", "cut", "noise", "bomb"],
)
def test_hostile_photos_are_refused_clearly(client: Client, key: str, dress: Dress, data: bytes) -> None:
    answer = send(client, key, photo=photo(data))
    assert answer.status_code == 422
    assert answer.json()["detail"].startswith("photo: ")
    assert not Photo.objects.exclude(dress_photos__isnull=False).exists()


def test_an_empty_photo_is_refused(client: Client, key: str, dress: Dress) -> None:
    assert send(client, key, photo=photo(b"")).status_code == 400


def test_too_many_bytes_are_not_read(client: Client, key: str, dress: Dress, settings: Any) -> None:
    settings.PHOTO_MAX_BYTES = 1
    answer = send(client, key, photo=photo(b"x" * 70_000))
    assert (answer.status_code, answer.json()["detail"]) == (413, "A photo may have 1 bytes.")


def test_a_key_needs_the_scope(client: Client, dress: Dress) -> None:
    assert send(client, make_api_key(scopes=["classify"])[1]).status_code == 403
    assert send(client, "nonsense").status_code == 401
    assert client.post(API, {"consent": "true"}).status_code == 401


def test_a_review_that_was_deleted_stays_away(client: Client, key: str, dress: Dress) -> None:
    data = jpeg()
    send(client, key, photo=photo(data), handle="ruby")
    forgetting.forget(Person(handle="ruby"), block=True)
    answer = send(client, key, photo=photo(data))
    assert answer.status_code == 422
    assert "wanted it gone" in answer.json()["detail"]
    assert send(client, key, client_id="r-2", handle="@Ruby").status_code == 422


def test_where_the_photo_was_taken_is_not_stored(client: Client, key: str, dress: Dress) -> None:
    exif = Image.Exif()
    exif[0x010F] = "Nosy Camera"
    exif.get_ifd(0x8825).update({1: "N", 2: (48.0, 8.0, 30.0), 3: "E", 4: (11.0, 34.0, 0.0)})
    buffer = BytesIO()
    Image.new("RGB", (60, 80), "red").save(buffer, "JPEG", exif=exif, comment=b"at home")
    assert b"Nosy Camera" in buffer.getvalue()
    send(client, key, photo=photo(buffer.getvalue()))
    stored = Post.objects.get().photo
    for copy in (stored.large, stored.small):
        data = Path(copy.path).read_bytes()
        assert not Image.open(BytesIO(data)).getexif()
        assert b"Nosy Camera" not in data
        assert b"at home" not in data


def test_deepdress_learns_from_it_once_an_admin_has_seen_it(
    client: Client, key: str, dress: Dress, tmp_path: Path
) -> None:
    def roles() -> list[str]:
        report = training_export.write(tmp_path, training_export.Choice(), lambda rows, *_: rows)
        return sorted(role for role, _ in report.rows)

    send(client, key)
    assert roles() == ["catalogue"]
    Look.objects.get().decide(Look.Clearance.REFUSED, make_admin())
    assert roles() == ["catalogue"]
    Look.objects.get().decide(Look.Clearance.CLEARED, None)
    assert roles() == ["catalogue", "review"]


def test_the_form_sends_a_review(client: Client, dress: Dress) -> None:
    assert "You wore it? Show it" in client.get("/dresses/LUNA-1/").content.decode()
    answer = fill_in(client, rating="4", handle="ruby", email="Ruby@x.example")
    assert (answer.status_code, answer["Location"]) == (302, "/dresses/LUNA-1/?thanks=1#review")
    assert "Your photo is with us" in client.get(answer["Location"]).content.decode()
    post = Post.objects.get()
    assert (post.username, post.review.rating) == ("ruby", 4)
    assert "I am in this photo" in post.rights_changes.get().reason
    assert list(Person(email="ruby@X.example").posts()) == [post]


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"consent": None}, "Without your consent we take nothing."),
        ({"photo": photo(b"no photo")}, "This photo cannot be used: not a JPEG"),
        ({"photo": None}, "review-photo-error"),
        ({"email": "ruby"}, "review-email-error"),
    ],
)
def test_the_form_says_what_is_wrong(client: Client, dress: Dress, told: dict[str, Any], said: str) -> None:
    answer = fill_in(client, text="Loved it!", **told)
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert "Loved it!" in answer.content.decode()
    assert not Post.objects.exists()


def test_the_form_is_for_people(client: Client, dress: Dress, monkeypatch: pytest.MonkeyPatch) -> None:
    assert fill_in(client, website="https://spam.example").status_code == 302
    assert not Post.objects.exists()
    monkeypatch.setattr(ReviewThrottle, "rate", "2/hour")  # that one counts, too
    codes = [fill_in(client, client_id=CLIENT_ID.replace("6", str(digit))).status_code for digit in (1, 2)]
    assert codes == [302, 429]


def test_the_form_can_be_switched_off(client: Client, dress: Dress, settings: Any) -> None:
    settings.REVIEW_FORM = False
    assert "You wore it?" not in client.get("/dresses/LUNA-1/").content.decode()
    assert fill_in(client).status_code == 404


def test_the_form_needs_no_cookie(dress: Dress) -> None:
    stranger = Client(enforce_csrf_checks=True)
    stranger.get("/dresses/LUNA-1/")
    assert not stranger.cookies
    assert fill_in(stranger).status_code == 302
