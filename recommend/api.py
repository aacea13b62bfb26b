"""What a shopper sees next to a dress, as JSON."""

from collections.abc import Callable, Iterable
from typing import Any

from django.utils.translation import gettext, gettext_noop
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound, ParseError
from rest_framework.request import Request
from rest_framework.response import Response

from recommend import looks
from recommend.looks import Offer
from recommend.similar import Found, Similar, similar
from verify.api import (
    SKU,
    DressSerializer,
    PublicView,
    dress_or_404,
    dresses_with_cover,
    read_query,
    responses,
)
from verify.models import Dress, Look

MOST = 50  # dresses, looks or shoppers in a request
LONGEST = 64  # characters of a SKU
FALLBACKS = {
    "no_model": gettext_noop("No recommender serves: too few people have done anything yet."),
    "model_unreadable": gettext_noop("The recommender's files cannot be read."),
    "nothing_known": gettext_noop("Nothing is known of it yet that the recommender can tell anything by."),
    "no_tastes": gettext_noop("Whoever dreams here has learnt no tastes."),
    "nothing_learnt": gettext_noop("What is known tells the recommender nothing."),
}


class CountQuery(serializers.Serializer):
    limit = serializers.IntegerField(min_value=1, max_value=24, default=8)


class SimilarQuery(CountQuery):
    by = serializers.ChoiceField(
        ["looks", "likes"], default="looks", help_text="`looks`: by photos; `likes`: by who likes them."
    )


class FallbackSerializer(serializers.Serializer):
    reason = serializers.ChoiceField([*FALLBACKS])
    words = serializers.CharField()


class SimilarSerializer(DressSerializer):
    similarity = serializers.FloatField(
        help_text="By looks: cosine of the photos' embeddings, -1 to 1. By likes: as the recommender counts."
    )

    class Meta(DressSerializer.Meta):
        fields = [*DressSerializer.Meta.fields, "similarity"]


class SimilarListSerializer(serializers.Serializer):
    by = serializers.ChoiceField(["looks", "likes"], help_text="What these were found by.")
    fallback = FallbackSerializer(allow_null=True, help_text="Why not by what was asked for.")
    results = SimilarSerializer(many=True)


class OfferSerializer(serializers.Serializer):
    dress = DressSerializer()
    alternatives = SimilarSerializer(many=True, help_text="In stock; empty while the dress itself is.")


class Shown:
    """The dresses of a whole answer, read at once."""

    def __init__(self, request: Request, pks: Iterable[int]) -> None:
        self.dresses: dict[int, Dress] = {
            dress.pk: dress for dress in dresses_with_cover().among(set(pks)).order_by()
        }
        self.serializer = DressSerializer(context={"request": request})  # one: to make it takes long

    def dress(self, pk: int) -> dict[str, Any]:
        return self.serializer.to_representation(self.dresses[pk])

    def similar(self, similar: list[Similar]) -> list[dict[str, Any]]:
        there = [each for each in similar if self.in_stock(each.dress_id)]
        return [{**self.dress(pk), "similarity": round(similarity, 4)} for pk, similarity in there]

    def in_stock(self, pk: int) -> bool:
        """Even if it was retired a moment ago."""
        return pk in self.dresses and self.dresses[pk].is_in_stock()


def bulk_parameter(name: str, kind: type) -> OpenApiParameter:
    told = f"1 to {MOST}, as {name}=…&{name}=…; answered in this order, each once."
    return OpenApiParameter(name, kind, many=True, required=True, description=told)


def read_list(request: Request, name: str, read: Callable[[str], Any] = str) -> list[Any]:
    """A parameter that may be there several times. Raises ParseError that names what is wrong with it."""
    told = list(dict.fromkeys(request.query_params.getlist(name)))
    if not 1 <= len(told) <= MOST:
        raise ParseError(f"{name}: send 1 to {MOST} of them, not {len(told)}.")
    try:
        return [read(text) for text in told]
    except serializers.ValidationError as error:
        raise ParseError(f"{name}: {error.detail[0]}") from error


def fallback_in_words(reason: str) -> dict[str, str] | None:
    return {"reason": reason, "words": gettext(FALLBACKS[reason])} if reason else None


def similar_bodies(request: Request, dresses: list[Dress], query: dict[str, Any]) -> list[dict[str, Any]]:
    found = similar(dresses, query["limit"], query["by"])
    shown = Shown(request, (other.dress_id for each in found for other in each.similar))
    return [similar_body(each, shown) for each in found]


