"""Which version of DeepDress proposes, as an admin decides it."""

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.utils import timezone
from django_q.models import OrmQ

from tests.make import make_dress, make_open_posts
from tests.verify.curation import act, page
from verify.models import Employee, ModelVersion

pytestmark = pytest.mark.django_db
State = ModelVersion.State
COMPARED = {
    "better": True,
    "at_1": {"challenger": 0.71, "champion": 0.62},
    "figures": {"new": {"recall": {"1": 0.71}}, "live": {"recall": {"1": 0.62}}},
}


@pytest.fixture
def live() -> ModelVersion:
    make_open_posts(3, dresses=[make_dress()])
    return ModelVersion.objects.get()


def other(state: str = State.CANDIDATE, **fields: Any) -> ModelVersion:
    values = {"digest": "a" * 64, "folder": "a" * 64, "temperature": 0.1, "state": state}
    return ModelVersion.objects.create(**values, **fields)


@pytest.mark.parametrize("state", [State.CANDIDATE, State.NOT_BETTER, State.BROKEN, State.RETIRED])
def test_a_version_is_promoted_after_a_page_that_says_what_will_happen(
    client: Client, ada: Employee, live: ModelVersion, state: str
) -> None:
    version = other(state, verdict="Better. It is.", comparison=COMPARED)
    html = client.post(
        page("modelversion"), {"action": "promote", "_selected_action": [version.pk]}
    ).content.decode()
    for told in (f"Let {version} propose", "1 photo to look at", "3 open posts", "Better. It is.", "0.62"):
        assert told in html
    assert ModelVersion.objects.get(pk=version.pk).state == state
    html = act(client, "modelversion", "promote", version, post="yes").content.decode()
    assert "learns the catalogue and then goes live" in html
    version.refresh_from_db()
    assert (version.state, version.activated_by) == (State.WARMING, ada)
    assert LogEntry.objects.get().user == ada
    assert [row.func() for row in OrmQ.objects.all()] == ["verify.tasks.change_version"]
    assert ModelVersion.objects.live() == live


def test_going_back_is_to_the_version_that_was_live_before(
    client: Client, ada: Employee, live: ModelVersion
) -> None:
    before = other(State.RETIRED, activated_at=timezone.now())
    act(client, "modelversion", "revert", live, post="yes")
    assert ModelVersion.objects.warming() == before


@pytest.mark.parametrize(
    ("action", "told"),
    [
        ("promote", "Choose one version that is not live."),
        ("revert", "No other version was ever live whose weights are still there."),
    ],
)
def test_what_cannot_be_is_said(
    client: Client, ada: Employee, live: ModelVersion, action: str, told: str
) -> None:
    assert told in act(client, "modelversion", action, live, post="yes").content.decode()
    assert ModelVersion.objects.warming() is None


def test_the_pages_show_figures_side_by_side(client: Client, ada: Employee, live: ModelVersion) -> None:
    version = other(comparison=COMPARED, trouble="Its file broke.")
    assert "71.0% against 62.0%" in client.get(page("modelversion")).content.decode()
    html = client.get(page("modelversion", "change", version.pk)).content.decode()
    for told in ("Its file broke.", "live then", "0.62", "trained, not compared"):
        assert told in html
