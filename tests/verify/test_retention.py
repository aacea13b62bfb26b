"""What goes after which time, what stays, and a nightly run that is killed half-way."""

import os
import signal
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from tests.make import (
    make_admin,
    make_dress,
    make_employee,
    make_look,
    make_model_version,
    make_photo,
    make_post,
)
from verify import forgetting, gating, retention
from verify.intake.stones import Incoming, refused_by_tombstone
from verify.models import (
    FileToErase,
    GateVerdict,
    Look,
    Nomination,
    OptOut,
    Photo,
    Post,
    RightsChange,
    Suggestion,
    Tombstone,
)
from verify.only_one import only_one

pytestmark = pytest.mark.django_db


def ago(days: float) -> datetime:
    return timezone.now() - timedelta(days=days)


def no_look(days: float, answer: str = "none_of_these", **fields: Any) -> Post:
    """Settled so many days ago as something that is no dress of ours."""
    return make_post(state="settled", answer=answer, settled_at=ago(days), **fields)


def kept_after(now: datetime | None = None) -> set[int]:
    retention.retain(now or timezone.now())
    return set(Post.objects.values_list("pk", flat=True))


def test_what_is_no_look_goes_after_thirty_days() -> None:
    young, old, puppy = no_look(29), no_look(31), no_look(31, "not_a_dress")
    assert kept_after() == {young.pk}
    assert not Photo.objects.filter(posts=None, dress_photos=None).exists()
    assert {stone.reason for stone in Tombstone.objects.all()} == {"retention"}
    assert Tombstone.objects.count() == 2
    assert not default_storage.exists(old.photo.large.name)
    assert not default_storage.exists(puppy.photo.small.name)


def test_what_a_gate_keeps_back_goes_after_thirty_days_unless_it_is_let_through() -> None:
    young, old, let_through = (make_post(state="held") for _ in range(3))
    judged = {"gate": "blur", "value": 3.0, "threshold": 25.0, "held": True}
    for post, days in ((young, 29), (old, 31), (let_through, 31)):
        GateVerdict.objects.create(post=post, judged_at=ago(days), **judged)
    gating.release(Post.objects.filter(pk=let_through.pk), make_admin("ada"))
    assert kept_after() == {young.pk, let_through.pk}


def test_no_clock_runs_while_a_post_waits() -> None:
    waiting = [
        make_post(state=state, posted_at=ago(400))
        for state in ("waiting", "proposed", "disputed", "set_aside")
    ]
    Post.objects.update(created_at=ago(400))
    refused = make_post(rights="refused", state="proposed")
    Post.objects.filter(pk=refused.pk).update(created_at=ago(400))
    assert kept_after() == {*(post.pk for post in waiting), refused.pk}


def test_looks_stay_as_long_as_they_are_looks() -> None:
    dress = make_dress()
    looks = [make_look(dress, clearance, settled_at=ago(900)) for clearance in ("waiting", "cleared")]
    assert kept_after() == {look.post_id for look in looks}


def test_what_is_refused_for_display_goes_after_fourteen_days() -> None:
    dress, ada = make_dress(), make_admin()
    young, old = (make_look(dress, "waiting", settled_at=ago(90)) for _ in range(2))
    for look, days in ((young, 13), (old, 15)):
        look.decide(Look.Clearance.REFUSED, ada)
        Look.objects.filter(pk=look.pk).update(cleared_at=ago(days))
    assert kept_after() == {young.post_id}


def test_fourteen_days_after_an_owner_said_no_or_its_settling() -> None:
    dress, ada = make_dress(), make_admin()
    long_settled, just_settled, refused_now = (
        make_look(dress, settled_at=ago(days)) for days in (90, 13, 90)
    )
    for look, days in ((long_settled, 15), (just_settled, 15), (refused_now, 13)):
        RightsChange.objects.create(
            post=look.post, former="granted", rights="revoked", at=ago(days), by=ada, reason="Wrote to us."
        )
        Post.objects.filter(pk=look.post_id).update(rights="revoked")
    assert kept_after() == {just_settled.post_id, refused_now.post_id}


def test_a_no_without_a_history_counts_from_the_settling() -> None:
    dress = make_dress()
    make_look(dress, settled_at=ago(15), rights="refused")
    young = make_look(dress, settled_at=ago(13), rights="refused")
    assert kept_after() == {young.post_id}


def test_what_its_owner_refused_stays_out_by_its_address_too() -> None:
    post = make_look(make_dress(), settled_at=ago(15), rights="refused").post
    assert kept_after() == set()
    again = Incoming("another", "id", post.permalink, "")
    assert "owner wanted it gone" in refused_by_tombstone([again])[again]


def test_what_is_deleted_here_goes_from_exports(tmp_path: Path) -> None:
    old, young = no_look(31), no_look(29)
    call_command("export_looks", out=tmp_path, answers=["none_of_these"], verbosity=0)
    assert kept_after() == {young.pk}
    told = (tmp_path / "looks.jsonl").read_text() + (tmp_path / "looks.csv").read_text()
    assert (told.count(old.external_id), told.count(f":{young.external_id}")) == (0, 2)


def test_what_an_export_at_work_may_hold_waits_a_night(tmp_path: Path) -> None:
    old = no_look(31)
    call_command("export_looks", out=tmp_path, answers=["none_of_these"], verbosity=0)
    with only_one(tmp_path / ".lock", "x"):
        assert kept_after() == {old.pk}
    assert kept_after() == set()


