"""Points, badges, streaks and places of the game, decided from values.

Points are for being right, and for nothing else: they come when a verdict or a known answer confirms what
somebody said. A right answer earns `RIGHT` points and up to `HARDEST` more where the model was unsure. That
depends on the photo and not on the answer, so the answer that somebody believes in is always the one that
pays best. The only one who was right earns `LONE` more. Nothing is for speed, nothing is taken for an error.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import takewhile
from math import sqrt

from verify import consensus

# Points

RIGHT = 10
HARDEST = 10  # where the model had no idea at all
HARD = 5  # from here on an answer counts as one to a hard photo
LONE = 20  # more than any hard photo adds, so that points alone tell who was the only one
LEAST_LONE = RIGHT + LONE
LONE_AMONG = 3  # counted votes: of two people one is soon alone
HARD_POINTS = tuple(base + more for base in (RIGHT, LEAST_LONE) for more in range(HARD, HARDEST + 1))


@dataclass(frozen=True)
class Ballot:
    """A vote on a post with a verdict.

    ``said`` is a key of `consensus`, ``offered`` the keys of the dresses on the voter's card. A vote that is
    not ``counted`` weighs nothing, one that is not ``scored`` is beyond the day's cap: neither has points,
    not even 0, so that neither pulls a mean down.
    """

    said: str
    offered: Collection[str]
    counted: bool = True
    scored: bool = True


@dataclass(frozen=True)
class Judgement:
    right: bool
    points: int | None  # None: not scored, or not counted


def is_right(said: str, verdict: str, offered: Collection[str]) -> bool:
    """Whether a vote agrees with the verdict; "none of these" also does where the dress was not offered."""
    unseen = consensus.dress_of(verdict) is not None and verdict not in offered
    return said == verdict or (said == consensus.NONE_OF_THESE and unseen)


def difficulty(shares: Collection[float]) -> float:
    """0 to 1: how unsure the model was, from its probabilities of all the answers."""
    return 1 - max(shares)


def points(right: bool, difficulty: float, lone: bool = False) -> int:
    """Of one vote; ``difficulty`` from 0 to 1."""
    return (RIGHT + round(HARDEST * difficulty) + (LONE if lone else 0)) if right else 0


def gold_points(right: bool) -> int:
    """Of an answer to a card whose answer was known."""
    return RIGHT if right else 0


def judge(ballots: Sequence[Ballot], verdict: str, difficulty: float) -> list[Judgement]:
    """What the verdict means for each vote on a post, in their order."""
    rights = [is_right(ballot.said, verdict, ballot.offered) for ballot in ballots]
    counted = [right for ballot, right in zip(ballots, rights, strict=True) if ballot.counted]
    lone = len(counted) >= LONE_AMONG and sum(counted) == 1
    return [
        Judgement(right, points(right, difficulty, lone) if ballot.counted and ballot.scored else None)
        for ballot, right in zip(ballots, rights, strict=True)
    ]


# Badges


@dataclass(frozen=True)
class Record:
    """What somebody's confirmed answers amount to. Gold: cards whose answer was known, without training."""

    confirmed: int = 0  # right ones, as are the next
    not_a_dress: int = 0
    none_of_these: int = 0
    hard: int = 0
    lone: int = 0
    named: int = 0  # dresses named that became the verdict
    in_a_row: int = 0  # right ones since the last wrong one, at most `LONGEST_RUN`
    gold_seen: int = 0
    gold_right: int = 0


@dataclass(frozen=True)
class Aim:
    """What a badge asks for: that ``reached`` of the record is at least ``target``."""

    reached: Callable[[Record], int]
    target: int


LONGEST_RUN = 50
GOLD_SHARE = 0.95
AIMS: Mapping[str, Aim] = {  # from the first day's to the rarest; the words are in `record`
    "first_stitch": Aim(lambda record: record.confirmed, 1),
    "impostor": Aim(lambda record: record.not_a_dress, 10),
    "empty_hanger": Aim(lambda record: record.none_of_these, 10),
    "fine_needle": Aim(lambda record: record.hard, 10),
    "seamless": Aim(lambda record: record.in_a_row, 20),
    "first_name": Aim(lambda record: record.named, 1),
    "gold_thread": Aim(lambda record: _gold_on_course(record), 20),
    "against_the_grain": Aim(lambda record: record.lone, 3),
    "lookbook": Aim(lambda record: record.named, 5),
    "haute_couture": Aim(lambda record: record.in_a_row, LONGEST_RUN),
}


