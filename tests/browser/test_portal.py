"""The game in a browser: what is there in time, what is refused, who comes and goes."""

import gzip
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.utils import timezone
from playwright.sync_api import expect

from tests import make
from tests.browser.conftest import Visitor
from tests.browser.hands import SHOWN, press, ready, settle, shown
from verify import queue
from verify.models import Lease, Look, Post, Vote

pytestmark = pytest.mark.browser

Visit = Callable[..., Visitor]
both_screens = pytest.mark.parametrize("screen", ["phone", "desktop"])


@both_screens
def test_the_next_card_is_there_before_it_is_needed(visit: Visit, posts: list[Post], screen: str) -> None:
    page = visit("ann", screen).open()
    for today in (1, 2):
        ready(page)
        assert page.locator(".card").count() == 4
        loaded = page.locator(".card img").evaluate_all(
            "images => images.map(image => image.complete && image.naturalWidth > 0)"
        )
        assert loaded == [True] * 16
        following = page.locator(".card").nth(1)
        expect(following).to_be_hidden()
        lease = following.get_attribute("data-lease")
        press(page, "n", today)
        assert shown(page) == lease
        assert page.evaluate("document.activeElement.dataset.lease") == lease


def test_by_touch_a_double_tap_votes_once(visit: Visit, posts: list[Post]) -> None:
    ann = visit("ann", "phone")
    page = ann.open()
    ready(page)
    lease = Lease.objects.get(pk=shown(page))
    tile = page.locator(SHOWN).locator(".option").nth(1)
    dress = tile.get_attribute("value")
    box = tile.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + 30
    page.touchscreen.tap(x, y)
    page.touchscreen.tap(x, y)
    page.wait_for_timeout(150)
    page.touchscreen.tap(x, y)  # the next card is there, but only just
    settle(page, 1)
    vote = Vote.objects.get()
    assert (vote.post_id, vote.option.dress_id) == (lease.post_id, int(dress))


@both_screens
def test_undo(visit: Visit, posts: list[Post], screen: str) -> None:
    page = visit("ann", screen).open()
    first = shown(page)
    ready(page)
    press(page, "1", 1)
    second = shown(page)
    press(page, "u", 0)
    assert shown(page) == first
    assert not Vote.objects.exists()
    press(page, "2", 1)
    assert shown(page) == second
    page.get_by_role("button", name="Undo").click()
    settle(page, 0)
    assert shown(page) == first
    expect(page.get_by_role("button", name="Undo")).to_be_hidden()


def test_a_refusal_says_why_and_moves_on(visit: Visit, posts: list[Post]) -> None:
    ann = visit("ann")
    page = ann.open()
    first = shown(page)
    queue.vote(ann.employee, int(first), "not_a_dress")  # in another window
    ready(page)
    page.keyboard.press("0")
    expect(page.locator("#toasts")).to_have_text("You have answered this one already.")
    settle(page, 1)
    assert shown(page) != first
    expect(page.locator(".card")).to_have_count(4)
    ann.forgive("409")


def test_who_is_logged_out_meanwhile_is_sent_to_log_in(visit: Visit, posts: list[Post]) -> None:
    ann = visit("ann")
    page = ann.open()
    page.context.clear_cookies(name="sessionid")
    ready(page)
    page.keyboard.press("n")
    page.wait_for_url("**/login/")
    assert not Vote.objects.exists()
    page.get_by_label("User name").fill("ann")
    page.get_by_label("Password").fill("a-long-passphrase")
    page.get_by_role("button", name="Log in").click()
    settle(page, 1)  # the answer has waited in the browser
    assert Vote.objects.get().answer == "not_a_dress"


def test_keys_mean_nothing_with_a_modifier_held_down_or_in_the_help(visit: Visit, posts: list[Post]) -> None:
    page = visit("ann").open()
    ready(page)
    for key in ("Control+1", "Alt+n", "Meta+0", "x"):
        page.keyboard.press(key)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="By keys")).to_be_visible()
    page.keyboard.press("1")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.keyboard.down("n")
    page.keyboard.down("n")  # a repeat, as a key that is held down sends it
    settle(page, 1)
    page.keyboard.down("n")
    page.wait_for_timeout(300)
    assert Vote.objects.count() == 1


def test_two_people_do_not_disturb_each_other(visit: Visit, posts: list[Post]) -> None:
    ann, ben = visit("ann"), visit("ben", "phone")
    for visitor in (ann, ben):
        ready(visitor.open())
    for today in (1, 2, 3):
        press(ann.page, "1", today)
        press(ben.page, "2", today)
    for visitor in (ann, ben):
        assert Vote.objects.filter(employee=visitor.employee).count() == 3


