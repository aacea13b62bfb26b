"""Draws every page on a phone and at a desk in both themes, from a demo: docs/pages/*.jpg and pages.md.

.venv/bin/python docs/pages.py [http://127.0.0.1:8000]
"""

from io import BytesIO
from pathlib import Path
from typing import Any

from overview import DESK, PAPER, PHONE, Image, most_worn, settled_post, shot, window
from playwright.sync_api import Browser, Page, sync_playwright
from tqdm import tqdm

FOLDER = Path(__file__).with_name("pages")
HEIGHT = 720  # pixels of a screen in the picture
GAP = 16
SIGHTS: dict[str, tuple[str, str, str]] = {
    "log-in": ("Log in", "", "/login/"),
    "forgotten": ("A forgotten password", "", "/password/forgotten/"),
    "spent": ("A link that no longer works", "", "/password/set/Mg/spent-token/"),
    "password": ("A new password", "bruno", "/password/"),
    "card": ("A card", "amara", "/"),
    "training": ("A new colleague’s first answer", "nadia", "/"),
    "named": ("“None of these”: which dress is it, then?", "bruno", "/"),
    "recent": ("The last ten answers", "bruno", "/recent/"),
    "me": ("One’s own page", "mei", "/me/"),
    "week": ("The week", "mei", "/leaderboard/"),
    "hall": ("The hall of fame", "mei", "/hall-of-fame/"),
    "keys": ("The keys", "amara", "/"),
    "closer": ("A closer look, beside the catalogue’s photos", "amara", "/"),
    "dreams": ("The wall of dreams", "mei", "/dreams/"),
    "dream": ("A dream, and what hangs in the shop", "mei", "/dreams/7/"),
    "dream-walk": ("From one dress to another", "mei", "/dreams/walk/?from={sku}&toward={other}&seed=7"),
    "missing": ("A page that is not there", "mei", "/nowhere/"),
    "shop": ("The shop’s home page", "", "/shop/"),
    "dream-for-me": ("Dreams for a shopper", "", "/shop/dream/?like={sku}"),
    "wall": ("The shop’s wall of looks", "", "/dresses/"),
    "product": ("A product page", "", "/dresses/{sku}/"),
    "opt-out": ("A photo that should go", "", "/privacy/opt-out/"),
    "unknown": ("A product page of no dress", "", "/dresses/NO-SUCH-DRESS/"),
    "dashboard": ("The admin’s first page", "admin", "/admin/"),
    "decide": ("Posts to decide", "admin", "/admin/verify/post/decide/"),
    "blind": ("The audit sample, judged blind", "admin", "/admin/verify/post/decide/?tab=audit"),
    "clear": ("Looks to clear", "admin", "/admin/verify/look/clear/"),
    "liked-dreams": ("The most liked dreams", "admin", "/admin/recommend/likeddream/"),
    "grid": ("Looks to clear, a page at once", "admin", "/admin/verify/look/clear/?view=grid"),
    "rights": ("Owners to ask for their photo", "admin", "/admin/verify/post/rights/"),
    "answers": ("Their answers", "admin", "/admin/verify/post/rights/?tab=answered"),
    "person": ("All of a person", "admin", "/admin/verify/post/person/"),
    "opt-outs": ("Photos that somebody wants gone", "admin", "/admin/verify/optout/"),
    "evidence": ("What settled a post", "admin", "{post}"),
    "employees": ("The list of employees", "admin", "/admin/verify/employee/"),
    "voter": ("A voter", "admin", "{voter}"),
    "versions": ("DeepDress’s versions", "admin", "/admin/verify/modelversion/"),
    "version": ("A version: what it can do, and whether it is live", "admin", "{version}"),
    "keys-of-others": ("Keys of other programs", "admin", "/admin/verify/apikey/"),
    "new-key": ("A new key", "admin", "/admin/verify/apikey/add/"),
    "invite": ("Invitations", "admin", "/admin/verify/employee/invite/"),
}


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-dev-shm-usage"]
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=arguments)
        places = {"sku": most_worn(), "voter": voter(browser), "post": settled_post(browser)}
        places["other"] = most_worn(1)
        places["version"] = first_row(browser, "/admin/verify/modelversion/")
        for name, (_, username, path) in tqdm(SIGHTS.items(), unit="page"):
            draw(browser, name, username, path.format(**places))
    lines = [f"## {title}\n\n![{title}](pages/{name}.jpg)\n" for name, (title, *_) in SIGHTS.items()]
    head = "# Every page, on a phone and at a desk, light and dark\n\nBy [pages.py](pages.py), of the demo.\n"
    Path(__file__).with_name("pages.md").write_text("\n".join([head, *lines]))


def voter(browser: Browser) -> str:
    """The address of the page about the voter who does not look."""
    return first_row(browser, "/admin/verify/employee/?q=wim").replace("/change/", "/voter/")


def first_row(browser: Browser, path: str) -> str:
    """The address behind the first row of an admin's list."""
    page = window(browser, DESK, "admin")
    page.goto(path)
    return page.locator("#result_list tbody th a").first.get_attribute("href") or ""


def draw(browser: Browser, name: str, username: str, path: str) -> None:
    shots = []
    for scheme in ("light", "dark"):
        for screen in (PHONE, DESK):
            page = window(browser, {**screen, "color_scheme": scheme}, username)
            picture = shot(page, path)
            if name in ACTS:
                picture = ACTS[name](page)
            shots.append(picture.resize((round(picture.width * HEIGHT / picture.height), HEIGHT)))
            page.context.close()
    width = sum(each.width for each in shots) + GAP * (len(shots) + 1)
    canvas, x = Image.new("RGB", (width, HEIGHT + 2 * GAP), PAPER), GAP
    for each in shots:
        canvas.paste(each, (x, GAP))
        x += each.width + GAP
    canvas.save(FOLDER / f"{name}.jpg", quality=80, progressive=True)


def answered(page: Page) -> Image.Image:
    """After "not a dress" on a card of training."""
    page.click(".card:not(.sent) [value=not_a_dress]")
    return settled(page)


def search(page: Page) -> Image.Image:
    """After "none of these", in the middle of a search."""
    page.click(".card:not(.sent) [value=none_of_these]")
    page.click("#after a, #after button")
    page.fill("dialog[open] input[type=search]", "midi")
    return settled(page)


def keys(page: Page) -> Image.Image:
    page.keyboard.press("?")
    return settled(page)


def closer(page: Page) -> Image.Image:
    page.click(".card:not(.sent) .beside")
    return settled(page)


def settled(page: Page) -> Image.Image:
    page.wait_for_timeout(1_500)
    return snap(page)


def snap(page: Page) -> Image.Image:
    return Image.open(BytesIO(page.screenshot())).convert("RGB")


ACTS: dict[str, Any] = {"training": answered, "named": search, "keys": keys, "closer": closer}

if __name__ == "__main__":
    main()
