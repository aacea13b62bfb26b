from django import forms

from verify.models import Answer, Dress, Flag

SKIP = "skip"
LONGEST_LOOK = 60 * 60 * 1000  # milliseconds: whoever left a card on the screen for longer was not looking
ANY_ROW = {"min_value": 1, "max_value": 2**63 - 1}


class ChoiceForm(forms.Form):
    """The button that was pressed: a dress by its pk, another answer, or skip.

    Not an option by its pk: those grow with the model's rank, and with who named the dress when.
    """

    choice = forms.RegexField(rf"^({Answer.NOT_A_DRESS}|{Answer.NONE_OF_THESE}|{SKIP}|[1-9]\d{{0,17}})$")

    @property
    def dress(self) -> int | None:
        choice = self.cleaned_data["choice"]
        return int(choice) if choice.isdigit() else None

    @property
    def answer(self) -> Answer:
        return Answer.DRESS if self.dress else Answer(self.cleaned_data["choice"])

    @property
    def is_skip(self) -> bool:
        return self.cleaned_data["choice"] == SKIP


class AnswerForm(ChoiceForm):
    """An answer to a card, and for how long the browser says it was looked at."""

    lease = forms.IntegerField(**ANY_ROW)
    viewed = forms.CharField(required=False)

    def clean_viewed(self) -> int | None:
        """What a browser's clock says may be nonsense, and never costs a vote."""
        viewed = self.cleaned_data["viewed"]
        milliseconds = int(viewed) if viewed.isascii() and viewed.isdigit() and len(viewed) < 9 else None
        return milliseconds if milliseconds is not None and milliseconds <= LONGEST_LOOK else None


class UndoForm(forms.Form):
    lease = forms.IntegerField(**ANY_ROW)


class ChangeForm(ChoiceForm):
    vote = forms.IntegerField(**ANY_ROW)


class NameForm(forms.Form):
    vote = forms.IntegerField(**ANY_ROW)
    dress = forms.ModelChoiceField(Dress.objects.all())


class FlagForm(forms.Form):
    lease = forms.IntegerField(**ANY_ROW)
    reason = forms.ChoiceField(choices=Flag.Reason.choices)


class NominateForm(forms.Form):
    post = forms.IntegerField(**ANY_ROW)
