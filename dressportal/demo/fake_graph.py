"""A small Instagram: speaks the documented part of the Graph API over HTTP, for the demo and for tests.

It serves as many posts as asked for, the same for the same number, and misbehaves as it is told to.

    python -m dressportal.demo.fake_graph --posts 30000 --port 8100
"""

import argparse
import hashlib
import hmac
import json
import re
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from dressportal.demo.fake_world import DAY, FIRST_ID, TOKEN, Fault, Refused, World, simple_picture

__all__ = ["TOKEN", "USER", "FakeGraph", "Fault", "Refused", "World", "hashtag_id", "simple_picture"]

VERSION, USER = "v26.0", "17841400000000001"
FIRST_HASHTAG = 17_843_000_000_000_000
DEFAULT_PAGE, MOST = 25, 50
HASHTAG_FIELDS = {
    *("caption", "children", "comments_count", "id", "like_count", "media_type", "media_url"),
    *("permalink", "timestamp"),
}
Answer = dict[str, Any]


class FakeGraph(ThreadingHTTPServer):
    """Serves a world at ``url`` from the moment it is entered."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, world: World | None = None, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.world = world or World()
        self._thread = Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    @property
    def url(self) -> str:
        return f"{self.origin}/{VERSION}"

    def __enter__(self) -> "FakeGraph":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()

    def handle_error(self, *_: Any) -> None:
        pass  # clients that are killed hang up


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: FakeGraph

    def log_message(self, *_: Any) -> None:
        pass

    def do_GET(self) -> None:
        self._answer("GET")

    def do_POST(self) -> None:
        self._answer("POST")

    def _answer(self, method: str) -> None:
        world, split = self.server.world, urlsplit(self.path)
        fault = world.fault(split.path)
        if fault and fault.seconds:
            time.sleep(fault.seconds)
        if fault and fault.kind == "hang up":
            self.close_connection = True
            return
        if fault and fault.kind == "status":
            self._send(fault.status, b"<html>Sorry</html>", "text/html")
            return
        if split.path.startswith("/media/"):
            self._photo(split.path, parse_qs(split.query), fault)
            return
        try:
            if fault and fault.error:
                raise fault.error
            status, answer = 200, self._graph(method, split.path, parse_qs(split.query))
        except Refused as refused:
            status, answer = refused.status, refused.answer
        headers = {**self._usage(), **(fault.headers if fault else {})}
        self._send(
            status,
            json.dumps(answer).encode(),
            "application/json",
            headers,
            bool(fault and fault.kind == "cut"),
        )

    def _send(
        self, status: int, body: bytes, kind: str, headers: dict[str, str] | None = None, cut: bool = False
    ) -> None:
        told = {"Content-Type": kind, "Content-Length": str(len(body)), **(headers or {})}
        head = "".join(f"{name}: {value}\r\n" for name, value in told.items())
        self.close_connection = cut or self.close_connection
        with suppress(OSError):
            self.wfile.write(
                f"HTTP/1.1 {status} -\r\n{head}\r\n".encode() + body[: len(body) // 2 if cut else None]
            )

    def _usage(self) -> dict[str, str]:
        world = self.server.world
        if not world.calls_allowed:
            return {}
        percent = int(100 * len(world.calls) / world.calls_allowed)
        return {"X-App-Usage": json.dumps({"call_count": percent, "total_cputime": 1, "total_time": 1})}

    def _photo(self, path: str, query: dict[str, list[str]], fault: Fault | None) -> None:
        world = self.server.world
        match = re.match(r"/media/(\d+)\.", path)
        number = int(match[1]) if match else 0
        ends = int(query.get("oe", ["0"])[0], 16)
        if ends < world.now():
            self._send(403, b"URL signature expired", "text/plain")
        elif number // 10 in world.gone:
            self._send(404, b"", "text/plain")
        else:
            body = b"no picture" if fault and fault.kind == "damaged" else world.picture(number)
            world.photos_sent += 1
            self._send(200, body, "image/jpeg", cut=bool(fault and fault.kind == "cut"))

    # The API

    def _graph(self, method: str, path: str, query: dict[str, list[str]]) -> Answer:
        world = self.server.world
        asked = {name: values[0] for name, values in query.items()}
        with world.lock:
            world.calls.append(path)
        if path == f"/{VERSION}/oauth/access_token":
            return self._exchange(asked)
        self._check_token(asked)
        if world.calls_allowed and len(world.calls) > world.calls_allowed:
            raise Refused(4, "(#4) Application request limit reached", is_transient=True)
        match path.strip("/").split("/")[1:]:
            case ["ig_hashtag_search"]:
                return {"data": [{"id": hashtag_id(asked["q"])}]} if self._searchable(asked) else {"data": []}
            case [user, "recently_searched_hashtags"] if user == USER:
                return {"data": [{"id": hashtag_id(name)} for name in self._in_window()]}
            case [user, "tags"] if user == USER:
                return self._media_page(path, asked, same_cursor=False)
            case [user, "mentions"] if user == USER and method == "POST":
                world.replies.append(asked)
                return {"id": str(FIRST_ID * 2 + len(world.replies))}
            case [user] if user == USER:
                return self._mentioned(asked.get("fields", ""))
            case [number, "recent_media" | "top_media" as edge]:
                self._count(name_of(number))
                self._check_fields(asked)
                since = world.now() - DAY if edge == "recent_media" else 0.0
                return self._media_page(path, asked, same_cursor=edge == "recent_media", since=since)
            case [number] if asked.get("fields") == "id,name":
                return {"id": number, "name": name_of(number)}
        raise Refused(100, f"Unsupported request: {path}")

    def _exchange(self, asked: dict[str, str]) -> Answer:
        world, token = self.server.world, asked.get("fb_exchange_token", "")
        if world.app_secret and asked.get("client_secret") != world.app_secret:
            raise Refused(1, "Error validating client secret.")
        if world.tokens.get(token, 0) <= world.now():
            raise Refused(190, f"Error validating access token {token}: session has expired", 463)
        fresh = f"EAAFresh{len(world.tokens)}{hashlib.sha256(token.encode()).hexdigest()[:24]}"
        world.tokens[fresh] = world.now() + 5_183_944
        return {"access_token": fresh, "token_type": "bearer", "expires_in": 5_183_944}

    def _check_token(self, asked: dict[str, str]) -> None:
        world = self.server.world
        token = self.headers.get("Authorization", "").removeprefix("Bearer ") or asked.get("access_token", "")
        if token not in world.tokens:
            raise Refused(190, f"Malformed access token {token}", 467, 401)
        if world.tokens[token] <= world.now():
            raise Refused(190, f"Error validating access token {token}: it has expired.", 463, 401)
        proof = hmac.digest(world.app_secret.encode(), token.encode(), hashlib.sha256).hex()
        if world.app_secret and asked.get("appsecret_proof") != proof:
            raise Refused(100, "Invalid appsecret_proof provided in the API argument")
        self._token = token

    def _searchable(self, asked: dict[str, str]) -> bool:
        if asked.get("user_id") != USER:
            raise Refused(10, "Application does not have permission for this action")
        if not re.fullmatch(r"\w+", asked.get("q", "")) or asked["q"].startswith("unknown"):
            raise Refused(24, "The requested resource does not exist", 2207024)
        names[hashtag_id(asked["q"])] = asked["q"]
        self._count(asked["q"])
        return True

    def _in_window(self) -> list[str]:
        world = self.server.world
        return [name for name, since in world.searched.items() if since > world.now() - 7 * DAY]

    def _count(self, name: str) -> None:
        with self.server.world.lock:
            counted = self._in_window()
            if name not in counted and len(counted) >= 30:
                raise Refused(18, "A max of 30 hashtags can be queried", 2207034)
            if name not in counted:
                self.server.world.searched[name] = self.server.world.now()

    def _check_fields(self, asked: dict[str, str]) -> None:
        fields = set(re.sub(r"\{[^}]*\}", "", asked.get("fields", "")).split(","))
        if stranger := sorted(fields - HASHTAG_FIELDS):
            raise Refused(100, f"Tried accessing nonexisting field ({stranger[0]})")
        if int(asked.get("limit", DEFAULT_PAGE)) > MOST:
            raise Refused(100, "Please reduce the amount of data you're asking for")

    def _media_page(self, path: str, asked: dict[str, str], same_cursor: bool, since: float = 0.0) -> Answer:
        """``same_cursor``: as documented of hashtags, it is the same for each page, and can be used."""
        world, limit = self.server.world, int(asked.get("limit", DEFAULT_PAGE))
        after = asked.get("after")
        with world.lock:
            before = world.places.get(path) if after == "QVFIsame" else int(after, 36) if after else None
            shown = world.numbers(before, since)[:limit]
            more = bool(world.numbers(shown[-1] if shown else 0, since))
            if shown:
                world.places[path] = shown[-1]
        fields = set(re.sub(r"\{[^}]*\}", "", asked.get("fields", "id")).split(","))
        data = [self.medium(number, fields) for number in shown if number not in world.gone]
        if not shown:
            return {"data": []}
        cursor = "QVFIsame" if same_cursor else base36(shown[-1])
        query = urlencode({**asked, "after": cursor, "access_token": self._token})
        following = {"next": f"{self.server.origin}{path}?{query}"} if more else {}
        return {"data": data, "paging": {"cursors": {"after": cursor}, **following}}

    def _mentioned(self, fields: str) -> Answer:
        match = re.match(r"mentioned_(media\.media|comment\.comment)_id\((\d+)\)\{", fields)
        if not match:
            raise Refused(100, "Invalid parameter")
        number = (int(match[2]) - FIRST_ID) // 10
        if not 0 <= number < self.server.world.posts or number in self.server.world.gone:
            raise Refused(100, "The requested resource does not exist", 33)
        medium = self.medium(number, HASHTAG_FIELDS | {"username"})
        if match[1].startswith("media"):
            return {"mentioned_media": medium, "id": USER}
        comment = {"id": match[2], "text": self.server.world.comment, "media": medium}
        return {"mentioned_comment": comment, "id": USER}

    def medium(self, number: int, fields: set[str]) -> Answer:
        world, name = self.server.world, FIRST_ID + number * 10
        kind, at = world.kind(number), world.posted_at(number)
        iso = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S+0000")
        whole: Answer = {
            "id": str(name),
            "caption": world.caption(number),
            "media_type": kind,
            "permalink": f"https://www.instagram.com/p/F{base36(number)}/",
            "timestamp": at if number % 2 else iso,  # both occur
            "comments_count": number % 9,
            "username": f"customer.{number % 977}",
        }
        if number % 11:  # hidden by some
            whole["like_count"] = number * 7 % 500
        if kind == "CAROUSEL_ALBUM":
            children = [self._child(name + place, "IMAGE") for place in (1, 2)] + [
                self._child(name + 3, "VIDEO")
            ]
            whole["children"] = {"data": children}
        else:
            whole["media_url"] = self._address(name, kind)
        return {key: value for key, value in whole.items() if key in fields or key == "id"}

    def _child(self, name: int, kind: str) -> Answer:
        return {"id": str(name), "media_type": kind, "media_url": self._address(name, kind)}

    def _address(self, name: int, kind: str) -> str:
        """Signed, and good for a few days: ``oe`` is its end, hexadecimal, as Instagram writes it."""
        ends = int(self.server.world.now() + self.server.world.media_life)
        ending = "mp4" if kind == "VIDEO" else "jpg"
        return f"{self.server.origin}/media/{name - FIRST_ID}.{ending}?oe={ends:X}"


names: dict[str, str] = {}


def hashtag_id(name: str) -> str:
    number = str(FIRST_HASHTAG + int(hashlib.sha256(name.encode()).hexdigest()[:10], 16))
    names.setdefault(number, name)
    return number


def name_of(number: str) -> str:
    if number not in names:
        raise Refused(24, "The requested resource does not exist", 2207024)
    return names[number]


def base36(number: int) -> str:
    digits = ""
    while True:
        number, rest = divmod(number, 36)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[rest] + digits
        if not number:
            return digits


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--posts", type=int, default=1_000)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--size", type=int, nargs=2, default=(480, 600))
    asked = parser.parse_args()
    size = (asked.size[0], asked.size[1])
    world = World(posts=asked.posts, picture=lambda number: simple_picture(number, size))
    server = FakeGraph(world, asked.port)
    sys.stdout.write(f"{server.url}\n")
    sys.stdout.flush()
    with suppress(KeyboardInterrupt):
        server.serve_forever(poll_interval=0.1)


if __name__ == "__main__":
    main()
