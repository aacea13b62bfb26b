"""The hall of fame: what hangs there, in which order, and for whom."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from tests import make
from verify import fame
from verify.models import Dress, Employee, Flag, Nomination, Post

pytestmark = pytest.mark.django_db


@pytest.fixture
def people() -> list[Employee]:
    return [make.make_employee(name) for name in ("ann", "ben", "cem")]


@pytest.fixture
def client(people: list[Employee]) -> Client:
    client = Client()
    client.force_login(people[0])
    return client


def exhibit(*admirers: Employee, **fields: Any) -> Post:
    """A post that turned out not to be a dress, nominated by these people."""
    now = timezone.now()
    values = {"state": "settled", "answer": "not_a_dress", "confidence": 0.99, "settled_at": now, **fields}
    post = make.make_post(**values)
    for admirer in admirers:
        Nomination.objects.create(post=post, employee=admirer, created_at=now)
    return post


def test_the_most_nominated_hang_first_then_the_newest(people: list[Employee]) -> None:
    ann, ben, cem = people
    old = exhibit(ann, settled_at=timezone.now() - timedelta(days=3))
    new, best = exhibit(ben), exhibit(ann, ben, cem)
    wall = list(fame.wall(ann))
    assert wall == [best, new, old]
    assert [(post.hearts, post.is_mine) for post in wall] == [(3, True), (1, False), (1, True)]


def test_a_deleted_colleague_s_heart_stays(people: list[Employee]) -> None:
    post = exhibit(*people)
    people[2].delete()
    [hung] = fame.wall(people[0])
    assert (hung, hung.hearts) == (post, 3)


@pytest.mark.parametrize("rights", ["refused", "revoked"])
def test_who_said_no_does_not_hang(people: list[Employee], rights: str) -> None:
    exhibit(*people, rights=rights)
    assert not fame.wall(people[0])


@pytest.mark.parametrize(("reason", "hangs"), [("child", False), ("offensive", False), ("bad_photo", True)])
def test_what_was_flagged_as_unfit_does_not_hang(people: list[Employee], reason: str, hangs: bool) -> None:
    post = exhibit(*people)
    Flag.objects.create(post=post, employee=people[1], reason=reason, created_at=timezone.now())
    assert fame.wall(people[0]).exists() is hangs


def test_only_settled_as_not_a_dress_and_nominated(people: list[Employee]) -> None:
    exhibit()
    exhibit(*people, state="proposed", answer="", settled_at=None, confidence=None)
    exhibit(*people, answer="none_of_these")
    dress: Dress = make.make_dress()
    exhibit(*people, answer="dress", dress=dress)
    assert not fame.wall(people[0])


def test_the_page_has_a_heart_to_give_once(client: Client, people: list[Employee]) -> None:
    post = exhibit(people[1])
    html = client.get(reverse("hall_of_fame")).content.decode()
    assert "Give No. 1 a heart: it has 1" in html
    assert post.photo.large_url in html
    given = client.post(reverse("nominate"), {"post": post.pk, "next": "hall"})
    assert (given.status_code, given.url) == (302, reverse("hall_of_fame"))
    html = client.get(reverse("hall_of_fame")).content.decode()
    assert "Give No. 1" not in html
    assert "2 hearts, yours among them" in html


def test_who_only_reads_gives_no_heart(client: Client, people: list[Employee]) -> None:
    exhibit(people[1])
    Employee.objects.filter(pk=people[0].pk).update(read_only=True)
    html = client.get(reverse("hall_of_fame")).content.decode()
    assert "1 heart" in html
    assert "<form" not in html.split('id="main"')[1]


def test_pages(client: Client, people: list[Employee]) -> None:
    for _ in range(17):
        exhibit(people[1])
    first = client.get(reverse("hall_of_fame")).content.decode()
    assert len(re.findall('class="exhibit', first)) == 15
    assert 'rel="next" href="?page=2"' in first
    second = client.get(reverse("hall_of_fame"), {"page": "2"}).content.decode()
    assert re.findall(r"<b>No\. (\d+)</b>", second) == ["16", "17"]
    for nonsense in ("x", "-1", "99999", "\0"):
        assert client.get(reverse("hall_of_fame"), {"page": nonsense}).status_code == 200


def test_bare_walls_say_what_to_do(client: Client) -> None:
    assert "The walls are bare." in client.get(reverse("hall_of_fame")).content.decode()


def test_for_colleagues_only() -> None:
    assert Client().get(reverse("hall_of_fame")).url == "/login/?next=/hall-of-fame/"


def test_many_cost_what_one_costs(client: Client, people: list[Employee]) -> None:
    def statements() -> int:
        with CaptureQueriesContext(connection) as queries:
            client.get(reverse("hall_of_fame"))
        return len(queries)

    exhibit(people[1])
    one = statements()
    for _ in range(5):
        exhibit(*people)
    assert statements() == one
