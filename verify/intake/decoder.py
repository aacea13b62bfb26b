"""Photos of strangers decoded by processes that can do nothing else, and that may die of them.

A decoder is a program of its own (`verify.intake.decoding`), without our environment and its secrets. It can
open neither a file nor a connection, and has only so much memory. One that takes too long is killed, one that
died is replaced. What it says is read as plain values, never unpickled.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import BoundedSemaphore, Lock, Timer
from typing import IO, Any

from django.conf import settings

from verify.gates import Measures
from verify.intake.copies import Limits, PhotoRefused, Prepared

JPEG = b"\xff\xd8\xff"
TOO_MUCH = "the picture takes too long to decode, or more memory than a photo does"


class DecoderBroken(Exception):
    """No decoder can be started: the trouble is ours, not the photo's."""


class _Died(Exception):
    """Without an answer."""


def limits() -> Limits:
    return Limits(settings.PHOTO_MAX_BYTES, settings.PHOTO_MAX_PIXELS, settings.PHOTO_MIN_SIDE)


def prepare(data: bytes) -> Prepared:
    """As `copies.prepare`, in another process. Raises PhotoRefused."""
    told, (large, small) = _decoded("prepare", data)
    measures = Measures(**told["measures"])
    return Prepared(str(told["sha256"]), int(told["width"]), int(told["height"]), large, small, measures)


def small_copy(data: bytes) -> bytes:
    """As `copies.small_copy`, in another process. Raises PhotoRefused."""
    [small] = _decoded("small_copy", data)[1]
    return small


def measures(data: bytes) -> Measures:
    """As `copies.measures`, in another process. Raises PhotoRefused."""
    return Measures(**_decoded("measures", data)[0]["measures"])


def _decoded(what: str, data: bytes) -> tuple[dict[str, Any], list[bytes]]:
    if len(data) > settings.PHOTO_MAX_BYTES:  # not worth the way
        raise PhotoRefused(f"{len(data):,} bytes; the limit is {settings.PHOTO_MAX_BYTES:,}")
    order = {"what": what, "bytes": len(data), "limits": vars(limits())}
    try:
        told, parts = _pool.ask(order, data)
    except _Died:  # of this photo, or it had nothing to do for long: the next one tells
        told, parts = _again(order, data)
    if "refused" in told:
        raise PhotoRefused(" ".join(str(told["refused"]).split())[:200])
    return told, parts


def _again(order: dict[str, Any], data: bytes) -> tuple[dict[str, Any], list[bytes]]:
    try:
        return _pool.ask(order, data, fresh=True)
    except _Died as death:
        raise PhotoRefused(TOO_MUCH) from death


class _Decoder:
    """One process."""

    def __init__(self) -> None:
        memory, seconds = str(settings.DECODER_MEMORY), str(int(settings.DECODER_CPU.total_seconds()))
        self._process = subprocess.Popen(
            [sys.executable, "-m", "verify.intake.decoding", memory, seconds],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=settings.BASE_DIR,
            env={"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"},
        )
        if self._to_read.readline() != b"ready\n":
            self.close()
            raise DecoderBroken("No photo can be decoded: `python -m verify.intake.decoding` says why.")

    def ask(self, order: dict[str, Any], data: bytes) -> tuple[dict[str, Any], list[bytes]]:
        """What it says, and the JPEGs it made. Raises _Died."""
        deadline = Timer(settings.DECODER_TIMEOUT.total_seconds(), self._process.kill)
        deadline.start()
        try:
            self._to_write.write(json.dumps(order).encode() + b"\n" + data)
            self._to_write.flush()
            told = json.loads(self._to_read.readline(10_000))
            return told, [self._part(size) for size in told.get("parts", ())]
        except (OSError, ValueError, TypeError, AttributeError) as error:
            raise _Died from error
        finally:
            deadline.cancel()

    def _part(self, size: int) -> bytes:
        part = self._to_read.read(min(size, settings.PHOTO_MAX_BYTES))
        if len(part) != size or not part.startswith(JPEG):
            raise ValueError("no picture")
        return part

    @property
    def _to_read(self) -> IO[bytes]:
        return self._process.stdout  # type: ignore[return-value]

    @property
    def _to_write(self) -> IO[bytes]:
        return self._process.stdin  # type: ignore[return-value]

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        self._to_read.close()
        with suppress(OSError):  # what it had not read
            self._to_write.close()


class _Pool:
    """As many decoders as there are cores, started when they are needed."""

    def __init__(self) -> None:
        self._places = BoundedSemaphore(os.cpu_count() or 1)
        self._lock, self._idle = Lock(), list[_Decoder]()

    def ask(
        self, order: dict[str, Any], data: bytes, fresh: bool = False
    ) -> tuple[dict[str, Any], list[bytes]]:
        with self._places, self._a_decoder(fresh) as decoder:
            return decoder.ask(order, data)

    @contextmanager
    def _a_decoder(self, fresh: bool) -> Iterator[_Decoder]:
        with self._lock:
            decoder = self._idle.pop() if self._idle and not fresh else None
        decoder = decoder or _Decoder()
        try:
            yield decoder
        except BaseException:  # whatever it was, it may be in the middle of an answer
            decoder.close()
            raise
        with self._lock:
            self._idle.append(decoder)

    def forget(self) -> None:
        """After a fork: the decoders are the parent's."""
        self.__init__()  # type: ignore[misc]


_pool = _Pool()
os.register_at_fork(after_in_child=_pool.forget)
