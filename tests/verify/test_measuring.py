"""Photos from before the quality gates are measured later, and posts that nobody has met yet judged."""

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.utils import timezone

from tests import make
from tests.verify.intake.pictures import encoded
from tests.verify.test_gates import photo
from tests.verify.test_gating import BLURRED, COPY, SHARP, THRESHOLDS
from verify import gates, gating, measuring, tasks
from verify.intake.photos import store
from verify.models import GateVerdict, Photo, Post

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def closed_gates(settings: Any) -> None:
    settings.GATES = dict(THRESHOLDS)


def old(data: bytes, **fields: Any) -> Post:
    """A post from before there were gates."""
    stored = store(data)
    Photo.objects.filter(pk=stored.pk).update(measures={}, fingerprint=None, bands=[])
    return make.make_post(photo=stored, **fields)


def state(post: Post) -> str:
    post.refresh_from_db()
    return post.state


def test_a_copy_of_an_old_post_is_found_once_its_photo_has_been_measured() -> None:
    first = old(SHARP)
    before = make.make_post(photo=store(COPY))
    gating.judge([before])
    assert state(before) == "waiting"
    assert measuring.measure_photos() == {"measured": 1, "unreadable": 0}
    after = make.make_post(photo=store(encoded(photo(), quality=40)))
    gating.judge([after])
    assert state(after) == "held"
    assert after.gate_verdicts.get(gate="duplicate").duplicate_of == first


def test_what_is_measured_of_our_copy_is_what_was_measured_when_it_came() -> None:
    fresh = store(SHARP)
    post = old(SHARP)
    measuring.measure_photos()
    again = Photo.objects.get(pk=post.photo_id)
    assert gates.distance(again.fingerprint, fresh.fingerprint) <= 2
    assert again.bands == gates.bands(again.fingerprint)
    assert again.measures["side"] == fresh.measures["side"]
    assert again.measures["sharpness"] == pytest.approx(fresh.measures["sharpness"], rel=0.1)


def test_old_posts_of_no_batch_are_judged_whatever_the_order_of_their_photos() -> None:
    copies = [old(data) for data in (COPY, SHARP, BLURRED)]
    measuring.measure_photos()
    assert measuring.judge_posts() == {"judged": 3, "held": 2}
    assert [state(post) for post in copies] == ["waiting", "held", "held"]
    assert measuring.judge_posts() == {"judged": 0, "held": 0}


@pytest.mark.parametrize("met", ["in a batch", "settled", "in a worker's hands", "disputed"])
def test_a_post_that_people_have_met_stays_where_it_is(met: str) -> None:
    if met == "in a batch":
        fields = {"state": "proposed", "batch": make.make_batch()}
    elif met == "settled":
        fields = {"state": "settled", "answer": "none_of_these", "settled_at": timezone.now()}
    elif met == "in a worker's hands":
        fields = {"claimed_until": timezone.now() + timedelta(minutes=1)}
    else:
        fields = {"state": "disputed"}
    post = old(BLURRED, **fields)
    measuring.measure_photos()
    assert measuring.judge_posts()["judged"] == 0
    assert state(post) == fields.get("state", "waiting")
    assert not GateVerdict.objects.exists()


def test_without_gates_nothing_is_judged(settings: Any) -> None:
    settings.GATES = {}
    old(BLURRED)
    measuring.measure_photos()
    assert measuring.judge_posts() == {"judged": 0, "held": 0}


def test_who_is_stopped_goes_on_where_that_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measuring, "BATCH", 2)
    for number in range(5):
        old(encoded(photo(number), quality=90))

    def stop(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        measuring.measure_photos(progress=stop)
    assert Photo.objects.unmeasured().count() == 3
    assert measuring.measure_photos(limit=1)["measured"] == 2  # whole batches
    assert measuring.measure_photos()["measured"] == 1


def test_a_lost_file_is_told_of_and_stops_no_other(caplog: pytest.LogCaptureFixture) -> None:
    lost, _ = old(SHARP), old(BLURRED)
    default_storage.delete(lost.photo.large.name)
    assert measuring.measure_photos() == {"measured": 1, "unreadable": 1}
    assert f"{lost.photo} cannot be measured" in caplog.text
    assert list(Photo.objects.unmeasured()) == [lost.photo]


def test_the_command_says_what_it_did_and_the_night_has_nothing_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "beat", lambda _=0: None)  # which loads the weights
    old(SHARP), old(BLURRED)
    out = StringIO()
    call_command("measure_photos", stdout=out)
    told = "2 photos measured, 0 could not be read; 2 posts judged, 1 of them held back."
    assert told in out.getvalue()
    tasks.measure_nightly()
    assert GateVerdict.objects.count() == 2 * len(THRESHOLDS)
