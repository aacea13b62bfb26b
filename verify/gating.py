"""Posts held against the gates when they are taken in: what they found, and how to release it.

A duplicate stays aside behind the first post with its photo, whatever becomes of that one, so that no photo
is voted on twice or stands twice on a product page. Once the first one is deleted, its duplicates are judged
anew, and the first of those takes its place. An admin may let any post through, and no gate judges it again.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone
from django_q.tasks import async_task

from verify import gates
from verify.gates import Finding, Gate, Measures
from verify.models import Employee, Flag, GateVerdict, Photo, Post
from verify.models.post_queryset import PostQuerySet

ORPHANS_AT_ONCE = 500
WORDS = {
    Gate.SIZE: "Too small: {value:.0f} pixels on the shorter side, {threshold:.0f} are wanted.",
    Gate.BLUR: "Blurred: {value:.0f} where {threshold:.0f} is sharp.",
    Gate.TEXT: "Text rather than a photo: {value:.2f}, above {threshold:.2f}.",
    Gate.SCREENSHOT: "A screenshot: writing on {value:.0%} of its rows, above {threshold:.0%}.",
    Gate.PEOPLE: "Several people: {value:.0f} faces, more than {threshold:.0f}.",
    Gate.DUPLICATE: "The photo of another post: {value:.0f} of 64 bits differ.",
}

# The same picture by its bytes, or by its fingerprint; of several the nearest, and the first of those.
NEAREST = """
    WITH new AS (
        SELECT post.id, post.photo_id, photo.fingerprint, photo.bands
        FROM verify_post post JOIN verify_photo photo ON photo.id = post.photo_id
        WHERE post.id = ANY(%(posts)s)
    ), alike AS (
        SELECT new.id, old.id AS photo, bit_count((old.fingerprint # new.fingerprint)::bit(64)) AS distance
        FROM new JOIN verify_photo old ON old.bands && new.bands
        WHERE new.fingerprint IS NOT NULL AND old.id <> new.photo_id
        UNION ALL SELECT id, photo_id, 0 FROM new
    )
    SELECT DISTINCT ON (alike.id) alike.id, other.id, alike.distance
    FROM alike JOIN verify_post other ON other.photo_id = alike.photo AND other.id < alike.id
    WHERE alike.distance <= %(most)s
    ORDER BY alike.id, alike.distance, other.id
"""


class Twin(NamedTuple):
    post: int
    distance: int  # bits


def judge(posts: Sequence[Post], now: datetime | None = None) -> list[Post]:
    """Hold back what the gates find among posts that wait; returns those, their state changed and stored.

    A photo that was never measured passes, as does a post that an admin let through.
    """
    with transaction.atomic():
        let_through = GateVerdict.objects.filter(post__in=posts).exclude(overruled_at=None)
        free = set(let_through.values_list("post", flat=True))
        judged = [post for post in posts if post.photo and post.photo.measures and post.pk not in free]
        twins = _twins(judged) if Gate.DUPLICATE in settings.GATES else {}
        found = {post: _findings(post.photo, twins.get(post.pk)) for post in judged}
        now = now or timezone.now()
        _store(found, twins, now)
        _flag(found, now)
        return _hold(found)


def _findings(photo: Photo, twin: Twin | None) -> list[Finding]:
    measures = Measures(**photo.measures, fingerprint=photo.fingerprint)
    return gates.judge(measures, settings.GATES, twin and twin.distance)


def _twins(posts: Collection[Post]) -> dict[int, Twin]:
    """For each post's pk the first post with its photo, where there is one."""
    most = min(settings.GATES[Gate.DUPLICATE], gates.FARTHEST)
    with connection.cursor() as cursor:
        cursor.execute(NEAREST, {"posts": [post.pk for post in posts], "most": most})
        found = {post: Twin(other, distance) for post, other, distance in cursor.fetchall()}
    others = {twin.post for twin in found.values()}
    holding = GateVerdict.objects.holding().filter(gate=Gate.DUPLICATE, duplicate_of__isnull=False)
    first = dict(holding.filter(post__in=others).values_list("post", "duplicate_of"))
    return _led_back(found, first)


def _led_back(found: dict[int, Twin], first: dict[int, int]) -> dict[int, Twin]:
    """A duplicate's duplicate is one of the first post: those of this call stand in their order."""
    for post in sorted(found):
        twin = found[post]
        found[post] = Twin(first.get(twin.post, twin.post), twin.distance)
        first[post] = found[post].post
    return found


def _store(found: dict[Post, list[Finding]], twins: dict[int, Twin], now: datetime) -> None:
    GateVerdict.objects.bulk_create(
        (
            GateVerdict(
                **{"post": post, "gate": finding.gate, "value": finding.value, "held": finding.held},
                **{"threshold": finding.threshold, "judged_at": now},
                duplicate_of_id=twins[post.pk].post if _is_twin(finding) else None,
            )
            for post, findings in found.items()
            for finding in findings
        ),
        update_conflicts=True,
        unique_fields=["post", "gate"],
        update_fields=["value", "threshold", "held", "duplicate_of", "judged_at"],
    )


def _flag(found: dict[Post, list[Finding]], now: datetime) -> None:
    """A flagged post is played like others, and its look is cleared by an admin who has seen it."""
    said = {"reason": Flag.Reason.SEVERAL, "by_gate": True, "created_at": now}
    flagged = [post for post, findings in found.items() if any(finding.flagged for finding in findings)]
    Flag.objects.bulk_create((Flag(post=post, **said) for post in flagged), ignore_conflicts=True)


def _is_twin(finding: Finding) -> bool:
    return finding.held and finding.gate == Gate.DUPLICATE


def _hold(found: dict[Post, list[Finding]]) -> list[Post]:
    held = [post for post, findings in found.items() if any(finding.held for finding in findings)]
    for post in held:
        post.state = Post.State.HELD
        post.trouble = " ".join(in_words(finding) for finding in found[post] if finding.held)[:300]
    Post.objects.bulk_update(held, ["state", "trouble"])
    return held


def in_words(finding: Finding | GateVerdict) -> str:
    """Why a post is kept back."""
    return WORDS[Gate(finding.gate)].format(value=finding.value, threshold=finding.threshold)


def release(posts: PostQuerySet, by: Employee | None, now: datetime | None = None) -> list[Post]:
    """Let posts through that gates keep back; returns those, which wait for a suggestion."""
    with transaction.atomic():
        held = list(posts.filter(state=Post.State.HELD).order_by("pk").select_for_update(of=("self",)))
        verdicts = GateVerdict.objects.holding().filter(post__in=held)
        verdicts.update(overruled_by=by, overruled_at=now or timezone.now())
        _wait(held)
    return held


@transaction.atomic
def unflag(posts: PostQuerySet, by: Employee | None, now: datetime | None = None) -> list[Post]:
    """Take back what gates, and no colleague, have flagged; returns those posts."""
    flagged = list(posts.filter(flags__by_gate=True).order_by("pk"))
    verdicts = GateVerdict.objects.flagging().filter(post__in=flagged)
    verdicts.update(overruled_by=by, overruled_at=now or timezone.now())
    Flag.objects.filter(post__in=flagged, by_gate=True).delete()
    return flagged


def _wait(posts: Iterable[Post]) -> None:
    pks = [post.pk for post in posts]
    waiting = {"state": Post.State.WAITING, "attempts": 0, "claimed_until": None, "trouble": ""}
    if Post.objects.filter(pk__in=pks, state=Post.State.HELD).update(**waiting):
        transaction.on_commit(lambda: async_task("verify.tasks.suggest_waiting"))


@transaction.atomic
def adopt_orphans() -> int:
    """Judge those anew whose first post is gone; returns how many that were."""
    orphans = GateVerdict.objects.orphans().values("post")
    held = Post.objects.filter(pk__in=orphans, state=Post.State.HELD).order_by("pk")
    posts = list(held.select_for_update(of=("self",)).select_related("photo")[:ORPHANS_AT_ONCE])
    GateVerdict.objects.orphans().filter(post__in=posts).update(held=False)
    _wait(posts)
    judge(posts)
    return len(posts)
