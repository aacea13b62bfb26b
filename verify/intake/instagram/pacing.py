"""How fast the Graph API may be asked, by what it says of our use. Needs neither Django nor a network."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

EASY = 50.0  # percent of a limit up to which nothing waits
FULL = 95.0  # percent at which we stop asking: at 100 the API answers nobody
SLOWEST = 30.0  # seconds between two questions just below FULL
WAIT_MINUTES = 15.0  # for the first refusal that states no time
LONGEST_WAIT_MINUTES = 240.0
LONG_WAIT_MINUTES = 24 * 60.0


@dataclass(frozen=True)
class Usage:
    """The fullest of the limits that the API tells us about."""

    percent: float = 0.0
    minutes: float = 0.0  # until there is access again; 0 while there is

    @property
    def full(self) -> bool:
        return self.percent >= FULL or self.minutes > 0


def usage(headers: Mapping[str, str]) -> Usage:
    """From ``X-App-Usage`` and ``X-Business-Use-Case-Usage``; what cannot be read counts as no use."""
    app = _parsed(headers.get("X-App-Usage"))
    cases = _parsed(headers.get("X-Business-Use-Case-Usage"))
    lists = [case for case in cases.values() if isinstance(case, list)]
    told = [app, *(row for case in lists for row in case if isinstance(row, dict))]
    percent = max((_figure(row.get(name)) for row in told for name in COUNTED), default=0.0)
    minutes = max((_figure(row.get("estimated_time_to_regain_access")) for row in told), default=0.0)
    return Usage(percent, minutes)


COUNTED = ("call_count", "total_cputime", "total_time")


def pause_before_next(use: Usage) -> float:
    """Seconds: none while it is easy, then growing with the square up to SLOWEST."""
    share = (use.percent - EASY) / (FULL - EASY)
    return SLOWEST * min(1.0, max(0.0, share)) ** 2


def wait_minutes(stated: float, refusals: int, chance: float) -> float:
    """How long to leave the account alone after the ``refusals``-th refusal in a row.

    As long as the API says, or twice as long each time; ``chance`` in [0, 1) spreads it over another half.
    """
    doubled = min(LONGEST_WAIT_MINUTES, WAIT_MINUTES * float(2 ** max(0, min(refusals, 10) - 1)))
    return max(stated, doubled) * (1 + chance / 2)


def _parsed(header: str | None) -> dict[str, Any]:
    try:
        value = json.loads(header or "{}")
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _figure(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0.0
    return float(value) if math.isfinite(value) and value > 0 else 0.0
