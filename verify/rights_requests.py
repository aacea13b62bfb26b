"""Asking owners for their photos: what is sent by itself, what an admin sends, and which words are a yes."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from verify import identities, rights
from verify.models import Mention, Post, RightsAnswer, RightsChange, RightsRequest, RightsTemplate
from verify.models.post import INSTAGRAM

if TYPE_CHECKING:
    from verify.models import Employee


class NotAsked(Exception):
    """The request was not sent; the message is for an admin."""


class MentionReplies(Protocol):
    """Answers to a post or a comment that mentions us: `POST /{ig-user-id}/mentions` of the Graph API."""

    def reply_to_mention(self, media_id: str, message: str) -> str:
        """The id of the comment that was made. Raises NotAsked."""


@dataclass(frozen=True)
class Comment:
    """Words under a post, as an import brings them."""

    external_id: str
    media_id: str  # of the post, by any source; or else its permalink
    permalink: str
    username: str
    text: str
    at: datetime


# Asking


@transaction.atomic
def mark_asked(post: Post, template: RightsTemplate, by: "Employee | None", comment_id: str = "") -> None:
    """An admin has asked, or the API has. Raises NotAsked where the owner has answered already."""
    locked = Post.objects.select_for_update(no_key=True).get(pk=post.pk)
    if locked.rights not in (Post.Rights.UNKNOWN, Post.Rights.REQUESTED):
        raise NotAsked(f"The owner has answered already: {locked.get_rights_display().lower()}.")
    RightsRequest.objects.create(
        post=post,
        text=template.text_for(post),
        hashtag=template.hashtag,
        asked_at=timezone.now(),
        asked_by=by,
        comment_id=comment_id,
    )
    how = "by the API" if comment_id else "by hand"
    RightsChange.objects.make([locked], Post.Rights.REQUESTED, f"Asked {how}: {template}.", by)


def can_be_sent(posts: Iterable[Post]) -> set[int]:
    """The keys of those that the API lets us reply to: what it told us that we are mentioned in, alone.

    An album's pictures have other ids than the album: they are asked for by hand.
    """
    ids = {post.external_id: post.pk for post in posts if post.source == INSTAGRAM}
    return {
        ids[media] for media in Mention.objects.filter(media_id__in=ids).values_list("media_id", flat=True)
    }


def send_request(
    post: Post, template: RightsTemplate, client: MentionReplies, by: "Employee | None" = None
) -> None:
    """Ask by the API. Raises NotAsked, and then the post stays as it was.

    Not for the second time: a post whose request has gone out is not asked again by itself.
    """
    if not can_be_sent([post]):
        raise NotAsked("The API replies only to mentions: this one is asked by hand.")
    if post.rights != Post.Rights.UNKNOWN:
        raise NotAsked("The owner has been asked already.")
    comment_id = client.reply_to_mention(post.external_id, template.text_for(post))
    mark_asked(post, template, by, comment_id)


# Answers


def take_comments(comments: Iterable[Comment]) -> int:
    """Keep those that hold a key hashtag, each once, for an admin to confirm; returns how many are new.

    A comment by somebody else than the post's known owner is no answer; the API may not say whose it is.
    """
    return sum(_take_comment(comment, _hashtags()) for comment in comments)


def _take_comment(comment: Comment, hashtags: list[str]) -> int:
    found = [tag for tag in hashtags if rights.has_hashtag(comment.text, tag)]
    count = 0
    for post in _posts_of(comment) if found else []:
        owner = identities.handle_key(post.username)
        if not owner or not comment.username or owner == identities.handle_key(comment.username):
            answer = {
                "text": comment.text,
                "username": comment.username,
                "hashtag": found[0],
                "at": comment.at,
            }
            count += RightsAnswer.objects.get_or_create(
                post=post, external_id=comment.external_id, defaults=answer
            )[1]
    return count


def _posts_of(comment: Comment) -> list[Post]:
    """By the medium's id; an album's pictures have ids of their own, and its address."""
    where = Q(external_id=comment.media_id) if comment.media_id else Q(pk=None)
    if comment.permalink:
        where |= Q(
            permalink__in=[
                comment.permalink,
                comment.permalink.rstrip("/"),
                f"{comment.permalink.rstrip('/')}/",
            ]
        )
    waiting = [Post.Rights.UNKNOWN, Post.Rights.REQUESTED]
    return list(Post.objects.filter(where, rights__in=waiting))


def take_captions(posts: Iterable[Post]) -> int:
    """The same of what people wrote under their own photos."""
    hashtags = _hashtags()
    answers = [
        RightsAnswer(
            post=post,
            external_id=f"caption {rights.bare(tag)}",
            text=post.caption,
            username=post.username,
            hashtag=tag,
            at=post.posted_at,
        )
        for post in posts
        for tag in hashtags
        if rights.has_hashtag(post.caption, tag)
    ]
    RightsAnswer.objects.bulk_create(answers, ignore_conflicts=True)
    return len(answers)


def _hashtags() -> list[str]:
    """Of every template and of every request that was sent with one that is no more."""
    tags = RightsTemplate.objects.values_list("hashtag").union(RightsRequest.objects.values_list("hashtag"))
    return sorted({tag for (tag,) in tags})


@transaction.atomic
def confirm(answer: RightsAnswer, granted: bool, by: "Employee") -> bool:
    """An admin says whether it is a yes; False if the owner has meanwhile answered otherwise."""
    post = Post.objects.select_for_update(no_key=True).get(pk=answer.post_id)
    if post.rights in rights.SAID_NO or answer.decided_at:
        return False
    answer.decide(by, timezone.now())
    if granted:
        reason = f"Answered with {answer.hashtag}: “{answer.text[:150]}”"
        RightsChange.objects.make([post], Post.Rights.GRANTED, reason, by)
    return True
