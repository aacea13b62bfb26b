"""A shop's page on which something changes, or fails, while a shopper looks or waits."""

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.test_shop import Open, embed, forgive, make_worn_dress, shopper, wait_for
from tests.make import make_dress

__all__ = ["shopper"]
pytestmark = pytest.mark.browser

WIDGET = "document.querySelector('dress-looks')"
PAGE_STYLE = "document.documentElement.style.cssText"


def with_open_look(page: Page) -> Page:
    """On a page that has a style of its own."""
    page.evaluate("document.documentElement.style.color = 'navy'")
    page.locator("dress-looks .wall button").first.click()
    expect(page.locator("dress-looks dialog")).to_be_visible()
    assert "overflow: hidden" in page.evaluate(PAGE_STYLE)
    return page


def test_a_page_whose_gallery_is_taken_away_can_be_scrolled(shopper: Open) -> None:
    make_worn_dress(looks=2)
    page = with_open_look(shopper("/dresses/LUNA/"))
    page.evaluate(f"window.gallery = {WIDGET}; gallery.remove()")
    assert page.evaluate(PAGE_STYLE) == "color: navy;"
    page.evaluate("document.body.append(gallery)")
    expect(page.locator("dress-looks .wall li")).to_have_count(2)
    assert page.evaluate(PAGE_STYLE) == "color: navy;"


def test_a_gallery_that_is_given_another_dress_closes_the_look(shopper: Open) -> None:
    make_worn_dress(looks=2)
    make_worn_dress("SOLE", looks=3)
    page = with_open_look(shopper("/dresses/LUNA/"))
    page.evaluate(f"{WIDGET}.setAttribute('sku', 'SOLE')")
    expect(page.locator("dress-looks .wall li")).to_have_count(3)
    expect(page.locator("dress-looks dialog")).to_be_hidden()
    assert page.evaluate(PAGE_STYLE) == "color: navy;"


@pytest.mark.parametrize("meanwhile", ["", "viewer.dialog.close();"])
def test_a_look_that_is_opened_again_leaves_the_page_as_it_was(shopper: Open, meanwhile: str) -> None:
    make_worn_dress(looks=2)
    page = with_open_look(shopper("/dresses/LUNA/"))
    page.evaluate(f"{{ const {{ viewer }} = {WIDGET}; {meanwhile} viewer.open(1); }}")
    expect(page.locator("dress-looks dialog")).to_contain_text("@wearer1")
    assert "overflow: hidden" in page.evaluate(PAGE_STYLE)
    page.keyboard.press("Escape")
    expect(page.locator("dress-looks dialog")).to_be_hidden()
    wait_for(lambda: page.evaluate(PAGE_STYLE) == "color: navy;")


def test_a_page_that_is_tried_again_has_each_photo_once(shopper: Open) -> None:
    embed(make_worn_dress(retired_on="2020-01-01"), make_dress("SOLE", title="Sole"))
    page = shopper("/dresses/")
    page.route("**/similar/?limit=4", lambda route: route.abort())
    page.goto(page.url + "LUNA/")
    again = page.locator("#offer").get_by_role("button", name="Try again")
    expect(again).to_be_visible()
    page.unroute("**/similar/?limit=4")
    again.click()
    expect(page.locator("#offer").get_by_role("link", name="Sole")).to_be_visible()
    expect(page.locator("#plates img")).to_have_count(3)
    forgive(shopper, "ERR_FAILED")


def test_while_a_search_is_under_way_no_more_of_the_one_before_can_be_asked_for(shopper: Open) -> None:
    for _ in range(30):
        make_dress()
    page, waiting = shopper("/dresses/"), list[Route]()
    cards, more = page.locator("#dresses li"), page.locator("#more")
    expect(cards).to_have_count(24)
    page.route("**/api/v1/dresses/?*", lambda route: waiting.append(route))
    for words in ("nothing", ""):
        with page.expect_request("**/api/v1/dresses/?*"):
            page.get_by_label("Search the collection").fill(words)
    expect(more).to_be_disabled()
    more.evaluate("button => button.click()")
    waiting[1].continue_()
    expect(cards).to_have_count(24)
    page.unroute("**/api/v1/dresses/?*")
    more.click()
    expect(cards).to_have_count(30)
