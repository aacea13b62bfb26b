"""How fast posts come in from Instagram, and that no kill loses or doubles one.

A fake Graph API serves posts with photos over HTTP. A reader takes them all in and is killed (SIGKILL)
at random moments; each time another one goes on. Afterwards every post must be there once, with its photo.
The limit is decoding and storing the same photos alone, without network and posts.

Processor time is told apart by who takes it: the reader while it reads, its starts (Python, Django and all
apps, once a kill), the decoders, Postgres, and the fake Instagram, which is not ours.

    .venv/bin/python benchmarks/intake.py [--posts 30000] [--kills 20] [--size 240 300] [--json OUT]
"""

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).resolve().parent.parent
SAMPLE = 300  # photos, decoded and stored alone
STARTS = 3  # of a reader with nothing to do, for what a start takes
MEGABYTE = 1e6
MOST_MEGABYTES = 300
LINES = 50  # of progress
MUST_BE_NONE = ("missing", "doubled", "refused", "photos_doubled", "photos_unused", "files_missing")


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
    if faults := [name for name in MUST_BE_NONE if figures[name]]:
        sys.exit(f"Not as it should be: {', '.join(faults)}.")
    if figures["memory_mb"] > MOST_MEGABYTES:
        sys.exit(f"More than {MOST_MEGABYTES} MB.")


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
            return read(asked, psutil.Process(fake.pid))
        finally:
            fake.terminate()


def read(asked: argparse.Namespace, fake: psutil.Process) -> dict[str, Any]:
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
        start = seconds_of_a_start()
        Source.objects.create(kind=Source.Kind.TAGGED)
        others = {"postgres": postgres(), "fake": fake}
        before = {name: seconds_of(process) for name, process in others.items()}
        figures = read_and_kill(asked)
        took = {name: seconds_of(process) - before[name] for name, process in others.items()}
        return {**figures, **check(asked.posts), **compared(figures, took, start, alone)}
    finally:
        connection.close()
        database.leave(settings.DATABASES["default"], patience=10)


def postgres() -> psutil.Process:
    """The embedded server; its own time is that of its ended connections, too."""
    folder = Path(os.environ["DRESSPORTAL_VAR"]) / "postgres"
    [number] = [int(file.read_text().split()[0]) for file in folder.rglob("postmaster.pid")]
    return psutil.Process(number)


def seconds_of(process: psutil.Process) -> float:
    """Of the processor, by it and by its children, ended ones included."""
    used = process.cpu_times()
    ended = used.children_user + used.children_system
    return float(used.user + used.system + ended + sum(own_seconds(child) for child in process.children()))


def own_seconds(process: psutil.Process) -> float:
    try:
        used = process.cpu_times()
    except psutil.Error:  # it has ended meanwhile
        return 0.0
    return float(used.user + used.system)


