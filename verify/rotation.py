"""The night between two batches: freeze, settle, publish, carry over, close, open.

Every step is a short transaction that finds out from the stored state what is left to do, so that a rotation
may be fired twice, at once, late, or be killed anywhere: the next one carries on and ends in the same state.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from verify import verdicts
from verify.models import Batch, Lease, Post, Vote
from verify.models.post_queryset import PostQuerySet

ADVISORY_LOCK = 7_240_311  # any number, as long as nothing else in this database takes it


@dataclass(frozen=True)
class Rotation:
    """What one call did, in numbers of posts, and what it left for a later one."""

    frozen: bool = False
    kept: str = ""  # why the open batch was not frozen
    settled: int = 0
    published: int = 0
    carried: int = 0
    closed: bool = False
    opened: int | None = None  # new posts in a batch opened; None if none was
    waiting_until: datetime | None = None  # cards from before the freeze are still on screens
    nothing_to_open: bool = False  # no batch is open now

    def in_words(self) -> list[str]:
        """A sentence for each thing that happened or could not."""
        waiting = f"{timezone.localtime(self.waiting_until):%H:%M}; rotate again then"
        said = [
            (self.frozen, "Froze the open batch."),
            (self.kept, self.kept),
            (self.settled, f"Settled {_posts(self.settled)}."),
            (self.published, f"Published {_posts(self.published)} as looks."),
            (self.carried, f"Carried {_posts(self.carried)} over, votes included."),
            (self.closed, "Closed the frozen batch."),
            (self.opened is not None, f"Opened a batch with {_posts(self.opened or 0)} new to it."),
            (self.waiting_until, f"The frozen batch waits for cards on screens until {waiting}."),
            (self.nothing_to_open, "Nothing to open: no post is ready for a batch."),
        ]
        return [sentence for happened, sentence in said if happened]


def _posts(count: int) -> str:
    return f"{count} post" if count == 1 else f"{count} posts"


def settle_due(now: datetime) -> int:
    """Settle the posts whose deciding vote can no longer be undone, and tell who voted; returns how many."""
    settled = _each(Post.objects.due(now), lambda post: post.settle(now))
    verdicts.confirm_all(Post.objects.to_confirm(), now)
    return settled


def rotate(on: date | None = None, now: datetime | None = None) -> Rotation:
    """Do what the night has to do and can do now.

    With ``on``, only a batch opened before that day (of UTC) is frozen, so that a second call for the same
    night leaves the new batch alone; without it, any batch that somebody has voted on.
    """
    now = now or timezone.now()
    earlier = finish(now)  # one left frozen by an earlier call makes room for the next
    kept = _freeze(on, now)
    opened = _open_if_none(now)
    finished = finish(now)
    return Rotation(
        frozen=kept is None,
        kept=kept or "",
        settled=earlier.settled + finished.settled,
        published=earlier.published + finished.published,
        carried=earlier.carried + finished.carried,
        closed=earlier.closed or finished.closed,
        opened=next((new for new in (earlier.opened, opened, finished.opened) if new is not None), None),
        waiting_until=finished.waiting_until,
        nothing_to_open=not Batch.objects.open().exists(),
    )


@contextmanager
def step() -> Iterator[None]:
    """A transaction that no other rotation's step overlaps."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [ADVISORY_LOCK])
        yield


def _freeze(on: date | None, now: datetime) -> str | None:
    """Freeze the open batch; returns why not, or None if it did."""
    with step():
        batch = Batch.objects.open().first()
        reason = _reason_to_keep(batch, on)
        if batch and reason is None:
            batch.freeze(now)
    return reason


def _reason_to_keep(batch: Batch | None, on: date | None) -> str | None:
    if batch is None:
        return ""
    if on is not None and not batch.opened_before(on):
        return f"The {batch} was not open before {on:%-d %B %Y}: it stays."
    if Batch.objects.frozen().exists():
        return f"The {batch} stays until the frozen one is finished."
    if not Vote.objects.cast_in(batch).exists() and batch.posts.unfinished().exists():
        return f"The {batch} has no vote yet: it stays."
    return None


def _open_if_none(now: datetime) -> int | None:
    """Open the next batch if none is open and a post is ready; returns with how many."""
    with step():
        if Batch.objects.open().exists() or not Post.objects.in_no_batch().exists():
            return None
        return _open(now).posts.count()


def _open(now: datetime) -> Batch:
    """A batch of the newest posts that are ready and in none yet."""
    batch = Batch.objects.create(opened_at=now)
    newest = Post.objects.in_no_batch().order_by("-posted_at", "-pk").values("pk")[: settings.BATCH_SIZE]
    _move(Post.objects.in_no_batch().filter(pk__in=newest), batch)
    return batch


def _move(posts: PostQuerySet, batch: Batch) -> int:
    """Locked in the order in which everybody locks several posts: by pk."""
    locked = posts.order_by("pk").select_for_update(of=("self",), no_key=True).values_list("pk", flat=True)
    return Post.objects.filter(pk__in=list(locked)).update(batch=batch)


def finish(now: datetime) -> Rotation:
    """Settle and publish what the frozen batch has decided; when none of its cards is out, close it."""
    if not Batch.objects.frozen().exists():
        return Rotation()
    decided = Post.objects.decided().filter(batch__state=Batch.State.FROZEN)
    settled = _each(decided, lambda post: post.settle(now))
    closing = Post.objects.to_publish().exclude(batch__state=Batch.State.OPEN)
    published = _each(closing, lambda post: post.publish(now))
    with step():
        batch = Batch.objects.frozen().first()
        waiting_until = Lease.objects.last_expiry(batch, now) if batch else None
        if batch is None or waiting_until:
            return Rotation(settled=settled, published=published, waiting_until=waiting_until)
        carried, opened = _carry_over(batch, now)
        batch.close(now)
    return Rotation(settled=settled, published=published, carried=carried, closed=True, opened=opened)


def _carry_over(batch: Batch, now: datetime) -> tuple[int, int | None]:
    """Move what is unfinished to the open batch; returns how many, and how many new ones joined them."""
    if not batch.posts.unfinished().exists():
        return 0, None
    following = Batch.objects.open().first()
    opened = None
    if following is None:
        following = _open(now)
        opened = following.posts.count()
    return _move(batch.posts.unfinished(), following), opened


def _each(posts: PostQuerySet, act: Callable[[Post], object]) -> int:
    """Act on each post, in a transaction of its own, unless it is no longer one of ``posts`` by then."""
    done = 0
    for pk in list(posts.values_list("pk", flat=True)):
        with transaction.atomic():
            post = posts.filter(pk=pk).select_for_update(of=("self",), no_key=True).first()
            if post is not None:
                act(post)
                done += 1
    return done
