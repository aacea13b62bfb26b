"""What web process and classifier say to each other: a JSON object, and bytes beside it.

A message is the length of its header (4 bytes, big-endian), the header, and the blobs whose lengths the
header lists under "sizes". Nothing is unpickled.
"""

import json
import socket
import struct
import time
from collections.abc import Sequence
from typing import Any

LENGTH = struct.Struct("!I")
MAX_HEADER = 1_000_000  # bytes
MAX_K = 20  # candidates of a photo that may be asked for


class Garbled(Exception):
    """The other side speaks something else, or has hung up in the middle."""


class Line:
    """One side of a socket, for a conversation that ends after ``seconds``: raises TimeoutError."""

    def __init__(self, connected: socket.socket, seconds: float) -> None:
        self.socket, self.deadline = connected, time.monotonic() + seconds

    def connect(self, path: str) -> None:
        self.socket.settimeout(self.left())
        self.socket.connect(path)

    def send(self, header: dict[str, Any], blobs: Sequence[bytes] = ()) -> None:
        text = json.dumps({**header, "sizes": [len(blob) for blob in blobs]}).encode()
        for part in (LENGTH.pack(len(text)) + text, *blobs):
            self.socket.settimeout(self.left())
            self.socket.sendall(part)

    def receive(self, most: int = 0) -> tuple[dict[str, Any], list[bytes]]:
        """Raises Garbled, also for more than ``most`` bytes of blobs."""
        (length,) = LENGTH.unpack(self._read(LENGTH.size))
        if length > MAX_HEADER:
            raise Garbled(f"a header of {length:,} bytes")
        header = _object(self._read(length))
        sizes = header.pop("sizes", [])
        if not (isinstance(sizes, list) and all(type(size) is int and size >= 0 for size in sizes)):
            raise Garbled("no sizes")
        if sum(sizes) > most:
            raise Garbled(f"{sum(sizes):,} bytes; the limit is {most:,}")
        return header, [self._read(size) for size in sizes]

    def _read(self, size: int) -> bytes:
        whole = bytearray(size)
        view = memoryview(whole)
        while view:
            self.socket.settimeout(self.left())
            if not (count := self.socket.recv_into(view)):
                raise Garbled("the other side has hung up")
            view = view[count:]
        return bytes(whole)

    def left(self) -> float:
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left


def _object(text: bytes) -> dict[str, Any]:
    try:
        header = json.loads(text)
    except ValueError as error:
        raise Garbled("no JSON") from error
    if not isinstance(header, dict):
        raise Garbled("no JSON object")
    return header
