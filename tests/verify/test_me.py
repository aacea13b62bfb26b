"""The personal page: figures, looks, labels, settings."""

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from tests import make
from verify import chart, record, scoring
from verify.models import Badge, Dress, Employee, GoldAnswer, Leave, Look, Post, Vote
from verify.preferences import ProfileForm

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(ann: Employee) -> Client:
    client = Client()
    client.force_login(ann)
    return client


def vote(employee: Employee, at: datetime, right: bool | None = True, post: Post | None = None) -> Vote:
    post = post or make.make_open_posts(1)[0]
    points = None if right is None else 10 * right
    return Vote.objects.create(
        post=post,
        employee=employee,
        suggestion=post.suggestion,
        answer="not_a_dress",
        created_at=at,
        dealt_at=at,
        right=right,
        points=points,
        confirmed_at=None if right is None else at,
    )


def gold(employee: Employee, right: bool, training: bool = False) -> None:
    GoldAnswer.objects.create(
        post=make.make_post(),
        employee=employee,
        training=training,
        answer="not_a_dress",
        right=right,
        created_at=timezone.now(),
    )


def carried_look(employee: Employee, dress: Dress, cleared_at: datetime, **fields: Any) -> Look:
    """A public look with this person's right vote."""
    look = make.make_look(dress)
    Look.objects.filter(pk=look.pk).update(cleared_at=cleared_at)
    suggestion = make.make_suggestion(look.post, [dress])
    values = {
        "answer": "dress",
        "option": suggestion.options.get(),
        "created_at": cleared_at,
        "dealt_at": cleared_at,
        "right": True,
        **fields,
    }
    Vote.objects.create(post=look.post, employee=employee, suggestion=suggestion, **values)
    return look


def html(client: Client, **query: str) -> str:
    return client.get(reverse("me"), query).content.decode()


# Accuracy


def test_accuracy_is_of_judged_votes_and_known_cards(ann: Employee) -> None:
    now = timezone.now()
    for right in (True, True, False, None):
        vote(ann, now, right)
    vote(make.make_employee("ben"), now, False)
    gold(ann, True)
    gold(ann, False, training=True)
    accuracy = record.accuracy(ann)
    assert (accuracy.confirmed, accuracy.seen, accuracy.share) == (3, 4, 0.75)
    assert (accuracy.low, accuracy.high) == scoring.wilson(3, 4)
    assert accuracy.is_early


def test_the_sentence_says_no_more_than_is_known(client: Client, ann: Employee) -> None:
    assert "It begins with one photo" in html(client)
    vote(ann, timezone.now(), None)
    assert "Your answers are with your colleagues" in html(client)
    gold(ann, True)
    assert "1 of the one answer that has been checked was right." in html(client)
    assert "Too few to say more." in html(client)
    for _ in range(29):
        gold(ann, True)
    text = html(client)
    assert "30 of your 30 checked answers were right." in text
    assert "Of any hundred photos you would get between 89 and 100 right." in text


def test_the_strip_keeps_its_tick_inside() -> None:
    for confirmed in (0, 50, 100):
        strip = chart.strip(record.Accuracy(confirmed, 100, *scoring.wilson(confirmed, 100)))
        assert strip.x >= 0
        assert strip.x + strip.width <= 100.1
        assert 0 <= strip.tick <= 100 - chart.TICK


# Thirty days


def test_history_has_a_row_for_each_day(ann: Employee) -> None:
    today = date(2026, 6, 10)
    noon = datetime(2026, 6, 10, 12, tzinfo=UTC)
    for days, right in ((0, True), (0, None), (2, False), (29, True), (30, True)):
        vote(ann, noon - timedelta(days=days), right)
    days = record.history(ann, today)
    assert (len(days), days[0].date, days[-1].date) == (30, date(2026, 5, 12), today)
    assert days[-1] == record.Day(today, confirmed=1, wrong=0, open=1)
    assert days[-3] == record.Day(date(2026, 6, 8), confirmed=0, wrong=1, open=0)
    assert sum(day.votes for day in days) == 4


def test_a_day_is_the_office_s(ann: Employee, settings: Any) -> None:
    settings.TIME_ZONE = "Pacific/Auckland"
    vote(ann, datetime(2026, 6, 9, 12, 30, tzinfo=UTC))
    assert record.history(ann, date(2026, 6, 10))[-1].votes == 1


def test_bars_stand_on_the_line_and_end_at_the_top() -> None:
    days = [record.Day(date(2026, 6, 1), 30, 5, 5), record.Day(date(2026, 6, 2), 0, 0, 0)]
    drawn = chart.bars(days)
    full, empty = drawn.bars
    assert (full.rest_y, full.confirmed_y + full.confirmed) == (0, drawn.height)
    assert full.rest_y + full.rest == full.confirmed_y
    assert (empty.confirmed, empty.rest) == (0, 0)
    assert drawn.goal_y == 75
    assert chart.bars(days[1:]).most == 12  # the goal is in view on a quiet month