def badges(record: Record) -> set[str]:
    """The kinds of badges that this record earns."""
    return {kind for kind, aim in AIMS.items() if aim.reached(record) >= aim.target}


def run(rights: Iterable[bool]) -> int:
    """How many of the newest answers are right in a row; newest first."""
    return sum(takewhile(bool, rights))


def _gold_on_course(record: Record) -> int:
    """Known answers seen, if enough of them were right."""
    return record.gold_seen if record.gold_right >= GOLD_SHARE * record.gold_seen else 0


# Streaks

ONE_DAY = timedelta(days=1)
SATURDAY = 5


@dataclass(frozen=True)
class Streak:
    length: int  # days with a vote since the last break
    freezes: int  # left this month


def streak(days: Collection[date], today: date, off: Collection[date] = (), freezes: int = 0) -> int:
    """The ``length`` of `streak_and_freezes`."""
    return streak_and_freezes(days, today, off, freezes).length


def streak_and_freezes(
    days: Collection[date], today: date, off: Collection[date] = (), freezes: int = 0
) -> Streak:
    """The days of ``days`` since the last working day that was missed and not forgiven.

    Weekends and days ``off`` break nothing, nor does today, which is still to come. In each calendar month
    the first ``freezes`` working days missed during a streak are forgiven. A day off with a vote counts.
    """
    voted, away = set(days), set(off)
    length, frozen = 0, Counter[tuple[int, int]]()
    day = min(voted, default=today)
    while day <= today:
        month = (day.year, day.month)
        if day in voted:
            length += 1
        elif day < today and day.weekday() < SATURDAY and day not in away and length:
            kept = frozen[month] < freezes
            length = length if kept else 0
            frozen[month] += kept
        day += ONE_DAY
    return Streak(length, freezes - frozen[today.year, today.month])


# Boards

STEADY = 20  # answers at the colleagues' mean that everybody starts with: one lucky answer is no lead


@dataclass(frozen=True)
class Place:
    """``rank`` counts from 1; equals share a rank and the next ones move down (1, 2, 2, 4)."""

    rank: int
    key: int
    score: int


def score(points: int, answers: int, mean: float) -> int:
    """What ten answers of somebody's bring, drawn towards the ``mean`` points of anybody's answer."""
    return round(10 * (points + STEADY * mean) / (answers + STEADY))


def places(scores: Mapping[int, int]) -> list[Place]:
    """Best first; equals in the order of ``scores``."""
    ordered = sorted(scores.items(), key=lambda pair: -pair[1])
    ranks: dict[int, int] = {}
    for position, (_, scored) in enumerate(ordered, start=1):
        ranks.setdefault(scored, position)
    return [Place(ranks[scored], key, scored) for key, scored in ordered]


def neighbourhood(places: Sequence[Place], key: int, reach: int = 3) -> list[Place]:
    """The place of ``key`` with up to ``reach`` on either side; empty if it has none."""
    own = next((index for index, place in enumerate(places) if place.key == key), None)
    return [] if own is None else list(places[max(0, own - reach) : own + reach + 1])


# Accuracy

CONFIDENCE_95 = 1.959964


def wilson(right: float, seen: float) -> tuple[float, float]:
    """The ends of the 95% interval of a share of ``right`` in ``seen`` (Wilson, JASA 22, 1927).

    ``seen`` may be an effective number, of weighted cases: no whole one.
    """
    if not seen:
        return 0.0, 1.0
    share, z2 = right / seen, CONFIDENCE_95**2
    centre = (share + z2 / (2 * seen)) / (1 + z2 / seen)
    half = CONFIDENCE_95 / (1 + z2 / seen) * sqrt(share * (1 - share) / seen + z2 / (4 * seen**2))
    # Rounding alone could leave a share of 0 or 1 outside.
    return max(0.0, min(share, centre - half)), min(1.0, max(share, centre + half))
