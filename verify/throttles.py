"""How often strangers may do what costs us something."""

from typing import Any

from django.http import HttpRequest
from rest_framework.throttling import SimpleRateThrottle


class OfAnAddress(SimpleRateThrottle):
    """So often from one address, whoever is logged in there; each by its ``scope`` and ``rate``."""

    def get_cache_key(self, request: HttpRequest, view: Any) -> str:
        return f"{self.scope}-{self.get_ident(request)}"
