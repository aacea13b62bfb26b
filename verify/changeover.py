"""From one version of DeepDress to the next, without a moment in which a post has no options.

The next one embeds the catalogue while the live one proposes ("warming"), takes over in one transaction, and
then replaces the older proposals of posts that nobody has judged, batch by batch. All of it in parts that may
be killed and done again.
"""

from datetime import datetime, timedelta
from functools import partial

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from verify import suggest, vector_search, versions
from verify.embed import Progress
from verify.models import Embedding, ModelVersion, Notice, Post

PART = timedelta(minutes=1)  # after which a part that nobody has gone on with counts as lost


def lies_idle(now: datetime) -> bool:
    """Whether a change is to be made that no worker is at."""
    idle = Q(worked_at=None) | Q(worked_at__lt=now - PART)
    under_way = Q(state=ModelVersion.State.WARMING) | Q(
        state=ModelVersion.State.LIVE, reproposed_to__isnull=False
    )
    return ModelVersion.objects.filter(idle, under_way).exists()


def warm(limit: int | None = None, progress: Progress | None = None) -> int:
    """Let the next version embed about ``limit`` photos of the catalogue, or take over when it has all.

    Returns how much was done. Weights that cannot be used, or that end the worker, never take over.
    """
    version = ModelVersion.objects.warming()
    if version is None:
        return 0
    if _begin(version) > settings.SUGGEST_ATTEMPTS:
        return _give_up(
            version, f"The worker ended {settings.SUGGEST_ATTEMPTS} times while it worked with it."
        )
    try:
        versions.checked(version)
        done = suggest.embed_catalogue(limit, partial(_went_well, version, progress), version)
    except versions.NotReady as reason:
        return _give_up(version, str(reason))
    return done or _take_over(version)


def repropose(limit: int | None = None, progress: Progress | None = None) -> int:
    """Replace the older proposals of about ``limit`` posts by the live version's; returns of how many."""
    done = 0
    while limit is None or done < limit:
        version = ModelVersion.objects.live()
        if version is None or version.reproposed_to is None:
            break
        if not (posts := _outdated(version)):
            _finish(version)
            break
        if not suggest.knows_the_catalogue(version):
            break
        if _begin(version) <= settings.SUGGEST_ATTEMPTS:  # else a photo of these ends the worker: they stay
            suggest.propose_in_place(posts, version)
        ModelVersion.objects.filter(pk=version.pk).update(reproposed_to=posts[-1].pk)
        _went_well(version, progress, len(posts))
        done += len(posts)
    return done


def _outdated(version: ModelVersion) -> list[Post]:
    posts = Post.objects.filter(pk__gt=version.reproposed_to, state=Post.State.PROPOSED, votes=None)
    outdated = suggest.proposed_otherwise(posts, version).select_related("photo")
    return list(outdated.order_by("pk")[: settings.SUGGEST_BATCH])


def _finish(version: ModelVersion) -> None:
    """What older versions made of photos is no longer needed, but for the one to go back to."""
    reproposing = ModelVersion.objects.filter(pk=version.pk, state=ModelVersion.State.LIVE)
    if reproposing.update(reproposed_to=None):
        forgotten = ModelVersion.objects.forgettable()
        Embedding.objects.filter(model_version__in=forgotten).delete()
        vector_search.drop_graphs(forgotten)


def _begin(version: ModelVersion) -> int:
    """On disk before anything can go wrong; returns how often somebody has begun in vain, and now."""
    row = ModelVersion.objects.filter(pk=version.pk)
    row.update(attempts=F("attempts") + 1, worked_at=timezone.now())
    return row.values_list("attempts", flat=True).get()


def _went_well(version: ModelVersion, progress: Progress | None, done: int) -> None:
    ModelVersion.objects.filter(pk=version.pk).update(attempts=0, worked_at=timezone.now())
    if progress:
        progress(done)


@transaction.atomic
def _give_up(version: ModelVersion, why: str) -> int:
    row = ModelVersion.objects.select_for_update().filter(pk=version.pk).warming()
    if row:
        row.fail(why)
        told = f"{row} does not go live. {why}"
        Notice.objects.tell(Notice.Kind.MODEL_BROKEN, told[:300], timezone.now())
    return 1


@transaction.atomic
def _take_over(version: ModelVersion) -> int:
    """Unless the catalogue has grown, or an admin wanted otherwise meanwhile."""
    row = ModelVersion.objects.to_change(version)
    if row.state == ModelVersion.State.WARMING and not suggest.photos_to_embed(row).exists():
        row.go_live(timezone.now(), repropose=True)
    return 1
