"""Telephones: what a notch hides, and taps that must not zoom."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visitor
from tests.browser.hands import press, ready
from verify.models import Post

pytestmark = pytest.mark.browser

Visit = Callable[..., Visitor]
NOTCH, BAR = 59, 34  # px beside and below what may be used
LANDSCAPE = {"viewport": {"width": 844, "height": 390}}


def with_notch(page: Page) -> Page:
    insets = {"left": NOTCH, "right": NOTCH, "bottom": BAR}
    page.context.new_cdp_session(page).send("Emulation.setSafeAreaInsetsOverride", {"insets": insets})
    return page


def hidden(page: Page, selector: str) -> list[str]:
    """What is written or can be pressed in an element, and stands where the screen is not to be used."""
    return page.locator(selector).first.evaluate(
        """(element, notch) => [element, ...element.querySelectorAll("a, button, input, p, h1, h2, h3, li")]
            .filter((inner) => inner !== element || !inner.children.length)
            .filter((inner) => inner.checkVisibility() && !inner.closest(".visually-hidden, .dress-photos"))
            .filter((inner) => {
                const {left, right, width} = inner.getBoundingClientRect();
                return width && (left < notch - 1 || right > innerWidth - notch + 1);
            })
            .map((inner) => inner.outerHTML.slice(0, 100))""",
        NOTCH,
    )


def end(page: Page, selector: str) -> float:
    """The padding below."""
    return page.locator(selector).evaluate("element => parseFloat(getComputedStyle(element).paddingBottom)")


def test_nothing_of_the_game_is_under_the_notch(visit: Visit, posts: list[Post]) -> None:
    page = with_notch(visit("ann", "phone", **LANDSCAPE).open())
    assert hidden(page, "#swipe-hint") == []
    ready(page)
    press(page, "n", 1)
    assert hidden(page, ".remarks") == []
    page.keyboard.press("h")
    expect(page.locator("#recent li")).to_have_count(1)
    assert hidden(page, "#sheet") == []
    page.keyboard.press("Escape")
    page.keyboard.press("Shift+Digit1")
    expect(page.get_by_role("button", name="It is this dress")).to_be_visible()
    assert hidden(page, "#closer .side") == []
    assert hidden(page, "#closer form") == []


@pytest.mark.parametrize("path", ["/me/", "/leaderboard/", "/hall-of-fame/", "/recent/"])
def test_nothing_of_the_pages_is_under_the_notch(visit: Visit, posts: list[Post], path: str) -> None:
    page = with_notch(visit("ann", "phone", **LANDSCAPE).open(path))
    assert hidden(page, "main") == []


def test_nothing_of_the_log_in_and_of_the_end_is_under_the_notch(
    visit: Visit, transactional_db: None
) -> None:
    ann = visit("ann", "phone", **LANDSCAPE)
    page = with_notch(ann.open())
    assert hidden(page, "#finale") == []
    assert end(page, "#finale") >= BAR
    page.context.clear_cookies()
    ann.open("/login/")
    assert hidden(page, ".sheet") == []


def test_the_ends_of_the_sheets_are_above_the_bar(visit: Visit, posts: list[Post]) -> None:
    page = with_notch(visit("ann", "phone").open())
    for selector in ("#sheet", "#closer .side"):
        assert end(page, selector) >= BAR, selector


def test_two_quick_taps_do_not_zoom(visit: Visit, posts: list[Post]) -> None:
    page = visit("ann", "phone").open()
    style = "element => getComputedStyle(element).touchAction"
    for selector in ("body", "#help", "#sheet", "#closer"):
        assert page.locator(selector).evaluate(style) == "manipulation", selector
    assert page.locator(".photo a").first.evaluate(style) == "pinch-zoom"
    assert page.locator("#closer .stage").evaluate(style) == "none"
