"""When is a post decided? The portal's answer, and the ones that it has to beat."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from verify import consensus
from verify.consensus import Escalate, Posterior, Rule, Verdict

Correction = Callable[[Mapping[str, float]], dict[str, float]]


class Policy(Protocol):
    """What is known of a post is a mapping from answers to numbers, as the policy likes."""

    @property
    def name(self) -> str: ...

    @property
    def order(self) -> str:
        """The serving order that belongs to it."""
        ...

    @property
    def learns(self) -> bool:
        """Voters' reliabilities are fitted every night."""
        ...

    @property
    def corrects(self) -> bool:
        """The classifier's probabilities are corrected every night."""
        ...

    @property
    def is_production(self) -> bool:
        """It reopens settled posts, mutes voters, has an audit sample."""
        ...

    def start(self, prior: Posterior, factors: Sequence[float]) -> dict[str, float]:
        """What is known before any vote; ``factors`` correct the classifier, see `consensus.corrected`."""
        ...

    def count(self, known: Posterior, answer: str, reliability: float, weight: float) -> dict[str, float]: ...

    def decide(self, known: Posterior, votes: int, audit: bool) -> Verdict | Escalate | None: ...

    def closeness(self, known: Posterior, votes: int, audit: bool, weight: float) -> float:
        """How near a post is to being settled: the higher, the nearer."""
        ...


Enough = Callable[[Sequence[float], int], bool]


@dataclass(frozen=True)
class Counting:
    """Every vote is worth as much, the classifier nothing; whoever was named first wins a tie.

    ``enough`` says of the answers' votes, most first, and of the number of all whether they decide.
    """

    name: str
    enough: Enough
    most_votes: int
    order: str = "random"
    learns: bool = False
    corrects: bool = False
    is_production: bool = False

    def start(self, prior: Posterior, factors: Sequence[float]) -> dict[str, float]:
        return {}

    def count(self, known: Posterior, answer: str, reliability: float, weight: float) -> dict[str, float]:
        return {**known, answer: known.get(answer, 0) + 1}

    def decide(self, known: Posterior, votes: int, audit: bool) -> Verdict | Escalate | None:
        if known and self.enough(sorted(known.values(), reverse=True), votes):
            leading = max(known, key=known.__getitem__)
            return Verdict(leading, known[leading] / votes)
        return Escalate(votes) if votes >= self.most_votes else None

    def closeness(self, known: Posterior, votes: int, audit: bool, weight: float) -> float:
        counts, further = sorted(known.values(), reverse=True) or [0.0], 0
        share = counts[0] / max(votes, 1)
        while votes + further < self.most_votes and not self.enough(counts, votes + further):
            counts, further = [counts[0] + 1, *counts[1:]], further + 1
        return share - further


@dataclass(frozen=True)
class Weighing:
    """The consensus of `verify.consensus`, with the classifier's prior, a flat one, or a corrected one."""

    name: str
    rule: Rule
    uses_classifier: bool = True
    corrects: bool = False
    order: str = "random"
    learns: bool = True
    is_production: bool = False

    def start(self, prior: Posterior, factors: Sequence[float]) -> dict[str, float]:
        if not self.uses_classifier:
            return dict.fromkeys(prior, 1 / len(prior))
        return consensus.corrected(prior, factors) if self.corrects else dict(prior)

    def count(self, known: Posterior, answer: str, reliability: float, weight: float) -> dict[str, float]:
        return consensus.updated(known, answer, reliability, weight)

    def decide(self, known: Posterior, votes: int, audit: bool) -> Verdict | Escalate | None:
        return consensus.decide(known, votes, self.rule_for(audit))

    def closeness(self, known: Posterior, votes: int, audit: bool, weight: float) -> float:
        needed = consensus.votes_needed(known, votes, self.rule_for(audit), weight)
        return consensus.closeness(known, needed)

    def rule_for(self, audit: bool) -> Rule:
        return replace(self.rule, least_votes=consensus.AUDIT_VOTES) if audit else self.rule


def policies(rule: Rule) -> dict[str, Policy]:
    """All that can be played, by name; ``rule`` is the portal's."""
    single = replace(rule, least_votes=1)
    most = rule.most_votes
    playable: list[Policy] = [
        Counting("majority-3", lambda counts, votes: votes >= 3, 3),
        Counting("majority-5", lambda counts, votes: votes >= 5, 5),
        Counting("first-to-2", lambda counts, votes: counts[0] >= 2, most),
        Counting("first-to-3", lambda counts, votes: counts[0] >= 3, most),
        Counting("two-ahead", lambda counts, votes: counts[0] - sum(counts[1:2]) >= 2, most),
        Weighing("posterior", single, uses_classifier=False),
        Weighing("posterior-raw", single),
        Weighing("posterior-calibrated", single, corrects=True),
        Weighing("dressportal", rule, corrects=True, order="finish", is_production=True),
    ]
    return {policy.name: policy for policy in playable}
