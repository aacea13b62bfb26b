"""An office that does not exist: posts whose truth is known, a classifier, voters of all kinds."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from verify import consensus
from verify.consensus import NONE_OF_THESE, NOT_A_DRESS

OPTIONS = 3  # dresses on a card
SURENESS = 3.0  # of a Beta over the chance that the options hold the right dress: mostly sure of yes or no
SEPARATION = 1.2  # of "not a dress", in standard deviations either side: an AUROC of .955


def parameter(default: Any, help: str) -> Any:
    return field(default=default, metadata={"help": help})


@dataclass(frozen=True)
class Office:
    """Every parameter of the simulated office. Raises ValueError for one that cannot be."""

    posts: int = parameter(30_000, "posts to settle")
    dresses: int = parameter(4_000, "dresses in the catalogue")
    recall: float = parameter(0.75, "share of the dresses that are among the classifier's three options")
    not_a_dress: float = parameter(0.35, "share of the posts that show no dress")
    overconfidence: float = parameter(
        2.0, "power of the classifier's probabilities; at 1 they are calibrated"
    )
    voters: int = parameter(200, "people in the office")
    ability: float = parameter(0.88, "mean share of right answers of those who try")
    spread: float = parameter(0.06, "standard deviation of that share from one to another")
    bad: float = parameter(0.10, "share of voters who don't try: spammers and first-option clickers")
    temptation: float = parameter(0.9, "share of the mistakes that are a post's one tempting wrong answer")
    alike: float = parameter(0.3, "chance that it is the classifier's favourite wrong answer, too")
    activity: float = parameter(1.0, "standard deviation of the logarithm of a voter's number of votes")
    session: int = parameter(10, "cards in a row")
    batch: int = parameter(1_000, "posts that are opened a day")
    votes_a_day: int = parameter(0, "votes that people have time for in a day; 0: until the batch is settled")
    days: int = parameter(0, "stop after so many days; 0: when all is settled")
    gold: float = parameter(0.04, "share of the cards whose answer is known")
    known: int = parameter(100, "gold posts before the first day")
    training: int = parameter(5, "gold cards at the start of each voter")
    audit: float = parameter(0.02, "share of the posts that always get five votes")
    checked: float = parameter(0.02, "share of the settled posts that an admin checks: the source of gold")

    def __post_init__(self) -> None:
        for share in ("recall", "not_a_dress", "ability"):
            self._require(share, 0 < getattr(self, share) < 1, "more than 0 and less than 1")
        for share in ("bad", "temptation", "alike", "gold", "audit", "checked"):
            self._require(share, 0 <= getattr(self, share) < 1, "0 or more and less than 1")
        for count in ("posts", "voters", "session", "batch"):
            self._require(count, getattr(self, count) > 0, "at least 1")
        for count in ("votes_a_day", "days", "known", "training", "activity"):
            self._require(count, getattr(self, count) >= 0, "0 or more")
        self._require("dresses", self.dresses > OPTIONS, f"more than {OPTIONS}")
        self._require("overconfidence", self.overconfidence > 0, "more than 0")
        most = (self.ability * (1 - self.ability)) ** 0.5
        self._require("spread", 0 < self.spread < most, f"more than 0 and less than {most:.2f}")

    def _require(self, name: str, holds: bool, expected: str) -> None:
        if not holds:
            raise ValueError(f"{name.replace('_', '-')} is {getattr(self, name)}: expected {expected}")

    @classmethod
    def parameters(cls) -> dict[str, tuple[type, Any, str]]:
        """By name: type, default and what it is."""
        return {each.name: (type(each.default), each.default, each.metadata["help"]) for each in fields(cls)}


class Kind(StrEnum):
    DILIGENT = "diligent"
    SPAMMER = "spammer"  # any of the answers
    CLICKER = "clicker"  # the first option, wherever the shuffle has put whichever dress


@dataclass(frozen=True)
class Voter:
    kind: Kind
    ability: float  # share of right answers in the long run
    activity: float  # share of all the cards

    @property
    def is_bad(self) -> bool:
        return self.kind != Kind.DILIGENT

    def answer(self, post: "Photo", temptation: float, rng: random.Random) -> str:
        """What this person says about ``post``, as a key of `consensus`."""
        if self.kind == Kind.SPAMMER:
            return rng.choice(post.keys)
        if self.kind == Kind.CLICKER:
            return rng.choice(post.keys[:OPTIONS])
        if rng.random() < self.ability:
            return post.truth
        return post.tempting if rng.random() < temptation else rng.choice(post.wrong)

    def place(self, answer: str, post: "Photo", rng: random.Random) -> int | None:
        """Where among the shuffled dresses the answer stood, None where it is none of them."""
        if answer not in post.keys[:OPTIONS]:
            return None
        return 0 if self.kind == Kind.CLICKER else rng.randrange(OPTIONS)


@dataclass(frozen=True, slots=True)
class Photo:
    """A post as it comes from the classifier, and what only the simulation knows of it."""

    keys: tuple[str, ...]  # the three dresses, then the two other answers
    prior: dict[str, float]  # the classifier's, as production would store it
    truth: str
    tempting: str  # the wrong answer that people give who are mistaken

    @property
    def wrong(self) -> tuple[str, ...]:
        return tuple(key for key in self.keys if key != self.truth)


def voters(office: Office, rng: np.random.Generator) -> list[Voter]:
    """The people: the bad ones first, spammers and clickers in equal numbers."""
    bad = round(office.bad * office.voters)
    certainty = office.ability * (1 - office.ability) / office.spread**2 - 1
    abilities = rng.beta(office.ability * certainty, (1 - office.ability) * certainty, office.voters)
    activity = rng.lognormal(0, office.activity, office.voters)
    shares = (activity / activity.sum()).tolist()
    return [
        Voter(_kind(number, bad), _ability(_kind(number, bad), ability, office), share)
        for number, (ability, share) in enumerate(zip(abilities.tolist(), shares, strict=True))
    ]


def _kind(number: int, bad: int) -> Kind:
    if number >= bad:
        return Kind.DILIGENT
    return Kind.CLICKER if number % 2 else Kind.SPAMMER


def _ability(kind: Kind, drawn: float, office: Office) -> float:
    chance = {
        Kind.SPAMMER: 1 / (OPTIONS + 2),
        Kind.CLICKER: (1 - office.not_a_dress) * office.recall / OPTIONS,
    }
    return chance.get(kind, drawn)


def photos(office: Office, count: int, rng: np.random.Generator) -> list[Photo]:
    """``count`` posts, with the classifier's probabilities: the true ones, made too sure of themselves."""
    calibrated = _probabilities(office, count, rng)
    truth = (rng.random((count, 1)) > calibrated.cumsum(axis=1)).sum(axis=1).clip(max=OPTIONS + 1)
    raw = calibrated**office.overconfidence
    raw /= raw.sum(axis=1, keepdims=True)
    drawn = random.Random(int(rng.integers(2**32)))  # noqa: S311 (a simulation)
    return [
        _photo(office, shares, slot, drawn) for shares, slot in zip(raw.tolist(), truth.tolist(), strict=True)
    ]


