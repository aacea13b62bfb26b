"""An office with a past: votes, gold answers and verdicts, as rows."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from tests import make
from verify.models import Answer, Dress, Employee, GoldAnswer, Post, Vote

NOT, NONE = Answer.NOT_A_DRESS, Answer.NONE_OF_THESE
BEFORE = timedelta(hours=1)


def cast(post: Post, employee: Employee | None, answer: str | Dress, **fields: Any) -> Vote:
    """A vote for a dress that is offered, or another answer."""
    at = timezone.now() - BEFORE
    option = post.suggestion.options.get(dress=answer) if isinstance(answer, Dress) else None
    values = {"created_at": at, "dealt_at": at, "suggestion": post.suggestion, "option": option, **fields}
    answer = Answer.DRESS if option else answer
    return Vote.objects.create(post=post, employee=employee, answer=answer, **values)


def settle(post: Post) -> Post:
    """By what has been cast, which must be enough."""
    at = timezone.now() - BEFORE / 2
    post.recount(at)
    post.settle(at)
    post.publish(at)
    assert post.state == Post.State.SETTLED, post.posterior
    return post


def answer_gold(employee: Employee, right: int, wrong: int, **fields: Any) -> None:
    photo = make.make_photo()
    values = {"training": False, "answer": NOT, "created_at": timezone.now() - BEFORE, **fields}
    GoldAnswer.objects.bulk_create(
        GoldAnswer(post=make.make_post(photo=photo), employee=employee, right=number < right, **values)
        for number in range(right + wrong)
    )


def unreliable(name: str) -> Employee:
    """Somebody whose answers to gold will show it."""
    employee = make.make_employee(name)
    answer_gold(employee, 3, 12)
    return employee
