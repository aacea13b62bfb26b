"""Posts as JSON lines, in the field names of Instagram's Graph API -> posts that wait for a suggestion."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from itertools import chain, groupby
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils import timezone
from django_q.tasks import async_task
from rest_framework import serializers

from verify import gating
from verify.intake.fetch import fetch
from verify.intake.rows import (
    Fetch,
    FileUnusable,
    FirstLines,
    Outcome,
    Refusal,
    RowRefused,
    Stored,
    in_batches,
    one_batch_at_a_time,
    persistently,
    photo_at_address,
    photo_in_file,
)
from verify.intake.stones import Incoming, refused_by_tombstone
from verify.models import Photo, Post, RightsChange
from verify.models.post import INSTAGRAM
from verify.rights_requests import take_captions

FIRST_YEAR, LAST_YEAR = 2000, 2099
# What a post is given again when its photo has become another one.
ANEW: dict[str, Any] = {"state": Post.State.WAITING, "attempts": 0, "claimed_until": None, "trouble": ""}


def parse_timestamp(value: Any) -> datetime:
    """ISO 8601 with a time zone, or Unix seconds; both occur in the API. Raises ValueError."""
    expected = "Expected a time such as 2026-05-31T12:00:00+0000, or Unix seconds."
    try:
        if isinstance(value, int) and not isinstance(value, bool):
            parsed = datetime.fromtimestamp(value, UTC)
        elif value.isascii() and value.isdigit() and len(value) > 8:  # shorter ones are dates
            parsed = datetime.fromtimestamp(int(value), UTC)
        else:
            parsed = datetime.fromisoformat(value)
        if not FIRST_YEAR < parsed.year < LAST_YEAR:
            raise ValueError(f"The year {parsed.year} cannot be. {expected}")
        if parsed.tzinfo is None:
            raise ValueError(f"The time zone is missing. {expected}")
        return parsed.astimezone(UTC)
    except (AttributeError, OverflowError, OSError) as error:
        raise ValueError(expected) from error
    except ValueError as error:
        raise ValueError(str(error) if expected in str(error) else expected) from error


class TimestampField(serializers.Field):
    def to_internal_value(self, data: Any) -> datetime:
        try:
            return parse_timestamp(data)
        except ValueError as error:
            raise serializers.ValidationError(str(error)) from error


class MediaRow(serializers.Serializer):
    """A medium: a post, or one of an album's children."""

    id = serializers.CharField(max_length=120)
    media_type = serializers.ChoiceField(["IMAGE", "VIDEO", "CAROUSEL_ALBUM"], default="IMAGE")
    media_url = serializers.CharField(max_length=4000, allow_null=True, allow_blank=True, required=False)
    thumbnail_url = serializers.CharField(max_length=4000, allow_null=True, allow_blank=True, required=False)
    file = serializers.CharField(max_length=2000, allow_null=True, allow_blank=True, required=False)


class PostRow(MediaRow):
    permalink = serializers.URLField(max_length=500, allow_null=True, allow_blank=True, required=False)
    username = serializers.CharField(max_length=120, allow_null=True, allow_blank=True, required=False)
    caption = serializers.CharField(allow_null=True, allow_blank=True, required=False)
    timestamp = TimestampField(source="posted_at")
    like_count = serializers.IntegerField(min_value=0, max_value=2**31 - 1, allow_null=True, required=False)
    comments_count = serializers.IntegerField(
        min_value=0, max_value=2**31 - 1, allow_null=True, required=False
    )
    children = serializers.JSONField(required=False, allow_null=True)


AS_STATED = "stated by an import"
DETAILS = ("permalink", "username", "caption", "posted_at", "media_type", "like_count", "comments_count")
VIDEO = "A video without a photo."


@dataclass(frozen=True)
class Draft:
    """A post as its line describes it."""

    line: int
    external_id: str
    details: dict[str, Any]  # of DETAILS, those that the line states
    file: str
    url: str


