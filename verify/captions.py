"""What people write below their photos: text, in which hashtags and handles are links and nothing else is.

Pure: from a caption to its parts, of which nothing that a reader cannot see is left.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

INSTAGRAM = "https://www.instagram.com"
# Order turned round (embeddings, overrides, isolates), width taken away, and what no text has; not ZWJ and
# ZWNJ, of which emoji and Persian are made, nor the tags in the flags of England, Scotland and Wales.
FLAG = "\U0001f3f4[\U000e0020-\U000e007f]{2,12}\U000e007f"
UNSEEN = re.compile(
    f"({FLAG})|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b"
    "\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164\ud800-\udfff\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff\U000e0000-\U000e0fff]"
)
# A tag has up to 100 characters, not all of them digits, and a handle up to 30: Instagram's rules.
LINKED = re.compile(
    r"(?<![\w&/#@.])#(?P<tag>(?=\w*[^\W\d])\w{1,100})(?!\w)"
    r"|(?<![\w@/#.&-])@(?P<handle>[a-z0-9_](?:[a-z0-9._]{0,28}[a-z0-9_])?)(?![\w@-])(?!\.\w)",
    re.IGNORECASE,
)
ASCII_ONLY = re.compile(r"[a-z0-9._]+", re.IGNORECASE | re.ASCII)


class Part(NamedTuple):
    text: str
    url: str = ""  # of a hashtag or a handle


def seen(text: str) -> str:
    """The text without what nobody sees, lines kept."""
    return UNSEEN.sub(lambda found: found[1] or "", text.replace("\r\n", "\n").replace("\r", "\n"))


def parts(caption: str) -> list[Part]:
    """A caption's parts, in its order; their texts joined are what is seen of it."""
    return [part for part in _parts(seen(caption)) if part.text]


def _parts(text: str) -> Iterator[Part]:
    done = 0
    for found in LINKED.finditer(text):
        if url := _url(found["tag"], found["handle"]):
            yield Part(text[done : found.start()])
            yield Part(found[0], url)
            done = found.end()
    yield Part(text[done:])


def _url(tag: str | None, handle: str | None) -> str:
    if tag:
        return f"{INSTAGRAM}/explore/tags/{_quoted(tag)}/"
    if handle and ASCII_ONLY.fullmatch(handle) and ".." not in handle:
        return f"{INSTAGRAM}/{handle}/"
    return ""


def _quoted(tag: str) -> str:
    return "".join(f"%{byte:02X}" if byte > 127 else chr(byte) for byte in tag.encode())
