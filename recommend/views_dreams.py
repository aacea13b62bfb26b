"""Dreams for colleagues, and for shoppers: pages of what the JSON API says of them."""

from __future__ import annotations

import io
import secrets
from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Exists, OuterRef
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import get_conditional_response, patch_cache_control
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from recommend import dream_likes, dreams
from recommend.api_dreams import Throttle, bodies
from recommend.dream_addresses import asked_for, dresses, liked, number
from recommend.dreams import Asked, Nothing, Unavailable
from recommend.models import DreamLike, LikedDream
from recommend.models.liked_dream import LikedDreamQuerySet
from verify import access
from verify.dreaming import shelf
from verify.dreaming.dream import SEEDS
from verify.models import Dress

ON_THE_WALL, IN_THE_SHOP = 12, 8  # dreams on a page
CLOSEST, CLOSEST_OF_ONE = 3, 6  # dresses beside a dream
FRAMES = 11  # of a walk
NAMED = 200  # dresses that the form of a walk offers
View = Callable[..., HttpResponseBase]


def honest(template: str) -> Callable[[View], View]:
    """Where there is no such dream, or none now, the page says so, and what to do."""

    def decorated(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, **path: Any) -> HttpResponseBase:
            try:
                return view(request, **path)
            except Nothing as reason:
                return render(request, template, {"refused": str(reason)}, status=400)
            except Unavailable as reason:
                context = {"reason": str(reason), "seconds": reason.seconds}
                context["no_weights"] = isinstance(reason, dreams.NoWeights)
                answer = render(request, template, context, status=503)
                answer["Retry-After"] = str(reason.seconds)
                if request.method != "POST" and not context["no_weights"]:
                    answer["Refresh"] = str(reason.seconds)  # browsers come again by themselves
                    if "HX-Request" in request.headers:  # not of their own accord for a part of a page
                        answer["HX-Redirect"] = request.get_full_path()
                return answer

        return guarded

    return decorated


for_colleagues = honest("portal/dreamless.html")


def still_dreamt() -> LikedDreamQuerySet:
    """The most liked that the weights of today dream: their addresses still lead to them."""
    return LikedDream.objects.most_liked().filter(version=dreams.version())


def another() -> int:
    """A seed that hardly anybody has seen."""
    return secrets.randbelow(SEEDS)


@access.employee_required
@never_cache
@require_safe
@for_colleagues
def wall(request: HttpRequest) -> HttpResponse:
    """Of a page the seeds follow each other, so that everybody finds the same dream at the same place."""
    seed = number("seed", request.GET.get("seed") or 0, SEEDS - 1)
    like = liked(request.GET)
    found = cards(request, dreams.wall(seed, ON_THE_WALL, like), CLOSEST)
    context = {"cards": found, "seed": seed, "like": like, "another": another(), "film": film_path()}
    context |= {"before": max(0, seed - ON_THE_WALL) if seed else None, "after": (seed + ON_THE_WALL) % SEEDS}
    context |= {"taste": Asked(0, like).query, "liked": list(still_dreamt()[:6])}
    return render(request, "portal/dreams.html", context)


@access.employee_required
@never_cache
@require_safe
@for_colleagues
def dream(request: HttpRequest, seed: int) -> HttpResponse:
    asked = asked_for(seed, request.GET)
    [card] = cards(request, [asked], CLOSEST_OF_ONE)
    context = {"card": card, "asked": asked, "another": another(), "leaning": replace(asked, to=None).query}
    context["taste"] = Asked(0, asked.like or asked.toward).query  # as the wall is asked for it
    return render(request, "portal/dream.html", context)


@access.employee_required
@never_cache
@require_safe
@for_colleagues
def walk(request: HttpRequest) -> HttpResponse:
    """From one dress to another, or from one seed to another: all places at once, for a slider."""
    seed = number("seed", request.GET.get("seed") or 0, SEEDS - 1)
    to = number("to", request.GET["to"], SEEDS - 1) if request.GET.get("to") else None
    start = Asked(seed, dresses("from", request.GET), to, dresses("toward", request.GET))
    goes = start.to is not None or (start.like and start.toward)
    context: dict[str, Any] = {"asked": start, "named": _named(), "another": another()}
    context["frames"] = cards(request, dreams.way(start, FRAMES), 1) if goes else []
    return render(request, "portal/dream_walk.html", context)


