"""The public page on which people ask for their photos to go."""

from typing import Any

from django import forms
from django.conf import settings
from django.http import HttpResponse
from django.urls import reverse_lazy
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.generic import FormView, TemplateView

from verify import identities, opt_outs
from verify.throttles import OfAnAddress


class OptOutForm(forms.Form):
    permalink = forms.CharField(max_length=500, required=False)
    handle = forms.CharField(max_length=120, required=False)
    email = forms.EmailField(max_length=254)
    words = forms.CharField(max_length=2000, required=False)
    website = forms.CharField(required=False)  # nobody sees it: who fills it in is a program

    def clean(self) -> dict[str, Any]:
        told = super().clean() or {}
        if told.get("permalink") and not identities.permalink_key(told["permalink"]):
            self.add_error("permalink", _("That is not an address of a post."))
        if not told.get("permalink") and not identities.handle_key(told.get("handle", "")):
            self.add_error(None, _("Tell us the address of the post, or your user name."))
        return told

    @property
    def is_by_a_program(self) -> bool:
        return bool(self.cleaned_data["website"])


class OptOutThrottle(OfAnAddress):
    scope, rate = "opt-out", settings.OPT_OUT_RATE


class OptOutView(FormView):
    """Says the same whatever there is: the answer tells a stranger nothing about anybody."""

    template_name = "privacy/opt_out.html"
    form_class = OptOutForm
    success_url = reverse_lazy("opt_out_done")

    def form_valid(self, form: OptOutForm) -> HttpResponse:
        if not OptOutThrottle().allow_request(self.request, self):
            form.add_error(None, _("That was often. Please wait an hour, or write to us."))
            return self.render_to_response(self.get_context_data(form=form), status=429)
        if not form.is_by_a_program:
            told = {name: form.cleaned_data[name] for name in ("permalink", "handle", "email", "words")}
            opt_outs.ask(**told, now=timezone.now())
        return super().form_valid(form)


class OptOutDoneView(TemplateView):
    template_name = "privacy/opt_out_done.html"
