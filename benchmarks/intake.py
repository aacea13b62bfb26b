"""How fast posts come in from Instagram, and that no kill loses or doubles one.

A fake Graph API serves posts with photos over HTTP. A reader takes them all in and is killed (SIGKILL)
at random moments; each time another one goes on. Afterwards every post must be there once, with its photo.
The limit is decoding and storing the same photos alone, without network and posts.

    .venv/bin/python benchmarks/intake.py [--posts 30000] [--kills 20] [--size 240 300] [--json OUT]
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).resolve().parent.parent
SAMPLE = 300  # photos, decoded and stored alone
MEGABYTE = 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--posts", type=int, default=30_000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--size", type=int, nargs=2, default=(240, 300), help="of the photos, in pixels")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="intake-") as var:
        os.environ.update(
            DRESSPORTAL_VAR=var,
            DJANGO_SETTINGS_MODULE="dressportal.settings",
            DRESSPORTAL_FETCH_LOOPBACK="1",
            DRESSPORTAL_INTAKE_CLAIM_SECONDS="3",  # a killed reader's source is free again after this
        )
        sys.path.insert(0, str(ROOT))
        figures = measure(arguments)
    tell(figures)
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=2))


def measure(asked: argparse.Namespace) -> dict[str, Any]:
    from dressportal.demo.fake_graph import TOKEN, USER

    size = [str(side) for side in asked.size]
    command = [
        sys.executable,
        "-m",
        "dressportal.demo.fake_graph",
        "--posts",
        str(asked.posts),
        "--size",
        *size,
    ]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as fake:
        try:
            url = fake.stdout.readline().strip()
            os.environ.update(
                DRESSPORTAL_INSTAGRAM_URL=url,
                DRESSPORTAL_INSTAGRAM_TOKEN=TOKEN,
                DRESSPORTAL_INSTAGRAM_USER=USER,
            )
            return read(asked)
        finally:
            fake.terminate()


def read(asked: argparse.Namespace) -> dict[str, Any]:
    import django

    django.setup()
    from django.conf import settings
    from django.core.management import call_command
    from django.db import connection

    from dressportal import database
    from verify.models import Source

    call_command("migrate", verbosity=0)
    try:
        alone = decode_and_store_alone(asked)
        Source.objects.create(kind=Source.Kind.TAGGED)
        figures = read_and_kill(asked)
        return {**figures, **check(asked.posts), **compared(figures, alone, asked.posts)}
    finally:
        connection.close()
        database.leave(settings.DATABASES["default"], patience=10)


def decode_and_store_alone(asked: argparse.Namespace) -> dict[str, float]:
    """Seconds a photo, by the wall and of the processor, without network and posts."""
    from dressportal.demo.fake_graph import simple_picture
    from verify.intake.photos import store
    from verify.models import Photo

    pictures = [simple_picture(-number - 1, tuple(asked.size)) for number in range(SAMPLE)]
    store(pictures[0])
    wall, cpu = time.perf_counter(), time.process_time()
    for picture in pictures[1:]:
        store(picture)
    count = SAMPLE - 1
    took = {"wall": (time.perf_counter() - wall) / count, "cpu": (time.process_time() - cpu) / count}
    Photo.objects.all().delete()
    return took


def read_and_kill(asked: argparse.Namespace) -> dict[str, Any]:
    """Kills the reader when so many posts are stored, and a moment of chance later."""
    from verify.models import Post

    chance = random.Random(asked.seed)
    kills = sorted(chance.sample(range(asked.posts), asked.kills))
    memory: list[tuple[int, float]] = []  # posts stored, MB
    started, cpu, killed = time.perf_counter(), 0.0, 0
    while True:
        reader = start_reader()
        while reader.poll() is None:
            time.sleep(0.25)
            stored = Post.objects.count()
            cpu_now, megabytes = state_of(reader)
            memory.append((stored, megabytes))
            if kills and stored >= kills[0]:
                time.sleep(chance.random())
                cpu_now, _ = state_of(reader, cpu_now)
                reader.kill()
                reader.wait()
                kills.pop(0)
                killed += 1
                progress(f"killed at {Post.objects.count():,} posts ({killed} of {asked.kills})")
        cpu += cpu_now
        if is_done():
            break
    wall = time.perf_counter() - started
    return {"posts": asked.posts, "kills": killed, "seconds": round(wall, 1), "cpu": cpu, **flat(memory)}


def start_reader() -> subprocess.Popen[bytes]:
    command = [sys.executable, "manage.py", "read_sources"]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT)


def state_of(reader: subprocess.Popen[bytes], before: float = 0.0) -> tuple[float, float]:
    """Processor seconds so far, and megabytes."""
    try:
        process = psutil.Process(reader.pid)
        used = process.cpu_times()
        return used.user + used.system, process.memory_info().rss / MEGABYTE
    except psutil.Error:
        return before, 0.0


def is_done() -> bool:
    """Whether the source was read to its end; waits while a killed reader's claim still holds."""
    from django.utils import timezone

    from verify.models import Source

    source = Source.objects.get()
    while source.claimed_until and source.claimed_until > timezone.now():
        time.sleep(0.2)
    return source.read_at is not None and not source.failures


