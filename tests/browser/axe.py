"""What axe-core (see vendor/README.md) finds on a page."""

from pathlib import Path

from playwright.sync_api import Page

OF_THE_THEME = ("color-contrast", "link-in-text-block")  # what axe finds in colours alone
AT_REST = """() => Promise.allSettled(document.getAnimations().map((animation) =>
    animation.effect.getComputedTiming().endTime < 1000 ? animation.finished : null))"""
SCRIPT = (Path(__file__).parent / "vendor" / "axe" / "axe.min.js").read_text()


def load(page: Page) -> None:
    if not page.evaluate("'axe' in window"):
        page.evaluate(SCRIPT)


def violations(page: Page, *rules: str) -> list[str]:
    """One line for each rule (of all, or of these) that the page breaks, with the first elements that do."""
    load(page)
    only = {"runOnly": list(rules)} if rules else {}
    found = page.evaluate("options => axe.run(document, options)", {"resultTypes": ["violations"], **only})
    found = found["violations"]
    return [f"{rule['id']}: {[node['html'][:120] for node in rule['nodes'][:3]]}" for rule in found]


def violations_in_both_themes(page: Page) -> list[str]:
    """As ``violations``, on a page in light; in dark the rules of colour, as a theme changes nothing else."""
    found = violations(page)
    page.emulate_media(color_scheme="dark")
    page.evaluate(AT_REST)
    found += violations(page, *OF_THE_THEME)
    page.emulate_media(color_scheme="light")
    page.evaluate(AT_REST)
    return found
