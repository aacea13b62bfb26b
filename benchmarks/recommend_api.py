"""How long a recommendation takes to answer at 5,000 dresses, against the bar of 20 ms of server time.

The whole of a request as the web process works it off, statements to Postgres included; the network and the
web server in front are left out. Run: .venv/bin/python benchmarks/recommend_api.py
"""

import os
import statistics
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dressportal.settings")
os.environ["DRESSPORTAL_VAR"] = tempfile.mkdtemp(prefix="recommend-api-")
os.environ["DRESSPORTAL_FSYNC"] = "off"

import django

django.setup()

import numpy as np
from django.core.management import call_command
from django.db import connection, connections
from django.test import Client
from django.utils import timezone

from recommend import nightly
from recommend.models import Interaction, ShopperKind, shopper_key
from recommend.models.interaction import Told, event_key
from verify.models import Dress, DressPhoto, Embedding, ModelVersion, Photo

BAR = 0.020  # seconds
DRESSES, SHOPPERS, EACH, DIMENSIONS, PHOTOS = 5_000, 5_000, 30, 512, 3
REQUESTS = 200


def catalogue(random: np.random.Generator) -> list[int]:
    dresses = Dress.objects.bulk_create(Dress(sku=f"B-{n}", title=f"Dress {n}") for n in range(DRESSES))
    photos = Photo.objects.bulk_create(
        Photo(sha256=f"{n:064x}", width=900, height=1200, large=f"{n}.jpg", small=f"{n}s.jpg", token=f"t{n}")
        for n in range(DRESSES * PHOTOS)
    )
    DressPhoto.objects.bulk_create(
        DressPhoto(dress=dresses[n // PHOTOS], photo=photo, position=n % PHOTOS)
        for n, photo in enumerate(photos)
    )
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
    """Each with a taste: some dresses near a place of their own in the catalogue, more of the popular ones."""
    visitors, now = [f"visitor-{n:032d}" for n in range(SHOPPERS)], timezone.now()
    for part in np.array_split(np.arange(SHOPPERS), 50):
        rows = []
        for n in part:
            shopper = shopper_key(ShopperKind.VISITOR, visitors[n])
            near = (random.integers(DRESSES) + (random.normal(scale=100, size=EACH)).astype(int)) % DRESSES
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


def seconds(client: Client, path: str) -> float:
    begin = time.perf_counter()
    answer = client.get(path)
    took = time.perf_counter() - begin
    assert answer.status_code == 200, answer.content
    return took


def main() -> None:
    random = np.random.default_rng(0)
    call_command("migrate", verbosity=0)
    dresses = catalogue(random)
    visitors = crowd(random, dresses)
    print(f"{DRESSES:,} dresses of {PHOTOS} photos, {SHOPPERS:,} shoppers, {SHOPPERS * EACH:,} events")
    begin = time.perf_counter()
    version = nightly.fit(sys.argv[1] if len(sys.argv) > 1 else "EASE", lambda line: None)
    print(f"{version.method}: fitted, judged and published in {time.perf_counter() - begin:.1f} s")
    print(version.reason)
    client, paths = Client(), {"8 dresses": "", "24 dresses": "&limit=24"}
    begin = time.perf_counter()
    client.get(f"/api/v1/recommendations/?visitor={visitors[0]}")
    print(f"the first request of a process: {1000 * (time.perf_counter() - begin):.0f} ms")
    for name, query in paths.items():
        took = sorted(
            seconds(client, f"/api/v1/recommendations/?visitor={visitors[n % SHOPPERS]}{query}")
            for n in range(REQUESTS)
        )
        half, most = statistics.median(took), took[int(0.95 * REQUESTS)]
        print(
            f"{name}: {1000 * half:.1f} ms (median), {1000 * most:.1f} ms (95 of 100); of the bar of "
            f"{1000 * BAR:.0f} ms: {half / BAR:.2f} and {most / BAR:.2f}"
        )
    connections.close_all()


if __name__ == "__main__":
    main()
