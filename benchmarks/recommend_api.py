"""How long a recommendation takes to answer at 5,000 dresses, against the bar of 20 ms of server time.

The whole of a request as the web process works it off, statements to Postgres included; the network and the
web server in front are left out. Before that, what the nightly fit of the method takes.
Run: .venv/bin/python benchmarks/recommend_api.py [--method EASE]
"""

import argparse
import os
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from django.test import Client

BAR = 0.020  # seconds
DRESSES, SHOPPERS, EACH, DIMENSIONS, PHOTOS = 5_000, 5_000, 30, 512, 3
REQUESTS = 200
ROWS = 2_000  # a statement: Postgres takes 65,535 values


def catalogue(random: np.random.Generator) -> list[int]:
    from django.utils import timezone

    from verify.models import Dress, DressPhoto, Embedding, ModelVersion, Photo

    drawn = [Dress(sku=f"B-{n}", title=f"Dress {n}") for n in range(DRESSES)]
    dresses = Dress.objects.bulk_create(drawn, batch_size=ROWS)
    taken = [
        Photo(sha256=f"{n:064x}", width=900, height=1200, large=f"{n}.jpg", small=f"{n}s.jpg", token=f"t{n}")
        for n in range(DRESSES * PHOTOS)
    ]
    photos = Photo.objects.bulk_create(taken, batch_size=ROWS)
    shown = [
        DressPhoto(dress=dresses[n // PHOTOS], photo=photo, position=n % PHOTOS)
        for n, photo in enumerate(photos)
    ]
    DressPhoto.objects.bulk_create(shown, batch_size=ROWS)
    live = {"state": "live", "activated_at": timezone.now(), "temperature": 0.1}
    version = ModelVersion.objects.create(digest="f" * 64, **live)
    for part in np.array_split(np.arange(len(photos)), 15):
        vectors = random.normal(size=(len(part), DIMENSIONS)).astype("<f4")
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        Embedding.objects.bulk_create(
            Embedding(photo=photos[n], model_version=version, vector=vector.tobytes(), not_a_dress=0.0)
            for n, vector in zip(part, vectors, strict=True)
        )
    return [dress.pk for dress in dresses]


def crowd(random: np.random.Generator, dresses: list[int]) -> list[str]:
    """Each with a taste: some dresses near a place of their own, some popular ones."""
    from django.db import connection
    from django.utils import timezone

    from recommend.models import Interaction, ShopperKind, shopper_key
    from recommend.models.interaction import Told, event_key

    visitors, now = [f"visitor-{n:032d}" for n in range(SHOPPERS)], timezone.now()
    for part in np.array_split(np.arange(SHOPPERS), 50):
        rows = []
        for n in part:
            shopper = shopper_key(ShopperKind.VISITOR, visitors[n])
            near = (random.integers(DRESSES) + (random.normal(scale=15, size=EACH)).astype(int)) % DRESSES
            popular = (DRESSES * random.random(EACH) ** 3).astype(int)
            own = np.where(random.random(EACH) < 0.7, near, popular)
            for place, dress in enumerate(own):
                at = now - timedelta(days=float(random.uniform(0, 60)))
                event = event_key(shopper, str(place))
                kind = Interaction.Kind(int(random.integers(1, 5)))
                rows.append(Told(event, shopper, at, dresses[dress], None, None, kind, True))
        Interaction.objects.store(rows, now)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return visitors


def seconds(client: "Client", path: str) -> tuple[float, float]:
    """By the clock, and of this process's computing."""
    begin, computing = time.perf_counter(), time.process_time()
    answer: Any = client.get(path)
    took = time.perf_counter() - begin, time.process_time() - computing
    assert answer.status_code == 200, answer.content
    return took


def memory() -> float:
    """MB, at most until now."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def in_words(values: Sequence[float]) -> str:
    figures = {"fastest": min(values), "median": statistics.median(values)}
    figures["95 of 100"] = sorted(values)[-len(values) // 20]
    return ", ".join(f"{words} {1000 * s:.1f} ms ({s / BAR:.2f} of the bar)" for words, s in figures.items())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--method", default="HYBRID", help="as the setting has it (%(default)s)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="recommend-api-") as var:
        os.environ.update(DRESSPORTAL_VAR=var, DRESSPORTAL_FSYNC="off", DRESSPORTAL_API_RATE="100000/min")
        os.environ["DRESSPORTAL_POOL"] = "1"  # as in the web process: statements are prepared
        os.environ["DJANGO_SETTINGS_MODULE"] = "dressportal.settings"
        sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
        measure(arguments.method)


def measure(method: str) -> None:
    import django

    django.setup()  # not before DRESSPORTAL_VAR is known
    from django.core.management import call_command
    from django.db import connections
    from django.test import Client

    from recommend import nightly, versions

    random = np.random.default_rng(0)
    call_command("migrate", verbosity=0)
    dresses = catalogue(random)
    visitors = crowd(random, dresses)
    print(f"{DRESSES:,} dresses of {PHOTOS} photos, {SHOPPERS:,} shoppers, {SHOPPERS * EACH:,} events")
    before, begin, cpu = memory(), time.perf_counter(), time.process_time()
    version = nightly.fit(method, lambda line: None)
    took = time.perf_counter() - begin, time.process_time() - cpu
    told = f"{took[0]:.1f} s, {took[1]:.1f} s of computing"
    print(f"{version.method}: fitted twice, judged and published in {told},")
    print(f"with {memory():,.0f} MB at most, {before:,.0f} MB of which had been needed before")
    print(version.reason)
    if version.state != version.State.LIVE:
        versions.publish(version, "To be measured.")
    client, paths = Client(), {"8 dresses": "", "24 dresses": "&limit=24"}
    begin = time.perf_counter()
    client.get(f"/api/v1/recommendations/?visitor={visitors[0]}")
    print(f"the first request of a process: {1000 * (time.perf_counter() - begin):.0f} ms")
    for name, query in paths.items():
        found = [
            seconds(client, f"/api/v1/recommendations/?visitor={visitors[n % SHOPPERS]}{query}")
            for n in range(REQUESTS)
        ]
        clock, computing = zip(*found, strict=True)
        print(f"{name}: {in_words(clock)}; of which this process computes {in_words(computing)}")
    print(f"Load of the machine's {os.cpu_count()} cores meanwhile: {os.getloadavg()[0]:.1f}")
    connections.close_all()


if __name__ == "__main__":
    main()
