"""Sources, the account and posts without a photo in the admin."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.utils import timezone
from django_q.models import OrmQ

from tests.make import make_admin, make_employee, make_post
from tests.verify.curation import act, page
from verify.intake.instagram import token
from verify.intake.instagram.client import Granted
from verify.models import Employee, Hashtag, InstagramAccount, Mention, Post, RefusedMedia, Source

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada(client: Client) -> Employee:
    ada = make_admin("ada")
    client.force_login(ada)
    return ada


def add(client: Client, **fields: Any) -> str:
    told = {"every_minutes": 60, "enabled": "on", **fields}
    return client.post(page("source", "add"), told, follow=True).content.decode()


def test_a_hashtag_is_typed(client: Client, ada: Employee) -> None:
    add(client, kind="hashtag_recent", tag="#MaisonTest")
    add(client, kind="hashtag_top", tag="maisontest")
    assert Hashtag.objects.get().name == "maisontest"
    assert Source.objects.count() == 2
    shown = client.get(page("source")).content.decode()
    assert "#maisontest" in shown
    assert "the last 24 hours; what is missed is gone" in shown
    assert "0 of 30 hashtags in 7 days" in shown
    assert "Not connected" in shown


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"kind": "hashtag_top"}, "Which hashtag?"),
        ({"kind": "hashtag_top", "tag": "two words"}, "Expected letters"),
        ({"kind": "hashtag_top", "tag": "💃"}, "Expected letters"),
        ({"kind": "export"}, "Which file?"),
        ({"kind": "tagged", "every_minutes": 1}, "greater than or equal to 5"),
        ({"kind": "mentions"}, "such a source already"),
        ({"kind": "hashtag_recent", "tag": "known"}, "such a source already"),
        ({"kind": "json_lines", "file": "known.jsonl"}, "such a source already"),
    ],
)
def test_what_is_wrong_with_a_source_is_said(
    client: Client, ada: Employee, fields: dict[str, Any], words: str
) -> None:
    Source.objects.create(kind="mentions")
    Source.objects.create(kind="hashtag_recent", hashtag=Hashtag.objects.create(name="known"))
    Source.objects.create(kind="json_lines", file="known.jsonl")
    assert words in add(client, **fields)
    assert Source.objects.count() == 3


def test_what_a_kind_does_not_need_is_left_out(client: Client, ada: Employee) -> None:
    add(client, kind="tagged", tag="maison", file="a.zip", rights="granted")
    source = Source.objects.get()
    assert (source.hashtag, source.file, source.rights) == (None, "", "")


def test_states_counts_and_actions(client: Client, ada: Employee) -> None:
    now = timezone.now()
    source = Source.objects.create(kind="tagged", seen=1200, new=1100, next_run_at=now + timedelta(hours=1))
    source.fail("the server answered 500", now)  # in nobody's hands: nothing happens
    Source.objects.update(failures=1, last_error="the server answered 500")
    RefusedMedia.objects.create(source=source, external_id="9", reason="Damaged.", last_at=now)
    shown = client.get(page("source")).content.decode()
    for words in ("the server answered 500", "1,100", "failed"):
        assert words in shown
    assert "Damaged." in client.get(f"{page('refusedmedia')}?source__id__exact={source.pk}").content.decode()
    act(client, "source", "run_now", source)
    source.refresh_from_db()
    assert source.next_run_at <= timezone.now()
    assert [row.func() for row in OrmQ.objects.all()] == ["verify.tasks.read_sources"]
    act(client, "source", "disable", source)
    assert not Source.objects.get().enabled
    act(client, "source", "enable", source)
    assert Source.objects.get().enabled
    assert LogEntry.objects.count() == 3


def test_a_token_is_entered_and_never_shown(client: Client, ada: Employee, settings: Any) -> None:
    settings.INSTAGRAM_USER = "1"
    InstagramAccount.load().stop("The token has expired.", timezone.now())
    client.post(page("instagramaccount", "change", 1), {"new_token": "EAAverysecret01"})
    assert token.current(timezone.now()) == "EAAverysecret01"
    assert InstagramAccount.load().stopped_at is None
    shown = client.get(page("instagramaccount", "change", 1)).content.decode()
    shown += client.get(page("source")).content.decode() + str(list(LogEntry.objects.values()))
    assert "EAAverysecret01" not in shown
    assert "Connected. The token ends in 1" in shown  # month, or 8 weeks and more
    client.post(page("instagramaccount", "change", 1), {"new_token": ""})
    assert token.current(timezone.now()) == "EAAverysecret01"


def test_a_curator_sees_how_it_stands_and_enters_no_token(client: Client, settings: Any) -> None:
    settings.INSTAGRAM_USER = "1"
    token.keep(Granted("EAAverysecret01", None), timezone.now())
    client.force_login(make_employee("cleo", is_staff=True))
    shown = client.get(page("instagramaccount", "change", 1)).content.decode()
    assert "Connected" in shown
    assert "new_token" not in shown
    assert client.post(page("instagramaccount", "change", 1), {"new_token": "EAAother"}).status_code == 403
    assert token.current(timezone.now()) == "EAAverysecret01"


def test_mentions_and_hashtags_are_listed(client: Client, ada: Employee) -> None:
    now = timezone.now()
    Mention.objects.create(media_id="17", comment_id="18", received_at=now, trouble="It is gone.")
    Hashtag.objects.create(name="ottilie", graph_id="178", asked_since=now)
    assert "It is gone." in client.get(page("mention")).content.decode()
    shown = client.get(page("hashtag")).content.decode()
    assert "#ottilie" in shown
    assert "178" in shown


def test_a_video_without_a_photo_has_its_pages_and_no_verdict(client: Client, ada: Employee) -> None:
    video = make_post(photo=None, media_type="VIDEO", state="set_aside", trouble="A video without a photo.")
    assert client.get(page("post")).status_code == 200
    shown = client.get(page("post", "change", video.pk)).content.decode()
    assert "Instagram gives no photo of it" in shown
    told = {"rights": "granted", "verdict": "not_a_dress"}
    answer = client.post(page("post", "change", video.pk), told).content.decode()
    assert "cannot be judged" in answer
    act(client, "post", "try_again", video)
    assert client.get(f"/admin/verify/post/decide/?post={video.pk}").status_code == 200
    video.refresh_from_db()
    assert video.state == Post.State.SET_ASIDE
    with pytest.raises(ValueError, match="no photo"):
        video.override("not_a_dress", None, ada)
    assert "<b>0</b> posts set aside" in client.get("/admin/").content.decode()
    client.post(page("post", "delete", video.pk), {"post": "yes"})
    assert not Post.objects.exists()
