"""Undo takes back the answer that it is offered for, or none."""

from collections.abc import Callable

import pytest
from django.utils import timezone
from playwright.sync_api import Page, Route, expect

from tests import make
from tests.browser.conftest import Visitor
from tests.browser.hands import SHOWN, UNGUARDED, post_of, press, ready, settle, shown
from verify.models import GoldAnswer, Lease, Post, Vote

pytestmark = pytest.mark.browser

Visit = Callable[..., Visitor]


def hold_votes(page: Page) -> list[Route]:
    waiting: list[Route] = []
    page.route("**/vote/", lambda route: waiting.append(route))
    return waiting


def until(page: Page, count: int, waiting: list[Route]) -> None:
    for _ in range(200):
        if len(waiting) >= count:
            return
        page.wait_for_timeout(25)
    raise AssertionError("the answer was not sent")


def answer_in_flight(page: Page, key: str, waiting: list[Route]) -> str | None:
    ready(page, UNGUARDED)
    lease = shown(page)
    page.keyboard.press(key)
    expect(page.locator(f"#card-{lease}")).to_be_hidden()
    until(page, 1, waiting)
    ready(page, UNGUARDED)
    return lease


def test_a_skip_on_its_way_is_not_the_vote_before(visit: Visit, posts: list[Post]) -> None:
    page = visit("ann").open()
    ready(page)
    press(page, "n", 1)
    waiting = hold_votes(page)
    answer_in_flight(page, "s", waiting)
    expect(page.get_by_role("button", name="Undo")).to_have_count(0)
    page.keyboard.press("u")
    waiting[0].continue_()
    ready(page)
    page.wait_for_timeout(300)
    assert Vote.objects.count() == 1
    page.reload()
    expect(page.get_by_role("button", name="Undo")).to_have_count(0)


def test_a_known_card_on_its_way_is_not_the_vote_before(visit: Visit, posts: list[Post]) -> None:
    known = make.make_post()
    known.open_to_votes(make.make_suggestion(known, [make.make_dress() for _ in range(3)]))
    known.override("not_a_dress", None, make.make_admin())
    ann = visit("ann")
    page = ann.open()
    votes = 0
    while post_of(shown(page)) != known:
        ready(page)
        votes += 1
        press(page, "n", votes)
    if not votes:  # it came first
        Vote.objects.create(
            post=posts[0],
            employee=ann.employee,
            suggestion=posts[0].suggestion,
            answer="none_of_these",
            created_at=timezone.now(),
        )
        votes = 1
    waiting = hold_votes(page)
    answer_in_flight(page, "n", waiting)
    page.keyboard.press("u")
    waiting[0].continue_()
    expect(page.locator("#toasts")).to_have_text("There is nothing left to undo.")
    assert GoldAnswer.objects.count() == 1
    assert Vote.objects.count() == votes
    ann.forgive("409")


def test_a_vote_on_its_way_is_taken_back(visit: Visit, posts: list[Post]) -> None:
    page = visit("ann").open()
    waiting = hold_votes(page)
    first = answer_in_flight(page, "n", waiting)
    page.keyboard.press("u")
    waiting[0].continue_()
    expect(page.locator("#card-" + str(first))).to_be_visible()
    ready(page)
    assert shown(page) == first
    assert not Vote.objects.exists()


def test_the_word_on_an_earlier_vote_leaves_the_undo_of_the_later_one(
    visit: Visit, posts: list[Post]
) -> None:
    page = visit("ann").open()
    waiting = hold_votes(page)
    answer_in_flight(page, "n", waiting)
    second = answer_in_flight(page, "0", waiting)
    waiting[0].continue_()
    until(page, 2, waiting)
    expect(page.locator("#undo [name=lease]")).to_have_value(str(second))
    waiting[1].continue_()
    settle(page, 2)
    press(page, "u", 1)
    assert Vote.objects.get().answer == "not_a_dress"
    assert shown(page) == second


def test_a_flag_leaves_undo_and_naming_of_the_last_answer(visit: Visit, posts: list[Post]) -> None:
    page = visit("ann").open()
    ready(page)
    press(page, "0", 1)
    page.keyboard.press("f")
    page.locator(SHOWN).get_by_role("button", name="Offensive").click()
    expect(page.locator("#toasts")).to_contain_text("Noted")
    expect(page.get_by_role("link", name="Name it")).to_be_visible()
    press(page, "u", 0)
    assert not Vote.objects.exists()


def test_cards_come_to_the_window_whose_answers_another_sent(visit: Visit, posts: list[Post]) -> None:
    ann = visit("ann")
    page = ann.open()
    other = page.context.new_page()
    other.goto(ann.address)
    other.route("**/vote/", lambda route: route.abort())
    keys = ["n", "0", "1", "2"]  # all that this window holds
    for key in keys:
        ready(other, UNGUARDED)
        lease = shown(other)
        other.keyboard.press(key)
        expect(other.locator(f"#card-{lease}")).to_be_hidden()
    page.evaluate("dispatchEvent(new Event('online'))")
    settle(page, len(keys))
    other.evaluate("dispatchEvent(new Event('online'))")
    expect(other.locator(SHOWN)).to_be_visible()
    expect(other.locator("#today b")).to_have_text(str(len(keys)))
    assert Vote.objects.count() == len(keys)
    assert Lease.objects.get(pk=shown(other)).outcome == "open"
    other.unroute("**/vote/")
    ready(other)
    press(other, "n", len(keys) + 1)