@dataclass(frozen=True)
class Origin:
    """Where posts come from, and what is said of all of them."""

    name: str
    folder: Path
    rights: str | None  # None: unknown for new posts, as they are for others
    fetch: Fetch
    keeps_videos: bool = False  # as posts without a photo, set aside; else they are refused


def import_posts(
    path: Path,
    *,
    source: str = INSTAGRAM,
    rights: str | None = None,
    batch_rows: int = 500,
    fetch: Fetch = fetch,
) -> Iterator[Outcome]:
    """Store the posts of a file; yields an outcome per post and per refused line or album's child.

    An album is one post per picture in it. What a line does not state is kept as it is known. A post's photo
    behind an address is fetched once, when the post is new: the API signs addresses anew every few days,
    and what was published cannot be exchanged. Raises FileUnusable when the file cannot be read.
    """
    origin = Origin(source, path.parent, rights, fetch)
    for outcomes in import_batches(path, origin, batch_rows):
        yield from outcomes


def import_batches(
    path: Path,
    origin: Origin,
    batch_rows: int,
    after_line: int = 0,
    along: Callable[[list[Outcome]], None] = lambda outcomes: None,
) -> Iterator[list[Outcome]]:
    """As `import_posts`, batch by batch, each handed to ``along`` in the transaction that stores it."""
    with FirstLines() as first_lines:
        rows = groupby(_drafts(path, first_lines, after_line), key=lambda row: row.line)
        lines = (list(of_a_line) for _, of_a_line in rows)  # whole: reading goes on after the last one
        for batch in in_batches(lines, batch_rows, len):
            yield take_in_rows(list(chain.from_iterable(batch)), origin, along)


def take_in_rows(
    rows: Sequence[Draft | Refusal],
    origin: Origin,
    along: Callable[[list[Outcome]], None] = lambda outcomes: None,
) -> list[Outcome]:
    """Store those that are posts; the outcomes of all, in their order."""
    refusals: list[Outcome] = [row for row in rows if isinstance(row, Refusal)]
    drafts = [row for row in rows if isinstance(row, Draft)]

    def store_batch(drafts: list[Draft]) -> list[Outcome]:
        return take_in(drafts, origin, lambda outcomes: along(refusals + outcomes))

    return sorted(refusals + persistently(store_batch, drafts), key=lambda row: row.line)


def _drafts(path: Path, first_lines: FirstLines, after_line: int) -> Iterator[Draft | Refusal]:
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if number > after_line and line.strip():
                    yield from _claimed(_read(line, number), first_lines)
    except OSError as error:
        raise FileUnusable(f"{path}: {error.strerror}.") from error


def _claimed(rows: Iterable[Draft | Refusal], first_lines: FirstLines) -> Iterator[Draft | Refusal]:
    """The rows; a post that the file held before is refused, or every run would change it to and fro."""
    for row in rows:
        if isinstance(row, Draft) and (first := first_lines.claim(row.external_id, row.line)) != row.line:
            yield Refusal(row.line, "id", row.external_id, f"This post is on line {first} already.")
        else:
            yield row


def _read(line: bytes, number: int) -> Iterator[Draft | Refusal]:
    try:
        yield from drafts_of(_parsed(line), number)
    except RowRefused as refusal:
        yield refusal.at(number)


def drafts_of(stated: Any, number: int, keeps_videos: bool = False) -> Iterator[Draft | Refusal]:
    """The posts that a medium, as the API states it, becomes: an album is one per picture in it."""
    try:
        row = _checked(PostRow, stated)
        details = {name: row[name] for name in DETAILS if row.get(name) is not None}
        for item in _media(row, keeps_videos):
            yield _draft(item, number, details, keeps_videos)
    except RowRefused as refusal:
        yield refusal.at(number)


def _draft(item: Any, number: int, details: dict[str, Any], keeps_videos: bool) -> Draft | Refusal:
    try:
        medium = _checked(MediaRow, item)
        file, url = medium.get("file") or "", _address(medium)
        if not file and not url and not (keeps_videos and medium["media_type"] == "VIDEO"):
            raise RowRefused("media_url", "", _why_no_photo(medium["media_type"]))
        return Draft(number, medium["id"], details, file, url)
    except RowRefused as refusal:
        return refusal.at(number)


