"""How far each source of posts reaches, and how its people can be asked: what an admin must know of it."""

from typing import NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from verify.models.post import INSTAGRAM
from verify.models.review import SOURCE as REVIEW


class Reach(NamedTuple):
    back: Promise
    asking: Promise


BY_HAND = _("Ask by hand: the API lets nobody comment there.")
UNKNOWN = Reach(_("As far back as its file did."), BY_HAND)
REACHES = {
    INSTAGRAM: Reach(
        _(
            "Hashtags reach back a day, what is popular there and tagged photos to any age, "
            "mentions to the webhook's first day."
        ),
        BY_HAND,
    ),
    REVIEW: Reach(_("From the customer, who agreed when sending it."), _("Granted with the review.")),
}


def reach_of(source: str) -> Reach:
    """By what a post calls its source."""
    return REACHES.get(source, UNKNOWN)
