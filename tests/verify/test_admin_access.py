"""Who may see and do what in Django's admin, and what its pages may contain."""

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse

from tests.make import make_admin, make_batch, make_dress, make_employee
from tests.verify.curation import MODELS, TOLD, a_proposed_post, a_vote, make_look, make_told, page
from verify import access
from verify.models import Dress, Employee, Look, ModelVersion, Notice, Post, Reliability, Vote

pytestmark = pytest.mark.django_db
READ_ONLY = ["batch", "vote", "modelversion", *TOLD]


@pytest.fixture
def ada(client: Client) -> Employee:
    """An admin, logged in."""
    ada = make_admin()
    client.force_login(ada)
    return ada


@pytest.fixture
def rows() -> dict[str, int]:
    """One row of each kind."""
    dress, batch = make_dress(), make_batch()
    post = a_proposed_post([dress], batch=batch)
    vote = a_vote(post, "not_a_dress")
    look = make_look(post, dress)
    employee = vote.employee
    version = ModelVersion.objects.get()
    kinds = [dress, post, look, batch, vote, employee, employee.team, version, *make_told(post, employee)]
    return {kind._meta.model_name: kind.pk for kind in kinds}


def people() -> dict[str, Employee | None]:
    return {
        "stranger": None,
        "employee": make_employee("emil"),
        "former admin": make_admin("fay", is_active=False),
        "admin": make_admin("ada"),
    }


def test_pages_open_for_admins_and_for_nobody_else(client: Client, rows: dict[str, int]) -> None:
    for who, person in people().items():
        client.logout()
        if person:
            client.force_login(person)
        for model in MODELS:
            for url in (page(model), page(model, "change", rows[model]), page(model, "history", rows[model])):
                answer = client.get(url)
                may = bool(person) and access.may_curate(person)
                assert may == (who == "admin")
                assert answer.status_code == (200 if may else 302), (who, url)
                if not may:
                    assert answer["Location"].startswith(reverse("admin:login"))


def pages_of_their_own(rows: dict[str, int]) -> list[str]:
    return [
        reverse("admin:index"),
        reverse("admin:verify_decide"),
        reverse("admin:verify_decide") + "?tab=audit",
        reverse("admin:verify_clear"),
        reverse("admin:verify_clear") + "?view=grid",
        reverse("admin:verify_voter", args=[rows["employee"]]),
    ]


def test_queues_and_voters_open_for_admins_and_for_nobody_else(client: Client, rows: dict[str, int]) -> None:
    for who, person in people().items():
        client.logout()
        if person:
            client.force_login(person)
        for url in pages_of_their_own(rows):
            answer = client.get(url)
            assert answer.status_code == (200 if who == "admin" else 302), (who, url)
            if who != "admin":
                assert answer["Location"].startswith(reverse("admin:login"))


ACTIONS = {
    "dress": ["retire", "sell_again", "delete_selected"],
    "post": ["rights_granted", "rights_revoked", "try_again", "propose_anew", "delete_selected"],
    "look": ["clear", "refuse"],
}


def test_actions_are_for_admins_and_for_nobody_else(client: Client, rows: dict[str, int]) -> None:
    strangers = list(people().values())[:-1]
    before = everything()
    for person in strangers:
        client.logout()
        if person:
            client.force_login(person)
        for model, actions in ACTIONS.items():
            for action in actions:
                data = {"action": action, "_selected_action": [rows[model]], "post": "yes"}
                assert client.post(page(model), data).status_code == 302
            client.post(page(model, "change", rows[model]), {"rights": "granted", "clearance": "cleared"})
            client.post(page(model, "delete", rows[model]), {"post": "yes"})
        for url, data in decisions(rows).items():
            assert client.post(url, data).status_code == 302
        assert everything() == before


def decisions(rows: dict[str, int]) -> dict[str, dict[str, Any]]:
    """By address: what an admin's queues and a voter's page would take."""
    voter = {name: reverse(f"admin:verify_voter_{name}", args=[rows["employee"]]) for name in VOTER}
    return {
        reverse("admin:verify_decide"): {"post": rows["post"], "choice": "not_a_dress", "again": "yes"},
        reverse("admin:verify_clear"): {"look": rows["look"], "decision": "cleared"},
        reverse("admin:verify_notice_done", args=[rows["notice"]]): {},
        voter["mute"]: {"reason": "Why not?"},
        voter["unmute"]: {},
        voter["active"]: {"active": "no"},
    }


VOTER = ("mute", "unmute", "active")
STORED = (Dress, Post, Look, Vote, LogEntry, Notice, Reliability, Employee)


def everything() -> list[Any]:
    """Stored values, but for the dates of log-ins."""
    return [
        [{name: value for name, value in row.items() if name != "last_login"} for row in rows]
        for model in STORED
        for rows in [list(model.objects.order_by("pk").values())]
    ]


@pytest.mark.parametrize("model", READ_ONLY)
def test_what_comes_about_by_itself_is_read_only_even_for_admins(
    client: Client, ada: Employee, rows: dict[str, int], model: str
) -> None:
    assert client.get(page(model, "add")).status_code == 403
    assert client.post(page(model, "change", rows[model]), {}).status_code == 403
    assert client.post(page(model, "delete", rows[model]), {"post": "yes"}).status_code == 403
    assert b'name="_save"' not in client.get(page(model, "change", rows[model])).content


def test_posts_and_looks_are_not_made_by_hand(client: Client, ada: Employee) -> None:
    assert client.get(page("post", "add")).status_code == 403
    assert client.get(page("look", "add")).status_code == 403


def test_an_admin_without_the_right_to_make_admins_cannot_edit_people(client: Client) -> None:
    curator, victim = make_employee("cleo", is_staff=True), make_admin("ada")
    client.force_login(curator)
    assert client.get(page("post")).status_code == 200
    dress = make_dress()
    assert (
        dress.photos.get().photo.small_url in client.get(page("dress", "change", dress.pk)).content.decode()
    )
    assert client.get(page("employee")).status_code == 403
    assert client.post(page("employee", "change", victim.pk), {}).status_code == 403
    assert client.post(page("employee", "change", curator.pk), {"is_superuser": "on"}).status_code == 403


def test_photos_have_no_page_of_their_own(client: Client, ada: Employee) -> None:
    assert client.get("/admin/verify/photo/").status_code == 404


def test_pages_hold_no_inline_script_or_style(client: Client, ada: Employee, rows: dict[str, int]) -> None:
    urls = [*pages_of_their_own(rows), *(page(model) for model in MODELS)]
    urls += [page(model, "change", rows[model]) for model in MODELS]
    for url in urls:
        html = client.get(url).content.decode()
        assert "<style" not in html, url
        assert " style=" not in html, url
        assert " onclick=" not in html, url
        assert "<script>" not in html, url
