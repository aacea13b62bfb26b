"""The demo shop: pages that read the JSON API as a shop's own pages would."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from verify.api import DressDetail, dresses_with_photos


@require_safe
def wall(request: HttpRequest) -> HttpResponse:
    return render(request, "shop/wall.html")


@require_safe
def product(request: HttpRequest, sku: str) -> HttpResponse:
    """The API's answer for the dress as a page; what may change by the minute, the page fetches itself."""
    dress = dresses_with_photos().filter(sku=sku).first()
    if dress is None:
        return render(request, "shop/unknown.html", {"sku": sku}, status=404)
    serializer = DressDetail.serializer_class(dress, context={"request": request})
    return render(request, "shop/product.html", {"dress": serializer.data})
