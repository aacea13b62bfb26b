"""The golden set: settled posts with their photo, verdict and everything that the verdict rests on.

One row a post, as a dict of plain values. A dress is named by its SKU, in posteriors too. ``person`` and
``voter`` are keyed hashes: who is who stays unknown, and a set can be split so that nobody's photos are on
both sides. So can ``photo_sha256``, for the same photo posted twice.
"""

import csv
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, TextIO

from django.db.models import Prefetch
from django.utils.crypto import salted_hmac

from verify.consensus import dress_key
from verify.models import Answer, Option, Post, Vote, WrittenExport
from verify.models.post_queryset import PostQuerySet
from verify.only_one import only_one

Row = dict[str, Any]
Write = Callable[[Row], object]

ANSWERS = (Answer.DRESS, Answer.NOT_A_DRESS)
CHUNK = 500
LOCK = ".lock"  # of each folder that an export writes to
COLUMNS = (
    *("post", "person", "permalink", "posted_at"),
    *("photo_path", "photo_token", "photo_sha256", "width", "height"),
    *("answer", "dress", "confidence", "decided_by", "settled_at"),
    *("posterior", "votes_cast", "votes", "options", "model_version"),
    *("audit", "clearance", "rights", "flags"),
)


def settled(answers: Iterable[str] = ANSWERS) -> PostQuerySet:
    return Post.objects.filter(state=Post.State.SETTLED, answer__in=list(answers)).order_by("pk")


def rows(posts: PostQuerySet) -> Iterator[Row]:
    """A row for each of ``posts``, fetched in chunks; keys are `COLUMNS`."""
    votes = Vote.objects.select_related("option__dress").order_by("created_at", "pk")
    options = Option.objects.select_related("dress").order_by("rank")
    related = posts.select_related("photo", "dress", "suggestion__model_version", "look").prefetch_related(
        Prefetch("votes", votes), Prefetch("suggestion__options", options), "flags"
    )
    for post in related.iterator(chunk_size=CHUNK):
        yield row_of(post)


def row_of(post: Post) -> Row:
    suggestion, look = post.suggestion, getattr(post, "look", None)
    options = list(suggestion.options.all()) if suggestion else []
    names = {dress_key(option.dress_id): f"dress:{option.dress.sku}" for option in options}
    return {
        "post": f"{post.source}:{post.external_id}",
        "person": hashed("person", f"{post.source}:{post.username}") if post.username else None,
        "permalink": post.permalink,
        "posted_at": post.posted_at.isoformat(),
        "photo_path": post.photo.large.name,
        "photo_token": post.photo.token,
        "photo_sha256": post.photo.sha256,
        "width": post.photo.width,
        "height": post.photo.height,
        "answer": post.answer,
        "dress": post.dress.sku if post.dress else None,
        "confidence": post.confidence,
        "decided_by": "admin" if post.settled_by_id else "voters",
        "settled_at": post.settled_at.isoformat() if post.settled_at else None,
        "posterior": {names.get(key, key): share for key, share in post.posterior.items()},
        "votes_cast": post.votes_cast,
        "votes": [_vote(vote) for vote in post.votes.all()],
        "options": [_option(option) for option in options],
        "model_version": suggestion.model_version.digest if suggestion else None,
        "audit": post.audit,
        "clearance": look.clearance if look else None,
        "rights": post.rights,
        "flags": [flag.reason for flag in post.flags.all()],
    }


def _vote(vote: Vote) -> Row:
    return {
        "voter": hashed("voter", str(vote.employee_id)) if vote.employee_id else None,
        "answer": vote.answer,
        "dress": vote.option.dress.sku if vote.option else None,
        "counted": vote.counted,
        "at": vote.created_at.isoformat(),
    }


def _option(option: Option) -> Row:
    return {"dress": option.dress.sku, "probability": option.probability, "named": option.named}


def hashed(kind: str, value: str) -> str:
    """16 hexadecimal digits that only this portal's secret key could trace back."""
    return salted_hmac(f"export of {kind}", value, algorithm="sha256").hexdigest()[:16]


# Files


def write(posts: Iterable[Row], paths: Mapping[str, Path]) -> int:
    """Write the rows to a file of each format ("jsonl", "csv"), whole or not at all; returns how many.

    Raises OSError, and Busy where another export or a deletion is at work; what was there before then stays.
    """
    count = 0
    with ExitStack() as files:
        for folder in {path.parent for path in paths.values()}:
            files.enter_context(only_one(folder / LOCK, "Another export into this folder is at work"))
        writers = [WRITERS[kind](files.enter_context(replacing(path))) for kind, path in paths.items()]
        for row in posts:
            for put in writers:
                put(row)
            count += 1
    return count


def _json_lines(file: TextIO) -> Write:
    return lambda row: file.write(json.dumps(row, ensure_ascii=False) + "\n")


def _csv(file: TextIO) -> Write:
    """Lists and dicts as JSON in their cell."""
    writer = csv.DictWriter(file, COLUMNS)
    writer.writeheader()
    return lambda row: writer.writerow({name: _cell(value) for name, value in row.items()})


def _cell(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, (list, dict)) else value


WRITERS: dict[str, Callable[[TextIO], Write]] = {"jsonl": _json_lines, "csv": _csv}


@contextmanager
def replacing(path: Path) -> Iterator[TextIO]:
    """A draft beside ``path`` that takes its place when all is written, and goes away if anything fails."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with draft.open("w", encoding="utf-8", newline="") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
        WrittenExport.objects.note(path)
    finally:
        draft.unlink(missing_ok=True)
