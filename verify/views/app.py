"""What a phone needs to know to keep the portal on its home screen."""

from django.http import HttpRequest, JsonResponse
from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

PAPER = "#faf6f0"  # as in tokens.css


@cache_control(public=True, max_age=3600)
@require_safe
def manifest(request: HttpRequest) -> JsonResponse:
    """The web app manifest, see https://www.w3.org/TR/appmanifest/."""
    home = reverse("play")
    facts = {
        "name": "dressportal",
        "short_name": "dressportal",
        "description": _("Customers wear it. You know its name."),
        "lang": get_language(),
        "id": home,
        "start_url": home,
        "scope": home,
        "display": "standalone",
        "background_color": PAPER,
        "theme_color": PAPER,
        "icons": [
            _icon("icon-192.png", "192x192"),
            _icon("icon-512.png", "512x512"),
            _icon("maskable-512.png", "512x512", "maskable"),
        ],
    }
    return JsonResponse(facts, content_type="application/manifest+json")


def _icon(name: str, sizes: str, purpose: str = "any") -> dict[str, str]:
    return {"src": static(f"icons/{name}"), "sizes": sizes, "type": "image/png", "purpose": purpose}
