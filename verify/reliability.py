"""How far each voter can be believed, learnt from everybody's votes at once.

The one-coin model of Dawid and Skene (Applied Statistics 28, 1979): a voter of reliability s names the truth
with probability s, and otherwise any of the K - 1 other answers alike. A reliability has a Beta prior;
expectation maximisation (EM) alternates between the posteriors of the posts and the reliabilities. Left to
itself EM confirms its own guesses: whoever agrees with them is taken for a good voter. So posts whose truth
is known count in full (``KNOWN``), and ordinary ones little (``ORDINARY``).

The classifier's prior is corrected by one factor per bin of its top probability, on the odds of the top
answer against the rest: a logistic regression with an offset and one intercept a bin, drawn from a normal.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import scipy  # its parts are loaded at their first use: every start of the portal would pay for them
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.special import betaincinv

from verify import audit, consensus
from verify.consensus import EDGES, LEAST, MOST, RIGHT, UNCORRECTED, WRONG

FloatArray = NDArray[np.floating]
IntArray = NDArray[np.integer]
BoolArray = NDArray[np.bool_]

KNOWN, ORDINARY = 1.0, 0.25  # the weight of a vote as evidence about its voter
INTERVAL = (0.025, 0.975)
BINS = len(UNCORRECTED)
SPREAD = 0.5  # of a bin's log factor, before any post has been seen: a few posts change next to nothing
STEP = 1.0  # the most by which a log factor moves at once: Newton's steps overshoot near 0 and 1
WEIGHT_SPREAD = 0.3  # of the log weight of a vote, before any label has been seen
LEAST_WEIGHT, MOST_WEIGHT = 0.2, 1.5  # of a vote: labels that agree with every vote would have it grow on
TINY = 1e-12


@dataclass(frozen=True)
class Prior:
    """The Beta prior of a voter's reliability, as the numbers of right and wrong answers, each plus one."""

    right: float = RIGHT
    wrong: float = WRONG

    def __post_init__(self) -> None:
        if not (self.right > 1 and self.wrong > 1):
            raise ValueError(f"Beta({self.right}, {self.wrong}) has no mode: expected both above 1")


@dataclass(frozen=True)
class Ballots:
    """Who voted for what, in flat arrays: post i's answers are "slots" ``first[i]`` to ``first[i + 1] - 1``.

    A vote may support several slots of its post ("none of these", given before somebody named a further
    dress, supports both); it then has an entry for each of them.

    Raises ValueError where the arrays contradict one another.
    """

    first: IntArray  # (posts + 1,) offsets
    prior: FloatArray  # (slots,) sums to 1 over each post; not corrected
    slot: IntArray  # (entries,) the slot that a vote supports
    voter: IntArray  # (entries,) 0 to voters - 1
    voters: int
    truth: IntArray  # (posts,) the slot known to be right, -1 where nobody knows
    gold_right: FloatArray  # (voters,) gold answers that were right
    gold_seen: FloatArray  # (voters,) gold answers given
    counted: BoolArray | None = (
        None  # (entries,) False: says something about its voter, nothing about the post
    )
    # (pairs, 2) the slot of a dress that somebody named, and that of "none of these", which it shares with.
    named: IntArray = field(default_factory=lambda: np.empty((0, 2), int))

    def __post_init__(self) -> None:
        gold = (self.gold_right, self.gold_seen)
        rules = {
            "first rises from 0 to the number of slots": self.first[0] == 0
            and self.first[-1] == len(self.prior),
            "a post has at least two slots": bool((self.sizes > 1).all()),
            "an entry names an existing slot": _within(self.slot, len(self.prior)),
            "an entry names an existing voter": _within(self.voter, self.voters),
            "entries have a slot and a voter": len(self.slot) == len(self.voter),
            "counted has a value for each entry": self.counted is None or len(self.counted) == len(self.slot),
            "gold has a value for each voter": all(len(answers) == self.voters for answers in gold),
            "truth has a value for each post": len(self.truth) == len(self.sizes),
            "a named dress has an existing slot": _within(self.named, len(self.prior)),
        }
        broken = [rule for rule, holds in rules.items() if not holds]
        if broken:
            raise ValueError(f"These ballots break a rule: {broken[0]}")
        if ((self.truth >= 0) & ((self.truth < self.first[:-1]) | (self.truth >= self.first[1:]))).any():
            raise ValueError("These ballots break a rule: a truth is a slot of its own post")

    @cached_property
    def sizes(self) -> IntArray:
        """(posts,) the number K of possible answers."""
        return np.diff(self.first)

    def of(self, posts: BoolArray) -> "Ballots":
        """Those of the chosen ``posts`` (a mask) alone; the voters are the same."""
        kept = np.repeat(posts, self.sizes)
        place, entries = np.cumsum(kept) - 1, kept[self.slot]
        return replace(
            self,
            first=np.concatenate([[0], np.cumsum(self.sizes[posts])]),
            prior=self.prior[kept],
            slot=place[self.slot[entries]],
            voter=self.voter[entries],
            truth=np.where(self.truth >= 0, place[self.truth], -1)[posts],
            counted=None if self.counted is None else self.counted[entries],
            named=place[self.named[kept[self.named[:, 0]]]],
        )

    def post_of(self, slot: IntArray) -> IntArray:
        return np.searchsorted(self.first, slot, side="right") - 1

    @cached_property
    def offered(self) -> FloatArray:
        """(slots,) the prior before named dresses joined it: what the classifier said, which is corrected."""
        dress, none = self.named.T
        offered = self.prior.copy() if len(dress) else self.prior
        np.add.at(offered, none, self.prior[dress])
        offered[dress] = 0
        return offered

    @cached_property
    def share(self) -> FloatArray:
        """(entries,) 1, or less for a vote of several entries, whose shares sum to 1."""
        vote = self.post_of(self.slot)
        vote *= self.voters
        vote += self.voter
        ordered = np.sort(vote)
        if (ordered[1:] != ordered[:-1]).all():
            return np.ones(len(vote))
        _, votes, entries = np.unique(vote, return_inverse=True, return_counts=True)
        return np.asarray(1.0 / entries[votes])


