"""The demo shop's home page: it follows what somebody does, for as long as they let it."""

import re

import pytest
from playwright.sync_api import Page, Route, expect

from recommend import nightly
from recommend.models import Interaction
from tests.browser.conftest import SCREENS
from tests.browser.test_shop import LOADED, Open, forgive, shopper, told, wait_for
from tests.make import make_dress, make_look
from tests.recommend.conftest import BEACH, OFFICE, Crowd, small

__all__ = ["shopper", "small"]
pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("small")]


@pytest.fixture
def crowd(transactional_db: None) -> Crowd:
    """A shop in which what is liked together is known, with a look of Luna and one of Onda."""
    named = {"designer": "Maison Bleue", "price": "295"}
    crowd = Crowd({title: make_dress(title.upper(), title=title, **named) for title in OFFICE + BEACH})
    for title in ("Onda", "Luna"):
        make_look(crowd.dresses[title], username=f"who.wears.{title.lower()}")
    crowd.comes()
    nightly.fit("TOGETHER", lambda line: None)
    Interaction.objects.all().delete()  # what was learnt stays
    return crowd


def cards(page: Page) -> list[str]:
    return page.locator("#dresses b").all_text_contents()


def open_and_save(page: Page) -> None:
    """The newest look, and the dress in it."""
    page.get_by_role("link", name="Luna worn by @who.wears.luna").click()
    expect(page.locator("dress-looks dialog")).to_contain_text("Worn by @who.wears.luna")
    page.keyboard.press("Escape")
    heart = page.get_by_role("button", name="Save")
    heart.click()
    expect(heart).to_have_attribute("aria-pressed", "true")


@pytest.mark.parametrize("screen", SCREENS)
def test_a_stranger_opens_a_look_saves_its_dress_and_is_recommended_others_with_the_reason(
    shopper: Open, crowd: Crowd, screen: str
) -> None:
    page = shopper("/shop/", screen)
    expect(page.locator("#whose")).to_have_text("Loved by many")
    expect(page.locator("#note")).to_contain_text("Nothing is known of your taste yet")
    expect(page.locator("#dresses small").nth(1)).to_have_text("€295")
    assert len(cards(page)) == 6
    assert page.evaluate("localStorage.length") == 0
    open_and_save(page)
    wait_for(lambda: told() == [("OPEN", "LUNA"), ("SAVE", "LUNA"), ("VIEW", "LUNA")])
    with page.expect_response("**/rent/"):
        page.get_by_role("button", name="Rent it").click()
    expect(page.locator("#done")).to_contain_text("“For you” has taken note")
    assert ("RENT", "LUNA") in told()
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#done")).to_contain_text("No longer saved, and “For you” has taken note")
    wait_for(lambda: ("UNSAVE", "LUNA") in told())
    page.get_by_role("link", name="See what is for you").click()
    reason = page.locator(".because").first
    expect(page.locator("#whose")).to_have_text("For you")
    expect(reason).to_have_text("because you opened the look in Luna")
    expect(reason.get_by_role("link")).to_have_attribute("href", re.compile(r"^/dresses/LUNA/\?look=\d+$"))
    assert set(cards(page)[:2]) == {"Sole", "Stella"}
    assert "Luna" not in cards(page)
    page.locator("#dresses").scroll_into_view_if_needed()
    page.wait_for_load_state("networkidle")
    assert page.locator(".looks img").evaluate_all(LOADED)
    assert page.evaluate("window.shift") < 0.02
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
    assert page.context.cookies() == []


def test_who_is_not_to_be_learnt_from_is_told_of_by_nobody(shopper: Open, crowd: Crowd) -> None:
    page = shopper("/shop/")
    sent: list[str] = []
    page.on("request", lambda request: request.method in ("POST", "DELETE") and sent.append(request.url))
    page.get_by_role("switch", name="Learn from what I do").uncheck()
    expect(page.locator("#said")).to_have_text("From now on, nothing you do here is told.")
    expect(page.locator("#note")).to_contain_text("Nothing is learnt from you")
    open_and_save(page)
    expect(page.locator("#done")).to_contain_text("told to nobody")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#done")).to_have_text("No longer saved in this browser. ")
    page.get_by_role("button", name="Rent it").click()
    expect(page.locator("#done")).to_contain_text("Rented, as far as a demo can")
    page.goto(page.url.partition("/dresses/")[0] + "/shop/")
    page.locator("#dresses a").first.click()
    page.wait_for_load_state("networkidle")
    assert sent == []
    assert "dress-looks" not in page.evaluate("Object.keys(localStorage)")


def test_whoever_wants_to_be_forgotten_is_a_stranger_again(shopper: Open, crowd: Crowd) -> None:
    page = shopper("/shop/")
    expect(page.get_by_role("button", name="Forget me")).to_be_disabled()
    open_and_save(page)
    wait_for(lambda: ("SAVE", "LUNA") in told())
    page.go_back()
    expect(page.locator("#whose")).to_have_text("For you")
    page.route("**/interactions/?visitor=*", lambda route: route.abort())
    page.get_by_role("button", name="Forget me").click()
    expect(page.locator("#said")).to_contain_text("you are still known")
    forgive(shopper, "ERR_FAILED")
    page.unroute("**/interactions/?visitor=*")
    page.get_by_role("button", name="Forget me").click()
    expect(page.locator("#said")).to_contain_text("Forgotten")
    expect(page.locator("#whose")).to_have_text("Loved by many")
    assert told() == []
    assert "dress-looks" not in page.evaluate("Object.keys(localStorage)")


def test_waiting_and_failing_it_shows_what_many_people_like_in_the_same_places(
    shopper: Open, crowd: Crowd
) -> None:
    page, waiting = shopper("/shop/"), list[Route]()
    popular, address = cards(page), page.url
    boxes = page.locator("#dresses .frame").evaluate_all("all => all.map((each) => each.offsetTop)")
    page.evaluate("localStorage['dress-looks'] = 'a-random-key-of-ann'")
    page.route("**/recommendations/**", lambda route: waiting.append(route))
    page.goto(address)
    expect(page.locator("#dresses")).to_have_attribute("aria-busy", "true")
    expect(page.locator("#dresses img").first).to_be_hidden()
    assert (
        page.locator("#dresses .frame").evaluate_all("all => all.map((each) => each.offsetTop)")[:4]
        == boxes[:4]
    )
    waiting[0].abort()
    expect(page.locator("#note")).to_contain_text("Your own could not be loaded.")
    assert cards(page) == popular
    page.unroute("**/recommendations/**")
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("#note")).to_contain_text("Nothing is known of your taste yet")
    forgive(shopper, "ERR_FAILED")


def test_what_is_liked_by_the_same_people_stands_below_what_looks_alike(shopper: Open, crowd: Crowd) -> None:
    page = shopper("/dresses/LUNA/")
    liked = page.locator("dress-looks section", has_text="Liked alike")
    expect(liked).to_contain_text("by people who like this one")
    assert set(liked.locator("b").all_text_contents()) == {"Sole", "Stella"}


def test_without_javascript_there_is_no_switch_that_does_nothing(shopper: Open, crowd: Crowd) -> None:
    page = shopper("/shop/", java_script_enabled=False)
    expect(page.locator("#dresses img").first).to_be_visible()
    expect(page.get_by_role("switch")).to_be_hidden()
    expect(page.get_by_text("Without JavaScript nothing is learnt")).to_be_visible()
