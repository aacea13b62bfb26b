"""What an import must not take in again: every post of every import is asked about here."""

from collections.abc import Iterable
from typing import NamedTuple

from verify import identities
from verify.models import Tombstone
from verify.models.privacy import digest_of, media_key


class Incoming(NamedTuple):
    """A post as far as stones know any; ``permalink`` and ``username`` may be empty."""

    source: str
    external_id: str
    permalink: str
    username: str


REASONS = {
    Tombstone.Reason.GONE: "It was gone at its source: it is not taken in again.",
    Tombstone.Reason.ASKED: "Its owner wanted it gone: it is not taken in again.",
    Tombstone.Reason.BLOCKED: "Its owner is blocked.",
    Tombstone.Reason.RETENTION: "It has been here, and its time was over.",
}


def refused_by_tombstone(posts: Iterable[Incoming]) -> dict[Incoming, str]:
    """Those that must stay outside, with the reason; one statement, however many they are."""
    marks = {post: set(_marks(post)) for post in posts}
    every = {digest for found in marks.values() for _, digest in found}
    stones = Tombstone.objects.filter(digest__in=every).values_list("kind", "digest", "reason")
    reasons = {(kind, digest): REASONS[Tombstone.Reason(reason)] for kind, digest, reason in stones}
    met = {post: sorted(found & reasons.keys()) for post, found in marks.items()}
    return {post: reasons[found[0]] for post, found in met.items() if found}


def _marks(post: Incoming) -> Iterable[tuple[str, str]]:
    keys = {
        Tombstone.Kind.MEDIA: media_key(post.source, post.external_id),
        Tombstone.Kind.PERMALINK: identities.permalink_key(post.permalink),
        Tombstone.Kind.HANDLE: identities.handle_key(post.username),
    }
    return [(str(kind), digest_of(str(kind), key)) for kind, key in keys.items() if key]
