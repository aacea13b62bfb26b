from collections.abc import Iterator
from typing import Any

import pytest

from dressportal.demo.fake_graph import TOKEN, USER, FakeGraph, World
from tests.verify.intake.instagram.portal import small_picture


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
