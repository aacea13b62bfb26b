"""What the address of a dream says, for the API and the pages alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext as _

from recommend.dreams import Asked, Nothing
from verify.dreaming.dream import SEEDS, WHOLE_WAY
from verify.models import Dress, Look

MOST_LIKED = 12  # dresses that a taste is made of
LONGEST = 64  # characters of a SKU


def asked_for(seed: int | str, told: QueryDict) -> Asked:
    """By `like` and `look`, `to`, `toward` and `at`. Raises Nothing."""
    to = number("to", told["to"], SEEDS - 1) if told.get("to") else None
    at = number("at", told["at"], WHOLE_WAY) if told.get("at") else 0
    return Asked(number("seed", seed, SEEDS - 1), liked(told), to, dresses("toward", told), at)


def liked(told: QueryDict) -> tuple[Dress, ...]:
    """The dresses of `like`, and those that the public looks of `look` show. Raises Nothing."""
    found = dict.fromkeys((*dresses("like", told), *_of_looks(told.getlist("look"))))
    return tuple(_few("like", list(found)))


def dresses(name: str, told: QueryDict) -> tuple[Dress, ...]:
    """`name` may be there several times, each time a SKU, or several with commas between them.

    Raises Nothing for a SKU that no dress has.
    """
    values = [text.strip() for text in told.getlist(name) if text.strip()]
    parts = {text: [part.strip() for part in text.split(",") if part.strip()] for text in values}
    wanted = {*values, *(part for those in parts.values() for part in those)}
    if any("\0" in sku or len(sku) > LONGEST * MOST_LIKED for sku in wanted):
        raise Nothing(_("%(name)s: that is no list of SKUs.") % {"name": name})
    there = {
        dress.sku: dress for dress in Dress.objects.filter(sku__in=_few(name, [*wanted], 2 * MOST_LIKED))
    }
    skus = [sku for text in values for sku in ([text] if text in there else parts[text])]
    _few(name, skus)
    if missing := next((sku for sku in skus if sku not in there), None):
        raise Nothing(
            _("%(name)s: no dress has the SKU “%(sku)s”.") % {"name": name, "sku": missing[:LONGEST]}
        )
    return tuple(dict.fromkeys(there[sku] for sku in skus))


def number(name: str, text: int | str, most: int) -> int:
    """Raises Nothing for anything but a whole number from 0 to `most`."""
    if isinstance(text, str) and not (text.isascii() and text.isdecimal() and len(text) < 20):
        text = -1
    if not 0 <= (value := int(text)) <= most:
        raise Nothing(_("%(name)s: expected a number from 0 to %(most)s.") % {"name": name, "most": most})
    return value


def _of_looks(told: Sequence[str]) -> list[Dress]:
    numbers = [number("look", text, 2**63 - 1) for text in told if text]
    found = Look.objects.public().select_related("dress").in_bulk(_few("look", numbers))
    if missing := next((pk for pk in numbers if pk not in found), None):
        raise Nothing(_("look: there is no public look %(look)s.") % {"look": missing})
    return [found[pk].dress for pk in numbers]


def _few(name: str, found: list[Any], most: int = MOST_LIKED) -> list[Any]:
    if len(found) > most:
        raise Nothing(_("%(name)s: at most %(most)s of them.") % {"name": name, "most": MOST_LIKED})
    return found
