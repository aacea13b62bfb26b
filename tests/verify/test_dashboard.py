"""The numbers of the admin's first page, and that each of them leads to its rows."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_q.models import OrmQ, Task

from tests.make import (
    make_batch,
    make_dress,
    make_employee,
    make_look,
    make_model_version,
    make_photo,
    make_post,
    make_suggestion,
)
from tests.verify.curation import a_proposed_post
from tests.verify.voted_posts import NOW, labelled, settled, vote
from verify import audit, consensus, dashboard
from verify.models import (
    Calibration,
    Employee,
    GateVerdict,
    Heartbeat,
    Look,
    Notice,
    Option,
    Post,
    Refit,
    Reliability,
    RightsAnswer,
)

pytestmark = pytest.mark.django_db


# Votes


def test_votes_by_day_and_hour_in_local_time(settings: Any) -> None:
    settings.TIME_ZONE = "Europe/Berlin"
    post = a_proposed_post([make_dress()])
    for at in (NOW, NOW - timedelta(hours=1), datetime(2026, 6, 8, 22, 30, tzinfo=UTC)):  # 00:30 in Berlin
        vote(post, at)
    vote(post, NOW - timedelta(days=40))
    days = dict(dashboard.votes_by_day(NOW))
    assert len(days) == dashboard.DAYS
    assert {day: count for day, count in days.items() if count} == {date(2026, 6, 10): 2, date(2026, 6, 9): 1}
    hours = dict(dashboard.votes_by_hour(NOW))
    assert {hour: count for hour, count in hours.items() if count} == {17: 1, 16: 1, 0: 1}
    assert len(hours) == 24


def test_agreement_counts_only_votes_with_a_verdict() -> None:
    post = a_proposed_post([make_dress()])
    for right in (True, True, False, None):
        vote(post, NOW, right)
    [share] = dashboard.agreement(NOW)
    assert (share.start, share.part, share.whole) == (date(2026, 6, 10), 2, 3)
    assert 0 < share.low < share.value < share.high < 1


# Posts


def test_batches_newest_first_after_the_posts_in_none() -> None:
    dresses = [make_dress()]
    old = make_batch(state="closed", opened_at=NOW - timedelta(days=1), frozen_at=NOW, closed_at=NOW)
    new = make_batch(opened_at=NOW)
    a_proposed_post(dresses)
    a_proposed_post(dresses, batch=new)
    settled(batch=old)
    make_post(state="disputed", batch=old)
    assert [tuple(row)[0:1] + tuple(row)[2:] for row in dashboard.batches()] == [
        (None, 1, 0, 0),
        (new.pk, 1, 0, 0),
        (old.pk, 0, 1, 1),
    ]


def test_a_batch_of_no_posts_is_a_batch() -> None:
    batch = make_batch(opened_at=NOW)
    assert dashboard.batches() == [dashboard.BatchCount(batch.pk, NOW, 0, 0, 0)]


def test_the_share_of_what_is_no_dress_by_week() -> None:
    dress = make_dress()
    settled("dress", dress)
    settled()
    settled(at=NOW - timedelta(days=7))
    weeks = dashboard.not_a_dress(NOW)
    assert [(week.start, week.part, week.whole) for week in weeks] == [
        (date(2026, 6, 1), 1, 1),
        (date(2026, 6, 8), 1, 2),
    ]


def test_recall_is_of_the_model_and_not_of_who_named_the_dress() -> None:
    dresses = [make_dress() for _ in range(4)]
    for dress in (dresses[0], dresses[1], dresses[3]):
        post = settled("dress", dress)
        post.suggestion = make_suggestion(post, dresses[:3])
        post.save(update_fields=["suggestion"])
    Option.objects.create(
        suggestion=post.suggestion,
        dress=dresses[3],
        rank=3,
        probability=0,
        named=True,
        named_by=make_employee(),
    )
    settled("dress", dresses[0])  # by an admin, before the model saw it
    settled("not_a_dress")
    [week] = dashboard.recall(NOW)
    assert (week.part, week.whole) == (2, 3)


# The portal


def test_what_waits(settings: Any) -> None:
    settings.BATCH_SIZE = 4
    dress = make_dress()
    asked = make_look(dress, "waiting", rights="requested").post
    make_look(dress, "cleared", rights="granted")
    make_look(dress, "refused", rights="unknown")
    RightsAnswer.objects.create(
        post=asked, external_id="1", text="#YesMaison", hashtag="#YesMaison", at=timezone.now()
    )
    for state in ("disputed", "waiting", "set_aside"):
        make_post(state=state)
    a_proposed_post([dress])
    a_proposed_post([dress], batch=make_batch())
    waiting = dashboard.waiting()
    assert waiting == dashboard.Waiting(
        disputed=1,
        audit=0,
        looks=1,
        without_rights=2,
        to_ask=0,
        answers=1,
        set_aside=1,
        waiting=1,
        proposed=2,
        to_come=1,
    )
    assert waiting.batches_to_come == 0.25


@pytest.mark.parametrize("state", ["disputed", "proposed"])
def test_a_look_whose_verdict_is_in_doubt_does_not_wait_to_be_cleared(state: str) -> None:
    dress = make_dress()
    look, other = make_look(dress, "waiting"), make_look(dress, "waiting")
    Post.objects.filter(pk=look.post_id).update(state=state, answer="", dress=None, settled_at=None)
    Post.objects.filter(pk=other.post_id).update(dress=make_dress())
    make_look(dress, "waiting")
    assert dashboard.waiting().looks == Look.objects.to_clear().count() == 1


def test_health() -> None:
    assert dashboard.health(NOW) == dashboard.Health([], 0, 0, None)
    Heartbeat.objects.create(name="worker", beat_at=NOW - timedelta(minutes=4), model_version="abc")
    OrmQ.objects.create(key="dressportal", payload="{}", lock=NOW)
    row = Refit.objects.create(fitted_at=NOW, votes=1, posts=1, voters=1, seconds=0.1)
    health = dashboard.health(NOW)
    assert health.parts == [dashboard.Part("worker", NOW - timedelta(minutes=4), "abc", True)]
    assert (health.queued, health.refit) == (1, row)
    assert not dashboard.health(NOW - timedelta(minutes=2)).parts[0].silent


# The page


def calibrated(at: datetime = NOW, **fields: Any) -> Calibration:
    checked = {"count": 412, "share": 0.91, "low": 0.88, "high": 0.93}
    values = {"temperature": 0.05, "promised": 0.9, "checked": checked, **fields}
    return Calibration.objects.create(model_version=make_model_version(), fitted_at=at, posts=400, **values)


def test_the_promise_is_told_with_its_interval_and_a_warning_where_it_is_broken(
    client: Client, ada: Employee
) -> None:
    calibrated()
    html = unescape(client.get(reverse("admin:index")).content.decode())
    assert "Promised for 90% of the posts" in html
    assert "it holds for 91% of 412 (88% to 93%)." in html
    assert "less than promised" not in html
    calibrated(audited={"count": 61, "share": 0.7, "low": 0.58, "high": 0.8})
    html = unescape(client.get(reverse("admin:index")).content.decode())
    assert "of the audit sample for 70% of 61 (58% to 80%). That is less than promised" in html
    assert '<div class="bad"><dt>Options</dt>' in html


def some_of_everything() -> None:
    """One more row of each kind that the page tells of, on days of their own."""
    number = Post.objects.count()
    at = datetime.now(UTC) - timedelta(days=number % 20, hours=1)
    dresses, photo = [make_dress() for _ in range(3)], make_photo()
    batch = make_batch(state="closed", opened_at=at, frozen_at=at, closed_at=at)
    post = settled("dress", dresses[0], at, batch=batch, photo=photo, audit=True, votes_cast=5)
    post.suggestion = make_suggestion(post, dresses)
    post.save(update_fields=["suggestion"])
    ann = make_employee()
    vote(post, at, right=True, employee=ann)
    Reliability.objects.create(employee=ann, votes=1, estimate=0.9, low=0.8, high=0.95, muted_at=at)
    Look.objects.create(post=post, dress=dresses[0], published_at=at)
    make_post(state="disputed", batch=batch, photo=photo)
    a_proposed_post(dresses, photo=photo)
    Notice.objects.tell(Notice.Kind.VOTER_MUTED, f"{ann} is muted.", at, employee=ann)
    Notice.objects.tell(Notice.Kind.LOOK_REOPENED, "In doubt.", at, post=post)
    Heartbeat.objects.create(name=f"part {number}", beat_at=at)
    calibrated(at)
    factors = list(consensus.UNCORRECTED)
    Refit.objects.create(fitted_at=at, votes=1, posts=1, voters=1, seconds=0.1, prior_factors=factors)


def test_more_rows_are_no_more_statements(
    client: Client, ada: Employee, django_assert_max_num_queries: Callable[..., Any]
) -> None:
    some_of_everything()
    client.get(reverse("admin:index"))
    with django_assert_max_num_queries(32) as first:
        assert client.get(reverse("admin:index")).status_code == 200
    for _ in range(5):
        some_of_everything()
    with django_assert_max_num_queries(len(first)):
        assert client.get(reverse("admin:index")).status_code == 200


@pytest.fixture
def everything(client: Client, ada: Employee, monkeypatch: pytest.MonkeyPatch) -> str:
    """The page with all its figures drawn."""
    monkeypatch.setattr(audit, "ENOUGH", 2)
    for _ in range(2):
        some_of_everything()
        labelled(ada)
    post = make_post()
    post.override("dress", make_dress(), ada)  # before the model saw it
    some_held(ada)
    diagram = [{"stated": 0.98, "real": 0.97, "count": 2, "low": 0.9, "high": 0.99}]
    Refit.objects.update(diagram=diagram)
    html = client.get(reverse("admin:index")).content.decode()
    assert html.count('class="plot"') == len(re.findall('<figure class="figure ', html)) == 10
    return html


def some_held(ada: Employee) -> None:
    """Three that a gate judged: one it holds, one that an admin let through, one that passed."""
    now = timezone.now()
    for state, held, by in (("held", True, None), ("waiting", True, ada), ("waiting", False, None)):
        found = {"gate": "blur", "value": 9, "threshold": 25, "held": held, "judged_at": now}
        overruled = {"overruled_by": by, "overruled_at": by and now}
        GateVerdict.objects.create(post=make_post(state=state), **found, **overruled)


def cells_of(html: str) -> list[list[str]]:
    """By row of a figure's table."""
    tables = "".join(re.findall(r"<tbody>.*?</tbody>", html, re.S))
    return [re.findall(r"<td>(.*?)</td>", row, re.S) for row in re.findall(r"<tr>(.*?)</tr>", tables, re.S)]


