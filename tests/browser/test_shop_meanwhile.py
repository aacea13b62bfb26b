"""A shop's page on which something changes, or fails, while a shopper looks or waits."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_shop import Open, make_worn_dress, shopper, wait_for

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
