"""Who may open the game's pages, and send an answer."""

import re

import pytest
from django.test import Client
from django.urls import reverse

from tests import make
from tests.verify.turns import answer, cards
from verify.models import Employee, Post, Vote

pytestmark = pytest.mark.django_db
PAGES = ["play", "leaderboard", "password_change"]


@pytest.fixture
def posts() -> list[Post]:
    return make.make_open_posts(1, make.make_batch(), [make.make_dress()])


@pytest.fixture
def client(ann: Employee) -> Client:
    client = Client()
    client.force_login(ann)
    return client


@pytest.mark.parametrize("page", PAGES)
def test_a_stranger_is_asked_to_log_in(page: str) -> None:
    response = Client().get(reverse(page))
    assert (response.status_code, response.url) == (302, f"/login/?next={reverse(page)}")


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("is_admin", [False, True])
def test_employees_and_admins_see_the_portal(page: str, is_admin: bool) -> None:
    client = Client()
    client.force_login(make.make_admin() if is_admin else make.make_employee())
    response = client.get(reverse(page))
    assert response.status_code == 200
    assert (reverse("admin:index") in response.content.decode()) == is_admin


@pytest.mark.parametrize("page", PAGES)
def test_a_deactivated_employee_is_out_at_once(client: Client, ann: Employee, page: str) -> None:
    ann.is_active = False
    ann.save()
    assert client.get(reverse(page)).url.startswith("/login/")


@pytest.mark.parametrize("name", ["vote", "undo"])
def test_nobody_votes_without_being_logged_in(posts: list[Post], name: str) -> None:
    plain = Client().post(reverse(name), {"lease": 1, "choice": "skip"})
    assert (plain.status_code, plain.url) == (302, "/login/")
    scripted = Client().post(reverse(name), {}, headers={"HX-Request": "true"})
    assert scripted["HX-Redirect"] == "/login/"
    assert not Vote.objects.exists()


def test_a_deactivated_employee_cannot_vote_on_the_card_in_hand(
    client: Client, ann: Employee, posts: list[Post]
) -> None:
    lease = cards(client.get("/"))[0]
    Employee.objects.filter(pk=ann.pk).update(is_active=False)
    assert answer(client, lease, "not_a_dress")["HX-Redirect"] == "/login/"
    assert not Vote.objects.exists()


@pytest.mark.parametrize("name", ["vote", "undo"])
def test_turns_are_posts_with_a_csrf_token(ann: Employee, name: str) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(ann)
    assert client.get(reverse(name)).status_code == 405
    response = client.post(reverse(name), {"lease": 1, "choice": "skip"})
    assert response.status_code == 403
    assert "open for too long" in response.content.decode()


def test_the_token_may_come_in_a_header(ann: Employee, posts: list[Post]) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(ann)
    page = client.get("/")
    token = re.search(r'"X-CSRFToken": "(\w+)"', page.content.decode())[1]
    headers = {"HX-Request": "true", "X-CSRFToken": token}
    response = client.post("/vote/", {"lease": cards(page)[0], "choice": "skip"}, headers=headers)
    assert response.status_code == 200
