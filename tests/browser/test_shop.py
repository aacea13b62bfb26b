"""Product pages as a shopper sees them: in the demo shop, and in a shop on another origin."""

import gzip
import re
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
import pytest
from django.conf import settings
from django.contrib.staticfiles.handlers import StaticFilesHandler
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect

from recommend.models import Interaction
from tests.browser.conftest import SCREENS
from tests.make import make_dress, make_look, make_model_version
from verify.models import Dress, Embedding

pytestmark = pytest.mark.browser

SHIFTS = """
  window.shift = 0;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shift += entry.value;
  }).observe({ type: "layout-shift", buffered: true });
"""
LOADED = "images => images.every((image) => image.complete && image.naturalWidth > 0)"
Open = Callable[..., Page]


@pytest.fixture
def shopper(browser: Browser, live_server: Any) -> Iterator[Open]:
    """Opens a page of the shop, or any address, as a stranger; errors in the console fail the test."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        if message.type == "error" and "favicon" not in message.location.get("url", ""):
            complaints.append(message.text)

    def visit(path: str, screen: str = "desktop", status: int = 200, **options: Any) -> Page:
        contexts.append(browser.new_context(**SCREENS[screen], **options))
        page = contexts[-1].new_page()
        page.add_init_script(SHIFTS)
        page.on("console", hear)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        answer = page.goto(path if path.startswith("http") else live_server.url + path)
        assert answer is not None
        assert answer.status == status
        page.wait_for_load_state("networkidle")
        return page

    visit.complaints = complaints  # type: ignore[attr-defined]
    yield visit
    for context in contexts:
        context.close()
    assert complaints == []


def make_worn_dress(sku: str = "LUNA", looks: int = 5, **fields: Any) -> Dress:
    dress = make_dress(sku, photos=3, title="Luna", designer="Maison Bleue", price="295", **fields)
    for number in range(looks):
        make_look(dress, username=f"wearer{number}", caption=f"caption {number}", like_count=100 - number)
    return dress


def embed(*dresses: Dress) -> None:
    for number, dress in enumerate(dresses):
        vector = np.array([1, 0.1 * number], "<f4")
        vector /= np.linalg.norm(vector)
        for dress_photo in dress.photos.all():
            Embedding.objects.create(
                photo=dress_photo.photo,
                model_version=make_model_version(),
                vector=vector.tobytes(),
                not_a_dress=0,
            )


@pytest.mark.parametrize("screen", SCREENS)
def test_a_product_page_shows_the_dress_its_looks_and_what_looks_like_it(shopper: Open, screen: str) -> None:
    embed(make_worn_dress(), make_dress("SOLE", title="Sole", price="99.50"))
    page = shopper("/dresses/LUNA/", screen)
    expect(page.get_by_role("heading", level=1)).to_have_text("Luna")
    expect(page).to_have_title("Luna by Maison Bleue")
    expect(page.locator("#price")).to_have_text("€295")
    expect(page.locator("#offer")).to_contain_text("In stock")
    expect(page.locator("#plates img")).to_have_count(3)
    expect(page.locator("dress-looks .wall li")).to_have_count(5)
    expect(page.locator("dress-looks .credit").first).to_have_text("@wearer0")
    expect(page.locator("dress-looks .strip")).to_contain_text("Sole")
    expect(page.locator("dress-looks .strip")).to_contain_text("€99.50")
    page.locator("dress-looks .strip").scroll_into_view_if_needed()
    page.wait_for_load_state("networkidle")
    assert page.locator("dress-looks .wall img").evaluate_all(LOADED)
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0
    assert page.evaluate("window.shift") < 0.02


def test_looks_keep_their_proportions_and_never_overlap(shopper: Open) -> None:
    make_worn_dress(looks=9)
    page = shopper("/dresses/LUNA/")
    boxes = [tile.bounding_box() for tile in page.locator("dress-looks .wall li").all()]
    assert {round(box["height"] / box["width"], 2) for box in boxes} == {1.33}
    assert len({round(box["x"]) for box in boxes}) >= 4
    for first in boxes:
        for second in boxes:
            apart = (
                first["x"] + first["width"] <= second["x"] + 0.5
                or first["y"] + first["height"] <= second["y"] + 0.5
                or second["x"] + second["width"] <= first["x"] + 0.5
                or second["y"] + second["height"] <= first["y"] + 0.5
            )
            assert apart or first is second


def test_a_look_opens_large_and_is_left_with_the_keyboard(shopper: Open) -> None:
    make_worn_dress(looks=3)
    page = shopper("/dresses/LUNA/")
    viewer = page.locator("dress-looks dialog")
    page.locator("dress-looks .wall button").first.focus()
    page.keyboard.press("Enter")
    expect(viewer).to_contain_text("Worn by @wearer0")
    expect(viewer).to_contain_text("caption 0")
    expect(viewer.get_by_role("link", name="On Instagram")).to_have_attribute(
        "href", re.compile("https://www.instagram.com/p/")
    )
    expect(viewer.get_by_role("link", name="Shop this dress")).to_be_visible()
    page.keyboard.press("ArrowRight")
    expect(viewer).to_contain_text("@wearer1")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")  # the last stays
    expect(viewer).to_contain_text("@wearer2")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Escape")
    expect(viewer).to_be_hidden()
    expect(page.get_by_role("button", name="Look 2")).to_be_focused()
    assert page.evaluate("document.documentElement.getAttribute('style')") in (None, "")


def test_more_looks_come_when_asked_for_and_move_nothing(shopper: Open) -> None:
    make_worn_dress(looks=30)
    page = shopper("/dresses/LUNA/")
    tiles = page.locator("dress-looks .wall li")
    more = page.get_by_role("button", name="More looks")
    expect(tiles).to_have_count(12)
    before = [tile.bounding_box() for tile in tiles.all()]
    more.evaluate("button => button.click()")
    expect(tiles).to_have_count(24)
    assert [tile.bounding_box() for tile in tiles.all()[:12]] == before
    more.click()
    expect(tiles).to_have_count(30)
    expect(more).to_be_hidden()


def test_the_viewer_walks_on_into_looks_that_were_not_loaded(shopper: Open) -> None:
    make_worn_dress(looks=14)
    page = shopper("/dresses/LUNA/")
    page.locator("dress-looks .wall button").nth(11).click()
    page.keyboard.press("ArrowRight")
    expect(page.locator("dress-looks dialog")).to_contain_text("@wearer12")


def test_a_retired_dress_says_so_and_offers_others(shopper: Open) -> None:
    gone = make_worn_dress(retired_on="2020-01-01")
    embed(gone, make_dress("SOLE", title="Sole"))
    page = shopper("/dresses/LUNA/")
    expect(page.locator("#offer")).to_contain_text("This dress has left the collection.")
    expect(page.locator("#offer").get_by_role("link", name="Sole")).to_have_attribute(
        "href", "/dresses/SOLE/"
    )
    page.locator("dress-looks .wall button").first.click()
    viewer = page.locator("dress-looks dialog")
    expect(viewer).to_contain_text("Still in stock, and close to it:")
    expect(viewer.get_by_role("link", name="Sole")).to_have_attribute("href", re.compile(r"/dresses/SOLE/$"))
    expect(viewer.get_by_role("link", name="Shop this dress")).to_have_count(0)


def test_nothing_that_strangers_wrote_becomes_markup_or_script(shopper: Open) -> None:
    bait = "<img src=x onerror=document.title='owned'><script>document.title='owned'</script>"
    dress = make_dress("BAIT", title=bait, designer=bait)
    make_look(dress, caption=bait, username=bait[:100], permalink="javascript:document.title='owned'")
    make_look(dress, permalink="data:text/html,<script>1</script>")
    page = shopper("/dresses/BAIT/")
    page.locator("dress-looks .wall button").first.click()
    expect(page.locator("dress-looks dialog .caption")).to_have_text(bait)
    links = page.locator("a").evaluate_all("links => links.map((link) => link.href)")
    assert all(link.startswith("http") for link in links)
    assert "owned" not in page.evaluate("document.title.replace(/'owned'/g, '')")
    assert page.locator("img[onerror], dress-looks script").count() == 0


def test_a_dress_that_nobody_wore_yet_says_so(shopper: Open) -> None:
    make_dress("NEW")
    page = shopper("/dresses/NEW/")
    expect(page.locator("dress-looks .notice")).to_have_text("No looks yet. Yours could be the first.")
    page.locator("dress-looks").evaluate("element => element.setAttribute('empty', 'hide')")
    expect(page.locator("dress-looks section").first).to_be_hidden()


def test_looks_that_cannot_be_loaded_can_be_asked_for_again(shopper: Open) -> None:
    make_worn_dress()
    page = shopper("/dresses/")
    page.route("**/looks/**", lambda route: route.abort())
    page.goto(page.url + "LUNA/")
    expect(page.locator("dress-looks .notice")).to_contain_text("The looks could not be loaded.")
    page.unroute("**/looks/**")
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("dress-looks .wall li")).to_have_count(5)
    forgive(shopper, "ERR_FAILED")


def test_a_look_withdrawn_meanwhile_leaves_no_hole(shopper: Open) -> None:
    dress = make_worn_dress(looks=3)
    token = dress.looks.first().post.photo.token
    page = shopper("/dresses/")
    page.route(f"**/{token}/**", lambda route: route.abort())
    page.goto(page.url + "LUNA/")
    page.locator("dress-looks").scroll_into_view_if_needed()
    expect(page.locator("dress-looks .wall li")).to_have_count(2)
    forgive(shopper, "ERR_FAILED")


def forgive(shopper: Open, expected: str) -> None:
    """Drop the complaints that the test has provoked."""
    complaints = shopper.complaints  # type: ignore[attr-defined]
    complaints[:] = [text for text in complaints if expected not in text]


def test_an_unknown_dress_has_a_page_that_says_so(shopper: Open) -> None:
    page = shopper("/dresses/NO-%3Cb%3E1/", status=404)
    expect(page.get_by_role("heading", level=1)).to_have_text("Not in this wardrobe")
    expect(page.locator(".sku")).to_have_text("NO-<b>1")
    forgive(shopper, "404")


@pytest.mark.parametrize("screen", SCREENS)
def test_the_collection_is_found_searched_and_entered(shopper: Open, screen: str) -> None:
    make_worn_dress()
    make_dress("GONE", title="Gone", retired_on="2020-01-01")
    for _ in range(25):
        make_dress()
    page = shopper("/dresses/", screen)
    cards = page.locator("#dresses li")
    expect(page.locator("#tally")).to_have_text("27 dresses")
    expect(cards).to_have_count(24)
    expect(cards.first).to_contain_text("5 looks")
    page.get_by_role("button", name="More dresses").click()
    expect(cards).to_have_count(27)
    page.get_by_label("In stock only").check()
    expect(page.locator("#tally")).to_have_text("26 dresses")
    page.get_by_label("Search the collection").fill("maison bleue")
    expect(cards).to_have_count(1)
    expect(page).to_have_url(re.compile(r"\?q=maison\+bleue&in_stock=true$"))
    page.get_by_label("Search the collection").fill("nothing like it")
    expect(page.locator("#tally")).to_have_text("Nothing like it in the collection. Try fewer words.")
    page.get_by_label("Search the collection").fill("luna")
    cards.first.get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Luna")


@pytest.fixture
def other_shop(live_server: Any) -> Iterator[str]:
    """A shop on an origin of its own, with as strict a policy as a page that embeds the gallery can have."""

    class Shop(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            portal = live_server.url
            page = (
                "<!doctype html><html lang=de><title>Shop</title>"
                f"<script type=module src='{portal}/static/dress-looks.js'></script>"
                "<dress-looks sku=LUNA href='/kleid/{sku}' limit=4></dress-looks>"
            )
            policy = f"default-src 'none'; script-src {portal}; connect-src {portal}; img-src {portal}"
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Security-Policy", policy)
            self.end_headers()
            self.wfile.write(page.encode())

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Shop)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()
    thread.join()


def test_the_gallery_works_on_a_page_of_another_origin(
    shopper: Open, other_shop: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Static files as they are served outside tests: by WhiteNoise, with the header that modules need.
    monkeypatch.setattr(StaticFilesHandler, "_should_handle", lambda self, path: False)
    embed(make_worn_dress(), make_dress("A/B 1", title="Sole"))
    page = shopper(other_shop)
    expect(page.locator("dress-looks h2").first).to_have_text("Von euch getragen")
    expect(page.locator("dress-looks .wall li")).to_have_count(4)
    page.locator("dress-looks .strip").scroll_into_view_if_needed()
    page.wait_for_load_state("networkidle")
    assert page.locator("dress-looks .wall img, dress-looks .strip img").evaluate_all(LOADED)
    assert (
        page.locator("dress-looks .wall li").first.evaluate("li => getComputedStyle(li).position")
        == "absolute"
    )
    expect(page.locator("dress-looks .strip a")).to_have_attribute("href", f"{other_shop}kleid/A%2FB%201")
    page.locator("dress-looks .wall button").first.click()
    link = page.get_by_role("link", name="Zum Kleid")
    expect(link).to_have_attribute("href", f"{other_shop}kleid/LUNA")
    forgive(shopper, "404")  # the shop's own icon


def test_the_documentation_renders_under_our_policy(shopper: Open) -> None:
    page = shopper("/api/docs/")
    expect(page.get_by_text("/api/v1/dresses/{sku}/looks/")).to_be_visible()


def test_the_component_is_small() -> None:
    static = Path(settings.BASE_DIR) / "dressportal" / "static"
    files = [static / "dress-looks.js", *(static / "dress-looks").iterdir()]
    assert sum(len(gzip.compress(file.read_bytes(), 9)) for file in files) < 10_000


def test_what_a_shopper_does_is_told_unless_the_shop_or_the_browser_says_no(shopper: Open) -> None:
    embed(make_worn_dress(looks=2), make_dress("SOLE", title="Sole"))
    page = shopper("/dresses/LUNA/")
    page.locator("dress-looks .wall button").first.click()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Escape")
    with page.expect_navigation():
        page.locator("dress-looks .strip a").first.click()
    expected = [("CLICK", "SOLE"), *[("OPEN", "LUNA")] * 2, ("VIEW", "LUNA"), ("VIEW", "SOLE")]
    wait_for(lambda: told() == expected)
    assert Interaction.objects.values("shopper").distinct().count() == 1
    assert set(Interaction.objects.exclude(look=None).values_list("look", flat=True)) == {
        look.pk for look in Dress.objects.get(sku="LUNA").looks.all()
    }
    assert page.context.cookies() == []
    page.evaluate("document.querySelector('dress-looks').setAttribute('tracking', 'off')")
    page.evaluate("document.querySelector('dress-looks').note('click', 'LUNA')")
    quiet = shopper("/dresses/")
    quiet.add_init_script("Object.defineProperty(navigator, 'globalPrivacyControl', {value: true})")
    with quiet.expect_response("**/similar/"):
        quiet.goto(quiet.url + "LUNA/")
    assert quiet.evaluate("localStorage.length") == 0
    assert told() == expected


def told() -> list[tuple[str, str]]:
    rows = Interaction.objects.select_related("dress")
    return sorted((Interaction.Kind(row.kind).name, row.dress.sku) for row in rows)


def wait_for(holds: Callable[[], bool]) -> None:
    until = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.05)
