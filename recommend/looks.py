"""Shop the look: what a shopper who likes a look can have."""

from collections.abc import Sequence
from typing import NamedTuple

from recommend.similar import Similar, look_alike
from verify.models import Dress, Look


class Offer(NamedTuple):
    dress: Dress
    alternatives: list[Similar]


def shop(looks: Sequence[Look], count: int) -> list[Offer]:
    """Of each, the dress; once it is not in stock, also the dresses in stock most like it."""
    gone = list({look.dress_id: look.dress for look in looks if not look.dress.is_in_stock()}.values())
    alternatives = dict(zip((dress.pk for dress in gone), look_alike(gone, count), strict=True))
    return [Offer(look.dress, alternatives.get(look.dress_id, [])) for look in looks]
