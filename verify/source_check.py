"""Whether posts are still where they were posted: what has gone there goes here."""

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from logging import getLogger
from urllib.parse import quote

import httpx
from django.conf import settings
from django.db.models import Exists, F, OuterRef

from verify.models import Look, Notice, OptOut, Post
from verify.models.post_queryset import PostQuerySet

# True: there; False: gone; None: nobody can tell, as when the source is down or has had enough of us.
StillThere = Callable[[Post], bool | None]

TIMEOUT = 20.0  # seconds
GONE_STATUSES = (404, 410)
GONE_CODES = {
    24,
    100,
}  # of the Graph API, with a 400: no such object; what else says 100 says so of all alike
CHUNK = 20  # posts; if all of them are gone, it is rather our question that is wrong
EVERY = timedelta(hours=20)  # between two questions for one post


def over_http(address: str, client: httpx.Client) -> StillThere:
    """Asks an address with ``{id}`` or ``{permalink}`` in it, such as Instagram's oEmbed."""

    def still_there(post: Post) -> bool | None:
        if "{permalink}" in address and not post.permalink:
            return None
        link, pk = quote(post.permalink, safe=""), quote(post.external_id, safe="")
        try:
            answer = client.get(address.replace("{permalink}", link).replace("{id}", pk))
        except httpx.HTTPError:
            return None
        if answer.status_code == 200:
            return True
        gone = answer.status_code in GONE_STATUSES or (
            answer.status_code == 400 and _code(answer) in GONE_CODES
        )
        return False if gone else None

    return still_there


def _code(answer: httpx.Response) -> int | None:
    try:
        code = answer.json()["error"]["code"]
    except (ValueError, KeyError, TypeError):
        return None
    return code if isinstance(code, int) else None


def configured() -> StillThere | None:
    """As the settings say; None where nobody is to be asked."""
    if not settings.SOURCE_CHECK_URL:
        return None
    return over_http(settings.SOURCE_CHECK_URL, httpx.Client(timeout=TIMEOUT, trust_env=False))


def to_check(now: datetime) -> PostQuerySet:
    """Posts from elsewhere, the looks first, then what was not asked for longest."""
    look = Exists(Look.objects.filter(post=OuterRef("pk")))
    posts = Post.objects.filter(hidden_at=None, review=None).exclude(checked_at__gt=now - EVERY)
    return posts.order_by(look.desc(), F("checked_at").asc(nulls_first=True), "pk")


def recheck(still_there: StillThere, now: datetime, most: int) -> Counter[str]:
    """Ask for ``most`` posts and hide those that are gone, to be deleted within a day; counts the answers.

    Where a whole chunk is gone, nothing of it is hidden and the admins are told.
    """
    counts: Counter[str] = Counter()
    posts = list(to_check(now)[:most])
    for chunk in (posts[start : start + CHUNK] for start in range(0, len(posts), CHUNK)):
        answers = {post.pk: still_there(post) for post in chunk}
        gone = [pk for pk, answer in answers.items() if answer is False]
        if len(gone) == CHUNK:
            told = f"{CHUNK} posts in a row seem to be gone: none was hidden. Is the address right?"
            Notice.objects.tell(Notice.Kind.SOURCE_SILENT, told, now)
            getLogger(__name__).warning("%s", told)
            break
        Post.objects.filter(pk__in=gone).hide(Post.Hidden.GONE, now, now + settings.ERASE_AFTER)
        known = [pk for pk, answer in answers.items() if answer is not None]
        Post.objects.filter(pk__in=known).update(checked_at=now)
        counts.update({True: "there", False: "gone", None: "unknown"}[answer] for answer in answers.values())
    return counts


def give_back(still_there: StillThere, now: datetime) -> int:
    """Show again what is back at its source before it is deleted here; returns how many.

    What somebody wants to go stays hidden until an admin has looked.
    """
    due = Post.objects.filter(hidden_because=Post.Hidden.GONE, erase_at__lte=now)
    back = Post.objects.filter(pk__in=[post.pk for post in due if still_there(post)])
    asked = OptOut.objects.open().filter(hidden=OuterRef("pk"))
    back.filter(Exists(asked)).update(hidden_because=Post.Hidden.OPT_OUT, erase_at=None)
    return back.filter(hidden_because=Post.Hidden.GONE).show_again()
