"""How far each source of posts reaches, and how its people can be asked: what an admin must know of it."""

from typing import NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Reach(NamedTuple):
    """``replies``: whether the API lets us answer there, so that a request goes out by itself."""

    back: Promise
    asking: Promise
    replies: bool = False


BY_HAND = _("Ask by hand: the API lets nobody comment there.")
UNKNOWN = Reach(_("As far back as its file did."), BY_HAND)
# By the beginning of a post's source, the longest that fits.
REACHES = {
    "instagram:hashtag:recent": Reach(_("The last 24 hours before each look; without user names."), BY_HAND),
    "instagram:hashtag:top": Reach(_("Any age, but only what is most popular; without user names."), BY_HAND),
    "instagram:hashtag": Reach(
        _("Recent ones the last 24 hours, top ones any age; without user names."), BY_HAND
    ),
    "instagram:tagged": Reach(_("Every photo we are tagged in, of any age, but private accounts’."), BY_HAND),
    "instagram:mention": Reach(
        _("From the day its webhook was set up on: nothing is stored for later."),
        _("A reply is sent by itself, where the portal has a token."),
        replies=True,
    ),
    "instagram:export": Reach(_("All of our own account’s posts, and nobody else’s."), _("Ours already.")),
    "instagram": Reach(_("As far back as its file did; the API’s recent posts end after 24 hours."), BY_HAND),
    "review": Reach(_("From the customer, who agreed when sending it."), _("Granted with the review.")),
}


def reach_of(source: str) -> Reach:
    """By what a post calls its source."""
    fitting = [name for name in REACHES if source == name or source.startswith(f"{name}:")]
    return REACHES[max(fitting, key=len)] if fitting else UNKNOWN
