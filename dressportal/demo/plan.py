"""What the demo world contains, decided before anything is drawn: a pure function of a seed and today."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np

from ml.synthetic import NEGATIVE_KINDS, caption

DRESSES = 400
POSTS = 1_500
DAYS = 90
NOT_A_DRESS = 0.33
NOT_LISTED = 0.05  # shows a dress that the shop does not list
CATALOGUE_SIZE = (480, 600)
DETAIL_SIZE = (288, 360)
STREET_SIZE = (432, 540)
FIRST_NAMES = (
    *("ava", "mia", "zoe", "ivy", "luna", "nora", "ella", "lena", "maya", "aria"),
    *("jade", "ruby", "cleo", "nina", "lila", "tess", "romy", "alma", "iris", "thea"),
)
SURNAMES = (
    *("lane", "wilde", "frost", "reyes", "moon", "costa", "hart", "blum", "vale"),
    *("stone", "park", "lund", "rossi", "khan", "dubois", "sato", "meyer", "cruz"),
)


@dataclass(frozen=True)
class PlannedPost:
    number: int
    posted_at: datetime
    kind: str  # "dress", or one of NEGATIVE_KINDS
    dress: int | None  # index in the wardrobe; from DRESSES on it is not in the catalogue
    username: str
    caption: str
    like_count: int
    rights: str


@dataclass(frozen=True)
class Season:
    """When a dress is sold."""

    available_from: date
    retired_on: date | None


def seasons(today: date, rng: np.random.Generator) -> list[Season]:
    """A tenth has retired, a few are new this week, a few arrive next week."""
    found = []
    for index in range(DRESSES):
        age = int(rng.integers(40, 700))
        retired = today - timedelta(days=int(rng.integers(3, 35))) if index % 10 == 3 else None
        if index % 25 == 7:
            age, retired = int(rng.integers(0, 6)), None
        if index % 80 == 11:
            age, retired = -int(rng.integers(3, 9)), None
        found.append(Season(today - timedelta(days=age), retired))
    return found


def posts(now: datetime, seed: int) -> list[PlannedPost]:
    """Newest first, thicker towards today. All but the dates depends on the seed alone."""
    rng = np.random.default_rng(seed)
    days_ago = np.sort(DAYS * rng.beta(1, 1.4, POSTS))
    popularity = _popularity(rng)
    return [
        _post(number, now - timedelta(days=float(ago)), popularity, rng)
        for number, ago in enumerate(days_ago)
    ]


def later_post(number: int, posted_at: datetime, seed: int) -> PlannedPost:
    """One of those that come in while the demo runs."""
    popularity = _popularity(np.random.default_rng(seed))
    return _post(number, posted_at, popularity, np.random.default_rng([seed, number]))


def _popularity(rng: np.random.Generator) -> np.ndarray:
    """Share of the posts that show each dress."""
    popularity = rng.permutation(1 / np.arange(1, DRESSES + 1) ** 0.6)
    return np.asarray(popularity / popularity.sum())


def _post(number: int, posted_at: datetime, popularity: np.ndarray, rng: np.random.Generator) -> PlannedPost:
    draw = rng.random()
    kind, dress = "dress", int(rng.choice(DRESSES, p=popularity))
    if draw < NOT_A_DRESS:
        kind = str(rng.choice(NEGATIVE_KINDS))
    elif draw < NOT_A_DRESS + NOT_LISTED:
        dress = DRESSES + int(rng.integers(1_000))
    handle = f"{rng.choice(FIRST_NAMES)}.{rng.choice(SURNAMES)}{rng.integers(1, 99)}"
    return PlannedPost(
        number=number,
        posted_at=posted_at,
        kind=kind,
        dress=dress if kind in ("dress", "puppy", "curtain") else None,
        username=handle,
        caption=caption(rng, kind),
        like_count=int(rng.lognormal(3.5, 1)),
        rights=str(rng.choice(["granted", "requested", "unknown", "refused"], p=[0.91, 0.04, 0.03, 0.02])),
    )
