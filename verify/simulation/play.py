"""Days of voting and nights of fitting, by the rules that the portal follows."""

import random
from bisect import bisect
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto
from itertools import accumulate

import numpy as np

from verify import consensus, fairplay, reliability
from verify.consensus import Rule, Verdict
from verify.fairplay import Card, Choice, Record
from verify.reliability import Ballots, Fit, Prior
from verify.simulation import serving
from verify.simulation.ballot_box import SLOTS, BallotBox
from verify.simulation.office import OPTIONS, Office, Photo, Voter, World
from verify.simulation.policies import Policy


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
    votes: int = 0  # that count now
    spent: int = 0  # votes that counted when they were cast
    cards: int = 0  # answered, by whomever
    answer: str = ""  # the voters', once settled
    confidence: float = 0.0
    checked: bool = False  # an admin has said what it is

    def slot(self, answer: str) -> int:
        return self.photo.keys.index(answer)

    def truth_known(self) -> int:
        """The slot that an admin decided for, -1 if none did: to clear what voters said is no decision."""
        is_cleared = not self.audit and self.answer == self.photo.truth
        return self.slot(self.photo.truth) if self.checked and not is_cleared else -1


@dataclass(slots=True)
class Person:
    """A voter, as the portal knows them."""

    voter: Voter
    believed: float  # what a vote is weighed by
    right: float = Prior.right
    wrong: float = Prior.wrong
    high: float = 1.0  # upper end of the interval
    muted: bool = False
    trained: int = 0  # training cards seen
    done: set[int] = field(default_factory=set)  # posts
    gold_seen: set[int] = field(default_factory=set)
    gold_right: int = 0
    # Post, slot, and place of the option chosen if one was: what fair play looks at.
    recent: deque[tuple[int, int, int | None]] = field(default_factory=lambda: deque(maxlen=fairplay.WINDOW))

    def learn(self, right: bool) -> None:
        """Take in an answer to a gold card."""
        self.right, self.wrong = self.right + right, self.wrong + (not right)
        self.gold_right += right
        self.believed = consensus.estimate(self.right, self.wrong)


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
        self.factors: tuple[float, ...] = consensus.UNCORRECTED
        self.usual_weight = consensus.VOTE_WEIGHT if policy.is_production else 1.0
        self.weight = self.usual_weight  # of a vote
        known = [policy.start(photo.prior, self.factors) for photo in world.photos]
        self.priors = np.array([list(start.values()) for start in known])
        audited = [drawn and policy.is_production for drawn in world.audit]
        self.posts = list(map(Post, world.photos, audited, known))
        self.people = [Person(voter, rule.reliability) for voter in world.voters]
        self.box = BallotBox(len(self.people))
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
        self.posts[number].state, self.posts[number].answer = State.OPEN, ""
        self.in_play += 1
        self.order.add(number)

    def _day(self) -> None:
        """Voters come as often as they are active, until nothing is left for anybody or the day is over."""
        self._last = len(self.box) + (self.office.votes_a_day or len(self.posts) * len(self.people))
        coming = list(range(len(self.people)))
        while coming and self._is_day:
            sums = list(accumulate(self.people[voter].voter.activity for voter in coming))
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
        person = self.people[voter]
        for _ in range(self.office.session):
            if not self._is_day:
                break
            if self._is_gold_due(person):
                self._answer_gold(voter)
                continue
            number = self.order.next(voter, person.done)
            if number is None:
                return False
            self._vote(voter, number)
        self.order.rest(voter)
        return True

    def _is_gold_due(self, person: Person) -> bool:
        is_due = person.trained < self.office.training or self.rng.random() < self.office.gold
        return is_due and len(person.gold_seen) < len(self.gold)

    def _answer_gold(self, voter: int) -> None:
        """What is answered in training is no evidence."""
        person, number = self.people[voter], self.rng.randrange(len(self.gold))
        while number in person.gold_seen:
            number = self.rng.randrange(len(self.gold))
        person.gold_seen.add(number)
        if person.trained < self.office.training:
            person.trained += 1
            return
        photo = self.gold[number]
        right = self._answer(person, photo) == photo.truth
        person.learn(right)
        self.box.add_gold(voter, right)

    def _answer(self, person: Person, photo: Photo) -> str:
        return person.voter.answer(photo, self.office.temptation, self.rng)

    def _vote(self, voter: int, number: int) -> None:
        post, person = self.posts[number], self.people[voter]
        answer = self._answer(person, post.photo)
        slot = post.slot(answer)
        person.done.add(number)
        person.recent.append((number, slot, person.voter.place(answer, post.photo, self.rng)))
        self.box.add(number, slot, voter)
        post.cards += 1
        if not person.muted:
            post.known = self.policy.count(post.known, answer, person.believed, self.weight)
            post.votes, post.spent = post.votes + 1, post.spent + 1
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
        """The admin checks, reliabilities are fitted, doubtful posts reopen; returns how many.

        And again without those of whom it shows that they don't try.
        """
        self._check()
        if not self.policy.learns:
            return 0
        reopened = self._refit()
        if self.policy.is_production and self._watch():
            reopened += self._refit()
        return reopened

    def _refit(self) -> int:
        ballots = self._ballots()
        self.fit = self._fitted(ballots)
        self.factors = self.fit.factors
        columns = (self.fit.right, self.fit.wrong, self.fit.reliability, self.fit.high)
        for person, *values in zip(self.people, *(column.tolist() for column in columns), strict=True):
            person.right, person.wrong, person.believed, person.high = values
        return self._renew(self.fit, ballots)

    def _check(self) -> None:
        """An admin sees what was escalated, the audit sample, and some of the rest, drawn at random."""
        for post, is_drawn in zip(self.posts[: self.opened], self.world.to_check, strict=False):
            if post.state == State.ESCALATED:
                post.checked = True  # harder than most, so never gold
            elif post.state == State.SETTLED and is_drawn and not post.checked:
                post.checked = True
                self.gold.append(post.photo)

    def _ballots(self) -> Ballots:
        truths = [post.truth_known() for post in self.posts[: self.opened]]
        return self.box.ballots(self.priors[: self.opened], truths, [person.muted for person in self.people])

    def _fitted(self, ballots: Ballots) -> Fit:
        sample = np.array([post.audit for post in self.posts[: self.opened]])
        fitted, self.weight = reliability.fit_audited(
            ballots, sample, self.usual_weight, self.policy.corrects
        )
        return fitted

    def _renew(self, fit: Fit, ballots: Ballots) -> int:
        """Weigh all votes anew by the fit; returns how many settled posts are in doubt again."""
        reopened = 0
        votes = np.bincount(ballots.slot[ballots.counted] // SLOTS, minlength=self.opened).tolist()
        rows = fit.from_votes.reshape(-1, SLOTS).tolist()
        for number, row in enumerate(rows):
            post = self.posts[number]
            if self._is_doubtful(post, row, votes[number]):
                self._open(number)
                reopened += 1
            if post.state == State.OPEN:
                post.known, post.votes = dict(zip(post.photo.keys, row, strict=True)), votes[number]
                self._decide(number)
        return reopened

    def _is_doubtful(self, post: Post, row: list[float], votes: int) -> bool:
        if post.state != State.SETTLED or post.truth_known() >= 0 or not self.policy.is_production:
            return False
        return row[post.slot(post.answer)] < self.rule.reopen_below or votes < self.rule.least_votes

    def _watch(self) -> int:
        """Mute who does not play fair, for good: only an admin could undo it. Returns how many."""
        playing = [person for person in self.people if not person.muted]
        for person in playing:
            person.muted = fairplay.objection(self._record(person)) is not None
        return sum(person.muted for person in playing)

    def _record(self, person: Person) -> Record:
        verdicts = [(self.posts[number], slot) for number, slot, _ in person.recent]
        judged = [post.slot(post.answer) == slot for post, slot in verdicts if post.state == State.SETTLED]
        return Record(
            choices=[Choice(place, OPTIONS) for _, _, place in person.recent if place is not None],
            cards=[self._card(self.posts[number], slot) for number, slot, _ in person.recent],
            gold_right=person.gold_right,
            gold_seen=max(0, len(person.gold_seen) - person.trained),
            agreed=sum(judged),
            judged=len(judged),
            high=person.high,
        )

    def _card(self, post: Post, slot: int) -> Card:
        """An answer to ``post``, held against the verdict, or without one against the model."""
        judged = post.state == State.SETTLED
        verdict = {answer: float(answer == post.answer) for answer in fairplay.UNMOVED}
        return Card(post.photo.keys[slot], verdict if judged else post.photo.prior, judged)
