"""What a shopper sees next to a dress, as JSON."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from recommend import looks
from recommend.similar import Similar, similar_dresses
from verify.api import (
    SKU,
    DressSerializer,
    PublicView,
    dress_or_404,
    dresses_with_photos,
    read_query,
    responses,
)
from verify.models import Dress, Look


class CountQuery(serializers.Serializer):
    limit = serializers.IntegerField(min_value=1, max_value=24, default=8)


class SimilarSerializer(DressSerializer):
    similarity = serializers.FloatField(help_text="Cosine of the photos' embeddings, -1 to 1.")

    class Meta(DressSerializer.Meta):
        fields = [*DressSerializer.Meta.fields, "similarity"]


def rows(similar: list[Similar]) -> list[Dress]:
    """The dresses, in the same order, with what SimilarSerializer shows."""
    similarities = dict(similar)
    dresses = dresses_with_photos().in_stock().in_bulk(similarities)
    for pk, dress in dresses.items():
        dress.similarity = round(similarities[pk], 4)
    return [dresses[pk] for pk in similarities if pk in dresses]


class SimilarDresses(PublicView):
    class SimilarListSerializer(serializers.Serializer):
        results = SimilarSerializer(many=True)

    serializer_class = SimilarListSerializer

    @extend_schema(
        operation_id="similar_dresses",
        summary="Dresses that look like it",
        parameters=[SKU, CountQuery],
        responses=responses(SimilarListSerializer),
    )
    def get(self, request: Request, sku: str, **kwargs: Any) -> Response:
        """The dresses in stock that look most like this one, most similar first."""
        count = read_query(CountQuery, request)["limit"]
        similar = similar_dresses(dress_or_404(sku), count)
        return Response(self.get_serializer({"results": rows(similar)}).data)


class ShopLook(PublicView):
    class OfferSerializer(serializers.Serializer):
        dress = DressSerializer()
        alternatives = SimilarSerializer(many=True, help_text="In stock; empty while the dress itself is.")

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
        offer = looks.shop(look, count)
        dress = dresses_with_photos().get(pk=offer.dress.pk)
        return Response(self.get_serializer({"dress": dress, "alternatives": rows(offer.alternatives)}).data)
