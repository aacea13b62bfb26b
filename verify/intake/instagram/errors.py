"""What an error of the Graph API means for us. Needs neither Django nor a network."""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any


class Treatment(StrEnum):
    RETRY = "retry"  # at once and a few times, with growing pauses
    WAIT = "wait"  # all of the account, for minutes to hours: it has asked too much
    WAIT_LONG = "wait_long"  # the same, for a day: Instagram has blocked the account for a while
    STOP = "stop"  # all of the account, until an admin has done something
    SKIP = "skip"  # this hashtag or medium alone


TREATMENTS: Mapping[int, Treatment] = {
    1: Treatment.RETRY,  # unknown error
    2: Treatment.RETRY,  # service down
    3: Treatment.STOP,  # the app lacks the capability
    4: Treatment.WAIT,  # too many calls by the app
    10: Treatment.STOP,  # permission denied
    17: Treatment.WAIT,  # too many calls by the user
    18: Treatment.SKIP,  # unverified: more than 30 hashtags in 7 days
    24: Treatment.SKIP,  # unverified: no such hashtag
    32: Treatment.WAIT,  # too many calls for the page
    100: Treatment.SKIP,  # unverified: invalid parameter
    102: Treatment.STOP,  # session ended
    190: Treatment.STOP,  # the token is not valid (any more)
    341: Treatment.WAIT,  # limit of the app
    368: Treatment.WAIT_LONG,  # temporarily blocked
    506: Treatment.SKIP,  # the same text was posted before
    613: Treatment.WAIT,  # custom limit
    80001: Treatment.WAIT,  # limit of the page's business use case
    80002: Treatment.WAIT,  # limit of Instagram's business use case
}
PERMISSIONS = range(200, 300)
TOKEN_TROUBLE = {
    458: "the app is no longer installed",
    459: "the account has to pass a checkpoint",
    460: "the password was changed",
    463: "it has expired",
    464: "the account is not confirmed",
    467: "it is not valid",
    492: "its session is not valid",
}
HIDDEN = re.compile(
    r"(?P<name>(?:access_token|fb_exchange_token|client_secret|appsecret_proof)=)[^&\s\"']+"
    r"|\bEAA[0-9A-Za-z_-]{8,}",
    re.IGNORECASE,
)


class GraphError(Exception):
    """The API said no. The message is one line for people and holds no token."""

    def __init__(
        self, treatment: Treatment, message: str, code: int | None = None, minutes: float = 0
    ) -> None:
        super().__init__(message)
        self.treatment, self.code = treatment, code
        self.minutes = minutes  # until there is access again, where the API has said so


class Unreachable(GraphError):
    """No answer, or one that is cut off or no JSON."""

    def __init__(self, message: str) -> None:
        super().__init__(Treatment.RETRY, message)


def redacted(text: str, *secrets: str) -> str:
    """The text without ``secrets`` and without anything that looks like a token."""
    for secret in secrets:
        if secret:
            text = text.replace(secret, "…")
    return HIDDEN.sub(lambda match: f"{match['name'] or ''}…", text)


def treatment_of(code: int, transient: bool, stated: Mapping[int, Treatment] | None = None) -> Treatment:
    """What to do about an error; ``stated`` goes before the table. Unlisted codes skip, unless transient."""
    if stated and code in stated:
        return stated[code]
    if code in PERMISSIONS:
        return Treatment.STOP
    return TREATMENTS.get(code, Treatment.RETRY if transient else Treatment.SKIP)


def parse_treatments(text: str) -> dict[int, Treatment]:
    """From ``24=skip,18=wait``. Raises ValueError."""
    pairs = [pair.partition("=") for pair in text.replace(" ", "").split(",") if pair]
    return {int(code): Treatment(word) for code, _, word in pairs}


def error_in(
    status: int, answer: Any, secrets: tuple[str, ...] = (), stated: Mapping[int, Treatment] | None = None
) -> GraphError | None:
    """The error that an answer holds (its parsed JSON, or None where it is none), if any."""
    if isinstance(answer, dict) and isinstance(answer.get("error"), dict):
        return _told(status, answer["error"], secrets, stated)
    if status >= 500:
        return Unreachable(f"the server answered {status}")
    if status == 429:
        return GraphError(Treatment.WAIT, "the server answered 429: too many requests")
    if status >= 400:
        return GraphError(Treatment.SKIP, f"the server answered {status}")
    return None if isinstance(answer, dict) else Unreachable("the answer is not JSON")


def _told(
    status: int, error: dict[str, Any], secrets: tuple[str, ...], stated: Mapping[int, Treatment] | None
) -> GraphError:
    code, subcode = _number(error.get("code")), _number(error.get("error_subcode"))
    words = error.get("error_user_msg") or error.get("message") or f"the server answered {status}"
    where = f"error {code}" + (f", subcode {subcode}" if subcode else "")
    if code == 190 and subcode in TOKEN_TROUBLE:
        words = f"the token cannot be used: {TOKEN_TROUBLE[subcode]}"
    message = redacted(" ".join(str(words).split())[:200], *secrets)
    return GraphError(
        treatment_of(code, bool(error.get("is_transient")), stated), f"{message} ({where})", code
    )


def _number(value: Any) -> int:
    return int(value) if isinstance(value, int | str) and str(value).isdigit() else 0
