"""Dreams as JSON and as pictures: a seed and a taste always give the same one, at the same address."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response
from django.utils.decorators import method_decorator
from django.utils.text import get_text_list
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from PIL import Image
from rest_framework import serializers
from rest_framework.exceptions import ParseError
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import AnonRateThrottle

from recommend import dreams
from recommend.api import FallbackSerializer, Shown, fallback_in_words
from recommend.api_recommendations import ERRORS as OF_A_KEY
from recommend.api_recommendations import OfAShopper, ShopperQuery, shopper_of
from recommend.dream_addresses import asked_for, liked
from recommend.dreams import Asked, Dreamt, Nothing, Unavailable
from recommend.tastes import liked_by
from verify.api import DressSerializer, ErrorSerializer, PhotoCopySerializer, PublicView, address, read_query
from verify.api_classify import NotNow
from verify.dreaming import shelf
from verify.dreaming.dream import MOST, SEEDS

MAX_AGE = 3600  # seconds that a picture may be kept before its ETag is asked for again
SEED = OpenApiParameter(
    "seed", int, OpenApiParameter.PATH, description=f"0 to {SEEDS - 1}: what else is left to chance."
)


class Throttle(AnonRateThrottle):
    """Apart from what the same address reads: here a network has to work."""

    scope = "dreams"

    def get_rate(self) -> str:
        return settings.DREAMS_RATE


class TasteQuery(serializers.Serializer):
    """For the schema: `recommend.dream_addresses` reads them."""

    like = serializers.CharField(
        required=False,
        help_text="SKUs of dresses to dream near, with commas between them or as like=…&like=…",
    )
    look = serializers.CharField(
        required=False, help_text="Ids of public looks: their dresses are liked, too."
    )


class CountQuery(serializers.Serializer):
    limit = serializers.IntegerField(
        min_value=0, max_value=24, default=4, help_text="Dresses in stock told of each dream."
    )


class PlaceQuery(TasteQuery):
    to = serializers.IntegerField(required=False, help_text="Another seed: a dream on the way there.")
    toward = serializers.CharField(required=False, help_text="Another taste, as `like`: on the way there.")
    at = serializers.IntegerField(
        min_value=0, max_value=100, required=False, help_text="How far on the way, in percent."
    )


class OneQuery(PlaceQuery, CountQuery):
    pass


class WallQuery(TasteQuery, CountQuery):
    seed = serializers.IntegerField(
        min_value=0, max_value=SEEDS - 1, default=0, help_text="Of the first dream; the others follow it."
    )
    count = serializers.IntegerField(min_value=1, max_value=MOST, default=12, help_text="Dreams.")


class DreamReasonSerializer(serializers.Serializer):
    kind = serializers.ChoiceField(["looks_like_the_dream"])
    words = serializers.CharField(help_text="In the portal's language, to follow the dress's name.")


class ClosestSerializer(DressSerializer):
    similarity = serializers.FloatField(help_text="Cosine of the embeddings of dream and photo, -1 to 1.")
    reason = DreamReasonSerializer()

    class Meta(DressSerializer.Meta):
        fields = [*DressSerializer.Meta.fields, "similarity", "reason"]


class DreamSerializer(serializers.Serializer):
    seed = serializers.IntegerField()
    url = serializers.URLField(help_text="The same dream again.")
    image = PhotoCopySerializer(help_text="WebP.")
    like = serializers.ListField(child=serializers.CharField(), help_text="SKUs that the taste is of.")
    closest = ClosestSerializer(
        many=True, help_text="Dresses in stock that look most like it, without those of the taste."
    )


class DreamsSerializer(serializers.Serializer):
    version = serializers.CharField(help_text="sha256 of the weights that dreamt them.")
    results = DreamSerializer(many=True)


class DreamsForSerializer(DreamsSerializer):
    fallback = FallbackSerializer(
        allow_null=True, help_text="Why nobody's taste is in them; null where it is."
    )


ERRORS = {
    400: "A parameter is wrong, no dress has a SKU of it, or the weights know no tastes.",
    429: "Too many requests; `Retry-After` tells the seconds.",
    503: "Nothing dreams here, or not at this moment: `Retry-After` tells the seconds.",
}
RESPONSES = {code: OpenApiResponse(ErrorSerializer, words) for code, words in ERRORS.items()}
EXAMPLE = OpenApiExample(
    "Near two dresses",
    {
        "seed": 17,
        "url": "https://…/api/v1/dreams/17/?like=MA-1004&like=MA-1017",
        "image": {
            "url": "https://…/api/v1/dreams/17.webp?like=MA-1004&like=MA-1017",
            "width": 64,
            "height": 64,
        },
        "like": ["MA-1004", "MA-1017"],
        "closest": [
            {
                "sku": "OL-1188",
                "title": "Stella",
                "similarity": 0.71,
                "reason": {"kind": "looks_like_the_dream", "words": "looks like a dream of Luna and Sole"},
            }
        ],
    },
    response_only=True,
    status_codes=["200"],
)


@contextmanager
def translated() -> Iterator[None]:
    """What the rules refuse, as the API says it."""
    try:
        yield
    except Nothing as reason:
        raise ParseError(str(reason)) from reason
    except Unavailable as reason:
        raise NotNow(str(reason), reason.seconds) from reason


class Dreams(PublicView):
    serializer_class = DreamsSerializer
    throttle_classes = [Throttle]

    @extend_schema(
        operation_id="dreams",
        summary="A wall of dreams",
        parameters=[WallQuery],
        responses={200: DreamsSerializer, **RESPONSES},
    )
    def get(self, request: Request, **kwargs: Any) -> Response:
        """Dresses that nobody has sewn: dreamt from a seed, near the dresses one likes if any are told.

        Each comes with the real ones in stock that look most like it.
        """
        query = read_query(WallQuery, request)
        with translated():
            asked = dreams.wall(query["seed"], query["count"], liked(request.query_params))
            return Response(wall_body(request, dreams.dream(asked, query["limit"])))


class Dream(PublicView):
    serializer_class = DreamSerializer
    throttle_classes = [Throttle]

    @extend_schema(
        operation_id="dream",
        summary="A dream",
        parameters=[SEED, OneQuery],
        responses={200: DreamSerializer, **RESPONSES},
        examples=[EXAMPLE],
    )
    def get(self, request: Request, seed: int, **kwargs: Any) -> Response:
        """One dream, and the dresses in stock that look most like it. The same address is the same dream.

        With `to` or `toward` it lies on the way between two.
        """
        query = read_query(OneQuery, request)
        with translated():
            [body] = bodies(request, dreams.dream([asked_for(seed, request.query_params)], query["limit"]))
            return Response(body)


class WebP(BaseRenderer):
    """For the schema: the view answers with the picture itself."""

    media_type, format = "image/webp", "webp"


class Whatever(BaseContentNegotiation):
    """A picture is a picture, and an error JSON, whatever the browser would rather have."""

    def select_renderer(self, request: Request, renderers: Sequence[BaseRenderer], suffix: Any = None) -> Any:
        return renderers[0], renderers[0].media_type


class DreamPicture(PublicView):
    max_age = MAX_AGE
    content_negotiation_class = Whatever

    @extend_schema(
        operation_id="dream_picture",
        summary="A dream's picture",
        parameters=[SEED, PlaceQuery],
        responses={
            (200, WebP.media_type): OpenApiTypes.BINARY,
            304: OpenApiResponse(description="As the ETag says that it is."),
            **RESPONSES,
        },
    )
    def get(self, request: Request, seed: int, **kwargs: Any) -> HttpResponse:
        """As WebP. Its ETag changes with the weights and with the photos of the dresses of its taste."""
        with translated():
            asked = asked_for(seed, request.query_params)
            etag = f'"{dreams.name(asked)}"'
            answer = get_conditional_response(request, etag=etag)
            answer = answer or HttpResponse(self._picture(request, asked), content_type=WebP.media_type)
        answer["ETag"] = etag
        return answer

    def _picture(self, request: Request, asked: Asked) -> bytes:
        """Counted like other requests where a network has to work; a page's pictures are drawn already."""
        if (kept := dreams.picture(asked)) is not None:
            return kept
        throttle = Throttle()
        if not throttle.allow_request(request, self):
            self.throttled(request, throttle.wait())
        [dreamt] = dreams.dream([asked], 0)
        return dreamt.picture