def _parsed(line: bytes) -> dict[str, Any]:
    """The object on a line. Numbers with a fraction are no ids: as Decimals they are refused as such."""
    try:
        stated = json.loads(line.decode("utf-8-sig"), parse_float=Decimal, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise RowRefused("", line[:200].decode("utf-8", "replace").strip(), f"not JSON: {error}") from error
    if not isinstance(stated, dict):
        raise RowRefused("", line[:200].decode("utf-8", "replace").strip(), "Expected a JSON object.")
    return stated


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no number")


def _checked(schema: type[MediaRow], stated: Any) -> dict[str, Any]:
    try:
        return dict(_form(schema).run_validation(stated))
    except serializers.ValidationError as error:
        column, messages = next(iter(serializers.as_serializer_error(error).items()))
        value = stated.get(column, "") if isinstance(stated, dict) else stated
        raise RowRefused(column, value, str(messages[0])) from error


@cache  # making one copies each of its fields, which takes longer than its use
def _form(schema: type[MediaRow]) -> MediaRow:
    return schema()


def _media(row: dict[str, Any], keeps_videos: bool) -> list[Any]:
    """The pictures of a post: itself, or an album's children but for videos without a photo.

    An album of nothing but such videos is one of them, where videos are kept.
    """
    children = row.get("children")
    if not children:
        return [row]
    media = children.get("data") if isinstance(children, dict) else None
    if not isinstance(media, list):
        raise RowRefused("children", children, 'Expected {"data": [...]}.')
    pictures = [item for item in media if not _is_mere_video(item)]
    if not pictures and media and keeps_videos:
        return [{**row, "media_type": "VIDEO"}]
    if not pictures:
        raise RowRefused("children", row["id"], "An album without a photo.")
    return pictures


def _is_mere_video(item: Any) -> bool:
    return (
        isinstance(item, dict)
        and item.get("media_type") == "VIDEO"
        and not (item.get("file") or item.get("thumbnail_url"))
    )


def _address(medium: dict[str, Any]) -> str:
    name = "thumbnail_url" if medium["media_type"] == "VIDEO" else "media_url"
    return medium.get(name) or ""


def _why_no_photo(media_type: str) -> str:
    return {
        "IMAGE": "A post without media: it has neither media_url nor file.",
        "VIDEO": "A video without a photo: it has neither thumbnail_url nor file.",
        "CAROUSEL_ALBUM": "An album without media: it has neither children nor file.",
    }[media_type]


def take_in(
    drafts: list[Draft], source: Origin, along: Callable[[list[Outcome]], None] = lambda outcomes: None
) -> list[Outcome]:
    """Store posts; every post of every import comes through here. ``along`` is called in the transaction.

    Photos first, so that the transaction is short and a refused one takes nothing with it.
    """
    drafts, outcomes = _not_refused(drafts, source)
    known = _known(drafts, source)
    with_photos: list[tuple[Draft, Photo | None]] = []
    for draft in drafts:
        try:
            with_photos.append((draft, _photo(draft, known.get(draft.external_id), source)))
        except RowRefused as refusal:
            outcomes.append(refusal.at(draft.line))
    with one_batch_at_a_time():
        still, late = _not_refused([draft for draft, _ in with_photos], source)  # forgotten meanwhile
        kept = {draft.external_id for draft in still}
        outcomes += late + _write([pair for pair in with_photos if pair[0].external_id in kept], source)
        dropped = [photo.pk for draft, photo in with_photos if photo and draft.external_id not in kept]
        Photo.objects.filter(pk__in=dropped).unused().delete()
        along(outcomes)
    return outcomes


def _not_refused(drafts: list[Draft], source: Origin) -> tuple[list[Draft], list[Outcome]]:
    """Before anything is fetched: what has been deleted for good, and whose owner is blocked."""
    incoming = {draft.external_id: _incoming(draft, source) for draft in drafts}
    reasons = {post.external_id: why for post, why in refused_by_tombstone(incoming.values()).items()}
    outcomes: list[Outcome] = [
        Refusal(draft.line, "id", draft.external_id, reasons[draft.external_id])
        for draft in drafts
        if draft.external_id in reasons
    ]
    return [draft for draft in drafts if draft.external_id not in reasons], outcomes


def _incoming(draft: Draft, source: Origin) -> Incoming:
    told = draft.details
    return Incoming(source.name, draft.external_id, told.get("permalink", ""), told.get("username", ""))


def _known(drafts: list[Draft], source: Origin) -> dict[str, Post]:
    ids = [draft.external_id for draft in drafts]
    posts = Post.objects.filter(source=source.name, external_id__in=ids)
    return {post.external_id: post for post in posts.select_related("photo")}


def _photo(draft: Draft, known: Post | None, source: Origin) -> Photo | None:
    """None of a video that has none."""
    if draft.file:
        return photo_in_file(source.folder, draft.file, "file", known.photo if known else None)
    if (known and known.photo) or not draft.url:
        return known.photo if known else None
    return photo_at_address(draft.url, "media_url", source.fetch)


def _write(drafts: list[tuple[Draft, Photo | None]], source: Origin) -> list[Outcome]:
    known = _known([draft for draft, _ in drafts], source)
    new = [(draft, photo) for draft, photo in drafts if draft.external_id not in known]
    posts = Post.objects.bulk_create(_new_post(draft, photo, source) for draft, photo in new)
    RightsChange.objects.note_new(posts, AS_STATED)
    take_captions(posts)
    gating.judge(posts)
    outcomes: list[Outcome] = [Stored(draft.line, "new") for draft, _ in new]
    photos_came = bool(new)
    for draft, photo in drafts:
        if post := known.get(draft.external_id):
            photos_came |= photo is not None and post.photo_id != photo.pk
            outcomes.append(_update(post, draft, photo, source))
    if photos_came:
        transaction.on_commit(lambda: async_task("verify.tasks.suggest_waiting"))
    return outcomes


def _new_post(draft: Draft, photo: Photo | None, source: Origin) -> Post:
    rights = {"rights": source.rights} if source.rights else {}
    stands = {} if photo else {"state": Post.State.SET_ASIDE, "trouble": VIDEO}
    facts = {**draft.details, **rights, **stands}
    return Post(source=source.name, external_id=draft.external_id, photo=photo, **facts)


def _update(post: Post, draft: Draft, photo: Photo | None, source: Origin) -> Outcome:
    changes = {name: value for name, value in draft.details.items() if getattr(post, name) != value}
    former = post.photo_id
    if photo and photo.pk != former:
        if not _may_change_photo(post):
            reason = "Another photo than before, and the post is being judged or has been: it keeps its own."
            return Refusal(draft.line, "file", draft.file, reason)
        changes |= {"photo": photo, **ANEW}
    stated = source.rights if source.rights != post.rights else None
    told_anew = RightsChange.objects.make([post], stated, AS_STATED) if stated else []
    if not changes and not told_anew:
        return Stored(draft.line, "unchanged")
    for name, value in changes.items():
        setattr(post, name, value)
    post.save(update_fields=changes.keys())
    if "caption" in changes:
        take_captions([post])
    if photo and photo.pk != former:
        gating.judge([post])
    Photo.objects.filter(pk=former).unused().delete()
    return Stored(draft.line, "changed")


def _may_change_photo(post: Post) -> bool:
    """Nobody has judged the photo that the post has, and nobody is looking at it. Locks the post."""
    now = timezone.now()
    post = Post.objects.select_for_update(no_key=True).get(pk=post.pk)
    in_no_hands = post.claimed_until is None or post.claimed_until < now
    proposable = Post.objects.proposable(now).filter(pk=post.pk).exists()
    return in_no_hands and (proposable or post.state in (Post.State.SET_ASIDE, Post.State.HELD))
