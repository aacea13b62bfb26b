"""How the web process asks the classifier, which may be slow or gone."""

import socket
import time
from collections.abc import Sequence
from typing import Any

from django.conf import settings

from verify.classifier.frames import Garbled, Line
from verify.dreaming.dream import Drawn, Dream

DRAWN_BYTES = 500_000  # of a picture and its vector: far more than one of 128 pixels has
SOON = 5  # seconds; the supervisor starts again what has died
STARTING = 3.0  # seconds after a start until the classifier listens, within which dreams are waited for


class Unavailable(Exception):
    """Nothing now; the message says why, ``seconds`` when to ask again."""

    def __init__(self, message: str, seconds: int = SOON) -> None:
        super().__init__(message)
        self.seconds = seconds


class TooSlow(Unavailable):
    """Not within the time there is: work was done for the photos nevertheless."""


def classify(photos: Sequence[bytes], k: int) -> dict[str, Any]:
    """`model_version`, and for each of the `photos` its `candidates` and `not_a_dress`, or its `error`.

    Raises Unavailable.
    """
    return _ask({"k": k}, photos, settings.CLASSIFIER_TIMEOUT.total_seconds())[0]


def dream(dreams: Sequence[Dream]) -> list[Drawn]:
    """Each drawn and looked at, in its order. Raises Unavailable."""
    told, seconds = [each.told() for each in dreams], settings.DREAM_TIMEOUT.total_seconds()
    _, blobs = _ask({"dreams": told}, (), seconds, DRAWN_BYTES * len(dreams), STARTING)
    if len(blobs) != 2 * len(dreams):
        raise Unavailable("The classifier is of another version, and has to be started again.")
    return [Drawn(picture, vector) for picture, vector in zip(blobs[::2], blobs[1::2], strict=True)]


def _ask(
    header: dict[str, Any], blobs: Sequence[bytes], seconds: float, most: int = 0, patience: float = 0.0
) -> tuple[dict[str, Any], list[bytes]]:
    line = Line(socket.socket(socket.AF_UNIX), seconds)
    with line.socket:
        try:
            _reach(line, patience)
            line.send(header, blobs)
            answer, answered = line.receive(most)
        except TimeoutError as error:
            raise TooSlow("The classifier takes too long: it has too much to do, or just starts.") from error
        except (OSError, Garbled) as error:
            raise Unavailable("The classifier is not running, or has just ended.") from error
    if reason := answer.get("unavailable"):
        raise Unavailable(reason)
    return answer, answered


def _reach(line: Line, patience: float) -> None:
    """Raises OSError where nobody listens within `patience` seconds."""
    until = time.monotonic() + patience
    while True:
        try:
            return line.connect(str(settings.CLASSIFIER_SOCKET))
        except (FileNotFoundError, ConnectionRefusedError):
            if time.monotonic() >= until:
                raise
        time.sleep(min(0.1, patience))
