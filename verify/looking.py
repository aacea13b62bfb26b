"""Photos -> vectors, out of the database's way: threads decode, others have the network look.

A JPEG's decoder, the resampling and the network hold no lock of Python's, so that they really work beside
each other, and beside the thread that stores what came of the batch before. On a CPU each core looks at a
part of a batch: threads that share a part wait for each other, and stand still where one of them has to wait
for the web. A GPU has a batch whole.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, NamedTuple

from verify.models import Embedding, Photo
from verify.versions import Loaded

if TYPE_CHECKING:
    from ml.deepdress import DeepDress
    from ml.photos import Pixels

logger = logging.getLogger(__name__)


class Eyes(NamedTuple):
    decoders: ThreadPoolExecutor
    network: ThreadPoolExecutor
    cores: int


class Vector(NamedTuple):
    """What the model makes of one photo, as `Embedding` stores it."""

    vector: bytes
    not_a_dress: float


class Looked(NamedTuple):
    """Vectors, and the reasons why there are none, by the photo's primary key."""

    vectors: dict[int, Vector]
    troubles: dict[int, str]


class InHand(NamedTuple):
    """Photos for one version to look at: what it knows of them, and what it is about to see."""

    loaded: Loaded
    embeddings: dict[int, Embedding]  # by the photo's primary key
    looked: list[Future[Looked]]  # in parts


_waited_for = ContextVar("_waited_for", default=False)


@contextmanager
def waited_for() -> Iterator[None]:
    """Somebody waits for what is looked at in here: it takes its share of a busy machine."""
    token = _waited_for.set(True)
    try:
        yield
    finally:
        _waited_for.reset(token)


@contextmanager
def opened() -> Iterator[Eyes]:
    """A thread of each kind for every core: one of them waits for the other."""
    behind_others = not _waited_for.get()
    cores = max(1, min(os.cpu_count() or 1, 8))
    with (
        ThreadPoolExecutor(cores, "decoder", _begin, (behind_others,)) as decoders,
        ThreadPoolExecutor(cores, "network", _begin_alone, (behind_others,)) as network,
    ):
        yield Eyes(decoders, network, cores)


def _begin(behind_others: bool) -> None:
    """Behind others this thread takes what is left: people wait for their next card, posts for nobody."""
    if behind_others and hasattr(os, "SCHED_IDLE"):  # Linux, where a thread has a class of its own
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))


def _begin_alone(behind_others: bool) -> None:
    import torch

    torch.set_num_threads(1)
    _begin(behind_others)


def begun(photos: Iterable[Photo], loaded: Loaded, eyes: Eyes) -> InHand:
    """Photos, each once, with the look at those that are new to the version under way."""
    by_key = {photo.pk: photo for photo in photos}
    known = Embedding.objects.filter(photo__in=by_key, model_version=loaded.version)
    embeddings = {row.photo_id: row for row in known}
    new = [photo for pk, photo in by_key.items() if pk not in embeddings]
    return InHand(
        loaded, embeddings, [_begun(part, loaded.model, eyes) for part in _parts(new, loaded, eyes)]
    )


def _parts(photos: list[Photo], loaded: Loaded, eyes: Eyes) -> list[list[Photo]]:
    count = eyes.cores if loaded.model.device.type == "cpu" else 1
    return [part for number in range(count) if (part := photos[number::count])]


def _begun(photos: list[Photo], model: DeepDress, eyes: Eyes) -> Future[Looked]:
    side = model.config.input_size
    decoding = {photo.pk: eyes.decoders.submit(_square, photo, side) for photo in photos}
    return eyes.network.submit(_look, decoding, model)


def _look(decoding: Mapping[int, Future[Pixels]], model: DeepDress) -> Looked:
    pictures, unreadable = _decoded(decoding)
    found, too_large = _embedded(pictures, model)
    return Looked(found, unreadable | too_large)


def _decoded(decoding: Mapping[int, Future[Pixels]]) -> tuple[dict[int, Pixels], dict[int, str]]:
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


def _embedded(pictures: dict[int, Pixels], model: DeepDress) -> Looked:
    from ml.deepdress import OutOfMemory

    try:
        return Looked(_vectors(pictures, model), {})
    except OutOfMemory:
        found: dict[int, Vector] = {}
        troubles = {}
    for pk, picture in pictures.items():
        try:
            found |= _vectors({pk: picture}, model)
        except OutOfMemory as error:
            troubles[pk] = f"{error}"[:300]
    return Looked(found, troubles)


def _vectors(pictures: dict[int, Pixels], model: DeepDress) -> dict[int, Vector]:
    found = model.embed(list(pictures.values()))
    rows = zip(found.vectors.astype("<f4"), found.not_a_dress.tolist(), strict=True)
    return {pk: Vector(vector.tobytes(), none) for pk, (vector, none) in zip(pictures, rows, strict=True)}
