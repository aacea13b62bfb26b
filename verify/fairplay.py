"""Who does not play fair: decided from how somebody answers, so that their votes weigh nothing.

Good voters must never be caught, fast and lucky ones included. So nothing here relies on what is usual in an
office. Options are shuffled, and whoever looks at them presses each place as often as any other, whatever the
photos show. The two answers that never move, "not a dress" and "none of these", are right many times in a row
in some weeks, so they are held against what those very photos show: by the verdict, where it says something
else; before one by the model, which is believed little, since it may be wrong about a whole event.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import exp, inf, log
from statistics import fmean, median

from scipy.special import bdtrc, betainc

from verify.consensus import NONE_OF_THESE, NOT_A_DRESS

WINDOW = 300  # the last choices that are looked at: nobody is caught for what is long past
VIEWS = 30  # the last viewing times that are looked at
LEAST_VIEW_MS = 600  # nobody can compare a photo with three dresses in less, time and again
LEANING = 0.25  # of the choices a good voter may make by their place: two dresses that look the same
CHANCE = 1e-6  # what a good voter does less often than this is no accident
FLOOR = 0.6  # who is right less often is no help, and does not try
DOUBT = 0.75  # of what the model says against an answer: a new collection that no catalogue lists yet
LEAST_GOLD, GOLD_DOUBT = 10, 0.01
LEAST_VERDICTS, VERDICT_DOUBT = 30, 0.001  # verdicts rest on what others think, so more of them
UNMOVED = {NOT_A_DRESS: "“Not a dress”", NONE_OF_THESE: "“None of these”"}


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
class Card:
    """``said`` of a photo, and how probable it is of each of the `UNMOVED` answers that it is right there.

    By the verdict (0 or 1) where it is ``judged``, otherwise by the model.
    """

    said: str  # as `consensus` names answers
    shares: Mapping[str, float]
    judged: bool

    def chance(self, answer: str) -> float:
        """The most that a good voter says ``answer`` here: where it is right, and all their errors alike."""
        share = self.shares[answer] if self.judged else DOUBT + (1 - DOUBT) * self.shares[answer]
        return 1 - FLOOR * (1 - share)


@dataclass(frozen=True)
class View:
    """A card in somebody's hands: when it was ``dealt`` and ``answered``, in ms of the server's clock.

    ``claimed`` is for how long it was on the screen, as the browser says if it says anything.
    """

    dealt: float
    answered: float
    claimed: int | None = None


@dataclass(frozen=True)
class Record:
    """How somebody has answered, oldest first."""

    choices: Sequence[Choice] = ()
    cards: Sequence[Card] = ()
    viewed_ms: Sequence[float] = ()  # as `credible`
    gold_right: int = 0
    gold_seen: int = 0
    agreed: int = 0  # votes that the verdict agrees with
    judged: int = 0  # votes on posts that have a verdict
    high: float = 1.0  # upper end of the interval of the reliability, as last fitted


def credible(views: Iterable[View]) -> list[float]:
    """For how long each card can have been looked at, in ms; in the order of the answers.

    One after another: no card before it was dealt, none after its answer came. A browser is believed as far
    as there is room for what it says, counted from the earliest possible moment; one that says nothing gets
    all the room. Whoever says the truth is believed in full, however late and in whatever bursts the answers
    arrive (a tunnel); and all the times together are never more than has passed.
    """
    free, times = -inf, []
    for view in views:
        start = max(view.dealt, free)
        room = max(0.0, view.answered - start)
        times.append(room if view.claimed is None else min(view.claimed, room))
        free = start + times[-1]
    return times


def objection(record: Record) -> str | None:
    """Why these answers should weigh nothing, in words for an admin; None where there is no reason."""
    habits = [*_places(record.choices[-WINDOW:]), *_unmoved(record.cards[-WINDOW:])]
    return (
        _too_fast(record.viewed_ms[-VIEWS:])
        or next(filter(None, map(_same_key, habits)), None)
        or next(filter(None, map(_run, habits)), None)
        or _often_wrong(record)
    )


def _too_fast(viewed_ms: Sequence[float]) -> str | None:
    if len(viewed_ms) < VIEWS or median(viewed_ms) >= LEAST_VIEW_MS:
        return None
    return f"Half of the last {VIEWS} cards were on the screen for {median(viewed_ms) / 1000:.2f} s or less."


# Habits


@dataclass(frozen=True)
class _Habit:
    """A key that may be pressed without looking: on which cards it was, and how often a good voter does.

    Of the cards where even a good voter may not always press it: the others tell nothing.
    """

    name: str
    pressed: Sequence[bool]
    chances: Sequence[float]
    rivals: int  # keys of which it might as well have been another
    though: str


def _places(choices: Sequence[Choice]) -> list[_Habit]:
    most = max((choice.places for choice in choices), default=0)
    by_place = [[choice for choice in choices if 1 < choice.places > place] for place in range(most)]
    return [
        _Habit(
            f"Option {place + 1}",
            [choice.place == place for choice in offered],
            [choice.chance for choice in offered],
            max((choice.places for choice in offered), default=1),
            "though they are shuffled",
        )
        for place, offered in enumerate(by_place)
    ]


def _unmoved(cards: Sequence[Card]) -> list[_Habit]:
    telling = {answer: [card for card in cards if card.chance(answer) < 1] for answer in UNMOVED}
    return [
        _Habit(
            name,
            [card.said == answer for card in telling[answer]],
            [card.chance(answer) for card in telling[answer]],
            len(UNMOVED),
            "whatever the photos show",
        )
        for answer, name in UNMOVED.items()
    ]


def _same_key(habit: _Habit) -> str | None:
    """A binomial test at the mean of the chances: no mixture has a heavier tail (Hoeffding, AMS 27, 1956)."""
    pressed, cards = sum(habit.pressed), len(habit.pressed)
    if not pressed or bdtrc(pressed - 1, cards, fmean(habit.chances)) * habit.rivals >= CHANCE:
        return None
    return f"{habit.name} was chosen {pressed} times in {cards}, {habit.though}."


def _run(habit: _Habit) -> str | None:
    """The same key again and again: the expected number of such runs among so many cards."""
    length, surprise = 0, 0.0
    most = (inf, 0)
    for pressed, chance in zip(habit.pressed, habit.chances, strict=True):
        length, surprise = (length + 1, surprise + log(chance)) if pressed else (0, 0.0)
        most = min(most, (surprise, length))
    surprise, length = most
    if len(habit.pressed) * exp(min(surprise, 0.0)) >= CHANCE or not habit.pressed:
        return None
    return f"{habit.name} was chosen {length} times in a row, {habit.though}."


# Reliability


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
