"""How long posts are kept. Every clock starts when a post is settled, none while it waits for its batch.

What a quality gate keeps back waits for no batch: its clock starts with the gate's verdict.
"""

from collections import Counter
from datetime import datetime, timedelta
from typing import NamedTuple

from django.conf import settings
from django.core.files.storage import default_storage
from django.db.models import Exists, Max, OuterRef, Q, Subquery
from django.db.models.functions import Greatest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from verify import forgetting, rights
from verify.models import Answer, FileToErase, Look, Nomination, OptOut, Photo, Post, RightsChange, Tombstone
from verify.models.post_queryset import PostQuerySet

FOLDER = "photos"  # of the storage
YOUNG = timedelta(days=1)  # a file whose row may still be on its way


class Kept(NamedTuple):
    """A kind of post that is no look, and is kept all the same: for so many days, and why."""

    name: str  # in `settings.KEPT_DAYS`
    which: Q
    reason: Promise


def kept_on_purpose() -> list[Kept]:
    trained_on = [Post.Rights.GRANTED]
    if settings.TRAIN_ON_UNANSWERED:
        trained_on += [Post.Rights.UNKNOWN, Post.Rights.REQUESTED]
    no_dress = Q(answer=Answer.NOT_A_DRESS)
    return [
        Kept("gold", Q(pk__in=Post.objects.gold().values("pk")), _("its answer is known: it checks voters")),
        Kept("audit", Q(audit=True), _("of the sample that our stated confidence is checked on")),
        Kept(
            "negatives", no_dress & Q(rights__in=trained_on), _("DeepDress learns from it what is no dress")
        ),
        Kept(
            "fame",
            no_dress & Exists(Nomination.objects.filter(post=OuterRef("pk"))),
            _("it hangs in the hall of fame"),
        ),
    ]


def before(now: datetime, kind: str) -> datetime:
    return now - timedelta(days=settings.KEPT_DAYS[kind])


def no_looks(now: datetime) -> PostQuerySet:
    """Settled as something else than a dress of ours, and not kept on purpose any longer."""
    old = Post.objects.filter(~Q(answer=Answer.DRESS), state=Post.State.SETTLED)
    old = old.filter(settled_at__lt=before(now, "no_look"))
    for kind in kept_on_purpose():
        old = old.exclude(kind.which, settled_at__gte=before(now, kind.name))
    return old


def refused(now: datetime) -> PostQuerySet:
    """Settled, and refused since: by the owner, or for display by an admin. Nothing keeps these longer."""
    said_no = RightsChange.objects.filter(post=OuterRef("pk"), rights__in=rights.SAID_NO).order_by("-at")
    settled = Post.objects.filter(state=Post.State.SETTLED)
    settled = settled.annotate(said_no_at=Subquery(said_no.values("at")[:1]))
    until = before(now, "refused")
    by_owner = Q(rights__in=rights.SAID_NO) & Q(refused_at__lt=until)
    by_us = Q(look__clearance=Look.Clearance.REFUSED, look__cleared_at__lt=until, settled_at__lt=until)
    return settled.annotate(refused_at=Greatest("settled_at", "said_no_at")).filter(by_owner | by_us)


def held_back(now: datetime) -> PostQuerySet:
    """Kept from people by a quality gate, and let through by nobody since: their clock starts there."""
    held = Post.objects.filter(state=Post.State.HELD)
    held = held.annotate(held_at=Max("gate_verdicts__judged_at", filter=Q(gate_verdicts__held=True)))
    return held.filter(held_at__lt=before(now, "no_look"))


def retain(now: datetime) -> Counter[str]:
    """Delete what has been kept long enough, in batches each of which is whole; returns how many of what.

    May be killed at any point and run again: rows go with a note of their files, which are deleted after.
    """
    count: Counter[str] = Counter()
    for name, posts in (("refused", refused(now)), ("no look", no_looks(now)), ("held back", held_back(now))):
        count[name] = forgetting.erase(posts, Tombstone.Reason.RETENTION).removed["Post"]
    count["files"] = FileToErase.objects.erase() + sweep(now)
    count["opt-outs"] = OptOut.objects.filter(closed_at__lt=now - settings.OPT_OUTS_KEPT).delete()[0]
    return count


def sweep(now: datetime) -> int:
    """Delete stored photos that no row knows; returns how many.

    A process that is killed between storing the files and the row leaves such ones. Only where the storage is
    a folder: to list a bucket takes long and costs money, and its own rules for old files do it.
    """
    if settings.MEDIA_BUCKET:
        return 0
    count = 0
    for folder in _folders():
        names = {f"{FOLDER}/{folder}/{name}" for name in default_storage.listdir(f"{FOLDER}/{folder}")[1]}
        rows = Photo.objects.filter(Q(large__in=names) | Q(small__in=names)).values_list("large", "small")
        for name in names - {name for pair in rows for name in pair}:
            if default_storage.get_modified_time(name) < now - YOUNG:
                default_storage.delete(name)
                count += 1
    return count


def _folders() -> list[str]:
    try:
        return sorted(default_storage.listdir(FOLDER)[0])
    except FileNotFoundError:
        return []
