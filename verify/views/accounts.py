"""Logging in."""

from typing import Any

from django.conf import settings
from django.contrib.auth import views as auth


class LoginView(auth.LoginView):
    redirect_authenticated_user = True

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(demo=_demo_account(), **kwargs)


def _demo_account() -> dict[str, str] | None:
    """The first employee's log-in that the demo wrote down, where this is a demo."""
    path = settings.VAR / "demo-accounts.txt"
    if settings.PRODUCTION or not path.exists():
        return None
    lines = (line.split() for line in path.read_text().splitlines())
    for role, username, password in (line for line in lines if len(line) == 3):
        if role == "employee":
            return {"username": username, "password": password}
    return None
