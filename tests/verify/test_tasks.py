import importlib
import logging
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone
from django_q.models import OrmQ, Schedule, Success

from dressportal import schedules
from tests.make import make_batch, make_dress, make_employee, make_open_posts, make_post
from tests.verify.office import answer_gold, cast
from tests.verify.tiny_weights import write_tiny_weights
from verify import suggest, tasks, versions
from verify.models import Batch, Embedding, Heartbeat, Notice, Post, Refit

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def weights(settings: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    settings.DEEPDRESS_WEIGHTS = write_tiny_weights(tmp_path_factory.mktemp("weights"))
    tasks.tell_once.cache_clear()
    return settings.DEEPDRESS_WEIGHTS


def queued() -> list[str]:
    return [row.func() for row in OrmQ.objects.order_by("pk")]


def test_every_name_in_the_queue_and_the_table_leads_to_a_function() -> None:
    sources = [
        path for folder in ("dressportal", "verify", "recommend") for path in (ROOT / folder).rglob("*.py")
    ]
    call = re.compile(r"""async_task\(\s*["']([\w.]+)["']""")
    names = {name for path in sources for name in call.findall(path.read_text())}
    names |= {planned.func for planned in schedules.SCHEDULES}
    assert {"verify.tasks.suggest_waiting", "verify.tasks.embed_catalogue", "verify.tasks.tick"} <= names
    for name in names:
        module, _, function = name.rpartition(".")
        assert callable(getattr(importlib.import_module(module), function)), name


def test_schedules_are_stored_once_however_often_they_are_set_up() -> None:
    assert schedules.set_up() == (len(schedules.SCHEDULES), 0)
    before = list(Schedule.objects.order_by("pk").values())
    assert schedules.set_up() == (0, 0)
    assert list(Schedule.objects.order_by("pk").values()) == before


def test_stale_changed_and_doubled_schedules_are_put_right() -> None:
    schedules.set_up()
    Schedule.objects.create(name="old", func="verify.tasks.gone", schedule_type=Schedule.HOURLY)
    Schedule.objects.filter(name="nightly rotation").update(cron="30 2 * * *")
    tick = Schedule.objects.get(name="tick")
    Schedule.objects.create(name="tick", func=tick.func, cron=tick.cron, schedule_type=Schedule.CRON)

    call_command("setup_schedules")

    rows = Schedule.objects.values_list("name", "func", "cron", "repeats").order_by("name")
    assert list(rows) == sorted((*planned, -1) for planned in schedules.SCHEDULES)
    assert Schedule.objects.filter(pk=tick.pk).exists()
    assert queued() == ["verify.tasks.tick"]


def test_the_night_is_utc_whatever_the_time_zone(settings: Any) -> None:
    settings.TIME_ZONE = "America/New_York"
    schedules.set_up()
    nightly = Schedule.objects.get(name="nightly rotation")
    assert (nightly.next_run.utcoffset(), nightly.next_run.hour) == (timedelta(0), 3)


def test_the_re_fit_follows_the_rotation_and_fair_play_is_watched_all_day() -> None:
    schedules.set_up()
    nights = {row.name: row.next_run.strftime("%H:%M") for row in Schedule.objects.all()}
    assert nights["nightly rotation"] < nights["nightly re-fit"] <= "04:00"
    assert Schedule.objects.get(name="fair play").cron == "*/10 * * * *"


def test_the_night_learns_from_the_votes() -> None:
    anna = make_employee("anna")
    answer_gold(anna, 20, 0)
    tasks.refit_nightly()
    assert Refit.objects.get().voters == 1
    assert anna.reliability.gold_right == 20


def test_the_night_mutes_who_does_not_try_and_weighs_their_votes_out() -> None:
    anna, dress = make_employee("anna"), make_dress()
    answer_gold(anna, 0, 10, created_at=timezone.now() - timedelta(days=10))
    [post] = make_open_posts(1, make_batch(), [dress])
    cast(post, anna, dress)
    Post.objects.filter(pk=post.pk).update(
        state="settled", answer="dress", dress=dress, settled_at=timezone.now()
    )
    tasks.refit_nightly()
    assert Notice.objects.get().employee == anna
    assert Refit.objects.count() == 2
    assert Post.objects.get(pk=post.pk).votes_cast == 0


def test_the_day_mutes_who_does_not_try() -> None:
    anna = make_employee("anna")
    answer_gold(anna, 0, 20)
    tasks.watch_fair_play()
    assert Notice.objects.get().employee == anna


def test_a_tick_is_a_sign_of_life_with_the_weights_loaded() -> None:
    tasks.tick()
    heartbeat = Heartbeat.objects.get(name="worker")
    assert timezone.now() - heartbeat.beat_at < timedelta(seconds=30)
    assert heartbeat.model_version == versions.deepdress().version


def test_a_tick_without_weights_says_so_once(
    settings: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings.DEEPDRESS_WEIGHTS = tmp_path / "nowhere"
    make_post()
    with caplog.at_level(logging.WARNING):
        tasks.tick()
        tasks.tick()
        tasks.suggest_waiting()
    assert Heartbeat.objects.get(name="worker").model_version == ""
    assert [record.getMessage() for record in caplog.records if "nowhere" in record.getMessage()] == [
        f"No weights of DeepDress in {tmp_path / 'nowhere'}: train them with ml.train_embedder. "
        "Until then posts wait."
    ]
    assert Post.objects.get().state == Post.State.WAITING


def test_a_tick_takes_up_what_a_dead_worker_left() -> None:
    make_dress()
    tasks.suggest_waiting()
    OrmQ.objects.all().delete()
    make_post(attempts=1, claimed_until=timezone.now() + timedelta(seconds=30))
    tasks.tick()
    assert queued() == []
    Post.objects.update(claimed_until=timezone.now() - timedelta(seconds=1))
    tasks.tick()
    assert queued() == ["verify.tasks.suggest_waiting"]


def test_a_tick_sees_to_a_dress_that_nobody_queued() -> None:
    tasks.tick()
    make_dress()
    OrmQ.objects.all().delete()
    tasks.tick()
    assert queued() == ["verify.tasks.suggest_waiting"]


def test_a_tick_opens_the_first_batch_and_no_second() -> None:
    make_dress()
    post = make_post()
    suggest.suggest_waiting()
    tasks.tick()
    tasks.tick()
    post.refresh_from_db()
    assert post.batch == Batch.objects.get()


def test_a_tick_forgets_old_successes() -> None:
    now = timezone.now()
    for age in (timedelta(hours=1), timedelta(days=2)):
        Success.objects.create(id=f"{age.days}", func="f", started=now - age, stopped=now - age)
    tasks.tick()
    assert [task.id for task in Success.objects.all()] == ["0"]


def test_the_worker_embeds_the_catalogue_before_it_proposes() -> None:
    make_dress(photos=2)
    post = make_post()

    tasks.suggest_waiting()
    post.refresh_from_db()
    assert (Embedding.objects.count(), post.state) == (2, Post.State.WAITING)
    tasks.suggest_waiting()
    post.refresh_from_db()
    assert post.state == Post.State.PROPOSED
    assert queued() == ["verify.tasks.suggest_waiting"] * 2


def test_a_long_queue_is_worked_off_in_turns(settings: Any) -> None:
    settings.SUGGEST_BATCH = 1
    make_dress()
    suggest.embed_catalogue()
    for _ in range(5):
        make_post()
    tasks.suggest_waiting()
    assert Post.objects.filter(state=Post.State.PROPOSED).count() == 4
    assert queued() == ["verify.tasks.suggest_waiting"]
    tasks.suggest_waiting()
    assert Post.objects.filter(state=Post.State.PROPOSED).count() == 5


def test_the_catalogue_alone() -> None:
    make_dress()
    tasks.embed_catalogue()
    assert queued() == ["verify.tasks.embed_catalogue"]
    OrmQ.objects.all().delete()
    tasks.embed_catalogue()
    assert queued() == []


def test_the_night_leaves_a_batch_of_today_alone() -> None:
    batch = make_batch()
    tasks.rotate_nightly()
    tasks.rotate_nightly()
    batch.refresh_from_db()
    assert batch.state == Batch.State.OPEN
    assert Batch.objects.count() == 1


@pytest.mark.parametrize("zone", ["America/New_York", "UTC", "Pacific/Auckland"])
def test_a_rotation_by_day_leaves_the_next_night_its_own(
    zone: str, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Opened at 13:00 UTC and due at 03:00 UTC: in New York and in Auckland that is the same date."""
    settings.TIME_ZONE = zone
    batch = make_batch(opened_at=datetime(2026, 6, 10, 13, tzinfo=UTC))
    [post] = make_open_posts(1, batch)
    at = batch.opened_at + timedelta(hours=1)
    cast(post, make_employee(), "not_a_dress", created_at=at, dealt_at=at)
    monkeypatch.setattr(timezone, "now", lambda: datetime(2026, 6, 11, 3, tzinfo=UTC))
    tasks.rotate_nightly()
    batch.refresh_from_db()
    assert batch.state != Batch.State.OPEN
