"""What is known about a post, for an admin who decides: options, votes, posterior."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from verify.consensus import NONE_OF_THESE, NOT_A_DRESS, dress_key
from verify.models import Answer, Dress, Option, Post, Suggestion, Vote
from verify.models.catalogue import cover_token
from verify.models.photo import photo_url


class Bar(NamedTuple):
    """One possible answer: what the model gave it, what the votes made of it, and who chose it."""

    label: str
    dress: Dress | None
    cover_url: str
    proposed: float
    posterior: float | None
    votes: list[Vote]


@dataclass(frozen=True)
class Evidence:
    suggestion: Suggestion | None
    bars: list[Bar]  # likeliest first
    votes: list[Vote]  # oldest first


def evidence_for(post: Post) -> Evidence:
    suggestion = post.suggestion
    votes = list(post.votes.select_related("employee__team", "option__dress").order_by("created_at"))
    if suggestion is None:
        return Evidence(None, [], votes)
    options = list(suggestion.options.select_related("dress").annotate(cover_token=cover_token("dress")))
    rest = 1 - suggestion.not_a_dress - sum(option.probability for option in options)
    bars = [
        *(_dress_bar(option, post, votes) for option in options),
        _bar(post, votes, NOT_A_DRESS, suggestion.not_a_dress),
        _bar(post, votes, NONE_OF_THESE, max(rest, 0.0)),
    ]
    return Evidence(suggestion, sorted(bars, key=_weight, reverse=True), votes)


def waits_for_label(post: Post) -> bool:
    """Whether an admin's answer would be a label of the audit sample, which must owe nothing to the votes."""
    return post.audit and post.settled_by_id is None


def _weight(bar: Bar) -> float:
    return bar.proposed if bar.posterior is None else bar.posterior


def _dress_bar(option: Option, post: Post, votes: Iterable[Vote]) -> Bar:
    token = option.cover_token
    return Bar(
        label=option.dress.title,
        dress=option.dress,
        cover_url=photo_url(token, "small") if token else "",
        proposed=option.probability,
        posterior=post.posterior.get(dress_key(option.dress_id)),
        votes=[vote for vote in votes if vote.option and vote.option.dress_id == option.dress_id],
    )


def _bar(post: Post, votes: Iterable[Vote], answer: str, proposed: float) -> Bar:
    return Bar(
        label=str(Answer(answer).label).capitalize(),
        dress=None,
        cover_url="",
        proposed=proposed,
        posterior=post.posterior.get(answer),
        votes=[vote for vote in votes if vote.answer == answer],
    )
