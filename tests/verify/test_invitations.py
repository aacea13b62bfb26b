"""A hundred colleagues at once: what inviting makes, what it leaves alone, which e-mails go out."""

import re
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path
from smtplib import SMTPServerDisconnected
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.core import mail
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_q.models import OrmQ
from hypothesis import given
from hypothesis import strategies as st

from tests import make
from tests.verify.curation import act
from tests.verify.players import at_once
from verify import invitations, letters, tasks
from verify.intake.people import Person, read_people
from verify.models import Employee, Team

OFFICE = """name,e-mail,team
Ann Lee,ann.lee@office.example,Styling
Bo Berg,Bo@office.example,warehouse
Cleo Ito,cleo@office.example,
"""
INVITE = "admin:verify_employee_invite"


def office(text: str = OFFICE) -> list[Person]:
    return read_people(text.encode())


def queued() -> list[tuple[str, Any]]:
    """Name and argument of each task that waits, in order."""
    waiting = [row.task for row in OrmQ.objects.order_by("pk")]
    return [(task["func"], *task["args"]) for task in waiting]


def work_off_the_queue() -> None:
    while row := OrmQ.objects.order_by("pk").first():
        getattr(tasks, row.task["func"].rpartition(".")[2])(*row.task["args"])
        row.delete()


# User names


EMAILS = st.lists(st.from_regex(r"[A-Za-z!#.']{1,6}@[a-z]\.example", fullmatch=True), max_size=12)


@given(EMAILS, st.lists(st.sampled_from(["ann", "ANN2", "colleague", "."]), max_size=4))
def test_user_names_are_new_in_any_case_and_well_formed(emails: list[str], taken: list[str]) -> None:
    found = list(invitations.usernames(emails, taken))
    assert len(found) == len(emails)
    everybody = [name.casefold() for name in found] + [name.casefold() for name in set(taken)]
    assert len(set(everybody)) == len(found) + len({name.casefold() for name in taken})
    assert all(re.fullmatch(r"[\w.@+-]+", name) for name in found)


def test_user_names_are_what_stands_before_the_at() -> None:
    emails = ["Ann.Lee@a.example", "ann.lee@b.example", "o'neil@a.example", "'@a.example"]
    assert list(invitations.usernames(emails, ["ANN.lee2"])) == ["ann.lee", "ann.lee3", "oneil", "colleague"]


# Accounts


@pytest.mark.django_db
def test_accounts_and_teams_are_made() -> None:
    Team.objects.create(name="Warehouse")
    done = invitations.invite(office())
    assert done.new_teams == ["Styling"]
    assert done.in_words() == ["3 invited.", "New teams: Styling."]
    facts = Employee.objects.values_list("username", "display_name", "email", "team__name", "is_staff")
    assert sorted(facts) == [
        ("ann.lee", "Ann Lee", "ann.lee@office.example", "Styling", False),
        ("bo", "Bo Berg", "Bo@office.example", "Warehouse", False),
        ("cleo", "Cleo Ito", "cleo@office.example", None, False),
    ]
    assert {employee.has_usable_password() for employee in Employee.objects.all()} == {False}
    assert len(set(Employee.objects.values_list("password", flat=True))) == 3
    assert queued() == [("verify.tasks.send_invitations", [employee.pk for employee in done.employees])]


@pytest.mark.django_db
def test_who_is_there_is_left_alone() -> None:
    ann = make.make_employee("anne", email="ANN.LEE@office.example", team="Blue", display_name="Anne")
    done = invitations.invite(office())
    assert [employee.username for employee in done.employees] == ["bo", "cleo"]
    assert [(person.row, employee) for person, employee in done.there] == [(2, ann)]
    ann.refresh_from_db()
    assert (ann.display_name, ann.team.name, ann.has_usable_password()) == ("Anne", "Blue", True)
    assert "Styling" not in done.new_teams
    assert invitations.invite(office()).employees == []
    assert len(queued()) == 1


