"""What admins see and do in Django's admin."""

import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.core.files.storage import default_storage
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_q.models import OrmQ

from tests.make import (
    make_api_key,
    make_batch,
    make_dress,
    make_employee,
    make_model_version,
    make_post,
)
from tests.verify.curation import (
    MODELS,
    a_proposed_post,
    a_settled_post,
    a_vote,
    act,
    make_look,
    make_told,
    page,
)
from verify import verdicts
from verify.models import Calibration, Dress, Employee, Look, Photo, Post, Reliability, Suggestion

pytestmark = pytest.mark.django_db


# Lists


@pytest.mark.parametrize("model", MODELS)
def test_a_longer_list_asks_no_more_of_the_database(
    client: Client, ada: Employee, model: str, django_assert_max_num_queries: Callable[..., Any]
) -> None:
    some_of_everything()
    client.get(page(model))
    with django_assert_max_num_queries(60) as first:
        assert client.get(page(model)).status_code == 200
    for _ in range(3):
        some_of_everything()
    with django_assert_max_num_queries(len(first)):
        assert client.get(page(model)).status_code == 200


def some_of_everything() -> None:
    dress = make_dress()
    employee = make_employee(team=f"Team {dress.pk}")
    now = timezone.now()
    batch = make_batch(state="closed", opened_at=now, frozen_at=now, closed_at=now)
    post = a_proposed_post([dress], batch=batch)
    a_vote(post, "dress", post.suggestion.options.get(), employee)
    a_settled_post(dress)
    version = make_model_version(f"{dress.pk:064d}")
    errors = {"error_before": 0.1, "error_after": 0.02}
    Calibration.objects.create(model_version=version, fitted_at=now, posts=1, temperature=0.1, **errors)
    make_told(post, employee)
    make_api_key(created_by=employee)


def test_disagreements_come_first_the_least_sure_on_top(client: Client, ada: Employee) -> None:
    dresses = [make_dress() for _ in range(3)]
    agreed, split, more_split = (a_proposed_post(dresses) for _ in range(3))
    for post, answers in ((agreed, "nn"), (split, "nnz"), (more_split, "nz")):
        for answer in answers:
            a_vote(post, {"n": "not_a_dress", "z": "none_of_these"}[answer])
        post.recount(timezone.now())
    answer = client.get(page("post"), {"votes": "differ"})
    assert list(answer.context["cl"].result_list) == [more_split, split]
    assert list(client.get(page("post"), {"votes": "agree"}).context["cl"].result_list) == [agreed]


def test_two_dresses_are_two_opinions(client: Client, ada: Employee) -> None:
    dresses = [make_dress() for _ in range(3)]
    post = a_proposed_post(dresses)
    for option in post.suggestion.options.all()[:2]:
        a_vote(post, "dress", option)
    assert list(client.get(page("post"), {"votes": "differ"}).context["cl"].result_list) == [post]


def test_a_vote_agrees_where_it_was_judged_right(client: Client, ada: Employee) -> None:
    dress, other = make_dress(), make_dress()
    post = a_proposed_post([dress])
    vote = a_vote(post, "none_of_these")
    post.override("dress", other, ada)  # which the card did not offer
    html = client.get(page("vote")).content.decode()
    assert "icon-unknown" in html
    verdicts.confirm(post, timezone.now())
    vote.refresh_from_db()
    assert vote.right
    html = client.get(page("vote")).content.decode()
    assert "icon-yes" in html
    assert "icon-no" not in html


def test_reliabilities_are_listed_with_mean_and_no_interval_before_the_first_re_fit(
    client: Client, ada: Employee
) -> None:
    row = Reliability.objects.create(employee=make_employee("vera"), right=6, wrong=2, estimate=0.83)
    html = client.get(page("reliability")).content.decode()
    assert "not fitted yet" in html
    assert "0% to 100%" not in html
    assert 'field-average">75%' in html
    assert row.mean == 0.75
    Reliability.objects.filter(pk=row.pk).update(low=0.71, high=0.997, fitted_at=timezone.now())
    assert "71% to 99.7%" in client.get(page("reliability")).content.decode()


