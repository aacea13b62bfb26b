"""A genuine CSRF token at the wrong place or time: another session's, or one from before a log-out."""

import re
from http.cookies import SimpleCookie

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from tests.make import make_admin, make_employee, make_post
from verify.models import Employee, Leave, Post

pytestmark = pytest.mark.django_db
DOORS = ["leave_add", "admin:verify_decide"]  # the portal's and the admin's


@pytest.fixture
def post() -> Post:
    """Disputed, so that an admin may decide it."""
    return make_post(state=Post.State.DISPUTED)


@pytest.fixture
def ada() -> Employee:
    return make_admin("ada")


def browser(employee: Employee) -> Client:
    client = Client(enforce_csrf_checks=True)
    log_in(client, employee)
    return client


def log_in(client: Client, employee: Employee) -> None:
    data = {"username": employee.username, "password": "a-long-passphrase"}
    token = token_on(client, "login")
    assert client.post(reverse("login"), {**data, "csrfmiddlewaretoken": token}).url == reverse("play")


def log_out(client: Client, token: str) -> None:
    assert client.post(reverse("logout"), {"csrfmiddlewaretoken": token}).url == reverse("login")


def token_on(client: Client, page: str = "me") -> str:
    html = client.get(reverse(page)).content.decode()
    return re.search(r'csrfmiddlewaretoken" value="(\w+)"', html)[1]


def send(client: Client, door: str, post: Post, token: str) -> HttpResponse:
    leave = {"first_day": "2026-12-21", "last_day": "2026-12-24"}
    verdict = {"post": post.pk, "choice": "not_a_dress"}
    return client.post(reverse(door), {**leave, **verdict, "csrfmiddlewaretoken": token})


def is_stored(post: Post) -> bool:
    post.refresh_from_db()
    return Leave.objects.exists() or post.state == Post.State.SETTLED


@pytest.mark.parametrize("door", DOORS)
def test_the_token_of_ones_own_session_opens(ada: Employee, post: Post, door: str) -> None:
    client = browser(ada)
    assert send(client, door, post, token_on(client)).status_code == 302
    assert is_stored(post)


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("whose", ["ada", "mallory"])
def test_the_token_of_another_session_does_not(ada: Employee, post: Post, door: str, whose: str) -> None:
    elsewhere = browser(ada if whose == "ada" else make_employee(whose))
    assert send(browser(ada), door, post, token_on(elsewhere)).status_code == 403
    assert not is_stored(post)


@pytest.mark.parametrize("door", DOORS)
def test_nor_does_a_token_from_before_a_log_out(ada: Employee, post: Post, door: str) -> None:
    client = browser(ada)
    token = token_on(client)
    log_out(client, token)
    assert send(client, door, post, token)["Location"].partition("?")[0].endswith("/login/")
    log_in(client, ada)
    assert send(client, door, post, token).status_code == 403
    assert not is_stored(post)


@pytest.mark.parametrize("door", DOORS)
def test_nor_do_the_cookies_of_a_session_that_has_ended(ada: Employee, post: Post, door: str) -> None:
    client = browser(ada)
    token, cookies = token_on(client), SimpleCookie(client.cookies)
    log_out(client, token)
    client.cookies = cookies
    assert send(client, door, post, token)["Location"].partition("?")[0].endswith("/login/")
    assert not is_stored(post)
