"""A few posts that the quality gates hold back: copies of others, blurred and tiny ones.

The demo's other posts are judged by no gate: the office has been through all of them for weeks already.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from io import BytesIO

from PIL import Image, ImageFilter

from verify import gating
from verify.intake.copies import prepare
from verify.intake.decoder import limits
from verify.intake.photos import store_prepared
from verify.models import Post

FIRST_ID = 17_900_000_000_900_000  # after those of the plan


def halved(photo: Image.Image) -> Image.Image:
    return photo.resize((photo.width // 2, photo.height // 2))


def blurred(photo: Image.Image) -> Image.Image:
    return photo.filter(ImageFilter.GaussianBlur(max(photo.size) / 90))


def tiny(photo: Image.Image) -> Image.Image:
    return photo.resize((60, 60 * photo.height // photo.width))


SPOILT: list[tuple[int, Callable[[Image.Image], Image.Image], str]] = [  # which post's photo, by whom it is
    (0, halved, "dress.finder"),
    (0, halved, "only.repost"),
    (1, halved, "only.repost"),
    (2, blurred, "shaky.hands"),
    (3, blurred, "late.at.night"),
    (4, tiny, "old.phone"),
]


def store_spoilt(now: datetime) -> None:
    """Needs the demo's posts. What no gate holds back, as it is open, is left out: nobody has played it."""
    originals = list(Post.objects.order_by("pk").select_related("photo")[: len(SPOILT)])
    posts = [
        Post(
            external_id=str(FIRST_ID + number),
            permalink=f"https://www.instagram.com/p/demo9{number:04d}/",
            username=username,
            caption="Love this one! #dressportal",
            posted_at=now - timedelta(hours=number + 1),
            photo=store_prepared(prepare(_drawn_anew(originals[which], spoil, number), limits())),
        )
        for number, (which, spoil, username) in enumerate(SPOILT)
    ]
    held = gating.judge(Post.objects.bulk_create(posts), now)
    kept = [post.pk for post in held]
    Post.objects.filter(pk__in=[post.pk for post in posts]).exclude(pk__in=kept).delete()


def _drawn_anew(post: Post, spoil: Callable[[Image.Image], Image.Image], number: int) -> bytes:
    """A JPEG, other bytes for each number."""
    buffer = BytesIO()
    with post.photo.large.open("rb") as file, Image.open(file) as photo:
        spoil(photo.convert("RGB")).save(buffer, "JPEG", quality=80 + number)
    return buffer.getvalue()