@pytest.mark.parametrize("sku", ["=1+1", "@SUM(A1)"])
def test_a_sku_that_a_spreadsheet_would_compute_is_not_taken_by_hand(
    client: Client, ada: Employee, sku: str
) -> None:
    data = {"sku": sku, "title": "Aurora", "photos-TOTAL_FORMS": 0, "photos-INITIAL_FORMS": 0}
    assert "take it for a formula" in client.post(page("dress", "add"), data).content.decode()
    assert not Dress.objects.exists()
    assert client.post(page("dress", "add"), data | {"sku": "AU-1"}).status_code == 302
    assert Dress.objects.get().sku == "AU-1"


def test_the_stock_filter(client: Client, ada: Employee) -> None:
    today = timezone.localdate()
    sold, retired = make_dress(), make_dress(retired_on=today)
    coming = make_dress(available_from=today + timedelta(days=1))
    for value, dress in (("in", sold), ("retired", retired), ("coming", coming)):
        assert list(client.get(page("dress"), {"stock": value}).context["cl"].result_list) == [dress]


def test_looks_that_wait_come_first(client: Client, ada: Employee) -> None:
    dress = make_dress()
    looks = [a_settled_post(dress).look for _ in range(3)]
    looks[2].decide(Look.Clearance.CLEARED, ada)
    looks[0].decide(Look.Clearance.REFUSED, ada)
    listed = list(client.get(page("look")).context["cl"].result_list)
    assert listed[0] == looks[1]
    assert [look.public for look in listed] == [False, True, False]


# Deciding


def test_a_post_shows_its_evidence(client: Client, ada: Employee) -> None:
    dresses = [make_dress(title=title) for title in ("Aurora", "Bellis", "Calla")]
    post = a_proposed_post(dresses)
    a_vote(post, "dress", post.suggestion.options.get(dress=dresses[1]), make_employee("Vera"))
    post.recount(timezone.now())
    answer = client.get(page("post", "change", post.pk))
    evidence = answer.context["evidence"]
    assert evidence.bars[0].label == "Bellis"
    assert sum(bar.posterior for bar in evidence.bars) == pytest.approx(1)
    assert sum(bar.proposed for bar in evidence.bars) == pytest.approx(1)
    html = answer.content.decode()
    assert "Vera" in html
    assert post.photo.large_url in html
    assert dresses[2].photos.get().photo.small_url in html
    assert str(post.suggestion.model_version) in html


def test_a_post_that_needs_more_options_than_are_shown_says_so(client: Client, ada: Employee) -> None:
    hard, easy, unknown = (a_proposed_post([make_dress() for _ in range(3)]) for _ in range(3))
    Suggestion.objects.filter(pk=hard.suggestion_id).update(set_size=7)
    Suggestion.objects.filter(pk=easy.suggestion_id).update(set_size=3)
    found = client.get(page("post"), {"needed": "more"}).context["cl"].queryset
    assert list(found) == [hard]
    assert list(client.get(page("post"), {"needed": "enough"}).context["cl"].queryset) == [easy]
    sentence = "DeepDress would need 7 options to keep its promise here; the card shows 3."
    assert sentence in client.get(page("post", "change", hard.pk)).content.decode()
    for post in (easy, unknown):
        assert "would need" not in client.get(page("post", "change", post.pk)).content.decode()


def test_a_post_without_a_suggestion_has_a_page_too(client: Client, ada: Employee) -> None:
    post = make_post()
    assert "not proposed anything" in client.get(page("post", "change", post.pk)).content.decode()


def test_an_admin_overrides_the_votes(client: Client, ada: Employee) -> None:
    dresses = [make_dress() for _ in range(4)]
    post = a_proposed_post(dresses[:3])
    data = {"rights": "granted", "verdict": "dress", "verdict_dress": dresses[3].pk}
    client.post(page("post", "change", post.pk), data)
    post.refresh_from_db()
    assert (post.state, post.dress, post.settled_by, post.rights) == ("settled", dresses[3], ada, "granted")
    assert post.look.dress == dresses[3]
    entry = LogEntry.objects.get()
    assert (entry.user_id, entry.object_id) == (ada.pk, str(post.pk))
    assert entry.change_message == f"Rights: Granted. Verdict: {dresses[3]}."


