"""The one door for what shoppers do: from a shop's server with a key, and from its pages without one."""

import re
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.conf import settings
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.authentication import get_authorization_header
from rest_framework.exceptions import APIException, ParseError, PermissionDenied, ValidationError
from rest_framework.parsers import JSONParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import AnonRateThrottle, BaseThrottle
from rest_framework.views import APIView

from recommend.models import Interaction, ShopperKind, shopper_key
from recommend.models.interaction import LARGEST_EVENT, RATES, Told, event_key
from verify.api import ErrorSerializer
from verify.api_keys import KeyAuthentication, KeyHasScope, KeyThrottle
from verify.models import ApiKey, Dress, Look

MOST_WITH_KEY, MOST_WITHOUT = 1_000, 20  # events in a request
LARGEST = 1024 * 1024  # bytes
AHEAD = timedelta(minutes=5)  # that a shop's clock may be
INSTANT = timedelta(microseconds=1)  # between events of one request, so that what comes later is later
VISITOR = re.compile(r"[\w-]{16,64}", re.ASCII)
KINDS = [kind.name.lower() for kind in Interaction.Kind]
OF_A_SERVER = ("rent", "rating")  # which weigh most


class TooLarge(APIException):
    status_code = 413


class JSON(JSONParser):
    """Whatever a browser calls it: `sendBeacon` may send plain text to another origin, and no JSON."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        try:
            return super().parse(stream, media_type, parser_context)
        except RecursionError as error:
            raise ParseError("The JSON is nested too deeply.") from error


class PlainJSON(JSON):
    media_type = "text/plain"


class KeyOrNone(KeyAuthentication):
    """``request.auth`` is the key, or None for whoever shows nothing."""

    def authenticate(self, request: Request) -> Any:
        return super().authenticate(request) if get_authorization_header(request) else None


class MayTell(KeyHasScope):
    """A key with the scope; or a page of a shop that may read, and programs that are no browser."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        if request.auth is not None:
            return super().has_permission(request, view)
        origin, own = request.headers.get("Origin"), f"{request.scheme}://{request.get_host()}"
        if settings.CORS_ALLOW_ALL_ORIGINS or origin in (None, own, *settings.CORS_ALLOWED_ORIGINS):
            return True
        raise PermissionDenied(f"Pages of {origin[:100]} may not tell anything here.")


class AddressThrottle(AnonRateThrottle):
    """Apart from what the same address reads."""

    scope = "interactions"

    def get_rate(self) -> str:
        return settings.INTERACTIONS_RATE


class EventSerializer(serializers.Serializer):
    event = serializers.CharField(
        max_length=LARGEST_EVENT, help_text="Your id of it: what comes again with the same one counts once."
    )
    kind = serializers.ChoiceField(KINDS, help_text="`rent` and `rating` with a key only.")
    sku = serializers.CharField(max_length=64, required=False, help_text="The dress; optional with a look.")
    look = serializers.IntegerField(min_value=1, max_value=2**63 - 1, required=False)
    value = serializers.FloatField(required=False, help_text="Of a rating: 1 to 5.")
    user = serializers.CharField(
        max_length=128, required=False, help_text="With a key: your key of a shopper; a digest is stored."
    )
    visitor = serializers.CharField(required=False, help_text="With a key: instead of `user`.")
    at = serializers.DateTimeField(required=False, help_text="With a key; now, unless told.")

    def validate_visitor(self, key: str) -> str:
        return visitor_key(key)

    def validate(self, row: dict[str, Any]) -> dict[str, Any]:
        if "sku" not in row and "look" not in row:
            raise ValidationError({"sku": "Expected a sku, a look or both."})
        if (row["kind"] == "rating") != ("value" in row):
            raise ValidationError({"value": "A rating has one, and nothing else has."})
        if "value" in row and not RATES[0] <= row["value"] <= RATES[1]:
            raise ValidationError({"value": "Expected a number from 1 to 5."})
        return row


class RequestSerializer(serializers.Serializer):
    """For the schema; rows are checked one by one, so that one bad row spoils no other."""

    visitor = serializers.CharField(required=False, help_text="Without a key: 16 to 64 of A-Z a-z 0-9 - _")
    events = EventSerializer(many=True)


class RowErrorSerializer(serializers.Serializer):
    index = serializers.IntegerField(help_text="Of the event in the request, from 0.")
    detail = serializers.CharField(help_text="What is wrong, in a sentence.")


class StoredSerializer(serializers.Serializer):
    stored = serializers.IntegerField()
    repeated = serializers.IntegerField(help_text="Events that were there before.")
    errors = RowErrorSerializer(many=True)


