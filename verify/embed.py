"""Photos -> Embeddings: what a version of DeepDress makes of photos, kept once for each of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

from verify.models import Embedding, Photo
from verify.read_ahead import InHand, begun, decoded, decoders

if TYPE_CHECKING:
    from ml.deepdress import DeepDress
    from ml.photos import Pixels
    from verify.versions import Loaded

Progress = Callable[[int], object]


class Vector(NamedTuple):
    """What the model makes of one photo, as `Embedding` stores it."""

    vector: bytes
    not_a_dress: float


class Seen(NamedTuple):
    """What became of photos, by their primary keys."""

    embeddings: dict[int, Embedding]
    troubles: dict[int, str]


def look_at(photos: Iterable[Photo], loaded: Loaded) -> Seen:
    """Embed photos that are not in hand yet."""
    with ThreadPoolExecutor(decoders(), "decoder") as pool:
        return see(begun(photos, loaded, pool))


def see(photos: InHand) -> Seen:
    """Embed photos, each once for a version of the model, and keep what came of it."""
    pictures, unreadable = decoded(photos.decoding)
    found, too_large = _embed(pictures, photos.loaded.model)
    made = [
        Embedding(
            photo_id=pk, model_version=photos.loaded.version, vector=of.vector, not_a_dress=of.not_a_dress
        )
        for pk, of in found.items()
    ]
    Embedding.objects.bulk_create(made, ignore_conflicts=True)  # another worker may have been faster
    return Seen(photos.embeddings | {row.photo_id: row for row in made}, unreadable | too_large)


def _embed(pictures: dict[int, Pixels], model: DeepDress) -> tuple[dict[int, Vector], dict[int, str]]:
    """Vectors, and the reasons why there are none, by the photo's primary key."""
    from ml.deepdress import OutOfMemory

    try:
        return _vectors(pictures, model), {}
    except OutOfMemory:
        found: dict[int, Vector] = {}
        troubles = {}
    for pk, picture in pictures.items():
        try:
            found |= _vectors({pk: picture}, model)
        except OutOfMemory as error:
            troubles[pk] = f"{error}"[:300]
    return found, troubles


def _vectors(pictures: dict[int, Pixels], model: DeepDress) -> dict[int, Vector]:
    found = model.embed(list(pictures.values()))
    rows = zip(found.vectors.astype("<f4"), found.not_a_dress.tolist(), strict=True)
    return {pk: Vector(vector.tobytes(), none) for pk, (vector, none) in zip(pictures, rows, strict=True)}
