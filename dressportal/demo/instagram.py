"""The demo's Instagram: somebody posts a photo every minute, drawn when the portal fetches it."""

import argparse
import time
from datetime import UTC, datetime
from threading import Thread

from dressportal.demo import plan
from dressportal.demo.draw import Order, drawn
from dressportal.demo.fake_graph import FakeGraph, World
from dressportal.demo.instagram_account import HASHTAG

SEED = 2026
EVERY = 60  # seconds
BEGINNING = datetime(2026, 1, 1, tzinfo=UTC).timestamp()
FIRST = 3  # posts that there are at the start


def planned(number: int) -> plan.PlannedPost:
    return plan.later_post(number, datetime.fromtimestamp(BEGINNING + EVERY * number, UTC), SEED)


def picture(number: int) -> bytes:
    """Of the photo ``number`` % 10 of a post."""
    post = planned(number // 10)
    return drawn(Order(post.kind, post.dress, plan.STREET_SIZE, SEED + number))


def caption(number: int) -> str:
    return f"{planned(number).caption} #{HASHTAG}"


def world(now: float) -> World:
    """Posts are numbered by the minute, so that those of another day are others."""
    newest = int((now - BEGINNING) // EVERY)
    return World(
        posts=newest + 1,
        first=newest + 1 - FIRST,
        picture=picture,
        caption=caption,
        spacing=EVERY,
        newest_at=BEGINNING + EVERY * newest,
        mixed=False,
    )


def post_on(shown: World) -> None:
    while True:
        time.sleep(EVERY)
        shown.grow()


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--port", type=int, required=True)
    server = FakeGraph(world(time.time()), parser.parse_args().port)
    Thread(target=post_on, args=(server.world,), daemon=True).start()
    server.serve_forever()


if __name__ == "__main__":
    main()
