"""The demo shop's page of a dress: its photos, its looks, and a form for a customer's own photo."""

from typing import Any
from uuid import uuid4

from django import forms
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe
from rest_framework.exceptions import APIException

from recommend.views import rents
from verify import reviews
from verify.api import DressDetail, dresses_with_photos
from verify.api_classify import a_place
from verify.api_reviews import FORM_BYTES
from verify.intake.copies import PhotoRefused
from verify.models import Dress
from verify.models.privacy import sha256_of_email
from verify.throttles import OfAnAddress

CONSENT = _(
    "I am in this photo, or whoever is agrees: the shop may show it beside this dress, under the name given,"
    " and let its image recognition learn from it. I can take that back at any time."
)


class ReviewForm(forms.Form):
    client_id = forms.RegexField(r"^[0-9a-f-]{36}$")
    photo = forms.FileField()
    rating = forms.TypedChoiceField(
        choices=[(stars, stars) for stars in range(1, 6)], coerce=int, required=False, empty_value=None
    )
    text = forms.CharField(max_length=2000, required=False)
    handle = forms.CharField(max_length=120, required=False)
    email = forms.EmailField(max_length=254, required=False)
    consent = forms.BooleanField(error_messages={"required": _("Without your consent we take nothing.")})
    website = forms.CharField(required=False)  # nobody sees it: who fills it in is a program

    def sent(self, dress: Dress) -> reviews.Sent:
        told: dict[str, Any] = {
            name: self.cleaned_data[name] for name in ("client_id", "rating", "text", "handle")
        }
        email = self.cleaned_data["email"]
        return reviews.Sent(
            **told,
            dress=dress,
            photo=self.cleaned_data["photo"].read(),
            consent=str(CONSENT),
            email_sha256=sha256_of_email(email) if email else "",
        )


class ReviewThrottle(OfAnAddress):
    scope, rate = "review", settings.REVIEW_FORM_RATE


@require_safe
def product(request: HttpRequest, sku: str) -> HttpResponse:
    return page(request, sku, blank() | {"thanks": "thanks" in request.GET})


def page(request: HttpRequest, sku: str, form: dict[str, Any], status: int = 200) -> HttpResponse:
    """The API's answer for the dress as a page; what may change by the minute, the page fetches itself."""
    dress = dresses_with_photos().filter(sku=sku).first()
    if dress is None:
        return render(request, "shop/unknown.html", {"sku": sku}, status=404)
    serializer = DressDetail.serializer_class(dress, context={"request": request})
    look = request.GET.get("look", "")
    shown = {"dress": serializer.data, "look": look if look.isdecimal() else "", "rents": rents()}
    return render(request, "shop/product.html", shown | form, status=status)


def blank() -> dict[str, Any]:
    """What the page needs for an empty form; nothing where the form is switched off."""
    return {"review": ReviewForm(), "review_id": uuid4(), "consent": CONSENT} if settings.REVIEW_FORM else {}


@csrf_exempt  # it acts in nobody's name, and a token would be a cookie
@require_POST
def review(request: HttpRequest, sku: str) -> HttpResponse:
    if not settings.REVIEW_FORM:
        raise Http404
    if int(request.META.get("CONTENT_LENGTH") or 0) > settings.PHOTO_MAX_BYTES + FORM_BYTES:
        return HttpResponse(
            _("The photo is too large."), status=413, content_type="text/plain; charset=utf-8"
        )
    dress = Dress.objects.filter(sku=sku).first()
    if dress is None:
        raise Http404
    form = ReviewForm(request.POST, request.FILES)
    if form.is_valid() and not ReviewThrottle().allow_request(request, None):
        form.add_error(None, _("That was often. Please wait an hour."))
        return _again(request, sku, form, 429)
    if form.is_valid() and not form.cleaned_data["website"]:
        _take(form, dress)
    if form.errors:
        return _again(request, sku, form, 422)
    return redirect(f"{reverse('product', args=[sku])}?thanks=1#review")


def _take(form: ReviewForm, dress: Dress) -> None:
    """The refusals as errors of the form."""
    try:
        with a_place():
            reviews.take(form.sent(dress), timezone.now())
    except PhotoRefused as error:
        form.add_error("photo", _("This photo cannot be used: %(why)s.") % {"why": error})
    except (reviews.Refused, APIException) as error:
        form.add_error(None, str(error))


def _again(request: HttpRequest, sku: str, form: ReviewForm, status: int) -> HttpResponse:
    """What was typed stays; a photo has to be chosen anew, and is a new review."""
    return page(request, sku, {"review": form, "review_id": uuid4(), "consent": CONSENT}, status)
