"""Choosing posts: by state, by rights, by what is to be done with them."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from django.apps import apps
from django.conf import settings
from django.db import connection, models, transaction
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from verify import rights
from verify.models.photo import Photo

if TYPE_CHECKING:
    from verify.models.post import Post
    from verify.models.suggestion import Suggestion
    from verify.models.vote import Vote

WEIGHED = ["posterior", "votes_cast", "votes_needed", "closeness", "settles_at"]


class AlreadyInPlay(Exception):
    """The post has votes, is in somebody's hands, or is finished: its options can no longer change."""


class Answer(models.TextChoices):
    """What can be said of a post: an offered dress, none of the offered, or no dress at all."""

    DRESS = "dress", _("a dress")
    NOT_A_DRESS = "not_a_dress", _("not a dress")
    NONE_OF_THESE = "none_of_these", _("none of these")


def publishable(prefix: str = "") -> Q:
    """Of rows that lead to a post by ``prefix``: its owner lets us show it, and it is not hidden."""
    shown = rights.SHOWN[settings.RIGHTS_POLICY]
    return Q(**{f"{prefix}rights__in": shown, f"{prefix}hidden_at": None})


class PostQuerySet(models.QuerySet["Post"]):
    def not_withdrawn(self) -> "PostQuerySet":
        """Whose owner has not said no, and that are not hidden: nothing else may leave the portal."""
        return self.filter(hidden_at=None).exclude(rights__in=rights.SAID_NO)

    def hide(self, why: "Post.Hidden", now: datetime, erase_at: datetime | None = None) -> int:
        """Take them out of every page and API at once; with ``erase_at``, they are deleted then."""
        return self.filter(hidden_at=None).update(hidden_at=now, hidden_because=why, erase_at=erase_at)

    def show_again(self) -> int:
        return self.update(hidden_at=None, hidden_because="", erase_at=None)

    def waiting_for_suggestion(self, now: datetime) -> "PostQuerySet":
        """To be proposed for, and in no worker's hands."""
        return self.filter(Q(claimed_until=None) | Q(claimed_until__lt=now), state=self.model.State.WAITING)

    def unjudged(self, now: datetime) -> "PostQuerySet":
        """Of no batch yet, and whose photo was measured after they were taken in: no gate has judged them."""
        of_no_batch = self.proposable(now).filter(
            Q(claimed_until=None) | Q(claimed_until__lt=now), batch=None
        )
        return of_no_batch.filter(photo__isnull=False, gate_verdicts=None).exclude(photo__measures={})

    def in_no_batch(self) -> "PostQuerySet":
        return self.filter(state=self.model.State.PROPOSED, batch=None)

    def proposable(self, now: datetime) -> "PostQuerySet":
        """To be proposed for, for the first time or anew: nobody has judged it or is about to."""
        leases = apps.get_model("verify", "Lease").objects.open(now).filter(post=OuterRef("pk"))
        return self.filter(~Exists(leases), state__in=self.model.UNFINISHED, votes=None)

    def outdated(self, now: datetime) -> "PostQuerySet":
        """To be proposed for anew: an option has left the shop, and nobody has judged it or is about to."""
        gone = apps.get_model("verify", "Option").objects.filter(
            suggestion=OuterRef("suggestion"), dress__retired_on__lte=timezone.localdate(now)
        )
        return self.proposable(now).filter(Exists(gone), state=self.model.State.PROPOSED)

    def taking_votes(self) -> "PostQuerySet":
        """Proposed, and not decided yet: those of which `Post.takes_votes` is true."""
        return self.filter(state=self.model.State.PROPOSED, settles_at=None)

    def decided(self) -> "PostQuerySet":
        """Decided, and not settled yet."""
        return self.filter(state=self.model.State.PROPOSED, settles_at__isnull=False)

    def due(self, now: datetime) -> "PostQuerySet":
        """Decided, and the time to undo the deciding vote is over."""
        return self.decided().filter(settles_at__lte=now)

    def unfinished(self) -> "PostQuerySet":
        """Neither settled nor with an admin."""
        return self.filter(state__in=self.model.UNFINISHED)

    @transaction.atomic
    def propose(self, suggestions: "Mapping[Post, Suggestion]") -> None:
        """Take each post's suggestion as the options to vote on. Raises AlreadyInPlay, and takes none."""
        posts = self.filter(pk__in=[post.pk for post in suggestions])
        refit = apps.get_model("verify", "Refit").objects.current()
        locked = set(posts.order_by("pk").select_for_update().values_list("pk", flat=True))
        free = locked & set(posts.proposable(timezone.now()).values_list("pk", flat=True))
        for post, suggestion in suggestions.items():
            if post.pk not in free:
                raise AlreadyInPlay(f"{post} has been voted on, or is about to be: its options stay.")
            post.take(suggestion, refit.prior_factors, refit.vote_weight)
        fields = [*WEIGHED, "suggestion", "state", "audit", "claimed_until", "trouble"]
        _write(self.model, suggestions, fields)

    def recount(self, posts: "Collection[Post]", now: datetime) -> None:
        """Weigh the stored votes on ``posts`` anew, by what is known of the voters now.

        Six statements, however many posts and votes.
        """
        refit = apps.get_model("verify", "Refit").objects.current()
        suggestions = apps.get_model("verify", "Suggestion").objects.prefetch_related("options")
        offered = suggestions.in_bulk([post.suggestion_id for post in posts])
        cast = _weighed_votes(posts)
        for post in posts:
            post.weigh(offered[post.suggestion_id], cast[post.pk], refit, now)
        _write(self.model, posts, WEIGHED)

    def gold(self) -> "PostQuerySet":
        """Posts whose answer is known: an admin decided it, or cleared its look; never a dispute."""
        cleared = Q(look__clearance="cleared", look__cleared_by__isnull=False, look__dress=F("dress"))
        decided = Q(settled_by__isnull=False)
        return self.filter(
            decided | cleared, state=self.model.State.SETTLED, was_disputed=False, suggestion__isnull=False
        )

    def to_confirm(self) -> "PostQuerySet":
        """Settled, and not all who voted have been told whether they were right."""
        votes = apps.get_model("verify", "Vote").objects.filter(post=OuterRef("pk"), confirmed_at=None)
        return self.filter(Exists(votes), state=self.model.State.SETTLED)

    def to_publish(self) -> "PostQuerySet":
        """Settled, and the look does not say so yet: it shows no dress or another, or should not be there."""
        unlike = Q(answer=Answer.DRESS) & ~Q(look__dress=F("dress"))
        stale = ~Q(answer=Answer.DRESS) & Q(look__isnull=False)
        return self.filter(unlike | stale, state=self.model.State.SETTLED)

    def delete(self) -> tuple[int, dict[str, int]]:
        """Delete the posts, all that hangs on them, and the photos nobody else uses; counts all of it."""
        with transaction.atomic():
            photos = [photo for photo in self.values_list("photo", flat=True) if photo]
            _, counts = super().delete()
            _, of_photos = Photo.objects.filter(pk__in=photos).unused().delete()
        return sum([*counts.values(), *of_photos.values()]), counts | of_photos


