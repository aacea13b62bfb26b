"""The questions that are asked of the Graph API, over HTTP, with retries. It knows no database."""

import hashlib
import hmac
import json
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
import tenacity

from verify.intake.instagram.errors import GraphError, Treatment, Unreachable, error_in
from verify.intake.instagram.pacing import Usage, pause_before_next, usage

HASHTAG_FIELDS = (
    "caption,children{id,media_type,media_url},comments_count,id,like_count,media_type,media_url,"
    "permalink,timestamp"
)
TAGGED_FIELDS = (
    "caption,children{id,media_type,media_url,thumbnail_url},comments_count,id,like_count,media_type,"
    "media_url,permalink,thumbnail_url,timestamp,username"
)
MENTION_FIELDS = (
    "caption,children{id,media_type,media_url},comments_count,id,like_count,media_type,media_url,"
    "permalink,timestamp,username"
)
PAGE = 50  # the most that the API gives
MOST_HASHTAGS = 30
ATTEMPTS = 5
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0  # seconds between attempts
MOST_BYTES, MOST_SECONDS = 20_000_000, 90.0  # of an answer
CREDENTIALS = ("access_token", "appsecret_proof")

# They log every address; an exchange's holds the token.
for name in ("httpx", "httpcore"):
    logging.getLogger(name).setLevel(logging.WARNING)


@dataclass(frozen=True)
class Page:
    """Media as the API states them, and the address of what follows, without our credentials."""

    media: list[dict[str, Any]]
    next: str = ""


@dataclass(frozen=True)
class Granted:
    """A long-lived token and the seconds it is good for; None where the API names no end."""

    token: str = field(repr=False)
    seconds: int | None


