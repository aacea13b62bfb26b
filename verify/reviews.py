"""Customers' own photos of a dress that they name: posts whose dress is known, for admins to clear."""

from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction

from verify.intake.copies import digest
from verify.intake.photos import store
from verify.intake.stones import Incoming, refused_by_tombstone
from verify.models import Answer, ApiKey, Dress, Photo, Post, Review, RightsChange
from verify.models.privacy import digest_of_email
from verify.models.review import SOURCE

OF_THE_FORM = "form"


class Refused(Exception):
    """The review is not taken in; the message is for whoever sent it."""


class AnotherPhoto(Refused):
    """The client's id stands for another photo."""


@dataclass(frozen=True)
class Sent:
    """A review as it came, found well formed."""

    client_id: str  # the sender's own: the same one again is the same review
    dress: Dress
    photo: bytes
    consent: str  # the words that were agreed to
    rating: int | None = None
    text: str = ""
    handle: str = ""
    email_sha256: str = ""  # of the address in lower case; empty where none was given
    key: ApiKey | None = None


def take(sent: Sent, now: datetime) -> tuple[Post, bool]:
    """The review's post, and whether it is new.

    Settled as what the customer says it shows; whoever sent it has granted the rights, and no setting shows
    it before an admin has. Raises Refused, AnotherPhoto, PhotoRefused.
    """
    external_id = f"{sent.key.prefix if sent.key else OF_THE_FORM}:{sent.client_id}"
    if known := Post.objects.filter(source=SOURCE, external_id=external_id).first():
        return _the_same(known, sent), False
    incoming = Incoming(SOURCE, external_id, "", sent.handle)
    if reason := refused_by_tombstone([incoming]).get(incoming):
        raise Refused(reason)
    photo = store(sent.photo)
    try:
        return _store(sent, external_id, photo, now), True
    except IntegrityError:  # the same one at the same time
        Photo.objects.filter(pk=photo.pk).unused().delete()
        return _the_same(Post.objects.get(source=SOURCE, external_id=external_id), sent), False


def _the_same(known: Post, sent: Sent) -> Post:
    if known.photo.sha256 != digest(sent.photo):
        raise AnotherPhoto("This id was sent before, with another photo: a new review needs a new id.")
    return known


@transaction.atomic
def _store(sent: Sent, external_id: str, photo: Photo, now: datetime) -> Post:
    post = Post.objects.create(
        source=SOURCE,
        external_id=external_id,
        username=sent.handle,
        caption=sent.text,
        posted_at=now,
        photo=photo,
        rights=Post.Rights.GRANTED,
        state=Post.State.SETTLED,
        answer=Answer.DRESS,
        dress=sent.dress,
        settled_at=now,
    )
    email = digest_of_email(sent.email_sha256) if sent.email_sha256 else ""
    words = sent.consent[:300]
    Review.objects.create(post=post, rating=sent.rating, email_digest=email, consent=words, key=sent.key)
    RightsChange.objects.note_new([post], f"Agreed to when sending it: {words}")
    post.publish(now)
    return post
