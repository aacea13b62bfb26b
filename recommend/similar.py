"""Dresses that look alike, by the embeddings of their catalogue photos."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from verify import suggest
from verify.models import Dress, Embedding, ModelVersion


class Similar(NamedTuple):
    dress_id: int
    similarity: float  # cosine, -1..1


def similar_dresses(dress: Dress, count: int) -> list[Similar]:
    """The `count` dresses in stock that look most like it, most similar first, itself left out.

    Each photo of the dress finds the photo of the other that is most like it, front to front and back to
    back; the similarity of two dresses is the mean over the photos. Empty where nothing is known yet: no
    live model, or none of the dress's photos embedded.
    """
    live = ModelVersion.objects.live()  # once: another may go live between the two
    queries, index = _vectors_of(dress, live), suggest.catalogue_index(live)
    if not len(queries) or not len(index):
        return []
    found = zip(*index.nearest_to_all(queries, count + 1), strict=True)
    others = [Similar(int(other), float(similarity)) for other, similarity in found if other != dress.pk]
    return others[:count]


def _vectors_of(dress: Dress, version: ModelVersion | None) -> npt.NDArray[np.float32]:
    """(photos, dimensions) by this version; (0, 0) where there is none."""
    rows = Embedding.objects.filter(model_version=version, photo__dress_photos__dress=dress).values_list(
        "vector", flat=True
    )
    vectors = [np.frombuffer(row, "<f4") for row in rows]
    return np.stack(vectors) if vectors else np.empty((0, 0), np.float32)
