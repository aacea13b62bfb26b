"""Customers' photo reviews, sent by the shop's own programs with a key."""

from typing import Any

from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from verify import reviews
from verify.api import ErrorSerializer
from verify.api_classify import InMemory, TooLarge, a_place
from verify.api_keys import KeyRequired, too_much
from verify.intake.copies import PhotoRefused
from verify.models import ApiKey, Dress
from verify.models.api_key import LimitReached

FORM_BYTES = 64 * 1024  # of a request, beside its photo
CONSENT = "The customer has agreed in the shop that the photo may be shown and learnt from."


class Conflict(APIException):
    status_code = 409


class NotTaken(APIException):
    status_code = 422


class ReviewForm(serializers.Serializer):
    client_id = serializers.RegexField(
        r"^[\w.:-]{1,64}$", help_text="The sender's own id of it: sent again, nothing happens twice."
    )
    sku = serializers.CharField(max_length=64)
    photo = serializers.FileField(help_text="JPEG, PNG, WebP or GIF.")
    consent = serializers.BooleanField(
        help_text="The customer agrees that the photo is shown and learnt from. Without it nothing is taken."
    )
    consent_words = serializers.CharField(
        max_length=300, default=CONSENT, help_text="What they agreed to, as it was put to them."
    )
    rating = serializers.IntegerField(min_value=1, max_value=5, required=False, allow_null=True)
    text = serializers.CharField(max_length=2000, required=False, allow_blank=True)
    handle = serializers.CharField(
        max_length=120, required=False, allow_blank=True, help_text="The name to show it under."
    )
    email_sha256 = serializers.RegexField(
        r"^[0-9a-fA-F]{64}$",
        required=False,
        help_text="SHA-256 of the e-mail address in lower case, so that it can be deleted by it.",
    )

    def validate_consent(self, consent: bool) -> bool:
        if not consent:
            raise serializers.ValidationError("Without the customer's consent nothing is taken in.")
        return consent

    def validate_sku(self, sku: str) -> Dress:
        if "\0" in sku or (dress := Dress.objects.filter(sku=sku).first()) is None:
            raise serializers.ValidationError(f"No dress has the SKU {sku!r}.")
        return dress


class ReviewSerializer(serializers.Serializer):
    client_id = serializers.CharField()
    sku = serializers.CharField()
    status = serializers.ChoiceField(
        ["waiting", "cleared", "refused"], help_text="Whether an admin shows it."
    )


ERRORS = {
    400: "A field is missing or wrong; `consent` was not given; no dress has the SKU.",
    401: "No key, or one that is unknown, revoked or expired.",
    403: "The key lacks the scope `reviews`.",
    409: "The id was sent before, with another photo.",
    413: "Too many bytes.",
    415: "Not sent as multipart/form-data.",
    422: "The photo cannot be used, or must not come back: its owner wanted it gone, or is blocked.",
    429: "The key has reached a limit; `Retry-After` tells the seconds.",
    503: "Too many dreams and photos are waited for at this moment; `Retry-After` tells the seconds.",
}


@method_decorator(never_cache, name="dispatch")
class Reviews(KeyRequired, APIView):
    parser_classes = [MultiPartParser]
    scope = ApiKey.Scope.REVIEWS

    @extend_schema(
        operation_id="send_review",
        summary="Send a customer's photo of a dress",
        request={"multipart/form-data": ReviewForm},
        responses={
            201: ReviewSerializer,
            200: OpenApiResponse(ReviewSerializer, "It has been here before: nothing changes."),
            **{code: OpenApiResponse(ErrorSerializer, words) for code, words in ERRORS.items()},
        },
    )
    def post(self, request: Request, **kwargs: Any) -> Response:
        """A photo that a customer took of themselves in a dress they rented, with their consent.

        It waits for an admin; then it is a look of the dress, and DeepDress learns from it.
        """
        with a_place():
            form = read_form(request)
            post, new = taken(request.auth, form)
        look = getattr(post, "look", None)
        told = {
            "client_id": form["client_id"],
            "sku": (post.dress or form["sku"]).sku,  # a verdict may have taken it away
            "status": look.clearance if look else "refused",
        }
        return Response(ReviewSerializer(told).data, status=201 if new else 200)


def read_form(request: Request) -> dict[str, Any]:
    """The checked fields. Raises TooLarge, and ParseError that names the first wrong one."""
    if int(request.META.get("CONTENT_LENGTH") or 0) > settings.PHOTO_MAX_BYTES + FORM_BYTES:
        raise TooLarge(f"A photo may have {settings.PHOTO_MAX_BYTES:,} bytes.")
    request.upload_handlers = [InMemory(request)]
    try:
        form = ReviewForm(data=request.data)
    except SuspiciousOperation as error:
        raise ParseError("The form has too many fields or files.") from error
    if not form.is_valid():
        name, messages = next(iter(form.errors.items()))
        raise ParseError(f"{name}: {messages[0]}")
    return form.validated_data


def taken(key: ApiKey, form: dict[str, Any]) -> Any:
    """What `reviews.take` gives, on the key's account; its refusals as answers."""
    now = timezone.now()
    sent = reviews.Sent(
        client_id=form["client_id"],
        dress=form["sku"],
        photo=form["photo"].read(),
        consent=form["consent_words"],
        rating=form.get("rating"),
        text=form.get("text", ""),
        handle=form.get("handle", ""),
        email_sha256=form.get("email_sha256", "").lower(),
        key=key,
    )
    try:
        key.count_photos(1, now)
        return reviews.take(sent, now)
    except LimitReached as limit:
        raise too_much(limit) from limit
    except reviews.AnotherPhoto as error:
        raise Conflict(str(error)) from error
    except (reviews.Refused, PhotoRefused) as error:
        raise NotTaken(f"photo: {error}") from error
