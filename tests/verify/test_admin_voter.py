"""A voter's page in the admin: what is known, whether the votes count, and who may still log in."""

import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.make import make_batch, make_dress, make_employee
from tests.verify.curation import a_proposed_post, a_vote, page
from verify.admin.record import POINTS, density
from verify.models import Dress, Employee, GoldAnswer, Notice, Reliability, Vote

pytestmark = pytest.mark.django_db


@pytest.fixture
def dresses() -> list[Dress]:
    return [make_dress(title=title) for title in ("Zinnia", "Bellis", "Calla")]


def voter(name: str, employee: Employee) -> str:
    return reverse(f"admin:verify_voter{name}", args=[employee.pk])


def test_a_voters_page_tells_the_record(client: Client, ada: Employee, dresses: list[Dress]) -> None:
    vera = make_employee("vera")
    for right in (True, False):
        post = a_proposed_post(dresses)
        option = post.suggestion.options.get(dress=dresses[0])
        a_vote(post, "dress", option, vera)
        post.override("dress", dresses[0] if right else dresses[1], ada)
        Vote.objects.filter(post=post).update(right=right)
    GoldAnswer.objects.create(
        post=post, employee=vera, training=False, answer="not_a_dress", right=True, created_at=timezone.now()
    )
    Reliability.objects.create(
        employee=vera, right=9, wrong=2, estimate=0.89, low=0.6, high=0.97, gold_seen=1, gold_right=1
    )
    answer = client.get(voter("", vera))
    facts = {name: cell for name, cell, _ in answer.context["facts"]}
    assert facts["votes"].text == "2"
    assert facts["agree with the verdict"].text == "50%"
    assert facts["gold right"].text == "1 of 1"
    [confusion] = answer.context["confusions"]
    assert (confusion["said"], confusion["verdict"], confusion["count"]) == ("Zinnia", "Bellis", 1)
    html = answer.content.decode()
    content = html[html.index('<ul class="facts">') :]
    for url in set(re.findall(r'href="([^"]+)"', content)):
        assert client.get(unescape(url)).status_code == 200, url
    assert client.get(unescape(confusion["url"])).context["cl"].result_count == 1
    for cell in (facts["votes"], facts["gold right"]):
        count = client.get(cell.url).context["cl"].result_count
        assert count == int(cell.text.split()[0])


def test_every_number_of_a_voters_page_is_a_link(client: Client, ada: Employee) -> None:
    vera = make_employee("vera")
    a_vote(a_proposed_post([make_dress()]), "not_a_dress", employee=vera)
    Reliability.objects.create(employee=vera, right=9, wrong=2, estimate=0.89)
    html = client.get(voter("", vera)).content.decode()
    rows = re.findall(r"<tr><td>(.*?)</tr>", html)
    assert len(rows) == POINTS + 1
    cells = [cell for row in rows for cell in row.split("<td>")[1:]]
    assert [cell for cell in cells if re.search(r"\d", cell) and "<a " not in cell] == []


def test_the_reliability_leads_to_ones_own(client: Client, ada: Employee) -> None:
    rows = [Reliability.objects.create(employee=make_employee(name)) for name in ("ann", "anna")]
    facts = {name: cell for name, cell, _ in client.get(voter("", rows[0].employee)).context["facts"]}
    assert list(client.get(facts["reliability"].url).context["cl"].result_list) == rows[:1]


def test_the_mean_is_told_beside_the_likeliest_value(client: Client, ada: Employee) -> None:
    vera = make_employee("vera")
    Reliability.objects.create(employee=vera, right=6, wrong=2, estimate=0.83)
    html = client.get(voter("", vera)).content.decode()
    assert "Most likely 83%, on average 75%" in html
    assert "mean 75%" in html


def test_a_longer_record_asks_no_more_of_the_database(
    client: Client, ada: Employee, dresses: list[Dress], django_assert_max_num_queries: Callable[..., Any]
) -> None:
    vera = make_employee("vera")
    Reliability.objects.create(employee=vera, right=9, wrong=2, estimate=0.89)

    def more() -> None:
        post = a_proposed_post(dresses)
        cast = a_vote(post, "dress", post.suggestion.options.get(dress=dresses[0]), vera)
        post.override("dress", dresses[1 + cast.pk % 2], ada)
        days = timedelta(days=vera.votes.count())
        vera.votes.filter(pk=cast.pk).update(right=False, created_at=timezone.now() - days)

    more()
    client.get(voter("", vera))
    with django_assert_max_num_queries(20) as first:
        client.get(voter("", vera))
    for _ in range(5):
        more()
    with django_assert_max_num_queries(len(first)):
        assert len(client.get(voter("", vera)).context["figures"][1].rows) == 6


