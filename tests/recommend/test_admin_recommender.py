"""Which recommender serves, as an admin sees and decides it."""

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse

from recommend.models import RecommenderVersion
from tests.browser.test_admin_lists import METRICS
from tests.make import make_admin, make_recommender_version
from verify.models import Employee

pytestmark = pytest.mark.django_db
State = RecommenderVersion.State
LIST = "admin:recommend_recommenderversion_changelist"


@pytest.fixture
def ada(client: Client) -> Employee:
    ada = make_admin()
    client.force_login(ada)
    return ada


def act(client: Client, action: str, *rows: RecommenderVersion) -> str:
    data = {"action": action, "_selected_action": [row.pk for row in rows]}
    return client.post(reverse(LIST), data, follow=True).content.decode()


def test_who_serves_since_when_and_its_figures(client: Client, ada: Employee) -> None:
    version = make_recommender_version(metrics=METRICS, reason="No worse, beyond noise.")
    assert "0.410 against 0.410" in client.get(reverse(LIST)).content.decode()
    html = client.get(
        reverse("admin:recommend_recommenderversion_change", args=[version.pk])
    ).content.decode()
    for told in ("live: it serves", "No worse, beyond noise.", "of 94 people", "<td>1.400</td>"):
        assert told in html


def test_ada_goes_back_and_publishes_again(client: Client, ada: Employee) -> None:
    before, live = make_recommender_version("retired"), make_recommender_version()
    assert f"{before} serves from the next request on." in act(client, "roll_back", live)
    live.refresh_from_db()
    assert (RecommenderVersion.objects.live(), live.state) == (before, State.REFUSED)
    assert "serves from the next request on" in act(client, "publish", live)
    live.refresh_from_db()
    assert (live.state, live.published_by, live.reason) == (State.LIVE, ada, f"{ada} wanted it.")
    assert set(LogEntry.objects.values_list("user", flat=True)) == {ada.pk}
    gone = make_recommender_version("retired")
    RecommenderVersion.objects.filter(pk=gone.pk).update(folder="thrown-away")
    assert "are gone" in act(client, "publish", gone)


def test_the_report_is_a_page_for_staff(client: Client, ada: Employee) -> None:
    newest = reverse("admin:recommend_report")
    assert "No night has passed yet" in client.get(newest).content.decode()
    version = make_recommender_version()
    answer = client.get(newest)
    assert answer.content == b"<h1>Evaluated</h1>"
    assert "script-src" not in answer.headers["Content-Security-Policy"]  # default-src 'self' stays
    of = reverse("admin:recommend_report_of", args=[version.pk])
    assert client.get(of).content == answer.content
    client.logout()
    assert client.get(newest).status_code == 302
