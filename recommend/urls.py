from django.urls import path, re_path

from recommend import product_page, views
from verify.api import SKU_PATTERN

urlpatterns = [
    path("shop/", views.home, name="shop"),
    path("dresses/", views.wall, name="dresses"),
    re_path(rf"^dresses/{SKU_PATTERN}/rent/$", views.rent, name="rent"),
    re_path(rf"^dresses/{SKU_PATTERN}/review/$", product_page.review, name="review"),
    re_path(rf"^dresses/{SKU_PATTERN}/$", product_page.product, name="product"),
]
