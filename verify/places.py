"""Few requests at once where each takes long, so that a web process's other threads go on serving pages."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore


@contextmanager
def a_place(places: BoundedSemaphore, none_left: Exception, patience: float = 0.0) -> Iterator[None]:
    """One of the places, for the block. Raises ``none_left`` where none is free within so many seconds."""
    if not places.acquire(timeout=patience):
        raise none_left
    try:
        yield
    finally:
        places.release()
