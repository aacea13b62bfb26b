"""Few requests at once where each takes long, so that a web process's other threads go on serving pages."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore

from django.conf import settings

# One number for all: if each kind had its own, a classifier that hangs could take every thread by several.
_places = BoundedSemaphore(settings.SLOW_AT_ONCE)


@contextmanager
def a_place(none_left: Exception) -> Iterator[None]:
    """One of the places, for the block. Raises ``none_left`` at once where none is free."""
    if not _places.acquire(blocking=False):
        raise none_left
    try:
        yield
    finally:
        _places.release()
