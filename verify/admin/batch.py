from typing import Any

from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from verify.admin.curated import ReadOnlyAdmin, day, thumbnail
from verify.models import Batch, Post, Vote

CONFUSED = ["post__answer__exact", "post__dress__id__exact", "option__dress__id__exact"]  # see a voter's page


@admin.register(Batch)
class BatchAdmin(ReadOnlyAdmin):
    list_display = ["__str__", "state", "posts", "settled", "disputed", "progress", "frozen_at", "closed_at"]
    list_filter = ["state"]
    fields = ["state", "opened_at", "frozen_at", "closed_at", "progress", "posts_by_state"]
    readonly_fields = ["progress", "posts_by_state"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Batch]:
        return (
            super()
            .get_queryset(request)
            .annotate(
                post_count=Count("posts"),
                settled_count=Count("posts", filter=Q(posts__state=Post.State.SETTLED)),
                disputed_count=Count("posts", filter=Q(posts__state=Post.State.DISPUTED)),
            )
        )

    @admin.display(ordering="post_count")
    def posts(self, batch: Any) -> SafeString:
        return posts_link(batch.post_count, batch__id__exact=batch.pk)

    @admin.display(ordering="settled_count")
    def settled(self, batch: Any) -> SafeString:
        return posts_link(batch.settled_count, batch__id__exact=batch.pk, state__exact=Post.State.SETTLED)

    @admin.display(ordering="disputed_count")
    def disputed(self, batch: Any) -> SafeString:
        return posts_link(batch.disputed_count, batch__id__exact=batch.pk, state__exact=Post.State.DISPUTED)

    @admin.display
    def progress(self, batch: Any) -> SafeString:
        done, total = batch.settled_count + batch.disputed_count, batch.post_count
        return format_html(
            '<span class="share"><progress max="{}" value="{}"></progress> {}</span>',
            total or 1,
            done,
            f"{done / total:.0%}" if total else "–",
        )

    @admin.display(description="posts")
    def posts_by_state(self, batch: Batch) -> SafeString:
        counts = batch.posts.order_by("state").values_list("state").annotate(Count("pk"))
        rows = [
            (posts_link(count, batch__id__exact=batch.pk, state__exact=state), Post.State(state).label)
            for state, count in counts
        ]
        return format_html_join(" · ", "{} {}", rows)


@admin.register(Vote)
class VoteAdmin(ReadOnlyAdmin):
    list_display = ["picture", "post", "employee", "answer", "dress", "agrees", "voted"]
    list_display_links = ["post"]
    list_filter = ["answer", "right", "counted", ("created_at", admin.DateFieldListFilter), "employee__team"]
    list_select_related = ["post__photo", "employee", "option__dress"]
    search_fields = ["post__external_id", "employee__username", "employee__display_name"]
    ordering = ["-created_at"]
    fields = [
        *("picture", "post", "employee", "answer", "dress", "agrees", "counted", "points"),
        *("suggestion", "created_at", "viewed_ms"),
    ]

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        return lookup in CONFUSED or super().lookup_allowed(lookup, value, request)

    @admin.display(description="photo")
    def picture(self, vote: Vote) -> SafeString | str:
        return thumbnail(vote.post.photo.token)

    @admin.display
    def dress(self, vote: Vote) -> str:
        return str(vote.option.dress) if vote.option else "–"

    @admin.display(ordering="created_at")
    def voted(self, vote: Vote) -> str:
        return day(vote.created_at)

    @admin.display(description="as settled", boolean=True)
    def agrees(self, vote: Vote) -> bool | None:
        return vote.right


def posts_link(label: object, **filters: object) -> SafeString:
    query = "&".join(f"{name}={value}" for name, value in filters.items())
    return format_html('<a href="{}?{}">{}</a>', reverse("admin:verify_post_changelist"), query, label)
