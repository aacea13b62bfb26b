"""Cards whose answer is known: what becomes of their answers, which are no votes."""

from datetime import datetime

from django.db.models import F

from verify import scoring, verdicts
from verify.models import Answer, Employee, GoldAnswer, Lease, Option, Post, Reliability


class AnswerUnknown(Exception):
    """The post of a known card has no verdict any more, so that nothing can be right or wrong."""


def answer(
    lease: Lease, employee: Employee, said: str, option_id: int | None, viewed_ms: int | None, now: datetime
) -> GoldAnswer:
    """Take an answer to a locked card of gold or training; it tells about the voter at once.

    Raises AnswerUnknown, and takes none, if the post was reopened or disputed while the card was in hand.
    """
    post = Post.objects.select_related("dress", "suggestion").get(pk=lease.post_id)
    if post.state != Post.State.SETTLED:
        raise AnswerUnknown(f"{post} was a known card, and is {post.state} now.")
    option = Option.objects.get(pk=option_id) if option_id else None
    given = GoldAnswer(post=post, employee=employee, answer=said, option=option, created_at=now)
    given.training = lease.purpose == Lease.Purpose.TRAINING
    given.viewed_ms, given.right = viewed_ms, given.key == post.truth_key()
    given.save()
    if given.training:
        Employee.objects.filter(pk=employee.pk).update(trained=F("trained") + 1)
        employee.trained += 1
    else:
        _learn(given)
    lease.close(Lease.Outcome.VOTED)
    return given


def _learn(given: GoldAnswer) -> None:
    """What the answer says of its voter, and its points, if their answers count and the day's cap allows."""
    voter, _ = Reliability.objects.select_for_update(no_key=True).get_or_create(employee=given.employee)
    voter.learn(given.right)
    scored = verdicts.with_cap(GoldAnswer.objects.filter(pk=given.pk)).get().scored
    given.points = scoring.gold_points(given.right) if scored and voter.muted_at is None else None
    given.save(update_fields=["points"])


def truth_in_words(post: Post) -> str:
    """What a settled post shows."""
    return str(post.dress) if post.dress else str(Answer(post.answer).label)
