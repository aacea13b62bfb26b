"""Photos -> Embeddings: what a version of DeepDress makes of photos, kept once for each of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, NamedTuple

from verify import looking
from verify.looking import InHand
from verify.models import Embedding, Photo

if TYPE_CHECKING:
    from verify.versions import Loaded

Progress = Callable[[int], object]


class Seen(NamedTuple):
    """What became of photos, by their primary keys."""

    embeddings: dict[int, Embedding]
    troubles: dict[int, str]


def look_at(photos: Iterable[Photo], loaded: Loaded) -> Seen:
    """Embed photos that are not in hand yet."""
    with looking.opened() as eyes:
        return see(looking.begun(photos, loaded, eyes))


def see(photos: InHand) -> Seen:
    """Embed photos, each once for a version of the model, and keep what came of it."""
    parts = [part.result() for part in photos.looked]
    made = [
        Embedding(
            photo_id=pk, model_version=photos.loaded.version, vector=of.vector, not_a_dress=of.not_a_dress
        )
        for part in parts
        for pk, of in part.vectors.items()
    ]
    Embedding.objects.bulk_create(made, ignore_conflicts=True)  # another worker may have been faster
    troubles = {pk: trouble for part in parts for pk, trouble in part.troubles.items()}
    return Seen(photos.embeddings | {row.photo_id: row for row in made}, troubles)
