"""The demo's Instagram: its posts come in like any, and none is mixed with a shop's own."""

from typing import Any

import pytest

from dressportal.demo import instagram, instagram_account, people, plan
from dressportal.demo.fake_graph import TOKEN, USER, FakeGraph
from dressportal.management.commands.serve import Command
from tests.verify.intake.instagram.portal import make_due, read_all
from verify.models import Post, Source


@pytest.mark.django_db(transaction=True)
def test_a_post_a_minute_comes_in(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "STREET_SIZE", (96, 120))
    now = instagram.BEGINNING + 10_000 * instagram.EVERY
    with FakeGraph(instagram.world(now)) as server:
        server.world.now = lambda: now
        settings.INSTAGRAM_URL, settings.FETCH_LOOPBACK = server.url, True
        settings.INSTAGRAM_TOKEN, settings.INSTAGRAM_USER = TOKEN, USER
        server.world.media_life = 10**9
        instagram_account.set_up()
        instagram_account.set_up()
        read_all()
        assert Post.objects.count() == instagram.FIRST
        server.world.grow()
        make_due()
        read_all()
    newest = Post.objects.first()
    assert Post.objects.count() == instagram.FIRST + 1
    assert newest.posted_at.timestamp() == now + instagram.EVERY
    assert newest.caption.endswith("#dressportal")
    assert newest.photo.height == 120
    assert Source.objects.get().last_error == ""


@pytest.mark.django_db(transaction=True)
def test_it_runs_beside_the_demo_alone(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in instagram_account.environment(1):
        monkeypatch.setenv(name, "")  # put back afterwards
    serve = Command()
    assert serve.demo_instagram() == []
    people.hire()
    settings.INSTAGRAM_TOKEN = "EAAtheirown0001"
    assert serve.demo_instagram() == []
    settings.INSTAGRAM_TOKEN = ""
    settings.PRODUCTION = True
    assert serve.demo_instagram() == []
    settings.PRODUCTION = False
    monkeypatch.setenv("DRESSPORTAL_DEMO_INSTAGRAM", "0")
    assert serve.demo_instagram() == []
    assert not Source.objects.exists()
    monkeypatch.delenv("DRESSPORTAL_DEMO_INSTAGRAM")
    [part] = serve.demo_instagram()
    assert part.name == "instagram"
    assert Source.objects.get().hashtag.name == "dressportal"
