"""A real Chromium, on a phone's and on a desktop's screen, that tolerates no error in its console."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from threading import Condition
from typing import Any

import pytest
from django.conf import settings as project_settings
from django.core.signals import request_finished, request_started
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests import make
from verify.models import Employee, Post

SCREENS = {
    "phone": {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True},
    "desktop": {"viewport": {"width": 1440, "height": 900}},
}
# The first draws pages alone, without a window around each, in two thirds of the time.
CHROMIUM = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    chromium = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if chromium is None:
        pytest.skip(
            "NO BROWSER TESTS: there is no chromium on this machine (apt install chromium-headless-shell)"
        )
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        # Playwright's loop runs in this thread, where the tests use the database as well.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        arguments = ["--no-sandbox", "--disable-dev-shm-usage"]
        browser = playwright.chromium.launch(executable_path=chromium, args=arguments)
        yield browser
        browser.close()


class UnderWay:
    """Requests that the server is at work with."""

    def __init__(self) -> None:
        self._count, self._changed = 0, Condition()

    def begins(self, **signal: Any) -> None:
        with self._changed:
            self._count += 1

    def ends(self, **signal: Any) -> None:
        with self._changed:
            self._count -= 1
            self._changed.notify_all()

    def are_done(self, seconds: float) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: self._count <= 0, seconds)


@pytest.fixture(autouse=True)
def answered(live_server: Any, transactional_db: None) -> Iterator[None]:
    """What closed windows still asked for is answered before the database is emptied, for both take locks."""
    under_way = UnderWay()
    request_started.connect(under_way.begins)
    request_finished.connect(under_way.ends)
    yield
    assert under_way.are_done(seconds=30)
    request_started.disconnect(under_way.begins)
    request_finished.disconnect(under_way.ends)


@dataclass
class Visitor:
    """Somebody logged in, with what their browser complained about."""

    employee: Employee
    page: Page
    address: str
    complaints: list[str] = field(default_factory=list)

    def forgive(self, *expected: str) -> None:
        """Drop the complaints that a test has provoked."""
        self.complaints = [text for text in self.complaints if not any(word in text for word in expected)]

    def open(self, path: str = "/") -> Page:
        """The page, with its pictures, and its script at work."""
        self.page.goto(self.address + path)
        return self.page


@pytest.fixture
def visit(browser: Browser, live_server: Any, transactional_db: None) -> Iterator[Callable[..., Visitor]]:
    """Opens a browser window for an employee: ``visit("ann", "phone")``, more options as Playwright's."""
    visitors: list[tuple[Visitor, BrowserContext]] = []

    def visit(username: str, screen: str = "desktop", **options: Any) -> Visitor:
        employee = Employee.objects.filter(username=username).first() or make.make_employee(username)
        context = browser.new_context(**{**SCREENS[screen], **options})
        context.add_cookies([_session(employee, live_server.url)])
        visitor = Visitor(employee, context.new_page(), live_server.url)
        visitor.page.on("console", lambda said: said.type == "error" and visitor.complaints.append(said.text))
        visitor.page.on("pageerror", lambda error: visitor.complaints.append(str(error)))
        visitors.append((visitor, context))
        return visitor

    yield visit
    for visitor, context in visitors:
        context.close()
        assert visitor.complaints == []


def _session(employee: Employee, address: str) -> dict[str, str]:
    client = Client()
    client.force_login(employee)
    name = project_settings.SESSION_COOKIE_NAME
    return {"name": name, "value": client.cookies[name].value, "url": address}


@pytest.fixture
def posts(transactional_db: None) -> list[Post]:
    """A batch of six posts, open to votes."""
    return make.make_open_posts(6, make.make_batch())
