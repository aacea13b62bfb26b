"""What people say about a photo beside their vote."""

from datetime import datetime

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from verify.fame import UNFIT
from verify.models import Answer, Employee, Flag, GoldAnswer, Lease, Look, Nomination, Post, Vote
from verify.queue import LeaseNotFound, Refused


class NotForTheHall(Refused):
    sentence = _("Only what you have seen, and what is not a dress, has a place in the hall of fame.")


@transaction.atomic
def flag(employee: Employee, lease_id: int, reason: str, now: datetime | None = None) -> bool:
    """Say that the photo on a card is not for the shop, whatever dress it shows. Raises Refused.

    What is shown already is taken back, if no admin has cleared it or nobody should see it; returns whether
    an admin decides before it is shown.
    """
    lease = Lease.objects.filter(pk=lease_id, employee=employee).first()
    if lease is None:
        raise LeaseNotFound
    facts = {"reason": reason, "created_at": now or timezone.now()}
    own = {"post_id": lease.post_id, "employee": employee}
    is_new = not Flag.objects.filter(**own, reason=reason).exists()
    Flag.objects.update_or_create(**own, defaults=facts)
    cleared = Look.objects.filter(post=lease.post_id, clearance=Look.Clearance.CLEARED).select_for_update()
    if (look := cleared.first()) is None:
        return True
    if is_new and (look.cleared_by_id is None or reason in UNFIT):
        look.await_clearance()
        return True
    return False


def nominate(employee: Employee, post_id: int, now: datetime | None = None) -> Nomination:
    """Vote for a photo's place in the hall of fame. Raises Refused."""
    post = Post.objects.filter(pk=post_id).first()
    own = {"post": post_id, "employee": employee, "answer": Answer.NOT_A_DRESS}
    said_so = any(model.objects.filter(**own).exists() for model in (Vote, GoldAnswer))
    settled_so = post is not None and post.answer == Answer.NOT_A_DRESS and post.nominations.exists()
    if post is None or not (said_so or settled_so):
        raise NotForTheHall
    facts = {"created_at": now or timezone.now()}
    voice, _created = Nomination.objects.get_or_create(post=post, employee=employee, defaults=facts)
    return voice