@method_decorator(never_cache, name="dispatch")
class DreamsFor(OfAShopper):
    class Query(ShopperQuery, CountQuery):
        seed = serializers.IntegerField(min_value=0, max_value=SEEDS - 1, default=0)
        count = serializers.IntegerField(min_value=1, max_value=MOST, default=8, help_text="Dreams.")
        own_only = serializers.BooleanField(
            default=False, help_text="No dreams for somebody of whose taste nothing is known."
        )

    serializer_class = DreamsForSerializer
    visitors_throttle = Throttle

    @extend_schema(
        operation_id="dreams_for",
        summary="Dreams for a shopper",
        parameters=[Query],
        responses={
            200: DreamsForSerializer,
            **RESPONSES,
            **{code: OpenApiResponse(ErrorSerializer, OF_A_KEY[code]) for code in (401, 403)},
        },
        auth=[{"key": []}, {}],
    )
    def get(self, request: Request, **kwargs: Any) -> Response:
        """Dreams near what a shopper likes best, until a moment ago: each `url` names those dresses.

        `user` needs a key with the scope `recommendations`; `visitor` needs none.
        """
        query = read_query(self.Query, request)
        shopper, tastes = shopper_of(query), shelf.know_tastes()
        taste = liked_by(shopper) if tastes else ()
        count = query["count"] if taste or not query["own_only"] else 0
        with translated():
            found = dreams.dream(dreams.wall(query["seed"], count, taste), query["limit"])
            body = wall_body(request, found)
        fallback = fallback_in_words("nothing_known" if tastes else "no_tastes")
        return Response({**body, "fallback": None if taste else fallback})


