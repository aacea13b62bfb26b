"""What a campaign has come to."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from verify.simulation.play import Campaign, Days, State

ENOUGH_VOTES = 50  # to be judged as a voter
BINS = 10


@dataclass(frozen=True)
class Figures:
    """Of the ordinary posts, the audit sample left out; gold cards are counted nowhere."""

    posts: int
    finished: int  # settled by voters
    coverage: float  # share of them
    accuracy: float  # of the finished, as the voters said
    stated_confidence: float
    votes_per_finished: float  # votes that counted when they were cast, on finished posts
    cards_per_finished: float  # all answers, of muted voters and on unfinished posts, too
    least_votes: int  # of a finished post
    bad_voters: int  # with ENOUGH_VOTES
    bad_voters_found: int
    good_voters_flagged: int
    gold_cards: int
    reopened: int
    vote_weight: float


def figures(campaign: Campaign) -> Figures:
    ordinary = [post for post in campaign.posts if not post.audit]
    finished = [post for post in ordinary if post.state == State.SETTLED]
    right = [post.answer == post.photo.truth for post in finished]
    bad = np.array([person.voter.is_bad for person in campaign.people])
    active = campaign.box.votes_by() >= ENOUGH_VOTES
    muted = np.array([person.muted for person in campaign.people])
    return Figures(
        posts=len(ordinary),
        finished=len(finished),
        coverage=len(finished) / max(len(ordinary), 1),
        accuracy=_mean(right),
        stated_confidence=_mean([post.confidence for post in finished]),
        votes_per_finished=_mean([post.spent for post in finished]),
        cards_per_finished=sum(post.cards for post in ordinary) / max(len(finished), 1),
        least_votes=min((post.spent for post in finished), default=0),
        bad_voters=int((bad & active).sum()),
        bad_voters_found=int((bad & active & muted).sum()),
        good_voters_flagged=int((~bad & muted).sum()),
        gold_cards=int(campaign.box.gold_seen.sum()),
        reopened=sum(campaign.days.reopened),
        vote_weight=campaign.weight,
    )


def _mean(values: list[Any]) -> float:
    return float(np.mean(values)) if values else 0.0


@dataclass(frozen=True)
class Bin:
    """Finished posts of like stated confidence."""

    stated: float
    accuracy: float
    posts: int


@dataclass(frozen=True)
class Believed:
    """A voter as the last re-fit saw them, beside what only the simulation knows."""

    is_bad: bool
    ability: float
    reliability: float
    low: float
    high: float
    votes: int
    muted: bool


@dataclass(frozen=True)
class Outcome:
    """All of a campaign that is shown."""

    figures: Figures
    bins: list[Bin]
    voters: list[Believed]  # empty where the policy learns nothing of them
    days: Days


def outcome(campaign: Campaign) -> Outcome:
    return Outcome(figures(campaign), _bins(campaign), _believed(campaign), campaign.days)


def _bins(campaign: Campaign) -> list[Bin]:
    """Bins of equal numbers of posts, since most verdicts are given near the threshold."""
    finished = [post for post in campaign.posts if post.state == State.SETTLED and not post.audit]
    finished.sort(key=lambda post: post.confidence)
    parts = [part for part in np.array_split(np.arange(len(finished)), BINS) if len(part)]
    return [
        Bin(
            stated=_mean([finished[number].confidence for number in part]),
            accuracy=_mean([finished[number].answer == finished[number].photo.truth for number in part]),
            posts=len(part),
        )
        for part in parts
    ]


def _believed(campaign: Campaign) -> list[Believed]:
    if campaign.fit is None:
        return []
    fit, votes = campaign.fit, campaign.box.votes_by()
    return [
        Believed(
            is_bad=person.voter.is_bad,
            ability=person.voter.ability,
            reliability=float(fit.reliability[number]),
            low=float(fit.low[number]),
            high=float(fit.high[number]),
            votes=int(votes[number]),
            muted=person.muted,
        )
        for number, person in enumerate(campaign.people)
    ]
