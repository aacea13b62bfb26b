"""Photos -> Suggestions: the only place where the portal meets DeepDress.

Torch is imported by what classifies (the worker, a foreground command) and by nothing else: the web process
imports this module for the catalogue's vectors, and the worker's parent forks.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef, QuerySet, prefetch_related_objects
from django.utils import timezone

from ml.catalogue_index import CatalogueIndex
from verify import prototypes, vector_search
from verify.embed import Progress, Seen, look_at, see
from verify.models import (
    Calibration,
    DressPhoto,
    Embedding,
    ModelVersion,
    Option,
    Post,
    Suggestion,
)
from verify.read_ahead import Batch, Row, read_ahead
from verify.vector_search import GraphIndex
from verify.versions import NotReady, live, loaded

if TYPE_CHECKING:
    from verify.models.post_queryset import PostQuerySet


class CatalogueVectors(NamedTuple):
    """What the live model made of the catalogue photos of the dresses in stock."""

    vectors: npt.NDArray[np.float32]  # (n, dimensions), unit length, one row a photo
    dress_ids: npt.NDArray[np.int64]  # (n,) primary keys


# The catalogue


def catalogue_vectors() -> CatalogueVectors:
    """Vectors of the dresses in stock, read anew only when they have changed; empty without a live model."""
    version = ModelVersion.objects.live()
    return _read_catalogue(version, prototypes.stamp(version), settings.LOOK_WEIGHT)[0]


def catalogue_index(version: ModelVersion | None = None) -> CatalogueIndex | GraphIndex:
    """The dresses in stock as the live version or another knows them: all vectors, or pgvector's graph."""
    version = version or ModelVersion.objects.live()
    if graph := vector_search.kept(version):
        return graph
    stamp = prototypes.stamp(version)
    graph = vector_search.graph(version, prototypes.counted(stamp))
    return graph or _read_catalogue(version, stamp, settings.LOOK_WEIGHT)[1]


def exact_index(version: ModelVersion) -> CatalogueIndex:
    """As `catalogue_index`, for what needs every dress's similarity."""
    return _read_catalogue(version, prototypes.stamp(version), settings.LOOK_WEIGHT)[1]


def photos_to_embed(version: ModelVersion | None) -> QuerySet[DressPhoto]:
    """Catalogue photos that `version` has not seen and that may still succeed."""
    embedded = Embedding.objects.filter(photo=OuterRef("photo"), model_version=version)
    return DressPhoto.objects.filter(~Exists(embedded), attempts__lt=settings.SUGGEST_ATTEMPTS)


def knows_the_catalogue(version: ModelVersion) -> bool:
    """Whether `version` compares a post with every dress, and there is any."""
    return not photos_to_embed(version).exists() and len(catalogue_index(version)) > 0


def embed_catalogue(
    limit: int | None = None, progress: Progress | None = None, version: ModelVersion | None = None
) -> int:
    """Embed the catalogue photos that the live model, or `version`, has not seen yet, until `limit` or so.

    `progress` is told the number of photos after each batch. Returns how many were taken up. A photo that
    cannot be read, or ends the process, is left out after `SUGGEST_ATTEMPTS`. Raises NotReady.
    """
    eyes, done = loaded(version) if version else live(), 0
    for batch in read_ahead(_take_up_catalogue_photos, lambda: eyes, limit):
        seen = see(batch.photos)
        DressPhoto.objects.filter(photo__in=seen.embeddings).update(attempts=0)
        done += (looked_at := len(seen.embeddings) + len(seen.troubles))
        if progress:
            progress(looked_at)
    vector_search.extend_graph(eyes.version)
    return done


def _take_up_catalogue_photos(version: ModelVersion, fresh_only: bool) -> list[DressPhoto]:
    """The next photos, their attempts counted before anybody decodes them."""
    waiting = photos_to_embed(version).select_related("photo").order_by("attempts", "-pk")
    taken = a_batch_or_one(waiting, fresh_only)
    DressPhoto.objects.filter(pk__in=[row.pk for row in taken]).update(attempts=F("attempts") + 1)
    return taken


