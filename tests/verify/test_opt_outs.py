"""The public page for photos that should go, and what a stranger cannot do with it."""

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from tests.make import make_admin, make_dress, make_look, make_post
from tests.verify.curation import act
from verify import opt_outs
from verify.models import Employee, Look, Notice, OptOut, Post
from verify.views.opt_out import OptOutThrottle

pytestmark = pytest.mark.django_db
PAGE = "/privacy/opt-out/"
RUBYS = "https://www.instagram.com/p/ruby1/"


@pytest.fixture
def ada(client: Client) -> Employee:
    ada = make_admin("ada")
    client.force_login(ada)
    return ada


def ask(client: Client, **told: str) -> Any:
    return client.post(PAGE, {"email": "ruby@x.example", **told})


def ruby_asks(**told: str) -> OptOut:
    values = {"permalink": "", "handle": "ruby", "email": "ruby@x.example", "words": "", **told}
    return opt_outs.ask(**values, now=timezone.now())


def test_the_right_name_hides_at_once(client: Client) -> None:
    dress = make_dress()
    look, other = make_look(dress, username="Ruby", permalink=RUBYS), make_look(dress, username="pearl")
    answer = ask(client, permalink=f"{RUBYS}?igsh=1", handle="@ruby")
    assert (answer.status_code, answer["Location"]) == (302, "/privacy/opt-out/done/")
    assert set(Look.objects.public()) == {other}
    assert list(OptOut.objects.get().hidden.all()) == [look.post]
    assert Notice.objects.get().kind == "opt_out"
    assert "We have your request" in client.get(answer["Location"]).content.decode()


@pytest.mark.parametrize(
    "told",
    [
        {"permalink": RUBYS},
        {"permalink": RUBYS, "handle": "mallory"},
        {"permalink": "https://www.instagram.com/p/other/", "handle": "ruby"},
    ],
)
def test_a_stranger_hides_nothing_and_learns_nothing(client: Client, told: dict[str, str]) -> None:
    look = make_look(make_dress(), username="ruby", permalink=RUBYS)
    assert ask(client, **told)["Location"] == "/privacy/opt-out/done/"
    assert look in Look.objects.public()
    assert OptOut.objects.open().count() == 1


def test_what_has_no_known_owner_waits_for_an_admin(client: Client) -> None:
    look = make_look(make_dress(), username="", permalink=RUBYS)
    ask(client, permalink=RUBYS, handle="ruby")
    assert look in Look.objects.public()


def test_the_name_alone_means_all_of_them(client: Client) -> None:
    dress = make_dress()
    for _ in range(3):
        make_look(dress, username="ruby")
    ask(client, handle="RUBY")
    assert not Look.objects.public().exists()


def test_so_many_a_day_and_the_rest_waits(settings: Any) -> None:
    settings.OPT_OUTS_AT_ONCE = 2
    dress = make_dress()
    for _ in range(3):
        make_look(dress, username="ruby")
    make_look(dress, username="pearl")
    ruby_asks()
    ruby_asks(handle="pearl")
    assert Look.objects.public().count() == 2


def test_an_admin_deletes_what_was_named(client: Client, ada: Employee) -> None:
    dress = make_dress()
    for _ in range(2):
        make_look(dress, username="ruby")
    stays = make_look(dress, username="pearl")
    row = ruby_asks()
    page = act(client, "optout", "erase", row).content.decode()
    assert "Deleted: " in page
    assert list(Post.objects.all()) == [stays.post]
    row.refresh_from_db()
    assert (row.outcome, row.closed_by) == ("erased", ada)


def test_an_admin_shows_again_and_it_is_not_hidden_twice(client: Client, ada: Employee) -> None:
    look = make_look(make_dress(), username="ruby")
    row = ruby_asks()
    assert look not in Look.objects.public()
    act(client, "optout", "keep", row)
    assert look in Look.objects.public()
    ruby_asks()
    assert look in Look.objects.public()


def test_what_another_open_request_hides_stays_hidden(ada: Employee) -> None:
    look = make_look(make_dress(), username="ruby")
    first, second = ruby_asks(), ruby_asks()
    assert opt_outs.reject(first, ada, timezone.now()) == 0
    assert look not in Look.objects.public()
    assert opt_outs.reject(second, ada, timezone.now()) == 1


def test_what_is_hidden_twice_counts_once(settings: Any) -> None:
    settings.OPT_OUTS_AT_ONCE = 2
    dress = make_dress()
    for name in ("ruby", "pearl"):
        make_look(dress, username=name)
    ruby_asks(), ruby_asks(), ruby_asks(handle="pearl")
    assert not Look.objects.public().exists()


def test_rejecting_shows_nothing_that_is_gone_for_another_reason(ada: Employee) -> None:
    look = make_look(make_dress(), username="ruby")
    row = ruby_asks()
    Post.objects.filter(pk=look.post_id).update(hidden_because="gone")
    assert opt_outs.reject(row, ada, timezone.now()) == 0
    assert look not in Look.objects.public()


def test_a_program_that_fills_in_everything_is_thanked_and_ignored(client: Client) -> None:
    look = make_look(make_dress(), username="ruby")
    assert ask(client, handle="ruby", website="https://spam.example").status_code == 302
    assert look in Look.objects.public()
    assert not OptOut.objects.exists()


def test_many_in_an_hour_wait(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(OptOutThrottle, "rate", "2/hour")
    answers = [ask(client, handle="ruby") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [302, 302, 429]
    assert "Please wait an hour" in answers[-1].content.decode()


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({}, "Tell us the address of the post, or your user name."),
        ({"handle": " @ "}, "Tell us the address of the post, or your user name."),
        ({"permalink": "my photo"}, "not an address of a post"),
        ({"handle": "ruby", "email": "ruby"}, "email-error"),
        ({"permalink": "instagram.com/p/x", "words": "a\0b", "email": "x"}, "email-error"),
    ],
)
def test_what_is_missing_or_wrong_is_said(client: Client, told: dict[str, str], said: str) -> None:
    page = ask(client, **told).content.decode()
    assert said in page
    assert not OptOut.objects.exists()


def test_admins_see_each_request(client: Client, ada: Employee) -> None:
    make_post(username="ruby")
    row = ruby_asks(words="<script>alert(1)</script>")
    page = client.get(f"/admin/verify/optout/{row.pk}/change/").content.decode()
    assert "<script>alert" not in page
    assert "ruby@x.example" in page
