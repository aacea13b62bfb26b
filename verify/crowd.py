"""One answer to each task of any crowd, from the votes alone.

What the portal's office knows from gold is chosen here on votes held back: how strong the Beta prior of a
voter's reliability is, how much ordinary votes say about it, and, with three labels or more, whether voters
have habits. Two models, both fitted by EM together with the shares of the labels:

- coin: `verify.reliability`, errors fall on all other labels alike;
- habits: a voter knows the answer with probability s, and otherwise draws from habits of his own, shrunk
  towards everybody's (MACE, Hovy et al., NAACL 2013, with a hierarchical prior). With two labels that would
  be a full confusion matrix, which no longer fixes what the labels mean: so it takes at least three.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np

from verify import reliability
from verify.reliability import Ballots, BoolArray, FloatArray, IntArray, Prior

FOLDS = 5
ROUNDS = 200  # at most, of EM
STEPS = 3  # of the reliabilities between two of the labels' shares
STILL = 1e-4  # what moves less has converged
LEAST_LABELS = 3  # for habits
BEYOND_CHANCE = 2.0  # standard errors
PRIORS = (Prior(8, 1.5), Prior(4, 2), Prior(2, 1.5))
SHRINKAGE = (2.0, 10.0, 50.0)  # of a voter's habits, in votes


@dataclass(frozen=True)
class Crowd:
    """Votes, as indices into the names. Task i has the labels ``option[first[i]:first[i + 1]]``, rising."""

    tasks: Sequence[str]
    workers: Sequence[str]
    labels: Sequence[str]
    task: IntArray  # (votes,)
    worker: IntArray  # (votes,)
    label: IntArray  # (votes,)
    first: IntArray  # (tasks + 1,)
    option: IntArray  # (slots,) labels
    alike: bool  # every task has every label

    @cached_property
    def slot(self) -> IntArray:
        """(votes,) what each vote supports; the task must have its label."""
        options = np.repeat(np.arange(len(self.tasks)), np.diff(self.first)) * len(self.labels) + self.option
        return np.searchsorted(options, self.task * len(self.labels) + self.label)

    def ballots(
        self,
        shares: FloatArray,
        votes: BoolArray,
        gold_right: FloatArray | None = None,
        gold_seen: FloatArray | None = None,
    ) -> Ballots:
        """The chosen ``votes`` (a mask) as ballots, with a prior by the labels' ``shares``."""
        prior = shares[self.option]
        none = np.zeros(len(self.workers))
        return Ballots(
            first=self.first,
            prior=prior / np.repeat(np.add.reduceat(prior, self.first[:-1]), np.diff(self.first)),
            slot=self.slot[votes],
            voter=self.worker[votes],
            voters=len(self.workers),
            truth=np.full(len(self.tasks), -1),
            gold_right=none if gold_right is None else gold_right,
            gold_seen=none if gold_seen is None else gold_seen,
        )

    def answers(self, posterior: FloatArray) -> tuple[IntArray, FloatArray]:
        """(tasks,) the label of the highest posterior, the first of equals, and that posterior."""
        best = np.maximum.reduceat(posterior, self.first[:-1])
        slots = np.flatnonzero(posterior == np.repeat(best, np.diff(self.first)))
        return self.option[slots[np.searchsorted(slots, self.first[:-1])]], best


@dataclass(frozen=True)
class Fitted:
    posterior: FloatArray  # (slots,)
    shares: FloatArray  # (labels,)
    hit: FloatArray  # (votes,) the probability that its voter says this where it is right
    miss: FloatArray  # (votes,) and where it is not

    def surprises(self, crowd: Crowd, votes: BoolArray) -> FloatArray:
        """-ln P of each of the ``votes`` (a mask)."""
        right = self.posterior[crowd.slot[votes]]
        return -np.log(right * self.hit[votes] + (1 - right) * self.miss[votes])


@dataclass(frozen=True)
class Model:
    prior: Prior
    ordinary: float = 1.0
    shrinkage: float | None = None  # None: a coin

    def __str__(self) -> str:
        kind = "coin" if self.shrinkage is None else f"habits({self.shrinkage:g})"
        return f"{kind}, Beta({self.prior.right:g}, {self.prior.wrong:g}), evidence {self.ordinary:g}"

    def fit(self, crowd: Crowd, votes: BoolArray) -> Fitted:
        """Posteriors and voters from the chosen ``votes`` (a mask)."""
        return _coin(crowd, votes, self) if self.shrinkage is None else _habits(crowd, votes, self)


def candidates(crowd: Crowd) -> list[Model]:
    """The simplest first."""
    coins = [Model(PRIORS[0], reliability.ORDINARY), *map(Model, PRIORS)]
    habits = [Model(prior, shrinkage=shrinkage) for prior in PRIORS[1:] for shrinkage in SHRINKAGE]
    return coins + habits if crowd.alike and len(crowd.labels) >= LEAST_LABELS else coins


