from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from django.utils import timezone

from recommend import nightly, serving
from recommend.methods import METHODS
from recommend.models import Interaction, ShopperKind, shopper_key
from recommend.models.interaction import Told, event_key
from tests.make import make_dress
from tests.recommend.shoppers import told
from tests.recommend.together import Backwards, Together
from verify.models import Dress

OFFICE, BEACH = ("Luna", "Sole", "Stella"), ("Onda", "Perla", "Alga")


@pytest.fixture
def small(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A method that can be checked by hand, for a shop with few customers."""
    for made in (Together, Backwards):
        monkeypatch.setitem(METHODS, made.name, made)
    monkeypatch.setattr(nightly, "_report", lambda *args: "<h1>Report</h1>")  # takes longer than all the rest
    settings.RECOMMEND_METHOD, settings.RECOMMEND_PEOPLE, settings.RECOMMEND_JUDGES = "TOGETHER", 6, 4
    yield
    serving._mapped.cache_clear()


@pytest.fixture
def dresses(db: None) -> dict[str, Dress]:
    """Three that are worn in the office and three at the beach, none of them new."""
    return {
        title: make_dress(title.upper(), photos=0, title=title, available_from=date(2025, 1, 1))
        for title in OFFICE + BEACH
    }


class Crowd:
    """Six people for the office and six for the beach, each with two dresses long ago and one this week."""

    def __init__(self, dresses: dict[str, Dress]) -> None:
        self.dresses = dresses

    def comes(self) -> None:
        for number in range(12):
            own = OFFICE if number % 2 else BEACH
            for place in range(3):
                days = 2 if place == 2 else 20
                self.did(f"shopper {number}", own[(number // 2 + place) % 3], days)

    def did(self, who: str, title: str, days: float = 0, kind: str = "save", **fields: Any) -> None:
        at = timezone.now() - timedelta(days=days)
        Interaction.objects.store([told(who, kind, self.dresses[title], at=at, **fields)], timezone.now())

    def visits(self, visitor: str, title: str, kind: str, **fields: Any) -> None:
        shopper = shopper_key(ShopperKind.VISITOR, visitor)
        event = event_key(shopper, f"{title} {kind}")
        what = {"kind": Interaction.Kind[kind.upper()], "dress": self.dresses[title].pk, "at": timezone.now()}
        row = Told(event, shopper, **{"look": None, "value": None, "by_visitor": True, **what, **fields})
        Interaction.objects.store([row], timezone.now())


@pytest.fixture
def crowd(dresses: dict[str, Dress]) -> Crowd:
    return Crowd(dresses)
