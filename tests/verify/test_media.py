"""The address of a photo: who gets it, how it is cached, and what it never reveals."""

import os
import subprocess
import sys
import time
from ast import literal_eval
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connection
from django.http import HttpResponseBase
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from storages.backends.s3 import S3Storage

from tests import make
from verify.models import Look, Photo, Post
from verify.views import photo as photo_view

pytestmark = pytest.mark.django_db


@pytest.fixture
def employee() -> Client:
    client = Client()
    client.force_login(make.make_employee())
    return client


def get(client: Client, photo: Photo, size: str = "large", **headers: str) -> HttpResponseBase:
    """The answer, read to its end, which closes the file."""
    response = client.get(address(photo, size), headers=headers)
    if response.streaming:
        response.body = b"".join(response.streaming_content)
    return response


def address(photo: Photo, size: str = "large") -> str:
    return f"/media/photos/{photo.token}/{size}/"


@pytest.mark.parametrize("size", ["large", "small"])
def test_anybody_sees_a_catalogue_photo(size: str) -> None:
    photo = make.make_dress().photos.get().photo
    response = get(Client(), photo, size)
    stored = getattr(photo, size)
    with stored.open() as file:
        assert response.body == file.read()
    assert response["Content-Type"] == "image/jpeg"
    assert response["Content-Length"] == str(stored.size)
    assert response["Content-Disposition"].startswith("inline")
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert response["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert response["Cache-Control"] == "public, max-age=600"
    assert "Cookie" not in response.get("Vary", "")


def test_a_customers_photo_is_for_employees(employee: Client) -> None:
    photo = make.make_post().photo
    assert get(Client(), photo).status_code == 404
    response = get(employee, photo)
    assert response.status_code == 200
    assert set(response["Cache-Control"].split(", ")) == {"private", "max-age=86400", "immutable"}
    assert "Cookie" in response["Vary"]
    assert response["Cross-Origin-Resource-Policy"] == "same-origin"


def test_a_deactivated_employee_is_a_stranger() -> None:
    photo, client = make.make_post().photo, Client()
    client.force_login(make.make_employee(is_active=True))
    employee = make.Employee.objects.get()
    employee.is_active = False
    employee.save()
    assert get(client, photo).status_code == 404


def test_a_public_look_is_seen_by_anybody_until_it_is_revoked() -> None:
    look = make.make_look(make.make_dress())
    assert get(Client(), look.post.photo).status_code == 200
    Post.objects.update(rights=Post.Rights.REVOKED)
    assert get(Client(), look.post.photo).status_code == 404
    Post.objects.update(rights=Post.Rights.GRANTED)
    assert get(Client(), look.post.photo).status_code == 200
    Look.objects.update(clearance=Look.Clearance.REFUSED)
    assert get(Client(), look.post.photo).status_code == 404


def test_a_revoked_photo_is_gone_for_who_holds_a_copy_too() -> None:
    look = make.make_look(make.make_dress())
    seen = get(Client(), look.post.photo)
    Post.objects.update(rights=Post.Rights.REVOKED)
    again = get(Client(), look.post.photo, **{"If-None-Match": seen["ETag"]})
    assert again.status_code == 404


def test_what_is_forbidden_looks_like_what_is_not_there() -> None:
    forbidden = get(Client(), make.make_post().photo)
    missing = Client().get("/media/photos/AAAAAAAAAAAAAAAAAAAAAA/large/")
    assert (forbidden.status_code, forbidden.content) == (missing.status_code, missing.content)


@pytest.mark.parametrize(
    "path",
    [
        "x/medium/",
        "x/../large/",
        "%2e%2e%2fsecret_key/large/",
        "..%2f..%2fetc%2fpasswd/small/",
        "x%00/large/",
    ],
)
def test_only_tokens_and_sizes_are_addresses(employee: Client, path: str) -> None:
    assert employee.get(f"/media/photos/{path}").status_code == 404


def test_a_copy_that_is_still_right_is_not_sent_again() -> None:
    photo = make.make_dress().photos.get().photo
    first = get(Client(), photo)
    second = get(Client(), photo, **{"If-None-Match": first["ETag"]})
    assert second.status_code == 304
    assert second["ETag"] == first["ETag"]
    assert second["Cache-Control"] == "public, max-age=600"
    assert get(Client(), photo, "small")["ETag"] != first["ETag"]


def test_head_and_other_origins(rf: RequestFactory) -> None:
    photo = make.make_dress().photos.get().photo
    head = photo_view.photo(rf.head("/"), photo.token, "large")
    head.file_to_stream.close()
    assert (head.status_code, head["Content-Length"]) == (200, str(photo.large.size))
    elsewhere = get(Client(), photo, Origin="https://shop.example")
    assert elsewhere["Access-Control-Allow-Origin"] == "*"
    assert Client().post(address(photo)).status_code == 405


@pytest.mark.parametrize(
    "name", ["../../../../../etc/passwd", "/etc/passwd", "photos/../../secret_key", "photos"]
)
def test_no_row_leads_out_of_the_storage(name: str, tmp_path: Path) -> None:
    photo = make.make_dress().photos.get().photo
    (tmp_path / "secret_key").write_text("secret")
    Photo.objects.filter(pk=photo.pk).update(large=name)
    assert get(Client(), photo).status_code == 404


def test_whatever_the_bytes_are_they_are_a_picture() -> None:
    photo = make.make_dress().photos.get().photo
    with photo.large.storage.open(photo.large.name, "wb") as file:
        file.write(b"<script>alert(1)</script>")
    response = get(Client(), photo)
    assert (response["Content-Type"], response["X-Content-Type-Options"]) == ("image/jpeg", "nosniff")
    assert response["Content-Security-Policy"] == "default-src 'none'; sandbox"


def test_a_file_that_is_lost_is_not_found() -> None:
    photo = make.make_dress().photos.get().photo
    photo.large.storage.delete(photo.large.name)
    assert get(Client(), photo).status_code == 404


def test_a_bucket_is_redirected_to_with_a_signature(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    photo = make.make_dress().photos.get().photo
    settings.MEDIA_BUCKET = "photos"
    signed = "https://photos.example/large.jpg?signature=1"
    monkeypatch.setattr(type(photo.large), "url", property(lambda self: signed))
    response = get(Client(), photo)
    assert (response.status_code, response.url) == (302, signed)
    assert "private" in response["Cache-Control"]
    assert get(Client(), make.make_post().photo).status_code == 404


def test_a_signature_outlives_its_owners_no_by_ten_minutes() -> None:
    code = "from django.conf import settings; print(settings.STORAGES['default']['OPTIONS'])"
    bucket = {"DRESSPORTAL_MEDIA_BUCKET": "photos", "DJANGO_SETTINGS_MODULE": "dressportal.settings"}
    options = subprocess.check_output([sys.executable, "-c", code], env={**os.environ, **bucket}, text=True)
    storage = S3Storage(
        **literal_eval(options), access_key="key", secret_key="secret", region_name="eu-west-1"
    )
    [until] = parse_qs(urlsplit(storage.url("large.jpg")).query)["Expires"]
    assert 590 <= int(until) - time.time() <= 600


@pytest.mark.parametrize(("is_public", "most"), [(True, 1), (False, 3)])
def test_a_photo_costs_few_statements(employee: Client, is_public: bool, most: int) -> None:
    photo = make.make_dress().photos.get().photo if is_public else make.make_post().photo
    with CaptureQueriesContext(connection) as queries:
        assert get(employee, photo).status_code == 200
    assert len(queries) <= most