def similar_body(found: Found, shown: Shown) -> dict[str, Any]:
    fallback = fallback_in_words(found.fallback)
    return {"by": found.by, "fallback": fallback, "results": shown.similar(found.similar)}


def offer_bodies(request: Request, offers: list[Offer]) -> list[dict[str, Any]]:
    others = (other.dress_id for offer in offers for other in offer.alternatives)
    shown = Shown(request, [*(offer.dress.pk for offer in offers), *others])
    return [
        {"dress": shown.dress(offer.dress.pk), "alternatives": shown.similar(offer.alternatives)}
        for offer in offers
    ]


class SimilarDresses(PublicView):
    serializer_class = SimilarListSerializer

    @extend_schema(
        operation_id="similar_dresses",
        summary="Dresses like it",
        parameters=[SKU, SimilarQuery],
        responses=responses(SimilarListSerializer),
    )
    def get(self, request: Request, sku: str, **kwargs: Any) -> Response:
        """The dresses in stock that look most like this one, or are liked by the same people."""
        query = read_query(SimilarQuery, request)
        [body] = similar_bodies(request, [dress_or_404(sku)], query)
        return Response(body)


class SimilarInBulk(PublicView):
    class BulkSerializer(serializers.Serializer):
        class OneSerializer(SimilarListSerializer):
            sku = serializers.CharField()

        results = OneSerializer(many=True)
        unknown = serializers.ListField(child=serializers.CharField(), help_text="SKUs that no dress has.")

    serializer_class = BulkSerializer

    @extend_schema(
        operation_id="similar_in_bulk",
        summary="Dresses like them",
        parameters=[bulk_parameter("sku", str), SimilarQuery],
        responses=responses(BulkSerializer),
    )
    def get(self, request: Request, **kwargs: Any) -> Response:
        """As similar dresses of one, for many."""
        query = read_query(SimilarQuery, request)
        skus = read_list(request, "sku", serializers.CharField(max_length=LONGEST).run_validation)
        there = {dress.sku: dress for dress in Dress.objects.filter(sku__in=skus)}
        dresses = [there[sku] for sku in skus if sku in there]
        bodies = similar_bodies(request, dresses, query)
        results = [{"sku": dress.sku, **body} for dress, body in zip(dresses, bodies, strict=True)]
        return Response({"results": results, "unknown": [sku for sku in skus if sku not in there]})


class ShopLook(PublicView):
    serializer_class = OfferSerializer

    @extend_schema(
        operation_id="shop_look",
        summary="Shop the look",
        parameters=[CountQuery],
        responses=responses(OfferSerializer),
    )
    def get(self, request: Request, pk: int, **kwargs: Any) -> Response:
        """The dress of a look and, when it is retired, what looks most like it."""
        count = read_query(CountQuery, request)["limit"]
        look = Look.objects.public().select_related("dress").filter(pk=pk).first()
        if look is None:
            raise NotFound(f"There is no public look {pk}.")
        [body] = offer_bodies(request, looks.shop([look], count))
        return Response(body)


class ShopLooks(PublicView):
    class BulkSerializer(serializers.Serializer):
        class OneSerializer(OfferSerializer):
            look = serializers.IntegerField()

        results = OneSerializer(many=True)
        unknown = serializers.ListField(child=serializers.IntegerField(), help_text="No public looks.")

    serializer_class = BulkSerializer

    @extend_schema(
        operation_id="shop_looks",
        summary="Shop the looks",
        parameters=[bulk_parameter("look", int), CountQuery],
        responses=responses(BulkSerializer),
    )
    def get(self, request: Request, **kwargs: Any) -> Response:
        """As shop the look of one, for many."""
        count = read_query(CountQuery, request)["limit"]
        number = serializers.IntegerField(min_value=1, max_value=2**63 - 1)
        pks = list(dict.fromkeys(read_list(request, "look", number.run_validation)))
        there = Look.objects.public().select_related("dress").in_bulk(pks)
        shown = [there[pk] for pk in pks if pk in there]
        bodies = offer_bodies(request, looks.shop(shown, count))
        results = [{"look": look.pk, **body} for look, body in zip(shown, bodies, strict=True)]
        return Response({"results": results, "unknown": [pk for pk in pks if pk not in there]})
