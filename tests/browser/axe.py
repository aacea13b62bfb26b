"""What axe-core (see vendor/README.md) finds on a page."""

from pathlib import Path

from playwright.sync_api import Page

OF_THE_THEME = ("color-contrast", "link-in-text-block")  # what axe finds in colours alone
# What moves is where it ends, at once; what that sets in motion, too.
AT_REST = """() => {
    const moving = () => document.getAnimations().filter((animation) =>
        animation.playState === "running" && animation.effect.getComputedTiming().endTime < 1000);
    for (let round = 0, found; round < 10 && (found = moving()).length; round++)
        found.forEach((animation) => animation.finish());
}"""
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


def change_theme(page: Page) -> None:
    """From light to dark, or back: a new page stays in the theme of the one before."""
    dark = page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    page.emulate_media(color_scheme="light" if dark else "dark")
    page.evaluate(AT_REST)


def violations_in_both_themes(page: Page) -> list[str]:
    """As ``violations``; then, in the other theme, of the rules of colour: a theme changes nothing else."""
    found = violations(page)
    change_theme(page)
    return found + violations(page, *OF_THE_THEME)
