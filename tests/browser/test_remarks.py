"""What one may say beside the vote: its name, that it is not for the shop, that it is a gem; or else."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests import make
from tests.browser.conftest import Visitor
from tests.browser.hands import SHOWN, post_of, press, ready, settle, shown
from verify.models import Flag, GoldAnswer, Nomination, Option, Post, Vote

pytestmark = pytest.mark.browser

Visit = Callable[..., Visitor]
both_screens = pytest.mark.parametrize("screen", ["phone", "desktop"])


@both_screens
def test_the_dress_is_named_after_none_of_these(visit: Visit, posts: list[Post], screen: str) -> None:
    luna = make.make_dress("LUNA-1", title="Luna Slip")
    make.make_dress("SOL-1", title="Sol Gown")
    page = visit("ann", screen).open()
    ready(page)
    press(page, "0", 1)
    page.get_by_role("link", name="Name it").click()
    sheet = page.locator("#sheet")
    expect(sheet.get_by_role("img", name="Customer’s photo")).to_be_visible()
    expect(sheet.get_by_label("Title, designer or number")).to_be_focused()
    page.keyboard.type("luna")
    expect(sheet.get_by_role("button", name="Sol Gown")).to_have_count(0)
    sheet.get_by_role("button", name="Luna Slip").click()
    expect(sheet).to_be_hidden()
    expect(page.locator("#toasts")).to_contain_text("Luna Slip")
    vote = Vote.objects.select_related("option").get()
    assert (vote.answer, vote.option.dress, vote.option.named) == ("dress", luna, True)
    press(page, "n", 2)  # the game goes on
    ben = visit("ben", screen).open()
    for _ in posts:
        ready(ben)
        if post_of(shown(ben)) == vote.post:
            break
        ben.keyboard.press("s")
    expect(ben.locator(SHOWN).get_by_role("button", name="Luna Slip")).to_be_visible()
    boxes = [button.bounding_box() for button in ben.locator(SHOWN).locator("button:visible").all()]
    assert all(box and box["height"] >= 44 for box in boxes)


def test_the_dress_is_named_without_javascript(visit: Visit, posts: list[Post]) -> None:
    make.make_dress("LUNA-1", title="Luna Slip")
    page = visit("ann", "phone", java_script_enabled=False).open()
    page.locator(SHOWN).get_by_role("button", name="None of these").click()
    page.get_by_role("link", name="Name it").click()
    page.get_by_label("Title, designer or number").fill("luna")
    page.get_by_role("button", name="Search").click()
    page.get_by_role("button", name="Luna Slip").click()
    expect(page.locator("#toasts")).to_contain_text("Luna Slip")
    assert Option.objects.get(named=True).dress.sku == "LUNA-1"


@both_screens
def test_a_flag_is_noted_and_the_card_stays(visit: Visit, posts: list[Post], screen: str) -> None:
    page = visit("ann", screen).open()
    first = shown(page)
    ready(page)
    page.keyboard.press("f")
    expect(page.get_by_role("button", name="A child is in it")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="A child is in it")).to_be_hidden()
    page.keyboard.press("f")
    page.locator(SHOWN).get_by_role("button", name="Offensive").click()
    expect(page.locator("#toasts")).to_contain_text("Noted")
    assert shown(page) == first
    flag = Flag.objects.get()
    assert (flag.post, flag.reason) == (post_of(first), "offensive")
    ready(page)
    press(page, "1", 1)


def test_a_flag_without_javascript(visit: Visit, posts: list[Post]) -> None:
    page = visit("ann", "phone", java_script_enabled=False).open()
    first = shown(page)
    page.locator(SHOWN).locator("summary").click()
    page.locator(SHOWN).get_by_role("button", name="Too revealing").click()
    expect(page.locator("#toasts")).to_contain_text("Noted")
    assert Flag.objects.get().post == post_of(first)
    assert shown(page) == first


def test_what_is_no_dress_is_sent_to_the_hall_of_fame(visit: Visit, posts: list[Post]) -> None:
    page = visit("ann", "phone").open()
    first = shown(page)
    ready(page)
    press(page, "n", 1)
    page.get_by_role("button", name="Send it to the hall of fame").click()
    expect(page.locator("#toasts")).to_contain_text("hall of fame")
    assert Nomination.objects.get().post == post_of(first)
    expect(page.locator("#after")).to_be_empty()
    press(page, "1", 2)


@both_screens
def test_a_training_card_says_what_it_was_and_blocks_nothing(
    visit: Visit, posts: list[Post], screen: str
) -> None:
    dresses = [make.make_dress(title=title) for title in ("Luna", "Sol", "Stella")]
    known = make.make_post()
    known.open_to_votes(make.make_suggestion(known, dresses))
    known.override("dress", dresses[0], make.make_admin())
    page = visit("ann", screen).open()
    for _ in posts:
        ready(page)
        if post_of(shown(page)) == known:
            break
        page.keyboard.press("s")
    page.locator(SHOWN).get_by_role("button", name="Luna").click()
    feedback = page.locator("#feedback")
    expect(feedback).to_contain_text("Nice eye.")
    expect(feedback).to_contain_text("It is Luna.")
    expect(feedback.get_by_role("img")).to_have_count(2)
    assert GoldAnswer.objects.get().right
    ready(page)
    page.keyboard.press("n")  # with the feedback still there
    settle(page, int(page.locator("#today b").inner_text()) or 1)
    expect(feedback).to_be_empty()
    assert Vote.objects.count() == 1


@both_screens
@pytest.mark.parametrize("scripted", [True, False], ids=["with script", "without script"])
def test_an_answer_among_the_last_ten_is_changed(
    visit: Visit, posts: list[Post], screen: str, scripted: bool
) -> None:
    page = visit("ann", screen, java_script_enabled=scripted).open()
    for today, name in enumerate(("Not a dress", "None of these"), start=1):
        if scripted:
            ready(page)
        page.locator(SHOWN).get_by_role("button", name=name).click()
        expect(page.locator("#today b")).to_have_text(str(today))
    page.get_by_role("link", name="Last ten").click()
    rows = page.locator("#recent li")
    expect(rows).to_have_count(2)
    expect(rows.nth(1)).to_contain_text("Not a dress")
    rows.nth(1).locator("summary").click()
    chosen = rows.nth(1).locator("[name=choice]").first
    title = chosen.inner_text()
    chosen.click()
    expect(rows.nth(1).locator(".answer")).to_have_text(title)
    assert Vote.objects.order_by("created_at").first().option.dress.title == title
