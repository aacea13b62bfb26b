"""The nightly step after the re-fit: calibration learnt from votes, and whether the promise is kept.

Settled posts say what people see on photos. Half of them fit temperature, "not a dress" and the threshold of
the option sets; on the other half, and on the audit sample, what was promised is checked. Suggestions made
before stay as they were, but where cards show another number of options from now on (`verify.changeover`).
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from django.conf import settings
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone

from ml.catalogue_index import CatalogueIndex
from verify import option_sets, prototypes, retraining, selection, suggest, training_export, versions
from verify.dashboard import proposed
from verify.embed import Progress, see
from verify.models import Calibration, DressPhoto, Embedding, ModelVersion, Post
from verify.models.post_queryset import PostQuerySet
from verify.option_sets import NONE, Fit, Judged
from verify.photo_shelf import PhotoShelf, path_of
from verify.read_ahead import read_ahead
from verify.selection import Ending, Part

NEWEST = 2000  # settled posts: the catalogue changes
FEWEST = 1000  # or little is known of how well the promise is kept
CELLS = 30_000_000  # of these posts times dresses: see `read`
READERS = 16  # of photos at once, from a storage that may be far away


Floats = npt.NDArray[np.float32]


class TooEarly(Exception):
    """Calibration stays as it is; the message says why."""


class Settled(NamedTuple):
    """A settled post as the live version sees it."""

    ending: Ending
    part: Part
    dress: int | None
    vector: Floats
    not_a_dress: float
    finds_itself: bool = False  # its look is one of the photos that the dress is known by


def embed_settled(limit: int, progress: Progress | None = None) -> int:
    """Let the live model see settled posts that only earlier ones saw; returns how many, about ``limit``.

    One whose photo cannot be read, or ends the worker, is left out after `SUGGEST_ATTEMPTS`. Raises NotReady.
    """
    eyes, done = versions.live(), 0
    for batch in read_ahead(_take_up, lambda: eyes, limit):
        seen = see(batch.photos)
        posts = Post.objects.filter(pk__in=[post.pk for post in batch.rows])
        posts.filter(photo__in=seen.embeddings).update(attempts=0)
        done += len(batch.rows)
        if progress:
            progress(len(batch.rows))
    return done


def _take_up(version: ModelVersion, fresh_only: bool) -> list[Post]:
    """The next posts, their attempts counted before anybody decodes their photos."""
    seen = Embedding.objects.filter(photo=OuterRef("photo"), model_version=version)
    unseen = Post.objects.filter(~Exists(seen), pk__in=settled().values("pk"))
    waiting = unseen.filter(attempts__lt=settings.SUGGEST_ATTEMPTS).select_related("photo")
    taken = suggest.a_batch_or_one(waiting.order_by("attempts", "-settled_at", "-pk"), fresh_only)
    Post.objects.filter(pk__in=[post.pk for post in taken]).update(attempts=F("attempts") + 1)
    return taken


def recalibrate(now: datetime | None = None) -> Calibration:
    """Fit the live version's calibration anew, and propose by it from now on. Raises TooEarly."""
    now = now or timezone.now()
    version = ModelVersion.objects.live()
    if version is None:
        raise TooEarly("No version of DeepDress is live.")
    before = Calibration.objects.of(version)
    parts = read(version, suggest.exact_index(version))
    row = calibration(parts, before, now)
    row.save()
    if row.shown != before.shown:
        version.repropose()
    return row


def calibration(parts: dict[Part, Judged], before: Calibration, now: datetime) -> Calibration:
    """What to store, by posts to fit on, to check on, and of the audit sample. Raises TooEarly."""
    fitting, checking = parts[Part.FITTING], parts[Part.CHECKING]
    if (fewest := min(len(fitting), len(checking))) < option_sets.ENOUGH:
        raise TooEarly(
            f"{fewest} settled posts have a dress, of {option_sets.ENOUGH} to fit on and to check."
        )
    own, promised = Fit(before.model_version.temperature), settings.OPTION_COVERAGE
    fitted = option_sets.fit(fitting, own, promised)
    recall = option_sets.recall(checking)
    covered = {part: option_sets.coverage(parts[part], fitted) for part in (Part.CHECKING, Part.AUDIT)}
    stored = {part: asdict(found) if found else None for part, found in covered.items()}
    return Calibration(
        model_version=before.model_version,
        fitted_at=now,
        posts=len(fitting),
        **asdict(fitted),
        promised=promised,
        shown=option_sets.shown_options(recall, before.shown),
        recall=recall,
        mean_size=option_sets.mean_size(checking, fitted),
        error_before=option_sets.calibration_error(checking, own),
        error_after=option_sets.calibration_error(checking, fitted),
        checked=stored[Part.CHECKING],
        audited=stored[Part.AUDIT],
    )


