"""What a person or a post is recognised by, however it was written."""

import re
import unicodedata
from urllib.parse import urlsplit

# https://www.instagram.com/p/CODE/, /reel/CODE/, /tv/CODE/, /NAME/p/CODE/
SHORTCODE = re.compile(r"(?:^|/)(?:p|reel|reels|tv)/([\w-]{3,64})(?:/|$)", re.ASCII)


def handle_key(handle: str) -> str:
    """A user name as it is compared: ``@Ruby.Hart `` and an address of a profile are ``ruby.hart``."""
    text = unicodedata.normalize("NFKC", handle).strip().casefold()
    if "instagram.com/" in text:
        text = text.split("instagram.com/", 1)[1].split("?", 1)[0].strip("/")
    return text.lstrip("@").strip()


def permalink_key(link: str) -> str:
    """An address of a post as it is compared: its shortcode, or else host and path; empty if it is none."""
    link = link.strip()
    try:
        parts = urlsplit(link if "://" in link else f"https://{link}")
    except ValueError:
        return ""
    host = (parts.hostname or "").removeprefix("www.").removeprefix("m.")
    if "." not in host:
        return ""
    if host in ("instagram.com", "instagr.am") and (found := SHORTCODE.search(parts.path)):
        return f"instagram:{found[1]}"
    path = parts.path.rstrip("/")
    return f"{host}{path}"


def email_key(address: str) -> str:
    """An e-mail address as it is compared."""
    return unicodedata.normalize("NFKC", address).strip().casefold()
