from django.contrib import admin
from django.urls import include, path

from dressportal import health

urlpatterns = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("admin/", admin.site.urls),
    path("", include("verify.urls")),
    path("", include("recommend.urls")),
    path("api/", include("dressportal.api_urls")),
]
