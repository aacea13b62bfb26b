"""Instagram's "download your information", a ZIP -> the posts of the account that asked for it.

Nothing is unpacked to disk. What the ZIP says of its own sizes is not believed.
"""

import json
import lzma
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

from django.conf import settings

from verify.intake.fetch import FetchRefused
from verify.intake.posts import Draft, Origin, drafts_of, take_in_rows
from verify.intake.rows import FileUnusable, Outcome, Refusal, in_batches

NAME = "instagram_export"  # of posts' source: an export states no ids of Instagram's
MOST_JSON = 50_000_000  # bytes of one file, unpacked
MOST_DIRECTORY = 50_000_000  # bytes of the ZIP's own list of files: some 400,000 of them
CHUNK = 1 << 20
VIDEOS = (".mp4", ".mov", ".m4v", ".webm", ".srt")
BROKEN = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error),
    *(NotImplementedError, RuntimeError, EOFError, OSError, ValueError),
)

Along = Callable[[list[Outcome]], None]


def export_batches(
    path: Path,
    rights: str | None,
    batch_rows: int = 200,
    after: int = 0,
    along: Along = lambda outcomes: None,
) -> Iterator[list[Outcome]]:
    """Store the posts of an export, each picture of a post as one; an outcome's line is its number.

    Raises FileUnusable when it is no ZIP, or no export, or of a size that no export has.
    """
    with _opened(path) as archive:
        origin = Origin(NAME, Path(), rights, lambda name: read_photo(archive, name))
        rows = (row for row in posts_of(archive) if row.line > after)
        for batch in in_batches(rows, batch_rows, lambda row: 1):
            yield take_in_rows(batch, origin, along)


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    _check_directory(path)
    try:
        archive = zipfile.ZipFile(path)
    except BROKEN as error:
        raise FileUnusable(f"{path} is no ZIP file, or a damaged one.") from error
    with archive:
        yield archive


def _check_directory(path: Path) -> None:
    """Before Python reads the whole list of files into memory."""
    try:
        with path.open("rb") as file:
            length = file.seek(0, 2)
            file.seek(max(0, length - 70_000))
            tail = file.read()
    except OSError as error:
        raise FileUnusable(f"{path}: {error.strerror}.") from error
    end, far = tail.rfind(b"PK\x05\x06"), tail.rfind(b"PK\x06\x06")
    size = 0
    if 0 <= end <= len(tail) - 22:
        size = struct.unpack_from("<L", tail, end + 12)[0]
    if size == 0xFFFFFFFF and 0 <= far <= len(tail) - 56:
        size = struct.unpack_from("<Q", tail, far + 40)[0]
    if size > MOST_DIRECTORY:
        raise FileUnusable(f"{path}: its list of files takes {size:,} bytes; no export has so many files.")


def posts_of(archive: zipfile.ZipFile) -> Iterator[Draft | Refusal]:
    """Each picture, numbered from 1; pictures that the ZIP lists twice are refused the second time."""
    files = _lists(archive)
    username, seen, number = _username(archive), set[str](), 0
    for name in files:
        for entry in _entries(archive, name):
            for medium in _media(entry):
                number += 1
                row = _row(medium, number, username)
                if isinstance(row, Draft) and row.external_id in seen:
                    row = Refusal(number, "uri", row.url, "This picture comes twice.")
                if isinstance(row, Draft):
                    seen.add(row.external_id)
                yield row


def _lists(archive: zipfile.ZipFile) -> list[str]:
    """The files that list posts, of whichever layout: posts_1.json and so on, or the older media.json."""
    names = archive.namelist()
    found = [name for name in names if _is_posts(PurePosixPath(name).name)]
    older = [name for name in names if PurePosixPath(name).name == "media.json"]
    if not (found or older):
        raise FileUnusable(
            f"{archive.filename} is no export of Instagram's: expected content/posts_1.json,"
            " your_instagram_activity/…/posts_1.json or media.json in it. Ask Instagram for JSON, not HTML."
        )
    return sorted(found, key=lambda name: (len(name), name)) or older


def _is_posts(name: str) -> bool:
    return name.startswith("posts_") and name.endswith(".json") and name[6:-5].isdigit()


