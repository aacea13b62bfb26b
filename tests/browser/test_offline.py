"""A bad connection, a failing server, a closed window: no answer is lost, and none is sent twice."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

from tests import make
from tests.browser.conftest import Visitor
from tests.browser.hands import SHOWN, UNGUARDED, press, pressed, ready, settle, shown
from verify import queue
from verify.models import Lease, Post, Vote

pytestmark = pytest.mark.browser

Visit = Callable[..., Visitor]
KEYS = ["n", "0", "1"]


def answer_blindly(page: Page) -> list[tuple[int, str]]:
    """Three answers while nothing gets through: the posts and what was said of them."""
    said = []
    for key in KEYS:
        ready(page, UNGUARDED)
        lease = shown(page)
        post = Lease.objects.get(pk=lease).post_id
        value = page.locator(SHOWN).locator(f"[data-key='{key}']").get_attribute("value")
        said.append((post, str(value)))
        page.keyboard.press(key)
        expect(page.locator(f"#card-{lease}")).to_be_hidden()
    return said


def stored() -> list[tuple[int, str]]:
    votes = Vote.objects.order_by("created_at", "pk")
    return [(vote.post_id, pressed(vote)) for vote in votes]


def test_answers_given_in_a_tunnel_are_sent_once_and_in_order(visit: Visit, posts: list[Post]) -> None:
    ann = visit("ann", "phone")
    page = ann.open()
    sent: list[str] = []
    page.on("requestfinished", lambda request: "/vote/" in request.url and sent.append(request.url))
    page.context.set_offline(True)
    said = answer_blindly(page)
    expect(page.locator("#kept")).to_have_text("No connection. Answers kept: 3")
    assert stored() == []
    page.context.set_offline(False)
    settle(page, 3)
    assert stored() == said
    assert len(sent) == 3
    expect(page.locator("#kept")).to_be_hidden()
    press(page, "n", 4)
    ann.forgive("ERR_INTERNET_DISCONNECTED")


def test_answers_survive_a_closed_window(visit: Visit, posts: list[Post]) -> None:
    ann = visit("ann")
    page = ann.open()
    page.route("**/vote/", lambda route: route.abort())
    said = answer_blindly(page)
    page.close()
    ann.page = page.context.new_page()
    ann.page.route("**/vote/", lambda route: route.abort())
    ann.page.goto(ann.address)
    ready(ann.page, UNGUARDED)
    answered = {post for post, _ in said}
    assert Lease.objects.get(pk=shown(ann.page)).post_id not in answered  # not asked again
    ann.page.unroute("**/vote/")
    ann.page.evaluate("dispatchEvent(new Event('online'))")
    settle(ann.page, 3)
    assert stored() == said
    ann.forgive("ERR_FAILED")


def test_an_answer_that_arrived_and_was_not_confirmed_counts_once(visit: Visit, posts: list[Post]) -> None:
    ann = visit("ann")
    page = ann.open()
    answers: list[int] = []

    def lose_the_first_reply(route: Route) -> None:
        reply = route.fetch()
        answers.append(reply.status)
        route.abort() if len(answers) == 1 else route.fulfill(response=reply)

    page.route("**/vote/", lose_the_first_reply)
    ready(page)
    page.keyboard.press("n")
    settle(page, 1)  # it tries again by itself
    assert answers == [200, 200]
    assert Vote.objects.count() == 1
    expect(page.locator("#toasts")).to_be_empty()
    ann.forgive("ERR_FAILED")


def test_a_skip_that_arrived_and_was_not_confirmed_is_no_error(visit: Visit, posts: list[Post]) -> None:
    ann = visit("ann")
    page = ann.open()
    first, replies = shown(page), []

    def lose_the_first_reply(route: Route) -> None:
        replies.append(route.fetch())
        route.abort() if len(replies) == 1 else route.fulfill(response=replies[-1])

    page.route("**/vote/", lose_the_first_reply)
    ready(page)
    page.keyboard.press("s")
    expect(page.locator(f"#card-{first}")).to_have_count(0)
    assert [reply.status for reply in replies] == [200, 200]
    expect(page.locator("#toasts")).to_be_empty()
    ann.forgive("ERR_FAILED")


def test_what_was_refused_after_a_tunnel_is_told_until_the_next_answer(
    visit: Visit, posts: list[Post]
) -> None:
    ann = visit("ann")
    page = ann.open()
    page.context.set_offline(True)
    said = answer_blindly(page)
    Post.objects.get(pk=said[0][0]).override("not_a_dress", None, make.make_admin())
    expect(page.locator("#kept")).to_have_text("No connection. Answers kept: 3")
    page.context.set_offline(False)
    settle(page, 2)
    assert stored() == said[1:]
    expect(page.locator("#toasts")).to_have_text("Your colleagues have settled this one in the meantime.")
    press(page, "n", 3)
    expect(page.locator("#toasts")).to_be_empty()
    ann.forgive("ERR_INTERNET_DISCONNECTED", "409")


def test_answers_are_sent_one_by_one_however_slow_the_net(visit: Visit, posts: list[Post]) -> None:
    page = visit("ann").open()
    waiting: list[Route] = []
    page.route("**/vote/", lambda route: waiting.append(route))
    said = answer_blindly(page)
    assert len(waiting) == 1  # the second waits for the first
    for today in (1, 2, 3):
        while len(waiting) < today:
            page.wait_for_timeout(25)
        waiting[-1].continue_()
        expect(page.locator("#today b")).to_have_text(str(today))
    settle(page, 3)
    assert stored() == said


def test_what_was_not_sent_yet_is_taken_back_without_the_server(visit: Visit, posts: list[Post]) -> None:
    ann = visit("ann")
    page = ann.open()
    page.context.set_offline(True)
    said = answer_blindly(page)
    page.keyboard.press("u")
    ready(page, UNGUARDED)
    assert Lease.objects.get(pk=shown(page)).post_id == said[-1][0]
    expect(page.locator("#kept")).to_have_text("No connection. Answers kept: 2")
    page.context.set_offline(False)
    settle(page, 2)
    assert stored() == said[:2]
    ann.forgive("ERR_INTERNET_DISCONNECTED")


@pytest.mark.parametrize("screen", ["phone", "desktop"])
def test_a_failing_server_brings_the_card_back(
    visit: Visit, posts: list[Post], monkeypatch: pytest.MonkeyPatch, screen: str
) -> None:
    ann = visit("ann", screen)
    page = ann.open()
    first = shown(page)
    ready(page)
    with monkeypatch.context() as patch:
        patch.setattr(queue, "vote", lambda *args, **kwargs: 1 / 0)
        page.keyboard.press("n")
        expect(page.locator("#toasts")).to_have_text(re.compile("^That went wrong on our side"))
    assert shown(page) == first
    ready(page)
    press(page, "n", 1)
    expect(page.locator("#toasts")).to_be_empty()
    ann.forgive("500")


def test_a_long_tunnel_is_explained(visit: Visit, posts: list[Post]) -> None:
    ann = visit("ann", "phone")
    page = ann.open()
    page.context.set_offline(True)
    answer_blindly(page)
    explained = page.get_by_role("heading", name="In a tunnel?")
    expect(explained).to_be_hidden()  # there is a card left
    ready(page, UNGUARDED)
    page.keyboard.press("n")
    expect(explained).to_be_visible()
    page.context.set_offline(False)
    expect(page.locator(SHOWN)).to_be_visible()
    expect(explained).to_be_hidden()
    settle(page, 4)
    ann.forgive("ERR_INTERNET_DISCONNECTED")