@both_screens
def test_nothing_jumps_and_everything_is_in_reach(visit: Visit, posts: list[Post], screen: str) -> None:
    page = visit("ann", screen).open()
    ready(page)
    press(page, "n", 1)
    shift = page.evaluate(
        """() => new Promise(resolve => {
            let sum = 0;
            new PerformanceObserver(list => {
                for (const entry of list.getEntries()) sum += entry.value;
            }).observe({type: "layout-shift", buffered: true});
            setTimeout(() => resolve(sum), 100);
        })"""
    )
    assert shift < 0.01
    width, height = (page.viewport_size[side] for side in ("width", "height"))
    assert page.evaluate("document.scrollingElement.scrollWidth") == width
    assert page.evaluate("document.scrollingElement.scrollHeight") == height
    for button in page.locator(SHOWN).get_by_role("button").all():
        box = button.bounding_box()
        assert box["height"] >= 44
        assert box["y"] >= 0
        assert box["y"] + box["height"] <= height
    photo = page.locator(SHOWN).locator(".photo").bounding_box()
    if screen == "phone":
        assert photo["width"] == width
        assert photo["height"] <= 0.6 * height
    tiles = [tile.bounding_box() for tile in page.locator(SHOWN).locator(".option").all()]
    assert len({(round(tile["width"]), round(tile["height"])) for tile in tiles}) == 1


@both_screens
def test_without_javascript(visit: Visit, posts: list[Post], screen: str) -> None:
    ann = visit("ann", screen, java_script_enabled=False)
    page = ann.open()
    first = shown(page)
    page.locator(SHOWN).get_by_role("button", name=re.compile(" by Maison Test")).first.click()
    expect(page.locator("#today b")).to_have_text("1")
    assert shown(page) != first
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#today b")).to_have_text("0")
    assert shown(page) == first
    page.locator(SHOWN).get_by_role("button", name="Skip").click()
    for today in range(1, 6):
        page.locator(SHOWN).get_by_role("button", name="Not a dress").click()
        expect(page.locator("#today b")).to_have_text(str(today))
    expect(page.get_by_role("heading", name="You have seen all that needs you.")).to_be_visible()
    assert Vote.objects.filter(employee=ann.employee, answer="not_a_dress").count() == 5


def test_who_only_reads_is_told_so(visit: Visit, posts: list[Post]) -> None:
    make.make_employee("rita", read_only=True)
    page = visit("rita", "phone").open()
    expect(page.get_by_role("heading", name="Your account reads along.")).to_be_visible()
    expect(page.locator(".card")).to_have_count(0)
    assert not Lease.objects.exists()


def test_a_vote_that_put_a_look_on_the_shop_is_news_once(visit: Visit, posts: list[Post]) -> None:
    ann = visit("ann", "phone")
    look = make.make_look(make.make_dress("LUNA-1", title="Luna"))
    Look.objects.update(cleared_at=timezone.now())
    suggestion = make.make_suggestion(look.post, [look.dress])
    Vote.objects.create(
        post=look.post,
        employee=ann.employee,
        suggestion=suggestion,
        answer="dress",
        option=suggestion.options.get(),
        created_at=timezone.now(),
        dealt_at=timezone.now(),
        right=True,
    )
    page = ann.open()
    expect(page.locator("#news").get_by_role("link", name="Luna")).to_have_attribute(
        "href", "/dresses/LUNA-1/"
    )
    page.reload()
    expect(page.locator("#news")).to_have_count(0)


@pytest.mark.parametrize(("screen", "scheme"), [("phone", "dark"), ("desktop", "light")])
def test_from_log_in_to_log_out(visit: Visit, posts: list[Post], screen: str, scheme: Any) -> None:
    make.make_employee("eve")
    visitor = visit("ann", screen, color_scheme=scheme)
    visitor.page.context.clear_cookies()
    page = visitor.open("/leaderboard/")
    page.get_by_label("User name").fill("eve")
    page.get_by_label("Password").fill("a-long-passphrase")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="This week’s eyes")).to_be_visible()
    page.get_by_role("link", name="Be the first").click()
    expect(page.locator(SHOWN)).to_be_visible()
    page.get_by_label("Menu").click()
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("heading", name="Log in")).to_be_visible()


def test_the_page_is_light(visit: Visit, posts: list[Post]) -> None:
    """All script and style of the voting page, as it travels."""
    page = visit("ann").open()
    addresses = page.evaluate(
        "performance.getEntriesByType('resource').map(entry => new URL(entry.name).pathname)"
    )
    files = [
        Path(str(finders.find(address.removeprefix("/" + settings.STATIC_URL.strip("/") + "/"))))
        for address in addresses
        if address.endswith((".js", ".css"))
    ]
    assert len(files) > 10
    assert sum(len(gzip.compress(file.read_bytes(), 6)) for file in files) < 60_000
