"""What the pages of Django's admin may contain, and what even curators cannot do there."""

import pytest
from django.test import Client
from django.urls import reverse

from tests.make import (
    make_admin,
    make_api_key,
    make_batch,
    make_dress,
    make_employee,
    make_opt_out,
    make_template,
    make_tombstone,
)
from tests.verify.curation import MODELS, TOLD, a_proposed_post, a_vote, make_look, make_told, page
from verify.models import Calibration, Employee, ModelVersion

pytestmark = pytest.mark.django_db
READ_ONLY = ["batch", "vote", "modelversion", "calibration", "tombstone", *TOLD]


@pytest.fixture
def rows() -> dict[str, int]:
    """One row of each kind."""
    dress, batch = make_dress(), make_batch()
    post = a_proposed_post([dress], batch=batch)
    vote = a_vote(post, "not_a_dress")
    look = make_look(post, dress)
    employee = vote.employee
    version = ModelVersion.objects.get()
    learnt = Calibration.objects.create(
        model_version=version, fitted_at=vote.created_at, posts=1, temperature=0.1
    )
    key = make_api_key()[0]
    kinds = [
        key,
        dress,
        post,
        look,
        batch,
        vote,
        employee,
        employee.team,
        version,
        learnt,
        make_template(),
        make_opt_out(),
        make_tombstone(),
    ]
    return {kind._meta.model_name: kind.pk for kind in [*kinds, *make_told(post, employee)]}


def pages_of_their_own(rows: dict[str, int]) -> list[str]:
    return [
        reverse("admin:index"),
        reverse("admin:verify_decide"),
        reverse("admin:verify_decide") + "?tab=audit",
        reverse("admin:verify_rights"),
        reverse("admin:verify_person"),
        reverse("admin:verify_clear"),
        reverse("admin:verify_clear") + "?view=grid",
        reverse("admin:verify_voter", args=[rows["employee"]]),
    ]


@pytest.mark.parametrize("model", READ_ONLY)
def test_what_comes_about_by_itself_has_no_button_to_save(
    client: Client, ada: Employee, rows: dict[str, int], model: str
) -> None:
    assert b'name="_save"' not in client.get(page(model, "change", rows[model])).content


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
