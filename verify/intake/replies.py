"""Replies to mentions by Instagram's Graph API: what asks for rights where the API lets us."""

import httpx
from django.conf import settings

from verify.rights_requests import MentionReplies, NotAsked

TIMEOUT = 20.0  # seconds


class GraphReplies:
    """``POST {base}/{ig-user-id}/mentions``. The token goes in the body: addresses end up in logs."""

    def __init__(self, base: str, user_id: str, token: str) -> None:
        self.address, self.token = f"{base.rstrip('/')}/{user_id}/mentions", token

    def reply_to_mention(self, media_id: str, message: str) -> str:
        form = {"media_id": media_id, "message": message, "access_token": self.token}
        try:
            answer = httpx.post(self.address, data=form, timeout=TIMEOUT, trust_env=False)
            told = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise NotAsked(f"Instagram did not answer as expected ({type(error).__name__}).") from error
        if answer.status_code != 200 or not isinstance(told, dict) or not told.get("id"):
            raise NotAsked(f"Instagram refused the reply ({answer.status_code}{_code(told)}).")
        return str(told["id"])


def _code(told: object) -> str:
    error = told.get("error") if isinstance(told, dict) else None
    code = error.get("code") if isinstance(error, dict) else None
    return f", code {code}" if isinstance(code, int) else ""


def configured() -> MentionReplies | None:
    """The client that the settings describe; None where there is no token. The one place that chooses it."""
    user_id, token = settings.INSTAGRAM_USER_ID, settings.INSTAGRAM_REPLY_TOKEN
    return GraphReplies(settings.INSTAGRAM_GRAPH_URL, user_id, token) if user_id and token else None
