"""How a crowd would have done, had its tasks been closed as soon as they were sure enough.

The votes come in one at a time, in a random order, and what comes in after its task was closed is not used. A
few tasks may be gold: their truth is known, so are all answers to them, and they are not counted.
Reliabilities come from gold, and at a quarter of the weight from the posteriors of the other tasks, which are
re-fitted now and then as they are in the portal every night.
"""

from dataclasses import dataclass

import numpy as np
import scipy  # its parts are loaded at their first use: every start of the portal would pay for them
from scipy.special import betaln

from verify import reliability
from verify.crowd import Crowd
from verify.reliability import BoolArray, FloatArray, IntArray, Prior

REFITS = 10  # over all the votes
REOPEN = 0.85
LEAST_ANSWERS, MOST_ANSWERS = 0.1, 50.0  # that a prior is worth: few gold answers may all look alike


@dataclass(frozen=True)
class Stopping:
    threshold: float
    gold: float  # the share of the tasks of known truth that are gold; 0: none is
    least_votes: int = 1

    def __post_init__(self) -> None:
        if not 0.5 < self.threshold < 1:
            raise ValueError(f"The threshold is {self.threshold}: expected more than 0.5 and less than 1.")
        if not 0 <= self.gold < 1:
            raise ValueError(f"The share of gold is {self.gold}: expected 0 or more and less than 1.")


@dataclass(frozen=True)
class Outcome:
    """Of one order of the votes; gold tasks are not in it."""

    accuracy: float  # of the tasks of known truth
    tasks: int
    votes_per_task: float
    coverage: float  # the share of the tasks that were sure enough in the end
    accuracy_closed: float  # of these
    stated_confidence: float  # of these


def replay(crowd: Crowd, truth: IntArray, stopping: Stopping, rng: np.random.Generator) -> Outcome:
    """One random choice of gold tasks and one random order.

    ``truth`` (tasks,) are labels, -1 where nobody knows, below that where nobody said it. Raises ValueError
    where too few are labels.
    """
    known = np.flatnonzero(truth >= 0)
    golden = max(1, round(stopping.gold * len(known))) if stopping.gold else 0
    if len(known) <= golden:
        raise ValueError(f"{golden} gold of {len(known)} tasks of known truth leave nothing to measure.")
    gold = np.zeros(len(crowd.tasks), bool)
    gold[rng.choice(known, golden, replace=False)] = True
    run = _Run(crowd, truth, gold, stopping)
    order = rng.permutation(np.flatnonzero(~gold[crowd.task]))
    for votes in np.array_split(order, REFITS):
        run.take(votes)
        run.refit()
    return run.outcome(truth, gold)


def prior_of(right: FloatArray, seen: FloatArray) -> Prior:
    """The Beta prior that these gold answers of all voters suggest.

    The likeliest a and b of the beta-binomial, under the usual hyperprior (a + b)^(-5/2) (Gelman et al.,
    Bayesian Data Analysis, 5.3), and one more of each: `consensus.estimate` takes the mode, which is then
    the mean of Beta(a, b), so that a newcomer counts as an average voter.
    """

    def surprise(point: FloatArray) -> float:
        a, b = np.exp(point)
        likely = betaln(a + right, b + seen - right) - betaln(a, b)
        return float(2.5 * np.log(a + b) - likely.sum())

    start = Prior()
    bounds = [(np.log(LEAST_ANSWERS), np.log(MOST_ANSWERS))] * 2
    found = scipy.optimize.minimize(
        surprise, np.log([start.right, start.wrong]), bounds=bounds, method="L-BFGS-B"
    )
    a, b = np.exp(found.x).tolist()
    return Prior(1 + a, 1 + b)


class _Run:
    """The state of the tasks and voters between two votes."""

    def __init__(self, crowd: Crowd, truth: IntArray, gold: BoolArray, stopping: Stopping) -> None:
        self.crowd, self.stopping = crowd, stopping
        answers, voters = gold[crowd.task], len(crowd.workers)
        right = answers & (crowd.label == truth[crowd.task])
        self.gold_right, self.gold_seen = (
            np.bincount(crowd.worker[chosen], minlength=voters).astype(float) for chosen in (right, answers)
        )
        self.prior = prior_of(self.gold_right, self.gold_seen) if answers.any() else Prior()
        shares = np.bincount(truth[gold], minlength=len(crowd.labels)) + 1.0
        self.shares = shares / shares.sum() if crowd.alike else np.ones(len(shares)) / len(shares)
        self.used = np.zeros(len(crowd.task), bool)
        self.closed, self.votes = [False] * len(crowd.tasks), [0] * len(crowd.tasks)
        self.refit()

    def take(self, votes: IntArray) -> None:
        """Count the votes of these indices one after the other, each in full.

        The portal has an audit sample that tells how much less a vote weighs; here nobody knows.
        """
        crowd, posterior = self.crowd, self.posterior
        odds = (self.reliability / (1 - self.reliability))[crowd.worker[votes]]
        tasks = crowd.task[votes]
        starts = crowd.first[tasks].tolist()
        ends = crowd.first[tasks + 1].tolist()
        for vote, task, slot, odd, start, end in zip(
            votes.tolist(),
            tasks.tolist(),
            crowd.slot[votes].tolist(),
            odds.tolist(),
            starts,
            ends,
            strict=True,
        ):
            if self.closed[task]:
                continue
            posterior[slot] *= odd * (end - start - 1)
            total = sum(posterior[start:end])
            posterior[start:end] = [share / total for share in posterior[start:end]]
            self.used[vote] = True
            self.votes[task] += 1
            sure = max(posterior[start:end]) >= self.stopping.threshold
            self.closed[task] = sure and self.votes[task] >= self.stopping.least_votes

    def refit(self) -> None:
        """Reliabilities and posteriors from all votes used so far; what is no longer sure opens again."""
        ballots = self.crowd.ballots(
            self.shares, self.used, gold_right=self.gold_right, gold_seen=self.gold_seen
        )
        fitted = reliability.fit(ballots, self.prior, correct=False, tolerance=1e-3)
        self.reliability = fitted.reliability
        self.posterior: list[float] = fitted.posterior.tolist()
        tops = np.maximum.reduceat(fitted.posterior, self.crowd.first[:-1])
        self.closed = (np.array(self.closed) & (tops >= REOPEN)).tolist()

    def outcome(self, truth: IntArray, gold: BoolArray) -> Outcome:
        answers, confidence = self.crowd.answers(np.array(self.posterior))
        closed, counted = np.array(self.closed) & ~gold, ~gold
        right, judged = answers == truth, counted & (truth != -1)
        return Outcome(
            accuracy=_mean(right[judged]),
            tasks=int(counted.sum()),
            votes_per_task=_mean(np.array(self.votes)[counted]),
            coverage=_mean(closed[counted]),
            accuracy_closed=_mean(right[judged & closed]),
            stated_confidence=_mean(confidence[judged & closed]),
        )


def _mean(values: FloatArray | IntArray | BoolArray) -> float:
    return float(values.mean()) if len(values) else float("nan")
