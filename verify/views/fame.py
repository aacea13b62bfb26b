"""The hall of fame of what is not a dress."""

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from verify import access, fame

PHOTOS = 15  # on a page; the first takes the room of four


@access.employee_required
@never_cache
@require_safe
def hall_of_fame(request: HttpRequest) -> HttpResponse:
    page = Paginator(fame.wall(request.user), PHOTOS).get_page(request.GET.get("page"))
    return render(request, "portal/fame.html", {"page": page})
