"""The pages of errors at addresses of their own: a browser cannot provoke all of them."""

from django.urls import path
from django.views import csrf, defaults

from dressportal.urls import urlpatterns as portal

WRONG = {"exception": Exception("wrong")}
urlpatterns = [
    path("400/", defaults.bad_request, WRONG, name="error_400"),
    path("403/", defaults.permission_denied, WRONG, name="error_403"),
    path("403-csrf/", csrf.csrf_failure, name="error_403_csrf"),
    path("404/", defaults.page_not_found, WRONG, name="error_404"),
    path("500/", defaults.server_error, name="error_500"),
    *portal,
]
