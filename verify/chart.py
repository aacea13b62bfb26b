"""The drawings of the personal page, as numbers for an SVG."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings

from verify.record import Accuracy, Day

HEIGHT = 100.0
STEP, WIDTH = 10, 6
TICK = 0.8


@dataclass(frozen=True)
class Bar:
    """One day's bar, the confirmed answers at its foot. SVG units, y downwards from the top."""

    x: int
    confirmed_y: float
    confirmed: float
    rest_y: float
    rest: float


@dataclass(frozen=True)
class Bars:
    bars: list[Bar]
    width: int
    height: float
    bar_width: int
    goal_y: float  # of the daily goal
    most: int  # votes, at the top


def bars(days: Sequence[Day]) -> Bars:
    """Scaled so that the fullest day, or one a little over the daily goal, reaches the top."""
    most = max(round(1.25 * settings.DAILY_GOAL), *(day.votes for day in days))
    unit = HEIGHT / most
    drawn = []
    for number, day in enumerate(days):
        confirmed, rest = round(day.confirmed * unit, 2), round((day.wrong + day.open) * unit, 2)
        top = round(HEIGHT - confirmed, 2)
        drawn.append(Bar(number * STEP + (STEP - WIDTH) // 2, top, confirmed, round(top - rest, 2), rest))
    return Bars(drawn, len(days) * STEP, HEIGHT, WIDTH, round(HEIGHT - settings.DAILY_GOAL * unit, 2), most)


@dataclass(frozen=True)
class Strip:
    """An interval on a strip of 100 units, with a tick where the figure itself is."""

    x: float
    width: float
    tick: float


def strip(accuracy: Accuracy) -> Strip:
    low, high = 100 * accuracy.low, 100 * accuracy.high
    tick = min(100 * accuracy.share, 100 - TICK) - TICK / 2
    return Strip(round(low, 1), round(high - low, 1), round(max(0.0, tick), 1))
