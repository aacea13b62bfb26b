"""A server on this machine in the place of somebody else's."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any


class Quiet(BaseHTTPRequestHandler):
    """Answers by `answer`; ``self.server`` has the state that `serving` was given."""

    def answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        pass


@contextmanager
def serving(handler: type[Quiet], **state: Any) -> Iterator[Any]:
    """The running server, with ``state`` as its attributes and its address as ``url``."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    for name, value in {**state, "url": f"http://127.0.0.1:{server.server_port}"}.items():
        setattr(server, name, value)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()
