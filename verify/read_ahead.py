"""Photos on their way to DeepDress: the next batch is decoded while the network looks at this one.

A JPEG's decoder and the resampling hold no lock of Python's, so that threads really decode side by side. A
batch is whatever waits, up to `SUGGEST_BATCH`: nobody waits for it to fill, and while one is worked off the
next one gathers by itself.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from verify.models import DressPhoto, Embedding, ModelVersion, Photo, Post
from verify.versions import Loaded, NotReady

if TYPE_CHECKING:
    from ml.photos import Pixels

Row = TypeVar("Row", DressPhoto, Post)
Take = Callable[[ModelVersion, bool], list[Row]]

logger = logging.getLogger(__name__)


class InHand(NamedTuple):
    """Photos for one version to look at: what it knows of them, and those that are being decoded for it."""

    loaded: Loaded
    embeddings: dict[int, Embedding]  # by the photo's primary key
    decoding: dict[int, Future[Pixels]]


class Batch(NamedTuple, Generic[Row]):
    """Rows that were taken up together; whoever goes live meanwhile, one version sees them through."""

    rows: list[Row]
    photos: InHand


def read_ahead(
    take: Take[Row], current: Callable[[], Loaded], limit: int | None = None
) -> Iterator[Batch[Row]]:
    """Batches from `take`, until it has none or about `limit` rows are taken.

    `current` says for each batch which version is to look at it; `take(version, fresh_only)` counts a row's
    attempt and returns it as it was before. A row that was tried before may be what ended the process: it is
    in hand alone. Raises NotReady, with nothing in hand.
    """
    taken = 0
    with ThreadPoolExecutor(decoders(), "decoder") as pool:

        def take_up(fresh_only: bool) -> Batch[Row] | None:
            nonlocal taken
            if limit is not None and taken >= limit:
                return None
            loaded = current()
            rows = take(loaded.version, fresh_only)
            taken += len(rows)
            return Batch(rows, begun([row.photo for row in rows], loaded, pool)) if rows else None

        def ahead_of(batch: Batch[Row]) -> Batch[Row] | None:
            if any(row.attempts for row in batch.rows):
                return None
            try:
                return take_up(fresh_only=True)
            except NotReady:  # said again once the batch in hand is worked off
                return None

        batch = take_up(fresh_only=False)
        while batch:
            ahead = ahead_of(batch)
            yield batch
            batch = ahead or take_up(fresh_only=False)


def decoders() -> int:
    """Threads: one a core, for the network's own thread waits while there is nothing decoded."""
    return max(1, min(os.cpu_count() or 1, 8))


def begun(photos: Iterable[Photo], loaded: Loaded, pool: ThreadPoolExecutor) -> InHand:
    """Photos, each once, with the decoding of those that are new to the version under way."""
    by_key = {photo.pk: photo for photo in photos}
    known = Embedding.objects.filter(photo__in=by_key, model_version=loaded.version)
    embeddings = {row.photo_id: row for row in known}
    side = loaded.model.config.input_size
    new = {pk: pool.submit(_square, photo, side) for pk, photo in by_key.items() if pk not in embeddings}
    return InHand(loaded, embeddings, new)


def decoded(decoding: Mapping[int, Future[Pixels]]) -> tuple[dict[int, Pixels], dict[int, str]]:
    """Pictures, and the reasons why there are none, by the photo's primary key."""
    from ml.photos import UnreadablePhoto

    pictures, troubles = {}, {}
    for pk, picture in decoding.items():
        try:
            pictures[pk] = picture.result()
        except FileNotFoundError:
            troubles[pk] = "Its file is missing from the storage."
        except UnreadablePhoto as error:
            troubles[pk] = f"Its file cannot be read: {error}"[:300]
    for pk, trouble in troubles.items():
        logger.warning("photo %s: %s", pk, trouble)
    return pictures, troubles


def _square(photo: Photo, side: int) -> Pixels:
    from ml.photos import read_square

    with photo.small.open("rb") as file:
        return read_square(file.read(), side)
