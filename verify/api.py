"""The catalogue and its verified looks as JSON, for anybody to read."""

from functools import cache, lru_cache
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db.models import Count, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce, JSONObject
from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse
from django.utils.cache import patch_cache_control
from django.utils.decorators import method_decorator
from django.views.decorators.http import conditional_page
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import NotFound, ParseError
from rest_framework.generics import GenericAPIView
from rest_framework.pagination import PageNumberPagination
from rest_framework.request import Request
from rest_framework.response import Response

from verify import captions
from verify.intake.photos import small_size
from verify.models import Dress, DressPhoto, Look, Photo
from verify.models.catalogue import DressQuerySet
from verify.models.photo import photo_url

MAX_AGE = 60  # seconds; what loses its clearance or its rights is gone from shops after this long
MAX_LIMIT = 100

# Anything a catalogue may call a dress, short of what Postgres cannot compare.
SKU_PATTERN = r"(?P<sku>[^\x00]{1,64}?)"
SKU = OpenApiParameter("sku", str, OpenApiParameter.PATH, description="The shop's own number of the dress.")


class Pages(PageNumberPagination):
    page_size = 24
    page_size_query_param = "limit"
    max_page_size = MAX_LIMIT
    invalid_page_message = "page: there is no such page."

    def get_page_size(self, request: Request) -> int:
        return int(read_query(LimitQuery, request).get("limit", self.page_size))


class LimitQuery(serializers.Serializer):
    limit = serializers.IntegerField(min_value=1, max_value=MAX_LIMIT, required=False)


def read_query(query: type[serializers.Serializer], request: Request) -> dict[str, Any]:
    """The checked query parameters; raises ParseError that names the first wrong one."""
    form = query(data=request.query_params.dict())
    if not form.is_valid():
        name, messages = next(iter(form.errors.items()))
        raise ParseError(f"{name}: {messages[0]}")
    return form.validated_data


class ErrorSerializer(serializers.Serializer):
    detail = serializers.CharField(help_text="What is wrong, in a sentence.")


def responses(success: Any) -> dict[int, Any]:
    """For the schema: the answer, and the errors that every address may give."""
    return {200: success, 400: ErrorSerializer, 404: ErrorSerializer, 429: ErrorSerializer}


@method_decorator(conditional_page, name="dispatch")
class PublicView(GenericAPIView):
    """Read by anybody, kept for a minute by anybody, and checked again by its ETag."""

    queryset = Dress.objects.none()
    max_age = MAX_AGE

    def finalize_response(
        self, request: Request, response: HttpResponseBase, *args: Any, **kwargs: Any
    ) -> HttpResponseBase:
        response = super().finalize_response(request, response, *args, **kwargs)
        if response.status_code in (200, 304):
            patch_cache_control(response, public=True, max_age=self.max_age)
        else:
            patch_cache_control(response, no_store=True)
        return response


class NoSuchAddress(PublicView):
    """Every other address under /api/."""

    @extend_schema(exclude=True)
    def get(self, request: Request, **kwargs: Any) -> Response:
        raise NotFound("There is nothing at this address. The documentation is at /api/docs/.")


def address(request: HttpRequest, name: str, **kwargs: Any) -> str:
    """Of an endpoint, as seen from wherever the shop is."""
    return request.build_absolute_uri(_path(name, *kwargs.items()))


@lru_cache(maxsize=2**14)  # an answer has dozens
def _path(name: str, *kwargs: tuple[str, Any]) -> str:
    return reverse(f"v1:{name}", kwargs=dict(kwargs))


class PhotoCopySerializer(serializers.Serializer):
    url = serializers.URLField()
    width = serializers.IntegerField(help_text="Pixels.")
    height = serializers.IntegerField(help_text="Pixels.")


def copies(request: HttpRequest, token: str, width: int, height: int) -> dict[str, dict[str, Any]]:
    """Both copies of a photo, as PhotoSerializer tells of them."""
    absolute, small = request.build_absolute_uri, small_size(width, height)
    return {
        "large": {"url": absolute(photo_url(token, "large")), "width": width, "height": height},
        "small": {"url": absolute(photo_url(token, "small")), "width": small[0], "height": small[1]},
    }


