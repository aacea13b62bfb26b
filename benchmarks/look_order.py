"""What an order of looks is worth, in clicks: the newest first, by smoothed rate, and with exploration.

A dress's page is seen by some people a day; each next place is looked at by fewer of them, and of those
the look's own share opens it, which nobody knows. Looks are added as days go by. All orders see the same
shoppers; "best" knows every share, which no order can.

    .venv/bin/python benchmarks/look_order.py [--days 180] [--shops 200] [--json FILE]
"""

import argparse
import json
import sys
from datetime import date, timedelta
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from recommend import exploration  # noqa: E402

FIRST_DAY = date(2026, 1, 1)
VIEWS = 40  # of a page a day
PLACES = 12  # that a page shows at once
ATTENTION = 0.85  # of those who look at a place, who look at the next
AT_FIRST, ADDED = 8, 0.15  # looks on the first day; on each other day
SHARES = (1.2, 18.0)  # Beta, of the people who open a look that they see
ORDERS = ("newest", "rate", "explore", "best")


def play(days: int, shops: int, seed: int) -> dict[str, float]:
    """Clicks a day of a page, by order: the mean of so many pages."""
    pages = [page(days, seed * 10_000 + shop) for shop in range(shops)]
    return {order: float(np.mean([each[order] for each in pages])) for order in ORDERS}


def page(days: int, seed: int) -> dict[str, float]:
    chance = np.random.default_rng(seed)
    born = np.concatenate([np.zeros(AT_FIRST, int), np.flatnonzero(chance.random(days) < ADDED) + 1])
    shares = chance.beta(*SHARES, len(born))
    views = chance.poisson(VIEWS, days)
    return {order: clicks(order, born, shares, views, seed) / days for order in ORDERS}


def clicks(order: str, born: np.ndarray, shares: np.ndarray, views: np.ndarray, seed: int) -> float:
    chance = np.random.default_rng(seed + 1)
    shown, clicked = np.zeros(len(born), np.int64), np.zeros(len(born), np.int64)
    total = 0
    for day, people in enumerate(views):
        there = np.flatnonzero(born <= day)
        merits = judged(order, born[there], shares[there], shown[there], clicked[there], day, seed)
        first = there[np.argsort(-merits, kind="stable")][:PLACES]
        seen = chance.binomial(people, ATTENTION ** np.arange(len(first)))
        opened = chance.binomial(seen, shares[first])
        shown[there] += people  # all that a portal knows: who saw the page
        clicked[first] += opened
        total += int(opened.sum())
    return total


def judged(
    order: str,
    born: np.ndarray,
    shares: np.ndarray,
    shown: np.ndarray,
    clicked: np.ndarray,
    day: int,
    seed: int,
) -> np.ndarray:
    if order == "newest":
        return born.astype(float)
    if order == "best":
        return shares
    common = exploration.prior(shown, clicked)
    if order == "rate":
        return exploration.smoothed(shown, clicked, common)
    keys = [seed * 1000 + number for number in range(len(born))]
    drawn = exploration.quantiles(keys, FIRST_DAY + timedelta(days=day))
    return exploration.thompson(shown, clicked, common, drawn)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--days", type=int, default=180)
    parser.add_argument("--shops", type=int, default=200, help="pages of a dress (200)")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    found = play(options.days, options.shops, seed=1)
    print(f"{options.shops} pages, {options.days} days: clicks a day of a page")
    for order, rate in found.items():
        print(f"{order:8} {rate:6.2f}  {rate / found['newest'] - 1:+.1%} against the newest first")
    if options.json:
        options.json.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
