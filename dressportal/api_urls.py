"""/api/: version 1, its schema and its documentation."""

from csp.constants import SELF, UNSAFE_INLINE
from csp.decorators import csp_update
from django.urls import include, path, re_path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from recommend.api import ShopLook, ShopLooks, SimilarDresses, SimilarInBulk
from recommend.api_dreams import Dream, DreamPicture, Dreams, DreamsFor
from recommend.api_interactions import Interactions
from recommend.api_recommendations import BulkRecommendations, Recommendations
from verify.api import SKU_PATTERN, DressDetail, DressList, DressLooks, NoSuchAddress
from verify.api_classify import Classify
from verify.api_reviews import Reviews

v1 = [
    path("dresses/", DressList.as_view(), name="dresses"),
    re_path(rf"^dresses/{SKU_PATTERN}/looks/$", DressLooks.as_view(), name="dress-looks"),
    re_path(rf"^dresses/{SKU_PATTERN}/similar/$", SimilarDresses.as_view(), name="similar"),
    re_path(rf"^dresses/{SKU_PATTERN}/$", DressDetail.as_view(), name="dress"),
    path("looks/<int:pk>/shop/", ShopLook.as_view(), name="shop-look"),
    path("recommendations/", Recommendations.as_view(), name="recommendations"),
    path("bulk/recommendations/", BulkRecommendations.as_view(), name="bulk-recommendations"),
    path("bulk/similar/", SimilarInBulk.as_view(), name="bulk-similar"),
    path("bulk/shop/", ShopLooks.as_view(), name="bulk-shop"),
    path("dreams/", Dreams.as_view(), name="dreams"),
    path("dreams/for/", DreamsFor.as_view(), name="dreams-for"),
    path("dreams/<int:seed>/", Dream.as_view(), name="dream"),
    path("dreams/<int:seed>.webp", DreamPicture.as_view(), name="dream-picture"),
    path("interactions/", Interactions.as_view(), name="interactions"),
    path("reviews/", Reviews.as_view(), name="reviews"),
    path("classify/", Classify.as_view(), name="classify"),
    path("schema/", SpectacularAPIView.as_view(api_version="v1"), name="schema"),
]

# Swagger UI brings styles of its own along.
docs = csp_update({"style-src": [SELF, UNSAFE_INLINE]})(
    SpectacularSwaggerSplitView.as_view(url_name="v1:schema")
)

urlpatterns = [
    path("v1/", include((v1, "v1"))),
    path("docs/", docs, name="api-docs"),
    re_path(r"^.*/$", NoSuchAddress.as_view()),
]