class PhotoSerializer(serializers.Serializer):
    """Both copies of a photo, with their sizes, so that a page can keep their place free."""

    large = PhotoCopySerializer()
    small = PhotoCopySerializer()

    def to_representation(self, photo: Photo) -> dict[str, dict[str, Any]]:
        return copies(self.context["request"], photo.token, photo.width, photo.height)


class PriceSerializer(serializers.Serializer):
    amount = serializers.DecimalField(max_digits=10, decimal_places=2)
    currency = serializers.CharField(help_text="ISO 4217.")


class DressSerializer(serializers.ModelSerializer):
    """A dress in a list. Wants `dresses_with_cover()`, or `dresses_with_photos()`."""

    url = serializers.SerializerMethodField()
    price = serializers.SerializerMethodField()
    in_stock = serializers.BooleanField(source="is_in_stock")
    looks_count = serializers.IntegerField(help_text="Public looks of this dress.")
    cover = serializers.SerializerMethodField()

    class Meta:
        model = Dress
        fields = ["sku", "url", "title", "designer", "category", "colour", "price", "in_stock"]
        fields += ["looks_count", "cover"]

    @extend_schema_field(serializers.URLField())
    def get_url(self, dress: Dress) -> str:
        return address(self.context["request"], "dress", sku=dress.sku)

    @extend_schema_field(PriceSerializer(allow_null=True))
    def get_price(self, dress: Dress) -> dict[str, str] | None:
        if dress.price is None:
            return None
        return {"amount": str(dress.price), "currency": settings.CURRENCY}

    @extend_schema_field(PhotoSerializer(allow_null=True))
    def get_cover(self, dress: Dress) -> dict[str, Any] | None:
        return copies(self.context["request"], **dress.cover) if dress.cover else None


def dresses_with_photos() -> DressQuerySet:
    """All that is told of a dress, in three statements whatever the number of dresses."""
    return dresses_with_cover().prefetch_related("photos__photo")


@cache  # to put it together takes as long as to run it; whoever uses it narrows a copy
def dresses_with_cover() -> DressQuerySet:
    """What DressSerializer needs, in one statement: no photos but the first."""
    photos = DressPhoto.objects.filter(dress=OuterRef("pk")).order_by("position")
    of_first = {name: f"photo__{name}" for name in ("token", "width", "height")}
    public = Look.objects.public().filter(dress=OuterRef("pk")).order_by().values("dress")
    looks_count = Subquery(public.annotate(count=Count("pk")).values("count"))
    cover = Subquery(photos.values(told=JSONObject(**of_first))[:1])
    return Dress.objects.annotate(looks_count=Coalesce(looks_count, 0), cover=cover)


def dress_or_404(sku: str, dresses: DressQuerySet | None = None) -> Dress:
    """Raises NotFound that names the SKU."""
    dresses = Dress.objects.all() if dresses is None else dresses
    if (dress := dresses.filter(sku=sku).first()) is None:
        raise NotFound(f"No dress has the SKU {sku!r}.")
    return dress


class DressList(PublicView):
    pagination_class = Pages
    serializer_class = DressSerializer

    class Query(serializers.Serializer):
        q = serializers.CharField(
            max_length=100, default="", allow_blank=True, help_text="Words in title, designer, colour or SKU."
        )
        category = serializers.CharField(max_length=80, default="", allow_blank=True)
        in_stock = serializers.BooleanField(allow_null=True, default=None)
        order = serializers.ChoiceField(
            ["sku", "looks", "newest"], default="sku", help_text="`looks`: most looks first."
        )

    orders = {"sku": ["sku"], "looks": ["-looks_count", "sku"], "newest": ["-created_at", "sku"]}

    @extend_schema(
        operation_id="dresses",
        summary="The catalogue",
        parameters=[Query],
        responses=responses(DressSerializer(many=True)),
    )
    def get(self, request: Request, **kwargs: Any) -> Response:
        """All dresses of the catalogue, retired ones included unless `in_stock` says otherwise."""
        query = read_query(self.Query, request)
        dresses = dresses_with_cover().order_by(*self.orders[query["order"]])
        page = self.paginate_queryset(self.matching(dresses, query))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    def matching(self, dresses: DressQuerySet, query: dict[str, Any]) -> DressQuerySet:
        for word in query["q"].split():
            dresses = dresses.filter(
                Q(title__icontains=word)
                | Q(designer__icontains=word)
                | Q(colour__icontains=word)
                | Q(sku__icontains=word)
            )
        if query["category"]:
            dresses = dresses.filter(category__iexact=query["category"])
        if query["in_stock"] is not None:
            in_stock = Q(pk__in=Dress.objects.in_stock().values("pk"))
            dresses = dresses.filter(in_stock if query["in_stock"] else ~in_stock)
        return dresses


