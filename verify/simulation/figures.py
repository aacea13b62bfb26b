"""What a campaign has come to."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from verify.simulation.play import Campaign, Days, State

ENOUGH_VOTES = 50  # to be judged as a voter
BINS = 10


@dataclass(frozen=True)
class Bin:
    """Settled posts of like stated confidence."""

    stated: float
    accuracy: float
    posts: int


@dataclass(frozen=True)
class Figures:
    """Of the ordinary posts, the audit sample left out; gold cards are counted nowhere."""

    posts: int
    finished: int  # settled by voters
    coverage: float  # share of them
    accuracy: float  # of the finished, as the voters said
    stated_confidence: float
    votes_per_finished: float  # votes that count, on finished posts
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
    bad = np.array([voter.is_bad for voter in campaign.world.voters])
    active = campaign.box.votes_by() >= ENOUGH_VOTES
    muted = np.array(campaign.muted)
    return Figures(
        posts=len(ordinary),
        finished=len(finished),
        coverage=len(finished) / max(len(ordinary), 1),
        accuracy=_mean(right),
        stated_confidence=_mean([post.confidence for post in finished]),
        votes_per_finished=_mean([post.votes for post in finished]),
        cards_per_finished=sum(post.cards for post in ordinary) / max(len(finished), 1),
        least_votes=min((post.votes for post in finished), default=0),
        bad_voters=int((bad & active).sum()),
        bad_voters_found=int((bad & active & muted).sum()),
        good_voters_flagged=int((~bad & muted).sum()),
        gold_cards=int(campaign.box.gold_seen.sum()),
        reopened=sum(campaign.days.reopened),
        vote_weight=campaign.weight,
    )


def _mean(values: list[Any]) -> float:
    return float(np.mean(values)) if values else 0.0