class NothingStoredSerializer(StoredSerializer):
    detail = serializers.CharField()
    stored = serializers.IntegerField(required=False)
    repeated = serializers.IntegerField(required=False)
    errors = RowErrorSerializer(many=True, required=False)


ERRORS = {
    400: "The body is no JSON, or not of this form.",
    401: "The key is unknown, revoked or expired.",
    403: "The key lacks the scope `interactions`, or the page's origin is not let in.",
    413: f"More than {MOST_WITH_KEY:,} events, {MOST_WITHOUT} without a key, or more than 1 MiB.",
    415: "Neither JSON nor plain text.",
    429: "Too many requests, by key or by address; `Retry-After` tells the seconds.",
}
EXAMPLES = [
    OpenApiExample(
        "From a shop's server",
        {
            "events": [
                {"event": "order-77-1", "kind": "rent", "user": "c-1042", "sku": "MA-1004"},
                {"event": "r-9", "kind": "rating", "user": "c-1042", "sku": "MA-1017", "value": 4.5},
            ]
        },
        request_only=True,
    ),
    OpenApiExample(
        "From a page",
        {
            "visitor": "5f0c4d1e9b7a48c2a6e3d0f1b2c3d4e5",
            "events": [{"event": "8d1f…", "kind": "open", "sku": "MA-1004", "look": 12}],
        },
        request_only=True,
    ),
    OpenApiExample(
        "One stored, one refused",
        {"stored": 1, "repeated": 0, "errors": [{"index": 1, "detail": "No dress has the SKU 'MA-9999'."}]},
        response_only=True,
        status_codes=["200"],
    ),
]


class Refused(NamedTuple):
    """Rows that are not stored, by their index."""

    reasons: dict[int, str]

    def check(self, rows: Iterable[tuple[int, Any]], check: Callable[[Any], Any]) -> list[tuple[int, Any]]:
        """What `check` makes of the rows; those of which it raises ValidationError are left out."""
        kept = []
        for index, row in rows:
            try:
                kept.append((index, check(row)))
            except ValidationError as error:
                self.reasons[index] = _sentence(error.detail)
        return kept


@method_decorator(never_cache, name="dispatch")
class Interactions(APIView):
    authentication_classes = [KeyOrNone]
    permission_classes = [MayTell]
    parser_classes = [JSON, PlainJSON]
    scope = ApiKey.Scope.INTERACTIONS

    def get_throttles(self) -> list[BaseThrottle]:
        return [KeyThrottle() if self.request.auth else AddressThrottle()]

    @extend_schema(
        operation_id="interactions",
        summary="Tell what shoppers do",
        auth=[{"key": []}, {}],
        request=RequestSerializer,
        responses={
            200: StoredSerializer,
            422: OpenApiResponse(NothingStoredSerializer, "None of the events can be stored."),
            **{code: OpenApiResponse(ErrorSerializer, words) for code, words in ERRORS.items()},
        },
        examples=EXAMPLES,
    )
    def post(self, request: Request, **kwargs: Any) -> Response:
        """Views of dresses, opens of looks, clicks, saves, saves taken back, rents and ratings, in bulk.

        An event that cannot be stored stands among the `errors` with its index, and the others are stored.
        The same event may be sent again and counts once.
        """
        now, refused = timezone.now(), Refused({})
        visitor, rows = read(request)
        moments = ((index, (row, now + index * INSTANT)) for index, row in enumerate(rows))
        checked = refused.check(moments, lambda told: check(told[0], visitor, told[1]))
        told = refused.check(checked, in_the_shop([row for _, row in checked]))
        most = None if visitor is None else settings.INTERACTIONS_A_DAY
        fates = Interaction.objects.store([event for _, event in told], now, most)
        over = f"A visitor may send {settings.INTERACTIONS_A_DAY:,} events a day."
        refused.reasons.update({told[place][0]: over for place, fate in enumerate(fates) if fate == "over"})
        return answer(fates.count("stored"), fates.count("repeated"), refused.reasons)

    @extend_schema(
        operation_id="forget_visitor",
        summary="Forget a visitor",
        auth=[{}],
        parameters=[OpenApiParameter("visitor", str, required=True, description="The key of the browser.")],
        responses={
            204: None,
            **{code: OpenApiResponse(ErrorSerializer, ERRORS[code]) for code in (403, 429)},
            400: OpenApiResponse(ErrorSerializer, "No visitor is named."),
        },
    )
    def delete(self, request: Request, **kwargs: Any) -> Response:
        """Delete all that is stored of a browser. Only who has its random key can ask for it.

        What was learnt from it ends with the next version of the recommender that serves; older ones, in
        which nobody is named, are kept until they are cleared away.
        """
        try:
            visitor = visitor_key(request.query_params.get("visitor"))
        except ValidationError as error:
            raise ParseError(f"visitor: {_sentence(error.detail)}") from error
        Interaction.objects.forget(shopper_key(ShopperKind.VISITOR, visitor))
        return Response(status=204)


