"""Photos taken from the storage into a folder, each named by the SHA-256 of its bytes."""

import hashlib
import os
import shutil
from collections.abc import Collection
from pathlib import Path

from django.core.files.storage import default_storage

PHOTOS = "photos"


def content_of(name: str) -> str | None:
    """SHA-256 of a photo in the storage; None if it is missing."""
    digest = hashlib.sha256()
    try:
        with default_storage.open(name) as stored:
            for chunk in stored.chunks():
                digest.update(chunk)
    except FileNotFoundError:
        return None
    return digest.hexdigest()


def path_of(content: str) -> str:
    """Where an export lays the photo of this content, relative to its folder."""
    return f"{PHOTOS}/{content[:2]}/{content}.jpg"


class PhotoShelf:
    """The photos of an export: hard links where the storage is on the same disk, copies elsewhere."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.missing: list[str] = []  # names in the storage
        self._contents: dict[str, str | None] = {}
        self._draft = folder / PHOTOS / f".draft-{os.getpid()}"

    def put(self, name: str) -> str | None:
        """Take a photo of the storage in and return its content's SHA-256; None if it is missing or empty."""
        if name not in self._contents:
            self._contents[name] = self._taken(name)
        return self._contents[name]

    def digest(self, name: str) -> str | None:
        """The same, of a photo that is not to be taken in."""
        return self._contents[name] if name in self._contents else content_of(name)

    def keep(self, contents: Collection[str]) -> None:
        """Throw out every other photo that an export put here, of this time or an earlier one."""
        for file in (self.folder / PHOTOS).glob("??/*.jpg"):
            if file.stem not in contents and len(file.stem) == 64:
                file.unlink()
        for draft in (self.folder / PHOTOS).glob(".draft-*"):
            draft.unlink()

    def _taken(self, name: str) -> str | None:
        self._draft.parent.mkdir(parents=True, exist_ok=True)
        self._draft.unlink(missing_ok=True)
        try:
            self._fetch(name)
        except FileNotFoundError:
            self.missing.append(name)
            return None
        with self._draft.open("rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
        empty = not self._draft.stat().st_size
        if empty:
            self.missing.append(name)
        else:
            self._place(self.folder / path_of(content))
        self._draft.unlink(missing_ok=True)  # still there, too, if both were links to one file
        return None if empty else content

    def _place(self, path: Path) -> None:
        path.parent.mkdir(exist_ok=True)
        self._draft.replace(path)

    def _fetch(self, name: str) -> None:
        try:
            os.link(default_storage.path(name), self._draft)
        except (NotImplementedError, OSError):  # not on this machine, or on another disk
            with default_storage.open(name) as stored, self._draft.open("wb") as copy:
                shutil.copyfileobj(stored, copy)
