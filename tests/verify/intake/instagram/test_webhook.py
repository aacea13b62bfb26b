"""Mentions: told by Instagram once, signed; read afterwards."""

import hashlib
import hmac
import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from dressportal.demo.fake_graph import FakeGraph, Fault, Refused, World
from tests.make import make_template
from tests.verify.intake.instagram.portal import make_due, make_source, read_all
from verify.models import Mention, Post, RightsAnswer

pytestmark = pytest.mark.django_db(transaction=True)
SECRET, VERIFY = "of-the-app", "agreed-upon"


@pytest.fixture(autouse=True)
def secrets(settings: Any) -> None:
    settings.INSTAGRAM_APP_SECRET, settings.INSTAGRAM_VERIFY_TOKEN = SECRET, VERIFY


def notice(*mentions: dict[str, Any]) -> bytes:
    changes = [{"field": "mentions", "value": mention} for mention in mentions]
    return json.dumps({"object": "instagram", "entry": [{"id": "1", "time": 1, "changes": changes}]}).encode()


def tell(client: Client, body: bytes, signature: str | None = None, secret: str = SECRET) -> int:
    signed = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    headers = {"X-Hub-Signature-256": signed if signature is None else signature}
    answer = client.post(reverse("instagram_webhook"), body, "application/json", headers=headers)
    return answer.status_code


def shake(client: Client, **told: str) -> Any:
    asked = {"hub.mode": "subscribe", "hub.verify_token": VERIFY, "hub.challenge": "1158201444"}
    asked |= {f"hub.{name}": value for name, value in told.items()}
    return client.get(reverse("instagram_webhook"), asked)


def test_the_handshake(client: Client, settings: Any) -> None:
    answer = shake(client)
    assert (answer.status_code, answer.content, answer["Content-Type"]) == (200, b"1158201444", "text/plain")
    for wrong in ({"verify_token": "guess"}, {"verify_token": ""}, {"mode": "unsubscribe"}):
        assert shake(client, **wrong).status_code == 403
    settings.INSTAGRAM_VERIFY_TOKEN = ""
    assert shake(client, verify_token="").status_code == 403


def test_only_what_is_signed_is_stored(client: Client, settings: Any) -> None:
    body = notice({"media_id": "17900", "comment_id": "55"})
    assert tell(client, body, signature="") == 403
    assert tell(client, body, signature="sha256=" + "0" * 64) == 403
    assert tell(client, body, signature="sha256=é") == 403
    assert tell(client, body, secret="another") == 403
    settings.INSTAGRAM_APP_SECRET = ""
    assert tell(client, body, secret="") == 403
    assert not Mention.objects.exists()
    settings.INSTAGRAM_APP_SECRET = SECRET
    assert tell(client, body) == 200
    assert Mention.objects.get().comment_id == "55"


def test_what_is_told_twice_is_one(client: Client) -> None:
    body = notice({"media_id": "17900"}, {"media_id": "17901", "comment_id": "3"}, {"media_id": "17900"})
    assert [tell(client, body), tell(client, body)] == [200, 200]
    assert Mention.objects.count() == 2


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"[]", 400),
        (b'{"object": "page"}', 400),
        (b"[" * 100_000, 400),
        (b'{"object": "instagram"}', 200),
        (b'{"object": "instagram", "entry": [1, {"changes": [2, {"field": "comments"}]}]}', 200),
        (notice({"media_id": "../../etc"}, {"media_id": {"a": 1}}, {}), 200),
        (notice({"media_id": "1" * 300}), 200),
    ],
)
def test_odd_notices_are_answered_and_store_nothing(client: Client, body: bytes, status: int) -> None:
    assert tell(client, body) == status
    assert not Mention.objects.exists()


def test_mentions_are_read_once_each(client: Client, instagram: FakeGraph, world: World) -> None:
    world.app_secret = SECRET
    source = make_source("mentions")
    first, second, gone = world.stored_as(2)[0], world.stored_as(3)[0], "18000000000999990"
    told = [{"media_id": first}, {"media_id": "1", "comment_id": second}, {"media_id": gone}]
    assert tell(client, notice(*told)) == 200
    read_all()
    assert set(Post.objects.values_list("external_id", "username")) == {
        (first, "customer.2"),
        (second, "customer.3"),
    }
    assert not Mention.objects.waiting().exists()
    assert "does not exist" in Mention.objects.get(media_id=gone).trouble
    calls = len(world.calls)
    make_due()
    read_all()
    assert len(world.calls) == calls
    source.refresh_from_db()
    assert (source.seen, source.new, source.last_error) == (2, 2, "")


def test_a_comment_with_the_key_hashtag_waits_for_an_admin(
    client: Client, instagram: FakeGraph, world: World
) -> None:
    world.app_secret, world.comment = SECRET, "@us sure, #YesMaison"
    make_source("mentions")
    make_template()
    assert tell(client, notice({"media_id": "1", "comment_id": world.stored_as(3)[0]})) == 200
    read_all()
    answer = RightsAnswer.objects.get()
    assert (answer.post, answer.text, answer.username) == (Post.objects.get(), "@us sure, #YesMaison", "")


def test_a_mention_waits_while_the_limit_is_reached(
    client: Client, instagram: FakeGraph, world: World
) -> None:
    world.app_secret = SECRET
    make_source("mentions")
    tell(client, notice({"media_id": world.stored_as(2)[0]}))
    world.faults.append(Fault("/17841400000000001", "error", 1, Refused(4, "Too many calls")))
    read_all()
    assert Mention.objects.waiting().count() == 1
    make_due()
    read_all()
    assert Post.objects.count() == 1


def test_a_mention_whose_photo_fails_for_now_is_read_again(
    client: Client, instagram: FakeGraph, world: World
) -> None:
    world.app_secret = SECRET
    make_source("mentions")
    tell(client, notice({"media_id": world.stored_as(2)[0]}))
    world.faults.append(Fault("/media/", "cut"))
    read_all()
    assert (Post.objects.count(), Mention.objects.waiting().count()) == (0, 1)
    make_due()
    read_all()
    assert (Post.objects.count(), Mention.objects.waiting().count()) == (1, 0)
