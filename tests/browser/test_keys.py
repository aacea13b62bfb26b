"""The game by keys alone, on keyboards of other countries too."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests import make
from tests.browser.conftest import Visitor
from tests.browser.hands import SHOWN, post_of, press, pressed, ready, settle, shown
from verify.models import Nomination, Post, Vote

pytestmark = pytest.mark.browser

Visit = Callable[..., Visitor]
FOCUSED = "document.activeElement.firstChild?.textContent.trim()"


def strike(page: Page, code: str, types: str) -> None:
    """Press the key at a place of the keyboard that types something else there than in America."""
    page.evaluate(
        """event => document.activeElement.dispatchEvent(
            new KeyboardEvent("keydown", {...event, bubbles: true, cancelable: true}))""",
        {"code": code, "key": types},
    )


@pytest.mark.parametrize(
    ("code", "types", "button"),
    [
        ("Digit2", "é", "2"),  # AZERTY
        ("Digit0", "à", "0"),
        ("Digit3", "š", "3"),  # Czech
        ("Numpad2", "2", "2"),
    ],
)
def test_the_row_of_digits_answers_whatever_it_types(
    visit: Visit, posts: list[Post], code: str, types: str, button: str
) -> None:
    page = visit("ann").open()
    value = page.locator(SHOWN).locator(f"[data-key='{button}']").get_attribute("value")
    ready(page)
    strike(page, code, types)
    settle(page, 1)
    assert pressed(Vote.objects.get()) == value


def test_shift_with_a_digit_looks_and_never_answers(visit: Visit, posts: list[Post]) -> None:
    page = visit("ann").open()
    ready(page)
    page.keyboard.press("Shift+Digit2")
    expect(page.get_by_role("button", name="It is this dress")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("Shift+Digit0")
    page.wait_for_timeout(200)
    assert not Vote.objects.exists()


def tab_to(page: Page, text: str) -> None:
    for _ in range(30):
        if page.evaluate(FOCUSED) == text:
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{text} cannot be reached by keys")


def name_luna(page: Page) -> None:
    """Search and choose, with the focus in the search field."""
    expect(page.get_by_label("Title, designer or number")).to_be_focused()
    page.keyboard.type("luna")
    expect(page.locator("#found button")).to_have_count(1)
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#sheet")).to_be_hidden()
    expect(page.locator("#toasts")).to_contain_text("Luna Slip")


def test_naming_and_the_hall_of_fame(visit: Visit, posts: list[Post]) -> None:
    luna = make.make_dress("LUNA-1", title="Luna Slip")
    page = visit("ann").open()
    ready(page)
    press(page, "0", 1)
    expect(page.locator("#after kbd")).to_have_text("d")
    page.keyboard.press("d")
    name_luna(page)
    assert Vote.objects.get().option.dress == luna
    expect(page.locator("#after")).to_be_empty()
    expect(page.get_by_role("button", name="Undo")).to_be_visible()
    odd = shown(page)
    ready(page)
    press(page, "n", 2)
    expect(page.locator("#after kbd")).to_have_text("p")
    page.keyboard.press("p")
    expect(page.locator("#toasts")).to_contain_text("Sent to the hall of fame.")
    assert Nomination.objects.get().post == post_of(odd)


def test_a_dress_is_named_from_the_last_ten(visit: Visit, posts: list[Post]) -> None:
    luna = make.make_dress("LUNA-1", title="Luna Slip")
    page = visit("ann").open()
    ready(page)
    press(page, "0", 1)
    press(page, "1", 2)
    page.keyboard.press("h")
    expect(page.locator("#recent").get_by_role("link", name="Name it")).to_have_count(1)
    tab_to(page, "Name it")
    page.keyboard.press("Enter")
    name_luna(page)
    assert Vote.objects.order_by("created_at").first().option.dress == luna


def test_the_help_names_the_keys(visit: Visit, posts: list[Post]) -> None:
    page = visit("ann").open()
    ready(page)
    page.keyboard.press("?")
    keys = page.get_by_role("dialog", name="By keys").locator("dt").all_inner_texts()
    assert {"d", "p"} <= set(keys)


@pytest.mark.parametrize(("key", "its_key"), [("n", "p"), ("0", "d")])
def test_what_has_faded_can_be_pressed_until_the_next_answer(
    visit: Visit, posts: list[Post], key: str, its_key: str
) -> None:
    page = visit("ann").open()
    ready(page)
    press(page, key, 1)
    remark = page.locator("#after .remark")
    remark.evaluate("element => element.getAnimations().forEach((animation) => animation.finish())")
    expect(remark).to_be_hidden()
    page.keyboard.press(its_key)
    expect(page.locator("#sheet[open], #toasts .toast")).to_be_visible()


@pytest.mark.parametrize("key", ["n", "0"])
def test_what_is_offered_can_be_closed_and_goes_with_the_next_answer(
    visit: Visit, posts: list[Post], key: str
) -> None:
    page = visit("ann").open()
    ready(page)
    press(page, key, 1)
    remark = page.locator("#after .remark")
    expect(remark).to_be_visible()
    remark.get_by_role("button", name="Close").click()
    expect(remark).to_have_count(0)
    press(page, key, 2)
    expect(remark).to_be_visible()
    press(page, "1", 3)
    expect(remark).to_have_count(0)
