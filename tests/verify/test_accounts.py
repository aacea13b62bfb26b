"""Logging in, links to set a password, and accounts that come and go."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.tokens import PasswordResetTokenGenerator as Generator
from django.core import mail
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_q.models import OrmQ

from tests import make
from tests.verify.curation import a_proposed_post, a_vote, act, page
from verify import invitations, letters, tasks
from verify.intake.people import Person
from verify.models import Employee, Team, Vote
from verify.views.accounts import LetterThrottle

pytestmark = pytest.mark.django_db
PASSWORD = "a-long-passphrase"
NEW = {"new_password1": "seven-satin-sashes", "new_password2": "seven-satin-sashes"}
FORGOTTEN = "/password/forgotten/"


def path_in(text: str) -> str:
    """The path of the first link to set a password."""
    return re.search(r"http\S+?(/password/set/\S+/)", text)[1]


def open_link(client: Client, path: str) -> Any:
    return client.get(path, follow=True)


def invited(name: str = "Ann Lee", email: str = "ann.lee@office.example") -> Employee:
    return invitations.invite([Person(2, name, email, "Styling")]).employees[0]


def asked_for(client: Client, email: str) -> Any:
    """The answer to somebody who has forgotten a password, after the worker has done its part."""
    answer = client.post(FORGOTTEN, {"email": email})
    for task in [row.task for row in OrmQ.objects.all()]:
        if task["func"] == "verify.tasks.send_reset":
            tasks.send_reset(*task["args"])
    return answer


# Logging in


@pytest.mark.parametrize("typed", ["ann", "Ann", " ann ", "ann@office.example", "ANN@Office.example"])
@pytest.mark.parametrize("door", ["/login/", "/admin/login/?next=/admin/"])
def test_by_user_name_or_e_mail_in_any_case(client: Client, typed: str, door: str) -> None:
    ann = make.make_admin("ann", email="ann@office.example")
    answer = client.post(door, {"username": typed, "password": PASSWORD})
    assert answer.status_code == 302
    assert client.session["_auth_user_id"] == str(ann.pk)


def test_a_name_that_fits_two_is_taken_as_it_was_typed(client: Client) -> None:
    make.make_employee("ann", email="both@office.example")
    make.make_employee("ANN", email="both@office.example")
    for typed, status in {"both@office.example": 200, "Ann": 200, "ANN": 302}.items():
        assert client.post("/login/", {"username": typed, "password": PASSWORD}).status_code == status


@pytest.mark.parametrize(
    ("username", "password"), [("ann", "wrong"), ("nobody", PASSWORD), ("gone", PASSWORD), ("new", "!")]
)
def test_every_refusal_reads_the_same(client: Client, username: str, password: str) -> None:
    make.make_employee("ann")
    make.make_employee("gone", is_active=False)
    invited(email="new@office.example")
    html = client.post("/login/", {"username": username, "password": password}).content.decode()
    assert "User name and password do not belong together." in html


# The first day


def test_an_invited_colleague_sets_a_password_and_is_in(client: Client) -> None:
    ann = invited()
    letters.send_invitation(ann)
    form = open_link(client, path_in(mail.outbox[0].body))
    html = form.content.decode()
    assert "Welcome, Ann Lee" in html
    assert "Your user name is <b>ann.lee</b>" in html
    answer = client.post(form.request["PATH_INFO"], NEW)
    assert (answer.status_code, answer.url) == (302, "/")
    assert client.session["_auth_user_id"] == str(ann.pk)
    assert client.get("/password/").status_code == 200
    assert Client().post("/login/", {"username": "ann.lee", "password": NEW["new_password1"]}).url == "/"
    assert not invitations.waiting().exists()


def test_the_address_with_the_token_is_left_at_once(client: Client) -> None:
    path = path_in(letters.link(invited()))
    answer = client.get(path)
    assert answer.status_code == 302
    assert answer.url.endswith("/set-password/")


@pytest.mark.parametrize(
    ("password", "word"),
    [
        ("short", "too short"),
        ("annlee99", "too similar"),
        ("password1", "too common"),
        ("4711081547", "numeric"),
    ],
)
def test_a_weak_password_is_explained(client: Client, password: str, word: str) -> None:
    form = open_link(client, path_in(letters.link(invited(email="annlee99@office.example"))))
    answer = client.post(form.request["PATH_INFO"], {"new_password1": password, "new_password2": password})
    assert answer.status_code == 200
    assert word in answer.content.decode()
    assert invitations.waiting().exists()


def expired(path: str) -> bool:
    html = open_link(Client(), path).content.decode()
    assert ("This link has expired" in html) == ('action="/password/forgotten/"' in html)
    return "This link has expired" in html


def test_a_link_works_once(client: Client) -> None:
    ann = invited()
    first, second = path_in(letters.link(ann)), path_in(letters.link(ann))
    form = open_link(client, first).request["PATH_INFO"]
    assert not expired(second)
    client.post(form, NEW)
    assert expired(first)
    assert expired(second)
    html = client.post(
        form, {"new_password1": "other-satin", "new_password2": "other-satin"}
    ).content.decode()
    assert "This link has expired" in html
    ann.refresh_from_db()
    assert ann.check_password(NEW["new_password1"])


def test_a_link_works_for_three_days(monkeypatch: pytest.MonkeyPatch) -> None:
    path = path_in(letters.link(invited()))
    now = Generator()._now()
    for days, is_expired in {2.9: False, 3.1: True}.items():
        monkeypatch.setattr(Generator, "_now", lambda self, days=days: now + timedelta(days=days))
        assert expired(path) == is_expired


@pytest.mark.parametrize(
    "path", ["MQ/abc-def", "!!/x", "OTk5OTk5OTk5OTk5OTk5OTk5OTk5/c1-0", "YWJj/set-password"]
)
def test_a_link_that_nobody_sent_is_an_expired_one(path: str) -> None:
    assert expired(f"/password/set/{path}/")


def test_an_expired_link_s_page_sends_a_new_one(client: Client) -> None:
    ann = invited()
    asked_for(client, "ann.lee@office.example")
    assert mail.outbox[0].to == [ann.email]
    assert not expired(path_in(mail.outbox[0].body))


# A forgotten password


def test_a_forgotten_password_is_set_anew_and_ends_other_sessions(client: Client) -> None:
    ann = make.make_employee("ann", email="ann@office.example", last_login=timezone.now())
    phone = Client()
    phone.force_login(ann)
    answer = asked_for(client, "ANN@office.example")
    assert (answer.status_code, answer.url) == (302, "/password/forgotten/sent/")
    assert "Look into your inbox" in client.get(answer.url).content.decode()
    letter = mail.outbox[0]
    assert letter.subject == "A new password for the dressportal"
    form = open_link(client, path_in(letter.body))
    assert "Set a new password" in form.content.decode()
    client.post(form.request["PATH_INFO"], NEW)
    assert client.get("/password/").status_code == 200
    assert phone.get("/password/").url.startswith("/login/")


@pytest.mark.parametrize("address", ["ann@office.example", "gone@office.example", "nobody@office.example"])
def test_the_page_tells_nothing_about_who_is_here(
    client: Client, django_assert_num_queries: Any, address: str
) -> None:
    make.make_employee("ann", email="ann@office.example")
    make.make_employee("gone", email="gone@office.example", is_active=False)
    with django_assert_num_queries(1) as asked:
        answer = client.post(FORGOTTEN, {"email": address})
    assert "django_q_ormq" in asked.captured_queries[0]["sql"]
    assert (answer.status_code, answer.url) == (302, "/password/forgotten/sent/")


@pytest.mark.parametrize(
    "fields",
    [
        {"is_active": False},
        {"email": ""},
        {"password": "!", "last_login": timezone.now()},  # logs in by other means
    ],
)
def test_who_may_not_gets_no_link(client: Client, fields: dict[str, Any]) -> None:
    ann = make.make_employee("ann", email="ann@office.example")
    Employee.objects.filter(pk=ann.pk).update(**fields)
    asked_for(client, "ann@office.example")
    assert mail.outbox == []


def test_colleagues_who_share_an_address_get_a_link_each(client: Client) -> None:
    for name in ("ann", "anton"):
        make.make_employee(name, email="a@office.example")
    asked_for(client, "a@office.example")
    assert len({path_in(letter.body) for letter in mail.outbox}) == 2


@pytest.mark.parametrize(
    "address", ["", "ann", "a" * 250 + "@x.example", "ann@office.example\nBcc: eve@x.example"]
)
def test_what_is_no_address_is_said_to_be_none(client: Client, address: str) -> None:
    answer = client.post(FORGOTTEN, {"email": address})
    assert answer.status_code == 200
    assert 'role="alert"' in answer.content.decode()
    assert not OrmQ.objects.exists()


def test_nobody_is_flooded_with_links(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LetterThrottle, "rate", "2/hour")
    statuses = [client.post(FORGOTTEN, {"email": "ann@office.example"}).status_code for _ in range(3)]
    assert statuses == [302, 302, 429]
    assert OrmQ.objects.count() == 2
    cache.clear()
    assert client.post(FORGOTTEN, {"email": "ann@office.example"}).status_code == 302


# Coming and going


def test_a_deactivated_colleague_is_out_at_once_and_the_votes_stay(client: Client) -> None:
    ada, ann = make.make_admin(), make.make_employee("ann", email="ann@office.example")
    vote = a_vote(a_proposed_post([make.make_dress()]), "not_a_dress", employee=ann)
    phone = Client()
    phone.force_login(ann)
    link = path_in(letters.link(ann))
    client.force_login(ada)
    html = act(client, "employee", "deactivate", ann, ada).content.decode()
    assert "1 deactivated" in html
    assert "You cannot deactivate yourself." in html
    assert phone.get("/password/").url.startswith("/login/")
    assert phone.post("/login/", {"username": "ann", "password": PASSWORD}).status_code == 200
    assert expired(link)
    vote.refresh_from_db()
    assert vote.employee == ann
    assert Employee.objects.get(pk=ada.pk).is_active

    assert "1 reactivated" in act(client, "employee", "reactivate", ann, ada).content.decode()
    assert phone.post("/login/", {"username": "ann", "password": PASSWORD}).status_code == 302
    told = LogEntry.objects.filter(object_id=str(ann.pk)).order_by("pk")
    assert list(told.values_list("change_message", flat=True)) == ["Deactivated.", "Reactivated."]


def test_the_admin_deletes_nobody(client: Client) -> None:
    ann = make.make_employee("ann")
    client.force_login(make.make_admin())
    assert "delete_selected" not in client.get(page("employee")).content.decode()
    assert (
        page("employee", "delete", ann.pk)
        not in client.get(page("employee", "change", ann.pk)).content.decode()
    )
    assert client.post(page("employee", "delete", ann.pk), {"post": "yes"}).status_code == 403
    act(client, "employee", "delete_selected", ann, post="yes")
    assert Employee.objects.filter(pk=ann.pk).exists()


def test_votes_outlive_an_account_that_code_deletes() -> None:
    ann = make.make_employee("ann")
    vote = a_vote(a_proposed_post([make.make_dress()]), "not_a_dress", employee=ann)
    ann.delete()
    vote.refresh_from_db()
    assert vote.employee is None
    assert Vote.objects.count() == 1


def test_a_team_is_renamed_and_everybody_is_still_in_it(client: Client) -> None:
    ann, ada = make.make_employee("ann", team="Blue"), make.make_admin(team="Blue")
    client.force_login(ada)
    client.post(page("team", "change", ann.team_id), {"name": "Indigo"})
    ann.refresh_from_db()
    assert str(ann.team) == "Indigo"
    invitations.invite([Person(2, "Bo", "bo@office.example", "indigo")])
    assert list(Team.objects.values_list("name", flat=True)) == ["Indigo"]
    client.force_login(ann)
    for name in ("play", "leaderboard"):
        assert "Indigo" in client.get(reverse(name)).content.decode()


def test_the_admin_s_form_makes_read_only_and_shows_the_training(client: Client) -> None:
    ann = make.make_employee("ann", trained=3)
    client.force_login(make.make_admin())
    form = client.get(page("employee", "change", ann.pk)).context["adminform"]
    fields = {name for _, options in form.fieldsets for name in options["fields"]}
    assert {"read_only", "trained", "is_active", "pseudonym", "on_boards"} <= fields
    data = {"username": "ann", "display_name": "Ann", "trained": 9, "read_only": "on", "is_active": "on"}
    assert client.post(page("employee", "change", ann.pk), data).status_code == 302
    ann.refresh_from_db()
    assert (ann.read_only, ann.trained) == (True, 3)


# Who may open what

OPEN = ["/login/", FORGOTTEN, "/password/forgotten/sent/", "/password/set/MQ/a-b/"]
OWN = ["/password/", "/password/done/"]
ADMINS = ["/admin/verify/employee/invite/", "/admin/verify/employee/"]
PEOPLE = {
    "stranger": (200, 302, 302),
    "employee": (200, 200, 302),
    "deactivated": (200, 302, 302),
    "read-only": (200, 200, 302),
    "curator": (200, 200, 403),
    "admin": (200, 200, 200),
}


def client_of(who: str) -> Client:
    makers = {
        "employee": lambda: make.make_employee("emil"),
        "deactivated": lambda: make.make_admin("fay", is_active=False),
        "read-only": lambda: make.make_employee("rita", read_only=True),
        "curator": lambda: make.make_employee("cleo", is_staff=True),
        "admin": lambda: make.make_admin("ada"),
    }
    client = Client()
    if who in makers:
        client.force_login(makers[who]())
    return client


@pytest.mark.parametrize("who", PEOPLE)
def test_who_may_open_what(who: str) -> None:
    client = client_of(who)
    for pages, status in zip((OPEN, OWN, ADMINS), PEOPLE[who], strict=True):
        for url in pages:
            expected = 302 if (url == "/login/" and PEOPLE[who][1] == 200) else status
            assert client.get(url).status_code == expected, url


@pytest.mark.parametrize("who", [who for who, statuses in PEOPLE.items() if statuses[2] != 200])
def test_who_may_not_invite_deactivate_or_unlock(who: str) -> None:
    client, ann = client_of(who), make.make_employee("ann")
    before = list(Employee.objects.order_by("pk").values())
    answers = [client.post(ADMINS[0], {"text": "name,e-mail,team\nMal,mal@x.example,\n"})]
    actions = ("deactivate", "reactivate", "invite_again", "unlock")
    answers += [act(client, "employee", action, ann) for action in actions]
    assert {answer.status_code for answer in answers} <= {200, 302, 403}
    assert list(Employee.objects.order_by("pk").values()) == before
    assert not OrmQ.objects.exists()
