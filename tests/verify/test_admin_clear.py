"""The queue of looks to clear for display, one at a time or a page at once."""

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse

from tests.make import make_admin
from tests.verify.curation import act, clear, flag, looks_to_clear
from verify.admin.clear import PAGE
from verify.models import Employee, Look, Post

pytestmark = pytest.mark.django_db
CLEAR = reverse("admin:verify_clear")


def clearances(looks: list[Look]) -> list[str]:
    return [Look.objects.get(pk=look.pk).clearance for look in looks]


def test_looks_are_cleared_and_refused_one_at_a_time(client: Client, ada: Employee) -> None:
    looks = looks_to_clear(3)
    assert client.get(CLEAR).context["pairs"][0].look == looks[0]
    assert clear(client, "cleared", looks[0]).context["pairs"][0].look == looks[1]
    clear(client, "refused", looks[1])
    assert clearances(looks) == ["cleared", "refused", "waiting"]
    assert Look.objects.get(pk=looks[0].pk).cleared_by == ada
    assert LogEntry.objects.count() == 2


def test_later_leaves_a_look_for_the_next_round(client: Client, ada: Employee) -> None:
    looks = looks_to_clear(2)
    answer, seen = client.get(CLEAR), []
    for _ in range(3):
        seen.append(answer.context["pairs"][0].look)
        answer = client.get(answer.context["later"])
    assert seen == [looks[0], looks[1], looks[0]]


def test_a_page_is_cleared_but_for_the_unticked(client: Client, ada: Employee) -> None:
    looks = looks_to_clear(PAGE + 2)
    answer = client.get(CLEAR, {"view": "grid"})
    assert [pair.look for pair in answer.context["pairs"]] == looks[:PAGE]
    assert answer.content.decode().count("checked") == PAGE
    answer = clear(client, "cleared", *looks[1:PAGE], view="grid")
    assert [pair.look for pair in answer.context["pairs"]] == looks[PAGE:]
    assert clearances(looks) == ["waiting", *["cleared"] * (PAGE - 1), "waiting", "waiting"]


def test_flagged_looks_are_never_cleared_in_bulk(client: Client, ada: Employee) -> None:
    looks = looks_to_clear(2)
    flag(looks[0])
    answer = client.get(CLEAR, {"view": "grid"})
    assert [pair.look for pair in answer.context["pairs"]] == [looks[1]]
    clear(client, "cleared", *looks, view="grid")  # ticked by hand, or flagged since
    assert clearances(looks) == ["waiting", "cleared"]
    answer = act(client, "look", "clear", *looks)
    assert "cleared one at a time" in answer.content.decode()
    assert clearances(looks) == ["waiting", "cleared"]


def test_a_flag_is_shown_and_an_admin_may_clear_all_the_same(client: Client, ada: Employee) -> None:
    [look] = looks_to_clear(1)
    flag(look)
    assert "A child is in it" in client.get(CLEAR).content.decode()
    clear(client, "cleared", look)
    assert clearances([look]) == ["cleared"]


def test_flagged_looks_are_refused_in_bulk(client: Client, ada: Employee) -> None:
    [look] = looks_to_clear(1)
    flag(look)
    act(client, "look", "refuse", look)
    assert clearances([look]) == ["refused"]


@pytest.mark.parametrize("view", ["one", "grid"])
def test_a_look_in_doubt_is_not_cleared(client: Client, ada: Employee, view: str) -> None:
    [look, other] = looks_to_clear(2)
    in_doubt(look)
    answer = client.get(CLEAR, {"view": view})
    assert [pair.look for pair in answer.context["pairs"]] == [other]
    assert answer.context["left"] == 1
    clear(client, "cleared", look, view=view)
    assert clearances([look]) == ["waiting"]


def in_doubt(look: Look) -> None:
    Post.objects.filter(pk=look.post_id).update(state="disputed", answer="", dress=None, settled_at=None)


def test_a_look_in_doubt_is_not_cleared_from_the_list_either(client: Client, ada: Employee) -> None:
    looks = looks_to_clear(2)
    in_doubt(looks[0])
    assert "1 left as they were" in act(client, "look", "clear", *looks).content.decode()
    assert clearances(looks) == ["waiting", "cleared"]
    act(client, "look", "refuse", looks[0])
    assert clearances(looks) == ["refused", "cleared"]


def test_the_last_decision_is_undone(client: Client, ada: Employee) -> None:
    looks = looks_to_clear(3)
    clear(client, "refused", looks[0])
    clear(client, "cleared", looks[1], looks[2], view="grid")
    answer = clear(client, "undo", view="grid")
    assert clearances(looks) == ["refused", "waiting", "waiting"]
    assert [pair.look for pair in answer.context["pairs"]] == looks[1:]
    look = Look.objects.get(pk=looks[1].pk)
    assert (look.cleared_by, look.cleared_at) == (None, None)
    assert "nothing left to undo" in clear(client, "undo").content.decode()


def test_what_a_colleague_has_decided_since_is_not_undone(client: Client, ada: Employee) -> None:
    [look] = looks_to_clear(1)
    clear(client, "cleared", look)
    look.decide(Look.Clearance.REFUSED, make_admin("bo"))
    clear(client, "undo")
    assert clearances([look]) == ["refused"]


def test_a_decision_that_came_too_late_changes_nothing(client: Client, ada: Employee) -> None:
    [look] = looks_to_clear(1)
    look.decide(Look.Clearance.REFUSED, make_admin("bo"))
    assert "somebody else was quicker" in clear(client, "cleared", look).content.decode()
    assert clearances([look]) == ["refused"]
    assert client.post(CLEAR, {"decision": "waiting", "look": look.pk}).status_code == 400


def test_nothing_to_clear(client: Client, ada: Employee) -> None:
    assert "Nothing to clear." in client.get(CLEAR).content.decode()