def _entries(archive: zipfile.ZipFile, name: str) -> list[Any]:
    """The posts that a list holds, in the newer layout's form."""
    listed = _json(archive, name)
    if isinstance(listed, dict) and isinstance(listed.get("photos"), list):
        listed = [_from_older(photo) for photo in listed["photos"]]
    if not isinstance(listed, list):
        raise FileUnusable(f"{archive.filename}: {name} is not a list of posts.")
    return listed


def _from_older(photo: Any) -> Any:
    if not isinstance(photo, dict):
        return photo
    taken = {"uri": photo.get("path"), "creation_timestamp": photo.get("taken_at")}
    return {"media": [{**taken, "title": photo.get("caption")}]}


def _media(entry: Any) -> list[Any]:
    """The pictures of a post, each with the post's words and time where it has none of its own."""
    media = entry.get("media") if isinstance(entry, dict) else None
    if not isinstance(media, list):
        return [entry]
    shared = {name: entry[name] for name in ("title", "creation_timestamp") if entry.get(name)}
    return [{**item, **shared} if isinstance(item, dict) else item for item in media]


def _row(medium: Any, number: int, username: str) -> Draft | Refusal:
    uri = medium.get("uri") if isinstance(medium, dict) else None
    if not isinstance(uri, str) or not uri:
        return Refusal(number, "media", str(medium)[:100], "Expected a picture with its uri.")
    if uri.lower().endswith(VIDEOS):
        return Refusal(number, "uri", uri, "A video without a photo.")
    if not is_plain(uri):
        return Refusal(number, "uri", uri, "the photo lies outside the export")
    stated = {
        "id": f"{medium.get('creation_timestamp')}-{PurePosixPath(uri).name}"[-120:],
        "media_url": uri,
        "timestamp": medium.get("creation_timestamp"),
        "caption": repaired(medium.get("title")),
        "username": username,
    }
    return next(iter(drafts_of(stated, number)))


def is_plain(uri: str) -> bool:
    """Whether a path leads nowhere but down into the ZIP."""
    parts = uri.split("/")
    return not (uri.startswith("/") or "\\" in uri or "\0" in uri or ":" in parts[0] or ".." in parts)


def repaired(text: Any) -> Any:
    """Instagram writes each byte of UTF-8 as a character of its own; text that is not so stays."""
    if not isinstance(text, str):
        return text
    try:
        return text.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return text


def _username(archive: zipfile.ZipFile) -> str:
    """Of the account, where the export says so."""
    for name in archive.namelist():
        if PurePosixPath(name).name == "personal_information.json":
            try:
                user = _json(archive, name)["profile_user"][0]["string_map_data"]["Username"]["value"]
            except (FileUnusable, LookupError, TypeError):
                return ""
            return str(repaired(user))[:120]
    return ""


def _json(archive: zipfile.ZipFile, name: str) -> Any:
    try:
        return json.loads(_read(archive, name, MOST_JSON))
    except (*BROKEN, KeyError, RecursionError) as error:
        reason = str(error) if isinstance(error, TooLarge) else "it is damaged, or no JSON"
        raise FileUnusable(f"{archive.filename}: {name} cannot be read: {reason}.") from error


def read_photo(archive: zipfile.ZipFile, name: str) -> bytes:
    """Raises FetchRefused, as what fetches from an address does."""
    try:
        return _read(archive, name, settings.PHOTO_MAX_BYTES)
    except KeyError as error:
        raise FetchRefused("the export holds no such file") from error
    except TooLarge as error:
        raise FetchRefused(str(error)) from error
    except BROKEN as error:
        raise FetchRefused("the export is damaged, or encrypted, there") from error


class TooLarge(ValueError):
    pass


def _read(archive: zipfile.ZipFile, name: str, most: int) -> bytes:
    """Unpacked piece by piece: a bomb's own word for its size is not taken."""
    content = bytearray()
    with archive.open(name) as file:
        while piece := file.read(CHUNK):
            content += piece
            if len(content) > most:
                raise TooLarge(f"more than {most:,} bytes")
    return bytes(content)
