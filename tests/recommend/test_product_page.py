"""The demo shop's pages before any script has run."""

import pytest
from django.test import Client

from tests.make import make_dress

pytestmark = pytest.mark.django_db


def test_a_product_page_has_its_name_and_photo_without_javascript(client: Client) -> None:
    dress = make_dress("A/B", title="Luna <3", designer="Maison & Co")
    page = client.get("/dresses/A%2FB/")
    html = page.content.decode()
    assert page.status_code == 200
    assert "<h1>Luna &lt;3</h1>" in html
    assert "<title>Luna &lt;3 by Maison &amp; Co</title>" in html
    assert f"/media/photos/{dress.photos.get().photo.token}/large/" in html
    assert 'href="http://testserver/api/v1/dresses/A/B/looks/"' in html
    assert "unsafe-inline" not in page.headers["Content-Security-Policy"]


@pytest.mark.parametrize("sku", ["nope", "%00", "x" * 65, "<script>"])
def test_an_unknown_dress_is_not_found(client: Client, sku: str) -> None:
    page = client.get(f"/dresses/{sku}/")
    assert page.status_code == 404
    assert b"<script>" not in page.content


def test_the_collection_needs_no_log_in(client: Client) -> None:
    page = client.get("/dresses/")
    assert page.status_code == 200
    assert b'data-dresses="/api/v1/dresses/"' in page.content


def test_a_dress_without_a_photo_has_a_page(client: Client) -> None:
    make_dress("BARE", photos=0)
    assert client.get("/dresses/BARE/").status_code == 200
