"""Real workers: two at once, and one that is killed while it classifies."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django_q.tasks import async_task

from tests.make import make_dress, make_post
from tests.verify.tiny_weights import write_tiny_weights
from verify import suggest
from verify.models import Post, Suggestion

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.concurrency, pytest.mark.timeout(180)]
ROOT = Path(__file__).resolve().parents[2]


class Cluster:
    """A qcluster in a process group of its own."""

    def __init__(self, environment: dict[str, str], diary: Path) -> None:
        self.environment, self.diary = environment, diary
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, **more: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "qcluster"],
            cwd=ROOT,
            env={**self.environment, **more},
            start_new_session=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def kill(self) -> None:
        if self.process:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None

    def opened(self) -> list[tuple[int, str]]:
        """Who has opened which photo, in order."""
        lines = self.diary.read_text().splitlines() if self.diary.exists() else []
        return [(int(pid), digest) for pid, digest in map(str.split, lines)]


@pytest.fixture
def cluster(settings: Any, tmp_path: Path) -> Iterator[Cluster]:
    settings.DEEPDRESS_WEIGHTS = write_tiny_weights(tmp_path / "weights")
    diary = tmp_path / "diary"
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.verify.worker_settings",
        "WORKER_DATABASE": connection.settings_dict["NAME"],
        "WORKER_MEDIA": str(settings.MEDIA_ROOT),
        "WORKER_WEIGHTS": str(settings.DEEPDRESS_WEIGHTS),
        "WORKER_DIARY": str(diary),
    }
    running = Cluster(environment, diary)
    yield running
    running.kill()


def wait_for(condition: Callable[[], bool], what: str, meanwhile: Callable[[], object] = bool) -> None:
    deadline = time.monotonic() + 90
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not happen"
        meanwhile()
        time.sleep(1)


def minute_passes() -> None:
    """What the schedule does every minute, without the wait for it."""
    async_task("verify.tasks.tick")


def nothing_waits() -> bool:
    return not Post.objects.filter(state=Post.State.WAITING).exists()


@pytest.mark.parametrize("victim", ["the worker", "all of it"])
def test_a_worker_killed_while_it_classifies_finishes_the_job_once(cluster: Cluster, victim: str) -> None:
    for _ in range(3):
        make_dress()
    suggest.embed_catalogue()
    posts = [make_post() for _ in range(60)]
    async_task("verify.tasks.suggest_waiting")
    cluster.start()
    wait_for(lambda: len(cluster.opened()) >= 5, "the classification")
    if victim == "all of it":
        cluster.kill()
        cluster.start()
    else:
        os.kill(cluster.opened()[-1][0], signal.SIGKILL)
    assert Suggestion.objects.count() == 0

    wait_for(nothing_waits, "the rest", minute_passes)

    assert Post.objects.filter(state=Post.State.PROPOSED).count() == len(posts)
    assert Suggestion.objects.count() == len(posts)
    assert set(Post.objects.values_list("attempts", flat=True)) == {2}


def test_a_photo_that_kills_the_worker_three_times_is_set_aside_and_the_others_are_done(
    cluster: Cluster,
) -> None:
    make_dress()
    suggest.embed_catalogue()
    posts = [make_post() for _ in range(5)]
    deadly = posts[2]
    async_task("verify.tasks.suggest_waiting")
    cluster.start(WORKER_DEADLY=deadly.photo.sha256)

    wait_for(nothing_waits, "the verdict on every photo", minute_passes)

    deadly.refresh_from_db()
    assert deadly.state == Post.State.SET_ASIDE
    assert "3 times" in deadly.trouble
    kills = [pid for pid, digest in cluster.opened() if digest == deadly.photo.sha256]
    assert len(kills) == len(set(kills)) == 3
    others = Post.objects.exclude(pk=deadly.pk)
    assert {(post.state, post.suggestions.count()) for post in others} == {(Post.State.PROPOSED, 1)}


def test_two_workers_at_once_propose_for_each_post_once(settings: Any, tmp_path: Path) -> None:
    settings.DEEPDRESS_WEIGHTS = write_tiny_weights(tmp_path / "weights")
    settings.SUGGEST_BATCH = 3
    make_dress()
    suggest.embed_catalogue()
    posts = [make_post() for _ in range(40)]

    def work(_: int) -> int:
        try:
            return suggest.suggest_waiting()
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as workers:
        done = list(workers.map(work, range(2)))

    assert sum(done) == len(posts)
    assert min(done) > 0
    assert Suggestion.objects.count() == len(posts)
    assert set(Post.objects.values_list("state", "attempts")) == {(Post.State.PROPOSED, 1)}
