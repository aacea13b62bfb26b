"""The first day in a browser: from the admin's CSV to a colleague's first log-in, and the ways back in."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from django_q.models import OrmQ
from playwright.sync_api import Browser, Page, expect

from tests import make
from tests.browser.axe import violations_in_both_themes
from tests.browser.conftest import SCREENS, Visitor
from verify import invitations, letters, tasks
from verify.intake.people import read_people
from verify.models import Employee

pytestmark = pytest.mark.browser

Visit = Callable[..., Visitor]
both_screens = pytest.mark.parametrize("screen", ["phone", "desktop"])
OFFICE = """name,e-mail,team
Ann Lee,ann.lee@office.example,Styling
Bo Berg,bo@office.example,Warehouse
"""
PASSWORD = "seven-satin-sashes"


@pytest.fixture(autouse=True)
def links_lead_here(settings: Any, live_server: Any) -> None:
    settings.PORTAL_URL = live_server.url


def the_worker_does_its_part() -> None:
    while row := OrmQ.objects.order_by("pk").first():
        getattr(tasks, row.task["func"].rpartition(".")[2])(*row.task["args"])
        row.delete()


def link_in(letter: Any) -> str:
    return re.search(r"http\S+/password/set/\S+", letter.body)[0]


@pytest.fixture
def stranger(browser: Browser) -> Any:
    """Opens a window in which nobody is logged in."""
    contexts = []

    def stranger(screen: str, **options: Any) -> Page:
        contexts.append(browser.new_context(**{**SCREENS[screen], **options}))
        return contexts[-1].new_page()

    yield stranger
    for context in contexts:
        context.close()


def upload(page: Page, folder: Path, text: str) -> None:
    (folder / "people.csv").write_text(text)
    page.get_by_label("CSV file").set_input_files(folder / "people.csv")
    page.get_by_role("button", name="Check the file").click()


@both_screens
def test_from_the_csv_to_the_first_log_in(
    visit: Visit, stranger: Any, tmp_path: Path, posts: list[Any], screen: str
) -> None:
    make.make_admin("ada")
    make.make_employee("bo", email="bo@office.example")
    page = visit("ada", screen).open("/admin/verify/employee/")
    page.get_by_role("link", name="Invite by CSV").click()
    upload(page, tmp_path, OFFICE + "Cleo,cleo,Styling\n")
    expect(page.get_by_role("row", name="4 e-mail cleo")).to_contain_text("Expected an e-mail address")
    upload(page, tmp_path, OFFICE)
    expect(page.get_by_text("Already there, left as they are: 1")).to_be_visible()
    assert not Employee.objects.filter(username="ann.lee").exists()
    page.get_by_role("button", name="Invite 1 person").click()
    expect(page.get_by_text("1 invited. New teams: Styling.")).to_be_visible()

    the_worker_does_its_part()
    [letter] = mail.outbox
    ann = stranger(screen)
    ann.goto(link_in(letter))
    expect(ann.get_by_role("heading", name="Welcome, Ann Lee")).to_be_visible()
    ann.get_by_label("New password", exact=True).fill(PASSWORD)
    ann.get_by_label("New password confirmation").fill(PASSWORD)
    ann.get_by_role("button", name="Set password and start").click()
    ann.wait_for_url("**/")
    expect(ann.locator(".card").first).to_be_visible()

    again = stranger(screen)
    again.goto(link_in(letter))
    expect(again.get_by_role("heading", name="This link has expired")).to_be_visible()
    again.get_by_label("E-mail").fill("ann.lee@office.example")
    again.get_by_role("button", name="Send me a link").click()
    expect(again.get_by_role("heading", name="Look into your inbox")).to_be_visible()
    again.get_by_role("link", name="Back to the log-in").click()
    again.get_by_label("User name or e-mail").fill("Ann.Lee@office.example")
    again.get_by_label("Password").fill(PASSWORD)
    again.get_by_role("button", name="Log in").click()
    again.wait_for_url("**/")


@both_screens
@pytest.mark.parametrize("scripts", [True, False])
def test_five_wrong_passwords_then_a_new_one_by_e_mail(
    stranger: Any, live_server: Any, transactional_db: None, posts: list[Any], screen: str, scripts: bool
) -> None:
    make.make_employee("ann", email="ann@office.example")
    page = stranger(screen, java_script_enabled=scripts)
    page.goto(live_server.url + "/login/")
    for _ in range(5):
        page.get_by_label("User name or e-mail").fill("ann")
        page.get_by_label("Password").fill("not-quite")
        page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert")).to_have_text(re.compile(r"Try again in 15 minutes\."))
    page.get_by_role("link", name="Set a new password").click()
    page.get_by_label("E-mail").fill("ann@office.example")
    page.get_by_role("button", name="Send me a link").click()
    the_worker_does_its_part()
    page.goto(link_in(mail.outbox[0]))
    page.get_by_label("New password", exact=True).fill("short")
    page.get_by_label("New password confirmation").fill("short")
    page.get_by_role("button", name="Set password and start").click()
    expect(page.get_by_role("alert").first).to_contain_text("too short")
    page.get_by_label("New password", exact=True).fill(PASSWORD)
    page.get_by_label("New password confirmation").fill(PASSWORD)
    page.get_by_role("button", name="Set password and start").click()
    page.wait_for_url("**/")
    expect(page.locator(".card").first).to_be_visible()


@both_screens
def test_every_state_of_the_pages_around_a_link_is_accessible(
    stranger: Any, live_server: Any, transactional_db: None, screen: str
) -> None:
    [ann, _] = invitations.invite(read_people(OFFICE.encode())).employees
    page = stranger(screen, color_scheme="light")
    page.goto(live_server.url + "/password/set/MQ/nobody-sent-it/")
    assert violations_in_both_themes(page) == []
    page.goto(letters.link(ann))
    assert violations_in_both_themes(page) == []
    page.get_by_label("New password", exact=True).fill("one")
    page.get_by_label("New password confirmation").fill("another")
    page.get_by_role("button", name="Set password and start").click()
    expect(page.get_by_role("alert").first).to_be_visible()
    assert violations_in_both_themes(page) == []
    page.goto(live_server.url + "/login/")
    for _ in range(5):
        page.get_by_label("User name or e-mail").fill("ann.lee")
        page.get_by_label("Password").fill("not-quite")
        page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="A short pause")).to_be_visible()
    assert violations_in_both_themes(page) == []


@both_screens
def test_every_state_of_the_page_to_invite_is_accessible(visit: Visit, tmp_path: Path, screen: str) -> None:
    make.make_admin("ada")
    make.make_employee("bo", email="bo@office.example", is_active=False)
    ada = visit("ada", screen, color_scheme="light")
    page = ada.open("/admin/verify/employee/invite/")
    assert violations_in_both_themes(page) == []
    upload(page, tmp_path, OFFICE + "Cleo,cleo,Styling\n")
    expect(page.get_by_text("To mend: 1")).to_be_visible()
    assert violations_in_both_themes(page) == []
    upload(page, tmp_path, OFFICE)
    expect(page.get_by_text("New: 1")).to_be_visible()
    assert violations_in_both_themes(page) == []
    ada.forgive("Applying inline style")  # axe's own
