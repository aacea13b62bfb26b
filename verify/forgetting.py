"""Deleting for good: what is known of a person, and posts that must go, with all that hangs on them.

A post goes with its photo (row and files), embeddings, suggestions, votes, look, remarks and history; what an
export wrote of it goes from the file. A tombstone stays, so that no import brings it back.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Q, QuerySet, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from verify import identities, strike
from verify.intake.rows import one_batch_at_a_time
from verify.models import (
    FileToErase,
    Mention,
    OptOut,
    Photo,
    Post,
    RefusedMedia,
    RightsAnswer,
    Tombstone,
    WrittenExport,
)
from verify.models.post_queryset import PostQuerySet
from verify.models.privacy import digest_of_email, sha256_of_email
from verify.photo_shelf import content_of

BATCH = 200  # posts in a transaction
WORDS = {
    "Post": "posts",
    "Photo": "photos, each in two files",
    "Embedding": "embeddings of photos",
    "Suggestion": "suggestions of DeepDress",
    "Vote": "votes of colleagues",
    "Lease": "cards handed out",
    "GoldAnswer": "answers to cards of known answer",
    "Flag": "remarks on what is unfit",
    "Nomination": "voices for the hall of fame",
    "Notice": "notices to admins",
    "Look": "looks",
    "Review": "reviews",
    "RightsChange": "lines of the history of rights",
    "RightsRequest": "requests for rights",
    "RightsAnswer": "answers to requests",
    "OptOut": "opt-outs",
    "Mention": "mentions of us, as Instagram told them",
    "RefusedMedia": "notes of media that were not taken in",
    "exported": "rows of exports",
    "Interaction": "things done in the shop",
}


@dataclass(frozen=True)
class Person:
    """Whom it is about: all that is given is looked for, and any of it is enough."""

    handle: str = ""
    permalink: str = ""
    media_id: str = ""
    email: str = ""

    @property
    def is_named(self) -> bool:
        return bool(self.handle or self.permalink or self.media_id or self.email)

    def posts(self) -> PostQuerySet:
        found = Q(pk=None)
        if key := identities.handle_key(self.handle):
            found |= Q(username__iexact=key) | Q(username__iexact=f"@{key}")
        if self.media_id.strip():
            found |= Q(external_id=self.media_id.strip())
        if self.email:
            found |= Q(review__email_digest=digest_of_email(sha256_of_email(self.email)))
        return Post.objects.filter(found | Q(pk__in=self._at_the_address()))

    def _at_the_address(self) -> list[int]:
        key = identities.permalink_key(self.permalink)
        if not key:
            return []
        near = Post.objects.filter(permalink__contains=key.removeprefix("instagram:")).values_list(
            "pk", "permalink"
        )
        return [pk for pk, link in near.iterator() if identities.permalink_key(link) == key]

    def answers(self) -> QuerySet[RightsAnswer]:
        """What they wrote under other people's posts."""
        key = identities.handle_key(self.handle)
        return RightsAnswer.objects.filter(username__iexact=key) if key else RightsAnswer.objects.none()

    def opt_outs(self) -> QuerySet[OptOut]:
        found = Q(pk=None)
        if self.email:
            found |= Q(email__iexact=self.email.strip())
        if key := identities.handle_key(self.handle):
            found |= Q(handle__iexact=key) | Q(handle__iexact=f"@{key}")
        return OptOut.objects.filter(found)


@dataclass
class Report:
    """What was removed, and what is not ours to remove at once."""

    removed: Counter[str] = field(default_factory=Counter)
    put_off: int = 0  # posts that wait for the end of an export
    unwritable: list[str] = field(default_factory=list)  # exports that could not be cleaned
    shared: int = 0  # photos kept: others have posted the same

    def lines(self) -> list[str]:
        told = [f"{self.removed[name]:,} {words}" for name, words in WORDS.items() if self.removed[name]]
        if self.shared:
            told.append(f"{self.shared:,} photos stay: somebody else has posted the same")
        if self.put_off:
            told.append(f"{self.put_off:,} posts go within the hour: an export at work may hold them")
        told += [f"not cleaned, for it cannot be written to: {path}" for path in self.unwritable]
        return told

    def add(self, struck: strike.Struck) -> None:
        self.removed["exported"] += struck.rows
        self.unwritable += [path for path in struck.unwritable if path not in self.unwritable]

    @staticmethod
    def windows() -> list[str]:
        return [
            "Shops and browsers may show a look for a minute, and a photo for ten: caches last that long.",
            f"Backups of database and photos keep it until they are {settings.BACKUP_DAYS} days old.",
            "A version of DeepDress that has learnt from a photo keeps what it learnt until another is live;"
            " none is trained on from it.",
            "Exports that were moved or copied elsewhere are for whoever has them to delete.",
        ]