def read(request: Request) -> tuple[str | None, list[Any]]:
    """The visitor, None where a key tells, and the events. Raises ParseError and TooLarge."""
    if int(request.META.get("CONTENT_LENGTH") or 0) > LARGEST:
        raise TooLarge(f"A request may have {LARGEST:,} bytes.")
    body, most = request.data, MOST_WITH_KEY if request.auth else MOST_WITHOUT
    events = body.get("events") if isinstance(body, dict) else None
    if not isinstance(events, list) or not events:
        raise ParseError(f"events: expected a list of 1 to {most:,} events.")
    if len(events) > most:
        raise TooLarge(f"events: {len(events):,} of them; this request may have {most:,}.")
    if request.auth:
        return None, events
    try:
        return visitor_key(body.get("visitor")), events
    except ValidationError as error:
        raise ParseError(f"visitor: {_sentence(error.detail)}") from error


def visitor_key(key: Any) -> str:
    if not isinstance(key, str) or not VISITOR.fullmatch(key):
        raise ValidationError("Expected a random key, 16 to 64 of A-Z a-z 0-9 - _.")
    return key


_event = EventSerializer()


def check(row: Any, visitor: str | None, now: datetime) -> dict[str, Any]:
    """A row, with its `shopper`. Raises ValidationError."""
    checked: dict[str, Any] = _event.run_validation(row)
    if visitor is None:
        return {"at": now, **checked, "shopper": _shopper(checked, now)}
    if checked["kind"] in OF_A_SERVER:
        raise ValidationError({"kind": f"A {checked['kind']} needs a key."})
    if own := checked.keys() & {"user", "visitor", "at"}:
        raise ValidationError({min(own): "Told with a key alone."})
    return {**checked, "at": now, "shopper": (ShopperKind.VISITOR, visitor)}


def _shopper(row: dict[str, Any], now: datetime) -> tuple[ShopperKind, str]:
    if ("user" in row) == ("visitor" in row):
        raise ValidationError({"user": "Expected a user or a visitor."})
    if row.get("at", now) > now + AHEAD:
        raise ValidationError({"at": "It lies in the future."})
    if row.get("at", now) < now - settings.INTERACTIONS_KEPT:
        raise ValidationError({"at": f"Only {settings.INTERACTIONS_KEPT.days} days are kept."})
    kind = ShopperKind.USER if "user" in row else ShopperKind.VISITOR
    return kind, row[kind]


def in_the_shop(rows: list[dict[str, Any]]) -> Callable[[dict[str, Any]], Told]:
    """Makes events of checked rows, whose dresses and looks it has looked up, in two statements at most."""
    skus, looks = ({row[name] for row in rows if name in row} for name in ("sku", "look"))
    dress_of = dict(Dress.objects.filter(sku__in=skus).values_list("sku", "pk"))
    shown_by = dict(Look.objects.filter(pk__in=looks).values_list("pk", "dress"))

    def told(row: dict[str, Any]) -> Told:
        look = row.get("look") if row.get("look") in shown_by else None
        if "sku" in row and row["sku"] not in dress_of:
            raise ValidationError(f"No dress has the SKU {row['sku']!r}.")
        if "sku" not in row and look is None:
            raise ValidationError(f"There is no look {row['look']}.")
        dress = dress_of[row["sku"]] if "sku" in row else shown_by[look]
        shopper, kind = shopper_key(*row["shopper"]), Interaction.Kind[row["kind"].upper()]
        by_visitor = row["shopper"][0] == ShopperKind.VISITOR
        facts = (row["at"], dress, look, row.get("value"), kind.value, by_visitor)
        return Told(event_key(shopper, row["event"]), shopper, *facts)

    return told


def answer(stored: int, repeated: int, reasons: dict[int, str]) -> Response:
    errors = [{"index": index, "detail": reasons[index]} for index in sorted(reasons)]
    body = {"stored": stored, "repeated": repeated, "errors": errors}
    if stored or repeated:
        return Response(body)
    detail = f"Nothing could be stored. Event {errors[0]['index']}: {errors[0]['detail']}"
    return Response({"detail": detail, **body}, status=422)


def _sentence(detail: Any) -> str:
    """The first of DRF's messages, with the field it is about."""
    if isinstance(detail, dict):
        name, messages = next(iter(detail.items()))
        return _sentence(messages) if name == "non_field_errors" else f"{name}: {_sentence(messages)}"
    return _sentence(detail[0]) if isinstance(detail, list) else str(detail)
