"""One at a time: a lock on a file, which ends with whoever holds it, however that ends."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Busy(Exception):
    """Somebody else is at it; the message says who."""


@contextmanager
def only_one(file: Path, otherwise: str) -> Iterator[None]:
    """Hold the lock on ``file``, made where it is missing. Raises Busy, which begins with ``otherwise``."""
    with file.open("a+") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            held.seek(0)
            raise Busy(f"{otherwise} (process {held.read().strip() or 'unknown'}): {file.parent}.") from error
        held.truncate(0)
        held.write(str(os.getpid()))
        held.flush()
        yield