# Reading


def settled() -> PostQuerySet:
    """The newest settled posts, without labels to come, photos that the catalogue has, and barred ones."""
    in_catalogue = DressPhoto.objects.filter(photo=OuterRef("photo"))
    unlabelled = Q(audit=True, settled_by=None)
    posts = Post.objects.filter(~Exists(in_catalogue), state=Post.State.SETTLED, suggestion__isnull=False)
    return (
        posts.exclude(unlabelled)
        .exclude(photo__in=training_export.barred())
        .order_by("-settled_at", "-pk")[:NEWEST]
    )


def read(version: ModelVersion, index: CatalogueIndex) -> dict[Part, Judged]:
    """Settled posts that ``version`` has seen, by what they are for. Raises TooEarly.

    The more dresses, the fewer posts, from `NEWEST` down to `FEWEST`: so a night takes less than 300 MB up to
    30,000 dresses (of each post and dress a float32, and twice more of half the posts), and 8 KB for each
    further dress.
    """
    posts = _posts(version)[: max(FEWEST, CELLS // max(1, len(index)))]
    voted = [post.ending for post in posts if post.part != Part.AUDIT]
    share = selection.in_catalogue([post.ending for post in posts if post.part == Part.AUDIT])
    try:
        weight = selection.stands_for(voted, share)
    except selection.NamedTooSeldom as reason:
        raise TooEarly(f"Too little is known of dresses beyond the options: {reason}.") from reason
    return {part: _judged([post for post in posts if post.part == part], index, weight) for part in Part}


def _posts(version: ModelVersion) -> list[Settled]:
    said = ("photo", "photo__sha256", "photo__large", "answer", "dress", "audit", "settled_by")
    asked = {"offered": proposed(), "finds_itself": prototypes.have("photo")}
    rows = list(settled().annotate(**asked).values_list(*said, *asked, named=True))
    new = _new_to(version, [row.photo__large for row in rows])
    rows = [row for row in rows if row.photo__large in new]
    embedded = Embedding.objects.filter(model_version=version, photo__in={row.photo for row in rows})
    seen = {photo: found for photo, *found in embedded.values_list("photo", "vector", "not_a_dress")}
    return [_settled(row, *seen[row.photo]) for row in rows if row.photo in seen]


def _new_to(version: ModelVersion, names: Sequence[str]) -> set[str]:
    """Photos of the storage that it has not learnt from: it is surer of the others than of any to come."""
    learnt, shelf = retraining.trained_on(version), PhotoShelf(Path())
    if not learnt:
        return set(names)
    with ThreadPoolExecutor(READERS) as pool:
        contents = zip(names, pool.map(shelf.digest, names), strict=True)
        return {name for name, content in contents if content and path_of(content) not in learnt}


def _settled(row: Any, vector: memoryview, not_a_dress: float) -> Settled:
    by_admin = row.settled_by is not None
    return Settled(
        selection.ending(row.answer, row.offered, by_admin),
        selection.part(row.photo__sha256, row.audit),
        row.dress,
        np.frombuffer(vector, "<f4"),
        not_a_dress,
        row.finds_itself,
    )


def _judged(posts: Sequence[Settled], index: CatalogueIndex, weight: float) -> Judged:
    """``weight`` is for how many posts stands each whose dress voters named.

    Of a photo that finds itself "not a dress" alone is asked: the nearest photo says nothing of it.
    """
    column = {dress: place for place, dress in enumerate(index.dress_ids.tolist())}
    known, unknown = [], []
    for post in posts:
        found = post.dress in column and not post.finds_itself
        (known if post.ending == Ending.NOT_A_DRESS or found else unknown).append(post)
    similarities = np.empty((len(known), len(index)), np.float32)
    for start in range(0, len(known), option_sets.ROWS):
        part = np.stack([post.vector for post in known[start : start + option_sets.ROWS]])
        similarities[start : start + len(part)] = index.similarities(part)
    return Judged(
        similarities=similarities,
        truth=np.array([column.get(post.dress, NONE) for post in known], np.int64),
        weights=np.array([weight if post.ending == Ending.NAMED else 1.0 for post in known]),
        not_a_dress=np.array([post.not_a_dress for post in known]),
        unknown=np.array([post.not_a_dress for post in unknown]),
    )
