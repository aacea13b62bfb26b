"""What several people's answers say about a post: a Bayesian posterior over its possible answers.

An answer is a key: ``dress_key(pk)``, ``NOT_A_DRESS`` or ``NONE_OF_THESE``. A posterior is a dict of all K
keys that are possible for a post and their probabilities, which sum to 1. The classifier's probabilities are
the prior; the votes follow the one-coin model (Dawid and Skene 1979, with one parameter a person): a voter of
reliability s names the truth with probability s, and otherwise any of the K - 1 others.
"""

from bisect import bisect_right
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

NOT_A_DRESS = "not_a_dress"
NONE_OF_THESE = "none_of_these"
FLOOR = 1e-3  # of any answer's prior: however sure the classifier is, people can overrule it
NAMED_SHARE = 0.5  # of what "none of these" had, for a dress that a colleague names instead

LEAST, MOST = 0.02, 0.98  # nobody is believed, or disbelieved, beyond these
EDGES = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)  # between the bins of the top probability
RIGHT, WRONG = 8.0, 1.5  # Beta prior of a voter's reliability
UNCORRECTED = (1.0,) * (len(EDGES) + 1)
AUDIT_VOTES = 5  # at least, on a post of the audit sample: enough to label it, whatever the rule asks for

Posterior = Mapping[str, float]

# The power to which a vote's likelihood is raised until the audit sample says more. People err together, on
# the same hard posts: at 1 the simulated office claims 1.5 points too much, at 0.6 it takes 2.7 votes a post.
VOTE_WEIGHT = 0.75


def dress_key(pk: int) -> str:
    return f"dress:{pk}"


def dress_of(key: str) -> int | None:
    """The primary key of the dress that an answer names, if it names one."""
    kind, _, pk = key.partition(":")
    return int(pk) if kind == "dress" else None


@dataclass(frozen=True)
class Rule:
    """When a post is decided, and when it is in doubt again.

    ``reliability`` is that of a voter of whom nothing is known, ``best`` the most that anybody counts for.
    """

    threshold: float = 0.96
    least_votes: int = 2
    most_votes: int = 9
    reliability: float = 0.88
    best: float = MOST
    reopen_below: float = 0.85  # of a settled answer's posterior, after the nightly re-fit

    def __post_init__(self) -> None:
        if not 0.5 < self.reliability <= self.best < 1:
            raise ValueError(
                f"reliability is {self.reliability}, at best {self.best}: expected 0.5 to 1, in order"
            )
        if not 0.5 < self.threshold < 1:
            raise ValueError(f"threshold is {self.threshold}: expected more than 0.5 and less than 1")
        if not 0 < self.least_votes <= self.most_votes:
            raise ValueError(f"{self.least_votes} to {self.most_votes} votes: expected at least 1, in order")


@dataclass(frozen=True)
class Verdict:
    answer: str
    confidence: float  # its posterior


@dataclass(frozen=True)
class Escalate:
    """So many votes, and still no answer sure enough: somebody has to look."""

    votes: int


def prior(options: Mapping[str, float], not_a_dress: float) -> dict[str, float]:
    """The posterior before any vote.

    ``options`` are the classifier's probabilities of the dresses by their keys, "not a dress" taken into
    account; what they and ``not_a_dress`` leave over belongs to ``NONE_OF_THESE``. None gets less than about
    ``FLOOR``.
    """
    rest = 1 - not_a_dress - sum(options.values())
    shares = {**options, NOT_A_DRESS: not_a_dress, NONE_OF_THESE: rest}
    return _normalised({key: max(share, FLOOR) for key, share in shares.items()})


def corrected(prior: Posterior, factors: Sequence[float] = UNCORRECTED) -> dict[str, float]:
    """The prior with the odds of its top answer against the rest multiplied by the factor of its bin.

    Bins are those of the top answer's probability; the factors are what the nightly re-fit learns.
    """
    top = max(prior, key=prior.__getitem__)
    factor = factors[bisect_right(EDGES, prior[top])]
    return _normalised({key: share * (factor if key == top else 1) for key, share in prior.items()})


def estimate(right: float, wrong: float) -> float:
    """The reliability of a voter with these Beta parameters (both above 1): the mode, clipped."""
    return min(MOST, max(LEAST, (right - 1) / (right + wrong - 2)))


def joined(posterior: Posterior, dress: str) -> dict[str, float]:
    """With one more possible answer, a dress that somebody named instead of "none of these".

    It was among "none of these" until now, so it takes its share of that and of nothing else. Raises
    ValueError if it is possible already.
    """
    if dress in posterior:
        raise ValueError(f"{dress} is among the answers already")
    share = posterior[NONE_OF_THESE] * NAMED_SHARE
    return {**posterior, NONE_OF_THESE: posterior[NONE_OF_THESE] - share, dress: share}


def updated(
    posterior: Posterior, answers: str | Collection[str], reliability: float, weight: float = 1.0
) -> dict[str, float]:
    """The posterior after one more vote by a voter of ``reliability`` (0 < s < 1).

    ``answers`` is what the vote says, or all that it may mean: "none of these" said before a further dress
    was named means either. ``weight`` is the power to which the vote's likelihood is raised. Raises KeyError
    for an answer that is not possible, ValueError for a reliability that is none.
    """
    meant = {answers} if isinstance(answers, str) else set(answers)
    if not meant <= posterior.keys():
        raise KeyError(*sorted(meant - posterior.keys()))
    if not 0 < reliability < 1:
        raise ValueError(f"reliability is {reliability}: expected more than 0 and less than 1")
    odds = (reliability * (len(posterior) - 1) / (1 - reliability)) ** weight
    return _normalised({key: share * odds if key in meant else share for key, share in posterior.items()})


def after(
    prior: Posterior, votes: Iterable[tuple[str | Collection[str], float]], weight: float = 1.0
) -> dict[str, float]:
    """The posterior after all ``votes``, as (answers, reliability); their order does not matter."""
    posterior = dict(prior)
    for answers, reliability in votes:
        posterior = updated(posterior, answers, reliability, weight)
    return posterior


def decide(posterior: Posterior, votes: int, rule: Rule) -> Verdict | Escalate | None:
    """What ``votes`` votes have decided, if anything."""
    leading = max(posterior, key=posterior.__getitem__)
    if votes >= rule.least_votes and posterior[leading] >= rule.threshold:
        return Verdict(leading, posterior[leading])
    return Escalate(votes) if votes >= rule.most_votes else None


def votes_needed(posterior: Posterior, votes: int, rule: Rule, weight: float = 1.0) -> int:
    """The fewest further votes that can decide it: 0 if it is decided, never more than up to the most.

    Fewer votes, whatever they say and whoever gives them, decide nothing. So this many people may hold the
    post at once without one of their votes being surplus.
    """
    leading, further = max(posterior, key=posterior.__getitem__), 0
    while decide(posterior, votes + further, rule) is None:
        posterior, further = updated(posterior, leading, rule.best, weight), further + 1
    return further


def closeness(posterior: Posterior, needed: int) -> float:
    """How near a post that needs ``needed`` more votes is to being settled: the higher, the nearer.

    Fewer votes needed come first, then the surer answer: where one vote can settle it, the chance that it
    does grows with the leading answer's probability.
    """
    return max(posterior.values()) - needed


def _normalised(shares: dict[str, float]) -> dict[str, float]:
    total = sum(shares.values())
    return {key: share / total for key, share in shares.items()}
