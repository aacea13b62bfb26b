"""Whether posts are still at their source, asked over real HTTP of a local server."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from django.utils import timezone

from tests.make import make_admin, make_dress, make_look, make_post
from tests.verify.local_server import Quiet, serving
from verify import forgetting, opt_outs, source_check, tasks
from verify.intake.stones import Incoming, refused_by_tombstone
from verify.models import Look, Notice, Post

pytestmark = pytest.mark.django_db


class OEmbed(Quiet):
    """Answers by permalink as `server.answers` says; 200 for others."""

    def do_GET(self) -> None:
        link = parse_qs(urlsplit(self.path).query)["url"][0]
        self.server.asked.append(link)
        self.answer(*self.server.answers.get(link, (200, b"{}")))


@pytest.fixture
def source(settings: Any) -> Iterator[Any]:
    with serving(OEmbed, asked=[], answers={}) as server:
        settings.SOURCE_CHECK_URL = f"{server.url}/oembed?url={{permalink}}&access_token=secret"
        yield server


GONE = [(404, b""), (410, b""), (400, b'{"error": {"code": 24}}')]
UNKNOWN = [
    (400, b'{"error": {"code": 190}}'),
    (429, b""),
    (500, b""),
    (302, b""),
    (400, b"<html>"),
    (400, b"[]"),
]


@pytest.mark.parametrize("answer", GONE)
def test_what_is_gone_is_hidden_at_once_and_deleted_within_a_day(
    source: Any, answer: tuple[int, bytes]
) -> None:
    look = make_look(make_dress(), permalink="https://www.instagram.com/p/gone/")
    stays = make_look(make_dress())
    source.answers[look.post.permalink] = answer
    tasks.recheck_sources()
    assert set(Look.objects.public()) == {stays}
    post = Post.objects.get(pk=look.post_id)
    assert post.erase_at - post.hidden_at <= timedelta(hours=24 - 1)
    Post.objects.filter(pk=post.pk).update(erase_at=timezone.now())
    tasks.erase_due()
    assert list(Post.objects.all()) == [stays.post]
    again = Incoming("instagram", "another-picture-of-it", post.permalink, "")
    assert "gone at its source" in refused_by_tombstone([again])[again]


@pytest.mark.parametrize("answer", UNKNOWN)
def test_what_nobody_can_tell_stays(source: Any, answer: tuple[int, bytes]) -> None:
    look = make_look(make_dress())
    source.answers[look.post.permalink] = answer
    tasks.recheck_sources()
    assert look in Look.objects.public()
    assert Post.objects.get().checked_at is None


def test_a_source_that_is_down_takes_nothing_down(settings: Any) -> None:
    look = make_look(make_dress())
    settings.SOURCE_CHECK_URL = "http://127.0.0.1:9/{id}"
    tasks.recheck_sources()
    assert look in Look.objects.public()


def test_what_is_back_in_time_is_shown_again(source: Any) -> None:
    look = make_look(make_dress())
    source.answers[look.post.permalink] = (404, b"")
    tasks.recheck_sources()
    source.answers.clear()
    Post.objects.update(erase_at=timezone.now())
    tasks.erase_due()
    assert look in Look.objects.public()


def test_what_is_back_stays_hidden_while_somebody_wants_it_to_go(source: Any) -> None:
    look = make_look(make_dress(), username="ruby")
    source.answers[look.post.permalink] = (404, b"")
    tasks.recheck_sources()
    asked = opt_outs.ask("", "ruby", "ruby@x.example", "", timezone.now())
    source.answers.clear()
    Post.objects.update(erase_at=timezone.now())
    tasks.erase_due()
    assert look not in Look.objects.public()
    assert opt_outs.reject(asked, make_admin(), timezone.now()) == 1
    assert look in Look.objects.public()


def test_looks_are_asked_for_first_and_each_once_a_day(source: Any, settings: Any) -> None:
    other, look = make_post(), make_look(make_dress())
    settings.SOURCE_CHECKS_A_DAY = 1
    for _ in range(3):
        tasks.recheck_sources()
    assert source.asked == [look.post.permalink, other.permalink]


def test_where_all_seem_gone_none_is_hidden_and_the_admins_are_told(source: Any) -> None:
    dress = make_dress()
    for _ in range(source_check.CHUNK + 1):
        look = make_look(dress)
        source.answers[look.post.permalink] = (404, b"")
    tasks.recheck_sources()
    assert Look.objects.public().count() == source_check.CHUNK + 1
    assert len(source.asked) == source_check.CHUNK
    assert "Is the address right?" in Notice.objects.get().text


def test_nobody_asks_unless_told_to(settings: Any) -> None:
    settings.SOURCE_CHECK_URL = ""
    assert source_check.configured() is None
    make_look(make_dress())
    tasks.recheck_sources()
    assert Post.objects.get().checked_at is None


def test_a_post_without_an_address_is_not_asked_for(source: Any) -> None:
    with httpx.Client() as client:
        asks = source_check.over_http("http://127.0.0.1:9/?url={permalink}", client)
        assert asks(make_post(permalink="")) is None


def test_nothing_is_due_before_its_time() -> None:
    make_post()
    Post.objects.all().hide(Post.Hidden.GONE, timezone.now(), timezone.now() + timedelta(hours=1))
    assert forgetting.erase_due(timezone.now()) == 0
    assert forgetting.erase_due(timezone.now() + timedelta(hours=2)) == 1
