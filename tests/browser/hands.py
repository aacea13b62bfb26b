"""A player's hands: what is on the screen, when it takes an answer, and how one gives it."""

from playwright.sync_api import CDPSession, Locator, Page, expect

from verify.models import Employee, Post, Vote

SHOWN = ".card:not(.sent) >> nth=0"
AT_WORK = "document.documentElement.classList.contains('scripted')"
IDLE = AT_WORK + " && !document.querySelector('#deck[data-guarded], #deck [data-choice], .htmx-request')"
UNGUARDED = AT_WORK + " && !document.querySelector('#deck[data-guarded], .card:not(.sent) .chosen')"


def shown(page: Page) -> str | None:
    """The lease of the card on the screen."""
    return page.locator(SHOWN).get_attribute("data-lease")


def ready(page: Page, condition: str = IDLE) -> None:
    """Wait until no vote is under way and the shown card takes an answer: not in its first moment."""
    for _ in range(400):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(25)
    raise AssertionError("the game never came to rest")


def settle(page: Page, today: int) -> None:
    """Wait for the server's word on the last vote."""
    expect(page.locator("#today b")).to_have_text(str(today))
    ready(page)


def press(page: Page, key: str, today: int) -> None:
    page.keyboard.press(key)
    settle(page, today)


def drag(
    page: Page, start: tuple[float, float], *stops: tuple[float, float], let_go: bool = True
) -> CDPSession:
    """A finger goes down at ``start``, moves by way of the stops, and up at the last."""
    fingers = page.context.new_cdp_session(page)

    def touch(kind: str, *points: tuple[float, float]) -> None:
        where = [{"x": x, "y": y} for x, y in points]
        fingers.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": where})

    touch("touchStart", start)
    (x, y) = start
    for stop in stops:
        for part in (1, 2, 3):
            touch("touchMove", (x + (stop[0] - x) * part / 3, y + (stop[1] - y) * part / 3))
        (x, y) = stop
    if let_go:
        touch("touchEnd")
    return fingers


TOWARDS = {"left": (-120, 0), "up": (0, -120), "right": (120, 0), "down": (0, 120)}


def swipe(page: Page, direction: str) -> None:
    x, y = middle(page.locator(SHOWN).locator(".photo"))
    across, down = TOWARDS[direction]
    drag(page, (x, y), (x + across, y + down))


def middle(element: Locator) -> tuple[float, float]:
    box = element.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def train(employee: Employee) -> None:
    """Past the first five cards, so that every card is a vote."""
    Employee.objects.filter(pk=employee.pk).update(trained=99)


def post_of(lease: str | None) -> Post:
    return Post.objects.get(leases=int(lease or 0))


def pressed(vote: Vote) -> str:
    """The value of the button that was pressed for this vote."""
    return str(vote.option.dress_id if vote.option else vote.answer)
