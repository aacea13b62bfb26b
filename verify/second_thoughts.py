"""Taking an answer back, giving another, or saying more: as long as the post is not settled.

The post's row is locked first, as in `verify.queue`.
"""

from collections.abc import Iterable
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from verify.models import Answer, Dress, Employee, GoldAnswer, Lease, Option, Post, Vote
from verify.queue import OptionNotOffered, PostAlreadySettled, Refused, shuffled


class NothingToUndo(Refused):
    sentence = _("There is nothing left to undo.")


class NotYours(Refused):
    sentence = _("That answer is not yours, or it is gone.")


class NothingToName(Refused):
    sentence = _("A dress can be named after “none of these”, until the photo is settled.")


@transaction.atomic
def undo(employee: Employee, lease_id: int, now: datetime | None = None) -> Lease | None:
    """Take back the vote on this card. Returns the card, in hand again, or None if others have it by now.

    Raises NothingToUndo: it is no vote, or not this person's newest answer; it is too long ago, or its post
    or batch is finished.
    """
    lease = Lease.objects.filter(pk=lease_id, employee=employee).first()
    votes = Vote.objects.filter(post=lease.post_id, employee=employee) if lease else Vote.objects.none()
    own = votes.select_related("post").select_for_update(of=("post", "self"), no_key=True).first()
    now = now or timezone.now()
    if lease is None or own is None or not _may_undo(own, lease, now):
        raise NothingToUndo
    own.delete()
    own.post.recount(now)
    return _return(own.post, employee, now)


def undoable(employee: Employee, now: datetime) -> int | None:
    """The pk of the card whose answer this person may still take back."""
    lately = Vote.objects.filter(employee=employee, created_at__gte=now - settings.UNDO)
    last = lately.select_related("post__batch").order_by("-created_at", "-pk").first()
    lease = Lease.objects.filter(post=last.post_id, employee=employee).first() if last else None
    return lease.pk if last and lease and _may_undo(last, lease, now) else None


def _may_undo(own: Vote, lease: Lease, now: datetime) -> bool:
    return now <= own.created_at + settings.UNDO and own.may_change() and not _answered_since(own, lease)


def _answered_since(own: Vote, lease: Lease) -> bool:
    """Whether this person answered or skipped another card later."""
    person = {"employee": own.employee_id}
    answers = [model.objects.filter(**person, created_at__gt=own.created_at) for model in (Vote, GoldAnswer)]
    # When a card was skipped is not stored; cards are answered in the order in which they were dealt.
    skips = Lease.objects.filter(**person, outcome=Lease.Outcome.SKIPPED, pk__gt=lease.pk)
    return any(rows.exists() for rows in (*answers, skips))


def recent(employee: Employee, count: int = 10) -> list[Vote | GoldAnswer]:
    """The last answers of this person, newest first, each with its post and photo.

    Votes have ``choices``: the options of the card, in the order in which it shows them.
    """
    shown = ("post__photo", "post__batch", "post__dress", "option__dress")
    votes = (
        Vote.objects.filter(employee=employee).select_related(*shown, "suggestion").order_by("-created_at")
    )
    votes = votes.prefetch_related("suggestion__options__dress")[:count]
    known = GoldAnswer.objects.filter(employee=employee).select_related(*shown).order_by("-created_at")
    answers: list[Vote | GoldAnswer] = [*votes, *known[:count]]
    _lay_out(votes, employee)
    return sorted(answers, key=lambda answer: answer.created_at, reverse=True)[:count]


def _lay_out(votes: Iterable[Vote], employee: Employee) -> None:
    own = Lease.objects.filter(employee=employee, post__in=[vote.post_id for vote in votes])
    leases = dict(own.values_list("post", "pk"))
    for vote in votes:
        vote.choices = shuffled(leases.get(vote.post_id, vote.pk), vote.suggestion.options.all())


@transaction.atomic
def change(
    employee: Employee, vote_id: int, answer: str, dress_id: int | None = None, now: datetime | None = None
) -> Vote:
    """Give another answer to a post that is not settled. Raises Refused."""
    own, now = _own(employee, vote_id), now or timezone.now()
    option = own.suggestion.options.filter(dress=dress_id).first() if dress_id else None
    if answer not in Answer or (answer == Answer.DRESS) != (option is not None):
        raise OptionNotOffered
    own.dealt_at = now  # what was named by now was offered too
    return _say_instead(own, answer, option, now)


@transaction.atomic
def name(employee: Employee, vote_id: int, dress: Dress, now: datetime | None = None) -> Vote:
    """Say after "none of these" which dress it is; later voters are offered it. Raises Refused."""
    own = _own(employee, vote_id)
    if own.answer != Answer.NONE_OF_THESE:
        raise NothingToName
    now = now or timezone.now()
    return _say_instead(own, Answer.DRESS, own.suggestion.offer(dress, employee, now), now)


def _own(employee: Employee, vote_id: int) -> Vote:
    """This person's vote, locked as is its post. Raises Refused unless it may be changed."""
    post = Post.objects.filter(votes=vote_id).select_for_update(of=("self",), no_key=True).first()
    votes = Vote.objects.filter(pk=vote_id, employee=employee).select_related("post__batch", "suggestion")
    own = votes.select_for_update(of=("self",), no_key=True).first() if post else None
    if own is None:
        raise NotYours
    if not own.may_change():
        raise PostAlreadySettled
    return own


def _say_instead(own: Vote, answer: str, option: Option | None, now: datetime) -> Vote:
    own.answer, own.option = answer, option
    own.save(update_fields=["answer", "option", "dealt_at"])
    own.post.recount(now)
    _let_go_of_surplus(own.post, now)
    return own


def _return(post: Post, employee: Employee, now: datetime) -> Lease | None:
    """Put the card back, where others have left room; where they hold too many now, the newest fall back."""
    others = _let_go_of_surplus(post, now)
    lease = Lease.objects.filter(post=post, employee=employee).first()
    if lease is None:
        return None
    has_room = others < post.votes_needed
    lease.reopen(now + settings.LEASE if has_room else now)
    return lease if has_room else None


def _let_go_of_surplus(post: Post, now: datetime) -> int:
    """Let the newest open cards fall back where the post needs fewer; returns how many were open.

    Their holders' answers still count as long as there is room.
    """
    held = list(Lease.objects.to_vote(now).filter(post=post).order_by("pk").values_list("pk", flat=True))
    Lease.objects.filter(pk__in=held[post.votes_needed :]).update(expires_at=now)
    return len(held)
