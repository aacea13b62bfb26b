"""A lunch break of thirty cards: by keys, by touch, by mouse, and without JavaScript."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests import make
from tests.browser.conftest import Visitor
from tests.browser.hands import SHOWN, UNGUARDED, middle, pressed, ready, settle, shown, swipe
from verify.models import Employee, Lease, Post, Vote

pytestmark = pytest.mark.browser

CARDS = 30
ANSWERS = ["1", "2", "3", "n", "0"]  # by their keys, in turn
SWIPES = {"1": "left", "2": "up", "3": "right", "n": "down"}
Visit = Callable[..., Visitor]
Given = list[tuple[str | None, str | None]]  # leases, and the values of the buttons that answered them


@pytest.fixture
def posts(transactional_db: None) -> list[Post]:
    return make.make_open_posts(CARDS, make.make_batch())


def have_lunch(page: Page, answer: Callable[[Locator, str], None]) -> Given:
    """Answer thirty cards as fast as the game takes it; ``answer`` gets a button and its key."""
    given: Given = []
    for turn in range(CARDS):
        ready(page, UNGUARDED)
        lease, key = shown(page), ANSWERS[turn % len(ANSWERS)]
        button = page.locator(SHOWN).locator(f"[data-key='{key}']")
        given.append((lease, button.get_attribute("value")))
        answer(button, key)
        expect(page.locator(f"#card-{lease}")).to_be_hidden()
    settle(page, CARDS)
    return given


def assert_stored(employee: Employee, given: Given) -> None:
    """Every answer is a vote, once, in order, on the right post, with the time it took."""
    votes = Vote.objects.filter(employee=employee).order_by("created_at", "pk")
    stored = [(vote.post_id, pressed(vote)) for vote in votes]
    leases = Lease.objects.in_bulk([int(lease or 0) for lease, _ in given])
    assert stored == [(leases[int(lease or 0)].post_id, value) for lease, value in given]


def test_by_keys(visit: Visit, posts: list[Post]) -> None:
    ann = visit("ann", "desktop")
    page = ann.open()
    pages: list[str] = []
    page.on("request", lambda request: request.is_navigation_request() and pages.append(request.url))
    given = have_lunch(page, lambda button, key: page.keyboard.press(key))
    assert_stored(ann.employee, given)
    assert pages == []
    expect(page.get_by_role("heading", name="You have seen all that needs you.")).to_be_visible()
    expect(page.locator("#today")).to_contain_text("goal reached")
    looked = list(Vote.objects.values_list("viewed_ms", flat=True))
    assert all(milliseconds and 100 < milliseconds < 60_000 for milliseconds in looked)


def test_by_touch(visit: Visit, posts: list[Post]) -> None:
    """Swipes where there is one, taps where there is none."""
    ann = visit("ann", "phone")
    page = ann.open()

    def answer(button: Locator, key: str) -> None:
        if key in SWIPES:
            swipe(page, SWIPES[key])
        else:
            page.touchscreen.tap(*middle(button))

    assert_stored(ann.employee, have_lunch(page, answer))


def test_by_mouse(visit: Visit, posts: list[Post]) -> None:
    ann = visit("ann", "desktop")
    page = ann.open()
    assert_stored(ann.employee, have_lunch(page, lambda button, key: page.mouse.click(*middle(button))))


def test_without_javascript(visit: Visit, posts: list[Post]) -> None:
    ann = visit("ann", "phone", java_script_enabled=False)
    page = ann.open()
    given: Given = []
    for turn in range(CARDS):
        button = page.locator(SHOWN).locator(f"[data-key='{ANSWERS[turn % len(ANSWERS)]}']")
        given.append((shown(page), button.get_attribute("value")))
        button.click()
        expect(page.locator("#today b")).to_have_text(str(turn + 1))
    assert_stored(ann.employee, given)
    expect(page.get_by_role("heading", name="You have seen all that needs you.")).to_be_visible()
