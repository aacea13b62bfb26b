"""Days of voting and nights of fitting, by the rules that the portal follows."""

import random
from bisect import bisect
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from itertools import accumulate

import numpy as np

from verify import fairplay, reliability
from verify.consensus import Rule, Verdict
from verify.fairplay import Choice, Record, objection
from verify.reliability import Ballots, Fit
from verify.simulation import serving
from verify.simulation.ballot_box import SLOTS, BallotBox
from verify.simulation.office import OPTIONS, Office, Photo, World
from verify.simulation.policies import Policy

LABELS_FOR_A_WEIGHT = 300  # of the audit sample: before that it is too early to fit the weight of a vote


class State(Enum):
    WAITING = auto()
    OPEN = auto()
    SETTLED = auto()
    ESCALATED = auto()


@dataclass(slots=True)
class Post:
    """A photo in play."""

    photo: Photo
    audit: bool
    known: dict[str, float]  # whatever the policy makes of prior and votes
    state: State = State.WAITING
    votes: int = 0  # that count
    cards: int = 0  # answered, by whomever
    answer: str = ""  # the voters', once settled
    confidence: float = 0.0
    checked: bool = False  # an admin has said what it is

    def slot(self, answer: str) -> int:
        return self.photo.keys.index(answer)

    def truth_known(self) -> int:
        """Its slot, -1 as long as nobody knows."""
        return self.slot(self.photo.truth) if self.checked else -1


@dataclass
class Days:
    """What had happened by the end of each day."""

    votes: list[int] = field(default_factory=list)
    finished: list[int] = field(default_factory=list)
    reopened: list[int] = field(default_factory=list)