def test_every_number_is_a_link(everything: str) -> None:
    cells = [cell for _label, *row in cells_of(everything) for cell in row]
    assert len(cells) > 90
    assert [cell for cell in cells if re.search(r"\d", cell) and "<a " not in cell] == []


def test_every_number_leads_to_its_rows(client: Client, everything: str) -> None:
    tables = "".join(cell for row in cells_of(everything) for cell in row)
    numbers = re.findall(r'<a href="([^"]+)">([\d,]+)</a>', tables)
    numbers += re.findall(r'<a href="([^"]+)">([\d,]+) (?:in|posts|tasks) ', everything)
    numbers += re.findall(r'<a href="([^"]+)">[\d.%]+ of ([\d,]+) ', everything)
    assert len(numbers) > 65
    for url, number in set(numbers):
        answer = client.get(unescape(url))
        assert answer.status_code == 200, url
        assert answer.context["cl"].result_count == int(number.replace(",", "")), url


def test_other_links_lead_somewhere(client: Client, ada: Employee) -> None:
    some_of_everything()
    html = client.get(reverse("admin:index")).content.decode()
    content = html[html.index('<ul class="waiting">') : html.index("All rows")]
    for url in set(re.findall(r'href="([^"]+)"', content)):
        assert client.get(unescape(url)).status_code == 200, url


