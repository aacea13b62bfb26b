"""What the quality gates found: on a post's page, as a filter, as a figure; and the way past them."""

from typing import Any

from django.contrib import admin
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from verify import dashboard, gating
from verify.admin.curated import day, log_change
from verify.admin.figures import Cell, Figure, Row, listed
from verify.gates import Gate
from verify.models import GateVerdict, Post
from verify.models.post_queryset import PostQuerySet

NAMES = {
    Gate.SIZE: "too small",
    Gate.BLUR: "blurred",
    Gate.TEXT: "text only",
    Gate.SCREENSHOT: "screenshot",
    Gate.PEOPLE: "several people",
    Gate.DUPLICATE: "duplicate",
}


class GateFilter(admin.SimpleListFilter):
    title = "quality gates"
    parameter_name = "gate"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        held = [
            (gate.value, f"{'Flagged' if gate == Gate.PEOPLE else 'Held back'}: {name}")
            for gate, name in NAMES.items()
        ]
        return [*held, ("let_through", "Let through by an admin")]

    def queryset(self, request: HttpRequest, posts: QuerySet[Post]) -> QuerySet[Post]:
        found = GateVerdict.objects.filter(post=OuterRef("pk"))
        gate, _, which = (self.value() or "").partition("-")  # of a gate: held, judged or let through
        if gate in NAMES:
            found = found.filter(gate=gate)
        elif gate != "let_through":
            return posts
        if "let_through" in (gate, which):
            found = found.exclude(overruled_at=None)
        elif which != "judged":
            found = found.flagging() if gate == Gate.PEOPLE else found.holding()
        return posts.filter(Exists(found))


class GatedPosts(admin.ModelAdmin):
    """The part of the posts' admin that is about the gates."""

    @admin.display(description="gates")
    def gate_table(self, post: Post) -> SafeString | str:
        found = post.gate_verdicts.select_related("duplicate_of", "overruled_by").order_by("pk")
        rows = format_html_join("", "<tr><th>{}</th><td>{}</td><td>{}</td><td>{}</td></tr>", map(row, found))
        head = "<thead><tr><th>gate</th><th>measured</th><th>threshold</th><th>verdict</th></tr></thead>"
        table = '<table class="metrics">' + head + "<tbody>{}</tbody></table>"
        return (
            format_html(table, rows)
            if rows
            else "No gate has judged it: it was taken in before there were any."
        )

    @admin.display(description="posts with this photo")
    def twins(self, post: Post) -> SafeString | str:
        alike = Post.objects.filter(pk__in=post.duplicates.filter(held=True).values("post")).order_by("pk")
        return format_html_join(", ", "{}", ((post_link(other),) for other in alike[:50])) or "–"

    @admin.action(description="Let through what a gate holds back or flags", permissions=["change"])
    @transaction.atomic
    def let_through(self, request: HttpRequest, posts: PostQuerySet) -> None:
        chosen = [post.pk for post in posts]
        released = gating.release(Post.objects.filter(pk__in=chosen), request.user)
        unflagged = gating.unflag(Post.objects.filter(pk__in=chosen), request.user)
        both = {post.pk: post for post in released + unflagged}
        log_change(request, list(both.values()), "Let through the gates.")
        taken_back = f"{len(unflagged)} are flagged by no gate any more; " if unflagged else ""
        told = f"no gate held {len(chosen) - len(both)} of those chosen."
        self.message_user(request, f"{len(released)} wait for DeepDress; {taken_back}{told}")


def row(found: GateVerdict) -> tuple[Any, ...]:
    return NAMES[Gate(found.gate)], f"{found.value:.4g}", f"{found.threshold:.4g}", verdict(found)


def verdict(found: GateVerdict) -> SafeString | str:
    if not found.held and not found.flagged:
        return "passes"
    why = gating.in_words(found)
    if found.duplicate_of:
        why = format_html("{} {}", why, post_link(found.duplicate_of))
    if not found.overruled_at:
        what = "held back" if found.held else "flagged"
        return format_html('<span class="badge refused">{}</span> {}', what, why)
    by = found.overruled_by or "somebody who has left"
    told = '<span class="badge settled">let through</span> by {} on {}. {}'
    return format_html(told, by, day(found.overruled_at), why)


def post_link(post: Post) -> SafeString:
    return format_html('<a href="{}">{}</a>', reverse("admin:verify_post_change", args=[post.pk]), post)


def gates_figure() -> Figure:
    counts = dashboard.gates()
    caught = sum(count.held + count.flagged for count in counts)
    judged = max((count.judged for count in counts), default=0)
    return Figure(
        name="gates",
        kind="bars",
        title="Held back by quality gates",
        sentence=f"{dashboard.held():,} posts held back, of {judged:,} judged." if caught else "",
        url=listed("post", state__exact="held"),
        headings=["gate", "held back or flagged", "let through by an admin", "judged"],
        rows=[gate_row(count) for count in counts] if caught else [],
        empty="No gate has held anything back.",
    )


def gate_row(count: dashboard.GateCount) -> Row:
    name, url = NAMES[Gate(count.gate)], listed("post", gate=count.gate)
    through = Cell(f"{count.let_through:,}", listed("post", gate=f"{count.gate}-let_through"))
    judged = Cell(f"{count.judged:,}", listed("post", gate=f"{count.gate}-judged"))
    caught = count.held + count.flagged
    told = [Cell(name), Cell(f"{caught:,}", url), through, judged]
    return Row({"name": name, "count": caught, "href": url}, told)
