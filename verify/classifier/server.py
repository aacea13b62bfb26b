"""The classifier's side of the socket: one thread a caller, one engine for all."""

import os
import socket
import socketserver
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from logging import getLogger
from pathlib import Path
from threading import Thread
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection
from django.utils import timezone

from verify import versions
from verify.classifier.engine import Engine
from verify.classifier.frames import MAX_K, Garbled, Line
from verify.dreaming.dream import MOST, dream_of
from verify.models import ApiKey, Heartbeat

NAME = "classifier"
BEAT_EVERY = 60.0  # seconds
STUCK = 120.0  # seconds that a batch may take, a model's loading included

logger = getLogger(__name__)


class CannotListen(Exception):
    """The message says why nobody can call at this socket."""


class Conversation(socketserver.BaseRequestHandler):
    """One caller with one request."""

    server: "Listener"

    def handle(self) -> None:
        # Later than the caller's own, who should not take being late for being gone.
        line = Line(self.request, settings.CLASSIFIER_TIMEOUT.total_seconds() + 2)
        with suppress(OSError, Garbled):  # who hangs up, or speaks something else, gets no answer
            header, photos = line.receive(settings.CLASSIFY_MAX_BYTES)
            if "dreams" in header:
                line.send(*self._dream(header["dreams"], line.left()))
            else:
                line.send(self._answer(photos, header.get("k"), line.left()))

    def _dream(self, told: object, seconds: float) -> tuple[dict[str, Any], list[bytes]]:
        """Blobs are each dream's picture and its vector."""
        if not (isinstance(told, list) and 1 <= len(told) <= MOST):
            raise Garbled(f"expected 1 to {MOST} dreams")
        try:
            dreams = [dream_of(each) for each in told]
            drawn = self.server.engine.dream(dreams, min(seconds, settings.DREAM_TIMEOUT.total_seconds() + 2))
        except ValueError as error:
            raise Garbled(str(error)) from error
        except versions.NotReady as reason:
            return {"unavailable": str(reason)}, []
        return {}, [part for each in drawn for part in each]

    def _answer(self, photos: list[bytes], k: object, seconds: float) -> dict[str, Any]:
        if not (type(k) is int and 1 <= k <= MAX_K):
            raise Garbled(f"k is {k!r}")
        try:
            version, answers = self.server.engine.classify(photos, k, seconds)
        except versions.NotReady as reason:
            return {"unavailable": str(reason)}
        return {"model_version": version, "photos": answers}


class Listener(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, path: Path, engine: Engine) -> None:
        self.engine = engine
        super().__init__(str(path), Conversation)

    def server_bind(self) -> None:
        before = os.umask(0o177)  # the socket is this user's alone from its first moment
        try:
            super().server_bind()
        finally:
            os.umask(before)

    def handle_error(self, request: Any, client_address: Any) -> None:
        logger.exception("a conversation failed")


@contextmanager
def listening(path: Path) -> Iterator[Engine]:
    """Answers at the socket until the end of the block. Raises CannotListen."""
    _make_way(path)
    engine = Engine()
    try:
        listener = Listener(path, engine)
    except OSError as error:  # its path is too long, or its folder somebody else's
        raise CannotListen(f"{path}: {error}. Set DRESSPORTAL_CLASSIFIER_SOCKET.") from error
    with listener:
        engine.start()
        Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()
        try:
            yield engine
        finally:
            listener.shutdown()
            path.unlink(missing_ok=True)
            engine.stop()


def run(path: Path) -> str:
    """Until whoever started this process is gone, or a batch never ends: returns the reason."""
    parent = os.getppid()
    with listening(path) as engine:
        engine.wake()
        beaten = 0.0
        while not (reason := _time_to_go(parent, engine)):
            if time.monotonic() - beaten > BEAT_EVERY:
                beaten = time.monotonic()
                _beat(engine.version)
                _load_if_anybody_may_ask(engine)
            time.sleep(0.5)
        if engine.busy_since or engine.drawing_since:
            os._exit(1)  # its thread cannot be stopped
        return reason


def _time_to_go(parent: int, engine: Engine) -> str:
    if os.getppid() != parent:
        return "Whoever started the classifier is gone."
    starts = [since for since in (engine.busy_since, engine.drawing_since) if since]
    return "A batch does not end." if starts and time.monotonic() - min(starts) > STUCK else ""


def _load_if_anybody_may_ask(engine: Engine) -> None:
    """A portal without keys need not keep a model in memory twice; with the first key it is loaded."""
    try:
        if (
            not engine.version
            and ApiKey.objects.usable(timezone.now())
            .filter(scopes__contains=[ApiKey.Scope.CLASSIFY])
            .exists()
        ):
            engine.load()
    except DatabaseError:
        connection.close()


def _beat(version: str) -> None:
    try:
        Heartbeat.beat(NAME, version)
    except DatabaseError:
        connection.close()


def _make_way(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.is_socket():
        if path.exists():
            raise CannotListen(f"{path}: there is a file. Set DRESSPORTAL_CLASSIFIER_SOCKET.")
        return
    with socket.socket(socket.AF_UNIX) as probe, suppress(ConnectionRefusedError):
        probe.connect(str(path))
        raise CannotListen(f"{path}: another classifier listens there.")
    path.unlink()  # left behind by a killed one
