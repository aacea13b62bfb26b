"""Keys at the door of the API: which key calls, whether it may, and whether it has not had enough."""

from django.contrib.auth.models import AnonymousUser
from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed, NotAuthenticated, Throttled
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from verify import access
from verify.models import ApiKey
from verify.models.api_key import LimitReached

KEYWORDS = (b"bearer", b"api-key")
HOW = "Send a key in the header: Authorization: Bearer dp_…"


class KeyAuthentication(BaseAuthentication):
    """``request.auth`` is the key. Sessions count for nothing: no page can call in its visitor's name."""

    def authenticate(self, request: Request) -> tuple[AnonymousUser, ApiKey]:
        words = get_authorization_header(request).split()
        if len(words) != 2 or words[0].lower() not in KEYWORDS:
            raise NotAuthenticated(HOW)
        now, key = timezone.now(), ApiKey.objects.with_text(words[1].decode("ascii", "replace"))
        if key is None:
            raise AuthenticationFailed("This key is not known here.")
        if refusal := key.refusal(now):
            raise AuthenticationFailed(refusal)
        key.used(now)
        return AnonymousUser(), key

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="dressportal"'


class KeyHasScope(BasePermission):
    """The view's ``scope``."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        self.message = f"This key lacks the scope {str(view.scope)!r}."
        return access.may_call(request.auth, view.scope)


class KeyThrottle(BaseThrottle):
    """Requests a minute."""

    def allow_request(self, request: Request, view: APIView) -> bool:
        try:
            request.auth.count_request(timezone.now())
        except LimitReached as limit:
            raise too_much(limit) from limit
        return True


class KeyRequired:
    """Of a view: only who sends a key with its ``scope`` is answered. Named before the view's other bases."""

    authentication_classes = [KeyAuthentication]
    permission_classes = [KeyHasScope]
    throttle_classes = [KeyThrottle]


def too_much(limit: LimitReached) -> Throttled:
    return Throttled(limit.seconds, str(limit))


class KeyScheme(OpenApiAuthenticationExtension):
    """For the schema."""

    target_class = KeyAuthentication
    name = "key"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        described = "A key that an admin has made, beginning with `dp_`."
        return {"type": "http", "scheme": "bearer", "description": described}
