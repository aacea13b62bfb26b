"""Makers of test data: a dress, a post, a vote, with what a test does not care about filled in."""

import hashlib
import itertools
import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from django.conf import settings
from django.core.files.base import ContentFile
from django.utils import timezone
from PIL import Image

from recommend.models import DreamLike, Interaction, LikedDream, RecommenderVersion, Tally
from tests.recommend.shoppers import store, told
from verify.dreaming import shelf
from verify.dreaming.dream import Drawn, Dream
from verify.models import (
    ApiKey,
    Batch,
    Dress,
    DressPhoto,
    Embedding,
    Employee,
    Look,
    ModelVersion,
    Option,
    OptOut,
    Photo,
    Post,
    RightsTemplate,
    Suggestion,
    Team,
    Tombstone,
)

_serial = itertools.count(1)
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


def jpeg(width: int = 60, height: int = 80, colour: tuple[int, int, int] | None = None) -> bytes:
    """A small JPEG, of another colour at each call unless one is given."""
    number = next(_serial)
    colour = colour or (number * 53 % 256, number * 97 % 256, number * 193 % 256)
    buffer = BytesIO()
    Image.new("RGB", (width, height), colour).save(buffer, "JPEG")
    return buffer.getvalue()


def make_photo(data: bytes | None = None) -> Photo:
    data = data or jpeg() + str(next(_serial)).encode()
    photo = Photo(sha256=hashlib.sha256(data).hexdigest(), width=60, height=80)
    photo.large.save("large.jpg", ContentFile(data), save=False)
    photo.small.save("small.jpg", ContentFile(data), save=False)
    photo.save()
    return photo


def make_dress(sku: str | None = None, photos: int = 1, **fields: Any) -> Dress:
    number = next(_serial)
    values = {"title": f"Dress {number}", "designer": "Maison Test", "category": "gown", **fields}
    dress = Dress.objects.create(sku=sku or f"SKU-{number}", **values)
    for position in range(photos):
        DressPhoto.objects.create(dress=dress, photo=make_photo(), position=position)
    return dress


def make_employee(username: str = "", team: str = "Blue", **fields: Any) -> Employee:
    username = username or f"employee{next(_serial)}"
    values = {"display_name": username.title(), **fields}
    employee = Employee(username=username, team=Team.objects.get_or_create(name=team)[0], **values)
    employee.set_password("a-long-passphrase")
    employee.save()
    return employee


def make_admin(username: str = "ada", **fields: Any) -> Employee:
    return make_employee(username, is_staff=True, is_superuser=True, **fields)


def make_api_key(name: str = "scanner", **fields: Any) -> tuple[ApiKey, str]:
    """A key and its whole text."""
    key = ApiKey(name=name, **{"scopes": ["classify"], **fields})
    text = key.draw_secret()
    key.save()
    return key, text


def make_model_version(digest: str = "f" * 64) -> ModelVersion:
    """The live one or, where another is live already, one that was."""
    state = "retired" if ModelVersion.objects.exclude(digest=digest).live() else "live"
    values = {"temperature": 0.1, "activated_at": timezone.now(), "state": state}
    return ModelVersion.objects.get_or_create(digest=digest, defaults=values)[0]