def test_a_dress_alone_is_a_verdict_and_not_a_dress_takes_the_look_away(
    client: Client, ada: Employee
) -> None:
    dress = make_dress()
    post = a_settled_post(dress)
    client.post(page("post", "change", post.pk), {"rights": "granted", "verdict": "not_a_dress"})
    post.refresh_from_db()
    assert (post.answer, post.dress, post.settled_by) == ("not_a_dress", None, ada)
    assert not Look.objects.exists()
    client.post(page("post", "change", post.pk), {"rights": "granted", "verdict_dress": dress.pk})
    post.refresh_from_db()
    assert (post.answer, post.dress) == ("dress", dress)


@pytest.mark.parametrize(
    ("verdict", "with_dress", "error"),
    [("dress", False, "Which dress is it?"), ("none_of_these", True, "Leave this empty")],
)
def test_a_verdict_that_makes_no_sense_changes_nothing(
    client: Client, ada: Employee, verdict: str, with_dress: bool, error: str
) -> None:
    dress = make_dress()
    post = a_proposed_post([dress])
    data = {"rights": "unknown", "verdict": verdict, "verdict_dress": dress.pk if with_dress else ""}
    answer = client.post(page("post", "change", post.pk), data)
    assert error in answer.content.decode()
    post.refresh_from_db()
    assert post.state == Post.State.PROPOSED


def test_setting_rights_leaves_the_rest_of_the_row_to_the_voters(client: Client, ada: Employee) -> None:
    post = a_proposed_post([make_dress()])
    client.post(page("post", "change", post.pk), {"rights": "refused", "verdict": ""})
    post.refresh_from_db()
    assert (post.rights, post.state) == ("refused", "proposed")
    act(client, "post", "rights_granted", post)
    post.refresh_from_db()
    assert post.rights == "granted"
    messages = list(LogEntry.objects.order_by("pk").values_list("change_message", flat=True))
    assert messages == ["Rights: Refused.", "Rights: Granted."]


def test_what_was_set_aside_can_be_tried_again(client: Client, ada: Employee) -> None:
    aside = make_post(state="set_aside", attempts=3, trouble="It broke.")
    settled = a_settled_post(make_dress())
    answer = act(client, "post", "try_again", aside, settled)
    assert "1 posts wait" in answer.content.decode()
    aside.refresh_from_db()
    assert (aside.state, aside.attempts) == ("waiting", 0)
    assert [row.func() for row in OrmQ.objects.all()] == ["verify.tasks.suggest_waiting"]
    assert [entry.object_id for entry in LogEntry.objects.all()] == [str(aside.pk)]


def test_only_posts_without_votes_are_proposed_anew(client: Client, ada: Employee) -> None:
    fresh, voted = (a_proposed_post([make_dress()]) for _ in range(2))
    a_vote(voted, "not_a_dress")
    act(client, "post", "propose_anew", fresh, voted)
    assert list(Post.objects.filter(state="waiting")) == [fresh]
    assert LogEntry.objects.get().object_id == str(fresh.pk)


def test_looks_are_cleared_and_refused(client: Client, ada: Employee) -> None:
    looks = [a_settled_post(make_dress()).look for _ in range(2)]
    act(client, "look", "clear", *looks)
    assert set(Look.objects.public()) == set(looks)
    client.post(page("look", "change", looks[0].pk), {"clearance": "refused"})
    looks[0].refresh_from_db()
    assert (looks[0].clearance, looks[0].cleared_by) == ("refused", ada)
    assert list(Look.objects.public()) == [looks[1]]
    assert LogEntry.objects.count() == 3


def test_saving_a_look_unchanged_decides_nothing(client: Client, ada: Employee) -> None:
    look = a_settled_post(make_dress()).look
    look.decide(Look.Clearance.CLEARED, None)
    client.post(page("look", "change", look.pk), {"clearance": "cleared"})
    look.refresh_from_db()
    assert look.cleared_by is None


def test_dresses_are_retired_and_sold_again(client: Client, ada: Employee) -> None:
    dress, retired = make_dress(), make_dress(retired_on=timezone.localdate() - timedelta(days=9))
    act(client, "dress", "retire", dress, retired)
    dress.refresh_from_db()
    retired.refresh_from_db()
    assert dress.retired_on == timezone.localdate()
    assert retired.retired_on < dress.retired_on
    act(client, "dress", "sell_again", dress, retired)
    assert Dress.objects.in_stock().count() == 2
    assert LogEntry.objects.count() == 1 + 2


