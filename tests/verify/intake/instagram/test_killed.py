"""Real readers: killed anywhere, and two at once. No gap, no duplicate."""

import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from dressportal.demo.fake_graph import TOKEN, USER, FakeGraph, World
from tests.verify.intake.instagram.portal import (
    expected_ids,
    make_due,
    make_source,
    read_all,
    small_picture,
    stored_ids,
)
from verify.intake import sources
from verify.models import Photo, Post, Source

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.concurrency, pytest.mark.timeout(900)]
ROOT = Path(__file__).resolve().parents[4]
POSTS, KILLS = 300, 3


@contextmanager
def a_reader(server: FakeGraph, media: str) -> Iterator[subprocess.Popen[bytes]]:
    """That is killed at the end, if it has not ended."""
    told = {
        "DJANGO_SETTINGS_MODULE": "tests.verify.intake.instagram.reader_settings",
        "READER_DATABASE": connection.settings_dict["NAME"],
        "READER_MEDIA": media,
        "DRESSPORTAL_INSTAGRAM_URL": server.url,
        "DRESSPORTAL_INSTAGRAM_TOKEN": TOKEN,
        "DRESSPORTAL_INSTAGRAM_USER": USER,
        "DRESSPORTAL_FETCH_LOOPBACK": "1",
    }
    command = [sys.executable, "manage.py", "read_sources"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, cwd=ROOT, env={**os.environ, **told}, **quiet) as reader:
        try:
            yield reader
        finally:
            reader.kill()


def wait_for_photos(world: World, count: int, reader: subprocess.Popen[bytes]) -> None:
    while world.photos_sent < count and reader.poll() is None:
        time.sleep(0.005)


def test_a_reader_that_is_killed_anywhere_leaves_no_gap_and_no_duplicate(settings: Any) -> None:
    chance = random.Random(5)
    source = make_source("tagged")
    with FakeGraph(World(posts=POSTS, picture=small_picture)) as server:
        world = server.world
        for kill in range(1, KILLS + 1):
            with a_reader(server, str(settings.MEDIA_ROOT)) as reader:
                wait_for_photos(world, kill * POSTS // (KILLS + 1) + chance.randrange(40), reader)
            assert reader.returncode == -9, "it was done before it could be killed"
            assert 0 < Post.objects.count() < POSTS
            make_due()
        with a_reader(server, str(settings.MEDIA_ROOT)) as reader:
            assert reader.wait() == 0
        assert sorted(stored_ids()) == sorted(expected_ids(world))
    source.refresh_from_db()
    assert (source.seen, source.new) == (len(stored_ids()), len(stored_ids()))
    with_photo = Post.objects.exclude(photo=None)
    assert with_photo.values("photo").distinct().count() == with_photo.count()
    assert Photo.objects.unused().count() == 0
    files = {path.name for path in Path(settings.MEDIA_ROOT).rglob("*.jpg")}
    named = {Path(name).name for pair in Photo.objects.values_list("large", "small") for name in pair}
    assert named <= files


def test_two_readers_at_once_read_two_sources_once_each(instagram: FakeGraph, world: World) -> None:
    world.mixed = False
    world.grow(60)
    make_source("tagged")
    make_source("hashtag_top", "dress")

    def read(_: int) -> int:
        try:
            return read_all()
        finally:
            connection.close()

    with ThreadPoolExecutor(3) as pool:
        turns = list(pool.map(read, range(3)))
    assert sum(turns) == 2
    assert sorted(stored_ids()) == sorted(expected_ids(world))
    assert sum(Source.objects.values_list("new", flat=True)) == 72
    assert sum(Source.objects.values_list("seen", flat=True)) == 144


def test_one_source_is_claimed_by_one_of_many() -> None:
    from django.utils import timezone

    from tests.verify.players import at_once

    make_source("tagged")
    claims = at_once([lambda: Source.objects.claim_next(timezone.now())] * 8)
    assert [claim is not None for claim in claims].count(True) == 1


def test_who_has_lost_the_source_stores_nothing(
    instagram: FakeGraph, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another worker takes it over while a photo is being fetched."""
    source = make_source("tagged")
    sent = World.kind

    def taken_over(self: World, number: int) -> str:
        Source.objects.update(claim="another")
        connection.close()  # of the fake's thread
        return sent(self, number)

    monkeypatch.setattr(World, "kind", taken_over)
    assert sources.read_next() == 1
    source.refresh_from_db()
    assert (Post.objects.count(), source.seen, source.claim) == (0, 0, "another")
