"""Points of the game, decided from values: streaks and places."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Place:
    """``rank`` counts from 1; equals share a rank and the next ones move down (1, 2, 2, 4)."""

    rank: int
    name: str
    score: int


def streak(days: Collection[date], today: date) -> int:
    """Consecutive calendar days with a vote, up to today, or to yesterday while today's is still to come."""
    voted = set(days)
    day, length = today if today in voted else today - ONE_DAY, 0
    while day in voted:
        day, length = day - ONE_DAY, length + 1
    return length


def leaderboard(scores: Mapping[str, int]) -> list[Place]:
    """Best first, equals by name; who has no points has no place."""
    scored = [(name, score) for name, score in scores.items() if score > 0]
    scored.sort(key=lambda pair: (-pair[1], pair[0].casefold(), pair[0]))
    ranks: dict[int, int] = {}
    for position, (_, score) in enumerate(scored, start=1):
        ranks.setdefault(score, position)
    return [Place(ranks[score], name, score) for name, score in scored]


def gold_points(right: bool) -> int:
    """Points for an answer to a card whose truth was known."""
    return 10 if right else 0
