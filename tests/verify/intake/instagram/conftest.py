from collections.abc import Iterator
from typing import Any

import pytest

from dressportal.demo.fake_graph import TOKEN, USER, FakeGraph, World
from tests.verify.intake.instagram.portal import small_picture


@pytest.fixture
def short_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of ten media instead of fifty: many pages are still few photos."""
    monkeypatch.setattr("verify.intake.instagram.client.PAGE", 10)


@pytest.fixture
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between questions, and before one is asked again."""
    monkeypatch.setattr("verify.intake.instagram.client.FIRST_PAUSE", 0.0)
    monkeypatch.setattr("verify.intake.instagram.pacing.SLOWEST", 0.0)


@pytest.fixture
def world() -> World:
    return World(posts=12, picture=small_picture)


@pytest.fixture
def instagram(world: World, settings: Any) -> Iterator[FakeGraph]:
    """The fake, and a portal that is set up for it."""
    with FakeGraph(world) as server:
        settings.INSTAGRAM_URL = server.url
        settings.INSTAGRAM_USER, settings.INSTAGRAM_TOKEN = USER, TOKEN
        settings.FETCH_LOOPBACK = True
        yield server
