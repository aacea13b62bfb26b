from django.urls import path, re_path

from recommend import views
from verify.api import SKU_PATTERN

urlpatterns = [
    path("shop/", views.home, name="shop"),
    path("dresses/", views.wall, name="dresses"),
    re_path(rf"^dresses/{SKU_PATTERN}/rent/$", views.rent, name="rent"),
    re_path(rf"^dresses/{SKU_PATTERN}/$", views.product, name="product"),
]
