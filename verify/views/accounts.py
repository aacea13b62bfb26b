"""Logging in, and setting a password by a link from an e-mail."""

from typing import Any

from axes.utils import reset
from django import forms
from django.conf import settings
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth import views as auth
from django.contrib.auth.forms import AuthenticationForm
from django.db.models import Q
from django.http import HttpResponse
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _
from django.views.generic import FormView, TemplateView
from django_q.tasks import async_task

from verify.models import Employee
from verify.throttles import OfAnAddress


class LoginForm(AuthenticationForm):
    """Takes the e-mail address as well, and the user name in any case: phones write what they like."""

    error_messages = {
        **AuthenticationForm.error_messages,
        "invalid_login": _("User name and password do not belong together."),
    }

    def clean_username(self) -> str:
        """The account's own user name where just one fits, so that failures are counted on one name."""
        typed = self.cleaned_data["username"]
        fitting = Employee.objects.filter(Q(username__iexact=typed) | Q(email__iexact=typed))
        names = list(fitting.values_list("username", flat=True)[:2])
        return names[0] if len(names) == 1 and typed not in names else typed


class AdminLoginForm(LoginForm, AdminAuthenticationForm):
    error_messages = {**AdminAuthenticationForm.error_messages, **LoginForm.error_messages}


class LoginView(auth.LoginView):
    redirect_authenticated_user = True
    form_class = LoginForm

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(demo=_demo_account(), **kwargs)


class ForgottenForm(forms.Form):
    email = forms.EmailField(max_length=254)


class LetterThrottle(OfAnAddress):
    """Enough for an office behind one address, too few to flood a colleague."""

    scope, rate = "letters", settings.LETTERS_RATE


class ForgottenView(FormView):
    """Asks for an address. The worker looks for its account: the answer and its time tell nothing."""

    template_name = "registration/password_reset_form.html"
    form_class = ForgottenForm
    success_url = reverse_lazy("password_reset_done")

    def form_valid(self, form: ForgottenForm) -> HttpResponse:
        if not LetterThrottle().allow_request(self.request, self):
            form.add_error(None, _("That was often. Please wait an hour, or ask an admin."))
            return self.render_to_response(self.get_context_data(form=form), status=429)
        async_task("verify.tasks.send_reset", form.cleaned_data["email"], ack_failure=False)
        return super().form_valid(form)


class SentView(TemplateView):
    template_name = "registration/password_reset_done.html"


class SetPasswordView(auth.PasswordResetConfirmView):
    """Where the link of an e-mail leads: set a password, and one is in."""

    post_reset_login = True
    post_reset_login_backend = "django.contrib.auth.backends.ModelBackend"
    success_url = reverse_lazy("play")

    def get_user(self, uidb64: str) -> Employee | None:
        employee = super().get_user(uidb64)
        return employee if employee and employee.is_active else None

    def form_valid(self, form: forms.Form) -> HttpResponse:
        reset(username=self.user.username)  # whoever reads the mail need not wait out wrong guesses
        return super().form_valid(form)


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
