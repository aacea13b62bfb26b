"""A queue worked by keys: settled looks to clear for display, one at a time or a page at once."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from verify import access
from verify.admin.curated import log_change
from verify.admin.decide import number
from verify.admin.flags import flagged
from verify.models import Flag, Look
from verify.models.catalogue import cover_token
from verify.models.photo import photo_url

PAGE = 24
LAST = "looks_decided_last"  # key of the session


@dataclass(frozen=True)
class Pair:
    """The customer's photo and the catalogue's, and what speaks against showing them."""

    look: Look
    cover_url: str
    flags: list[Flag]


class ClearQueue:
    """For the list of looks: the queue, beside it."""

    def get_urls(self) -> list[URLPattern]:
        clear = self.admin_site.admin_view(self.clear_queue)
        return [path("clear/", clear, name="verify_clear"), *super().get_urls()]

    def clear_queue(self, request: HttpRequest) -> HttpResponse:
        if not access.may_curate(request.user):
            raise PermissionDenied
        if request.method != "POST":
            return self._show(request)
        decision = request.POST.get("decision", "")
        if decision == "undo":
            return undo(request)
        if decision not in (Look.Clearance.CLEARED, Look.Clearance.REFUSED):
            return HttpResponseBadRequest("A look is cleared or refused.")
        return store(request, Look.Clearance(decision))

    def _show(self, request: HttpRequest) -> HttpResponse:
        view = "grid" if request.GET.get("view") == "grid" else "one"
        shown = page_of(request, view)
        context = {
            **self.admin_site.each_context(request),
            "title": "Looks to clear",
            "opts": self.opts,
            "view": view,
            "pairs": shown[:PAGE] if view == "grid" else shown[:1],
            "following": [pair.look.post.photo.large_url for pair in shown[1:2]] if view == "one" else [],
            "later": address(view, after=shown[: PAGE if view == "grid" else 1][-1].look.pk) if shown else "",
            "left": Look.objects.to_clear().count(),
            "left_flagged": Look.objects.to_clear().filter(flagged()).count(),
            "undoable": len(request.session.get(LAST, [])),
        }
        return TemplateResponse(request, "admin/verify/look/clear.html", context)


def page_of(request: HttpRequest, view: str) -> list[Pair]:
    """The looks to show and one to come; those after the last page, or else from the start."""
    looks = Look.objects.to_clear().order_by("pk").annotate(cover_token=cover_token("dress"))
    looks = looks.select_related("post__photo", "dress").prefetch_related(
        Prefetch("post__flags", Flag.objects.select_related("employee"))
    )
    if view == "grid":
        looks = looks.exclude(flagged())
    after = number(request.GET.get("after")) or 0
    count = (PAGE if view == "grid" else 1) + 1
    return [pair(look) for look in looks.filter(pk__gt=after)[:count] or looks[:count]]


def pair(look: Any) -> Pair:
    cover_url = photo_url(look.cover_token, "large") if look.cover_token else ""
    return Pair(look, cover_url, list(look.post.flags.all()))


def address(view: str, **query: object) -> str:
    return f"{reverse('admin:verify_clear')}?{urlencode({'view': view, **query})}"


def store(request: HttpRequest, clearance: Look.Clearance) -> HttpResponse:
    """Decide the look, or the ticked ones of a page, where what is flagged is never cleared."""
    view = "grid" if request.POST.get("view") == "grid" else "one"
    pks = [pk for pk in map(number, request.POST.getlist("look")) if pk]
    with transaction.atomic():
        looks = Look.objects.to_clear().order_by("pk").filter(pk__in=pks if view == "grid" else pks[:1])
        if view == "grid" and clearance == Look.Clearance.CLEARED:
            looks = looks.exclude(flagged())
        decided = list(looks.select_related("post", "dress").select_for_update(of=("self",)))
        for look in decided:
            look.decide(clearance, request.user)
        log_change(request, decided, f"{clearance.label} for display.")
    if decided:
        request.session[LAST] = [look.pk for look in decided]
        messages.success(request, in_words(len(decided), clearance.value))
    else:
        messages.warning(request, "Nothing was ticked, or somebody else was quicker.")
    return redirect(address(view, after=number(request.POST.get("after")) or max(pks, default=0)))


def undo(request: HttpRequest) -> HttpResponse:
    """Put the looks that this admin decided last back into the queue, unless others have decided since."""
    view = "grid" if request.POST.get("view") == "grid" else "one"
    pks = request.session.pop(LAST, [])
    with transaction.atomic():
        mine = Look.objects.filter(pk__in=pks, cleared_by=request.user).order_by("pk")
        looks = list(mine.exclude(clearance=Look.Clearance.WAITING).select_for_update())
        for look in looks:
            look.await_clearance()
        log_change(request, looks, "Back to be cleared.")
    if not looks:
        messages.warning(request, "There is nothing left to undo.")
        return redirect(address(view))
    messages.success(request, in_words(len(looks), "back in the queue"))
    return redirect(address(view, after=looks[0].pk - 1))


def in_words(count: int, what: str) -> str:
    return f"{count} look{'' if count == 1 else 's'} {what}."
