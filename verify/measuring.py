"""Photos from before the quality gates: measured later, so that copies of them are found, too.

What is left to do is in the rows: whoever is stopped goes on where that was. Photos first, and then the
posts, so that each is compared with all others.
"""

from collections import Counter
from collections.abc import Callable
from logging import getLogger

from django.conf import settings
from django.utils import timezone

from verify import gating
from verify.intake.copies import PhotoRefused
from verify.intake.decoder import measures
from verify.intake.rows import one_batch_at_a_time
from verify.models import Photo, Post

BATCH = 50  # photos or posts in a transaction
MEASURED = ["measures", "fingerprint", "bands"]

Progress = Callable[[int], object]


def measure_photos(limit: int | None = None, progress: Progress = bool) -> Counter[str]:
    """Measure photos that never were, ``limit`` at most; counts those "measured" and "unreadable" ones.

    One that cannot be read is logged, and tried again another time. ``progress`` gets each batch's photos.
    """
    counts: Counter[str] = Counter(measured=0, unreadable=0)
    last = 0
    while limit is None or counts["measured"] < limit:
        photos = list(Photo.objects.unmeasured().filter(pk__gt=last).order_by("pk")[:BATCH])
        if not photos:
            break
        last = photos[-1].pk
        found = [photo for photo in photos if _measured(photo)]
        Photo.objects.bulk_update(found, MEASURED)
        counts.update(measured=len(found), unreadable=len(photos) - len(found))
        progress(len(photos))
    return counts


def _measured(photo: Photo) -> bool:
    """Whether it could be: the fields, unsaved."""
    try:
        with photo.large.open("rb") as file:
            photo.measured(measures(file.read()))
    except (OSError, PhotoRefused) as error:
        getLogger(__name__).warning("%s cannot be measured: %s", photo, error)
        return False
    return True


def judge_posts(progress: Progress = bool) -> Counter[str]:
    """Let the gates judge posts that no batch has yet; counts those "judged", and of them "held"."""
    counts: Counter[str] = Counter(judged=0, held=0)
    while settings.GATES and (posts := _judge_some(counts)):
        progress(posts)
    return counts


def _judge_some(counts: Counter[str]) -> int:
    with one_batch_at_a_time():
        unjudged = Post.objects.unjudged(timezone.now()).order_by("pk").values_list("pk", flat=True)[:BATCH]
        chosen = Post.objects.filter(pk__in=list(unjudged)).order_by("pk")
        posts = list(chosen.select_for_update(of=("self",)).select_related("photo"))
        counts.update(judged=len(posts), held=len(gating.judge(posts)))
    return len(posts)