def flat(memory: list[tuple[int, float]]) -> dict[str, float]:
    """The most that a reader took, over all and in the first and the last quarter of the posts."""
    total = memory[-1][0]
    quarter = [max(mb for count, mb in memory if low <= count <= high) for low, high in _quarters(total)]
    return {
        "memory_mb": round(max(quarter)),
        "first_quarter_mb": round(quarter[0]),
        "last_quarter_mb": round(quarter[1]),
    }


def _quarters(total: int) -> list[tuple[float, float]]:
    return [(0, total / 4), (3 * total / 4, total)]


def check(posts: int) -> dict[str, Any]:
    """What is missing, what is there twice, what lies about."""
    from django.conf import settings

    from dressportal.demo.fake_graph import World
    from verify.models import Photo, Post, Source

    world = World(posts=posts)
    expected = [name for number in range(posts) for name in world.stored_as(number)]
    stored = list(Post.objects.values_list("external_id", flat=True))
    with_photo = Post.objects.exclude(photo=None)
    files = {path.name for path in Path(settings.MEDIA_ROOT).rglob("*.jpg")}
    named = {Path(name).name for pair in Photo.objects.values_list("large", "small") for name in pair}
    source = Source.objects.get()
    return {
        "expected": len(expected),
        "stored": len(stored),
        "missing": len(set(expected) - set(stored)),
        "doubled": len(stored) - len(set(stored)),
        "photos": with_photo.count(),
        "photos_doubled": with_photo.count() - with_photo.values("photo").distinct().count(),
        "photos_unused": Photo.objects.unused().count(),
        "files_missing": len(named - files),
        "files_left_over": len(files - named),
        "counted_new": source.new,
        "counted_seen": source.seen,
        "refused": source.refused.count(),
    }


def compared(figures: dict[str, Any], alone: dict[str, float], posts: int) -> dict[str, float]:
    from verify.models import Photo

    photos = Photo.objects.count()
    return {
        "per_second": round(photos / figures["seconds"], 1),
        "cpu_ms": round(1000 * figures["cpu"] / photos, 1),
        "alone_per_second": round(1 / alone["wall"], 1),
        "alone_cpu_ms": round(1000 * alone["cpu"], 1),
        "times_the_limit": round(figures["cpu"] / photos / alone["cpu"], 2),
    }


def progress(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def tell(found: dict[str, Any]) -> None:
    print(f"{found['stored']:,} posts of {found['expected']:,} after {found['kills']} kills:")
    print(f"{found['missing']} missing, {found['doubled']} doubled; {found['refused']} refused")
    print(f"counted: {found['counted_new']:,} new, {found['counted_seen']:,} seen")
    print(f"{found['photos']:,} photos, {found['photos_doubled']} doubled, {found['photos_unused']} unused,")
    print(f"{found['files_missing']} files missing, {found['files_left_over']} left over by kills")
    print(f"memory: {found['memory_mb']} MB at most ({found['first_quarter_mb']} in the first quarter,")
    print(f"{found['last_quarter_mb']} in the last)")
    print(f"{found['per_second']} photos/s by the wall, {found['cpu_ms']} ms of processor a photo;")
    print(f"decoding and storing alone: {found['alone_per_second']}/s, {found['alone_cpu_ms']} ms")
    print(f"{found['times_the_limit']} times the processor time of decoding and storing")


if __name__ == "__main__":
    main()
