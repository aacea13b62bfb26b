"""A dream as the classifier's process is asked for it: all that decides the picture, beside the weights."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

SEEDS = 2**32
WHOLE_WAY = 100
MOST = 24  # dreams asked for at once
MOST_PHOTOS = 24  # of a taste


@dataclass(frozen=True)
class Dream:
    """A seed and a taste; or a place on the way to another seed, another taste, or both."""

    seed: int
    like: tuple[int, ...] = ()  # primary keys of photos, whose mean embedding is the taste
    to: int | None = None  # another seed; None: the same
    toward: tuple[int, ...] = ()  # photos of another taste; none: the same
    at: int = 0  # percent of the way

    def name(self, version: str) -> str:
        """By which the picture is known, drawn by the weights `version`: 32 hexadecimal digits."""
        return hashlib.sha256(f"{version} {self!r}".encode()).hexdigest()[:32]

    def told(self) -> dict[str, Any]:
        return asdict(self)


class Drawn(NamedTuple):
    picture: bytes  # WebP, lossless
    vector: bytes  # the live DeepDress's embedding of it: little-endian float32; empty: nobody looked


def dream_of(told: Any) -> Dream:
    """What `Dream.told` wrote, from whoever sends it. Raises ValueError."""
    if not isinstance(told, dict) or set(told) != {"seed", "like", "to", "toward", "at"}:
        raise ValueError(f"no dream: {told!r:.80}")
    seeds = [told["seed"], *([] if told["to"] is None else [told["to"]])]
    if not all(_is_number(seed, SEEDS - 1) for seed in seeds) or not _is_number(told["at"], WHOLE_WAY):
        raise ValueError(f"seeds are 0 to {SEEDS - 1}, places 0 to {WHOLE_WAY}: {told!r:.80}")
    return Dream(told["seed"], _photos(told["like"]), told["to"], _photos(told["toward"]), told["at"])


def _photos(told: Any) -> tuple[int, ...]:
    if not isinstance(told, list) or len(told) > MOST_PHOTOS:
        raise ValueError(f"expected up to {MOST_PHOTOS} photos")
    if not all(_is_number(pk, 2**63 - 1) for pk in told):
        raise ValueError("photos are told by their numbers")
    return tuple(told)


def _is_number(value: Any, most: int) -> bool:
    return type(value) is int and 0 <= value <= most