@pytest.mark.parametrize("kind", ["gold", "audit", "negatives", "fame"])
def test_what_is_kept_on_purpose_has_a_period_of_its_own(kind: str, settings: Any) -> None:
    days = settings.KEPT_DAYS[kind]
    young, old = of_kind(kind, days - 1), of_kind(kind, days + 1)
    assert kept_after() == {young.pk}
    assert not Post.objects.filter(pk=old.pk).exists()


def of_kind(kind: str, days: int) -> Post:
    if kind == "gold":
        post = no_look(days, settled_by=make_employee(is_staff=True))
        Post.objects.filter(pk=post.pk).update(
            suggestion=Suggestion.objects.create(
                post=post, model_version=make_model_version(), not_a_dress=0.1
            )
        )
    elif kind == "audit":
        post = no_look(days, audit=True)
    elif kind == "negatives":
        post = no_look(days, "not_a_dress", rights="granted")
    else:
        post = no_look(days, "not_a_dress")
        Nomination.objects.create(post=post, employee=make_employee(), created_at=timezone.now())
    return post


def test_what_an_owner_refused_is_kept_for_no_purpose() -> None:
    post = no_look(20, "not_a_dress", rights="refused", audit=True)
    Nomination.objects.create(post=post, employee=make_employee(), created_at=timezone.now())
    assert kept_after() == set()


def test_each_kind_says_why_it_is_kept(settings: Any) -> None:
    kinds = retention.kept_on_purpose()
    assert {kind.name for kind in kinds} | {"no_look", "refused"} == set(settings.KEPT_DAYS)
    assert all(str(kind.reason) for kind in kinds)


def test_the_batches_add_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forgetting, "BATCH", 2)
    for _ in range(5):
        no_look(31)
    assert retention.retain(timezone.now())["no look"] == 5
    assert retention.retain(timezone.now())["no look"] == 0


def test_closed_opt_outs_go_and_open_ones_stay() -> None:
    facts = {"email": "a@x.example", "created_at": ago(99)}
    OptOut.objects.create(**facts, closed_at=ago(31), outcome="kept")
    kept = [OptOut.objects.create(**facts), OptOut.objects.create(**facts, closed_at=ago(29), outcome="kept")]
    retention.retain(timezone.now())
    assert set(OptOut.objects.all()) == set(kept)


def test_a_file_without_a_row_goes_once_it_is_a_day_old() -> None:
    photo = make_photo()
    for name in ("photos/zz/old-large.jpg", "photos/zz/new-large.jpg"):
        default_storage.save(name, ContentFile(b"x"))
    os.utime(default_storage.path("photos/zz/old-large.jpg"), (0, 0))
    os.utime(default_storage.path(photo.large.name), (0, 0))
    assert retention.sweep(timezone.now()) == 1
    assert default_storage.exists("photos/zz/new-large.jpg")
    assert default_storage.exists(photo.large.name)


def test_who_is_killed_after_the_rows_has_left_a_note_of_the_files(
    django_capture_on_commit_callbacks: Any,
) -> None:
    post = no_look(31)
    with django_capture_on_commit_callbacks():  # and never executed: killed after the commit
        forgetting.erase(retention.no_looks(timezone.now()), Tombstone.Reason.RETENTION)
    names = {post.photo.large.name, post.photo.small.name}
    assert set(FileToErase.objects.values_list("name", flat=True)) == names
    assert all(map(default_storage.exists, names))
    retention.retain(timezone.now())
    assert not any(map(default_storage.exists, names))
    assert not FileToErase.objects.exists()


KILLED = """
import os, signal, sys
import django
django.setup()
from django.conf import settings
from django.db import connections
connections["default"].settings_dict["NAME"] = sys.argv[1]
settings.MEDIA_ROOT = sys.argv[2]
from django.core.files.storage import default_storage
from django.utils import timezone
from verify import forgetting, retention
forgetting.BATCH = 3
calls = 0
def delete(name, really=default_storage.delete):
    global calls
    calls += 1
    if calls > int(sys.argv[3]):
        os.kill(os.getpid(), signal.SIGKILL)
    really(name)
default_storage.delete = delete
retention.retain(timezone.now())
"""


@pytest.mark.django_db(transaction=True)
def test_killed_half_way_neither_files_nor_rows_are_orphans(settings: Any) -> None:
    keeper = make_look(make_dress())
    for _ in range(7):
        no_look(31)
    database = connection.settings_dict["NAME"]
    command = [sys.executable, "-c", KILLED, database, str(settings.MEDIA_ROOT), "5"]
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "dressportal.settings"}
    done = subprocess.run(command, env=environment, cwd=settings.BASE_DIR, capture_output=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    for photo in Photo.objects.all():  # no row without its files
        assert default_storage.exists(photo.large.name)
        assert default_storage.exists(photo.small.name)
    assert 0 < Post.objects.count() < 8
    retention.retain(timezone.now())
    assert list(Post.objects.values_list("pk", flat=True)) == [keeper.post_id]
    stored = {str(path) for path in Path(settings.MEDIA_ROOT).rglob("*.jpg")}
    known = {
        default_storage.path(name) for pair in Photo.objects.values_list("large", "small") for name in pair
    }
    assert stored == known
