"""The shop of the classify benchmark: drawn dresses and posts, stored as the portal stores them."""

import os
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import django
from django.conf import settings

django.setup()

import psutil  # noqa: E402
import torch  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.utils import timezone  # noqa: E402
from django_q.models import OrmQ  # noqa: E402

from benchmarks.classify import cpu_and_wall  # noqa: E402
from dressportal import database  # noqa: E402
from dressportal.demo.draw import Order, draw_all  # noqa: E402
from ml.deepdress import DeepDress, Embeddings, bfloat16_pays  # noqa: E402
from ml.photos import open_upright, to_square  # noqa: E402
from verify import looking, suggest, tasks, versions  # noqa: E402
from verify.intake import photos as intake  # noqa: E402
from verify.models import Dress, DressPhoto, Embedding, Post, Suggestion  # noqa: E402

DRESSES, DRAWN = 200, 256


def open_shop(count: int) -> list[Post]:
    """Migrates, draws and stores; every post has a photo of its own, repeated drawings as other bytes."""
    call_command("migrate", verbosity=0)
    catalogue = draw_all(Order("front", number, (480, 600), number) for number in range(DRESSES))
    for number, prepared in enumerate(catalogue):
        dress = Dress.objects.create(sku=f"B-{number}", title=f"Dress {number}")
        DressPhoto.objects.create(dress=dress, photo=intake.store_prepared(prepared))
    drawn = list(draw_all(Order("dress", number, (432, 540), number) for number in range(min(count, DRAWN))))
    now = timezone.now()
    for number in range(count):
        photo = intake.store_prepared(replace(drawn[number % len(drawn)], sha256=f"{number:064}"))
        Post.objects.create(external_id=str(number), photo=photo, posted_at=now - timedelta(minutes=number))
    suggest.embed_catalogue()
    versions.deepdress().embed([drawn[0].small] * settings.SUGGEST_BATCH)  # the first is the slowest
    return list(Post.objects.select_related("photo"))


def work_off(posts: list[Post]) -> dict[str, float]:
    """Let the worker's task propose for every post, from the beginning."""
    _from_the_beginning()
    return cpu_and_wall(_tasks, _cpu_seconds)


def _tasks() -> None:
    tasks.suggest_waiting()
    while OrmQ.objects.exists():
        OrmQ.objects.all().delete()
        tasks.suggest_waiting()
    assert not Post.objects.filter(state=Post.State.WAITING).exists()


def _from_the_beginning() -> None:
    Post.objects.update(suggestion=None, state=Post.State.WAITING, attempts=0, claimed_until=None)
    Suggestion.objects.all().delete()
    Embedding.objects.exclude(photo__dress_photos__isnull=False).delete()
    OrmQ.objects.all().delete()


def stages(posts: list[Post]) -> dict[str, float]:
    """CPU seconds that all photos take in each stage, on one thread; on a GPU, the seconds of forward."""
    model, side, size = versions.deepdress(), versions.deepdress().config.input_size, settings.SUGGEST_BATCH
    found: dict[str, float] = {}
    files = [Path(post.photo.small.path) for post in posts]
    uprights = _timed(found, "decode", lambda: [open_upright(path.read_bytes(), side) for path in files])
    squares = _timed(found, "preprocess", lambda: [to_square(image, side) for image in uprights])
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    batches = [squares[start : start + size] for start in range(0, len(squares), size)]
    if model.device.type == "cpu":
        vectors = _timed(found, "forward", lambda: [model.embed(batch) for batch in batches])
    else:
        start = time.perf_counter()
        vectors = [model.embed(batch) for batch in batches]  # ends with a copy, so the device is done
        found["forward"] = time.perf_counter() - start
    torch.set_num_threads(threads)
    found["database"] = _database_alone(posts, vectors, squares[0])
    return found


def _timed(found: dict[str, float], name: str, work: Any) -> Any:
    start = time.process_time()
    result = work()
    found[name] = time.process_time() - start
    return result


def _database_alone(posts: list[Post], vectors: list[Embeddings], square: Any) -> float:
    """The run with neither photos nor a network: this process's CPU time and Postgres'."""
    _from_the_beginning()

    def ready(model: DeepDress, pictures: list[Any]) -> Embeddings:
        return Embeddings(*(column[: len(pictures)] for column in vectors[0]))

    with (
        patch.object(DeepDress, "embed", ready),
        patch.object(looking, "_square", lambda photo, side: square),
    ):
        return cpu_and_wall(_tasks, _cpu_seconds)["cpu_seconds"]


def _cpu_seconds() -> float:
    """Of this process and of its Postgres."""
    own = time.process_time()
    for process in psutil.process_iter(["name"]):
        try:
            if process.info["name"] == "postgres" and process.cwd().startswith(str(settings.VAR)):
                own += sum(process.cpu_times()[:2])
        except psutil.Error:
            continue
    return own


def about() -> dict[str, Any]:
    device = versions.deepdress().device
    return {
        "cores": len(os.sched_getaffinity(0)),
        "device": device.type,
        "precision": "bfloat16" if bfloat16_pays(device) else "float32",
        "torch_threads": torch.get_num_threads(),
    }


def close_shop() -> None:
    connection.close()
    database.leave(settings.DATABASES["default"], patience=30)
