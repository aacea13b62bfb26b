"""A closer look at the photo, and at the dresses beside it."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

from tests import make
from tests.browser.conftest import Visitor
from tests.browser.hands import SHOWN, UNGUARDED, drag, middle, press, ready, settle, shown
from verify.models import Lease, Post, Vote

pytestmark = pytest.mark.browser

Visit = Callable[..., Visitor]


@pytest.fixture
def posts(transactional_db: None) -> list[Post]:
    dresses = [make.make_dress(photos=3) for _ in range(3)]
    return make.make_open_posts(6, make.make_batch(), dresses)


def scale(page: Page) -> float:
    return float(
        page.locator("#closer .stage img").evaluate("image => new DOMMatrix(image.style.transform).a")
    )


def test_by_keys_and_wheel(visit: Visit, posts: list[Post]) -> None:
    page = visit("ann").open()
    first = shown(page)
    ready(page)
    page.keyboard.press("z")
    expect(page.get_by_role("dialog", name="Look closer")).to_be_visible()
    assert scale(page) == 1
    page.keyboard.press("+")
    page.keyboard.press("+")
    assert scale(page) > 1.9
    page.keyboard.press("ArrowLeft")
    moved = page.locator("#closer .stage img").evaluate("image => new DOMMatrix(image.style.transform).e")
    assert moved > 0
    page.keyboard.press("0")  # all of it, and no vote
    assert scale(page) == 1
    page.mouse.move(*middle(page.locator("#closer .stage")))
    page.mouse.wheel(0, -300)
    page.wait_for_function("document.querySelector('#closer .stage.enlarged')")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    assert shown(page) == first
    assert not Vote.objects.exists()


def test_a_tap_opens_it_and_two_fingers_enlarge(visit: Visit, posts: list[Post]) -> None:
    page = visit("ann", "phone").open()
    ready(page)
    page.touchscreen.tap(*middle(page.locator(SHOWN).locator(".photo")))
    expect(page.locator("#closer")).to_be_visible()
    x, y = middle(page.locator("#closer .stage"))
    fingers = page.context.new_cdp_session(page)
    for kind, apart in (("touchStart", 40), ("touchMove", 60), ("touchMove", 120), ("touchEnd", 0)):
        points = [{"x": x - apart, "y": y, "id": 1}, {"x": x + apart, "y": y, "id": 2}] if apart else []
        fingers.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    assert scale(page) > 2
    page.locator("#closer").get_by_role("button", name="Close").click()
    expect(page.locator("#closer")).to_be_hidden()


def test_the_photos_of_a_dress_beside_it_lead_to_a_vote(visit: Visit, posts: list[Post]) -> None:
    page = visit("ann").open()
    lease = Lease.objects.get(pk=shown(page))
    option = page.locator(SHOWN).locator(".option").nth(1)
    value, title = option.get_attribute("value"), option.locator(".title").inner_text()
    ready(page)
    page.keyboard.press("Shift+Digit2")
    beside = page.locator("#beside")
    expect(beside.get_by_role("heading", name=title)).to_be_visible()
    expect(beside.get_by_role("img")).to_have_count(3)
    page.get_by_role("button", name="It is this dress").click()
    settle(page, 1)
    vote = Vote.objects.get()
    assert (vote.post_id, vote.option.dress_id) == (lease.post_id, int(str(value)))


def test_a_long_press_looks_and_does_not_answer(visit: Visit, posts: list[Post]) -> None:
    page = visit("ann", "phone").open()
    ready(page)
    x, y = middle(page.locator(SHOWN).locator(".option").first)
    fingers = drag(page, (x, y), let_go=False)
    expect(page.locator("#beside").get_by_role("img")).to_have_count(3)
    fingers.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    page.keyboard.press("Escape")
    expect(page.locator("#closer")).to_be_hidden()
    assert not Vote.objects.exists()


def test_a_photo_that_cannot_be_fetched_is_said_to_be(visit: Visit, posts: list[Post]) -> None:
    ann = visit("ann")
    page = ann.open()
    ready(page)
    page.route("**/photos/", lambda route: route.abort())
    page.locator(SHOWN).locator(".beside").first.click()
    expect(page.locator("#beside")).to_have_text("That could not be loaded. Please try again.")
    ann.forgive("ERR_FAILED")


def test_it_is_this_dress_means_the_card_that_was_looked_at(visit: Visit, posts: list[Post]) -> None:
    ann = visit("ann")
    page = ann.open()
    waiting: list[Route] = []
    page.route("**/vote/", lambda route: waiting.append(route))
    first = shown(page)
    ready(page)
    page.keyboard.press("n")
    expect(page.locator(f"#card-{first}")).to_be_hidden()
    ready(page, UNGUARDED)
    second = shown(page)
    page.keyboard.press("Shift+Digit1")
    settles = page.get_by_role("button", name="It is this dress")
    expect(settles).to_be_visible()
    waiting[0].fulfill(status=500)
    page.wait_for_function(f"!document.querySelector('#card-{first}.sent')")  # it has come back
    page.wait_for_timeout(400)  # and takes answers
    page.unroute("**/vote/")
    settles.click()
    expect(page.locator("#closer")).to_be_hidden()
    page.wait_for_timeout(300)
    assert shown(page) == first
    assert not Vote.objects.exists()
    press(page, "0", 1)
    assert shown(page) == second
    ann.forgive("500")
