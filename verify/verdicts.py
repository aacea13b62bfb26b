"""What a verdict means for those who voted: right or wrong, points, badges."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import BooleanField, Count, ExpressionWrapper, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce, TruncDate

from verify import consensus, record, scoring
from verify.models import Answer, Badge, GoldAnswer, Option, Post, Suggestion, Vote, statements

CHUNK = 500  # posts confirmed together
LONGEST_DAY = timedelta(hours=25)  # when the clocks go back

# By hand: `bulk_update` takes longer to compose it than all the rest together.
STORE = """
    UPDATE verify_vote vote SET "right" = said.outcome, points = said.points, confirmed_at = said.at
    FROM unnest(%(pks)s::bigint[], %(rights)s::bool[], %(points)s::smallint[], %(moments)s::timestamptz[])
        AS said (vote, outcome, points, at)
    WHERE vote.id = said.vote RETURNING vote.id
"""


def confirm(post: Post, now: datetime) -> int:
    """Tell the votes on ``post``, as stored, what its verdict makes of them; returns how many changed.

    Of a post that is not settled, or no longer, they are open again. May be called any number of times: after
    another verdict it corrects. A badge once earned stays.
    """
    return _confirm([post.pk], now)


def confirm_all(posts: Iterable[Post], now: datetime) -> int:
    """`confirm` for many, ``CHUNK`` posts to a transaction; returns how many votes changed."""
    pks, changed = [post.pk for post in posts], 0
    for start in range(0, len(pks), CHUNK):
        changed += _confirm(pks[start : start + CHUNK], now)
    return changed


@transaction.atomic
def _confirm(posts: list[int], now: datetime) -> int:
    """Ten statements, however many posts and votes; four where nothing changes."""
    verdicts = {post.pk: verdict_key(post) for post in _locked(posts)}
    votes = _votes_on(verdicts)
    suggestions = _suggestions(votes)
    changed: list[Vote] = []
    for pk, on_post in _by_post(votes).items():
        changed += _judged(on_post, verdicts[pk], suggestions, now)
    _store(changed)
    award({vote.employee_id for vote in changed if vote.right and vote.employee_id}, now)
    return len(changed)


def _locked(posts: list[int]) -> QuerySet[Post]:
    """In the order in which everybody locks several posts, so that no other verdict comes between."""
    verdict = ("state", "answer", "dress_id")
    return Post.objects.filter(pk__in=posts).order_by("pk").select_for_update(no_key=True).only(*verdict)


def verdict_key(post: Post) -> str | None:
    """The verdict as `consensus` names it; None if there is none."""
    if post.state != Post.State.SETTLED:
        return None
    return consensus.dress_key(post.dress_id) if post.answer == Answer.DRESS else post.answer


def award(employees: Collection[int], now: datetime) -> list[Badge]:
    """Give these people the badges that they have earned and do not have; returns those."""
    if not employees:
        return []
    held = set(Badge.objects.filter(employee__in=employees).values_list("employee", "kind"))
    records = record.records(employees)
    earned = {(pk, kind) for pk, figures in records.items() for kind in scoring.badges(figures)}
    badges = [Badge(employee_id=pk, kind=kind, earned_at=now) for pk, kind in sorted(earned - held)]
    return Badge.objects.bulk_create(badges, ignore_conflicts=True)


def _votes_on(posts: Collection[int]) -> list[Vote]:
    """The votes on these posts, each with ``muted_at`` of its voter, and ``scored``."""
    votes = Vote.objects.filter(post__in=list(posts)).select_related("option")
    muted_at = F("employee__reliability__muted_at")
    return list(with_cap(votes).annotate(muted_at=muted_at).order_by("pk"))


def with_cap(answers: QuerySet[Any]) -> QuerySet[Any]:
    """Votes, or gold answers, each with ``scored``: whether it is within what a day brings points for.

    Both count towards that, training does not.
    """
    known = GoldAnswer.objects.filter(training=False)
    earlier = _earlier_that_day(Vote.objects.all()) + _earlier_that_day(known)
    within = Q(earlier__lt=settings.SCORED_VOTES_A_DAY)
    dated = answers.annotate(day=TruncDate("created_at")).annotate(earlier=earlier)
    return dated.annotate(scored=ExpressionWrapper(within, BooleanField()))


def _earlier_that_day(answers: QuerySet[Any]) -> Coalesce:
    """How many of ``answers`` the same person had given before on that day."""
    at = OuterRef("created_at")
    earlier = (
        answers.filter(employee=OuterRef("employee"), created_at__lt=at, created_at__gt=at - LONGEST_DAY)
        .annotate(day=TruncDate("created_at"))
        .filter(day=OuterRef("day"))
    )
    counted = earlier.order_by().values("employee").annotate(count=Count("pk")).values("count")
    return Coalesce(Subquery(counted), 0)


def _suggestions(votes: Collection[Vote]) -> dict[int, Suggestion]:
    pks = {vote.suggestion_id for vote in votes}
    return Suggestion.objects.prefetch_related("options").in_bulk(pks)


def _by_post(votes: Iterable[Vote]) -> dict[int, list[Vote]]:
    by_post: dict[int, list[Vote]] = defaultdict(list)
    for vote in votes:
        by_post[vote.post_id].append(vote)
    return by_post


def _judged(
    votes: list[Vote], verdict: str | None, suggestions: dict[int, Suggestion], now: datetime
) -> list[Vote]:
    """Those of a post's votes that the verdict says something new of, changed and not saved."""
    if verdict is None:
        stale = [vote for vote in votes if vote.confirmed_at]
        for vote in stale:
            vote.right = vote.points = vote.confirmed_at = None
        return stale
    ballots = [_ballot(vote, suggestions[vote.suggestion_id]) for vote in votes]
    difficulty = _difficulty(suggestions[votes[0].suggestion_id])
    changed = []
    for vote, judgement in zip(votes, scoring.judge(ballots, verdict, difficulty), strict=True):
        if vote.confirmed_at is None or (vote.right, vote.points) != (judgement.right, judgement.points):
            vote.right, vote.points, vote.confirmed_at = judgement.right, judgement.points, now
            changed.append(vote)
    return changed


def _store(votes: list[Vote]) -> None:
    if votes:
        statements.run(
            STORE,
            pks=[vote.pk for vote in votes],
            rights=[vote.right for vote in votes],
            points=[vote.points for vote in votes],
            moments=[vote.confirmed_at for vote in votes],
        )


def _ballot(vote: Vote, suggestion: Suggestion) -> scoring.Ballot:
    return scoring.Ballot(
        said=vote.key,
        offered={consensus.dress_key(option.dress_id) for option in _dealt(suggestion, vote.dealt_at)},
        counted=vote.counted and vote.muted_at is None,
        scored=vote.scored,
    )


def _dealt(suggestion: Suggestion, at: datetime) -> list[Option]:
    """The options on a card handed out ``at`` that moment: the model's, and what had been named by then."""
    return [option for option in suggestion.options.all() if not option.named or option.created_at <= at]


def _difficulty(suggestion: Suggestion) -> float:
    shares = [option.probability for option in suggestion.options.all() if not option.named]
    return scoring.difficulty([*shares, suggestion.not_a_dress, 1 - sum(shares) - suggestion.not_a_dress])