@lru_cache(maxsize=1)
def _read_catalogue(
    version: ModelVersion | None, stamp: prototypes.Stamp, look_weight: float
) -> tuple[CatalogueVectors, CatalogueIndex]:
    """`stamp` only tells one state of the catalogue from the next."""
    found = prototypes.read(version)
    found.dress_ids.flags.writeable = False
    return CatalogueVectors(found.vectors, found.dress_ids), CatalogueIndex(*found)


def _matrix(vectors: Iterable[bytes | memoryview]) -> npt.NDArray[np.float32]:
    rows = [np.frombuffer(vector, "<f4") for vector in vectors]
    return np.stack(rows) if rows else np.empty((0, 0), np.float32)


# The posts


def work_waits() -> bool:
    """Whether a post or a catalogue photo waits for the worker."""
    return (
        Post.objects.waiting_for_suggestion(timezone.now()).exists()
        or photos_to_embed(ModelVersion.objects.live()).exists()
    )


def suggest_waiting(limit: int | None = None, progress: Progress | None = None) -> int:
    """Propose for the posts that wait, until about `limit` are done; the catalogue is embedded first.

    `progress` is told the number of posts after each batch. Returns how many were worked off: proposed, or
    set aside with the reason. Safe to run twice, also at once. Raises NotReady; then the posts go on waiting.
    """
    done = 0
    embed_catalogue()
    for batch in read_ahead(_take_up_posts, live, limit):
        _propose(batch)
        done += len(batch.rows)
        if progress:
            progress(len(batch.rows))
    return done


def _take_up_posts(version: ModelVersion, fresh_only: bool) -> list[Post]:
    if not len(catalogue_index(version)):
        raise NotReady("No dress in stock has a photo: import the catalogue with manage.py import_dresses.")
    return _claim(fresh_only)


def propose_anew(posts: PostQuerySet) -> int:
    """Send posts back to wait for a suggestion of the live model; returns how many.

    A post keeps its options once somebody has judged them or is about to.
    """
    with transaction.atomic():
        proposed = posts.filter(state=Post.State.PROPOSED).order_by("pk").select_for_update(of=("self",))
        locked = list(proposed.values_list("pk", flat=True))
        return _wait(Post.objects.proposable(timezone.now()).filter(pk__in=locked))


def proposed_otherwise(posts: PostQuerySet, version: ModelVersion) -> PostQuerySet:
    """Those whose options are not the version's, or not as many as its cards show by now."""
    return posts.exclude(
        suggestion__model_version=version, suggestion__shown=Calibration.objects.of(version).shown
    )


def propose_in_place(posts: list[Post], version: ModelVersion) -> None:
    """Give open posts the version's options for those they have: at no time are they without.

    Those that somebody has judged or is about to keep what they have, and so do those whose photo is gone.
    Raises NotReady.
    """
    seen = look_at([post.photo for post in posts], loaded(version))
    with transaction.atomic():
        still = Post.objects.filter(pk__in=[post.pk for post in posts], state=Post.State.PROPOSED)
        locked = list(still.order_by("pk").select_for_update())
        outdated = proposed_otherwise(still.proposable(timezone.now()), version)
        free = set(outdated.values_list("pk", flat=True))
        index = catalogue_index(version)
        known = [post for post in locked if post.pk in free and post.photo_id in seen.embeddings]
        if len(index):
            _store(known, seen, index, version)


def try_again(posts: PostQuerySet) -> int:
    """Send posts that were set aside back to wait, where they have a photo; returns how many."""
    return _wait(posts.filter(state=Post.State.SET_ASIDE, photo__isnull=False))