def test_the_table_behind_the_bars_says_the_same(client: Client, ann: Employee) -> None:
    for right in (True, True, False, None):
        vote(ann, timezone.now(), right)
    row = re.search(r"<tbody>.*?</tbody>", html(client), re.DOTALL)[0]
    assert re.findall(r"<td>(\d+)</td>", row) == ["4", "2", "1", "1"]


# Streak


def test_holidays_and_leave_break_no_streak(ann: Employee, settings: Any) -> None:
    now = datetime(2026, 6, 12, 12, tzinfo=UTC)  # a Friday
    settings.STREAK_FREEZES = 0
    for days in (0, 4):
        vote(ann, now - timedelta(days=days))
    assert record.streak(ann, now) == scoring.Streak(1, 0)
    settings.HOLIDAYS = [date(2026, 6, 9)]
    Leave.objects.create(employee=ann, first_day=date(2026, 6, 10), last_day=date(2026, 6, 11))
    assert record.streak(ann, now) == scoring.Streak(2, 0)


def test_a_day_with_known_cards_alone_counts(ann: Employee) -> None:
    gold(ann, True, training=True)
    assert record.streak(ann).length == 1


# Looks in the shop


def test_impact_is_public_looks_with_my_right_vote(client: Client, ann: Employee) -> None:
    now, dress = timezone.now(), make.make_dress(title="Ottilie")
    shown = carried_look(ann, dress, now)
    carried_look(make.make_employee("ben"), make.make_dress(title="Another"), now)
    carried_look(ann, make.make_dress(title="Disputed"), now, right=False)
    hidden = carried_look(ann, make.make_dress(title="Hidden"), now)
    Post.objects.filter(look=hidden).update(rights="revoked")
    assert list(record.looks(ann)) == [shown]
    text = html(client)
    assert "One look in the shop carries your vote" in text
    assert f'href="{reverse("product", args=[dress.sku])}"' in text
    for title in ("Another", "Disputed", "Hidden"):
        assert title not in text


def test_right_about_none_of_these_is_no_impact(ann: Employee) -> None:
    look = carried_look(ann, make.make_dress(), timezone.now())
    Vote.objects.filter(post=look.post).update(answer="none_of_these", option=None)
    assert not record.looks(ann)


def test_news_is_what_became_public_since(ann: Employee) -> None:
    now = timezone.now()
    old, new = (carried_look(ann, make.make_dress(), now - timedelta(days=days)) for days in (3, 1))
    assert record.news(ann) == [new, old]
    record.seen(ann, now - timedelta(days=2))
    ann.refresh_from_db()
    with CaptureQueriesContext(connection) as queries:
        [look] = record.news(ann)
        assert (look, look.dress.title, bool(look.post.photo.small_url)) == (new, new.dress.title, True)
    assert len(queries) == 1
    record.seen(ann, now)
    assert record.news(ann) == []


def test_news_is_told_once_where_one_plays(client: Client, ann: Employee) -> None:
    for title in ("Ottilie", "Margaux", "Calla"):
        carried_look(ann, make.make_dress(title=title), timezone.now())
    told = client.get(reverse("play")).content.decode()
    assert "Your vote put this look on the shop:" in told
    assert "Calla</a>" in told
    assert "and 2 more" in told
    assert "Your vote put this look" not in client.get(reverse("play")).content.decode()


# Labels


def test_every_badge_has_words_and_a_drawing(settings: Any) -> None:
    drawings = (settings.BASE_DIR / "dressportal/static/icons/labels.svg").read_text()
    assert set(record.LABELS) == set(scoring.AIMS) == set(re.findall(r'<symbol id="(\w+)"', drawings))


def test_earned_labels_hang_before_those_to_earn(client: Client, ann: Employee) -> None:
    now = timezone.now()
    Badge.objects.create(employee=ann, kind="lookbook", earned_at=now)
    for _ in range(3):
        vote(ann, now)
    labels = record.labels(ann)
    assert [label.kind for label in labels[:2]] == ["lookbook", "first_stitch"]
    impostor = next(label for label in labels if label.kind == "impostor")
    assert (impostor.earned_at, impostor.reached, impostor.target) == (None, 3, 10)
    text = html(client)
    assert text.index("Walking lookbook") < text.index("Still to earn") < text.index("Impostor spotted")
    assert "3 of 10" in text


def test_a_badge_of_a_kind_that_is_no_more_breaks_nothing(client: Client, ann: Employee) -> None:
    Badge.objects.create(employee=ann, kind="forgotten", earned_at=timezone.now())
    assert client.get(reverse("me")).status_code == 200


# Settings


