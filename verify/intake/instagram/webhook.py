"""What Instagram tells by itself: its handshake, its signature, and who has mentioned us."""

import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.conf import settings

from verify.models import Mention, Source


class NotFromInstagram(Exception):
    """The signature, or the handshake's token, is not right."""


class NoNotice(Exception):
    """What was sent is signed, and not what Instagram sends."""


def shake_hands(mode: str, token: str, challenge: str) -> str:
    """The challenge, to be sent back as it is. Raises NotFromInstagram."""
    expected = settings.INSTAGRAM_VERIFY_TOKEN
    same = hmac.compare_digest(token.encode("utf-8", "replace"), expected.encode())
    if mode != "subscribe" or not expected or not same:
        raise NotFromInstagram
    return challenge


def take_notice(body: bytes, signature: str, now: datetime) -> int:
    """Store who has mentioned us, once each; returns how many were new.

    ``signature`` is the header ``X-Hub-Signature-256``. Raises NotFromInstagram and NoNotice.
    """
    _check(body, signature)
    mentions = [Mention(**told, received_at=now) for told in _mentions(_parsed(body))]
    before = Mention.objects.count()
    Mention.objects.bulk_create(mentions, ignore_conflicts=True)
    if mentions:
        Source.objects.filter(kind=Source.Kind.MENTIONS, next_run_at__gt=now, failures=0).update(
            next_run_at=now
        )
    return Mention.objects.count() - before


def _check(body: bytes, signature: str) -> None:
    secret = settings.INSTAGRAM_APP_SECRET.encode()
    expected = "sha256=" + hmac.digest(secret, body, hashlib.sha256).hex()
    if not secret or not hmac.compare_digest(signature.encode("utf-8", "replace"), expected.encode()):
        raise NotFromInstagram


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        notice = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise NoNotice("not JSON") from error
    if not isinstance(notice, dict) or notice.get("object") != "instagram":
        raise NoNotice("not about Instagram")
    return notice


def _mentions(notice: dict[str, Any]) -> Iterator[dict[str, str]]:
    entries = notice.get("entry")
    for entry in entries if isinstance(entries, list) else []:
        changes = entry.get("changes") if isinstance(entry, dict) else None
        for change in changes if isinstance(changes, list) else []:
            if isinstance(change, dict) and change.get("field") == "mentions":
                yield from _told(change.get("value"))


def _told(value: Any) -> Iterator[dict[str, str]]:
    ids = [value.get(name) or "" for name in ("media_id", "comment_id")] if isinstance(value, dict) else [""]
    media_id, comment_id = [str(one) for one in (*ids, "")[:2]]
    if media_id.isascii() and media_id.isdigit() and len(media_id) <= 40:
        good = comment_id.isascii() and comment_id.isdigit() and len(comment_id) <= 40
        yield {"media_id": media_id, "comment_id": comment_id if good else ""}
