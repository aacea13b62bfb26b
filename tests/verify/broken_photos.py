"""A photo whose file is missing, or none."""

from typing import Any

from django.core.files.base import ContentFile

from tests.make import make_photo


def broken_photo(data: bytes | None) -> Any:
    photo = make_photo()
    photo.small.storage.delete(photo.small.name)
    if data is not None:
        photo.small.storage.save(photo.small.name, ContentFile(data))
    return photo
