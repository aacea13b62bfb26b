"""What the small Instagram of the demo and the tests holds, and what goes wrong with it when it is asked."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from io import BytesIO
from threading import Lock
from typing import Any

from PIL import Image, ImageDraw

TOKEN = "EAADEMOtoken0123456789"  # noqa: S105  it opens the fake
FIRST_ID = 18_000_000_000_000_000
DAY = 86_400
KINDS = {7: "VIDEO", 13: "CAROUSEL_ALBUM"}  # of twenty posts; the others are photos


class Refused(Exception):
    """An error of the API, with its HTTP status."""

    def __init__(self, code: int, message: str, subcode: int = 0, status: int = 400, **more: Any) -> None:
        super().__init__(message)
        told = {"message": message, "type": "OAuthException", "code": code, "fbtrace_id": "AFake"}
        self.answer = {"error": told | ({"error_subcode": subcode} if subcode else {}) | more}
        self.status = status


@dataclass
class Fault:
    """What goes wrong, ``times`` times, where the path holds ``path``.

    ``kind``: ``error`` (of the API, ``error``), ``status`` (no JSON), ``cut`` (half an answer), ``hang up``
    (none), ``slow`` (``seconds`` before it), ``damaged`` (a photo), ``headers`` (beside a good answer).
    """

    path: str
    kind: str
    times: int = 1
    error: Refused | None = None
    status: int = 500
    seconds: float = 0.0
    headers: dict[str, str] = field(default_factory=dict)


def simple_picture(number: int, size: tuple[int, int] = (480, 600)) -> bytes:
    """A JPEG of its own for every number: one of a few drawings, with the number in its comment."""
    comment = f"picture {number}".encode()
    drawing = _drawing(number % 24, size)
    return drawing[:2] + b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment + drawing[2:]


@lru_cache(maxsize=64)
def _drawing(number: int, size: tuple[int, int]) -> bytes:
    width, height = size
    image = Image.effect_noise(size, 40).convert("RGB")
    draw = ImageDraw.Draw(image)
    colour = (number * 53 % 256, number * 97 % 256, number * 193 % 256)
    hem = width * (4 + number % 5) // 20
    dress = [(width // 2 - 20, height // 5), (width // 2 + 20, height // 5)]
    draw.polygon([*dress, (width // 2 + hem, height - 30), (width // 2 - hem, height - 30)], fill=colour)
    buffer = BytesIO()
    image.save(buffer, "JPEG", quality=85)
    return buffer.getvalue()


@dataclass
class World:
    """What the fake knows. Posts are numbered from 0, the oldest, and come every ``spacing`` seconds."""

    posts: int = 100
    first: int = 0  # those before it are gone
    picture: Callable[[int], bytes] = simple_picture
    caption: Callable[[int], str] = lambda number: f"Post {number} 💃 #dress"
    comment: str = "@us"  # below every post
    spacing: float = 60.0
    now: Callable[[], float] = time.time
    newest_at: float = field(default_factory=time.time)
    media_life: float = 4 * DAY
    mixed: bool = True  # videos and albums among the photos
    app_secret: str = ""
    tokens: dict[str, float] = field(default_factory=lambda: {TOKEN: float("inf")})  # and when each ends
    calls_allowed: int = 0  # 0: any number
    faults: list[Fault] = field(default_factory=list)
    gone: set[int] = field(default_factory=set)

    calls: list[str] = field(default_factory=list)  # the paths that were asked for
    photos_sent: int = 0
    searched: dict[str, float] = field(default_factory=dict)  # hashtag -> since when it counts
    replies: list[dict[str, str]] = field(default_factory=list)
    places: dict[str, int] = field(default_factory=dict)
    lock: Any = field(default_factory=Lock, repr=False)

    def grow(self, count: int = 1) -> None:
        with self.lock:
            self.posts += count
            self.newest_at += count * self.spacing

    def posted_at(self, number: int) -> int:
        return int(self.newest_at - (self.posts - 1 - number) * self.spacing)

    def fault(self, path: str) -> Fault | None:
        with self.lock:
            for fault in self.faults:
                if fault.path in path and fault.times > 0:
                    fault.times -= 1
                    return fault
        return None

    def numbers(self, newest_first_before: int | None, since: float = 0.0) -> range:
        """Newest first, those before a number, those not older than ``since``."""
        start = self.posts if newest_first_before is None else newest_first_before
        oldest = self.first
        if since:
            age = (self.newest_at - since) / self.spacing
            oldest = max(oldest, self.posts - 1 - int(age))
        return range(start - 1, oldest - 1, -1)

    def kind(self, number: int) -> str:
        return KINDS.get(number % 20, "IMAGE") if self.mixed else "IMAGE"

    def stored_as(self, number: int) -> list[str]:
        """The ids under which a portal has to know the post: an album's photos, each."""
        number_of_it = FIRST_ID + number * 10
        return (
            [str(number_of_it + place) for place in (1, 2)]
            if self.kind(number) == "CAROUSEL_ALBUM"
            else [str(number_of_it)]
        )
