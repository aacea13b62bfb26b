"""What people set for themselves: a pseudonym, a place on the boards, leave."""

import re
import unicodedata
from datetime import timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from verify.models import Employee, Leave

LONGEST_LEAVE = timedelta(days=366)
SHORTEST_PSEUDONYM = 2


def folded(name: str) -> str:
    """A name without case, accents, marks and spaces, so that look-alikes are equal."""
    decomposed = unicodedata.normalize("NFKD", name).casefold()
    return "".join(letter for letter in decomposed if letter.isalnum())


class ProfileForm(forms.ModelForm):
    class Meta:
        model = Employee
        fields = ["pseudonym", "on_boards"]
        labels = {"pseudonym": _("Pseudonym"), "on_boards": _("Show me on the weekly boards")}
        help_texts = {
            "pseudonym": _("Colleagues see it instead of your name. Leave it empty to go by your name."),
            "on_boards": _("Without it you appear on no list of colleagues and count in no team’s mean."),
        }

    def clean_pseudonym(self) -> str:
        pseudonym = re.sub(r"\s+", " ", self.cleaned_data["pseudonym"]).strip()
        if not pseudonym:
            return ""
        if len(folded(pseudonym)) < SHORTEST_PSEUDONYM or not pseudonym.isprintable():
            raise ValidationError(_("A pseudonym needs at least two letters or digits."))
        others = Employee.objects.exclude(pk=self.instance.pk)
        names = others.values_list("username", "display_name", "first_name", "last_name", "pseudonym")
        if any(folded(pseudonym) in _names(*known) for known in names.iterator()):
            raise ValidationError(_("That is a colleague’s name, or taken already. Try another one."))
        return pseudonym


def _names(username: str, display_name: str, first_name: str, last_name: str, pseudonym: str) -> set[str]:
    """Everything that somebody may be known by, folded."""
    given = display_name.split()[:1]
    return {
        folded(name)
        for name in (username, display_name, *given, first_name, f"{first_name}{last_name}", pseudonym)
    }


class LeaveForm(forms.ModelForm):
    class Meta:
        model = Leave
        fields = ["first_day", "last_day"]
        labels = {"first_day": _("First day"), "last_day": _("Last day")}
        widgets = {
            field: forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
            for field in ("first_day", "last_day")
        }

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        first, last = self.cleaned_data.get("first_day"), self.cleaned_data.get("last_day")
        if first and last:
            if last < first:
                raise ValidationError(_("The last day is before the first one."))
            if last - first >= LONGEST_LEAVE:
                raise ValidationError(_("That is more than a year. Enter it in parts, or ask an admin."))
            if self.instance.employee.leaves.filter(first_day__lte=last, last_day__gte=first).exists():
                raise ValidationError(_("Some of these days are on your list already."))
        return cleaned