def test_a_dress_can_be_edited_with_its_photos(client: Client, ada: Employee) -> None:
    dress = make_dress(photos=2)
    data = {"sku": dress.sku, "title": "Aurora", "photos-TOTAL_FORMS": 2, "photos-INITIAL_FORMS": 2}
    for number, row in enumerate(dress.photos.all()):
        data |= {f"photos-{number}-id": row.pk, f"photos-{number}-dress": dress.pk}
        data |= {f"photos-{number}-position": 1 - number}
    before = [row.pk for row in dress.photos.all()]
    answer = client.post(page("dress", "change", dress.pk), data)
    assert answer.status_code == 302, answer.context["errors"]
    dress.refresh_from_db()
    assert dress.title == "Aurora"
    assert [row.pk for row in dress.photos.all()] == before[::-1]


# Deleting


def files_of(photos: list[Photo]) -> list[bool]:
    return [default_storage.exists(name) for photo in photos for name in (photo.large.name, photo.small.name)]


def test_a_deleted_post_takes_its_votes_its_look_and_its_files_with_it(
    client: Client, ada: Employee, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    one, two = (a_proposed_post([make_dress()]) for _ in range(2))
    a_vote(one, "not_a_dress")
    make_look(one, make_dress())
    photos = [one.photo, two.photo]
    with django_capture_on_commit_callbacks(execute=True):
        assert "Are you sure" in act(client, "post", "delete_selected", one).content.decode()
        act(client, "post", "delete_selected", one, post="yes")
        client.post(page("post", "delete", two.pk), {"post": "yes"})
    assert not Post.objects.exists()
    assert not Photo.objects.filter(pk__in=[photo.pk for photo in photos]).exists()
    assert files_of(photos) == [False] * 4
    assert LogEntry.objects.filter(action_flag=3).count() == 2


def test_a_deleted_dress_takes_its_files_with_it_but_not_those_of_others(
    client: Client, ada: Employee, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    dress, other = make_dress(photos=2), make_dress()
    kept = dress.photos.first().photo
    make_post(photo=kept)
    gone = dress.photos.last().photo
    with django_capture_on_commit_callbacks(execute=True):
        act(client, "dress", "delete_selected", dress, post="yes")
        client.post(page("dress", "delete", other.pk), {"post": "yes"})
    assert not Dress.objects.exists()
    assert files_of([gone]) == [False] * 2
    assert files_of([kept]) == [True] * 2
    assert Photo.objects.count() == 1


def test_a_dress_that_was_proposed_cannot_be_deleted_only_retired(client: Client, ada: Employee) -> None:
    dress = make_dress()
    a_proposed_post([dress])
    answer = client.post(page("dress", "delete", dress.pk), {"post": "yes"})
    assert "protected" in answer.content.decode()
    assert Dress.objects.filter(pk=dress.pk).exists()


# The pages themselves


def test_the_first_page_says_what_waits(client: Client, ada: Employee) -> None:
    make_post(state="set_aside", trouble="It broke.")
    a_settled_post(make_dress())
    html = client.get(reverse("admin:index")).content.decode()
    links = re.findall(r'<a href="([^"]+)"><b>', html)
    assert {client.get(unescape(link)).status_code for link in links} == {200}
    assert reverse("admin:verify_clear") in links
    assert page("post") + "?state__exact=set_aside" in html


def test_a_verdict_alone_does_not_give_back_rights_that_were_taken_meanwhile(
    client: Client, ada: Employee
) -> None:
    dress = make_dress()
    post = a_settled_post(dress)
    assert (
        'name="initial-rights" value="granted"'
        in client.get(page("post", "change", post.pk)).content.decode()
    )
    Post.objects.update(rights="revoked")
    data = {"rights": "granted", "initial-rights": "granted", "verdict": "not_a_dress"}
    client.post(page("post", "change", post.pk), data)
    post.refresh_from_db()
    assert (post.answer, post.rights) == ("not_a_dress", "revoked")
    assert not post.rights_changes.exists()


def test_rights_that_somebody_has_set_meanwhile_are_not_set_unseen(client: Client, ada: Employee) -> None:
    post = make_post(rights="revoked")
    data = {"rights": "granted", "initial-rights": "unknown", "verdict": ""}
    answer = client.post(page("post", "change", post.pk), data)
    assert "Somebody has set it to “Revoked” meanwhile" in answer.content.decode()
    post.refresh_from_db()
    assert post.rights == "revoked"