def wall_body(request: HttpRequest | Request, dreamt: Sequence[Dreamt]) -> dict[str, Any]:
    return {"version": dreams.version(), "results": bodies(request, dreamt)}


def bodies(request: HttpRequest | Request, dreamt: Sequence[Dreamt]) -> list[dict[str, Any]]:
    """Of each dream, in as many statements as of one."""
    shown = Shown(request, (dress.dress_id for each in dreamt for dress in each.closest))
    return [
        {
            "seed": each.asked.seed,
            "url": _address(request, "dream", each.asked),
            "image": _image(request, each),
            "like": [dress.sku for dress in each.asked.dresses],
            "closest": [{**dress, "reason": _reason(each.asked)} for dress in shown.similar(each.closest)],
        }
        for each in dreamt
    ]


def _address(request: HttpRequest | Request, name: str, asked: Asked) -> str:
    query = f"?{asked.query}" if asked.query else ""
    return address(request, name, seed=asked.seed) + query


def _image(request: HttpRequest | Request, dreamt: Dreamt) -> dict[str, Any]:
    with Image.open(io.BytesIO(dreamt.picture)) as picture:
        width, height = picture.size
    return {"url": _address(request, "dream-picture", dreamt.asked), "width": width, "height": height}


def _reason(asked: Asked) -> dict[str, str]:
    words = gettext("looks like this dream")
    if asked.dresses:
        titles = get_text_list([dress.title for dress in asked.dresses], gettext("and"))
        words = gettext("looks like a dream of {titles}").format(titles=titles)
    return {"kind": "looks_like_the_dream", "words": words}