def test_a_pseudonym_and_a_place_off_the_boards(client: Client, ann: Employee) -> None:
    response = client.post(reverse("preferences"), {"pseudonym": "  Silk   Moth "}, follow=True)
    ann.refresh_from_db()
    assert (ann.pseudonym, ann.on_boards, ann.public_name) == ("Silk Moth", False, "Silk Moth")
    assert "your colleagues see you as Silk Moth" in response.content.decode()
    client.post(reverse("preferences"), {"pseudonym": "", "on_boards": "on"})
    ann.refresh_from_db()
    assert (ann.pseudonym, ann.on_boards, ann.public_name) == ("", True, "Ann")


@pytest.mark.parametrize(
    "pseudonym",
    [
        "ben",
        "BEN",
        "Bén",
        "Ben Keller",
        "benkeller",
        "b-e-n",
        "Moth",
        "mo th",
        "x",
        "...",
        "a\u202eb",
        "y" * 41,
    ],
)
def test_a_pseudonym_is_nobody_s_name(client: Client, ann: Employee, pseudonym: str) -> None:
    make.make_employee("ben", display_name="Ben Keller", pseudonym="Moth")
    response = client.post(reverse("preferences"), {"pseudonym": pseudonym, "on_boards": "on"})
    assert response.status_code == 422
    assert 'role="alert"' in response.content.decode()
    assert Employee.objects.get(pk=ann.pk).pseudonym == ""


def test_one_may_keep_one_s_own_pseudonym(ann: Employee) -> None:
    ann.pseudonym = "Moth"
    ann.save()
    assert ProfileForm({"pseudonym": "Moth", "on_boards": "on"}, instance=ann).is_valid()


def test_nobody_sets_anything_else(client: Client, ann: Employee) -> None:
    client.post(reverse("preferences"), {"on_boards": "on", "is_staff": "on", "username": "root"})
    ann.refresh_from_db()
    assert (ann.is_staff, ann.username) == (False, "ann")


def leave(client: Client, first: str, last: str) -> Any:
    return client.post(reverse("leave_add"), {"first_day": first, "last_day": last})


def test_leave_is_added_and_removed(client: Client, ann: Employee) -> None:
    assert leave(client, "2026-12-21", "2027-01-03").url == reverse("me")
    [entry] = ann.leaves.all()
    assert entry.covers(date(2026, 12, 24))
    assert "21 December – 3 January 2027" in html(client)
    assert client.post(reverse("leave_remove", args=[entry.pk])).url == reverse("me")
    assert not ann.leaves.exists()


@pytest.mark.parametrize(
    ("first", "last"),
    [
        ("2026-12-21", "2026-12-20"),
        ("2026-12-21", "2027-12-22"),
        ("2026-07-10", "2026-07-20"),  # some are there already
        ("", "2026-12-20"),
        ("tomorrow", "2026-12-20"),
    ],
)
def test_what_is_no_leave_says_why(client: Client, ann: Employee, first: str, last: str) -> None:
    Leave.objects.create(employee=ann, first_day=date(2026, 7, 1), last_day=date(2026, 7, 10))
    response = leave(client, first, last)
    assert response.status_code == 422
    assert 'role="alert"' in response.content.decode()
    assert ann.leaves.count() == 1


def test_nobody_removes_another_s_leave(client: Client) -> None:
    other = make.make_employee("ben")
    entry = Leave.objects.create(employee=other, first_day=date(2026, 7, 1), last_day=date(2026, 7, 2))
    assert client.post(reverse("leave_remove", args=[entry.pk])).status_code == 404
    assert other.leaves.exists()


# The page


@pytest.mark.parametrize("name", ["preferences", "leave_add"])
def test_settings_are_posts(client: Client, name: str) -> None:
    assert client.get(reverse(name)).status_code == 405
    assert Client().post(reverse(name)).url.startswith("/login/")


def test_a_stranger_has_no_page() -> None:
    assert Client().get(reverse("me")).url == "/login/?next=/me/"


def test_no_inline_script_or_style(client: Client, ann: Employee) -> None:
    vote(ann, timezone.now())
    carried_look(ann, make.make_dress(), timezone.now())
    for name in ("me", "leaderboard", "hall_of_fame"):
        text = client.get(reverse(name)).content.decode()
        assert not re.search(r'<style|<script(?![^>]* src=)|\sstyle="|\son\w+="', text)


def test_a_full_page_costs_what_a_thin_one_costs(client: Client, ann: Employee) -> None:
    now = timezone.now()

    def statements() -> int:
        with CaptureQueriesContext(connection) as queries:
            client.get(reverse("me"))
        return len(queries)

    vote(ann, now)
    carried_look(ann, make.make_dress(), now)
    thin = statements()
    for days in range(5):
        vote(ann, now - timedelta(days=days))
        carried_look(ann, make.make_dress(), now)
    assert statements() == thin <= 18