def test_the_density_of_a_posterior_is_one() -> None:
    points = density(9.5, 2.5)
    assert sum(y for _, y in points) / len(points) == pytest.approx(1, abs=1e-3)
    mean = sum(x * y for x, y in points) / len(points)
    assert mean == pytest.approx(9.5 / 12, abs=1e-3)
    assert sum(y for _, y in density(5000, 3)) > 0


def test_a_new_colleague_has_a_page(client: Client, ada: Employee) -> None:
    html = client.get(voter("", make_employee("nova"))).content.decode()
    assert "The next re-fit at night" in html
    assert "No vote in the last eight weeks." in html


def test_no_interval_is_told_before_the_first_re_fit(client: Client, ada: Employee) -> None:
    vera = make_employee("vera")
    row = Reliability.objects.create(employee=vera, estimate=0.88)
    for url in (voter("", vera), reverse("admin:index")):
        html = client.get(url).content.decode()
        assert "not fitted yet" in html
        assert "0% to 100%" not in html
    Reliability.objects.filter(pk=row.pk).update(low=0.71, high=0.95, fitted_at=timezone.now())
    for url in (voter("", vera), reverse("admin:index")):
        assert "71% to 95%" in client.get(url).content.decode()


def test_votes_are_muted_and_count_again(client: Client, ada: Employee) -> None:
    vera = make_employee("vera")
    client.post(voter("_mute", vera), {"reason": "Presses 1 whatever is shown."})
    row = Reliability.objects.get(employee=vera)
    assert row.muted_because == "By Ada: Presses 1 whatever is shown."
    assert "weigh nothing" in client.get(voter("", vera)).content.decode()
    muted = client.get(page("reliability"), {"muted": "yes"}).context["cl"].result_list
    assert list(muted) == [row]
    client.post(voter("_unmute", vera))
    row.refresh_from_db()
    assert (row.muted_at, row.muted_because) == (None, "")
    assert timezone.now() - row.unmuted_at < timedelta(minutes=1)
    assert LogEntry.objects.count() == 2


def test_open_posts_are_weighed_anew_when_votes_are_muted_and_when_they_count_again(
    client: Client, ada: Employee, dresses: list[Dress]
) -> None:
    vera = make_employee("vera")
    post = a_proposed_post(dresses, batch=make_batch())
    a_vote(post, "not_a_dress", employee=vera)
    post.recount(timezone.now())
    for door, votes in (("_mute", 0), ("_unmute", 1)):
        client.post(voter(door, vera), {"reason": "Guesses."})
        post.refresh_from_db()
        assert post.votes_cast == votes
    assert not Notice.objects.exists()  # an admin who mutes knows


def test_muting_twice_keeps_the_first_reason(client: Client, ada: Employee) -> None:
    vera = make_employee("vera")
    for reason in ("Guesses.", "Sleeps."):
        answer = client.post(voter("_mute", vera), {"reason": reason}, follow=True)
    assert "weighed nothing already" in answer.content.decode()
    assert Reliability.objects.get().muted_because == "By Ada: Guesses."
    assert LogEntry.objects.count() == 1


def test_who_leaves_is_deactivated_and_not_deleted(client: Client, ada: Employee) -> None:
    vera = make_employee("vera")
    client.post(voter("_active", vera), {"active": "no"})
    vera.refresh_from_db()
    assert not vera.is_active
    assert client.post(page("employee", "delete", vera.pk), {"post": "yes"}).status_code == 403
    client.post(voter("_active", vera), {"active": "yes"})
    vera.refresh_from_db()
    assert vera.is_active
    assert client.post(voter("_active", ada), {"active": "no"}).status_code == 403


def test_who_cannot_edit_people_cannot_deactivate_them(client: Client) -> None:
    client.force_login(make_employee("cleo", is_staff=True))
    vera = make_employee("vera")
    assert "Deactivate" not in client.get(voter("", vera)).content.decode()
    assert client.post(voter("_active", vera), {"active": "no"}).status_code == 403
    assert Employee.objects.get(pk=vera.pk).is_active
