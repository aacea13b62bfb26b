"""Votes and settled posts of a Wednesday, for the figures of the admin's first page."""

from datetime import UTC, datetime
from typing import Any

from tests.make import make_dress, make_employee, make_post
from tests.verify.curation import a_proposed_post
from verify.models import Dress, Employee, Post, Vote

NOW = datetime(2026, 6, 10, 15, 30, tzinfo=UTC)


def vote(post: Post, at: datetime, right: bool | None = None, employee: Employee | None = None) -> Vote:
    return Vote.objects.create(
        post=post,
        employee=employee or make_employee(),
        suggestion=post.suggestion,
        answer="not_a_dress",
        created_at=at,
        dealt_at=at,
        right=right,
    )


def settled(
    answer: str = "not_a_dress", dress: Dress | None = None, at: datetime = NOW, **fields: Any
) -> Post:
    return make_post(state="settled", answer=answer, dress=dress, settled_at=at, **fields)


def labelled(ada: Employee) -> Post:
    """Of the audit sample, with a vote and an admin's answer."""
    post = a_proposed_post([make_dress()])
    vote(post, NOW)
    post.override("not_a_dress", None, ada)
    Post.objects.filter(pk=post.pk).update(audit=True)
    return post
