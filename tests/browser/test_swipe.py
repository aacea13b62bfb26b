"""Swipes: the photo follows the finger, a label says what letting go does, and moving back takes it back."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visitor
from tests.browser.hands import SHOWN, TOWARDS, drag, middle, ready, settle, shown, swipe
from verify.models import Post, Vote

pytestmark = pytest.mark.browser

Visit = Callable[..., Visitor]


def test_the_label_says_what_letting_go_does(visit: Visit, posts: list[Post]) -> None:
    page = visit("ann", "phone").open()
    ready(page)
    card = page.locator(SHOWN)
    titles = card.locator(".option .title").all_inner_texts()
    names = dict(zip(("left", "up", "right", "down"), [*titles, "Not a dress"], strict=True))
    x, y = middle(card.locator(".photo"))
    for direction, (across, down) in TOWARDS.items():
        fingers = drag(page, (x, y), (x + across, y + down), let_go=False)
        expect(card.locator(".aim.far")).to_have_text(names[direction])
        expect(card.locator(".aimed")).to_contain_text(names[direction])
        moved = card.locator(".photo img").evaluate("image => new DOMMatrix(image.style.transform)")
        assert (round(moved["e"]), round(moved["f"])) == (across, down)
        fingers.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [{"x": x + 5, "y": y}]})
        expect(card.locator(".aimed")).to_have_count(0)  # back: letting go does nothing
        fingers.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        expect(card.locator(".aim")).to_be_hidden()
    expect(page.locator("#closer")).to_be_hidden()
    assert not Vote.objects.exists()


def test_a_short_or_second_finger_or_edge_swipe_answers_nothing(visit: Visit, posts: list[Post]) -> None:
    page = visit("ann", "phone").open()
    ready(page)
    first = shown(page)
    x, y = middle(page.locator(SHOWN).locator(".photo"))
    drag(page, (x, y), (x - 40, y))
    drag(page, (5, y), (150, y))  # the system's own way back
    fingers = drag(page, (x, y), (x + 120, y), let_go=False)
    two = [{"x": x + 120, "y": y, "id": 0}, {"x": x, "y": y + 50, "id": 1}]
    fingers.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": two})
    fingers.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    expect(page.locator(SHOWN).locator(".aim")).to_be_hidden()
    assert shown(page) == first
    assert not Vote.objects.exists()


def test_the_hint_goes_after_the_first_swipe_and_stays_away(visit: Visit, posts: list[Post]) -> None:
    page = visit("ann", "phone").open()
    hint = page.locator("#swipe-hint")
    expect(hint).to_be_visible()
    ready(page)
    swipe(page, "down")
    settle(page, 1)
    assert Vote.objects.get().answer == "not_a_dress"
    expect(hint).to_be_hidden()
    page.reload()
    ready(page)
    expect(hint).to_be_hidden()


def test_no_hint_for_a_mouse(visit: Visit, posts: list[Post]) -> None:
    expect(visit("ann").open().locator("#swipe-hint")).to_be_hidden()


def test_the_photo_stays_put_for_who_wants_no_motion(visit: Visit, posts: list[Post]) -> None:
    page = visit("ann", "phone", reduced_motion="reduce").open()
    ready(page)
    card = page.locator(SHOWN)
    x, y = middle(card.locator(".photo"))
    fingers = drag(page, (x, y), (x - 120, y), let_go=False)
    expect(card.locator(".aim.far")).to_be_visible()
    assert card.locator(".photo img").evaluate("image => image.style.transform") == ""
    fingers.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    settle(page, 1)
