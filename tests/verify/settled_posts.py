"""A past of settled posts as DeepDress sees them: vectors drawn around those of the catalogue."""

import hashlib
from datetime import timedelta
from typing import Any

import numpy as np
from django.utils import timezone

from tests import make
from verify import suggest
from verify.models import Dress, Embedding, ModelVersion, Option, Photo, Post, Suggestion

DIMENSIONS = 128


def unit(vectors: np.ndarray) -> np.ndarray:
    return (vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)).astype("<f4")


def see(version: ModelVersion, photos: list[Photo], vectors: np.ndarray, not_a_dress: np.ndarray) -> None:
    rows = zip(photos, vectors.astype("<f4"), not_a_dress.tolist(), strict=True)
    Embedding.objects.bulk_create(
        Embedding(photo=photo, model_version=version, vector=vector.tobytes(), not_a_dress=share)
        for photo, vector, share in rows
    )


def make_photos(count: int) -> list[Photo]:
    """Rows without files."""
    start = Photo.objects.count()
    shas = [hashlib.sha256(f"settled {start + number}".encode()).hexdigest() for number in range(count)]
    return Photo.objects.bulk_create(
        Photo(sha256=sha, width=60, height=80, small="none.jpg", large="none.jpg") for sha in shas
    )


def make_catalogue(version: ModelVersion, count: int, seed: int = 0) -> list[Dress]:
    dresses = [make.make_dress() for _ in range(count)]
    vectors = unit(np.random.default_rng(seed).normal(size=(count, DIMENSIONS)))
    see(version, [dress.photos.get().photo for dress in dresses], vectors, np.zeros(count))
    return dresses


def make_settled(version: ModelVersion, count: int, seed: int = 0, noise: float = 0.5, **fields: Any) -> None:
    """Posts of random dresses, a fifth without any; of the dresses that were not offered half are named."""
    rng, index = np.random.default_rng(seed), suggest.catalogue_index()
    catalogue, dress_ids = suggest.catalogue_vectors()
    truth, negative = rng.integers(len(dress_ids), size=count), rng.random(count) < 0.2
    vectors = rng.normal(scale=noise, size=(count, DIMENSIONS))
    vectors[~negative] += catalogue[truth[~negative]]
    vectors, not_a_dress = (
        unit(vectors),
        np.clip(np.where(negative, 0.7, 0.3) + rng.normal(0, 0.2, count), 0, 1),
    )
    photos = make_photos(count)
    see(version, photos, vectors, not_a_dress)
    offered = index.nearest(vectors, 3).dress_ids
    posts = Post.objects.bulk_create(_post(photo, number, fields) for number, photo in enumerate(photos))
    suggestions = Suggestion.objects.bulk_create(
        Suggestion(post=post, model_version=version, not_a_dress=0.2) for post in posts
    )
    options = []
    for number, (post, suggestion) in enumerate(zip(posts, suggestions, strict=True)):
        dress = int(dress_ids[truth[number]])
        dresses = offered[number].tolist()
        options += [
            Option(suggestion=suggestion, dress_id=pk, rank=rank, probability=0.2)
            for rank, pk in enumerate(dresses)
        ]
        post.suggestion = suggestion
        if negative[number]:
            post.answer = "not_a_dress"
        elif dress in dresses or rng.random() < 0.5:
            post.answer, post.dress_id = "dress", dress
            if dress not in dresses:
                options.append(
                    Option(suggestion=suggestion, dress_id=dress, rank=3, probability=0, named=True)
                )
        else:
            post.answer = "none_of_these"
    Option.objects.bulk_create(options)
    Post.objects.bulk_update(posts, ["suggestion", "answer", "dress"])


def _post(photo: Photo, number: int, fields: dict[str, Any]) -> Post:
    at = timezone.now() - timedelta(minutes=number)
    settled = {"state": "settled", "answer": "none_of_these", "settled_at": at, "posted_at": at}
    return Post(photo=photo, external_id=f"settled-{photo.pk}", **{**settled, **fields})
