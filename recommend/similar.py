"""Dresses alike: by the embeddings of their catalogue photos, or by who likes them."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from recommend import serving
from recommend.recommender import ModelRefused
from recommend.shelf import Shelved
from verify import suggest
from verify.models import Dress, Embedding, ModelVersion

Vectors = npt.NDArray[np.float32]


class Similar(NamedTuple):
    dress_id: int
    similarity: float  # by looks a cosine, -1..1; by likes whatever the serving method says


class Found(NamedTuple):
    by: str  # looks, likes
    fallback: str  # why not by what was asked for; empty where it is
    similar: list[Similar]


def similar(dresses: Sequence[Dress], count: int, by: str = "looks") -> list[Found]:
    """As `look_alike`, in as many statements as of one; by likes as far as those are known."""
    liked, fallback = _liked(dresses, count) if by == "likes" else ({}, "")
    others = [dress for dress in dresses if dress.pk not in liked]
    looks = dict(zip((dress.pk for dress in others), look_alike(others, count), strict=True))
    return [
        Found("likes", "", liked[dress.pk])
        if dress.pk in liked
        else Found("looks", fallback, looks[dress.pk])
        for dress in dresses
    ]


def look_alike(dresses: Sequence[Dress], count: int) -> list[list[Similar]]:
    """Of each, the `count` dresses in stock that look most like it, most similar first, itself left out.

    Each photo of the dress finds the photo of the other that is most like it, front to front and back to
    back; the similarity of two dresses is the mean over the photos. Empty where nothing is known yet: no
    live model, or none of the dress's photos embedded.
    """
    if not dresses:
        return []
    live = ModelVersion.objects.live()  # once: another may go live between the two
    queries, index = _vectors_of(dresses, live), suggest.catalogue_index(live)
    found = []
    for dress in dresses:
        known = dress.pk in queries and len(index)
        pairs = zip(*index.nearest_to_all(queries[dress.pk], count + 1), strict=True) if known else ()
        others = [Similar(int(other), float(value)) for other, value in pairs if other != dress.pk]
        found.append(others[:count])
    return found


def _vectors_of(dresses: Sequence[Dress], version: ModelVersion | None) -> dict[int, Vectors]:
    """(photos, dimensions) by this version, of each dress that has any."""
    rows = Embedding.objects.filter(model_version=version, photo__dress_photos__dress__in=dresses)
    found: dict[int, list[Vectors]] = {}
    for dress, vector in rows.values_list("photo__dress_photos__dress", "vector"):
        found.setdefault(dress, []).append(np.frombuffer(vector, "<f4"))
    return {dress: np.stack(vectors) for dress, vectors in found.items()}


def _liked(dresses: Sequence[Dress], count: int) -> tuple[dict[int, list[Similar]], str]:
    """In stock and liked by the same people, of each dress of which any are known; why not of the others."""
    try:
        live = serving.live()
    except ModelRefused:
        return {}, "model_unreadable"
    if live is None:
        return {}, "no_model"
    found = {dress.pk: list(_alike(live.shelved, dress)) for dress in dresses}
    there = serving.in_stock({other.dress_id for others in found.values() for other in others})
    left = {pk: [other for other in others if other.dress_id in there] for pk, others in found.items()}
    return {pk: others[:count] for pk, others in left.items() if others}, "nothing_known"


def _alike(shelved: Shelved, dress: Dress) -> Iterator[Similar]:
    if (column := shelved.columns.get(str(dress.pk))) is None:
        return
    for other, weight in zip(
        shelved.alike[column].tolist(), shelved.alike_weights[column].tolist(), strict=True
    ):
        if other >= 0:
            yield Similar(serving.dress_of(shelved, other), weight)
