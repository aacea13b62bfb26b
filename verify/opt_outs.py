"""Whoever is in a photo may want it to go: what happens before an admin has looked, and after.

A stranger must not be able to empty a shop's pages. So a request hides at once only posts whose owner is
known by the user name given, so many a day in all, and none that an admin has shown again after one.
"""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Q

from verify import forgetting, identities
from verify.forgetting import Person, Report
from verify.models import Notice, OptOut, Post, Tombstone
from verify.models.post_queryset import PostQuerySet

if TYPE_CHECKING:
    from verify.models import Employee

DAY = timedelta(days=1)


@transaction.atomic
def ask(permalink: str, handle: str, email: str, words: str, now: datetime) -> OptOut:
    """Store a request, and hide at once what may be hidden at once."""
    row = OptOut.objects.create(permalink=permalink, handle=handle, email=email, words=words, created_at=now)
    named = _may_hide(row)
    fresh = list(named.filter(hidden_at=None).values_list("pk", flat=True)[: _left(now)])
    row.hidden.set([*named.exclude(hidden_at=None).values_list("pk", flat=True), *fresh])
    Post.objects.filter(pk__in=fresh).hide(Post.Hidden.OPT_OUT, now)
    told = "Opt-outs wait for an admin: what was named may be hidden until one has looked."
    Notice.objects.tell(Notice.Kind.OPT_OUT, told, now)
    return row


def _may_hide(row: OptOut) -> PostQuerySet:
    """Known to be by the user name given and, where an address is, the post there; hidden already or not."""
    key = identities.handle_key(row.handle)
    if not key:
        return Post.objects.none()
    posts = Person(handle=key).posts()
    if row.permalink:
        posts = posts.filter(pk__in=Person(permalink=row.permalink).posts().values("pk"))
    return posts.exclude(opt_outs__outcome=OptOut.Outcome.KEPT).order_by("pk")


def _left(now: datetime) -> int:
    """How many posts may still be hidden today without an admin."""
    today = OptOut.objects.filter(created_at__gt=now - DAY)
    hidden = today.aggregate(count=Count("hidden", distinct=True))["count"]
    return max(0, settings.OPT_OUTS_AT_ONCE - hidden)


def named_by(row: OptOut) -> PostQuerySet:
    """All posts that a request is about: at its address or, where it has none, by its user name."""
    if row.permalink:
        return Person(permalink=row.permalink).posts()
    return Person(handle=row.handle).posts()


def grant(row: OptOut, by: "Employee", now: datetime) -> Report:
    """Delete what it is about, for good. Already deleted is as good."""
    about = Q(pk__in=named_by(row).values("pk")) | Q(pk__in=row.hidden.values("pk"))
    report = forgetting.erase(Post.objects.filter(about), Tombstone.Reason.ASKED)
    _close(row, OptOut.Outcome.ERASED, by, now)
    return report


@transaction.atomic
def reject(row: OptOut, by: "Employee", now: datetime) -> int:
    """It was not theirs: show again what it hid, unless another open request hides it, too."""
    _close(row, OptOut.Outcome.KEPT, by, now)
    others = OptOut.objects.open().exclude(pk=row.pk)
    back = row.hidden.filter(hidden_because=Post.Hidden.OPT_OUT, erase_at=None).exclude(opt_outs__in=others)
    return Post.objects.filter(pk__in=list(back.values_list("pk", flat=True))).show_again()


def _close(row: OptOut, outcome: OptOut.Outcome, by: "Employee", now: datetime) -> None:
    row.outcome, row.closed_by, row.closed_at = outcome, by, now
    row.save(update_fields=["outcome", "closed_by", "closed_at"])