@dataclass(frozen=True)
class Fit:
    """What the votes say: about the posts, about the voters, about the classifier."""

    posterior: FloatArray  # (slots,) a known truth has 1
    from_votes: FloatArray  # (slots,) what prior and votes say, whether or not the truth is known
    right: FloatArray  # (voters,) Beta parameters of the reliability, after the evidence
    wrong: FloatArray
    reliability: FloatArray  # (voters,) the point estimate
    low: FloatArray  # (voters,) 95% interval
    high: FloatArray
    votes: FloatArray  # (voters,) without gold
    factors: tuple[float, ...]  # per bin, for `consensus.corrected`
    iterations: int
    converged: bool


def interval(right: FloatArray, wrong: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The ends of the 95% intervals of Beta(right, wrong)."""
    low, high = (np.asarray(betaincinv(right, wrong, end)) for end in INTERVAL)
    return low, high


def fit(
    ballots: Ballots,
    prior: Prior | None = None,
    *,
    iterations: int = 100,
    tolerance: float = 1e-4,
    vote_weight: float = 1.0,
    ordinary: float = ORDINARY,
    correct: bool = True,
    start: FloatArray | None = None,
) -> Fit:
    """Posteriors, reliabilities and a correction of the prior (if ``correct``) that agree with one another.

    A vote adds ``vote_weight * ln(s (K - 1) / (1 - s))`` to the log odds of its slot; its voter's Beta
    parameters gain ``ordinary`` times the slot's posterior, or ``KNOWN`` times 1 or 0 where the truth is
    known. Stops when no reliability or log factor moves by more than ``tolerance``. The same ballots, in
    whatever order, give the same figures. Begins at ``start`` (voters,), else at what prior and gold say.
    """
    state = _State(ballots, prior or Prior(), vote_weight, ordinary)
    state.reliability = state.reliability if start is None else start
    moved, done = np.inf, 0
    while moved > tolerance and done < iterations:
        moved, done = state.advance(correct), done + 1
    from_votes = state.from_votes()
    posterior = state.known(from_votes)
    right, wrong = state.parameters(posterior)
    low, high = interval(right, wrong)
    return Fit(
        posterior=posterior,
        from_votes=from_votes,
        right=right,
        wrong=wrong,
        reliability=estimates(right, wrong),
        low=low,
        high=high,
        votes=np.bincount(ballots.voter, ballots.share, ballots.voters).astype(float),
        factors=tuple(np.exp(state.log_factors).tolist()),
        iterations=done,
        converged=bool(moved <= tolerance),
    )


def fit_audited(
    ballots: Ballots, sample: BoolArray, usual: float = consensus.VOTE_WEIGHT, correct: bool = True
) -> tuple[Fit, float]:
    """A night's fit, and the weight of a vote in it.

    That is ``usual``, until so many posts of the audit ``sample`` (posts,) have a known truth that they tell.
    """
    fitted = fit(ballots, vote_weight=usual, correct=correct)
    labels = np.where(sample, ballots.truth, -1)
    if (labels >= 0).sum() < audit.ENOUGH:
        return fitted, usual
    weight = fit_vote_weight(replace(ballots, truth=labels), fitted)
    del fitted  # its posteriors need as much memory again
    return fit(ballots, vote_weight=weight, correct=correct), weight


def fit_vote_weight(ballots: Ballots, fitted: Fit) -> float:
    """The weight of a vote under which the known truths are likeliest: below 1, people err together.

    Of the posts with a truth, which should be an audit sample rather than the hard cases. Reliabilities and
    factors are those of ``fitted``. Its logarithm has a normal prior around that of `consensus.VOTE_WEIGHT`:
    among some hundred posts of the sample few are in dispute, and by those alone it would jump about.
    """
    labelled = ballots.of(ballots.truth >= 0)
    state = _State(labelled, Prior(), 1.0, ORDINARY)
    state.reliability, state.log_factors = fitted.reliability, np.log(fitted.factors)

    def surprise(weight: float) -> float:
        state.vote_weight = weight
        unlikely = (np.log(weight / consensus.VOTE_WEIGHT) / WEIGHT_SPREAD) ** 2 / 2
        return float(unlikely - np.log(np.maximum(state.from_votes()[labelled.truth], TINY)).sum())

    return float(
        scipy.optimize.minimize_scalar(surprise, bounds=(LEAST_WEIGHT, MOST_WEIGHT), method="bounded").x
    )


def corrected(ballots: Ballots, factors: Sequence[float]) -> FloatArray:
    """(slots,) the prior as `consensus.corrected` has it, which named dresses join afterwards."""
    top = _Top(ballots)
    shares = ballots.prior.copy()
    shares[top.slots] *= np.asarray(factors)[top.bins[top.posts]]
    return np.asarray(shares / np.repeat(np.add.reduceat(shares, ballots.first[:-1]), ballots.sizes))


def estimates(right: FloatArray, wrong: FloatArray) -> FloatArray:
    """(voters,) `consensus.estimate` for arrays."""
    return np.clip((right - 1) / (right + wrong - 2), LEAST, MOST)


class _Top:
    """The classifier's top answer to each post, the first of equals, and its slots.

    Those are several where it is "none of these" and somebody has named a dress that was not offered.
    """

    def __init__(self, ballots: Ballots) -> None:
        first = _tops(ballots)
        dress, none = ballots.named.T
        also = dress[none == first[ballots.post_of(none)]]
        self.prior = ballots.offered[first]  # (posts,)
        self.bins = np.searchsorted(EDGES, self.prior, side="right")  # (posts,)
        self.slots = np.concatenate([first, also])  # and by slot the post:
        self.posts = np.concatenate([np.arange(len(first)), ballots.post_of(also)])


class _State:
    """Between two iterations: the reliabilities and factors, and what never changes from one to the next."""

    def __init__(self, ballots: Ballots, prior: Prior, vote_weight: float, ordinary: float) -> None:
        self.ballots, self.vote_weight = ballots, vote_weight
        counted = np.ones(len(ballots.slot), bool) if ballots.counted is None else ballots.counted
        self.counted, self.ignored = _by_slot(ballots, counted), _by_slot(ballots, ~counted).tocsc()
        self.log_prior = np.log(np.maximum(ballots.prior, TINY))
        self.log_others = np.diff(self.counted.indptr) * np.repeat(np.log(ballots.sizes - 1.0), ballots.sizes)
        self.top = _Top(ballots)
        self.judged = np.add.reduceat(np.diff(self.counted.indptr), ballots.first[:-1]) > 0
        is_known = ballots.truth >= 0
        self.known_slots = np.flatnonzero(np.repeat(is_known, ballots.sizes))
        self.truths = ballots.truth[is_known]
        self.post_weight = np.where(is_known, KNOWN, ordinary)
        self.slot_weight = np.repeat(self.post_weight, ballots.sizes)
        self.right = prior.right + ballots.gold_right
        seen = np.bincount(ballots.voter, ballots.share * self.slot_weight[ballots.slot], ballots.voters)
        self.total = self.right + prior.wrong + (ballots.gold_seen - ballots.gold_right) + seen
        self.reliability = estimates(self.right, self.total - seen - self.right)
        self.log_factors = np.zeros(BINS)

    def advance(self, correct: bool) -> float:
        """One iteration; how far the figure moved that moved furthest."""
        posterior = self.known(self.from_votes())
        renewed = estimates(*self.parameters(posterior))
        step = self._newton_step(posterior) if correct else np.zeros(BINS)
        moved = max(np.abs(renewed - self.reliability).max(initial=0), np.abs(step).max())
        self.reliability, self.log_factors = renewed, self.log_factors + step
        return float(moved)

    def from_votes(self) -> FloatArray:
        """(slots,) posteriors by prior and votes alone."""
        odds = self.counted @ np.log(self.reliability / (1 - self.reliability))
        odds += self.log_others
        odds *= self.vote_weight
        odds += self.log_prior
        odds[self.top.slots] += self.log_factors[self.top.bins[self.top.posts]]
        starts, sizes = self.ballots.first[:-1], self.ballots.sizes
        odds -= np.repeat(np.maximum.reduceat(odds, starts), sizes)
        shares = np.exp(odds, out=odds)
        shares /= np.repeat(np.add.reduceat(shares, starts), sizes)
        return np.asarray(shares)

    def known(self, from_votes: FloatArray) -> FloatArray:
        """(slots,) the same with 1 and 0 where the truth is known."""
        posterior = from_votes.copy()
        posterior[self.known_slots] = 0
        posterior[self.truths] = 1
        return posterior

    def parameters(self, posterior: FloatArray) -> tuple[FloatArray, FloatArray]:
        """(voters,), (voters,) the Beta parameters after the evidence of these posteriors."""
        evidence = posterior * self.slot_weight
        right = self.right + (self.counted.T @ evidence + self.ignored.T @ evidence)
        return right, self.total - right

    def _newton_step(self, posterior: FloatArray) -> FloatArray:
        """(BINS,) towards the log factors with which top answers are right as often as the prior says.

        Of all posts that have a vote or a truth: to take only the settled ones would favour those where the
        votes agree with the classifier, since they settle first.
        """
        weight = self.post_weight * (self.judged | (self.ballots.truth >= 0))
        top = self.top
        odds = top.prior * np.exp(self.log_factors[top.bins])
        expected = odds / (odds + 1 - top.prior)
        found = np.bincount(top.posts, posterior[top.slots], len(top.prior))
        excess = np.bincount(top.bins, weight * (found - expected), BINS)
        curvature = np.bincount(top.bins, weight * expected * (1 - expected), BINS)
        slope = excess - self.log_factors / SPREAD**2
        return np.clip(slope / (curvature + 1 / SPREAD**2), -STEP, STEP)


def _by_slot(ballots: Ballots, chosen: BoolArray) -> csr_array:
    """(slots, voters) 1 where a voter supports a slot; its indices sorted, so that sums have one order."""
    entries = (np.ones(int(chosen.sum())), (ballots.slot[chosen], ballots.voter[chosen]))
    support = csr_array(entries, shape=(len(ballots.prior), ballots.voters))
    support.sum_duplicates()
    return support


def _tops(ballots: Ballots) -> IntArray:
    """(posts,) the slot to which the classifier gives most, the first of equals."""
    highest = np.repeat(np.maximum.reduceat(ballots.offered, ballots.first[:-1]), ballots.sizes)
    candidates = np.flatnonzero(ballots.offered == highest)
    return np.asarray(candidates[np.searchsorted(candidates, ballots.first[:-1])])


def _within(indices: IntArray, end: int) -> bool:
    return len(indices) == 0 or (indices.min() >= 0 and indices.max() < end)
