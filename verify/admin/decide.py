"""A queue worked by keys: posts for an admin to decide, and the audit sample, judged without the votes."""

from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from verify import access, dashboard
from verify.admin.curated import log_change, typed
from verify.admin.evidence import Bar, Evidence, evidence_for, waits_for_label
from verify.consensus import dress_key, dress_of
from verify.models import Answer, Dress, Post
from verify.models.photo import photo_url
from verify.models.post_queryset import PostQuerySet

FOUND = 8
KEYS = "123456789"


class Choice(NamedTuple):
    """An answer to press; ``bar`` is what is known about it, None where that would sway."""

    value: str
    key: str
    label: str
    remark: str
    cover_url: str
    bar: Bar | None


class Tab(NamedTuple):
    name: str
    title: str
    count: int
    url: str


@dataclass(frozen=True)
class Case:
    """A post to decide, with the answers on offer."""

    post: Post
    dresses: list[Choice]
    others: list[Choice]
    evidence: Evidence | None  # None: to be judged blind
    again: bool  # decided already, and looked at once more


def queues() -> dict[str, PostQuerySet]:
    """The posts of each tab, in the order in which they are worked."""
    return {"disputed": dashboard.to_decide().order_by("pk"), "audit": dashboard.to_label().order_by("pk")}


TITLES = {"disputed": "Disputed", "audit": "Audit sample"}


class DecideQueue:
    """For the list of posts: the queue, beside it."""

    def get_urls(self) -> list[URLPattern]:
        decide = self.admin_site.admin_view(self.decide)
        return [path("decide/", decide, name="verify_decide"), *super().get_urls()]

    def decide(self, request: HttpRequest) -> HttpResponse:
        if not access.may_curate(request.user):
            raise PermissionDenied
        tab = request.POST.get("tab") or request.GET.get("tab") or "disputed"
        if tab not in TITLES:
            return HttpResponseBadRequest("There is no such queue.")
        return self._store(request, tab) if request.method == "POST" else self._show(request, tab)

    def _show(self, request: HttpRequest, tab: str) -> HttpResponse:
        post = chosen(request, tab)
        words = typed(request.GET, "q")
        context = {
            **self.admin_site.each_context(request),
            "title": "Posts to decide" if tab == "disputed" else "Audit sample",
            "opts": self.opts,
            "tab": tab,
            "tabs": tabs(),
            "case": case_of(post, tab) if post else None,
            "following": following(tab, post.pk) if post else None,
            "later": address(tab, after=post.pk) if post else "",
            "words": words,
            "found": self._found(request, words),
            "last": number(request.GET.get("last")),
        }
        return TemplateResponse(request, "admin/verify/post/decide.html", context)

    def _found(self, request: HttpRequest, words: str) -> list[Choice]:
        """Dresses by SKU, title or designer, as the list of dresses searches."""
        if not words:
            return []
        dresses, doubled = admin.site.get_model_admin(Dress).get_search_results(
            request, Dress.objects.with_cover(), words[:100]
        )
        return [choice(dress) for dress in (dresses.distinct() if doubled else dresses)[:FOUND]]

    def _store(self, request: HttpRequest, tab: str) -> HttpResponse:
        pk, answer = number(request.POST.get("post")), request.POST.get("choice", "")
        dress = named(answer)
        if pk is None or (dress is None and answer not in (Answer.NOT_A_DRESS, Answer.NONE_OF_THESE)):
            return HttpResponseBadRequest("That is not an answer to one of these posts.")
        with transaction.atomic():
            decided = Post.objects.filter(settled_by__isnull=False)
            posts = decided if "again" in request.POST else queues()[tab]
            post = posts.filter(pk=pk).select_for_update(of=("self",)).first()
            if post is None:
                messages.warning(request, "Somebody else has decided that one.")
                return redirect(address(tab, after=pk))
            post.override(Answer.DRESS if dress else answer, dress, request.user)
            said = str(dress or Answer(answer).label)
            log_change(request, [post], f"Verdict: {said}.")
        messages.success(request, f"Settled as {said}.")
        return redirect(address(tab, after=pk, last=pk))


def tabs() -> list[Tab]:
    return [Tab(name, TITLES[name], posts.count(), address(name)) for name, posts in queues().items()]


def address(tab: str, **query: object) -> str:
    return f"{reverse('admin:verify_decide')}?{urlencode({'tab': tab, **query})}"


def number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 18 else None


def chosen(request: HttpRequest, tab: str) -> Post | None:
    """The post asked for, or the one after the one asked for, or the first."""
    related = ("photo", "suggestion__model_version", "dress", "batch")
    posts = Post.objects.filter(photo__isnull=False).select_related(*related)
    if pk := number(request.GET.get("post")):
        return posts.filter(pk=pk).first()
    waiting = queues()[tab].select_related(*related)
    after = number(request.GET.get("after")) or 0
    return waiting.filter(pk__gt=after).first() or waiting.first()


def following(tab: str, pk: int) -> str | None:
    """The photo of the post after this one, to be fetched ahead."""
    post = queues()[tab].filter(pk__gt=pk).select_related("photo").first()
    return post.photo.large_url if post else None


def case_of(post: Post, tab: str) -> Case:
    evidence = evidence_for(post)
    bars = [bar for bar in evidence.bars if bar.dress]
    blind = tab == "audit" or waits_for_label(post)
    if blind:
        bars.sort(key=lambda bar: bar.label)  # the model's order would tell
    dresses = [
        choice(bar.dress, key, bar.cover_url, None if blind else bar)
        for key, bar in zip((KEYS + " " * len(bars))[: len(bars)], bars, strict=True)
    ]
    known = {} if blind else {bar.label: bar for bar in evidence.bars}
    others = [
        Choice(answer, key, label, "", "", known.get(label))
        for answer, key in ((Answer.NOT_A_DRESS, "n"), (Answer.NONE_OF_THESE, "0"))
        for label in [str(answer.label).capitalize()]
    ]
    decided = post.state == Post.State.SETTLED and post.settled_by_id is not None
    return Case(post, dresses, others, None if blind else evidence, decided)


def choice(dress: Dress, key: str = "", cover_url: str | None = None, bar: Bar | None = None) -> Choice:
    if cover_url is None:
        token: Any = getattr(dress, "cover_token", None)
        cover_url = photo_url(token, "small") if token else ""
    remark = " · ".join(filter(None, [dress.sku, dress.designer]))
    return Choice(dress_key(dress.pk), key.strip(), dress.title, remark, cover_url, bar)


def named(answer: str) -> Dress | None:
    """The dress of an answer such as ``dress:7``, if there is one."""
    try:
        pk = dress_of(answer)
    except ValueError:
        return None
    return Dress.objects.filter(pk=pk).first() if pk and pk < 2**63 else None
