"""Shop the look: what a shopper who likes a look can have."""

from typing import NamedTuple

from recommend.similar import Similar, similar_dresses
from verify.models import Dress, Look


class Offer(NamedTuple):
    dress: Dress
    alternatives: list[Similar]


def shop(look: Look, count: int) -> Offer:
    """The dress of the look; once it is not in stock, also the dresses in stock most like it."""
    alternatives = [] if look.dress.is_in_stock() else similar_dresses(look.dress, count)
    return Offer(look.dress, alternatives)
