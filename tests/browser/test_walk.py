"""From log-in to product page: two people agree, a night passes, an admin clears, a shopper sees it worn."""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests import make
from tests.browser.conftest import SCREENS
from tests.browser.hands import SHOWN, ready
from verify import rotation
from verify.models import Dress, Look, Post

pytestmark = pytest.mark.browser
POSTS = 3


@pytest.fixture
def dress(transactional_db: None) -> Dress:
    """The dress that every post of today's batch shows, among two others."""
    worn = make.make_dress("WORN-1", title="Solène Pleated Midi")
    make.make_open_posts(POSTS, make.make_batch(), [worn, make.make_dress(), make.make_dress()])
    Post.objects.update(rights=Post.Rights.GRANTED)
    return worn


@pytest.fixture
def window(browser: Browser, live_server: Any) -> Iterator[Callable[..., Page]]:
    """Opens a page in a window of its own: ``window("/login/", "phone")``, more options as Playwright's."""
    contexts: list[BrowserContext] = []

    def window(path: str, screen: str, **options: Any) -> Page:
        contexts.append(browser.new_context(base_url=live_server.url, **SCREENS[screen], **options))
        page = contexts[-1].new_page()
        page.goto(path)
        return page

    yield window
    for context in contexts:
        context.close()


def log_in(page: Page, username: str) -> None:
    page.get_by_label(re.compile("^User ?name", re.IGNORECASE)).fill(username)
    page.get_by_label("Password").fill("a-long-passphrase")
    page.get_by_role("button", name="Log in").click()


def name_the_dress(page: Page, dress: Dress, scripted: bool) -> None:
    for today in range(1, POSTS + 1):
        if scripted:
            ready(page)
        page.locator(SHOWN).get_by_role("button", name=dress.title).click()
        expect(page.locator("#today b")).to_have_text(str(today))


def pass_the_night() -> None:
    rotation.rotate(now=timezone.now() + timedelta(minutes=1))


def clear_all_looks(page: Page) -> None:
    page.goto("/admin/verify/look/")
    expect(page.locator("#result_list tbody tr")).to_have_count(POSTS)
    for box in page.locator("input.action-select").all():
        box.check()
    page.locator("select[name=action]").select_option(label="Clear for display")
    page.get_by_role("button", name="Go", exact=True).click()
    expect(page.get_by_text(f"{POSTS} cleared.")).to_be_visible()


@pytest.mark.parametrize("scripted", [True, False], ids=["with script", "without script"])
@pytest.mark.parametrize("screen", ["phone", "desktop"])
def test_from_log_in_to_product_page(
    window: Callable[..., Page], dress: Dress, screen: str, scripted: bool
) -> None:
    for username in ("ann", "ben"):
        make.make_employee(username)
        player = window("/", screen, java_script_enabled=scripted)
        log_in(player, username)
        expect(player.locator(SHOWN)).to_be_visible()
        name_the_dress(player, dress, scripted)
    pass_the_night()
    assert Look.objects.filter(dress=dress).count() == POSTS
    assert not Look.objects.public().exists()
    make.make_admin("ada")
    admin = window("/admin/", screen, java_script_enabled=scripted)
    log_in(admin, "ada")
    clear_all_looks(admin)
    shopper = window(f"/dresses/{dress.sku}/", screen)  # a product page's gallery is a script
    expect(shopper.get_by_role("heading", name=dress.title)).to_be_visible()
    worn = shopper.locator("dress-looks").locator("img[src*='/media/photos/']")
    expect(worn.nth(POSTS - 1)).to_be_visible()
