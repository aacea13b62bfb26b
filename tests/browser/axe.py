"""What axe-core (see vendor/README.md) finds on a page."""

from pathlib import Path

from playwright.sync_api import Page

SCRIPT = (Path(__file__).parent / "vendor" / "axe" / "axe.min.js").read_text()


def violations(page: Page, *rules: str) -> list[str]:
    """One line for each rule (of all, or of these) that the page breaks, with the first elements that do."""
    page.evaluate(SCRIPT)
    only = {"runOnly": list(rules)} if rules else {}
    found = page.evaluate("options => axe.run(document, options)", {"resultTypes": ["violations"], **only})
    found = found["violations"]
    return [f"{rule['id']}: {[node['html'][:120] for node in rule['nodes'][:3]]}" for rule in found]
