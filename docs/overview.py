"""Draws docs/overview.jpg, the picture on the README, from a running demo.

.venv/bin/python docs/overview.py [http://127.0.0.1:8000]
"""

import sys
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
from PIL import Image, ImageDraw, ImageFilter
from playwright.sync_api import Browser, Page, sync_playwright

ADDRESS = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8000"
PHONE = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2}
DESK = {"viewport": {"width": 1440, "height": 900}}
PAPER = (243, 237, 228)


def main() -> None:
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-dev-shm-usage"]
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=arguments)
        sku = most_worn()
        pictures = [
            framed(shot(window(browser, DESK), f"/dresses/{sku}/", "dress-looks"), 1100),
            framed(shot(window(browser, DESK, "admin"), settled_post(browser)), 1100),
            framed(shot(window(browser, PHONE, "amara"), "/"), 430),
        ]
    path = Path(__file__).with_name("overview.jpg")
    arranged(pictures).save(path, quality=86, progressive=True)
    print(path)


def most_worn(place: int = 0) -> str:
    return httpx.get(f"{ADDRESS}/api/v1/dresses/?order=looks").json()["results"][place]["sku"]


def window(browser: Browser, screen: dict[str, Any], username: str = "") -> Page:
    page = browser.new_context(base_url=ADDRESS, **screen).new_page()
    if username:
        page.goto("/login/")
        page.fill("[name=username]", username)
        page.fill("[name=password]", "lunchbreak")
        page.press("[name=password]", "Enter")
        page.wait_for_load_state("networkidle")
    return page


def settled_post(browser: Browser) -> str:
    """The address of a settled post's evidence."""
    page = window(browser, DESK, "admin")
    page.goto("/admin/verify/post/?state__exact=settled&answer__exact=dress")
    return page.locator("#result_list tbody th a").first.get_attribute("href") or ""


def shot(page: Page, path: str, scroll_to: str = "") -> Image.Image:
    page.goto(path)
    page.wait_for_load_state("networkidle")
    if scroll_to:
        page.locator(scroll_to).evaluate("element => element.scrollIntoView()")
        page.wait_for_load_state("networkidle")
        page.wait_for_timeout(500)
    return Image.open(BytesIO(page.screenshot())).convert("RGB")


def framed(picture: Image.Image, width: int) -> Image.Image:
    """Scaled to a width, with rounded corners."""
    picture = picture.resize((width, round(picture.height * width / picture.width)), Image.Resampling.LANCZOS)
    mask = Image.new("L", picture.size)
    ImageDraw.Draw(mask).rounded_rectangle((0, 0, *picture.size), 18, fill=255)
    picture.putalpha(mask)
    return picture


def arranged(pictures: list[Image.Image]) -> Image.Image:
    """The shop behind, the evidence before it, the phone in front, each with a soft shadow."""
    canvas = Image.new("RGB", (1600, 1130), PAPER)
    for picture, place in zip(pictures, [(50, 50), (450, 390), (60, 170)], strict=True):
        shadow = Image.new("L", canvas.size)
        shadow.paste(picture.getchannel("A").point(lambda value: value * 0.4), (place[0], place[1] + 14))
        canvas.paste((60, 40, 50), mask=shadow.filter(ImageFilter.GaussianBlur(22)))
        canvas.paste(picture, place, picture)
    return canvas


if __name__ == "__main__":
    main()