Progress = Callable[[int], object]


def erase(
    posts: PostQuerySet,
    reason: Tombstone.Reason,
    report: Report | None = None,
    progress: Progress | None = None,
) -> Report:
    """Delete the posts, in batches each of which is whole; whoever is killed in between can start again.

    What an export at work may hold waits until it has ended: hidden, and due for `erase_due`.
    """
    report, last = report or Report(), 0
    while pks := list(posts.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:BATCH]):
        _erase_batch(pks, reason, report)
        last = pks[-1]
        if progress:
            progress(len(pks))
    return report


def _erase_batch(pks: list[int], reason: Tombstone.Reason, report: Report) -> None:
    """Files of exports first: they are found by what the rows still say."""
    batch = list(Post.objects.filter(pk__in=pks).select_related("photo"))
    photos = {post.photo_id for post in batch if post.photo_id}
    alone = Photo.objects.filter(pk__in=photos).exclude(posts__in=Post.objects.exclude(pk__in=pks))
    alone = alone.filter(dress_photos=None)
    with strike.out_of_exports(_gone(batch, alone)) as struck:
        report.add(struck)
        if struck.busy:
            report.put_off += len(pks)
            _put_off(pks, reason)
            return
        report.shared += len(photos) - alone.count()
        with one_batch_at_a_time():
            Tombstone.objects.bury(batch, reason, timezone.now())
            _, counts = Post.objects.filter(pk__in=pks).delete()
            ids = [post.external_id for post in batch]
            counts["Mention"] = Mention.objects.filter(media_id__in=ids).delete()[0]
            counts["RefusedMedia"] = RefusedMedia.objects.filter(external_id__in=ids).delete()[0]
            _unname_in_log(pks)
    for label, count in counts.items():
        report.removed[label.rpartition(".")[2]] += count


def _gone(batch: list[Post], alone: QuerySet[Photo]) -> strike.Gone:
    if not WrittenExport.objects.exists():
        return strike.Gone()  # to read every photo takes long, where they are in a bucket
    contents = {content for name in alone.values_list("large", flat=True) if (content := content_of(name))}
    return strike.Gone({f"{post.source}:{post.external_id}" for post in batch}, contents)


def _put_off(pks: list[int], reason: Tombstone.Reason) -> None:
    """Until the export has ended; what only its time was over for is found again by that."""
    if because := next((why for why, stone in REASONS.items() if stone == reason), None):
        now = timezone.now()
        Post.objects.filter(pk__in=pks).update(
            hidden_at=Coalesce("hidden_at", Value(now)), hidden_because=because, erase_at=now
        )


def _unname_in_log(pks: list[int]) -> None:
    """Who did what and when stays in the admin's log, but not the media's ids."""
    entries = LogEntry.objects.filter(content_type=ContentType.objects.get_for_model(Post))
    entries.filter(object_id__in=list(map(str, pks))).update(object_repr="a post that is deleted")


def forget(person: Person, block: bool = False, progress: Progress | None = None) -> Report:
    """Delete all that is known of a person; with ``block``, what they post is refused from now on."""
    report = erase(person.posts(), Tombstone.Reason.ASKED, progress=progress)
    report.removed["RightsAnswer"] += person.answers().delete()[0]
    report.removed["OptOut"] += person.opt_outs().delete()[1].get("verify.OptOut", 0)
    if block and person.handle:
        Tombstone.objects.block(person.handle, Tombstone.Reason.ASKED, timezone.now())
    return report


def block(handle: str, now: datetime) -> int:
    """Refuse what a user posts, and take down what there is: deleted as soon as the worker gets to it."""
    key = identities.handle_key(handle)
    Tombstone.objects.block(key, Tombstone.Reason.BLOCKED, now, label=key)
    posts = Person(handle=key).posts()
    posts.update(erase_at=now)
    return posts.hide(Post.Hidden.BLOCKED, now, now)


REASONS = {
    Post.Hidden.GONE: Tombstone.Reason.GONE,
    Post.Hidden.OPT_OUT: Tombstone.Reason.ASKED,
    Post.Hidden.BLOCKED: Tombstone.Reason.BLOCKED,
}


def erase_due(now: datetime) -> int:
    """Delete what is to go by now, whatever hid it; returns how many posts."""
    count = 0
    for why, reason in REASONS.items():
        due = Post.objects.filter(erase_at__lte=now, hidden_because=why)
        count += erase(due, reason).removed["Post"]
    FileToErase.objects.erase()
    return count
