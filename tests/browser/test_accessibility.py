"""axe-core finds nothing: on every page and in every state of the game, in both themes, on both screens."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from tests import make
from tests.browser.axe import AT_REST, OF_THE_THEME, change_theme, load
from tests.browser.conftest import Visitor
from tests.browser.hands import SHOWN, press, ready
from verify.models import Dress, Post, Vote

pytestmark = pytest.mark.browser

FINDINGS = """async (options) => {
    (AT_REST)();
    const { violations } = await axe.run(document, options);
    return violations.map(({ id, nodes }) =>
        `${id}: ${nodes.map(({ target, failureSummary }) => `${target} ${failureSummary}`).join("; ")}`);
}""".replace("AT_REST", AT_REST)
# By name, with their arguments.
STRANGERS_PAGES: list[tuple[str, dict[str, Any]]] = [
    ("login", {}),
    ("password_reset", {}),
    ("password_reset_done", {}),
    ("shop", {}),
    ("dresses", {}),
    ("product", {"sku": "LUNA-1"}),
    ("product", {"sku": "NOWHERE"}),
    ("opt_out", {}),
    ("opt_out_done", {}),
    ("dream_for_me", {}),
]
PLAYERS_PAGES: list[tuple[str, dict[str, Any]]] = [
    ("leaderboard", {}),
    ("me", {}),
    ("hall_of_fame", {}),
    ("recent", {}),
    ("dreams", {}),
    ("dream", {"seed": 7}),
    ("password_change", {}),
    ("password_change_done", {}),
]
ERROR_PAGES: list[tuple[str, dict[str, Any]]] = [
    (f"error_{name}", {}) for name in ("400", "403", "403_csrf", "404", "500")
]
ADMINS_PAGES: list[tuple[str, dict[str, Any]]] = [
    ("admin:index", {}),
    ("admin:verify_rights", {}),
    ("admin:verify_person", {}),
]
Visit = Callable[..., Visitor]
both_screens = pytest.mark.parametrize("screen", ["phone", "desktop"])


def findings(page: Page) -> list[str]:
    """In the theme it is in; then, of the rules of colour, in the other."""
    load(page)
    found: list[str] = page.evaluate(FINDINGS, {"resultTypes": ["violations"]})
    change_theme(page)
    found += page.evaluate(FINDINGS, {"resultTypes": ["violations"], "runOnly": list(OF_THE_THEME)})
    return found


def audit(visitor: Visitor, pages: list[tuple[str, dict[str, Any]]]) -> Iterator[tuple[str, list[str]]]:
    """The pages on which something was found, with what."""
    for name, arguments in pages:
        if found := findings(visitor.open(reverse(name, kwargs=arguments))):
            yield name, found


@pytest.fixture
def world(transactional_db: None) -> list[Post]:
    luna = make.make_dress("LUNA-1", title="Luna", photos=2)
    make.make_look(luna)
    make.make_dreams(range(12))
    make.make_liked_dream()
    return make.make_open_posts(6, make.make_batch(), [luna, make.make_dress(), make.make_dress()])


def test_a_fault_would_be_found(visit: Visit, world: list[Post]) -> None:
    page = visit("ann").open()
    page.locator(SHOWN).locator("img").first.evaluate("image => image.removeAttribute('alt')")
    assert [found.split(":")[0] for found in findings(page)] == ["image-alt"]


@both_screens
def test_pages_of_strangers(visit: Visit, world: list[Post], screen: str) -> None:
    stranger = visit("ann", screen, color_scheme="light")
    stranger.page.context.clear_cookies()
    assert dict(audit(stranger, STRANGERS_PAGES)) == {}
    stranger.forgive("404")  # the dress that nobody has


@both_screens
def test_pages_of_players(visit: Visit, world: list[Post], screen: str) -> None:
    ann = visit("ann", screen, color_scheme="light")
    page = ann.open()
    for today, key in enumerate(("n", "0", "1"), start=1):
        ready(page)
        press(page, key, today)
    unnamed = Vote.objects.get(employee=ann.employee, answer="none_of_these")
    assert dict(audit(ann, [*PLAYERS_PAGES, ("name_page", {"vote": unnamed.pk})])) == {}


@both_screens
def test_pages_of_errors(visit: Visit, settings: Any, screen: str) -> None:
    settings.ROOT_URLCONF = "tests.browser.error_urls"
    ann, stranger = (visit(name, screen, color_scheme="light") for name in ("ann", "ben"))
    stranger.page.context.clear_cookies()
    for visitor in (ann, stranger):
        assert dict(audit(visitor, ERROR_PAGES)) == {}
        expect(visitor.page.get_by_role("heading", name="A seam has come undone")).to_be_visible()
        visitor.forgive("the server responded with a status of")


@both_screens
def test_pages_of_admins(visit: Visit, world: list[Post], screen: str) -> None:
    make.make_admin("ada")
    assert dict(audit(visit("ada", screen, color_scheme="light"), ADMINS_PAGES)) == {}


@both_screens
def test_the_game(visit: Visit, world: list[Post], screen: str) -> None:
    known = make.make_post()
    known.open_to_votes(make.make_suggestion(known, list(Dress.objects.all())))
    known.override("dress", Dress.objects.get(sku="LUNA-1"), make.make_admin())
    ann = visit("ann", screen, color_scheme="light")
    page = ann.open()
    found = {"card": findings(page)}
    while not page.locator("#feedback section").count():
        ready(page)
        page.keyboard.press("1")
        page.wait_for_timeout(500)
    found["feedback"] = findings(page)
    for key, state, opened in (
        ("n", "hall of fame", "#after .pill"),
        ("0", "name it", "#after a"),
        ("z", "closer", "#closer"),
        ("?", "keys", "#help"),
        ("f", "flag", f"{SHOWN} >> .reasons"),
        ("h", "last ten", "#recent"),
    ):
        ready(page)
        page.keyboard.press(key)
        expect(page.locator(opened)).to_be_visible()
        if key == "z":
            page.keyboard.press("Shift+Digit1")
            expect(page.locator("#beside li")).not_to_have_count(0)
        found[state] = findings(page)
        if key in "z?fh":
            page.keyboard.press("Escape")
    assert {state: faults for state, faults in found.items() if faults} == {}


@both_screens
def test_naming_and_the_end_of_the_game(visit: Visit, world: list[Post], screen: str) -> None:
    page = visit("ann", screen, color_scheme="light").open()
    ready(page)
    press(page, "0", 1)
    page.get_by_role("link", name="Name it").click()
    page.get_by_label("Title, designer or number").fill("luna")
    expect(page.locator("#found button")).to_have_count(1)
    found = {"naming": findings(page)}
    page.locator("#found button").click()
    for _ in world[1:]:
        ready(page)
        page.keyboard.press("s")
    expect(page.get_by_role("heading", name="You have seen all that needs you.")).to_be_visible()
    found["finale"] = findings(page)
    assert {state: faults for state, faults in found.items() if faults} == {}
