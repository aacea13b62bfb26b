"""What one may add to an answer, or change about it."""

from django.core.exceptions import BadRequest
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from verify import access, queue, remarks, second_thoughts
from verify.forms import ChangeForm, FlagForm, NameForm, NominateForm
from verify.models import Answer, Dress, Flag, Vote
from verify.views.play import go_on, page, player_required, refuse

FOUND = 8  # dresses of a search


def _filled(form: Form) -> dict[str, object]:
    """The form's values; who sends others has not pressed one of our buttons."""
    if not form.is_valid():
        raise BadRequest("That is none of the buttons.")
    return form.cleaned_data


@access.employee_required
@never_cache
@require_safe
def recent(request: HttpRequest) -> HttpResponse:
    answers = second_thoughts.recent(request.user)
    template = "portal/recent.html#recent" if request.htmx else "portal/recent.html"
    return render(request, template, {"answers": answers})


@require_POST
@player_required
def change(request: HttpRequest) -> HttpResponse:
    form = ChangeForm(request.POST)
    facts = _filled(form)
    if form.is_skip:
        raise BadRequest("An answer cannot be skipped any more.")
    try:
        second_thoughts.change(request.user, facts["vote"], form.answer, form.dress)
    except queue.Refused as refusal:
        return _recent_with(request, str(refusal), status=409)
    return _recent_with(request, _("Changed.")) if request.htmx else redirect("recent")


def _recent_with(request: HttpRequest, said: str, status: int = 200) -> HttpResponse:
    template = "portal/recent.html#recent" if request.htmx else "portal/recent.html"
    table = {"answers": second_thoughts.recent(request.user), "said": said, "refused": status != 200}
    return render(request, template, table, status=status)


@require_safe
@player_required
def name_page(request: HttpRequest, vote: int) -> HttpResponse:
    """The search for the dress on a page of its own, for who has no script."""
    own = get_object_or_404(Vote, pk=vote, employee=request.user, answer=Answer.NONE_OF_THESE)
    return render(request, "portal/name.html", {"vote": own, **_search(request)})


@require_safe
@player_required
def dress_search(request: HttpRequest) -> HttpResponse:
    vote = request.GET.get("vote", "")
    return render(
        request, "portal/_dress_search.html", {"vote_pk": vote if vote.isdigit() else "", **_search(request)}
    )


def _search(request: HttpRequest) -> dict[str, object]:
    asked = request.GET.get("q", "").replace("\0", "").strip()[:80]
    return {"q": asked, "dresses": Dress.objects.search(asked)[:FOUND] if asked else []}


@require_POST
@player_required
def name(request: HttpRequest) -> HttpResponse:
    facts = _filled(NameForm(request.POST))
    try:
        second_thoughts.name(request.user, facts["vote"], facts["dress"])
    except queue.Refused as refusal:
        return refuse(request, refusal)
    said = _("Thank you: the next colleague sees %(dress)s among the options.") % {
        "dress": facts["dress"].title
    }
    return go_on(request, said=said) if request.htmx else page(request, said=said)


@require_POST
@player_required
def flag(request: HttpRequest) -> HttpResponse:
    facts = _filled(FlagForm(request.POST))
    try:
        waits = remarks.flag(request.user, facts["lease"], Flag.Reason(facts["reason"]))
    except queue.Refused as refusal:
        return refuse(request, refusal)
    if waits:
        said = _("Noted: an admin decides before this one is shown. Which dress is it?")
    else:
        said = _("Noted: an admin has looked at this one and shows it. Which dress is it?")
    return go_on(request, said=said) if request.htmx else page(request, said=said)


@require_POST
@player_required
def nominate(request: HttpRequest) -> HttpResponse:
    facts = _filled(NominateForm(request.POST))
    try:
        remarks.nominate(request.user, facts["post"])
    except queue.Refused as refusal:
        return refuse(request, refusal)
    said = _("Sent to the hall of fame.")
    if request.POST.get("next") == "hall":
        return redirect("hall_of_fame")
    return go_on(request, said=said) if request.htmx else page(request, said=said)


@access.employee_required
@require_safe
def dress_photos(request: HttpRequest, dress: int) -> HttpResponse:
    shown = get_object_or_404(Dress, pk=dress)
    photos = [row.photo for row in shown.photos.select_related("photo").order_by("position")]
    return render(request, "portal/_dress_photos.html", {"dress": shown, "photos": photos})