def _named() -> list[tuple[str, str]]:
    there = Dress.objects.in_stock().filter(photos__isnull=False).distinct().order_by("-created_at", "sku")
    return list(there.values_list("sku", "title")[:NAMED])


@require_POST
@access.employee_required
@for_colleagues
def like(request: HttpRequest, seed: int) -> HttpResponse:
    """Or, with `liked=no`, no longer. The taste stands in the address, as it does everywhere."""
    if not access.may_vote(request.user):
        raise PermissionDenied
    asked = asked_for(seed, request.GET)
    if request.POST.get("liked") == "no":
        dream_likes.unlike(request.user, asked)
    else:
        [dreamt] = dreams.dream([asked], 0)
        dream_likes.like(request.user, dreamt, timezone.now())
    if request.htmx:
        [card] = cards(request, [asked], 0)
        return render(request, "portal/_dream_heart.html", {"card": card})
    query = f"?{asked.query}" if asked.query else ""
    return redirect(reverse("dream", args=[seed]) + query)


@access.employee_required
@require_safe
def liked_picture(request: HttpRequest, name: str) -> HttpResponse:
    row = get_object_or_404(LikedDream, name=name)
    answer = HttpResponse(bytes(row.picture), content_type="image/webp")
    patch_cache_control(answer, private=True, max_age=86400, immutable=True)
    return answer


@access.employee_required
@require_safe
def film(request: HttpRequest) -> HttpResponseBase:
    """How the weights were learnt: the same noise, again and again."""
    if (path := film_path()) is None:
        raise Http404
    etag = f'"{path.stat().st_mtime_ns:x}-{path.stat().st_size:x}"'
    answer = get_conditional_response(request, etag=etag)
    answer = answer or FileResponse(io.BytesIO(path.read_bytes()), content_type="image/webp")
    answer["ETag"] = etag
    patch_cache_control(answer, private=True, max_age=3600)
    return answer


def film_path() -> Path | None:
    path = Path(settings.DREAM_WEIGHTS) / shelf.FILM
    return path if path.is_file() else None


def cards(request: HttpRequest, asked: list[Asked], count: int) -> list[dict[str, Any]]:
    """What the API says of each dream, with its hearts and the addresses of its pages."""
    dreamt = dreams.dream(asked, count)
    found = [
        {**body, "name": each.name, "at": each.asked.at, "query": each.asked.query}
        for body, each in zip(bodies(request, dreamt), dreamt, strict=True)
    ]
    mine = DreamLike.objects.filter(dream=OuterRef("pk"), employee=request.user.pk)
    rows = LikedDream.objects.filter(name__in=[card["name"] for card in found])
    hearts = {
        row.name: (row.hearts, row.is_mine)
        for row in rows.annotate(hearts=Count("likes"), is_mine=Exists(mine))
    }
    for card in found:
        card["hearts"], card["is_mine"] = hearts.get(card["name"], (0, False))
    return found


# The shop


@require_safe
@never_cache
@honest("shop/dreamless.html")
def for_me(request: HttpRequest) -> HttpResponse:
    """Near the dresses that the address names; whoever is known here is led to it by the page's script."""
    if not Throttle().allow_request(request, None):
        raise Unavailable(_("That were many dreams at once."), 60)
    like, seed = liked(request.GET), number("seed", request.GET.get("seed") or 0, SEEDS - 1)
    found = bodies(request, dreams.dream(dreams.wall(seed, IN_THE_SHOP, like), CLOSEST_OF_ONE))
    context = {"dreams": found, "like": like, "seed": seed, "taste": Asked(0, like).query}
    context |= {"after": (seed + IN_THE_SHOP) % SEEDS, "real": closest_of_all(found)}
    context["tastes"] = shelf.know_tastes()
    return render(request, "shop/dream.html", context)


def closest_of_all(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The dresses that come closest to any of the dreams, each once, nearest first."""
    best: dict[str, dict[str, Any]] = {}
    for dress in (dress for each in found for dress in each["closest"]):
        if dress["sku"] not in best or best[dress["sku"]]["similarity"] < dress["similarity"]:
            best[dress["sku"]] = dress
    return sorted(best.values(), key=lambda dress: -dress["similarity"])[:IN_THE_SHOP]