class DressDetail(PublicView):
    class DressDetailSerializer(DressSerializer):
        photos = serializers.SerializerMethodField()
        looks_url = serializers.SerializerMethodField()
        similar_url = serializers.SerializerMethodField()

        class Meta(DressSerializer.Meta):
            fields = [*DressSerializer.Meta.fields, "available_from", "retired_on"]
            fields += ["photos", "looks_url", "similar_url"]

        @extend_schema_field(PhotoSerializer(many=True))
        def get_photos(self, dress: Dress) -> list[dict[str, Any]]:
            photos = [dress_photo.photo for dress_photo in dress.photos.all()]
            return PhotoSerializer(photos, many=True, context=self.context).data

        @extend_schema_field(serializers.URLField())
        def get_looks_url(self, dress: Dress) -> str:
            return self.get_url(dress) + "looks/"

        @extend_schema_field(serializers.URLField())
        def get_similar_url(self, dress: Dress) -> str:
            return self.get_url(dress) + "similar/"

    serializer_class = DressDetailSerializer

    @extend_schema(
        operation_id="dress", summary="A dress", parameters=[SKU], responses=responses(DressDetailSerializer)
    )
    def get(self, request: Request, sku: str, **kwargs: Any) -> Response:
        """One dress with all its catalogue photos."""
        return Response(self.get_serializer(dress_or_404(sku, dresses_with_photos())).data)


class CaptionPartSerializer(serializers.Serializer):
    text = serializers.CharField()
    url = serializers.CharField(help_text="Empty, or where a hashtag or a handle leads.")


class DressLooks(PublicView):
    class LookSerializer(serializers.ModelSerializer):
        shop_url = serializers.SerializerMethodField(help_text="The dress, and alternatives if retired.")
        photo = PhotoSerializer(source="post.photo")
        source = serializers.CharField(source="post.source")
        permalink = serializers.SerializerMethodField(help_text="Where it was posted.")
        credit = serializers.SerializerMethodField(help_text="User name of who wore it, where known.")
        caption = serializers.SerializerMethodField(help_text="Plain text, without what nobody sees.")
        caption_parts = serializers.SerializerMethodField(help_text="Hashtags and handles have a `url`.")
        posted_at = serializers.DateTimeField(source="post.posted_at")

        class Meta:
            model = Look
            fields = ["id", "shop_url", "photo", "source", "permalink", "credit", "caption"]
            fields += ["caption_parts", "posted_at"]

        @extend_schema_field(serializers.URLField())
        def get_shop_url(self, look: Look) -> str:
            return address(self.context["request"], "shop-look", pk=look.pk)

        @extend_schema_field(serializers.URLField(allow_null=True))
        def get_permalink(self, look: Look) -> str | None:
            return web_address(look.post.permalink)

        def get_credit(self, look: Look) -> str | None:
            return look.post.username or None

        def get_caption(self, look: Look) -> str:
            return captions.seen(look.post.caption)

        @extend_schema_field(CaptionPartSerializer(many=True))
        def get_caption_parts(self, look: Look) -> list[dict[str, str]]:
            return [part._asdict() for part in captions.parts(look.post.caption)]

    pagination_class = Pages
    serializer_class = LookSerializer

    @extend_schema(
        operation_id="dress_looks",
        summary="Looks of a dress",
        parameters=[SKU],
        responses=responses(LookSerializer(many=True)),
    )
    def get(self, request: Request, sku: str, **kwargs: Any) -> Response:
        """Verified photos of the dress that their owners let us show, best first."""
        looks = Look.objects.public().looks_for(dress_or_404(sku)).select_related("post__photo")
        page = self.paginate_queryset(looks)
        return self.get_paginated_response(self.get_serializer(page, many=True).data)


def web_address(link: str) -> str | None:
    """The link if it leads to a web page; posts come from files that anybody may have written."""
    try:
        parts = urlsplit(link)
    except ValueError:
        return None
    return link if parts.scheme in ("http", "https") and parts.netloc else None
