"""What settled posts say of all posts, though which of them say what their dress is depends on the model.

Voters choose among the options that the model chose. Where its dress is one of them, a post ends with a name.
Where it is not, most end as "none of these", and only some have a colleague who names the dress; of the
others nobody knows whether their dress is in the catalogue. Left out, they would make the model look better
than it is, and option sets too small. So those that were named stand for the others as well.

How many of the others have their dress in the catalogue, the audit sample says: there an admin, who may
search all of it, has given the answer.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

MOST_STOOD_FOR = 10.0  # posts by one: with more, single posts would decide how large the sets are
LEFT_OUT = (
    0.01  # of the posts at most, for which there is none to stand: a tenth of what a promise of .9 allows
)


class Ending(Enum):
    """How a post was settled, seen from the options that the model had proposed for it."""

    OFFERED = "a dress among the options"
    NAMED = "a dress that voters named"
    FOUND = "a dress that an admin found"
    UNNAMED = "none of these, said by voters: nobody knows whether the catalogue has it"
    ABSENT = "none of these, said by an admin: the catalogue does not have it"
    NOT_A_DRESS = "not a dress"


class Part(Enum):
    """What a post is used for; posts of the audit sample are never fitted on."""

    FITTING = "fitting"
    CHECKING = "checking"
    AUDIT = "audit"


@dataclass(frozen=True)
class NamedTooSeldom(Exception):
    """So few dresses are named after "none of these" that nothing is known of the rest."""

    named: int
    unnamed: int

    def __str__(self) -> str:
        return f"after “none of these” a dress was named {self.named} times, and {self.unnamed} times not"


def ending(answer: str, offered: bool, by_admin: bool) -> Ending:
    """``answer`` as `Answer` has it; ``offered``: its dress was among the model's options."""
    if answer == "dress":
        return Ending.OFFERED if offered else Ending.FOUND if by_admin else Ending.NAMED
    if answer == "not_a_dress":
        return Ending.NOT_A_DRESS
    return Ending.ABSENT if by_admin else Ending.UNNAMED


def part(photo: str, audited: bool) -> Part:
    """Half of the posts are checked on what was fitted on the others; ``photo`` is the digest of its file."""
    if audited:
        return Part.AUDIT
    return Part.CHECKING if int(photo, 16) % 2 else Part.FITTING


def in_catalogue(audited: Sequence[Ending]) -> float:
    """Of posts whose dress is not among the options, the share of those that have it in the catalogue.

    As ``audited`` posts say, and one more that has: without any this is 1, which keeps the promise whatever
    the truth is, with sets that may be too large.
    """
    count = Counter(audited)
    return (count[Ending.FOUND] + 1) / (count[Ending.FOUND] + count[Ending.ABSENT] + 1)


def stands_for(endings: Sequence[Ending], share: float) -> float:
    """For how many posts each `Ending.NAMED` stands, if ``share`` of those like it are in the catalogue.

    At least for itself. Raises NamedTooSeldom.
    """
    count = Counter(endings)
    named, unnamed = count[Ending.NAMED], count[Ending.UNNAMED]
    missed = max(share * (named + unnamed), named) if unnamed else named
    weight = min(missed / named, MOST_STOOD_FOR) if named else 1.0
    known = count[Ending.OFFERED] + count[Ending.FOUND]
    if missed - weight * named > LEFT_OUT * (known + missed):
        raise NamedTooSeldom(named, unnamed)
    return weight
