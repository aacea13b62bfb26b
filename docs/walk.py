"""The walk from customers' photos to a product page, on real photos, in a real browser, with pictures.

    .venv/bin/python docs/walk.py FOLDER [--cards 120] [--port 8765]

FOLDER holds catalogue.csv, posts.jsonl and truth.csv (id, kind, sku), by which the two people who vote know
the right answers. Everything runs in a portal of its own in a temporary folder: import, proposals, votes of
two people (one on a phone, one at a desk), the night, an admin's clearance, product pages. Screenshots go to
docs/walk-*.png.
"""

import argparse
import csv
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Locator, Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "device_scale_factor": 2}
DESK = {"viewport": {"width": 1440, "height": 900}}
PASSWORD = "only-for-this-walk"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--cards", type=int, default=120, help="posts in the batch")
    parser.add_argument("--port", type=int, default=8765)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="walk-") as var:
        os.environ.update(
            DRESSPORTAL_VAR=var,
            DRESSPORTAL_DEMO="0",
            DRESSPORTAL_BATCH_SIZE=str(arguments.cards),
            DJANGO_SETTINGS_MODULE="dressportal.settings",
            DJANGO_ALLOW_ASYNC_UNSAFE="true",
        )
        os.chdir(ROOT)
        sys.path.insert(0, str(ROOT))
        take_in(arguments.folder)
        with portal(arguments.port) as address, sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-dev-shm-usage"]
            )
            walk(browser, address, truth_of(arguments.folder))


def manage(*arguments: str) -> None:
    subprocess.run([sys.executable, "manage.py", *arguments], check=True)


def take_in(folder: Path) -> None:
    manage("migrate", "--verbosity", "0")
    manage("import_dresses", str(folder / "catalogue.csv"))
    manage("import_posts", str(folder / "posts.jsonl"), "--rights", "granted")
    manage("suggest_posts")
    manage("rotate_batch")


@contextmanager
def portal(port: int) -> Iterator[str]:
    serving = subprocess.Popen([sys.executable, "manage.py", "serve", "--port", str(port)])
    address = f"http://127.0.0.1:{port}"
    try:
        wait_for(address)
        yield address
    finally:
        serving.send_signal(signal.SIGTERM)
        serving.wait(30)


def wait_for(address: str) -> None:
    import httpx

    for _ in range(240):
        try:
            if httpx.get(f"{address}/healthz").is_success:
                return
        except httpx.TransportError:
            time.sleep(0.5)
    raise SystemExit("The portal did not answer within two minutes.")


def truth_of(folder: Path) -> dict[str, tuple[str, str]]:
    with (folder / "truth.csv").open() as file:
        return {row["id"]: (row["kind"], row["sku"]) for row in csv.DictReader(file)}


def walk(browser: Browser, address: str, truth: dict[str, tuple[str, str]]) -> None:
    import django

    django.setup()
    make_people()
    ines = log_in(browser, address, "ines", PHONE)
    shot(ines, "walk-phone-card")
    noor = log_in(browser, address, "noor", DESK)
    shot(noor, "walk-desktop-card")
    print("ines votes", vote_all(ines, truth, tap=True), "times on her phone")
    shot(ines, "walk-phone-finished")
    print("noor votes", vote_all(noor, truth, tap=False), "times by keys")
    shot(noor, "walk-desktop-finished")
    time.sleep(31)  # until the last vote can no longer be undone
    manage("rotate_batch")
    clear_looks(browser, address)
    show_shop(browser, address)


def make_people() -> None:
    from verify.models import Employee, Team

    team = Team.objects.create(name="Styling")
    for name in ("Ines", "Noor"):
        Employee.objects.create_user(name.lower(), password=PASSWORD, display_name=name, team=team)
    Employee.objects.create_superuser("ada", password=PASSWORD, display_name="Ada")


def log_in(browser: Browser, address: str, username: str, screen: dict[str, Any]) -> Page:
    context: BrowserContext = browser.new_context(**screen)
    page = context.new_page()
    page.goto(f"{address}/login/")
    page.fill("[name=username]", username)
    page.fill("[name=password]", PASSWORD)
    page.press("[name=password]", "Enter")
    page.wait_for_url(f"{address}/")
    return page


def vote_all(page: Page, truth: dict[str, tuple[str, str]], tap: bool) -> int:
    """Answer cards rightly until none is left; returns how many."""
    votes = 0
    while (card := next_card(page)) is not None:
        lease = int(card.get_attribute("data-lease") or 0)
        key = right_key(lease, card.locator("button.option").evaluate_all(OPTIONS), truth)
        if tap:
            card.locator(f'[data-key="{key}"]').tap()
        else:
            page.keyboard.press(key)
        votes += 1
        page.wait_for_timeout(50)
    return votes


def next_card(page: Page) -> Locator | None:
    """The card on the screen once it takes an answer, or None when the game is over."""
    for _ in range(400):
        if page.evaluate(IDLE):
            card = page.locator(".card:not(.sent)").first
            return card if card.count() else None
        page.wait_for_timeout(25)
    raise SystemExit("The game never came to rest.")


IDLE = "document.querySelector('.scripted .deck:not([data-guarded], :has([data-choice]))') !== null"
OPTIONS = "buttons => buttons.map(button => [button.value, button.dataset.key])"


def right_key(lease: int, options: list[tuple[str, str]], truth: dict[str, tuple[str, str]]) -> str:
    from verify.models import Lease, Option

    post = Lease.objects.select_related("post").get(pk=lease).post
    kind, sku = truth[post.external_id]
    if kind == "no_garment":
        return "n"
    offered = {Option.objects.get(pk=option).dress.sku: key for option, key in options}
    return offered.get(sku, "0")


def clear_looks(browser: Browser, address: str) -> None:
    """An admin looks through what was published and clears it, in Django's admin."""
    page = log_in(browser, address, "ada", DESK)
    page.goto(f"{address}/admin/verify/look/")
    shot(page, "walk-admin-looks")
    page.check("#action-toggle")
    page.select_option("select[name=action]", label="Clear for display")
    page.click("button[name=index]")
    page.wait_for_load_state()
    page.goto(f"{address}/admin/verify/post/")
    shot(page, "walk-admin-posts")


def show_shop(browser: Browser, address: str) -> None:
    from django.db.models import Count

    from verify.models import Dress, Look

    looks = Look.objects.public()
    print(f"{looks.count()} looks are public")
    best = Dress.objects.filter(looks__in=looks).annotate(shown=Count("looks")).order_by("-shown").first()
    if best is None:
        raise SystemExit("No look became public.")
    for name, screen in (("phone", PHONE), ("desktop", DESK)):
        page = browser.new_context(**screen).new_page()
        page.goto(f"{address}/dresses/{best.sku}/")
        page.wait_for_load_state("networkidle")
        shot(page, f"walk-{name}-product")
        page.locator("dress-looks").scroll_into_view_if_needed()
        shot(page, f"walk-{name}-looks")


def shot(page: Page, name: str) -> None:
    page.wait_for_load_state("networkidle")
    path = ROOT / "docs" / f"{name}.png"
    page.screenshot(path=path)
    print("Took", path.relative_to(ROOT))


if __name__ == "__main__":
    main()
