"""The address that Instagram's webhook calls."""

from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, HttpResponseForbidden
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from verify.intake.instagram.webhook import NoNotice, NotFromInstagram, shake_hands, take_notice


@csrf_exempt  # its signature says who it is from
@require_http_methods(["GET", "POST"])
def webhook(request: HttpRequest) -> HttpResponse:
    try:
        if request.method == "GET":
            told = [request.GET.get(f"hub.{name}", "") for name in ("mode", "verify_token", "challenge")]
            return HttpResponse(shake_hands(*told), content_type="text/plain")
        take_notice(request.body, request.headers.get("X-Hub-Signature-256", ""), timezone.now())
    except NotFromInstagram:
        return HttpResponseForbidden("Not from Instagram.", content_type="text/plain")
    except NoNotice as reason:
        return HttpResponseBadRequest(
            f"Expected a notice of Instagram's: {reason}.", content_type="text/plain"
        )
    return HttpResponse(status=200)
