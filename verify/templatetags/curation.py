"""What waits for an admin, for the admin's first page."""

from typing import NamedTuple

from django import template
from django.urls import reverse

from verify.models import Look, Post

register = template.Library()


class Task(NamedTuple):
    count: int
    words: str
    url: str


@register.simple_tag
def tasks_for_admins() -> list[Task]:
    posts, looks = reverse("admin:verify_post_changelist"), reverse("admin:verify_look_changelist")
    rights_open = Look.objects.filter(post__rights__in=[Post.Rights.UNKNOWN, Post.Rights.REQUESTED])
    return [
        Task(_count(Post.State.DISPUTED), "posts for you to decide", f"{posts}?state__exact=disputed"),
        Task(
            Look.objects.filter(clearance=Look.Clearance.WAITING).count(),
            "looks to clear",
            f"{looks}?clearance__exact=waiting",
        ),
        Task(rights_open.count(), "looks without rights", f"{looks}?post__rights__in=unknown,requested"),
        Task(_count(Post.State.SET_ASIDE), "posts set aside", f"{posts}?state__exact=set_aside"),
        Task(_count(Post.State.WAITING), "posts waiting for DeepDress", f"{posts}?state__exact=waiting"),
        Task(_count(Post.State.PROPOSED), "posts open to votes", f"{posts}?state__exact=proposed"),
    ]


def _count(state: Post.State) -> int:
    return Post.objects.filter(state=state).count()
