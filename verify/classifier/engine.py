"""The live model at work: photos from several callers at once, named together."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from logging import getLogger
from queue import Empty, Queue
from threading import Semaphore, Thread
from typing import Any, TypeVar

from django.conf import settings
from django.db import DatabaseError, close_old_connections, connections

from verify import suggest, versions
from verify.classifier.frames import MAX_K
from verify.dreaming import draw, shelf
from verify.dreaming.dream import Drawn, Dream
from verify.intake.copies import PhotoRefused
from verify.intake.decoder import small_copy
from verify.models import Calibration, Dress, ModelVersion
from verify.option_sets import Fit
from verify.versions import NotReady

PAUSE = 0.005  # seconds that a batch waits for company

Answer = dict[str, Any]
T = TypeVar("T")
logger = getLogger(__name__)


@dataclass
class Order:
    """A caller's photos, as the copies that suggestions are made of."""

    copies: list[bytes]
    expires: float  # by time.monotonic(): then nobody waits for it any more
    answers: Future[tuple[str, list[Answer]]] = field(default_factory=Future)


class Engine:
    """One thread loads and computes; callers' threads decode, as many at once as there are cores.

    Another thread dreams, one caller's dreams after another's, so that none is drawn twice at once.
    ``busy_since`` and ``drawing_since`` (by time.monotonic(), 0 while idle) tell whoever watches that a batch
    never ends.
    """

    def __init__(self) -> None:
        self.version = ""
        self._model: versions.DeepDress | None = None
        self.busy_since = self.drawing_since = 0.0
        self._drawer = ThreadPoolExecutor(1, "dreamer")
        self._orders: Queue[Order | None] = Queue()
        self._decoding = Semaphore(os.cpu_count() or 1)
        self._thread = Thread(target=self._run, name="engine", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._orders.put(None)
        self._thread.join()
        self._drawer.submit(connections.close_all)  # that thread's
        self._drawer.shutdown()

    def load(self) -> None:
        """Ahead of the first caller."""
        self._orders.put(Order([], time.monotonic() + 600))

    def wake(self) -> None:
        """Dream once ahead of the first caller, if there is anything to dream with."""
        if shelf.version():
            self._drawer.submit(self._watched, draw.wake)

    def classify(self, photos: Sequence[bytes], k: int, seconds: float) -> tuple[str, list[Answer]]:
        """The model's version, and an answer for each photo in its order. Raises NotReady, TimeoutError."""
        expires = time.monotonic() + seconds
        answers: list[Answer | None] = [None] * len(photos)
        order = Order([], expires)
        for place, photo in enumerate(photos):
            try:
                with self._a_core(expires):
                    order.copies.append(small_copy(photo))
            except PhotoRefused as refused:
                answers[place] = {"error": str(refused)}
        self._orders.put(order)
        version, found = order.answers.result(timeout=max(0, expires - time.monotonic()))
        for answer in found:
            answers[answers.index(None)] = {**answer, "candidates": answer["candidates"][:k]}
        return version, [answer for answer in answers if answer is not None]

    def dream(self, dreams: Sequence[Dream], seconds: float) -> list[Drawn]:
        """Raises NotReady, TimeoutError."""
        expires = time.monotonic() + seconds
        return self._drawer.submit(self._draw, dreams, expires).result(timeout=seconds)

    def _draw(self, dreams: Sequence[Dream], expires: float) -> list[Drawn]:
        """For nobody who has gone."""
        if time.monotonic() >= expires:
            raise TimeoutError
        return self._watched(partial(draw.draw, dreams))

    def _watched(self, work: Callable[[], T]) -> T:
        """On the dreaming thread."""
        self.drawing_since = time.monotonic()
        try:
            close_old_connections()
            return work()
        except Exception as error:
            if not isinstance(error, NotReady):
                logger.exception("dreaming failed")
            raise _reason(error) from error
        finally:
            self.drawing_since = 0.0

    @contextmanager
    def _a_core(self, expires: float) -> Iterator[None]:
        """To decode on; for nobody who has gone. Raises TimeoutError."""
        left = expires - time.monotonic()
        if left <= 0 or not self._decoding.acquire(timeout=left):
            raise TimeoutError
        try:
            yield
        finally:
            self._decoding.release()

    # The computing thread

    def _run(self) -> None:
        while orders := self._next():
            self.busy_since = time.monotonic()
            self._answer([order for order in orders if order.expires > self.busy_since])
            self.busy_since = 0.0
        connections.close_all()  # this thread's

    def _next(self) -> list[Order]:
        """As many orders as make a batch; none when it is time to stop."""
        if (first := self._orders.get()) is None:
            return []
        orders, deadline = [first], time.monotonic() + PAUSE
        while sum(len(order.copies) for order in orders) < settings.SUGGEST_BATCH:
            try:
                order = self._orders.get(timeout=max(0, deadline - time.monotonic()))
            except Empty:
                break
            if order is None:
                self._orders.put(None)  # for the next call
                break
            orders.append(order)
        return orders

    def _answer(self, orders: list[Order]) -> None:
        try:
            close_old_connections()
            named = iter(self._name([copy for order in orders for copy in order.copies]))
            for order in orders:
                order.answers.set_result((self.version, [next(named) for _ in order.copies]))
        except Exception as error:
            if not isinstance(error, NotReady):
                logger.exception("a batch of %s orders failed", len(orders))
            for order in orders:
                if not order.answers.done():
                    order.answers.set_exception(_reason(error))

    def _name(self, copies: list[bytes]) -> list[Answer]:
        model, index, fit = self._live()
        photos = model.name(copies, index, MAX_K, fit)
        known = {each.dress for photo in photos for each in photo.candidates}
        dresses = {pk: (sku, title) for pk, sku, title in _dresses(known)}
        return [
            {
                "not_a_dress": photo.not_a_dress,
                "candidates": [
                    (*dresses[each.dress], each.probability)
                    for each in photo.candidates
                    if each.dress in dresses
                ],
            }
            for photo in photos
        ]

    def _live(self) -> tuple[versions.DeepDress, suggest.CatalogueIndex | suggest.GraphIndex, Fit]:
        """The live model, the catalogue as it sees it, and its calibration, as of suggestions.

        New weights count once they are the live ones.
        """
        live = ModelVersion.objects.live()
        if live is None:
            raise NotReady("DeepDress has not been started yet.")
        if self._model is None or self._model.version != live.digest:
            model = versions.model_of(live if live.folder else None)
            if model.version != live.digest:
                raise versions.held_back(model.version)
            self._model, self.version = model, model.version
        index = suggest.catalogue_index(live)
        if not len(index):
            raise NotReady("No dress in stock has a photo that DeepDress has seen yet.")
        return self._model, index, Calibration.objects.of(live).fit


def _dresses(pks: set[int]) -> list[tuple[int, str, str]]:
    return list(Dress.objects.filter(pk__in=pks).values_list("pk", "sku", "title"))


def _reason(error: Exception) -> NotReady:
    if isinstance(error, NotReady):
        return error
    database = "The database does not answer." if isinstance(error, DatabaseError) else ""
    return NotReady(database or "The classifier has failed; its log says how.")