def embed(dress: Dress, vectors: npt.ArrayLike, version: ModelVersion | None = None) -> Dress:
    """One vector, brought to unit length, for each catalogue photo of the dress."""
    rows = np.asarray(vectors, np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    for dress_photo, row in zip(dress.photos.all(), rows, strict=True):
        Embedding.objects.create(
            photo=dress_photo.photo,
            model_version=version or make_model_version(),
            vector=row.astype("<f4").tobytes(),
            not_a_dress=0.0,
        )
    return dress


def make_recommender_version(state: str = "live", **fields: Any) -> RecommenderVersion:
    """With a folder that holds a report, and of its models only the place."""
    now, folder = timezone.now(), f"version-{next(_serial)}"
    (Path(settings.RECOMMENDERS_FOLDER) / folder / "served").mkdir(parents=True)
    (Path(settings.RECOMMENDERS_FOLDER) / folder / "report.html").write_text("<h1>Evaluated</h1>")
    counts = {"people": 200, "dresses": 50, "ratings": 1_000}
    values = {"method": "EASE:lambda=500", "fitted_at": now, "live_since": now, **counts, **fields}
    return RecommenderVersion.objects.create(state=state, folder=folder, **values)


def make_interaction(
    dress: Dress | None = None, who: str = "ann", kind: str = "view", **fields: Any
) -> Interaction:
    """A moment ago, unless told otherwise."""
    event = told(who, kind, dress or make_dress(), **{"at": timezone.now(), **fields})
    store(event)
    return Interaction.objects.get(event=event.event)


def make_tally(of: Dress, look: Look | None = None, **fields: Any) -> Tally:
    """Today's, of the dress or the look."""
    counts = {"views": 40, "opens": 8, "clicks": 3, "saves": 2, "rents": 1}
    return Tally.objects.create(
        **{"dress": of, "look": look, "day": timezone.localdate(), **counts, **fields}
    )


def make_dreams(dreams: Iterable[Dream | int], vector: tuple[float, ...] = (1, 0)) -> None:
    """Weights that dream, as far as a web process looks at them, and what they have drawn already.

    Each is another picture, and DeepDress sees the same in all of them.
    """
    Path(settings.DREAM_WEIGHTS).mkdir(parents=True, exist_ok=True)
    (Path(settings.DREAM_WEIGHTS) / "weights.safetensors").write_bytes(b"weights")
    live = ModelVersion.objects.live() or make_model_version()
    seen = np.array(vector, "<f4").tobytes()
    for each in dreams:
        dream = each if isinstance(each, Dream) else Dream(each)
        shelf.keep(dream, shelf.version(), live.digest, Drawn(webp(), seen))


def forget_tastes() -> None:
    """The weights of `make_dreams` say that they were trained without conditions."""
    told = {"generator": {"size": 64, "condition": "none"}}
    (Path(settings.DREAM_WEIGHTS) / "config.json").write_text(json.dumps(told))


def webp() -> bytes:
    number, buffer = next(_serial), BytesIO()
    Image.new("RGB", (64, 64), (number * 53 % 256, number * 97 % 256, number * 193 % 256)).save(
        buffer, "WEBP", lossless=True
    )
    return buffer.getvalue()


def make_liked_dream(seed: int = 17, **fields: Any) -> LikedDream:
    values = {"name": f"{seed:032x}", "version": "e" * 64, "picture": webp(), "created_at": NOON, **fields}
    dream = LikedDream.objects.create(seed=seed, **values)
    DreamLike.objects.create(dream=dream, created_at=NOON)
    return dream


def make_post(**fields: Any) -> Post:
    """A post that waits for a suggestion."""
    number = next(_serial)
    values: dict[str, Any] = {
        "external_id": str(17_900_000_000_000_000 + number),
        "permalink": f"https://www.instagram.com/p/T{number:05d}/",
        "posted_at": NOON - timedelta(minutes=number),
        **fields,
    }
    if "photo" not in values:
        values["photo"] = make_photo()
    return Post.objects.create(**values)


def make_suggestion(
    post: Post,
    dresses: list[Dress],
    probabilities: tuple[float, ...] = (0.3, 0.2, 0.15),
    not_a_dress: float = 0.2,
) -> Suggestion:
    suggestion = Suggestion.objects.create(
        post=post, model_version=make_model_version(), not_a_dress=not_a_dress
    )
    Option.objects.bulk_create(
        Option(suggestion=suggestion, dress=dress, rank=rank, probability=probability)
        for rank, (dress, probability) in enumerate(zip(dresses, probabilities, strict=False))
    )
    return suggestion


def make_batch(**fields: Any) -> Batch:
    return Batch.objects.create(**{"opened_at": timezone.now(), **fields})


def make_look(of: Dress, clearance: str = "cleared", **fields: Any) -> Look:
    """A public look of the dress, unless the post's fields or the clearance say otherwise."""
    settled = {
        "rights": "granted",
        "state": "settled",
        "answer": "dress",
        "dress": of,
        "confidence": 0.98,
        "settled_at": NOON,
        **fields,
    }
    return Look.objects.create(post=make_post(**settled), dress=of, published_at=NOON, clearance=clearance)


def make_open_posts(count: int, batch: Batch | None = None, dresses: list[Dress] | None = None) -> list[Post]:
    """Posts to vote on, newest first, with three options each; they share a photo."""
    dresses = dresses or [make_dress(photos=1) for _ in range(3)]
    photo = make_photo()
    posts = [make_post(photo=photo, batch=batch) for _ in range(count)]
    for post in posts:
        post.open_to_votes(make_suggestion(post, dresses))
    return posts


def make_template(hashtag: str = "#YesMaison", **fields: Any) -> RightsTemplate:
    """How to ask for rights."""
    text = "Hi {handle}, we love your photo! May we show it? Answer {hashtag} to say yes."
    values = {"name": f"Template {next(_serial)}", "text": text, **fields}
    return RightsTemplate.objects.create(hashtag=hashtag, **values)


def make_opt_out(**fields: Any) -> OptOut:
    return OptOut.objects.create(
        **{"handle": "nobody", "email": "nobody@x.example", "created_at": NOON, **fields}
    )


def make_tombstone(handle: str = "mallory") -> Tombstone:
    Tombstone.objects.block(handle, Tombstone.Reason.BLOCKED, NOON, label=handle)
    return Tombstone.objects.of_handle(handle)
