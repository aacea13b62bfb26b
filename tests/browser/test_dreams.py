"""Dreams in a browser: the wall, another one, hearts, a walk by the slider, and a shopper's own."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from recommend import dreams
from tests.browser.axe import violations_in_both_themes
from tests.browser.conftest import SCREENS, Visitor
from tests.browser.test_shop import LOADED, Open, forgive, shopper
from tests.make import make_dreams, make_dress, make_look
from tests.recommend.test_dream_pages import cover, embed, near
from verify.dreaming.dream import Dream
from verify.models import Dress

__all__ = ["shopper"]
pytestmark = pytest.mark.browser
ANOTHER = 123
Visit = Callable[..., Visitor]
PLACES = range(0, 101, 10)


@pytest.fixture
def shop(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> dict[str, Dress]:
    """Three dresses, and what anybody here dreams of; everybody's next seed is the same one."""
    shop = {title: make_dress(title.upper(), title=title) for title in ("Luna", "Sole", "Onda")}
    for title, vector in {"Luna": (1, 0), "Sole": (1, 0.5), "Onda": (0, 1)}.items():
        embed(shop[title], *vector)
    luna, onda = ((cover(shop[title]),) for title in ("Luna", "Onda"))
    make_dreams([*range(12), ANOTHER, *near(shop["Luna"])])
    make_dreams(Dream(0, luna, None, onda, at) for at in PLACES)
    monkeypatch.setattr("recommend.views_dreams.another", lambda: ANOTHER)
    return shop


def is_whole(page: Page) -> bool:
    """Nothing wider than the screen, and every picture there."""
    page.wait_for_load_state("networkidle")
    wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return wider <= 0 and page.locator("img:not([loading=lazy])").evaluate_all(LOADED)


@pytest.mark.parametrize("screen", SCREENS)
def test_a_colleague_dreams_likes_and_dreams_another(
    visit: Visit, shop: dict[str, Dress], screen: str
) -> None:
    ann = visit("ann", screen)
    page = ann.open("/dreams/")
    expect(page.locator(".dream")).to_have_count(12)
    assert is_whole(page)
    heart = page.get_by_role("button", name="Like dream 7")
    heart.click()
    expect(heart).to_have_attribute("aria-pressed", "true")
    expect(heart).to_contain_text("1")
    page.get_by_role("link", name="Dream 7", exact=True).click()
    expect(page.get_by_role("heading", name="No. 7")).to_be_visible()
    expect(page.get_by_role("button", name="Like dream 7")).to_have_attribute("aria-pressed", "true")
    page.get_by_role("link", name="Dream another").click()
    expect(page.get_by_role("heading", name=f"No. {ANOTHER}")).to_be_visible()
    assert page.url.endswith(f"/dreams/{ANOTHER}/")
    assert is_whole(page)
    page.get_by_role("button", name=f"Like dream {ANOTHER}").click()
    expect(page.get_by_role("button", name=f"Like dream {ANOTHER}")).to_have_attribute("aria-pressed", "true")
    page.go_back()
    expect(page.get_by_role("heading", name="No. 7")).to_be_visible()