class Graph:
    """The API in the name of one Instagram account.

    Every method raises GraphError. ``told`` is called with what the API says of our use, after every answer.
    """

    def __init__(
        self,
        base: str,
        token: str,
        user: str,
        app_secret: str = "",
        *,
        stated: Mapping[int, Treatment] | None = None,
        told: Callable[[Usage], None] = lambda use: None,
        sleep: Callable[[float], None] = time.sleep,
        timeout: float = 20.0,
    ) -> None:
        self.base, self.user, self.stated, self.told, self.sleep = base.rstrip("/"), user, stated, told, sleep
        self._token, self._secret = token, app_secret
        self.use = Usage()  # as of the last answer
        # The token goes into a header, so that no address holds it. No proxy, no netrc.
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        self._http = httpx.Client(headers=headers, timeout=timeout, trust_env=False)

    def __repr__(self) -> str:
        return f"Graph({self.base!r}, user={self.user!r})"

    def __enter__(self) -> "Graph":
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    # Hashtags

    def hashtag_id(self, name: str) -> str:
        """Ids are static and the same for everybody: ask once, and keep it."""
        answer = self._get("ig_hashtag_search", user_id=self.user, q=name)
        match answer.get("data"):
            case [{"id": str() | int() as found}, *_]:
                return str(found)
        raise GraphError(Treatment.SKIP, f"Instagram knows no hashtag #{name}")

    def hashtag_name(self, number: str) -> str:
        return str(self._get(number, fields="id,name").get("name") or "")

    def recently_searched(self) -> list[str]:
        """Ids of the hashtags that were asked for in the last seven days, by whatever tool of the account."""
        address = f"{self.base}/{self.user}/recently_searched_hashtags"
        answer = self._ask("GET", address, limit=MOST_HASHTAGS)
        return [str(row["id"]) for row in _rows(answer) if "id" in row]

    def recent_media(self, hashtag: str, after: str = "") -> Page:
        """Public photos and videos of the last 24 hours, not always in order."""
        return self._page(f"{hashtag}/recent_media", after, fields=HASHTAG_FIELDS, user_id=self.user)

    def top_media(self, hashtag: str, after: str = "") -> Page:
        """The most popular, of any age."""
        return self._page(f"{hashtag}/top_media", after, fields=HASHTAG_FIELDS, user_id=self.user)

    # The account

    def tagged(self, after: str = "") -> Page:
        """What others have tagged the account in."""
        return self._page(f"{self.user}/tags", after, fields=TAGGED_FIELDS)

    def mentioned_media(self, number: str) -> dict[str, Any]:
        """The medium whose caption mentions the account."""
        fields = f"mentioned_media.media_id({number}){{{MENTION_FIELDS}}}"
        return self._mentioned(fields, "mentioned_media")

    def mentioned_comment(self, number: str) -> dict[str, Any]:
        """A comment that mentions the account: its `text` and its `media`; not who wrote it."""
        fields = f"mentioned_comment.comment_id({number}){{id,text,timestamp,media{{{MENTION_FIELDS}}}}}"
        comment = self._mentioned(fields, "mentioned_comment")
        if not isinstance(comment.get("media"), dict):
            raise GraphError(Treatment.SKIP, f"comment {number} comes without its medium")
        return comment

    def reply_to_mention(self, medium: str, message: str, comment: str = "") -> str:
        """Comment on a medium that mentions the account; returns the comment's id.

        Tried once: the API does not say whether an attempt that was cut off has been published.
        """
        about = {"media_id": medium, "message": message} | ({"comment_id": comment} if comment else {})
        answer = self._ask_once("POST", f"{self.base}/{self.user}/mentions", about)
        return str(answer.get("id") or "")

    # The token

    def exchange(self, app_id: str) -> Granted:
        """This token against a long-lived one, or a long-lived one against a fresh one."""
        answer = self._get(
            "oauth/access_token",
            grant_type="fb_exchange_token",
            client_id=app_id,
            client_secret=self._secret,
            fb_exchange_token=self._token,
        )
        token, seconds = answer.get("access_token"), answer.get("expires_in")
        if not isinstance(token, str) or not token:
            raise GraphError(Treatment.SKIP, "the exchange brought no token")
        return Granted(token, seconds if isinstance(seconds, int) and seconds > 0 else None)

    # How it is asked

    def _page(self, path: str, after: str, **parameters: object) -> Page:
        """``after`` is a page's `next`. No `next` is the end; a repeated cursor is none."""
        if after:
            answer = self._ask("GET", self._on_our_server(after))
        else:
            answer = self._get(path, limit=PAGE, **parameters)
        paging = answer.get("paging")
        follows = paging.get("next") if isinstance(paging, dict) else None
        return Page(_rows(answer), self._without_credentials(follows) if isinstance(follows, str) else "")

    def _mentioned(self, fields: str, name: str) -> dict[str, Any]:
        found = self._get(self.user, fields=fields).get(name)
        if not isinstance(found, dict):
            raise GraphError(Treatment.SKIP, f"the API names no {name}")
        return found

    def _get(self, path: str, **parameters: object) -> dict[str, Any]:
        return self._ask("GET", f"{self.base}/{path}", **parameters)

    def _ask(self, method: str, address: str, **parameters: object) -> dict[str, Any]:
        """Tried again while the trouble passes by itself: 1, 2, 4 … seconds, spread by chance."""
        trying = tenacity.Retrying(
            retry=tenacity.retry_if_exception(_passes),
            stop=tenacity.stop_after_attempt(ATTEMPTS),
            wait=tenacity.wait_random_exponential(multiplier=FIRST_PAUSE, max=LONGEST_PAUSE),
            sleep=self.sleep,
            reraise=True,
        )
        return trying(self._ask_once, method, address, parameters)

    def _ask_once(self, method: str, address: str, parameters: Mapping[str, object]) -> dict[str, Any]:
        if pause := pause_before_next(self.use):
            self.sleep(pause)
        url = httpx.URL(address)
        url = url.copy_merge_params({**parameters, **self._proof()})  # type: ignore[dict-item]
        try:
            with self._http.stream(method, url) as response:
                self.use = usage(response.headers)
                status, answer = response.status_code, _json(response)
        except (httpx.HTTPError, httpx.InvalidURL) as error:  # its message may name the address
            raise Unreachable(f"the connection failed ({type(error).__name__})") from None
        self.told(self.use)
        if error := error_in(status, answer, (self._token, self._secret), self.stated):
            error.minutes = self.use.minutes
            raise error
        return dict(answer)

    def _proof(self) -> dict[str, str]:
        """That whoever has the token has the app's secret as well."""
        if not self._secret:
            return {}
        return {
            "appsecret_proof": hmac.digest(self._secret.encode(), self._token.encode(), hashlib.sha256).hex()
        }

    def _on_our_server(self, after: str) -> str:
        """The address of a further page: a stored one leads nowhere else, whoever has written it."""
        url, base = httpx.URL(after), httpx.URL(self.base)
        return str(url.copy_with(scheme=base.scheme, host=base.host, port=base.port))

    def _without_credentials(self, address: str) -> str:
        try:
            url = httpx.URL(address)
        except httpx.InvalidURL:
            raise Unreachable("the next page has no address") from None
        for credential in CREDENTIALS:
            url = url.copy_remove_param(credential)
        return str(url)


def _passes(error: BaseException) -> bool:
    return isinstance(error, GraphError) and error.treatment == Treatment.RETRY


def _json(response: httpx.Response) -> Any:
    """None where it is no JSON."""
    body, started = bytearray(), time.monotonic()
    for chunk in response.iter_bytes():
        body += chunk
        if len(body) > MOST_BYTES or time.monotonic() - started > MOST_SECONDS:
            raise Unreachable("the answer has no end")
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _rows(answer: dict[str, Any]) -> list[dict[str, Any]]:
    rows = answer.get("data")
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
