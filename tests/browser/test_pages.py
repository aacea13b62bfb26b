"""The pages around the game in a browser: for every eye, by keys, and without JavaScript."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from tests import make
from tests.browser.axe import violations, violations_in_both_themes
from tests.browser.conftest import Visitor
from verify import verdicts
from verify.models import Dress, Employee, Look, Nomination, Post, Vote

pytestmark = pytest.mark.browser

Visit = Callable[..., Visitor]
PAGES = ["/me/", "/leaderboard/", "/hall-of-fame/"]
both_screens = pytest.mark.parametrize("screen", ["phone", "desktop"])


def answer(post: Post, employee: Employee, said: str | Dress) -> None:
    at = timezone.now() - timedelta(minutes=1)
    option = post.suggestion.options.get(dress=said) if isinstance(said, Dress) else None
    facts = {"answer": said if option is None else "dress", "option": option, "suggestion": post.suggestion}
    Vote.objects.create(post=post, employee=employee, created_at=at, dealt_at=at, **facts)


def settle(post: Post, answer: str, dress: Dress | None = None) -> None:
    verdict = {"state": "settled", "answer": answer, "dress": dress, "confidence": 0.99, "rights": "granted"}
    Post.objects.filter(pk=post.pk).update(**verdict, settled_at=timezone.now())


@pytest.fixture
def world(transactional_db: None) -> Employee:
    """Ann and three colleagues after a good week: a look in the shop, and two photos of no dress at all."""
    people = [make.make_employee(name) for name in ("ann", "ben", "cem", "dee")]
    dresses = [make.make_dress(title=title) for title in ("Ottilie", "Margaux", "Calla")]
    worn, *odd = make.make_open_posts(13, make.make_batch(), dresses)
    for person in people:
        answer(worn, person, dresses[0])
        for post in odd:
            answer(post, person, "not_a_dress" if person.username != "dee" else "none_of_these")
    settle(worn, "dress", dresses[0])
    for post in odd:
        settle(post, "not_a_dress")
    verdicts.confirm_all(Post.objects.all(), timezone.now())
    cleared = {"clearance": "cleared", "cleared_at": timezone.now(), "published_at": timezone.now()}
    Look.objects.create(post=worn, dress=dresses[0], **cleared)
    for post, person in ((odd[0], people[1]), (odd[1], people[0]), (odd[1], people[1])):
        Nomination.objects.create(post=post, employee=person, created_at=timezone.now())
    people[2].leaves.create(first_day=date(2026, 7, 1), last_day=date(2026, 7, 14))
    return people[0]


def widest(page: Page) -> int:
    return page.evaluate("document.scrollingElement.scrollWidth")


def small_targets(page: Page) -> list[str]:
    """Buttons and inputs that a thumb would miss."""
    return page.locator("main").evaluate(
        """main => [...main.querySelectorAll("button, summary, input:not([type=hidden])")]
            .map(element => element.type === "checkbox" ? element.parentElement : element)
            .filter(element => element.getBoundingClientRect().height < 44)
            .map(element => element.outerHTML.slice(0, 120))"""
    )


@both_screens
def test_axe_finds_nothing_and_nothing_sticks_out(visit: Visit, world: Employee, screen: str) -> None:
    calm = {"color_scheme": "light", "reduced_motion": "reduce"}
    ann, new = (visit(name, screen, **calm) for name in ("ann", "new"))
    for path in PAGES:
        for visitor in (ann, new):
            page = visitor.open(path)
            assert violations_in_both_themes(page) == []
            assert widest(page) == page.viewport_size["width"]
            assert small_targets(page) == []


@both_screens
def test_the_first_day(visit: Visit, transactional_db: None, screen: str) -> None:
    page = visit("ann", screen).open("/me/")
    expect(page.get_by_role("heading", name="It begins with one photo")).to_be_visible()
    assert violations(page) == []
    page.goto(page.url.replace("/me/", "/hall-of-fame/"))
    expect(page.get_by_text("The walls are bare.")).to_be_visible()
    assert violations(page) == []


@both_screens
def test_the_personal_page_tells_what_became_of_one_s_votes(
    visit: Visit, world: Employee, screen: str
) -> None:
    page = visit("ann", screen).open("/me/")
    expect(page.get_by_text("13 of your 13 checked answers were right.")).to_be_visible()
    page.get_by_text("The same as a table").click()
    expect(page.get_by_role("row").nth(1)).to_contain_text("13")
    bar = page.locator(".bars rect.confirmed").bounding_box()
    frame = page.locator(".bars svg").bounding_box()
    assert bar["height"] > 0.9 * frame["height"]
    expect(page.get_by_role("heading", name="Impostor spotted")).to_be_visible()
    page.get_by_role("link", name="Ottilie").click()
    expect(page.get_by_role("heading", name="Ottilie")).to_be_visible()


def test_settings_by_keys(visit: Visit, world: Employee) -> None:
    ann = visit("ann")
    page = ann.open("/me/")
    page.get_by_label("Pseudonym").focus()
    page.keyboard.type("Ben")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("a colleague’s name")
    assert violations(page) == []
    page.get_by_label("Pseudonym").fill("Silk Moth")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Silk Moth")
    ann.employee.refresh_from_db()
    assert (ann.employee.pseudonym, ann.employee.on_boards) == ("Silk Moth", False)
    ann.forgive("422")


@both_screens
def test_leave_without_javascript(visit: Visit, world: Employee, screen: str) -> None:
    ann = visit("ann", screen, java_script_enabled=False)
    page = ann.open("/me/")
    page.get_by_label("First day").fill("2026-12-21")
    page.get_by_label("Last day").fill("2026-12-31")
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_text("21 December – 31 December 2026", exact=True)).to_be_visible()
    page.get_by_role("button", name="Remove").click()
    expect(page.get_by_role("button", name="Remove")).to_have_count(0)
    assert not ann.employee.leaves.exists()


@both_screens
def test_a_heart_without_javascript(visit: Visit, world: Employee, screen: str) -> None:
    page = visit("ann", screen, java_script_enabled=False).open("/hall-of-fame/")
    expect(page.get_by_role("listitem")).to_have_count(2)
    page.get_by_role("button", name="Give No. 2 a heart: it has 1").click()
    expect(page.get_by_text("2 hearts, yours among them")).to_have_count(2)
    assert Nomination.objects.count() == 4


@both_screens
def test_the_menu_leads_to_each_page(visit: Visit, world: Employee, screen: str) -> None:
    page = visit("ann", screen).open("/leaderboard/")
    for link, heading in (
        ("Your page", "Your eye"),
        ("Hall of fame", "Not a dress"),
        ("This week", "This week"),
    ):
        page.get_by_label("Menu").click()
        page.get_by_role("navigation", name="Your account").get_by_role("link", name=link).click()
        expect(page.get_by_role("heading", level=1)).to_contain_text(heading)
