"""A work list: owners to ask whether their photo may be shown, those who were asked, and their answers."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from verify import access, rights_requests
from verify.admin.curated import CuratedAdmin, ReadOnlyAdmin, day, log_change, typed
from verify.admin.decide import Tab, number
from verify.api import web_address
from verify.intake import replies
from verify.models import Look, Post, RightsAnswer, RightsChange, RightsTemplate
from verify.reach import Reach, reach_of
from verify.rights_requests import NotAsked

PAGE = 12
TITLES = {"ask": "To ask", "asked": "Asked", "answered": "Answered"}


@dataclass(frozen=True)
class Work:
    """A post whose owner is to be asked, was asked, or has answered."""

    row: int  # of the list
    post: Post
    dress: str
    permalink: str | None
    text: str  # to copy
    reach: Reach
    sends: bool  # the API may ask
    asked: str
    answer: RightsAnswer | None


def rows_of(tab: str) -> QuerySet[Any]:
    if tab == "answered":
        return RightsAnswer.objects.to_confirm().order_by("pk").select_related("post__photo", "post__dress")
    if tab == "asked":
        asked = Post.objects.filter(rights=Post.Rights.REQUESTED, hidden_at=None).order_by("pk")
        return asked.select_related("photo", "dress").prefetch_related("rights_requests__asked_by")
    return Look.objects.to_ask().order_by("pk").select_related("post__photo", "post__dress")


class RightsQueue:
    """For the list of posts: the work list, beside it."""

    def get_urls(self) -> list[URLPattern]:
        asking = self.admin_site.admin_view(self.rights_queue)
        return [path("rights/", asking, name="verify_rights"), *super().get_urls()]

    def rights_queue(self, request: HttpRequest) -> HttpResponse:
        if not access.may_curate(request.user):
            raise PermissionDenied
        tab = request.POST.get("tab") or request.GET.get("tab") or "ask"
        if tab not in TITLES:
            return HttpResponseBadRequest("There is no such list.")
        return store(request, tab) if request.method == "POST" else self._show_works(request, tab)

    def _show_works(self, request: HttpRequest, tab: str) -> HttpResponse:
        templates = list(RightsTemplate.objects.filter(active=True))
        chosen = number(request.GET.get("template"))
        template = next(
            (each for each in templates if each.pk == chosen), templates[0] if templates else None
        )
        after = number(request.GET.get("after")) or 0
        rows = list(rows_of(tab).filter(pk__gt=after)[: PAGE + 1]) or list(rows_of(tab)[: PAGE + 1])
        context = {
            **self.admin_site.each_context(request),
            "title": "Rights to ask for",
            "opts": self.opts,
            "tab": tab,
            "tabs": [
                Tab(name, words, rows_of(name).count(), address(name)) for name, words in TITLES.items()
            ],
            "templates": templates,
            "template": template,
            "works": works(rows[:PAGE], template),
            "more": address(tab, after=rows[PAGE - 1].pk) if len(rows) > PAGE else "",
        }
        return TemplateResponse(request, "admin/verify/post/rights.html", context)


def address(tab: str, **query: object) -> str:
    return f"{reverse('admin:verify_rights')}?{urlencode({'tab': tab, **query})}"


def works(rows: list[Any], template: RightsTemplate | None) -> list[Work]:
    posts = [row if isinstance(row, Post) else row.post for row in rows]
    sendable = rights_requests.can_be_sent(posts) if replies.configured() else set()
    return [work(row, post, template, post.pk in sendable) for row, post in zip(rows, posts, strict=True)]


def work(row: Any, post: Post, template: RightsTemplate | None, sends: bool) -> Work:
    last = next(iter(post.rights_requests.all()), None) if isinstance(row, Post) else None
    text = last.text if last else template.text_for(post) if template else ""
    return Work(
        row=row.pk,
        post=post,
        dress=str(post.dress or ""),
        permalink=web_address(post.permalink),
        text=text,
        reach=reach_of(post.source),
        sends=sends,
        asked=f"{day(last.asked_at)}, {last.asked_by or 'by the API'}" if last else "",
        answer=row if isinstance(row, RightsAnswer) else None,
    )


def store(request: HttpRequest, tab: str) -> HttpResponse:
    decision, pk = request.POST.get("decision", ""), number(request.POST.get("row"))
    deed = DEEDS.get((tab, decision))
    if deed is None or pk is None:
        return HttpResponseBadRequest("That is nothing that can be done here.")
    row = rows_of(tab).filter(pk=pk).first()
    if row is None:
        messages.warning(request, "Somebody else was quicker.")
    else:
        try:
            messages.success(request, deed(request, row))
        except NotAsked as reason:
            messages.error(request, str(reason))
    return redirect(address(tab, after=pk - 1))


def _template(request: HttpRequest) -> RightsTemplate:
    template = RightsTemplate.objects.filter(pk=number(request.POST.get("template"))).first()
    if template is None:
        raise NotAsked("Choose a template first.")
    return template


def mark_asked(request: HttpRequest, look: Look) -> str:
    rights_requests.mark_asked(look.post, _template(request), request.user)
    log_change(request, [look.post], "Rights: Requested.")
    return f"{look.post}: asked."


def send(request: HttpRequest, look: Look) -> str:
    client = replies.configured()
    if client is None:
        raise NotAsked("There is no token to reply with.")
    rights_requests.send_request(look.post, _template(request), client, request.user)
    log_change(request, [look.post], "Rights: Requested.")
    return f"{look.post}: asked by the API."


def set_state(to: Post.Rights) -> Any:
    def deed(request: HttpRequest, post: Post) -> str:
        reason = typed(request.POST, "reason")[:200] or "Set in the work list."
        RightsChange.objects.make([post], to, reason, request.user)
        log_change(request, [post], f"Rights: {to.label}.")
        return f"{post}: rights {to.value}."

    return deed


def confirm(granted: bool) -> Any:
    def deed(request: HttpRequest, answer: RightsAnswer) -> str:
        if not rights_requests.confirm(answer, granted, request.user):
            raise NotAsked("The owner has answered otherwise, or somebody has confirmed it.")
        log_change(request, [answer.post], "Rights: Granted." if granted else "Rights: no answer.")
        return f"{answer.post}: granted." if granted else f"{answer.post}: not an answer."

    return deed


DEEDS: dict[tuple[str, str], Any] = {
    ("ask", "asked"): mark_asked,
    ("ask", "send"): send,
    ("asked", "granted"): set_state(Post.Rights.GRANTED),
    ("asked", "refused"): set_state(Post.Rights.REFUSED),
    ("asked", "unknown"): set_state(Post.Rights.UNKNOWN),
    ("answered", "granted"): confirm(True),
    ("answered", "no_answer"): confirm(False),
}


def history_of(post: Post) -> SafeString | str:
    """Each change of the rights, newest first: when, what, who and why."""
    changes = post.rights_changes.select_related("by")
    lines = [
        (day(change.at), change.get_rights_display(), change.by or "by itself", change.reason)
        for change in changes
    ]
    if not lines:
        return "–"
    return format_html(
        '<ul class="history">{}</ul>',
        format_html_join("", "<li><b>{1}</b> <small>{0}, {2}: {3}</small></li>", lines),
    )


@admin.register(RightsTemplate)
class RightsTemplateAdmin(CuratedAdmin):
    list_display = ["name", "hashtag", "active", "beginning"]
    list_filter = ["active"]
    fields = ["name", "text", "hashtag", "nameless", "active"]

    @admin.display(description="text")
    def beginning(self, template: RightsTemplate) -> str:
        return template.text[:80]


@admin.register(RightsChange)
class RightsChangeAdmin(ReadOnlyAdmin):
    list_display = ["about", "former", "rights", "when", "by", "reason"]
    list_display_links = ["rights"]
    list_filter = ["rights"]
    list_select_related = ["post", "by"]
    search_fields = ["post__external_id", "post__username", "reason"]
    fields = ["about", "former", "rights", "when", "by", "reason"]

    @admin.display(description="post")
    def about(self, change: RightsChange) -> SafeString:
        url = reverse("admin:verify_post_change", args=[change.post_id])
        return format_html('<a href="{}">{}</a>', url, change.post)

    @admin.display(ordering="at")
    def when(self, change: RightsChange) -> str:
        return day(change.at)