def _weighed_votes(posts: "Collection[Post]") -> "dict[int, list[tuple[Vote, float]]]":
    """By post's pk the votes that count, each with its voter's reliability."""
    votes = apps.get_model("verify", "Vote").objects.filter(post__in=posts, counted=True)
    cast = list(votes.select_related("option"))
    reliabilities = apps.get_model("verify", "Reliability").objects.weigh({vote.employee_id for vote in cast})
    weighed: dict[int, list[tuple[Vote, float]]] = {post.pk: [] for post in posts}
    for vote in cast:
        if (reliability := reliabilities[vote.employee_id]) is not None:
            weighed[vote.post_id].append((vote, reliability))
    return weighed


def _write(model: type[models.Model], posts: "Collection[Post]", names: Sequence[str]) -> None:
    """What `bulk_update` does, without a CASE a post and field, which take longer than a network's look."""
    fields = [model._meta.get_field(name) for name in ("id", *names)]
    columns = ", ".join(f'"{field.column}"' for field in fields)
    changes = ", ".join(f'"{field.column}" = new."{field.column}"' for field in fields[1:])
    arrays = ", ".join(f"%s::{field.rel_db_type(connection)}[]" for field in fields)
    if not posts:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE verify_post SET {changes} FROM unnest({arrays}) AS new ({columns})"  # noqa: S608
            " WHERE verify_post.id = new.id",
            [
                [field.get_db_prep_save(getattr(post, field.attname), connection) for post in posts]
                for field in fields
            ],
        )
