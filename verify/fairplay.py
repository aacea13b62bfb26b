"""Who does not play fair: decided from how somebody answers, so that their votes weigh nothing.

Good voters must never be caught, fast and lucky ones included. So nothing here relies on what is usual in an
office: options are shuffled, and whoever looks at them presses each place as often as any other, whatever the
photos show. The two answers that never move, "not a dress" and "none of these", are right many times in a row
in some weeks; who presses nothing else is found by the verdicts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, inf, log
from statistics import fmean, median

from scipy.special import bdtrc, betainc

WINDOW = 300  # the last choices that are looked at: nobody is caught for what is long past
VIEWS = 30  # the last viewing times that are looked at
LEAST_VIEW_MS = 600  # nobody can compare a photo with three dresses in less, time and again
LEANING = 0.25  # of the choices a good voter may make by their place: two dresses that look the same
CHANCE = 1e-6  # what a good voter does less often than this is no accident
FLOOR = 0.6  # who is right less often is no help, and does not try
LEAST_GOLD, GOLD_DOUBT = 10, 0.01
LEAST_VERDICTS, VERDICT_DOUBT = 30, 0.001  # verdicts rest on what others think, so more of them


@dataclass(frozen=True)
class Choice:
    """A dress was chosen, at ``place`` (from 0) of ``places`` shuffled ones."""

    place: int
    places: int

    def __post_init__(self) -> None:
        if not 0 <= self.place < self.places:
            raise ValueError(f"place {self.place} of {self.places}: expected 0 to {self.places - 1}")

    @property
    def chance(self) -> float:
        """The most that this place's share is for somebody who looks."""
        return LEANING + (1 - LEANING) / self.places


@dataclass(frozen=True)
class Record:
    """How somebody has answered, oldest first."""

    choices: Sequence[Choice] = ()
    viewed_ms: Sequence[int] = ()  # where it is known
    gold_right: int = 0
    gold_seen: int = 0
    agreed: int = 0  # votes that the verdict agrees with
    judged: int = 0  # votes on posts that have a verdict
    high: float = 1.0  # upper end of the interval of the reliability, as last fitted


def objection(record: Record) -> str | None:
    """Why these answers should weigh nothing, in words for an admin; None where there is no reason."""
    return (
        _too_fast(record.viewed_ms[-VIEWS:])
        or _same_place(record.choices[-WINDOW:])
        or _run(record.choices[-WINDOW:])
        or _often_wrong(record)
    )


def _too_fast(viewed_ms: Sequence[int]) -> str | None:
    if len(viewed_ms) < VIEWS or median(viewed_ms) >= LEAST_VIEW_MS:
        return None
    return f"Half of the last {VIEWS} cards were on the screen for {median(viewed_ms) / 1000:.2f} s or less."


def _same_place(choices: Sequence[Choice]) -> str | None:
    """A binomial test for each place, of all cards that have it."""
    for place in range(max((choice.places for choice in choices), default=0)):
        offered = [choice for choice in choices if 1 < choice.places > place]
        chosen = sum(choice.place == place for choice in offered)
        if not chosen:
            continue
        chance = fmean(choice.chance for choice in offered)
        if bdtrc(chosen - 1, len(offered), chance) * max(c.places for c in offered) < CHANCE:
            return (
                f"Option {place + 1} was chosen {chosen} times in {len(offered)}, though they are shuffled."
            )
    return None


def _run(choices: Sequence[Choice]) -> str | None:
    """The same place again and again: the expected number of such runs among so many choices."""
    offered = [choice for choice in choices if choice.places > 1]
    length, surprise, place = 0, 0.0, -1
    most = (inf, 0, -1)
    for choice in offered:
        if choice.place != place:
            length, surprise, place = 0, 0.0, choice.place
        length, surprise = length + 1, surprise + log(choice.chance)
        most = min(most, (surprise, length, place))
    surprise, length, place = most
    if not offered or len(offered) * exp(surprise) >= CHANCE:
        return None
    return f"Option {place + 1} was chosen {length} times in a row, though they are shuffled."


def _often_wrong(record: Record) -> str | None:
    if record.gold_seen >= LEAST_GOLD and _may_try(record.gold_right, record.gold_seen) < GOLD_DOUBT:
        return f"{record.gold_right} of {record.gold_seen} cards with a known answer were right."
    if record.judged >= LEAST_VERDICTS and _may_try(record.agreed, record.judged) < VERDICT_DOUBT:
        return f"{record.agreed} of {record.judged} answers agree with the verdict."
    if record.high < FLOOR:
        return f"The reliability is {record.high:.0%} at most."
    return None


def _may_try(right: int, seen: int) -> float:
    """The probability that somebody is right ``FLOOR`` of the time or more, nothing else being known."""
    return float(1 - betainc(1 + right, 1 + seen - right, FLOOR))
