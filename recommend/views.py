"""The demo shop: pages that read the JSON API as a shop's own pages would."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from verify.api import dresses_with_photos


@require_safe
def wall(request: HttpRequest) -> HttpResponse:
    return render(request, "shop/wall.html")


@require_safe
def product(request: HttpRequest, sku: str) -> HttpResponse:
    """The frame of the page, with what it needs without JavaScript; the API fills the rest."""
    dress = dresses_with_photos().filter(sku=sku).first()
    if dress is None:
        return render(request, "shop/unknown.html", {"sku": sku}, status=404)
    return render(request, "shop/product.html", {"dress": dress})
