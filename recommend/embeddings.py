"""How DeepDress sees the dresses, as recommenders use it."""

from collections.abc import Sequence

import numpy as np

from recommend.alike import unit
from recommend.ratings import Floats
from verify.models import Embedding, ModelVersion


def looks_of(items: Sequence[str]) -> Floats:
    """(items, d) unit vectors by the live model, each the mean over a dress's catalogue photos.

    Zeros for a dress of which no photo is known, and (items, 0) without a live model.
    """
    version, rows = ModelVersion.objects.live(), {int(item): row for row, item in enumerate(items)}
    seen = Embedding.objects.filter(model_version=version, photo__dress_photos__dress__in=rows)
    sums = np.zeros((len(items), 0), np.float32)
    for dress, vector in seen.values_list("photo__dress_photos__dress", "vector").iterator():
        found = np.frombuffer(vector, "<f4")
        if not sums.shape[1]:
            sums = np.zeros((len(items), len(found)), np.float32)
        sums[rows[dress]] += found
    return unit(sums)
