"""Photos named over HTTP, for machines with a key. Nothing that is sent is kept."""

from contextlib import AbstractContextManager
from typing import Any

from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import MemoryFileUploadHandler
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from verify import places
from verify.api import ErrorSerializer, read_query
from verify.api_keys import KeyRequired, too_much
from verify.classifier import client
from verify.classifier.frames import MAX_K
from verify.models import ApiKey
from verify.models.api_key import LimitReached

FIELD = "photo"


class NotNow(APIException):
    status_code = 503

    def __init__(self, detail: str, wait: int) -> None:
        super().__init__(detail)
        self.wait = wait  # for Retry-After


class TooLarge(APIException):
    status_code = 413


class NothingToName(APIException):
    status_code = 422


class InMemory(MemoryFileUploadHandler):
    """No photo touches a disk; the request as a whole is bounded before it is read."""

    def handle_raw_input(self, *args: Any, **kwargs: Any) -> None:
        self.activated = True


class CandidateSerializer(serializers.Serializer):
    sku = serializers.CharField()
    title = serializers.CharField()
    probability = serializers.FloatField(help_text="Of this dress, 'not a dress' taken into account.")


class NamedPhotoSerializer(serializers.Serializer):
    index = serializers.IntegerField(help_text="Its place in the request, from 0.")
    name = serializers.CharField(help_text="Its file name, as sent.")
    error = serializers.CharField(allow_null=True, help_text="Why it could not be named, in a sentence.")
    not_a_dress = serializers.FloatField(allow_null=True, help_text="Probability that it shows no dress.")
    candidates = CandidateSerializer(many=True, help_text="Dresses in stock, likeliest first.")


class NamedPhotosSerializer(serializers.Serializer):
    model_version = serializers.CharField(help_text="sha256 of the weights that named them.")
    photos = NamedPhotoSerializer(many=True)


class NothingNamedSerializer(NamedPhotosSerializer):
    detail = serializers.CharField()
    model_version = serializers.CharField(required=False)
    photos = NamedPhotoSerializer(many=True, required=False)


NAMED = {
    "index": 0,
    "name": "party.jpg",
    "error": None,
    "not_a_dress": 0.013,
    "candidates": [
        {"sku": "MA-1004", "title": "Luna", "probability": 0.871},
        {"sku": "MA-1017", "title": "Sole", "probability": 0.064},
    ],
}
REFUSED = {
    "index": 1,
    "name": "notes.txt",
    "error": "not a JPEG, PNG, WebP or GIF picture, or its header is damaged",
    "not_a_dress": None,
    "candidates": [],
}
EXAMPLE = OpenApiExample(
    "One named, one refused",
    {"model_version": "5c1f0e…", "photos": [NAMED, REFUSED]},
    response_only=True,
    status_codes=["200"],
)
UPLOAD = {
    "type": "object",
    "required": [FIELD],
    "properties": {
        FIELD: {
            "type": "array",
            "minItems": 1,
            "maxItems": settings.CLASSIFY_PHOTOS,
            "items": {"type": "string", "format": "binary"},
            "description": "JPEG, PNG, WebP or GIF (its first frame).",
        }
    },
}
ERRORS = {
    400: "A parameter is wrong, or the body is no form.",
    401: "No key, or one that is unknown, revoked or expired.",
    403: "The key lacks the scope `classify`.",
    413: "Too many photos or bytes.",
    415: "Not sent as multipart/form-data.",
    429: "The key has reached a limit; `Retry-After` tells the seconds.",
    503: "The classifier is busy, starting or not running; `Retry-After` tells the seconds.",
}


@method_decorator(never_cache, name="dispatch")
class Classify(KeyRequired, APIView):
    class Query(serializers.Serializer):
        k = serializers.IntegerField(
            min_value=1, max_value=MAX_K, default=3, help_text="Candidates for each photo."
        )

    parser_classes = [MultiPartParser]
    scope = ApiKey.Scope.CLASSIFY

    @extend_schema(
        operation_id="classify",
        summary="Name the dress in photos",
        parameters=[Query],
        request={"multipart/form-data": UPLOAD},
        responses={
            200: NamedPhotosSerializer,
            422: OpenApiResponse(NothingNamedSerializer, "No photo was sent, or none of them can be used."),
            **{code: OpenApiResponse(ErrorSerializer, words) for code, words in ERRORS.items()},
        },
        examples=[EXAMPLE],
    )
    def post(self, request: Request, **kwargs: Any) -> Response:
        """The likeliest dresses in stock for each photo, and how probably it shows none.

        Send one or more files, all in the field `photo`. A photo that cannot be used has its own `error`,
        and the others are named. Nothing is stored.
        """
        query = read_query(self.Query, request)
        with a_place():
            files = uploaded(request)
            found = named(request.auth, [file.read() for file in files], query["k"])
        photos = [
            {"index": index, "name": file.name, "error": None, "not_a_dress": None, "candidates": []} | told
            for index, (file, told) in enumerate(zip(files, found["photos"], strict=True))
        ]
        body = NamedPhotosSerializer({**found, "photos": photos}).data
        if all(photo["error"] for photo in photos):
            detail = f"No photo could be used. {photos[0]['name']}: {photos[0]['error']}."
            return Response({"detail": detail, **body}, status=422)
        return Response(body)


def a_place() -> AbstractContextManager[None]:
    """Few at once, so that uploads, decoding and waits leave threads to those who vote. Raises NotNow."""
    return places.a_place(NotNow("Too many dreams and photos are waited for at this moment.", 1))


def uploaded(request: Request) -> list[UploadedFile]:
    """The photos of a request. Raises TooLarge, NothingToName, and DRF's own errors."""
    most, count = settings.CLASSIFY_MAX_BYTES, settings.CLASSIFY_PHOTOS
    if int(request.META.get("CONTENT_LENGTH") or 0) > most:
        raise TooLarge(f"A request may have {most:,} bytes.")
    request.upload_handlers = [InMemory(request)]
    try:
        files = request.FILES.getlist(FIELD)
    except SuspiciousOperation as error:
        raise ParseError("The form has too many fields or files.") from error
    if not files:
        raise NothingToName(f"{FIELD}: send 1 to {count} files in this field.")
    if len(files) > count:
        raise TooLarge(f"{FIELD}: {len(files)} files; a request may have {count}.")
    return files


def named(key: ApiKey, photos: list[bytes], k: int) -> dict[str, Any]:
    """What the classifier says, on the key's account. Raises Throttled and NotNow."""
    now = timezone.now()
    try:
        key.count_photos(len(photos), now)
        found = client.classify(photos, k)
    except LimitReached as limit:
        raise too_much(limit) from limit
    except client.Unavailable as error:
        if not isinstance(error, client.TooSlow):
            key.give_back_photos(len(photos), now)
        raise NotNow(str(error), error.seconds) from error
    for photo in found["photos"]:
        names = ("sku", "title", "probability")
        photo["candidates"] = [dict(zip(names, each, strict=True)) for each in photo.get("candidates", [])]
    return found