def _wait(posts: PostQuerySet) -> int:
    return posts.update(state=Post.State.WAITING, attempts=0, claimed_until=None, trouble="")


@transaction.atomic(durable=True)
def _claim(fresh_only: bool = False) -> list[Post]:
    """Take the next posts up, and have that on disk before anybody decodes their photos.

    A photo may kill this process. Who was in a batch with it is then taken up alone, so that the culprit is
    found and the others go on.
    """
    now = timezone.now()
    waiting = Post.objects.waiting_for_suggestion(now)
    waiting.filter(attempts__gte=settings.SUGGEST_ATTEMPTS).update(
        state=Post.State.SET_ASIDE,
        claimed_until=None,
        trouble=f"The worker ended {settings.SUGGEST_ATTEMPTS} times while it classified this photo.",
    )
    lockable = waiting.select_for_update(skip_locked=True, of=("self",)).select_related("photo")
    posts = a_batch_or_one(lockable.order_by("attempts", "-posted_at", "-pk"), fresh_only)
    Post.objects.filter(pk__in=[post.pk for post in posts]).update(
        attempts=F("attempts") + 1, claimed_until=now + settings.SUGGEST_CLAIM
    )
    return posts


def _propose(batch: Batch[Post]) -> None:
    """By the version that has looked at them, even if another one has gone live meanwhile."""
    seen, version = see(batch.photos), batch.photos.loaded.version
    index = catalogue_index(version)
    with transaction.atomic():
        # Another worker may have had them meanwhile, where this one outlived its claim.
        still = Post.objects.filter(pk__in=[post.pk for post in batch.rows], state=Post.State.WAITING)
        locked = list(still.order_by("pk").select_for_update())
        for post in locked:
            if trouble := seen.troubles.get(post.photo_id):
                post.state, post.trouble, post.claimed_until = Post.State.SET_ASIDE, trouble, None
                post.save(update_fields=["state", "trouble", "claimed_until"])
        _store([post for post in locked if post.photo_id in seen.embeddings], seen, index, version)


def _store(posts: list[Post], seen: Seen, index: CatalogueIndex | GraphIndex, version: ModelVersion) -> None:
    """Suggestions and their options for locked posts, which are open to votes from now on."""
    if not posts:
        return
    calibration = Calibration.objects.of(version)
    fit = calibration.fit
    embeddings = [seen.embeddings[post.photo_id] for post in posts]
    vectors = _matrix(embedding.vector for embedding in embeddings)
    not_a_dress = fit.not_a_dress([embedding.not_a_dress for embedding in embeddings])
    found = index.options(vectors, not_a_dress, fit.temperature, calibration.shown)
    sizes: Sequence[int | None] = [None] * len(posts)
    if fit.threshold is not None:
        sizes = fit.set_sizes(index.probabilities(vectors, fit.temperature, fit.threshold))
    shown = found.dress_ids.shape[1]
    suggestions = Suggestion.objects.bulk_create(
        Suggestion(post=post, model_version=version, not_a_dress=probability, shown=shown, set_size=size)
        for post, probability, size in zip(posts, not_a_dress, sizes, strict=True)
    )
    Option.objects.bulk_create(
        Option(suggestion=suggestion, dress_id=dress_id, rank=rank, probability=probability)
        for suggestion, dress_ids, probabilities in zip(suggestions, *found, strict=True)
        for rank, (dress_id, probability) in enumerate(zip(dress_ids, probabilities, strict=True))
    )
    prefetch_related_objects(suggestions, "options")
    Post.objects.propose(dict(zip(posts, suggestions, strict=True)))


# Both


def a_batch_or_one(waiting: QuerySet[Row], fresh_only: bool) -> list[Row]:
    """A batch of rows never tried before or, failing that, the first of the others alone."""
    fresh = list(waiting.filter(attempts=0)[: settings.SUGGEST_BATCH])
    return fresh if fresh or fresh_only else list(waiting[:1])