def _probabilities(office: Office, count: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """(count, 5), of the three dresses, of "not a dress" and of "none of these": true in the long run."""
    shows_none = rng.random(count) < office.not_a_dress
    score = rng.normal(np.where(shows_none, SEPARATION, -SEPARATION))
    odds = np.exp(2 * SEPARATION * score) * office.not_a_dress / (1 - office.not_a_dress)
    not_a_dress = odds / (1 + odds)
    found = rng.beta(SURENESS * office.recall, SURENESS * (1 - office.recall), count)
    split = np.sort(rng.dirichlet(np.ones(OPTIONS), count), axis=1)[:, ::-1]
    dresses = ((1 - not_a_dress) * found)[:, None] * split
    return np.column_stack([dresses, not_a_dress, (1 - not_a_dress) * (1 - found)])


def _photo(office: Office, shares: Sequence[float], slot: int, rng: random.Random) -> Photo:
    dresses = rng.sample(range(1, office.dresses + 1), OPTIONS)
    keys = (*map(consensus.dress_key, dresses), NOT_A_DRESS, NONE_OF_THESE)
    prior = consensus.prior(dict(zip(keys[:OPTIONS], shares, strict=False)), shares[OPTIONS])
    wrong = [key for key in keys if key != keys[slot]]
    is_alike = rng.random() < office.alike
    return Photo(
        keys, prior, keys[slot], max(wrong, key=prior.__getitem__) if is_alike else rng.choice(wrong)
    )


@dataclass(frozen=True)
class World:
    """What is drawn before the first vote, the same for every policy."""

    voters: list[Voter]
    photos: list[Photo]  # newest first
    gold: list[Photo]  # whose truth is known before the first day
    audit: list[bool]  # (photos,) of the sample that always gets five votes
    to_check: list[bool]  # (photos,) by an admin, once it is settled

    @classmethod
    def draw(cls, office: Office, seed: int) -> "World":
        rng = np.random.default_rng(seed)
        audit = rng.random(office.posts) < office.audit
        return cls(
            voters=voters(office, rng),
            photos=photos(office, office.posts, rng),
            gold=photos(office, office.known, rng),
            audit=audit.tolist(),
            to_check=(audit | (rng.random(office.posts) < office.checked)).tolist(),
        )
