"""A portal that reads the fake Instagram."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from dressportal.demo.fake_graph import World, simple_picture
from verify.intake import sources
from verify.models import Hashtag, InstagramAccount, Post, Source


def small_picture(number: int) -> bytes:
    return simple_picture(number, (40, 50))


def make_source(kind: str = "tagged", hashtag: str = "", **fields: Any) -> Source:
    tag = Hashtag.objects.get_or_create(name=hashtag)[0] if hashtag else None
    return Source.objects.create(kind=kind, hashtag=tag, **fields)


def read_all(most: int = 100) -> int:
    """Let the worker go on until nothing is due; how many turns that took."""
    for turns in range(most):
        if not sources.read_next():
            return turns
    raise AssertionError("it does not come to an end")


def make_due() -> None:
    """The pauses are over."""
    long_ago = timezone.now() - timedelta(minutes=1)
    Source.objects.update(next_run_at=long_ago, claimed_until=None)
    InstagramAccount.objects.update(waits_until=None)


def expected_ids(world: World) -> set[str]:
    return {name for number in range(world.posts) for name in world.stored_as(number)}


def stored_ids() -> list[str]:
    return list(Post.objects.values_list("external_id", flat=True))
