"""Wrong passwords in a row: a pause, a page that says how long, and the ways out of it."""

from datetime import timedelta
from typing import Any

import pytest
from axes.models import AccessAttempt
from django.contrib.admin.models import LogEntry
from django.test import Client, RequestFactory
from django.utils import timezone
from rest_framework.settings import api_settings

from tests import make
from tests.verify.curation import act, page
from verify import letters, lockout
from verify.models import Employee

pytestmark = pytest.mark.django_db
PASSWORD = "a-long-passphrase"
DOORS = ["/login/", "/admin/login/"]


@pytest.fixture(autouse=True)
def ann() -> Employee:
    return make.make_admin("ann", email="ann@office.example")


def fail(client: Client, times: int, username: str = "ann", door: str = "/login/", **headers: Any) -> Any:
    for _ in range(times):
        answer = client.post(door, {"username": username, "password": "wrong"}, **headers)
    return answer


def enters(client: Client, door: str = "/login/", **headers: Any) -> bool:
    answer = client.post(door, {"username": "ann", "password": PASSWORD}, **headers)
    assert answer.status_code in (302, 429)
    return answer.status_code == 302


@pytest.mark.parametrize("door", DOORS)
def test_the_fifth_wrong_password_asks_for_a_pause(client: Client, door: str) -> None:
    assert fail(client, 4, door=door).status_code == 200
    answer = fail(client, 1, door=door)
    assert answer.status_code == 429
    assert "Try again in 15 minutes." in answer.content.decode()
    assert 890 < int(answer["Retry-After"]) <= 900
    assert not enters(client)
    assert not enters(client, "/admin/login/")
    assert "_auth_user_id" not in client.session


def test_the_pause_ends_when_the_page_said(client: Client) -> None:
    fail(client, 5)
    AccessAttempt.objects.update(attempt_time=timezone.now() - timedelta(minutes=14))
    answer = fail(client, 3)
    assert "Try again in 1 minute." in answer.content.decode()  # trying on does not prolong it
    AccessAttempt.objects.update(attempt_time=timezone.now() - timedelta(minutes=15))
    assert enters(client)
    assert not AccessAttempt.objects.exists()


def test_the_right_password_starts_the_count_anew(client: Client) -> None:
    for _ in range(3):
        fail(client, 4)
        assert enters(client)
        client.logout()


@pytest.mark.parametrize("other", ["ANN", " ann", "Ann@Office.example"])
def test_failures_count_on_the_account_however_it_is_written(client: Client, other: str) -> None:
    fail(client, 4)
    assert fail(client, 1, username=other).status_code == 429


def test_another_browser_at_the_same_address_has_to_wait_as_well(client: Client) -> None:
    fail(client, 3, HTTP_USER_AGENT="one")
    assert fail(client, 2, HTTP_USER_AGENT="another").status_code == 429


def test_nobody_locks_a_colleague_out_from_elsewhere(client: Client) -> None:
    fail(client, 5, REMOTE_ADDR="192.0.2.1")
    assert not enters(client, REMOTE_ADDR="192.0.2.1")
    assert enters(client, REMOTE_ADDR="192.0.2.2")


def test_a_name_that_nobody_has_is_locked_alike(client: Client) -> None:
    assert fail(client, 5, username="nobody").content.count(b"Try again in 15 minutes") == 1


def test_an_admin_unlocks(client: Client) -> None:
    fail(client, 5)
    admin = Client()
    admin.force_login(make.make_admin("ada"))
    locked = admin.get(page("employee"), {"account": "locked"}).context["cl"].queryset
    assert [employee.username for employee in locked] == ["ann"]
    assert ">locked out</span>" in admin.get(page("employee")).content.decode()
    bo = make.make_employee("bo")
    assert "1 unlocked." in act(admin, "employee", "unlock", *Employee.objects.all()).content.decode()
    assert LogEntry.objects.get(change_message="Unlocked.").object_repr == "Ann"
    assert enters(client)
    assert not lockout.locked_usernames().filter(username=bo.username).exists()


def test_who_sets_a_new_password_by_e_mail_need_not_wait(client: Client, ann: Employee) -> None:
    fail(client, 5)
    path = letters.link(ann).partition("//")[2]
    form = client.get(path[path.index("/") :], follow=True).request["PATH_INFO"]
    new = "seven-satin-sashes"
    assert client.post(form, {"new_password1": new, "new_password2": new}).url == "/"
    client.logout()
    assert client.post("/login/", {"username": "ann", "password": new}).status_code == 302


@pytest.mark.parametrize(
    ("proxies", "forwarded", "remote", "address"),
    [
        (0, "203.0.113.9", "192.0.2.1", "192.0.2.1"),
        (1, "203.0.113.9", "10.0.0.1", "203.0.113.9"),
        (1, "6.6.6.6, 203.0.113.9", "10.0.0.1", "203.0.113.9"),
        (2, "6.6.6.6, 203.0.113.9, 10.0.0.2", "10.0.0.1", "203.0.113.9"),
        (1, "2001:DB8::1", "10.0.0.1", "2001:db8::1"),
        (1, "nonsense", "10.0.0.1", "10.0.0.1"),
        (1, "203.0.113.9:4711", "10.0.0.1", "10.0.0.1"),
        (0, "", "", None),
    ],
)
def test_addresses_are_believed_as_far_as_the_proxies_are_known(
    monkeypatch: pytest.MonkeyPatch, proxies: int, forwarded: str, remote: str, address: str | None
) -> None:
    monkeypatch.setattr(api_settings, "NUM_PROXIES", proxies)
    headers = {"HTTP_X_FORWARDED_FOR": forwarded} if forwarded else {}
    request = RequestFactory().get("/", REMOTE_ADDR=remote, **headers)
    assert lockout.client_address(request) == address


def test_behind_a_proxy_visitors_are_told_apart(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api_settings, "NUM_PROXIES", 1)
    fail(client, 5, HTTP_X_FORWARDED_FOR="203.0.113.9")
    assert not enters(client, HTTP_X_FORWARDED_FOR="6.6.6.6, 203.0.113.9")
    assert enters(client, HTTP_X_FORWARDED_FOR="203.0.113.10")


def test_passwords_are_not_written_down(client: Client) -> None:
    client.post("/login/?password=in-the-address", {"username": "ann", "password": "nearly-right"})
    stored = str(list(AccessAttempt.objects.values()))
    assert "nearly-right" not in stored
    assert "in-the-address" not in stored


@pytest.mark.parametrize("path", ["/healthz", "/login/"])
def test_ordinary_requests_pay_nothing(client: Client, django_assert_num_queries: Any, path: str) -> None:
    with django_assert_num_queries(0):
        assert client.get(path).status_code == 200