@pytest.mark.django_db
def test_a_failure_half_way_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(invitations, "async_task", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        invitations.invite(office())
    assert not Employee.objects.exists()
    assert not Team.objects.exists()


@pytest.mark.concurrency
@pytest.mark.django_db(transaction=True)
def test_two_admins_with_the_same_file_invite_everybody_once() -> None:
    people = office()
    done = at_once([lambda: invitations.invite(people)] * 2)
    assert sorted(len(plan.employees) for plan in done) == [0, 3]
    assert (Employee.objects.count(), len(queued())) == (3, 1)


# E-mails


def written(number: int = -1) -> EmailMessage:
    return mail.outbox[number]


@pytest.mark.django_db
def test_the_letter_has_the_link_in_text_and_html(settings: Any) -> None:
    settings.PORTAL_URL = "https://dresses.example"
    [ann, *_] = invitations.invite(office()).employees
    tasks.send_invitation(ann.pk)
    letter = written()
    assert letter.to == ["ann.lee@office.example"]
    assert letter.subject == "Your place at the dressportal"
    html, kind = letter.alternatives[0]
    links = re.findall(r"https://dresses\.example/password/set/\S+/", letter.body)
    assert len(links) == 1
    assert html.count(links[0]) == 2
    assert kind == "text/html"
    for body in (letter.body, html):
        assert "Hello Ann Lee," in body
        assert "3 days" in body
        assert "https://dresses.example/password/forgotten/" in body


@pytest.mark.django_db
def test_a_name_is_no_markup() -> None:
    [odd] = invitations.invite(office("name,e-mail,team\n<b>&amp;,odd@office.example,")).employees
    tasks.send_invitation(odd.pk)
    assert "Hello <b>&amp;," in written().body
    assert "Hello &lt;b&gt;&amp;amp;," in written().alternatives[0][0]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "since",
    [{"is_active": False}, {"last_login": timezone.now()}, {"password": "set"}, {"email": ""}],
)
def test_whom_nobody_awaits_gets_no_letter(since: dict[str, Any]) -> None:
    [ann, *_] = invitations.invite(office()).employees
    Employee.objects.filter(pk=ann.pk).update(**since)
    tasks.send_invitation(ann.pk)
    tasks.send_invitation(10**9)
    assert mail.outbox == []


@pytest.mark.django_db
def test_a_mail_server_that_fails_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """The queue offers what failed again, unless failures count as done."""
    invitations.send([employee.pk for employee in invitations.invite(office()).employees])
    assert [row.task["ack_failure"] for row in OrmQ.objects.order_by("pk")[1:]] == [False] * 3

    def hang_up(*_: Any) -> None:
        raise SMTPServerDisconnected

    monkeypatch.setattr(letters.EmailMultiAlternatives, "send", hang_up)
    with pytest.raises(SMTPServerDisconnected):
        work_off_the_queue()


@pytest.mark.django_db
def test_a_silent_mail_server_does_not_hold_up_the_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    employees = invitations.invite(office()).employees
    waited: list[Any] = []

    def wait_in_vain(letter: Any) -> None:
        waited.append(letter)
        raise TimeoutError

    monkeypatch.setattr(letters.EmailMultiAlternatives, "send", wait_in_vain)
    for employee in employees:
        with pytest.raises(OSError):  # a failure, which the queue tries again
            tasks.send_invitation(employee.pk)
    assert len(waited) == 1


@pytest.mark.django_db
def test_everybody_invited_gets_one_letter() -> None:
    invitations.invite(office())
    work_off_the_queue()
    assert sorted(letter.to[0] for letter in mail.outbox) == [
        "Bo@office.example",
        "ann.lee@office.example",
        "cleo@office.example",
    ]


# From the command line


