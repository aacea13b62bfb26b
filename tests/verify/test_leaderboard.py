"""The week's boards: nobody is ranked by how much, nobody is shown who does not want to be."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from tests import make
from verify import leaderboard
from verify.models import Employee, GoldAnswer, Post, Reliability, Vote

pytestmark = pytest.mark.django_db
WEEK = timedelta(days=7)


@pytest.fixture
def posts() -> list[Post]:
    return make.make_open_posts(12)


def score(employee: Employee, posts: list[Post], *points: int | None, weeks_ago: int = 0) -> None:
    """Confirmed votes of this person with these points."""
    at = timezone.now() - weeks_ago * WEEK
    for post, earned in zip(posts, points, strict=False):
        Vote.objects.create(
            post=post,
            employee=employee,
            suggestion=post.suggestion,
            answer="not_a_dress",
            created_at=at,
            dealt_at=at,
            right=bool(earned) or earned is None,
            points=earned,
            confirmed_at=at,
        )


def since() -> datetime:
    return leaderboard.monday(timezone.now())


def team_rows() -> list[tuple[str, int, float | None, int | None]]:
    rows = leaderboard.teams(leaderboard.members(since()))
    return [(row.team.name, row.active, row.mean, row.rank) for row in rows]


def near(employee: Employee) -> list[tuple[str, int]]:
    shown = leaderboard.neighbourhood(leaderboard.members(since()), employee)
    return [(member.username, member.place.rank) for member in shown]


def page(employee: Employee) -> str:
    client = Client()
    client.force_login(employee)
    return client.get(reverse("leaderboard")).content.decode()


def test_a_week_begins_on_monday_local_time(settings: Any) -> None:
    settings.TIME_ZONE = "Pacific/Auckland"
    monday = leaderboard.monday(datetime(2026, 5, 31, 12, 30, tzinfo=UTC))  # 00:30 on 1 June there
    assert monday == datetime(2026, 5, 31, 12, tzinfo=UTC)


# Teams


def test_teams_by_the_mean_of_their_active_people(posts: list[Post]) -> None:
    for name, team, points in (
        ("ann", "Red", (30, 30)),
        ("ben", "Red", (0,)),
        ("cem", "Blue", (12, 12)),
        ("dee", "Blue", (24,)),
        ("eve", "Blue", (33,)),
    ):
        score(make.make_employee(name, team), posts, *points)
    make.make_employee("idle", "Red")
    assert team_rows() == [("Red", 2, 30.0, 1), ("Blue", 3, 27.0, 2)]


def test_equal_means_share_a_rank(posts: list[Post]) -> None:
    for name, team in (("ann", "Red"), ("ben", "Red"), ("cem", "Blue"), ("dee", "Blue")):
        score(make.make_employee(name, team), posts, 10)
    assert team_rows() == [("Blue", 2, 10.0, 1), ("Red", 2, 10.0, 1)]


def test_a_mean_of_one_is_not_shown(posts: list[Post]) -> None:
    ann = make.make_employee("ann", "Red")
    score(ann, posts, 10)
    assert team_rows() == [("Red", 1, None, None)]
    assert "a mean from 2 active colleagues on" in page(ann)


def test_who_opted_out_is_in_no_mean_and_on_no_list(posts: list[Post]) -> None:
    ann, ben, cem = (make.make_employee(name, "Red") for name in ("ann", "ben", "cem"))
    for person, points in ((ann, 10), (ben, 20), (cem, 90)):
        score(person, posts, points)
    Employee.objects.filter(pk=cem.pk).update(on_boards=False)
    assert team_rows() == [("Red", 2, 15.0, 1)]
    assert near(ann) == [("ben", 1), ("ann", 2)]
    assert near(cem) == []
    assert "Cem" not in page(ann)
    assert "You keep off the boards" in page(Employee.objects.get(pk=cem.pk))


def test_who_has_left_is_on_no_list(posts: list[Post]) -> None:
    ann, ben = make.make_employee("ann"), make.make_employee("ben", is_active=False)
    score(ann, posts, 10)
    score(ben, posts, 20)
    assert near(ann) == [("ann", 1)]


def test_people_without_a_team_have_a_neighbourhood(posts: list[Post]) -> None:
    ann = make.make_employee("ann")
    score(ann, posts, 10)
    Employee.objects.update(team=None)
    assert (team_rows(), near(ann)) == ([], [("ann", 1)])
    assert "belongs to a team" in page(Employee.objects.get(pk=ann.pk))


# People


def test_a_neighbourhood_is_three_above_and_three_below(posts: list[Post]) -> None:
    people = [make.make_employee(f"p{number:02}") for number in range(10)]
    for number, person in enumerate(people):
        score(person, posts, *[40 - 4 * number] * 10)
    assert near(people[4]) == [(f"p{number:02}", number + 1) for number in range(1, 8)]
    assert [name for name, _ in near(people[0])] == ["p00", "p01", "p02", "p03"]
    html = page(people[9])
    assert re.findall(r'class="who">(P\d\d)', html) == ["P06", "P07", "P08", "P09"]


def test_quality_and_not_quantity(posts: list[Post]) -> None:
    careful, busy = make.make_employee("careful"), make.make_employee("busy")
    score(careful, posts, 20, 20, 20)
    score(busy, posts, *[10, 0] * 6)
    assert near(careful) == [("careful", 1), ("busy", 2)]


def test_equals_share_a_rank_by_name(posts: list[Post]) -> None:
    for name in ("zoe", "ann", "ben"):
        score(make.make_employee(name), posts, 10)
    assert near(Employee.objects.get(username="ben")) == [("ann", 1), ("ben", 1), ("zoe", 1)]


def test_only_what_was_confirmed_this_week_counts(posts: list[Post]) -> None:
    ann, ben, cem = (make.make_employee(name) for name in ("ann", "ben", "cem"))
    score(ann, posts, 10, None)  # one beyond the cap
    score(ben, posts, 40, weeks_ago=1)
    score(cem, posts, 30)
    Vote.objects.filter(employee=cem).update(points=None, right=None, confirmed_at=None)
    [member] = leaderboard.members(since())
    assert (member.username, member.points, member.answers) == ("ann", 10, 1)


def test_known_cards_count_and_training_does_not(posts: list[Post]) -> None:
    ann = make.make_employee("ann")
    for post, training, right in ((posts[0], False, True), (posts[1], False, False), (posts[2], True, True)):
        GoldAnswer.objects.create(
            post=post,
            employee=ann,
            training=training,
            answer="not_a_dress",
            right=right,
            points=10 * right,
            created_at=timezone.now(),
        )
    [member] = leaderboard.members(since())
    assert (member.points, member.answers) == (10, 2)


def test_answers_worth_no_points_pull_nobody_down(posts: list[Post]) -> None:
    ann = make.make_employee("ann")
    score(ann, posts, 10)
    facts = {"employee": ann, "training": False, "answer": "not_a_dress", "created_at": timezone.now()}
    GoldAnswer.objects.create(post=posts[1], right=False, points=None, **facts)
    [member] = leaderboard.members(since())
    assert (member.points, member.answers) == (10, 1)


def test_who_is_muted_notices_nothing_and_nobody_else_sees_it(posts: list[Post]) -> None:
    """Ben's answers weigh nothing: his own board goes on, everybody else's is without him."""
    ann, ben, cem, dee = (make.make_employee(name, "Red") for name in ("ann", "ben", "cem", "dee"))
    for person in (ann, cem):
        score(person, posts, 20, 20)
    score(ben, posts, None, None)
    score(dee, posts, None)
    Vote.objects.filter(employee=ben, post=posts[1]).update(right=False)
    Reliability.objects.create(employee=ben, muted_at=timezone.now(), muted_because="Too fast.")
    assert [member.username for member in leaderboard.members(since(), ann)] == ["ann", "cem"]
    assert [member.username for member in leaderboard.members(since(), dee)] == ["ann", "cem"]
    members = leaderboard.members(since(), ben)
    assert {member.username: (member.points, member.answers) for member in members} == {
        "ann": (40, 2),
        "ben": (10, 2),
        "cem": (40, 2),
    }
    assert "As soon as one of your answers" not in page(ben)
    assert "As soon as one of your answers" in page(dee)


# The page


def test_a_pseudonym_hides_name_and_team(posts: list[Post]) -> None:
    ann = make.make_employee("ann", "Red")
    ben = make.make_employee("ben", "Blue", pseudonym="Silk Moth")
    for person in (ann, ben):
        score(person, posts, 10)
    html = page(ann)
    assert "Ben" not in html
    shown = dict(re.findall(r'class="who">(Ann|Silk Moth)(.*?)</span>', html))
    assert ("Red" in shown["Ann"], "Blue" in shown["Silk Moth"]) == (True, False)


def test_who_has_no_points_yet_is_told_how_to_get_on(posts: list[Post]) -> None:
    score(make.make_employee("ann"), posts, 10)
    html = page(make.make_employee("new"))
    assert "As soon as one of your answers" in html
    assert "Ann" not in html


def test_an_empty_week_invites() -> None:
    html = page(make.make_employee("ann"))
    assert "No answer has been confirmed yet this week." in html
    assert "Be the first" in html


def test_a_board_costs_as_much_with_many_people_as_with_few(posts: list[Post]) -> None:
    ann = make.make_employee("ann")
    score(ann, posts, 10)

    def statements() -> int:
        with CaptureQueriesContext(connection) as queries:
            leaderboard.neighbourhood(leaderboard.members(since()), ann)
        return len(queries)

    few = statements()
    for number in range(10):
        score(make.make_employee(f"p{number}"), posts, 10, 20)
    assert statements() == few == 1