def seconds_of_the_ended() -> float:
    """Of the processor, by all readers that have ended, however they did."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def seconds_of_a_start() -> float:
    before = seconds_of_the_ended()
    for _ in range(STARTS):
        start_reader().wait()
    return (seconds_of_the_ended() - before) / STARTS


def decode_and_store_alone(asked: argparse.Namespace) -> dict[str, float]:
    """Seconds a photo, by the wall and of the processor, without network and posts."""
    from dressportal.demo.fake_graph import simple_picture
    from verify.intake.photos import store
    from verify.models import Photo

    pictures = [simple_picture(-number - 1, tuple(asked.size)) for number in range(SAMPLE)]
    store(pictures[0])
    decoders = decoders_of(psutil.Process())
    wall, cpu, decoding = time.perf_counter(), time.process_time(), sum(map(own_seconds, decoders))
    for picture in pictures[1:]:
        store(picture)
    took = {
        "wall": time.perf_counter() - wall,
        "cpu": time.process_time() - cpu,
        "decoding": sum(map(own_seconds, decoders)) - decoding,
    }
    Photo.objects.all().delete()
    return {name: seconds / (SAMPLE - 1) for name, seconds in took.items()}


def decoders_of(process: psutil.Process) -> list[psutil.Process]:
    try:
        return [child for child in process.children() if "verify.intake.decoding" in child.cmdline()]
    except psutil.Error:
        return []


def read_and_kill(asked: argparse.Namespace) -> dict[str, Any]:
    """Kills the reader when so many posts are stored, and a moment of chance later."""
    chance = random.Random(asked.seed)
    kills = sorted(chance.sample(range(asked.posts), asked.kills))
    watch, starts = Watch(asked.posts), 0
    before = seconds_of_the_ended()
    while True:
        reader, starts = start_reader(), starts + 1
        while reader.poll() is None:
            time.sleep(0.25)
            stored = watch.look(reader)
            if kills and stored >= kills[0]:
                time.sleep(chance.random())
                reader.kill()
                reader.wait()
                kills.pop(0)
                watch.tell(f"killed, {asked.kills - len(kills)} of {asked.kills}")
        if is_done():
            break
    return {
        **{"posts": asked.posts, "kills": asked.kills - len(kills), "starts": starts},
        **{"seconds": round(watch.seconds(), 1), "cpu": seconds_of_the_ended() - before},
        **{"decoding": sum(watch.decoding.values()), **flat(watch.memory)},
    }


class Watch:
    """What is seen of a reader while it reads, and told."""

    def __init__(self, posts: int) -> None:
        self.posts, self.begun = posts, time.perf_counter()
        self.told_at = 0
        self.memory: list[tuple[int, float]] = []  # posts stored, MB
        self.decoding: dict[int, float] = {}  # processor seconds of each decoder, by its number

    def seconds(self) -> float:
        return time.perf_counter() - self.begun

    def look(self, reader: subprocess.Popen[bytes]) -> int:
        """Returns how many posts are stored."""
        from verify.models import Post

        stored = Post.objects.count()
        try:
            process = psutil.Process(reader.pid)
            self.memory.append((stored, process.memory_info().rss / MEGABYTE))
        except psutil.Error:  # it has just ended
            return stored
        for decoder in decoders_of(process):
            self.decoding[decoder.pid] = max(self.decoding.get(decoder.pid, 0.0), own_seconds(decoder))
        if stored - self.told_at >= self.posts / LINES:
            self.told_at = stored
            left = self.seconds() / stored * max(0, self.posts * 1.05 - stored)
            self.tell(f"{stored / self.seconds():.1f} a second, about {left / 60:.0f} minutes more")
        return stored

    def tell(self, line: str) -> None:
        from verify.models import Post

        minutes = self.seconds() / 60
        print(f"{minutes:6.1f} min {Post.objects.count():8,} posts  {line}", file=sys.stderr, flush=True)


def start_reader() -> subprocess.Popen[bytes]:
    command = [sys.executable, "manage.py", "read_sources"]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT)


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


def compared(
    figures: dict[str, Any], took: dict[str, float], start: float, alone: dict[str, float]
) -> dict[str, float]:
    """Milliseconds of the processor a photo, by who takes them, and how many times the limit that is."""
    from verify.models import Photo

    photos = Photo.objects.count()
    reading = max(0.0, figures["cpu"] - figures["starts"] * start)
    ours = (reading + figures["decoding"]) / photos / (alone["cpu"] + alone["decoding"])
    return {
        "per_second": round(photos / figures["seconds"], 1),
        "start_seconds": round(start, 2),
        "reading_ms": round(1000 * reading / photos, 1),
        "decoding_ms": round(1000 * figures["decoding"] / photos, 1),
        "postgres_ms": round(1000 * took["postgres"] / photos, 1),
        "fake_ms": round(1000 * took["fake"] / photos, 1),
        "alone_per_second": round(1 / alone["wall"], 1),
        "alone_storing_ms": round(1000 * alone["cpu"], 1),
        "alone_decoding_ms": round(1000 * alone["decoding"], 1),
        "times_the_limit": round(ours, 2),
    }


def tell(found: dict[str, Any]) -> None:
    print(f"{found['stored']:,} posts of {found['expected']:,} after {found['kills']} kills:")
    print(f"{found['missing']} missing, {found['doubled']} doubled; {found['refused']} refused")
    print(f"counted: {found['counted_new']:,} new, {found['counted_seen']:,} seen")
    print(f"{found['photos']:,} photos, {found['photos_doubled']} doubled, {found['photos_unused']} unused,")
    print(f"{found['files_missing']} files missing, {found['files_left_over']} left over by kills")
    print(f"memory: {found['memory_mb']} MB at most ({found['first_quarter_mb']} in the first quarter,")
    print(f"{found['last_quarter_mb']} in the last)")
    print(f"{found['per_second']} photos/s by the wall, starts included; of the processor a photo")
    print(f"{found['reading_ms']} ms of the reader, {found['decoding_ms']} of decoders,")
    print(f"{found['postgres_ms']} of Postgres; {found['fake_ms']} of the fake Instagram, which is not ours;")
    print(f"each of {found['starts']} starts of a reader: {found['start_seconds']} s")
    print(f"decoding and storing alone: {found['alone_per_second']}/s by the wall,")
    print(f"{found['alone_storing_ms']} ms and {found['alone_decoding_ms']} of decoders;")
    print(f"reader and decoders take {found['times_the_limit']} times that")


if __name__ == "__main__":
    main()
