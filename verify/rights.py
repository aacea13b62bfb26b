"""Whether its owner lets us show a photo: which state may follow which, what is asked, what is an answer."""

import re
import unicodedata
from collections.abc import Mapping
from string import Formatter

UNKNOWN, REQUESTED, GRANTED, REFUSED, REVOKED = "unknown", "requested", "granted", "refused", "revoked"
SAID_NO = frozenset({REFUSED, REVOKED})
# By policy, the states in which a photo may be shown.
SHOWN: Mapping[str, tuple[str, ...]] = {
    "granted": (GRANTED,),
    "unless_refused": (UNKNOWN, REQUESTED, GRANTED),
}
PLACES = frozenset({"handle", "hashtag"})
HASHTAG = re.compile(r"\w{3,80}")


def may_state(former: str, stated: str) -> bool:
    """Whether a file or a program may put a post from one state into another.

    A no stays a no, whatever a file says: only an admin gives it back.
    """
    return former not in SAID_NO or stated == REVOKED


def bare(hashtag: str) -> str:
    """A hashtag as it is compared: without its sign, and whatever the case."""
    return unicodedata.normalize("NFKC", hashtag).strip().removeprefix("#").casefold()


def has_hashtag(text: str, hashtag: str) -> bool:
    """Whether a comment or a caption holds the hashtag as a whole word: ``#YesMaisonLunch`` is another."""
    tag = bare(hashtag)
    if not HASHTAG.fullmatch(tag):
        return False
    words = unicodedata.normalize("NFKC", text).casefold()
    return re.search(rf"(?<![\w&#])#{re.escape(tag)}(?!\w)", words) is not None


def complaints(text: str, hashtag: str) -> list[str]:
    """What is wrong with a template of a request; nothing if it can be sent."""
    found = []
    if not HASHTAG.fullmatch(bare(hashtag)):
        found.append("A key hashtag has 3 to 80 letters, digits or underscores, such as #YesMaison.")
    try:
        places = {name for _, name, _, _ in Formatter().parse(text) if name is not None}
    except ValueError:
        return [*found, "A brace stands alone: write {handle} and {hashtag}, and no other braces."]
    if unknown := sorted(places - PLACES):
        found.append(f"Nothing is known to stand for {{{unknown[0]}}}: only {{handle}} and {{hashtag}}.")
    if "hashtag" not in places:
        found.append("The text needs {hashtag}: the answer is recognised by it.")
    return found


def request_text(text: str, hashtag: str, handle: str, nameless: str) -> str:
    """The request to one person; ``nameless`` is what they are called where the handle is not known."""
    addressed = f"@{handle}" if handle else nameless
    tag = unicodedata.normalize("NFKC", hashtag).strip().removeprefix("#")
    return text.format(handle=addressed, hashtag=f"#{tag}")