@pytest.mark.django_db
def test_the_command_invites(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make.make_employee("cleo", email="cleo@office.example", is_active=False)
    file = tmp_path / "people.csv"
    file.write_text(OFFICE)
    call_command("invite", file, dry_run=True)
    assert Employee.objects.count() == 1
    assert "2 would be invited." in capsys.readouterr().out
    call_command("invite", str(file))
    assert Employee.objects.count() == 3
    assert capsys.readouterr().out.splitlines() == [
        "row 4: cleo@office.example is already there (cleo, deactivated)",
        "2 invited. New teams: Styling, warehouse. 1 already there, left as they are.",
    ]


@pytest.mark.django_db
def test_the_command_names_bad_rows_and_invites_nobody(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "people.csv"
    file.write_text(OFFICE + "Dan,\x1b[2Jdan,Care\n")
    with pytest.raises(CommandError, match="Nobody is invited"):
        call_command("invite", str(file))
    told = capsys.readouterr().err
    assert told == "row 5: e-mail '\\x1b[2Jdan': Expected text without control characters.\n"
    assert not Employee.objects.exists()
    with pytest.raises(CommandError, match=r"No such file or directory\.$"):
        call_command("invite", str(tmp_path / "nowhere.csv"))


# In the admin


def upload(client: Client, content: str | bytes) -> Any:
    data = content.encode() if isinstance(content, str) else content
    return client.post(reverse(INVITE), {"file": SimpleUploadedFile("people.csv", data)})


@pytest.mark.django_db
def test_an_upload_is_shown_before_it_happens(client: Client, ada: Employee) -> None:
    make.make_employee("bo", email="bo@office.example", display_name="Bo the Elder", is_active=False)
    page = upload(client, OFFICE)
    html = page.content.decode()
    for shown in ("Invite 2 people", "New team: Styling", "Ann Lee", "Bo the Elder", "deactivated"):
        assert shown in html
    assert Employee.objects.count() == 2
    assert queued() == []

    answer = client.post(reverse(INVITE), {"text": page.context["text"]}, follow=True)
    assert "2 invited. New teams: Styling. 1 already there, left as they are." in answer.content.decode()
    invited = Employee.objects.filter(username__in=["ann.lee", "cleo"])
    assert queued() == [("verify.tasks.send_invitations", list(invited.values_list("pk", flat=True)))]
    log = LogEntry.objects.filter(user=ada, change_message="Invited.")
    assert {int(entry.object_id) for entry in log} == {employee.pk for employee in invited}


@pytest.mark.django_db
def test_bad_rows_are_shown_and_nothing_happens(client: Client, ada: Employee) -> None:
    html = upload(client, OFFICE + "<script>,dan,Care\n").content.decode()
    assert "Expected an e-mail address" in html
    assert "<td>5</td>" in html
    assert "Invite 3" not in html
    assert Employee.objects.count() == 1
    assert "Expected UTF-8" in upload(client, "name,e-mail,team\nZoë".encode("latin-1")).content.decode()
    assert "at most 1,000,000 bytes" in upload(client, OFFICE.ljust(1_000_001)).content.decode()
    assert "Choose a CSV file first." in client.post(reverse(INVITE), {"text": ""}).content.decode()
    assert "The submitted file is empty." in upload(client, b"").content.decode()


@pytest.mark.django_db
def test_a_text_that_was_tampered_with_is_checked_again(client: Client, ada: Employee) -> None:
    html = client.post(reverse(INVITE), {"text": "name,e-mail,team\nMal,mal,\n"}).content.decode()
    assert "Expected an e-mail address" in html
    assert Employee.objects.count() == 1


@pytest.mark.django_db
def test_the_largest_file_passes_from_check_to_invitation(client: Client, ada: Employee) -> None:
    rows = (f"Person Number {n},person.number.{n}@office.example,Team {n % 50}" for n in range(10_000))
    page = upload(client, "\n".join(["name,e-mail,team", *rows]))
    assert len(page.content) < 2_000_000
    client.post(reverse(INVITE), {"text": page.context["text"]})
    assert (Employee.objects.count(), Team.objects.count(), OrmQ.objects.count()) == (10_001, 51, 1)


@pytest.mark.django_db
def test_an_invitation_is_sent_again_to_those_who_have_not_come(client: Client, ada: Employee) -> None:
    [ann, bo, cleo] = invitations.invite(office()).employees
    work_off_the_queue()
    Employee.objects.filter(pk=bo.pk).update(is_active=False)
    cleo.set_password("a-long-passphrase")
    cleo.save()
    page = act(client, "employee", "invite_again", ann, bo, cleo)
    assert "1 invited again." in page.content.decode()
    assert "2 not." in page.content.decode()
    assert queued() == [("verify.tasks.send_invitation", ann.pk)]


@pytest.mark.django_db
def test_the_list_tells_accounts_apart(client: Client, ada: Employee) -> None:
    invitations.invite(office())
    make.make_employee("gone", is_active=False, last_login=timezone.now() - timedelta(days=1))
    make.make_employee("rita", read_only=True)
    url = reverse("admin:verify_employee_changelist")
    expected = {
        "invited": ["ann.lee", "bo", "cleo"],
        "deactivated": ["gone"],
        "read-only": ["rita"],
        "active": ["ada", "rita"],
        "locked": [],
    }
    for state, names in expected.items():
        shown = client.get(url, {"account": state}).context["cl"].queryset
        assert sorted(shown.values_list("username", flat=True)) == names, state
    html = client.get(url).content.decode()
    assert html.count(">invited</span>") == 3
    assert html.count(">deactivated</span>") == 1
