"""What dresses are known by: catalogue photos and, where their weight says so, verified looks."""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from itertools import chain
from operator import or_
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from django.conf import settings
from django.db.models import Count, Exists, FloatField, Max, OuterRef, Q, QuerySet, Sum, Value

from verify.models import Dress, DressPhoto, Look, ModelVersion

Stamp = tuple[int | None, ...]


class Kind(NamedTuple):
    """Rows with a dress in stock and, behind `photo`, a photo that shows it."""

    rows: QuerySet[Any]
    photo: str
    weight: float

    def embedded(self, version: ModelVersion | None) -> QuerySet[Any]:
        return self.rows.filter(**{f"{self.photo}__embeddings__model_version": version.pk if version else 0})


class Prototypes(NamedTuple):
    vectors: npt.NDArray[np.float32]  # (n, dimensions), unit length, one row a photo
    dress_ids: npt.NDArray[np.int64]  # (n,) primary keys
    weights: npt.NDArray[np.float32]  # (n,) above 0, at most 1


def kinds() -> list[Kind]:
    in_stock = Dress.objects.in_stock()
    catalogue = Kind(DressPhoto.objects.filter(dress__in=in_stock), "photo", 1.0)
    looks = Kind(Look.objects.public().filter(dress__in=in_stock), "post__photo", settings.LOOK_WEIGHT)
    return [catalogue, looks] if settings.LOOK_WEIGHT else [catalogue]


def have(photo: str) -> Q:
    """Whether what a row's field `photo` leads to is one of them."""
    return reduce(or_, (Q(Exists(kind.rows.filter(**{kind.photo: OuterRef(photo)}))) for kind in kinds()))


def stamp(version: ModelVersion | None) -> Stamp:
    """Tells one state of the prototypes from the next."""
    found: list[int | None] = []
    for kind in kinds():
        newest = Max(f"{kind.photo}__embeddings__id")
        found += kind.embedded(version).aggregate(Count("pk"), Sum("pk"), Sum("dress"), newest).values()
    return tuple(found)


def counted(stamp: Stamp) -> int:
    return sum(count or 0 for count in stamp[::4])


def read(version: ModelVersion | None, dresses: Iterable[int] | None = None) -> Prototypes:
    """Of every dress in stock, or of some of them."""
    rows = list(chain.from_iterable(_read(kind, version, dresses) for kind in kinds()))
    vectors = [np.frombuffer(vector, "<f4") for vector, _, _ in rows]
    return Prototypes(
        np.stack(vectors) if vectors else np.empty((0, 0), np.float32),
        np.array([dress for _, dress, _ in rows], np.int64),
        np.array([weight for _, _, weight in rows], np.float32),
    )


def as_query() -> tuple[str, tuple[Any, ...]]:
    """SQL, with its parameters, of (photo, dress, weight) of every prototype of the dresses in stock."""
    first, *others = [
        kind.rows.order_by().values_list(kind.photo, "dress", Value(kind.weight, FloatField()))
        for kind in kinds()
    ]
    return first.union(*others, all=True).query.sql_with_params() if others else first.query.sql_with_params()


def _read(kind: Kind, version: ModelVersion | None, dresses: Iterable[int] | None) -> Iterable[Any]:
    rows = kind.embedded(version)
    rows = rows if dresses is None else rows.filter(dress__in=dresses)
    return rows.values_list(f"{kind.photo}__embeddings__vector", "dress", Value(kind.weight, FloatField()))
