"""All that is known of a person as one ZIP: a JSON file for programs and people, and the photos."""

import json
from datetime import datetime
from typing import IO, Any
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

from django.core.files.storage import default_storage

from verify.forgetting import Person
from verify.models import OptOut, Post

ABOUT = "person.json"


def write(person: Person, file: IO[bytes]) -> int:
    """Write it into an open file; returns how many posts there were. A missing photo is said to be so."""
    posts = person.posts().select_related("photo", "dress", "look", "review").order_by("pk")
    with ZipFile(file, "w", ZIP_DEFLATED) as archive:
        told = [_post(post, archive) for post in posts.iterator(chunk_size=500)]
        opt_outs = [_opt_out(row) for row in person.opt_outs()]
        about = {"posts": told, "opt_outs": opt_outs}
        archive.writestr(ABOUT, json.dumps(about, ensure_ascii=False, indent=2))
    return len(told)


def _post(post: Post, archive: ZipFile) -> dict[str, Any]:
    look, review = getattr(post, "look", None), getattr(post, "review", None)
    return {
        "source": post.source,
        "id": post.external_id,
        "permalink": post.permalink,
        "username": post.username,
        "caption": post.caption,
        "posted_at": _time(post.posted_at),
        "taken_in_at": _time(post.created_at),
        "likes": post.like_count,
        "photo": _photo(post, archive),
        "rights": post.rights,
        "history_of_rights": [
            {"to": line.rights, "at": _time(line.at), "reason": line.reason}
            for line in post.rights_changes.all()
        ],
        "requests": [{"text": row.text, "at": _time(row.asked_at)} for row in post.rights_requests.all()],
        "answers": [
            {"text": row.text, "by": row.username, "at": _time(row.at)} for row in post.rights_answers.all()
        ],
        "hidden_because": post.hidden_because,
        "state": post.state,
        "said_to_show": post.dress.sku if post.dress else post.answer,
        "votes": post.votes.count(),
        "remarks": [flag.reason for flag in post.flags.all()],
        "look": {"dress": post.dress.sku, "clearance": look.clearance} if look and post.dress else None,
        "review": {"rating": review.rating, "consent": review.consent} if review else None,
    }


def _photo(post: Post, archive: ZipFile) -> dict[str, Any] | None:
    if post.photo is None:
        return None
    name = f"photos/{post.pk}.jpg"
    try:
        with default_storage.open(post.photo.large.name) as stored:
            archive.writestr(name, stored.read(), ZIP_STORED)
    except FileNotFoundError:
        name = ""
    return {"file": name, "width": post.photo.width, "height": post.photo.height}


def _opt_out(row: OptOut) -> dict[str, Any]:
    said = {"permalink": row.permalink, "handle": row.handle, "email": row.email, "words": row.words}
    return {**said, "at": _time(row.created_at), "outcome": row.outcome}


def _time(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
