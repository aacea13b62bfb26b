"""Is the confidence that the consensus states the accuracy that it has? Asked of posts with an admin's label.

The audit sample always gets more votes than the rule asks for, so that its posts can be labelled whatever
their votes say. Replayed up to where the rule would have stopped, they tell how sure the portal was of a post
like that, and whether it was right.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from verify import consensus
from verify.consensus import Posterior, Rule, Verdict
from verify.scoring import wilson

ENOUGH = 300  # labelled posts: with fewer, an accuracy of .98 is not told from one of .96
POSTS_A_BIN, MOST_BINS = 50, 10
Meant = frozenset[str]


@dataclass(frozen=True)
class Labelled:
    """A post of the audit sample with an admin's answer."""

    prior: Posterior
    votes: Sequence[tuple[Meant, float]]  # in their order: the answers that a vote may mean, its reliability
    truth: str


@dataclass(frozen=True)
class Bin:
    """Posts of about the same stated confidence."""

    stated: float  # the mean
    real: float  # the share that was right
    count: int
    low: float  # the 95% interval of ``real``, after Wilson
    high: float


def replay(post: Labelled, rule: Rule, vote_weight: float = 1.0) -> Verdict | None:
    """What ``rule`` would have decided, at the first vote at which it would; None if it never would."""
    posterior = dict(post.prior)
    for votes, (meant, reliability) in enumerate(post.votes, start=1):
        posterior = consensus.updated(posterior, meant, reliability, vote_weight)
        decision = consensus.decide(posterior, votes, rule)
        if decision is not None:
            return decision if isinstance(decision, Verdict) else None
    return None


def reliability_diagram(stated: Sequence[float], right: Sequence[bool]) -> list[Bin]:
    """Stated confidence (0 to 1) against real accuracy, the least confident first.

    The bins hold equal numbers of posts, since most verdicts are given within a point of the threshold.
    Raises ValueError if the lengths differ.
    """
    if len(stated) != len(right):
        raise ValueError(f"{len(stated)} confidences and {len(right)} outcomes")
    if not len(stated):
        return []
    order = np.argsort(stated, kind="stable")
    bins = np.array_split(order, min(MOST_BINS, max(1, len(order) // POSTS_A_BIN)))
    return [_bin(np.asarray(stated)[posts], np.asarray(right)[posts]) for posts in bins]


def _bin(stated: NDArray[np.float64], right: NDArray[np.bool_]) -> Bin:
    hits, count = int(right.sum()), len(right)
    return Bin(float(stated.mean()), hits / count, count, *wilson(hits, count))
