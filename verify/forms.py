from django import forms

from verify.models import Answer

SKIP = "skip"


class AnswerForm(forms.Form):
    """The button that was pressed on a card: an option's id, another answer, or skip."""

    lease = forms.IntegerField(min_value=1, max_value=2**63 - 1)
    choice = forms.RegexField(rf"^({Answer.NOT_A_DRESS}|{Answer.NONE_OF_THESE}|{SKIP}|[1-9]\d{{0,17}})$")

    @property
    def option(self) -> int | None:
        choice = self.cleaned_data["choice"]
        return int(choice) if choice.isdigit() else None

    @property
    def answer(self) -> Answer:
        return Answer.DRESS if self.option else Answer(self.cleaned_data["choice"])

    @property
    def is_skip(self) -> bool:
        return self.cleaned_data["choice"] == SKIP