def test_where_the_dreamer_is_away_the_page_says_so_in_the_place_of_another(
    visit: Visit, shop: dict[str, Dress], settings: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recommend.views_dreams.another", lambda: 55)
    settings.CLASSIFIER_SOCKET = settings.DREAMS_FOLDER / "nobody"  # type: ignore[attr-defined]
    ann = visit("ann")
    page = ann.open("/dreams/7/")
    page.get_by_role("link", name="Dream another").click()
    expect(page.get_by_role("heading", name="Still falling asleep")).to_be_visible()
    expect(page).to_have_url(re.compile(r"/dreams/55/$"))
    ann.forgive("503")
    assert dreams.shelf.kept(Dream(55), dreams.version(), "") is None


@pytest.mark.parametrize("screen", SCREENS)
def test_the_slider_walks_from_one_dress_to_the_other_by_keys(
    visit: Visit, shop: dict[str, Dress], screen: str
) -> None:
    page = visit("ann", screen, color_scheme="light").open("/dreams/walk/")
    page.get_by_label("From dress").fill("LUNA")
    page.get_by_label("to dress", exact=True).fill("ONDA")
    page.get_by_role("button", name="Walk").click()
    expect(page.get_by_role("heading", name="Luna becomes Onda")).to_be_visible()
    places, slider = page.locator(".places li:visible"), page.get_by_role("slider", name="How far")
    expect(places).to_have_count(1)
    expect(places.get_by_role("img", name="0% of the way")).to_be_visible()
    slider.press("ArrowRight")
    slider.press("ArrowRight")
    expect(places.get_by_role("img", name="20% of the way")).to_be_visible()
    expect(slider).to_have_attribute("aria-valuetext", "20%")
    slider.press("End")
    expect(places.get_by_role("img", name="100% of the way")).to_be_visible()
    expect(places.get_by_role("link")).to_contain_text("Sole")
    assert is_whole(page)
    assert violations_in_both_themes(page) == []


def test_without_javascript_all_places_stand_side_by_side_and_hearts_work(
    visit: Visit, shop: dict[str, Dress]
) -> None:
    ann = visit("ann", java_script_enabled=False)
    page = ann.open("/dreams/walk/?from=LUNA&toward=ONDA")
    expect(page.locator(".places li:visible")).to_have_count(11)
    expect(page.get_by_role("slider")).to_be_hidden()
    page = ann.open("/dreams/7/")
    page.get_by_role("button", name="Like dream 7").click()
    expect(page.get_by_role("button", name="Like dream 7")).to_contain_text("1")
    page.get_by_role("link", name="Dream another").click()
    expect(page.get_by_role("heading", name=f"No. {ANOTHER}")).to_be_visible()


def save_luna(page: Page) -> str:
    """The address of the whole site."""
    home = page.url.partition("/shop/")[0]
    page.goto(f"{home}/dresses/LUNA/")
    heart = page.get_by_role("button", name="Save")
    heart.click()
    expect(heart).to_have_attribute("aria-pressed", "true")
    page.wait_for_load_state("networkidle")
    return home


@pytest.mark.parametrize("screen", SCREENS)
def test_a_shopper_who_liked_a_dress_is_offered_dreams_near_it(
    shopper: Open, shop: dict[str, Dress], screen: str
) -> None:
    make_look(shop["Luna"])
    page = shopper("/shop/dream/", screen)
    expect(page.locator(".dream")).to_have_count(8)
    expect(page.get_by_role("link", name="Dream near what I like")).to_be_hidden()
    home = save_luna(page)
    page.goto(f"{home}/shop/")
    page.get_by_role("link", name="Dream for me").click()
    page.get_by_role("link", name="Dream near what I like").click()
    expect(page.locator(".kicker")).to_contain_text("A dream of Luna")
    assert page.url.endswith("/shop/dream/?like=LUNA")
    expect(page.locator(".real b")).to_have_text(["Sole", "Onda"])
    assert is_whole(page)
    assert page.evaluate("window.shift") < 0.02


@pytest.mark.parametrize("screen", SCREENS)
def test_the_shops_home_dreams_for_who_likes_something_and_invites_everybody_else(
    shopper: Open, shop: dict[str, Dress], screen: str
) -> None:
    page = shopper("/shop/", screen)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/dreams/" in request.url else None)
    dreamt = page.get_by_role("region", name="Dreamt for you")
    dreamt.scroll_into_view_if_needed()
    expect(dreamt).to_contain_text("Save or open what you like")
    home = save_luna(page)
    assert asked == []
    page.goto(f"{home}/shop/")
    dreamt.scroll_into_view_if_needed()
    expect(dreamt).to_contain_text("Three that nobody has sewn")
    expect(dreamt.get_by_role("img", name="Dream ")).to_have_count(3)
    expect(dreamt.locator("b")).to_have_text(["Sole", "Onda", "Sole"])
    assert is_whole(page)
    assert violations_in_both_themes(page) == []
    dreamt.get_by_role("link", name="More dreams").click()
    expect(page.locator(".kicker")).to_contain_text("A dream of Luna")


def test_while_nobody_can_dream_the_home_page_is_whole(
    shopper: Open, shop: dict[str, Dress], settings: object
) -> None:
    settings.CLASSIFIER_SOCKET = settings.DREAMS_FOLDER / "nobody"  # type: ignore[attr-defined]
    page = shopper("/dresses/ONDA/")
    page.get_by_role("button", name="Save").click()
    page.wait_for_load_state("networkidle")
    page.goto(page.url.partition("/dresses/")[0] + "/shop/")
    dreamt = page.get_by_role("region", name="Dreamt for you")
    with page.expect_response("**/dreams/for/**") as answer:
        dreamt.scroll_into_view_if_needed()
    assert answer.value.status == 503
    expect(dreamt).to_contain_text("Save or open what you like")
    expect(dreamt.locator("img")).to_have_count(0)
    forgive(shopper, "503")
