"""The hall of fame: what people found in place of a dress."""

from django.db.models import Count, Exists, OuterRef, QuerySet

from verify.models import Answer, Employee, Flag, Nomination, Post

WITHDRAWN = [Post.Rights.REFUSED, Post.Rights.REVOKED]
UNFIT = [Flag.Reason.CHILD, Flag.Reason.REVEALING, Flag.Reason.OFFENSIVE]


def wall(employee: Employee) -> QuerySet[Post]:
    """Nominated posts that turned out not to be a dress, the most nominated first, with their photos.

    Each with ``hearts``, and whether one of them is this employee's: ``is_mine``. Photos whose owner said no,
    and those flagged as unfit to be looked at for fun, are not on it.
    """
    own = Nomination.objects.filter(post=OuterRef("pk"), employee=employee)
    unfit = Flag.objects.filter(post=OuterRef("pk"), reason__in=UNFIT)
    return (
        Post.objects.not_withdrawn()
        .filter(~Exists(unfit), state=Post.State.SETTLED, answer=Answer.NOT_A_DRESS)
        .annotate(hearts=Count("nominations"), is_mine=Exists(own))
        .filter(hearts__gt=0)
        .select_related("photo")
        .order_by("-hearts", "-settled_at", "-pk")
    )
