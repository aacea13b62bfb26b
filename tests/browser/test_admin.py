"""The admin in a browser: pictures under the content security policy, and queues worked by keys."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from tests import make
from tests.browser.axe import violations
from tests.browser.conftest import Visitor
from verify import audit, consensus
from verify.models import Dress, Employee, Flag, Look, Post, Refit, Reliability, Vote

pytestmark = pytest.mark.browser

Visit = Callable[..., Visitor]
CLOSED = dict.fromkeys(("frozen_at", "closed_at"), make.NOON)
screens_and_themes = pytest.mark.parametrize(("screen", "theme"), [("phone", "dark"), ("desktop", "light")])


@pytest.fixture
def dresses(transactional_db: None) -> list[Dress]:
    return [make.make_dress(title=title) for title in ("Aurora", "Bellis", "Calla", "Dalia")]


@pytest.fixture
def disputed(dresses: list[Dress]) -> list[Post]:
    posts = make.make_open_posts(4, make.make_batch(), dresses[:3])
    for post in posts:
        post.dispute("Skipped by 3 people.")
    return sorted(posts, key=lambda post: post.pk)


@pytest.fixture
def looks(dresses: list[Dress]) -> list[Look]:
    looks = [make.make_look(dresses[0], "waiting") for _ in range(5)]
    employee = make.make_employee("vera")
    Flag.objects.create(post=looks[1].post, employee=employee, reason="child", created_at=timezone.now())
    return looks


@pytest.fixture
def votes(disputed: list[Post], looks: list[Look]) -> Employee:
    """Somebody who has voted this week, so that the dashboard has something to draw; returns them."""
    ann, now = make.make_employee("ann"), timezone.now()
    Vote.objects.bulk_create(
        Vote(
            post=post,
            employee=ann,
            suggestion=post.suggestion,
            answer="not_a_dress",
            created_at=now - timedelta(days=day),
            dealt_at=now,
            right=day > 1,
        )
        for day, post in enumerate(disputed)
    )
    Post.objects.filter(look__in=looks).update(settled_at=now)
    Reliability.objects.create(employee=ann, right=30, wrong=5, estimate=0.88, low=0.7, high=0.95, votes=4)
    return ann


def make_the_diagram_due() -> None:
    posts = make.make_open_posts(audit.ENOUGH, make.make_batch(state="closed", **CLOSED))
    settled = {"state": "settled", "answer": "not_a_dress", "settled_at": timezone.now()}
    label = {"audit": True, "settled_by": make.make_employee("bo"), **settled}
    Post.objects.filter(pk__in=[post.pk for post in posts]).update(**label)
    Vote.objects.bulk_create(
        Vote(
            post=post,
            employee=label["settled_by"],
            suggestion=post.suggestion,
            answer="not_a_dress",
            created_at=make.NOON,
            dealt_at=make.NOON,
        )
        for post in posts
    )
    diagram = [
        {"stated": 0.97, "real": 0.95, "count": 150, "low": 0.91, "high": 0.98},
        {"stated": 0.99, "real": 1.0, "count": 150, "low": 0.97, "high": 1.0},
    ]
    counts = {"votes": 1500, "posts": 300, "voters": 9, "seconds": 0.1, "audited": 300}
    factors = list(consensus.UNCORRECTED)
    Refit.objects.create(fitted_at=timezone.now(), diagram=diagram, prior_factors=factors, **counts)


def a_curator(visit: Visit, screen: str = "desktop", **options: str) -> Visitor:
    make.make_admin("ada")
    return visit("ada", screen, **options)


def press(page: Page, key: str, said: str) -> None:
    page.keyboard.press(key)
    expect(page.get_by_role("status")).to_contain_text(said)


@screens_and_themes
def test_pictures_are_drawn_and_their_marks_are_links(
    visit: Visit, votes: Employee, screen: str, theme: str
) -> None:
    page = a_curator(visit, screen, color_scheme=theme).open("/admin/")
    for name in ("days", "hours", "agreement", "batches", "voters"):
        expect(page.locator(f"#figure-{name} svg")).to_be_visible()
    assert page.locator(".plot style").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]
    if screen == "desktop":
        page.locator("#figure-voters svg a").first.click()
        expect(page.get_by_role("heading", name="Ann", exact=True)).to_be_visible()
        expect(page.locator("#figure-posterior svg")).to_be_visible()


def test_a_picture_is_told_as_a_table_too(visit: Visit, votes: Employee) -> None:
    page = a_curator(visit).open("/admin/")
    figure = page.locator("#figure-agreement")
    figure.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(figure.get_by_role("row")).to_have_count(1 + 4)
    figure.get_by_role("link", name="1", exact=True).first.click()
    expect(page.get_by_role("heading", name="Votes")).to_be_visible()


@screens_and_themes
def test_posts_are_decided_by_keys_without_a_new_page(
    visit: Visit, disputed: list[Post], dresses: list[Dress], screen: str, theme: str
) -> None:
    page = a_curator(visit, screen, color_scheme=theme).open("/admin/verify/post/decide/")
    page.evaluate("window.sameDocument = true")
    press(page, "2", "Settled as Bellis")
    press(page, "n", "Settled as not a dress")
    press(page, "u", "")
    expect(page.get_by_text("decided: not a dress")).to_be_visible()
    press(page, "0", "Settled as none of these")
    page.keyboard.press("/")
    page.keyboard.type("dalia")
    expect(page.locator("#found").get_by_role("button", name="Dalia")).to_be_visible()
    page.keyboard.press("ArrowDown")
    press(page, "Enter", "Settled as Dalia")
    assert page.evaluate("window.sameDocument") is True
    decided = [(post.answer, post.dress) for post in Post.objects.order_by("pk")]
    assert decided == [("dress", dresses[1]), ("none_of_these", None), ("dress", dresses[3]), ("", None)]


def test_letters_typed_into_the_search_decide_nothing(visit: Visit, disputed: list[Post]) -> None:
    page = a_curator(visit).open("/admin/verify/post/decide/")
    page.keyboard.press("/")
    page.keyboard.type("nul1")
    expect(page.locator("#found")).to_contain_text("No dress matches “nul1”")
    assert not Post.objects.filter(state="settled").exists()


@screens_and_themes
def test_looks_are_cleared_by_keys(visit: Visit, looks: list[Look], screen: str, theme: str) -> None:
    page = a_curator(visit, screen, color_scheme=theme).open("/admin/verify/look/clear/")
    page.evaluate("window.sameDocument = true")
    press(page, "c", "1 look cleared.")
    expect(page.get_by_text("A child is in it")).to_be_visible()
    press(page, "r", "1 look refused.")
    press(page, "u", "1 look back in the queue.")
    expect(page.get_by_text("A child is in it")).to_be_visible()
    page.keyboard.press("l")
    expect(page.get_by_text("A child is in it")).to_be_hidden()
    press(page, "c", "1 look cleared.")
    assert page.evaluate("window.sameDocument") is True
    clearances = Look.objects.order_by("pk").values_list("clearance", flat=True)
    assert list(clearances) == ["cleared", "waiting", "cleared", "waiting", "waiting"]


def test_a_page_of_looks_is_cleared_with_one_key(visit: Visit, looks: list[Look]) -> None:
    page = a_curator(visit).open("/admin/verify/look/clear/?view=grid")
    expect(page.get_by_role("checkbox")).to_have_count(4)  # the flagged one is not there
    page.get_by_role("checkbox").nth(2).uncheck()
    press(page, "c", "3 looks cleared.")
    press(page, "u", "3 looks back in the queue.")
    assert set(Look.objects.values_list("clearance", flat=True)) == {"waiting"}


def test_without_javascript_the_queues_are_plain_forms(
    visit: Visit, disputed: list[Post], looks: list[Look]
) -> None:
    ada = a_curator(visit, java_script_enabled=False)
    page = ada.open("/admin/verify/post/decide/")
    page.get_by_role("button", name="Not a dress").click()
    expect(page.get_by_role("status")).to_contain_text("Settled as not a dress")
    page.get_by_label("Another dress").fill("dalia")
    page.get_by_role("button", name="Search").click()
    page.get_by_role("button", name="Dalia").click()
    expect(page.get_by_role("status")).to_contain_text("Settled as Dalia")
    ada.open("/admin/verify/look/clear/")
    page.get_by_role("button", name="Clear").click()
    expect(page.get_by_role("status")).to_contain_text("1 look cleared.")
    ada.open("/admin/")
    page.locator("#figure-batches summary").click()
    expect(page.locator("#figure-batches table")).to_be_visible()


def admin_pages(voter: Employee) -> list[str]:
    return [
        "/admin/",
        "/admin/verify/post/decide/",
        "/admin/verify/post/decide/?q=aurora",
        "/admin/verify/post/decide/?tab=audit",
        "/admin/verify/look/clear/",
        "/admin/verify/look/clear/?view=grid",
        f"/admin/verify/employee/{voter.pk}/voter/",
    ]


@screens_and_themes
def test_axe_finds_nothing(visit: Visit, votes: Employee, screen: str, theme: str) -> None:
    make_the_diagram_due()
    ada = a_curator(visit, screen, color_scheme=theme)
    for path in admin_pages(votes):
        page = ada.open(path)
        page.locator("details").evaluate_all("all => all.forEach((each) => { each.open = true; })")
        assert violations(page) == [], path
        if path == "/admin/":
            expect(page.locator("#figure-calibration svg")).to_be_visible()
