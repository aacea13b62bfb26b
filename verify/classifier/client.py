"""How the web process asks the classifier, which may be slow or gone."""

import socket
from collections.abc import Sequence
from typing import Any

from django.conf import settings

from verify.classifier.frames import Garbled, Line

SOON = 5  # seconds; the supervisor starts again what has died


class Unavailable(Exception):
    """No names now; the message says why, ``seconds`` when to ask again."""

    def __init__(self, message: str, seconds: int = SOON) -> None:
        super().__init__(message)
        self.seconds = seconds


class TooSlow(Unavailable):
    """Not within the time there is: work was done for the photos nevertheless."""


def classify(photos: Sequence[bytes], k: int) -> dict[str, Any]:
    """`model_version`, and for each of the `photos` its `candidates` and `not_a_dress`, or its `error`.

    Raises Unavailable.
    """
    line = Line(socket.socket(socket.AF_UNIX), settings.CLASSIFIER_TIMEOUT.total_seconds())
    with line.socket:
        try:
            line.connect(str(settings.CLASSIFIER_SOCKET))
            line.send({"k": k}, photos)
            answer, _ = line.receive()
        except TimeoutError as error:
            raise TooSlow("The classifier takes too long: it has too much to do, or just starts.") from error
        except (OSError, Garbled) as error:
            raise Unavailable("The classifier is not running, or has just ended.") from error
    if reason := answer.get("unavailable"):
        raise Unavailable(reason)
    return answer
