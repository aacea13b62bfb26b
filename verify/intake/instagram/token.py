"""The token that opens Instagram: kept encrypted, exchanged ahead of time, watched."""

import base64
import random
from datetime import datetime, timedelta

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django_q.tasks import async_task

from verify.intake.instagram.client import Granted, Graph
from verify.intake.instagram.errors import GraphError, Treatment, redacted
from verify.intake.instagram.pacing import LONG_WAIT_MINUTES, Usage, wait_minutes
from verify.models import InstagramAccount, Notice

LIFE = timedelta(days=60)  # of a long-lived token whose end nobody has told us
EXCHANGE_BEFORE = timedelta(days=30)
WARN_BEFORE = timedelta(days=10)
YOUNGEST = timedelta(hours=24)  # that can be exchanged
TRY_EVERY = timedelta(days=1)
KEPT = ["token", "obtained_at", "expires_at", "end_stated", "tried_at", "warned_at"]


class NoToken(Exception):
    """Nothing can be asked; the message says what is missing."""


def is_set_up() -> bool:
    return bool(settings.INSTAGRAM_USER) and (
        bool(settings.INSTAGRAM_TOKEN) or InstagramAccount.objects.exclude(token="").exists()
    )


def encrypted(token: str) -> str:
    return _cipher().encrypt(token.encode()).decode()


def decrypted(text: str) -> str:
    """Raises NoToken where it was encrypted with another key."""
    try:
        return _cipher().decrypt(text.encode()).decode()
    except InvalidToken:
        reason = "The stored token of Instagram was encrypted with another key: enter it anew."
        raise NoToken(reason) from None


def _cipher() -> Fernet:
    derive = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"dressportal instagram token")
    return Fernet(base64.urlsafe_b64encode(derive.derive(settings.INSTAGRAM_TOKEN_KEY.encode())))


def current(now: datetime) -> str:
    """The token in use; one from the environment is taken over the first time. Raises NoToken."""
    account = InstagramAccount.load()
    if settings.INSTAGRAM_TOKEN and account.seed != _seed():
        keep(Granted(settings.INSTAGRAM_TOKEN, None), now, seed=_seed())
        return str(settings.INSTAGRAM_TOKEN)
    if not account.token:
        raise NoToken("Instagram has no token: set DRESSPORTAL_INSTAGRAM_TOKEN, or enter one in the admin.")
    return decrypted(account.token)


def _seed() -> str:
    """By which the environment's token is known again; nobody gets the token from it."""
    key = str(settings.INSTAGRAM_TOKEN_KEY)
    return salted_hmac("instagram seed", settings.INSTAGRAM_TOKEN, key, algorithm="sha256").hexdigest()


def keep(granted: Granted, now: datetime, seed: str | None = None) -> None:
    """Store a token, encrypted, and go on where there was no valid one."""
    account = InstagramAccount.load()
    account.token, account.obtained_at = encrypted(granted.token), now
    account.expires_at = now + (timedelta(seconds=granted.seconds) if granted.seconds else LIFE)
    account.end_stated, account.tried_at, account.warned_at = bool(granted.seconds), None, None
    account.seed = account.seed if seed is None else seed
    account.save(update_fields=[*KEPT, "seed"])
    account.go_on()
    Notice.objects.open().filter(kind__in=[Notice.Kind.TOKEN_EXPIRES, Notice.Kind.INSTAGRAM_STOPPED]).update(
        closed_at=now
    )


def graph(now: datetime, **options: object) -> Graph:
    """The API in the account's name; what it says of our use is stored. Raises NoToken."""
    if not settings.INSTAGRAM_USER:
        raise NoToken("Instagram has no account: set DRESSPORTAL_INSTAGRAM_USER.")
    return Graph(
        settings.INSTAGRAM_URL,
        current(now),
        settings.INSTAGRAM_USER,
        settings.INSTAGRAM_APP_SECRET,
        stated=settings.INSTAGRAM_ERRORS,
        **{"told": _note_use, **options},
    )


def _note_use(use: Usage) -> None:
    InstagramAccount.load().note_use(use.percent, timezone.now())


def watch(now: datetime) -> None:
    """Exchange the token while that is possible, and warn the admins when its end is near all the same."""
    if not is_set_up():
        return
    account = InstagramAccount.load()
    try:
        current(now)
    except NoToken as reason:
        halt(str(reason), now)
        return
    account.refresh_from_db()
    if _may_exchange(account, now):
        _exchange(account, now)
    account.refresh_from_db()
    _warn(account, now)


def _may_exchange(account: InstagramAccount, now: datetime) -> bool:
    """One whose end nobody has stated at once, for it may be one for an hour; others ahead of time."""
    if not (settings.INSTAGRAM_APP_ID and settings.INSTAGRAM_APP_SECRET) or account.stopped_at:
        return False
    if account.tried_at and now - account.tried_at < TRY_EVERY:
        return False
    ends, since = account.expires_at, account.obtained_at
    if ends is None or since is None or ends <= now:
        return False
    return not account.end_stated or (ends - now < EXCHANGE_BEFORE and now - since >= YOUNGEST)


def _exchange(account: InstagramAccount, now: datetime) -> None:
    account.tried_at = now
    account.save(update_fields=["tried_at"])
    try:
        with graph(now) as opened:
            granted = opened.exchange(settings.INSTAGRAM_APP_ID)
    except GraphError as error:
        refuse(error, now)
    else:
        keep(granted, now)


def _warn(account: InstagramAccount, now: datetime) -> None:
    ends = account.expires_at
    if ends is None or account.warned_at or ends - now > WARN_BEFORE:
        return
    text = f"The token of Instagram ends on {ends:%-d %B %Y}, and could not be exchanged: enter a new one."
    with transaction.atomic():
        account.warned_at = now
        account.save(update_fields=["warned_at"])
        Notice.objects.tell(Notice.Kind.TOKEN_EXPIRES, text, now)
        async_task("verify.tasks.warn_admins", text)


def refuse(error: GraphError, now: datetime) -> None:
    """What an error means for the whole account: it waits, or it stops and the admins are told."""
    account = InstagramAccount.load()
    if error.treatment == Treatment.STOP:
        halt(str(error), now)
    elif error.treatment == Treatment.WAIT:
        minutes = wait_minutes(error.minutes, account.refusals + 1, random.random())  # noqa: S311
        account.wait(now + timedelta(minutes=minutes))
    elif error.treatment == Treatment.WAIT_LONG:
        account.wait(now + timedelta(minutes=LONG_WAIT_MINUTES))
        Notice.objects.tell(Notice.Kind.INSTAGRAM_STOPPED, f"For a day: {error}"[:300], now)


def halt(reason: str, now: datetime) -> None:
    """Ask nothing until an admin has seen to it. Told once, as a notice and by e-mail."""
    account = InstagramAccount.load()
    if account.stopped_at:
        return
    text = f"Instagram is asked nothing any more: {redacted(reason)}"[:300]
    with transaction.atomic():
        account.stop(redacted(reason), now)
        Notice.objects.tell(Notice.Kind.INSTAGRAM_STOPPED, text, now)
        async_task("verify.tasks.warn_admins", text)
