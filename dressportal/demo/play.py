"""Three weeks of lunches: simulated voters settle batch after batch, by everybody's consensus."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta

import numpy as np
from django.conf import settings

from dressportal.demo.people import HASTY, Voter
from verify import consensus, queue, verdicts
from verify.models import Answer, Batch, Employee, Lease, Look, Option, Post, Vote
from verify.models.post import CONCLUDED, RULE
from verify.models.post_queryset import WEIGHED

DAYS = 21
BATCH = 55
ABANDONED = 0.2  # share of the last batch that lunch was too short for


@dataclass
class Played:
    """Rows to store, and the posts whose fields have changed."""

    leases: list[Lease] = field(default_factory=list)
    votes: list[Vote] = field(default_factory=list)
    posts: list[Post] = field(default_factory=list)

    def store(self) -> None:
        Lease.objects.bulk_create(self.leases, batch_size=2_000)
        Vote.objects.bulk_create(self.votes, batch_size=2_000)
        Post.objects.bulk_update(self.posts, [*WEIGHED, *CONCLUDED, "batch"], batch_size=500)


class Office:
    """The voters, and what each post really shows (``truth``: post pk -> dress pk, or None for no dress)."""

    def __init__(self, voters: list[Voter], truth: dict[int, int | None], rng: np.random.Generator) -> None:
        self.voters, self.truth, self.rng = voters, truth, rng
        self.activity = np.array([voter.activity for voter in voters])

    def right_answer(self, post: Post, options: list[Option]) -> tuple[str, Option | None]:
        dress = self.truth[post.pk]
        if dress is None:
            return Answer.NOT_A_DRESS, None
        for option in options:
            if option.dress_id == dress:
                return Answer.DRESS, option
        return Answer.NONE_OF_THESE, None

    def answer(self, voter: Voter, post: Post, options: list[Option]) -> tuple[str, Option | None]:
        right = self.right_answer(post, options)
        if self.rng.random() < voter.ability:
            return right
        possible = [(Answer.DRESS, option) for option in options]
        possible += [(Answer.NOT_A_DRESS, None), (Answer.NONE_OF_THESE, None)]
        wrong = [answer for answer in possible if answer != right]
        return wrong[self.rng.integers(len(wrong))]

    def play(
        self, post: Post, batch: Batch, start: datetime, end: datetime, most: int, played: Played
    ) -> None:
        """Votes on a post between two moments, until it is decided or ``most`` have been cast."""
        options = list(post.suggestion.options.all())
        order = self.rng.choice(len(self.voters), most, replace=False, p=self.activity)
        moments = sorted(start + (end - start) * float(share) for share in self.rng.random(most))
        post.batch = batch
        for index, at in zip(order, moments, strict=True):
            answer, option = self.answer(self.voters[index], post, options)
            self._cast(self.voters[index], post, answer, option, at, played)
            if not post.takes_votes:
                break
        played.posts.append(post)

    def look(self, voter: Voter) -> int:
        """How long somebody looks at a card, in milliseconds."""
        median = 450 if voter.employee.username == HASTY else 2_600
        return int(self.rng.lognormal(np.log(median), 0.4))

    def skip(self, post: Post, now: datetime) -> None:
        """So many people pass it on that an admin gets it."""
        for index in self.rng.choice(len(self.voters), settings.SKIPS_BEFORE_ADMIN, replace=False):
            employee = self.voters[index].employee
            Lease.objects.hand_out([post.pk], employee, now)
            queue.skip(employee, Lease.objects.get(post=post, employee=employee).pk)

    def _cast(
        self, voter: Voter, post: Post, answer: str, option: Option | None, at: datetime, played: Played
    ) -> None:
        lease = {"post": post, "employee": voter.employee, "suggestion": post.suggestion}
        handed_out = at - timedelta(seconds=float(self.rng.uniform(2, 9)))
        played.leases.append(
            Lease(
                **lease,
                outcome=Lease.Outcome.VOTED,
                created_at=handed_out,
                expires_at=handed_out + settings.LEASE,
            )
        )
        vote = Vote(**lease, answer=answer, option=option, created_at=at, dealt_at=handed_out)
        vote.viewed_ms = self.look(voter)
        played.votes.append(vote)
        post.count({vote.key}, RULE.reliability, at, consensus.VOTE_WEIGHT)


def working_days(now: datetime) -> list[datetime]:
    """Two in the morning of each working day of the last three weeks, oldest first, today left out."""
    midnight = datetime.combine(now.date(), time(2), tzinfo=UTC)
    days = [midnight - timedelta(days=back) for back in range(DAYS, 0, -1)]
    return [day for day in days if day.weekday() < 5]


def play_history(office: Office, posts: list[Post], now: datetime) -> None:
    """A batch a working day: newest posts first, then further back in time. The last one stays open,
    with some posts unfinished, for the rotation to take up."""
    waiting = sorted(posts, key=lambda post: post.posted_at, reverse=True)
    *earlier, last = working_days(now)
    for opened_at in earlier:
        waiting = _play_day(office, waiting, opened_at, closed=True)
    _play_day(office, waiting, last, closed=False)


def _play_day(office: Office, waiting: list[Post], opened_at: datetime, closed: bool) -> list[Post]:
    """Play the newest posts of ``waiting`` and return the rest."""
    chosen = [post for post in waiting if post.posted_at < opened_at][:BATCH]
    night = opened_at + timedelta(days=1)
    dates = {"frozen_at": night, "closed_at": night + settings.LEASE} if closed else {}
    state = Batch.State.CLOSED if closed else Batch.State.OPEN
    batch = Batch.objects.create(state=state, opened_at=opened_at, **dates)
    played = Played()
    lunch = opened_at.replace(hour=11, minute=40)
    for post in chosen:
        abandoned = not closed and office.rng.random() < ABANDONED
        most = 1 if abandoned else RULE.most_votes
        office.play(post, batch, lunch, lunch + timedelta(minutes=95), most, played)
        if closed:
            post.settle(post.settles_at, save=False)
    played.store()
    if closed:
        verdicts.confirm_all(chosen, night)
    return [post for post in waiting if post not in chosen]


def publish_closed_batches() -> None:
    """The looks that the nightly rotations of the past would have published."""
    settled = Post.objects.to_publish().filter(batch__state=Batch.State.CLOSED)
    Look.objects.bulk_create(
        Look(post=post, dress_id=post.dress_id, published_at=post.batch.closed_at)
        for post in settled.select_related("batch")
    )


def clear_looks(looks: list[Look], admin: Employee, rng: np.random.Generator) -> None:
    """An admin has been through all but the newest: most may be shown, a few may not."""
    for look in looks:
        look.clearance = Look.Clearance.CLEARED if rng.random() < 0.95 else Look.Clearance.REFUSED
        look.cleared_by, look.cleared_at = admin, look.published_at + timedelta(hours=7)
    Look.objects.bulk_update(looks, ["clearance", "cleared_by", "cleared_at"], batch_size=500)
