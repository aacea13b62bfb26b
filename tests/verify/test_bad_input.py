"""Whatever comes in, there is an answer in words and nothing is lost."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as project_settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests import make
from verify import queue, rotation
from verify.models import Answer, Batch, Dress, Employee, Flag, Lease, Nomination, Post, Team, Vote

pytestmark = pytest.mark.django_db


@pytest.fixture
def dresses() -> list[Dress]:
    return [make.make_dress() for _ in range(3)]


@pytest.fixture
def batch() -> Batch:
    return make.make_batch(opened_at=timezone.now() - timedelta(hours=1))


@pytest.fixture
def posts(batch: Batch, dresses: list[Dress]) -> list[Post]:
    return make.make_open_posts(6, batch, dresses)


@pytest.fixture
def client(ann: Employee) -> Client:
    client = Client()
    client.force_login(ann)
    return client


def first_card(client: Client) -> Lease:
    pk = re.search(r'data-lease="(\d+)"', client.get("/").content.decode())[1]
    return Lease.objects.get(pk=pk)


def send(client: Client, lease: int, choice: object, **more: object) -> Any:
    data = {"lease": lease, "choice": choice, **more}
    return client.post(reverse("vote"), data, headers={"HX-Request": "true"})


def settle(lease: Lease) -> None:
    lease.post.override(Answer.NOT_A_DRESS, None, make.make_admin())


def freeze_and_expire(lease: Lease) -> None:
    Batch.objects.get().freeze(timezone.now() - timedelta(hours=1))
    Lease.objects.update(expires_at=timezone.now() - timedelta(minutes=1))


def expire_and_take(lease: Lease) -> None:
    Lease.objects.update(expires_at=timezone.now() - timedelta(minutes=1))
    Post.objects.filter(pk=lease.post_id).update(votes_needed=0)


def delete(lease: Lease) -> None:
    lease.post.delete()


def propose_anew(lease: Lease) -> None:
    other = make.make_suggestion(lease.post, list(Dress.objects.all()))
    Post.objects.filter(pk=lease.post_id).update(suggestion=other)


@pytest.mark.parametrize(
    ("happens", "sentence"),
    [
        (settle, "Your colleagues have settled this one"),
        (freeze_and_expire, "last night’s photos have been put away"),
        (expire_and_take, "colleagues took it over"),
        (delete, "That card is not yours, or it is gone"),
        (propose_anew, "colleagues took it over"),
    ],
)
def test_a_card_that_can_no_longer_be_answered_is_exchanged_with_a_word(
    client: Client, posts: list[Post], happens: Callable[[Lease], None], sentence: str
) -> None:
    lease = first_card(client)
    happens(lease)
    response = send(client, lease.pk, "not_a_dress")
    assert response.status_code == 409
    assert sentence in response.content.decode()
    assert not Vote.objects.exists()


def test_only_an_option_of_the_card_can_be_chosen(
    client: Client, posts: list[Post], dresses: list[Dress]
) -> None:
    lease = first_card(client)
    for choice in (make.make_dress().pk, 999_999):
        response = send(client, lease.pk, choice)
        assert response.status_code == 409
        assert "not one of the answers on this card" in response.content.decode()
    assert not Vote.objects.exists()


@pytest.mark.parametrize("viewed", ["-5", "86400000", "999999999999", "soon", "", "1e9", "٣", "2.5"])
def test_a_clock_that_is_wrong_costs_no_vote(client: Client, posts: list[Post], viewed: str) -> None:
    assert send(client, first_card(client).pk, "not_a_dress", viewed=viewed).status_code == 200
    assert Vote.objects.get().viewed_ms is None


def test_how_long_a_card_was_looked_at_is_kept(client: Client, posts: list[Post]) -> None:
    send(client, first_card(client).pk, "not_a_dress", viewed="2345")
    assert Vote.objects.get().viewed_ms == 2345


CHANGES = ["vote", "undo", "change", "name", "flag", "nominate"]


@pytest.mark.parametrize("door", CHANGES)
def test_who_may_only_look_changes_nothing(posts: list[Post], door: str) -> None:
    reader, client = make.make_employee("rita", read_only=True), Client()
    client.force_login(reader)
    lease = Lease.objects.create(
        post=posts[0],
        employee=reader,
        suggestion=posts[0].suggestion,
        created_at=timezone.now(),
        expires_at=timezone.now() + project_settings.LEASE,
    )
    data = {"lease": lease.pk, "choice": "not_a_dress", "reason": "other", "post": posts[0].pk, "vote": 1}
    assert client.post(reverse(door), data, headers={"HX-Request": "true"}).status_code == 403
    assert client.post(reverse(door), data).status_code == 403
    assert not any(model.objects.exists() for model in (Vote, Flag, Nomination))


def test_who_may_only_look_gets_a_page_without_cards(posts: list[Post]) -> None:
    reader, client = make.make_employee("rita", read_only=True), Client()
    client.force_login(reader)
    page = client.get("/")
    assert page.status_code == 200
    assert "data-lease" not in page.content.decode()
    assert not Lease.objects.exists()


@pytest.mark.parametrize("door", CHANGES)
def test_a_stranger_and_somebody_deactivated_are_sent_to_log_in(
    client: Client, ann: Employee, door: str
) -> None:
    Employee.objects.filter(pk=ann.pk).update(is_active=False)
    for browser in (client, Client()):
        scripted = browser.post(reverse(door), {}, headers={"HX-Request": "true"})
        assert scripted["HX-Redirect"] == reverse("login")
        assert browser.post(reverse(door), {}).url == reverse("login")


@pytest.mark.parametrize("door", CHANGES)
@pytest.mark.parametrize("token", ["", "forged", "A" * 64])
def test_a_forged_token_opens_no_door(ann: Employee, door: str, token: str) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(ann)
    assert client.post(reverse(door), {}, headers={"X-CSRFToken": token}).status_code == 403


@pytest.mark.parametrize(
    ("door", "data"),
    [
        ("change", {}),
        ("change", {"vote": "x", "choice": "not_a_dress"}),
        ("change", {"vote": "1", "choice": "skip"}),
        ("change", {"vote": str(2**70), "choice": "not_a_dress"}),
        ("name", {"vote": "1"}),
        ("name", {"vote": "1", "dress": "nonsense"}),
        ("name", {"vote": "1", "dress": str(2**70)}),
        ("flag", {"lease": "1", "reason": "because"}),
        ("flag", {"reason": "other"}),
        ("nominate", {}),
        ("nominate", {"post": "-1"}),
    ],
)
def test_what_is_none_of_the_buttons_is_a_bad_request(
    client: Client, door: str, data: dict[str, str]
) -> None:
    assert client.post(reverse(door), data, headers={"HX-Request": "true"}).status_code == 400


@pytest.mark.parametrize("door", ["change", "name", "flag", "nominate"])
def test_what_is_not_ones_own_is_refused_in_words(client: Client, dresses: list[Dress], door: str) -> None:
    data = {
        "vote": 2**60,
        "choice": "not_a_dress",
        "dress": dresses[0].pk,
        "lease": 2**60,
        "reason": "other",
        "post": 2**60,
    }
    response = client.post(reverse(door), data, headers={"HX-Request": "true"})
    assert response.status_code == 409
    assert re.search(r"not yours|has a place in the hall", response.content.decode())


@pytest.mark.parametrize("q", ["", "   ", "%", "\x00", "'; DROP TABLE", "é" * 500, "no such dress"])
def test_any_words_can_be_searched_for(client: Client, dresses: list[Dress], q: str) -> None:
    assert client.get(reverse("dress_search"), {"q": q, "vote": "x"}).status_code == 200


def test_pages_of_others_votes_and_missing_dresses_are_not_there(client: Client, posts: list[Post]) -> None:
    ben = make.make_employee("ben")
    theirs = queue.vote(ben, queue.hand_out(ben)[0].pk, Answer.NONE_OF_THESE)
    assert client.get(reverse("name_page", args=[theirs.pk])).status_code == 404
    assert client.get(reverse("dress_photos", args=[2**40])).status_code == 404
    assert client.get(f"/?cast={theirs.pk}").status_code == 200
    assert client.get("/?cast=x&known=²").status_code == 200


# Admins' words


@pytest.fixture
def ada() -> Client:
    """An admin's browser."""
    ada = Client()
    ada.force_login(make.make_admin("ada"))
    return ada