def surprises(crowd: Crowd, model: Model, seed: int = 0) -> FloatArray:
    """(votes,) -ln P of each vote under the model, fitted without the fifth of the votes that it is in."""
    fold = np.random.default_rng(seed).integers(FOLDS, size=len(crowd.task))
    found = np.empty(len(crowd.task))
    for k in range(FOLDS):
        found[fold == k] = model.fit(crowd, fold != k).surprises(crowd, fold == k)
    return found


def choose(tried: Mapping[Model, FloatArray]) -> Model:
    """The model of the least mean surprise; but habits only if they gain more on coins than chance gives.

    That is, more than twice the standard error of the mean difference.
    """
    ranked = sorted(tried, key=lambda model: float(tried[model].mean()))
    coin = next(model for model in ranked if model.shrinkage is None)
    gain = tried[coin] - tried[ranked[0]]
    return ranked[0] if gain.mean() > BEYOND_CHANCE * gain.std() / np.sqrt(len(gain)) else coin


def _coin(crowd: Crowd, votes: BoolArray, model: Model) -> Fitted:
    labels = len(crowd.labels)
    fit = partial(reliability.fit, prior=model.prior, ordinary=model.ordinary, correct=False, tolerance=STILL)
    shares, moved = np.full(labels, 1 / labels), np.inf
    fitted = fit(crowd.ballots(shares, votes), iterations=STEPS if crowd.alike else ROUNDS)
    for _ in range(ROUNDS if crowd.alike else 0):
        renewed = _shares(crowd, fitted.posterior)
        moved, shares = float(np.abs(renewed - shares).max()), renewed
        fitted = fit(crowd.ballots(shares, votes), iterations=STEPS, start=fitted.reliability)
        if moved < STILL and fitted.converged:
            break
    right = fitted.reliability[crowd.worker]
    others = np.diff(crowd.first)[crowd.task] - 1
    return Fitted(fitted.posterior, shares, right, (1 - right) / others)


def _habits(crowd: Crowd, votes: BoolArray, model: Model) -> Fitted:
    """EM over whether each vote was known or drawn from its voter's habits."""
    labels, workers = len(crowd.labels), len(crowd.workers)
    worker, slot, label = crowd.worker[votes], crowd.slot[votes], crowd.label[votes]
    knows, moved = np.full(workers, model.prior.right / (model.prior.right + model.prior.wrong)), np.inf
    habit, shares = np.full((workers, labels), 1 / labels), np.full(labels, 1 / labels)
    seen = np.bincount(worker, minlength=workers)
    for _ in range(ROUNDS):
        drawn = (1 - knows[worker]) * habit[worker, label]
        posterior = _posterior(crowd, slot, np.log1p(knows[worker] / drawn), shares)
        if moved < STILL:
            break
        known = posterior[slot] * knows[worker] / (knows[worker] + drawn)
        right = model.prior.right + np.bincount(worker, known, workers)
        renewed = reliability.estimates(right, model.prior.right + model.prior.wrong + seen - right)
        moved, knows = float(np.abs(renewed - knows).max()), renewed
        habit = _habit(
            np.bincount(worker * labels + label, 1 - known, workers * labels).astype(float), labels, model
        )
        shares = _shares(crowd, posterior)
    drawn = (1 - knows[crowd.worker]) * habit[crowd.worker, crowd.label]
    return Fitted(posterior, shares, knows[crowd.worker] + drawn, drawn)


def _habit(drawn: FloatArray, labels: int, model: Model) -> FloatArray:
    """(workers, labels) shrunk towards the habits of all; ``drawn`` (workers * labels,) are counts."""
    counts = drawn.reshape(-1, labels)
    common = counts.sum(0) + 1
    counts = counts + (model.shrinkage or 0) * common / common.sum()
    return np.asarray(counts / counts.sum(1, keepdims=True))


def _posterior(crowd: Crowd, slot: IntArray, odds: FloatArray, shares: FloatArray) -> FloatArray:
    labels = len(crowd.labels)
    logs = np.bincount(slot, odds, len(crowd.option)).reshape(-1, labels) + np.log(shares)
    likely = np.exp(logs - logs.max(1, keepdims=True))
    return np.asarray((likely / likely.sum(1, keepdims=True)).ravel())


def _shares(crowd: Crowd, posterior: FloatArray) -> FloatArray:
    """(labels,) with one task more for each label, so that none dies out."""
    shares = np.bincount(crowd.option, posterior, len(crowd.labels)) + 1
    return np.asarray(shares / shares.sum())
