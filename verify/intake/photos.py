"""Photos as rows: each picture once, its copies in the default storage."""

from django.core.files.base import ContentFile
from django.db import IntegrityError, transaction

from verify.intake.copies import PhotoRefused, Prepared, digest, small_size
from verify.intake.decoder import prepare
from verify.models import Photo

__all__ = ["PhotoRefused", "Prepared", "digest", "prepare", "small_size", "store", "store_prepared"]


def store(data: bytes) -> Photo:
    """The photo of these bytes, stored now or before. Raises PhotoRefused."""
    return Photo.objects.filter(sha256=digest(data)).first() or store_prepared(prepare(data))


def store_prepared(prepared: Prepared) -> Photo:
    """Store the copies; where somebody stored the same picture first, theirs are kept."""
    photo = Photo(sha256=prepared.sha256, width=prepared.width, height=prepared.height)
    photo.measured(prepared.measures)
    photo.large.save("large.jpg", ContentFile(prepared.large), save=False)
    photo.small.save("small.jpg", ContentFile(prepared.small), save=False)
    try:
        with transaction.atomic():
            photo.save(force_insert=True)
    except IntegrityError:
        _discard_files(photo)
        return Photo.objects.get(sha256=prepared.sha256)
    return photo


def _discard_files(photo: Photo) -> None:
    photo.large.delete(save=False)
    photo.small.delete(save=False)