AUTOCOMPLETE = {"app_label": "verify", "model_name": "post", "field_name": "dress"}


def test_a_nul_byte_in_an_admins_words_is_left_out(ada: Client, posts: list[Post], ann: Employee) -> None:
    aurora = make.make_dress(title="Aurora")
    posts[0].dispute("Nobody knows.")
    found = ada.get(reverse("admin:verify_decide"), {"q": "\0auro\0ra"}).context["found"]
    assert [choice.label for choice in found] == ["Aurora"]
    assert ada.get(reverse("admin:verify_decide"), {"q": "\0"}).context["found"] == []
    answer = ada.get(reverse("admin:autocomplete"), {**AUTOCOMPLETE, "term": "auro\0ra"})
    assert [row["id"] for row in answer.json()["results"]] == [str(aurora.pk)]
    ada.post(reverse("admin:verify_voter_mute", args=[ann.pk]), {"reason": "Guesses\0."})
    assert ann.reliability.muted_because == "By Ada: Guesses."


@pytest.mark.parametrize(
    "query", ["q", "answer__exact", "rights__exact", "state__exact", "external_id", "votes", "o", "p"]
)
def test_a_nul_byte_in_the_address_of_an_admins_list_is_no_error(
    ada: Client, posts: list[Post], query: str
) -> None:
    assert ada.get(reverse("admin:verify_post_changelist"), {query: "\0"}, follow=True).status_code == 200


