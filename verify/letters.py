"""E-mails: an invitation, a way back in, a warning to admins. Sent by the worker."""

from datetime import timedelta

from django.conf import settings
from django.contrib.auth.tokens import default_token_generator
from django.core.cache import cache
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from verify.models import Employee

SILENT = "mail-server-silent"
PAUSE = 60  # seconds: or hundreds of e-mails, each waiting in vain, would hold up everything behind them


def send_invitation(employee: Employee) -> None:
    """Raises OSError, as smtplib does, when the mail server does not take it."""
    _send("invitation", employee)


def send_reset(employee: Employee) -> None:
    """Raises OSError, as smtplib does, when the mail server does not take it."""
    _send("reset", employee)


def send_warning(employee: Employee, text: str) -> None:
    """To an admin, of what needs them. Raises OSError, as smtplib does."""
    _send("warning", employee, text=text, link=settings.PORTAL_URL + reverse("admin:index"))


def link(employee: Employee) -> str:
    """Where the employee sets a password; good once, and for `PASSWORD_RESET_TIMEOUT` seconds."""
    uid = urlsafe_base64_encode(force_bytes(employee.pk))
    token = default_token_generator.make_token(employee)
    return settings.PORTAL_URL + reverse("password_reset_confirm", args=[uid, token])


def _send(kind: str, employee: Employee, **more: str) -> None:
    context = {
        "employee": employee,
        "link": link(employee),
        "days": timedelta(seconds=settings.PASSWORD_RESET_TIMEOUT).days,
        "portal": settings.PORTAL_URL,
        "forgotten": settings.PORTAL_URL + reverse("password_reset"),
        **more,
    }
    subject = render_to_string(f"email/{kind}_subject.txt", context)
    text = render_to_string(f"email/{kind}.txt", context)
    letter = EmailMultiAlternatives(" ".join(subject.split()), text, to=[employee.email])
    letter.attach_alternative(render_to_string(f"email/{kind}.html", context), "text/html")
    if cache.get(SILENT):
        raise ConnectionError("The mail server did not answer a moment ago.")
    try:
        letter.send()
    except TimeoutError:
        cache.set(SILENT, True, PAUSE)
        raise
