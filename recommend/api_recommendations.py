"""What a shopper may like, as JSON, with the reasons."""

from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

from django.utils.decorators import method_decorator
from django.utils.translation import gettext, gettext_noop
from django.views.decorators.cache import never_cache
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.authentication import BaseAuthentication
from rest_framework.generics import GenericAPIView
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import AnonRateThrottle, BaseThrottle

from recommend import serving
from recommend.api import CountQuery, FallbackSerializer, Shown, bulk_parameter, fallback_in_words, read_list
from recommend.api_interactions import visitor_key
from recommend.models import ShopperKind, shopper_key
from recommend.reasons import Kind
from recommend.serving import Recommended
from verify.api import DressSerializer, ErrorSerializer, address, read_query
from verify.api_keys import KeyRequired
from verify.models import ApiKey, Dress, Look

LONGEST_KEY = 128  # characters
KEY = serializers.CharField(max_length=LONGEST_KEY)
WORDS = {
    Kind.OPENED_LOOK: gettext_noop("because you opened the look in {title}"),
    Kind.LIKED: gettext_noop("people who liked {title} like it, too"),
    Kind.LOOKS_LIKE: gettext_noop("looks like {title}"),
    Kind.NEW: gettext_noop("new, and looks like {title}"),
}
UNSEEDED = {
    Kind.POPULAR: gettext_noop("many people like it"),
    Kind.NEW: gettext_noop("new in the shop"),
}


class ReasonSerializer(serializers.Serializer):
    class SeedSerializer(serializers.Serializer):
        sku = serializers.CharField()
        title = serializers.CharField()
        url = serializers.URLField()

    kind = serializers.ChoiceField([kind.value for kind in Kind])
    words = serializers.CharField(help_text="In the portal's language, to follow the dress's name.")
    dress = SeedSerializer(allow_null=True, help_text="Of the shopper's own, the one that speaks for it.")
    look = serializers.IntegerField(allow_null=True, help_text="Id of the look of it that they opened.")


class RecommendedSerializer(DressSerializer):
    reason = ReasonSerializer()

    class Meta(DressSerializer.Meta):
        fields = [*DressSerializer.Meta.fields, "reason"]


class RecommendationsSerializer(serializers.Serializer):
    version = serializers.IntegerField(allow_null=True, help_text="Of the recommender; null: none serves.")
    fallback = FallbackSerializer(
        allow_null=True, help_text="Why it is what is popular; null where it is not."
    )
    results = RecommendedSerializer(many=True)


EXAMPLE = OpenApiExample(
    "One of a list",
    {
        "version": 12,
        "fallback": None,
        "results": [
            {
                "sku": "MA-1004",
                "title": "Luna",
                "reason": {
                    "kind": "opened_look",
                    "words": "because you opened the look in Sole",
                    "dress": {"sku": "MA-1017", "title": "Sole", "url": "https://…/dresses/MA-1017/"},
                    "look": 77,
                },
            }
        ],
    },
    response_only=True,
    status_codes=["200"],
)
ERRORS = {
    400: "A parameter is wrong or missing.",
    401: "`user` needs a key, and there is none, or one that is unknown, revoked or expired.",
    403: "The key lacks the scope `recommendations`.",
    429: "Too many requests; `Retry-After` tells the seconds.",
}
RESPONSES = {code: OpenApiResponse(ErrorSerializer, words) for code, words in ERRORS.items()}


class WithKey(KeyRequired, GenericAPIView):
    """Tells what a person did: with a key alone, and no cache keeps it."""

    queryset = Dress.objects.none()
    scope = ApiKey.Scope.RECOMMENDATIONS


class ShopperQuery(serializers.Serializer):
    user = serializers.CharField(
        max_length=LONGEST_KEY, required=False, help_text="The shop's own number of a customer."
    )
    visitor = serializers.CharField(
        required=False, help_text="The random key of a browser. Needs no API key."
    )

    def validate_visitor(self, key: str) -> str:
        return visitor_key(key)

    def validate(self, told: dict[str, Any]) -> dict[str, Any]:
        if ("user" in told) == ("visitor" in told):
            raise serializers.ValidationError({"user": "Send either user or visitor."})
        return told


def shopper_of(query: dict[str, Any]) -> UUID:
    kind = ShopperKind.USER if "user" in query else ShopperKind.VISITOR
    return shopper_key(kind, query[kind])


