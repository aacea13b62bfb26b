"""What tests of Spark share: tables for it to read, and a way into the portal's database for it."""

import csv
import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from socketserver import BaseRequestHandler, ThreadingTCPServer
from threading import Thread
from typing import Any

from recommend.spark import Parquet

RATINGS = "user STRING, item INT, rating DOUBLE"


def written(spark: Any, rows: Iterable[Iterable[Any]], folder: Path, kinds: str = RATINGS) -> Parquet:
    names = [kind.split()[0] for kind in kinds.split(", ")]
    with (folder / "rows.csv").open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    table = spark.read.csv((folder / "rows.csv").as_uri(), schema=kinds).toDF(*names)
    table.write.parquet((folder / "rows.parquet").as_uri())
    return Parquet((folder / "rows.parquet").as_uri())


@contextmanager
def tcp_to(path: str) -> Iterator[int]:
    """A port of this machine that leads to a socket's file, which Java's drivers do not know."""

    class Relay(BaseRequestHandler):
        def handle(self) -> None:
            with socket.socket(socket.AF_UNIX) as there:
                there.connect(path)
                back = Thread(target=_pour, args=(there, self.request))
                back.start()
                _pour(self.request, there)
                back.join()

    with ThreadingTCPServer(("127.0.0.1", 0), Relay) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def _pour(one: socket.socket, other: socket.socket) -> None:
    while data := one.recv(65_536):
        other.sendall(data)
    other.shutdown(socket.SHUT_WR)
