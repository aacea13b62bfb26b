"""What shoppers did, as staff see it."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from recommend.admin import interaction
from recommend.models import Interaction, ShopperKind, shopper_key
from tests.make import make_admin, make_dress, make_employee, make_interaction, make_look
from verify.models import Dress

pytestmark = pytest.mark.django_db
LIST = "admin:recommend_interaction_changelist"


@pytest.fixture(autouse=True)
def ada(client: Client) -> None:
    client.force_login(make_admin())


def listed(client: Client, **query: str) -> list[str]:
    """Kind and shopper's beginning of each."""
    rows = client.get(reverse(LIST), query).context["cl"].result_list
    return [f"{row.get_kind_display()} {row.dress.title}" for row in rows]


def test_newest_first_of_the_last_week_and_by_kind_source_time_and_sku(client: Client) -> None:
    luna, sole = make_dress("MA-1", title="Luna"), make_dress("MB-2", title="Sole")
    now = timezone.now()
    make_interaction(luna, "ann", "view", at=now - timedelta(hours=30))
    make_interaction(sole, "ann", "rating", value=4.5)
    make_interaction(luna, "bea", "save", at=now - timedelta(days=20), by_visitor=True)
    make_interaction(Dress(pk=999_999), "bea")  # is gone
    assert listed(client) == ["Rating Sole", "View Luna"]
    assert listed(client, since="all") == ["Rating Sole", "View Luna", "Save Luna"]
    assert listed(client, since="1") == ["Rating Sole"]
    assert listed(client, since="nonsense") == ["Rating Sole", "View Luna"]
    assert listed(client, since="30", source="page") == ["Save Luna"]
    assert listed(client, since="30", source="server") == ["Rating Sole", "View Luna"]
    assert listed(client, kind__exact=str(Interaction.Kind.VIEW.value)) == ["View Luna"]
    assert listed(client, q="ma-", since="all") == ["View Luna", "Save Luna"]


def test_a_shopper_is_a_few_characters_of_a_digest(client: Client) -> None:
    dress = make_dress()
    row = make_interaction(dress, "ann", "open", look=make_look(dress).pk)
    own = shopper_key(ShopperKind.USER, "ann")
    for page in (reverse(LIST), reverse("admin:recommend_interaction_change", args=[row.pk])):
        html = client.get(page).content.decode()
        assert f"<code>{own.hex[:8]}…</code>" in html
        assert not any(whole in html for whole in (str(own), own.hex, ">ann<"))


def test_millions_are_not_counted(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interaction, "COUNTED", 2)
    for _ in range(3):
        make_interaction()
    assert client.get(reverse(LIST)).context["cl"].result_count == 2


def test_who_may_not_curate_sees_nothing_of_it(client: Client, settings: Any) -> None:
    client.force_login(make_employee("ben"))
    assert client.get(reverse(LIST)).status_code == 302