class OfAShopper(WithKey):
    """A visitor's key is random and known to one browser alone: to have it is to be let in."""

    visitors_throttle: type[BaseThrottle] = AnonRateThrottle

    def get_authenticators(self) -> list[BaseAuthentication]:
        return super().get_authenticators() if self._about_a_user() else []

    def get_permissions(self) -> list[BasePermission]:
        return super().get_permissions() if self._about_a_user() else []

    def get_throttles(self) -> list[BaseThrottle]:
        return super().get_throttles() if self._about_a_user() else [self.visitors_throttle()]

    def _about_a_user(self) -> bool:
        told = self.request.GET if self.request else {}  # none, where the schema is drawn
        return "visitor" not in told or "user" in told


@method_decorator(never_cache, name="dispatch")
class Recommendations(OfAShopper):
    class Query(CountQuery, ShopperQuery):
        pass

    serializer_class = RecommendationsSerializer

    @extend_schema(
        operation_id="recommendations",
        summary="What a shopper may like",
        parameters=[Query],
        responses={200: RecommendationsSerializer, **RESPONSES},
        examples=[EXAMPLE],
        auth=[{"key": []}, {}],
    )
    def get(self, request: Request, **kwargs: Any) -> Response:
        """Dresses in stock that the shopper has had nothing to do with yet, best first, with the reasons.

        `user` needs a key with the scope `recommendations`; `visitor` needs none.
        """
        query = read_query(self.Query, request)
        [body] = bodies(request, [shopper_of(query)], query["limit"])
        return Response(body)


@method_decorator(never_cache, name="dispatch")
class BulkRecommendations(WithKey):
    class BulkSerializer(serializers.Serializer):
        class OneSerializer(RecommendationsSerializer):
            user = serializers.CharField()

        results = OneSerializer(many=True)

    serializer_class = BulkSerializer

    @extend_schema(
        operation_id="recommendations_in_bulk",
        summary="What shoppers may like",
        parameters=[CountQuery, bulk_parameter("user", str)],
        responses={200: BulkSerializer, **RESPONSES},
    )
    def get(self, request: Request, **kwargs: Any) -> Response:
        """For a newsletter, say: `user=a&user=b`, in the order asked for. Counts as one request."""
        count, users = (
            read_query(CountQuery, request)["limit"],
            read_list(request, "user", KEY.run_validation),
        )
        keys = [shopper_key(ShopperKind.USER, user) for user in users]
        found = zip(users, bodies(request, keys, count), strict=True)
        return Response({"results": [{"user": user, **body} for user, body in found]})


def bodies(request: Request, shoppers: Sequence[UUID], count: int) -> list[dict[str, Any]]:
    """Of each shopper, in as many statements as of one."""
    answers = serving.recommend(shoppers, count)
    told = [each for answer in answers for each in answer.results]
    shown = Shown(request, {pk for each in told for pk in (each.dress, each.seed) if pk})
    looks = {each.look for each in told if each.look}
    public = set(Look.objects.public().filter(pk__in=looks).values_list("pk", flat=True)) if looks else set()
    reasons = Reasons(request, shown.dresses, public)
    return [
        {
            "version": answer.version and answer.version.pk,
            "fallback": fallback_in_words(answer.fallback),
            "results": [
                {**shown.dress(each.dress), "reason": reasons.of(each)}
                for each in answer.results
                if shown.in_stock(each.dress)
            ],
        }
        for answer in answers
    ]


class Reasons(NamedTuple):
    request: Request
    dresses: dict[int, Dress]
    public: set[int]  # looks: one that is public no more is spoken of no more

    def of(self, each: Recommended) -> dict[str, Any]:
        look = each.look if each.look in self.public else None
        kind = Kind.LIKED if each.kind == Kind.OPENED_LOOK and not look else each.kind
        seed = self.dresses.get(each.seed) if each.seed else None
        if seed is None:
            kind = Kind.NEW if kind == Kind.NEW else Kind.POPULAR
            dress, title, words = None, "", UNSEEDED[kind]
        else:
            url, title, words = address(self.request, "dress", sku=seed.sku), seed.title, WORDS[kind]
            dress = {"sku": seed.sku, "title": title, "url": url}
        return {
            "kind": kind.value,
            "words": gettext(words).format(title=title),
            "dress": dress,
            "look": look,
        }