def test_the_first_day_says_what_will_come(client: Client, ada: Employee) -> None:
    html = client.get(reverse("admin:index")).content.decode()
    for words in (
        "Nobody has voted in the last four weeks",
        "No post has been proposed for yet",
        "The first re-fit at night",
        "Too early to say",
        "never seen: start it",
    ):
        assert words in html
    assert 'class="plot"' not in html


def test_who_may_not_see_the_queue_of_tasks_gets_no_link_to_it(client: Client) -> None:
    client.force_login(make_employee("cleo", is_staff=True))
    html = client.get(reverse("admin:index")).content.decode()
    assert "0 tasks waiting" in html
    assert "django_q" not in html


def a_failure(ago: timedelta) -> None:
    at = timezone.now() - ago
    Task.objects.create(id=str(ago), name=str(ago), func="len", started=at, stopped=at, success=False)


def test_failures_of_a_day_lead_to_their_rows(client: Client, ada: Employee) -> None:
    for hours in (1, 23, 25):
        a_failure(timedelta(hours=hours))
    html = client.get(reverse("admin:index")).content.decode()
    [url] = re.findall(r'<a href="([^"]+)">2 tasks in a day</a>', html)
    assert client.get(unescape(url)).context["cl"].result_count == 2


def test_a_notice_is_done_once(client: Client, ada: Employee) -> None:
    some_of_everything()
    notice = Notice.objects.open().first()
    done = reverse("admin:verify_notice_done", args=[notice.pk])
    assert done in client.get(reverse("admin:index")).content.decode()
    assert client.get(done).status_code == 405
    for _ in range(2):
        assert client.post(done).status_code == 302
    first_closed = Notice.objects.get(pk=notice.pk)
    assert first_closed.closed_by == ada
    assert done not in client.get(reverse("admin:index")).content.decode()
