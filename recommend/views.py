"""The demo shop: pages that read the JSON API as a shop's own pages would."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe
from rest_framework.decorators import api_view, authentication_classes, permission_classes, throttle_classes
from rest_framework.exceptions import ParseError
from rest_framework.request import Request
from rest_framework.response import Response

from recommend.api_interactions import AddressThrottle, EventSerializer, in_the_shop, visitor_key
from recommend.api_recommendations import bodies
from recommend.models import Interaction, ShopperKind
from verify.dreaming import shelf
from verify.models import Look

NOBODY = UUID(int=0)  # a shopper of whom nothing is known
LOOKS, DRESSES = 5, 8  # on the home page
SEARCHED = 40  # of the newest looks, for five of different dresses


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """What many people like; whoever is known gets their own from the page's script."""
    [popular] = bodies(request, [NOBODY], DRESSES)
    context = {"looks": newest_looks(), "popular": popular["results"], "dreams": bool(shelf.version())}
    return render(request, "shop/home.html", context)


def newest_looks() -> list[Look]:
    """By number, which is their order and an index; one a dress."""
    newest = Look.objects.public().select_related("dress", "post__photo").order_by("-pk")[:SEARCHED]
    of_dress: dict[int, Look] = {}
    for look in newest:
        of_dress.setdefault(look.dress_id, look)
    return list(of_dress.values())[:LOOKS]


@require_safe
def wall(request: HttpRequest) -> HttpResponse:
    return render(request, "shop/wall.html")


def rents() -> bool:
    """The demo's visitors need no money: what they rent is to teach no recommender of a real shop."""
    return not settings.PRODUCTION


@api_view(["POST"])
@authentication_classes([])
@permission_classes([])
@throttle_classes([AddressThrottle])
def rent(request: Request, sku: str) -> Response:
    """The demo shop's till: it tells of a rent as a shop's server would, here without a key."""
    if not rents():
        raise Http404
    if not isinstance(request.data, dict):
        raise ParseError("Expected a visitor and an event.")
    told: dict[str, Any] = {**request.data, "kind": "rent", "sku": sku}
    visitor = visitor_key(told.pop("visitor", None))
    form = EventSerializer(data=told)
    form.is_valid(raise_exception=True)
    now = timezone.now()
    row = {**form.validated_data, "at": now, "shopper": (ShopperKind.VISITOR, visitor)}
    Interaction.objects.store([in_the_shop([row])(row)], now, settings.INTERACTIONS_A_DAY)
    return Response(status=204)