class Campaign:
    """One office that plays by one policy. The same arguments give the same campaign."""

    def __init__(
        self, office: Office, world: World, policy: Policy, rule: Rule, order: str, seed: int = 0
    ) -> None:
        self.office, self.world, self.policy, self.rule = office, world, policy, rule
        self.rng = random.Random(seed)  # noqa: S311 (a simulation)
        self.gold: list[Photo] = list(world.gold)
        self.factors: tuple[float, ...] = reliability.UNCORRECTED
        self.weight = 1.0  # of a vote
        known = [policy.start(photo.prior, self.factors) for photo in world.photos]
        self.priors = np.array([list(start.values()) for start in known])
        audit = [drawn and policy.is_production for drawn in world.audit]
        self.posts = list(map(Post, world.photos, audit, known))
        people = len(world.voters)
        self.believed, self.muted = [rule.reliability] * people, [False] * people
        self.done: list[set[int]] = [set() for _ in world.voters]  # posts
        self.gold_seen: list[set[int]] = [set() for _ in world.voters]
        self.box = BallotBox(people)
        self.choices: list[deque[Choice]] = [deque(maxlen=fairplay.WINDOW) for _ in world.voters]
        self.opened, self.in_play = 0, 0
        self.days = Days()
        self.fit: Fit | None = None
        self.order = serving.order(order, self._closeness, self._doubt, self.rng)

    def play(self, progress: Callable[[float], None] = lambda share: None) -> None:
        """Until all is settled, or nobody can do more, or the days are over."""
        votes = -1
        while self._goes_on(votes):
            votes = len(self.box)
            self._open_batch()
            self._day()
            self.days.reopened.append(self._night())
            self.days.votes.append(len(self.box))
            self.days.finished.append(sum(post.state == State.SETTLED for post in self.posts))
            progress(self.days.finished[-1] / len(self.posts))

    def _goes_on(self, votes_before: int) -> bool:
        if self.office.days and len(self.days.votes) == self.office.days:
            return False
        return self.opened < len(self.posts) or (self.in_play > 0 and len(self.box) > votes_before)

    # By day

    def _open_batch(self) -> None:
        batch = range(self.opened, min(self.opened + self.office.batch, len(self.posts)))
        for number in batch:
            post = self.posts[number]
            post.known = self.policy.start(post.photo.prior, self.factors)
            self._open(number)
        self.opened = batch.stop

    def _open(self, number: int) -> None:
        self.posts[number].state = State.OPEN
        self.in_play += 1
        self.order.add(number)

    def _day(self) -> None:
        """Voters come as often as they are active, until nothing is left for anybody or the day is over."""
        self._last = len(self.box) + (self.office.votes_a_day or len(self.posts) * len(self.done))
        coming = list(range(len(self.done)))
        while coming and self._is_day:
            sums = list(accumulate(self.world.voters[voter].activity for voter in coming))
            satisfied = True
            while satisfied and self._is_day:
                place = bisect(sums, self.rng.random() * sums[-1])
                satisfied = self._session(coming[place])
            if not satisfied:
                del coming[place]

    @property
    def _is_day(self) -> bool:
        return self.in_play > 0 and len(self.box) < self._last

    def _session(self, voter: int) -> bool:
        """Some cards in a row; returns whether there were enough for ``voter``."""
        for _ in range(self.office.session):
            if not self._is_day:
                break
            if self._is_gold_due(voter):
                self._answer_gold(voter)
                continue
            number = self.order.next(voter, self.done[voter])
            if number is None:
                return False
            self._vote(voter, number)
        self.order.rest(voter)
        return True

    def _is_gold_due(self, voter: int) -> bool:
        seen = len(self.gold_seen[voter])
        is_due = seen < self.office.training or self.rng.random() < self.office.gold
        return is_due and seen < len(self.gold)

    def _answer_gold(self, voter: int) -> None:
        number = self.rng.randrange(len(self.gold))
        while number in self.gold_seen[voter]:
            number = self.rng.randrange(len(self.gold))
        self.gold_seen[voter].add(number)
        photo = self.gold[number]
        self.box.add_gold(voter, self._answer(voter, photo) == photo.truth)

    def _answer(self, voter: int, photo: Photo) -> str:
        return self.world.voters[voter].answer(photo, self.office.temptation, self.rng)

    def _vote(self, voter: int, number: int) -> None:
        post, counts = self.posts[number], not self.muted[voter]
        answer = self._answer(voter, post.photo)
        place = self.world.voters[voter].place(answer, post.photo, self.rng)
        if place is not None:
            self.choices[voter].append(Choice(place, OPTIONS))
        self.done[voter].add(number)
        self.box.add(number, post.slot(answer), voter, counts)
        post.cards += 1
        if counts:
            post.known = self.policy.count(post.known, answer, self.believed[voter], self.weight)
            post.votes += 1
            self._decide(number)

    def _decide(self, number: int) -> None:
        """Settle an open post, leave it to an admin, or find it its new place."""
        post = self.posts[number]
        decision = self.policy.decide(post.known, post.votes, post.audit)
        if decision is None:
            self.order.add(number)
            return
        post.state = State.ESCALATED
        if isinstance(decision, Verdict):
            post.state, post.answer, post.confidence = State.SETTLED, decision.answer, decision.confidence
        self.in_play -= 1
        self.order.close(number)

    def _closeness(self, number: int) -> float:
        post = self.posts[number]
        return self.policy.closeness(post.known, post.votes, post.audit, self.weight)

    def _doubt(self, number: int) -> float:
        """The leading answer's share, the lower the more doubtful."""
        known = self.posts[number].known
        return -max(known.values(), default=0.0) / max(sum(known.values()), 1.0)

    # By night

    def _night(self) -> int:
        """The admin checks, reliabilities are fitted, doubtful posts reopen; returns how many."""
        self._check()
        if not self.policy.learns:
            return 0
        self.fit = self._fitted()
        self.believed, self.factors = self.fit.reliability.tolist(), self.fit.factors
        reopened = self._renew(self.fit)
        if self.policy.is_production:
            self._mute(self.fit)
        return reopened

    def _mute(self, fit: Fit) -> None:
        """For good: only an admin would let them count again."""
        settled = [post.slot(post.answer) if post.state == State.SETTLED else -1 for post in self.posts]
        judged, agreed = self.box.verdicts(settled)
        for voter, muted in enumerate(self.muted):
            record = Record(
                choices=list(self.choices[voter]),
                gold_right=int(self.box.gold_right[voter]),
                gold_seen=int(self.box.gold_seen[voter]),
                agreed=int(agreed[voter]),
                judged=int(judged[voter]),
                high=float(fit.high[voter]),
            )
            self.muted[voter] = muted or objection(record) is not None

    def _check(self) -> None:
        """An admin sees what was escalated, the audit sample, and some of the rest, drawn at random."""
        for post, is_drawn in zip(self.posts[: self.opened], self.world.to_check, strict=False):
            if post.state == State.ESCALATED:
                post.checked = True  # harder than most, so never gold
            elif post.state == State.SETTLED and is_drawn and not post.checked:
                post.checked = True
                self.gold.append(post.photo)

    def _fitted(self) -> Fit:
        posts = self.posts[: self.opened]
        ballots = self.box.ballots(self.priors[: self.opened], [post.truth_known() for post in posts])
        fitted = reliability.fit(ballots, vote_weight=self.weight, correct=self.policy.corrects)
        self._weigh_votes(ballots, fitted)
        return fitted

    def _weigh_votes(self, ballots: Ballots, fitted: Fit) -> None:
        """Fit the weight of a vote on the audit sample, as soon as enough of it is labelled."""
        audit = [post.audit for post in self.posts[: self.opened]]
        labels = np.where(audit, ballots.truth, -1)
        if (labels >= 0).sum() >= LABELS_FOR_A_WEIGHT:
            self.weight = reliability.fit_vote_weight(replace(ballots, truth=labels), fitted)

    def _renew(self, fit: Fit) -> int:
        """Take over what the fit says of each post; returns how many settled ones are in doubt again."""
        reopened = 0
        rows = fit.from_votes.reshape(-1, SLOTS).tolist()
        for number, row in enumerate(rows):
            post = self.posts[number]
            if post.state == State.SETTLED and self.policy.is_production:
                post.confidence = row[post.slot(post.answer)]
                if post.confidence < self.rule.reopen_below and not post.checked:
                    self._open(number)
                    reopened += 1
            if post.state == State.OPEN:
                post.known = dict(zip(post.photo.keys, row, strict=True))
                self._decide(number)
        return reopened
