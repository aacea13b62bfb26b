"""Shoppers for tests: what they do is stored as the API would store it."""

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

from recommend.models import Interaction, ShopperKind, shopper_key
from recommend.models.interaction import Told, event_key
from verify.models import Dress

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
_serial = itertools.count()


def told(who: str, kind: str, dress: Dress, days: float = 0, **fields: Any) -> Told:
    """Ann's view, say, so many days before noon."""
    shopper = shopper_key(ShopperKind.USER, who)
    event = event_key(shopper, fields.pop("event", f"event {next(_serial)}"))
    what = {"kind": Interaction.Kind[kind.upper()], "dress": dress.pk, "at": NOON - timedelta(days=days)}
    return Told(event, shopper, **{"look": None, "value": None, "by_visitor": False, **what, **fields})


def store(*events: Told) -> None:
    Interaction.objects.store(events, NOON)
