from django.urls import path, re_path

from recommend import product_page, views, views_dreams
from verify.api import SKU_PATTERN

urlpatterns = [
    path("shop/", views.home, name="shop"),
    path("shop/dream/", views_dreams.for_me, name="dream_for_me"),
    path("dreams/", views_dreams.wall, name="dreams"),
    path("dreams/walk/", views_dreams.walk, name="dream_walk"),
    path("dreams/film.webp", views_dreams.film, name="dream_film"),
    path("dreams/<int:seed>/", views_dreams.dream, name="dream"),
    path("dreams/<int:seed>/like/", views_dreams.like, name="dream_like"),
    path("dreams/liked/<slug:name>.webp", views_dreams.liked_picture, name="liked_dream"),
    path("dresses/", views.wall, name="dresses"),
    re_path(rf"^dresses/{SKU_PATTERN}/rent/$", views.rent, name="rent"),
    re_path(rf"^dresses/{SKU_PATTERN}/review/$", product_page.review, name="review"),
    re_path(rf"^dresses/{SKU_PATTERN}/$", product_page.product, name="product"),
]