@pytest.mark.parametrize("field", ["text", "file"])
def test_a_nul_byte_in_a_list_of_people_invites_nobody(ada: Client, field: str) -> None:
    csv = "name,e-mail,team\nBo\0,bo@office.example,Blue\n"
    before = Employee.objects.count()
    sent = SimpleUploadedFile("people.csv", csv.encode()) if field == "file" else csv
    assert ada.post(reverse("admin:verify_employee_invite"), {field: sent}).status_code == 200
    assert Employee.objects.count() == before


def test_a_nul_byte_in_an_admins_form_is_refused_in_words(ada: Client, posts: list[Post]) -> None:
    dress = Dress.objects.first()
    forms = {
        reverse("admin:verify_team_add"): {"name": "Blue\0"},
        reverse("admin:verify_dress_change", args=[dress.pk]): {"title": "Aurora\0"},
        reverse("admin:verify_post_change", args=[posts[0].pk]): {"verdict": "not_a_dress\0"},
        reverse("admin:verify_look_changelist"): {"action": "clear\0"},
        reverse("admin:verify_decide"): {"post": posts[0].pk, "choice": "not_a_dress\0"},
        reverse("admin:verify_clear"): {"look": "1\0", "decision": "cleared"},
    }
    for url, data in forms.items():
        assert ada.post(url, data).status_code in (200, 302, 400), url
    assert not Post.objects.filter(state="settled").exists()


# A changing world


def test_a_voter_who_leaves_takes_no_vote_along(client: Client, ann: Employee, posts: list[Post]) -> None:
    send(client, first_card(client).pk, "not_a_dress")
    post = Vote.objects.get().post
    ann.delete()
    vote = Vote.objects.get()
    assert (vote.employee, vote.post.votes_cast) == (None, 1)
    post.refresh_from_db()
    post.recount(timezone.now())
    assert post.votes_cast == 1
    assert client.get("/").url.startswith("/login/")


def test_a_team_is_renamed_in_the_middle_of_lunch(client: Client, ann: Employee, posts: list[Post]) -> None:
    lease = first_card(client)
    Team.objects.filter(pk=ann.team_id).update(name="Atelier")
    assert send(client, lease.pk, "not_a_dress").status_code == 200
    assert "Atelier" in client.get("/").content.decode()


def test_a_dress_retires_while_its_card_is_on_a_screen(client: Client, posts: list[Post]) -> None:
    lease = first_card(client)
    option = lease.suggestion.options.first()
    option.dress.retire()
    assert send(client, lease.pk, option.dress_id).status_code == 200
    assert Vote.objects.get().option == option


def test_a_batch_without_posts_is_a_batch_at_its_end(client: Client, batch: Batch) -> None:
    page = client.get("/")
    assert page.status_code == 200
    assert "data-lease" not in page.content.decode()
    rotation.rotate()
    assert client.get("/").status_code == 200
