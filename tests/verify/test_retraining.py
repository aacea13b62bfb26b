"""The next DeepDress: trained on what people verified, live only if it is better than luck."""

import json
import os
import subprocess
import sys
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from django_q.models import OrmQ

from ml import evaluate_embedder
from ml.evaluate_embedder import Findings
from ml.train_embedder import train
from ml.training_options import options
from tests.make import NOON, jpeg, make_admin, make_dress, make_photo, make_post
from tests.verify.tiny_weights import a_trained_version, write_tiny_weights
from verify import retraining, tasks, training_export, versions
from verify.models import DressPhoto, GoldenPhoto, ModelVersion, Notice, Post
from verify.only_one import only_one
from verify.retraining import Failed, Plan, retrain
from verify.training_export import Choice

pytestmark = pytest.mark.django_db
GOLDEN = 6
State = ModelVersion.State


@pytest.fixture(autouse=True)
def shipped(settings: Any, tmp_path: Path) -> ModelVersion:
    settings.MODELS_FOLDER, settings.GOLDEN_POSTS = tmp_path / "models", GOLDEN
    settings.DEEPDRESS_WEIGHTS = write_tiny_weights(tmp_path / "weights")
    return versions.activated(versions.deepdress())


@pytest.fixture
def verified(monkeypatch: pytest.MonkeyPatch) -> list[Post]:
    """Three dresses, each worn by two people to train on and two to be tested on; three photos of none."""
    monkeypatch.setattr(training_export, "_draw", lambda node: 0.9)
    posts, facts = [], {"state": "settled", "rights": "granted", "confidence": 0.97, "settled_at": NOON}
    for number in range(3):
        dress = make_dress(f"D-{number}", photos=0)
        DressPhoto.objects.create(dress=dress, photo=make_photo(jpeg()))
        for audit in (False, False, True, True):
            worn = {"answer": "dress", "dress": dress, "audit": audit}
            posts.append(make_post(photo=make_photo(jpeg()), **worn, **facts))
        make_post(photo=make_photo(jpeg()), answer="not_a_dress", **facts)
    return posts


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> None:
    """In no time, to random weights."""
    monkeypatch.setattr(retraining, "_train", lambda plan, run: write_tiny_weights(run / "model", seed=5))


def ranks(monkeypatch: pytest.MonkeyPatch, live: list[int], new: list[int]) -> None:
    """What the two versions make of the golden posts, in the place of looking at them."""

    def evaluated(data: Any, model: Any, name: str, promised: float) -> Findings:
        golden = [data.names[row] for row in data.posts("test")]
        return Findings(name, {}, ranks=dict(zip(golden, live if name == "live" else new, strict=True)))

    monkeypatch.setattr(evaluate_embedder, "evaluate_model", evaluated)


def run(**changes: Any) -> tuple[ModelVersion | None, str]:
    said: list[str] = []
    return retrain(Plan(**changes), said.append, lambda rows, *_: rows), " ".join(said)


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The training's command in this process: another one loads torch for longer than it trains."""

    def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[bytes]:
        assert command[:3] == [sys.executable, "-m", "ml.train_embedder"]
        train(options([*command[3:], "--cache", str(tmp_path / "decoded")]))
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(subprocess, "run", run)


def test_the_loop_from_verified_posts_to_a_version_with_its_verdict(
    verified: list[Post], shipped: ModelVersion, settings: Any, at_once: None
) -> None:
    said = StringIO()
    length = ["--steps", "2", "--device", "cpu", "--held-out", "0.0001"]
    call_command("retrain_deepdress", *length, "--", "--workers", "1", stdout=said)
    version = ModelVersion.objects.get(trained_at__isnull=False)
    assert version.verdict in said.getvalue()
    assert version.comparison["posts"] == GOLDEN
    assert version.comparison["figures"]["new"]["recall"].keys() == {"1", "3", "5", "20"}
    assert version.metrics["steps"] == 2
    assert version.metrics["options"]["start_from"] == str(settings.DEEPDRESS_WEIGHTS)
    assert len(version.data_sha256) == len(version.code_version) == 64
    assert versions.checked(version).version == version.digest
    assert GoldenPhoto.objects.count() == GOLDEN
    assert ModelVersion.objects.live() == shipped
    assert {path.name for path in settings.MODELS_FOLDER.iterdir()} == {".lock", version.digest}


@pytest.mark.parametrize(
    ("live", "new", "state", "told"),
    [
        (
            [9] * 6,
            [1] * 6,
            State.WARMING,
            "Better. Of 6 golden posts it names 100.0% at once, the live version 0.0%",
        ),
        ([1] * 6, [1] * 6, State.NOT_BETTER, "It is no better: the live version stays."),
        ([9] * 6, [1, 9, 9, 9, 9, 9], State.NOT_BETTER, "It may be luck: the live version stays."),
        ([3, 3, 3, 3, 3, 3], [1, 1, 1, 9, 9, 9], State.NOT_BETTER, "it misses more among the first three"),
    ],
)
def test_only_what_is_better_beyond_noise_is_promoted(
    verified: list[Post],
    trained: None,
    monkeypatch: pytest.MonkeyPatch,
    live: list[int],
    new: list[int],
    state: str,
    told: str,
) -> None:
    ranks(monkeypatch, live, new)
    version, said = run()
    assert version
    version.refresh_from_db()
    assert version.state == state
    assert told in said
    queued = [row.func() for row in OrmQ.objects.all()]
    assert queued == (["verify.tasks.change_version"] if state == State.WARMING else [])


def test_what_an_admin_has_chosen_to_go_live_stays_chosen(
    verified: list[Post], trained: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    ranks(monkeypatch, [9] * 6, [1] * 6)
    chosen = a_trained_version()
    versions.promote(chosen, make_admin("ada"))
    version, said = run()
    assert version
    assert (ModelVersion.objects.warming(), version.state) == (chosen, State.CANDIDATE)
    assert f"Ada has chosen {chosen}, which is about to go live." in said
    assert "goes live once" not in said


def test_too_few_golden_posts_promote_nothing_and_say_how_many_are_needed(
    verified: list[Post], trained: None, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.GOLDEN_POSTS = 7
    ranks(monkeypatch, [9] * 6, [1] * 6)
    version, said = run()
    assert version
    assert version.state == State.CANDIDATE
    assert "Too few golden posts to tell which version is better: 6, and 7 are needed." in said
    assert run(only_if_worth_it=True)[0] is None  # the same data again


def test_what_the_live_version_has_learnt_from_proves_nothing(
    verified: list[Post], trained: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    live = a_trained_version()
    live.go_live(timezone.now(), repropose=False)
    run()
    known = GoldenPhoto.objects.earliest("pk").content
    (versions.folder_of(live) / versions.TRAINED_ON).write_text(f"photos/{known[:2]}/{known}.jpg")
    ranks(monkeypatch, [9] * 6, [1] * 6)
    version, said = run()
    assert version
    assert version.comparison["posts"] == GOLDEN - 1
    assert "needed" in said
    learnt = (versions.folder_of(version) / versions.TRAINED_ON).read_text().split()
    assert len(learnt) >= GOLDEN
    assert not any(content in " ".join(learnt) for content in GoldenPhoto.objects.contents())


def test_it_begins_as_the_live_version_unless_that_learnt_from_what_is_withdrawn(
    verified: list[Post], tmp_path: Path, settings: Any
) -> None:
    live = a_trained_version()
    live.go_live(timezone.now(), repropose=False)
    training_export.write(run_folder := tmp_path / "run", Choice(freeze=True), lambda rows, *_: rows)
    learnt = sorted(retraining._photos(run_folder, "train"))

    def start(*more: str) -> list[str]:
        return retraining._start(Plan(more=more), run_folder)

    file = versions.folder_of(live) / versions.TRAINED_ON
    file.write_text("\n".join(learnt))
    retraining._tell_of_withdrawn(run_folder)
    assert not Notice.objects.exists()
    assert start()[:2] == ["--start-from", str(versions.folder_of(live))]
    file.write_text("\n".join([*learnt, "photos/ab/revoked.jpg"]))
    assert start()[:2] == ["--start-from", str(settings.DEEPDRESS_WEIGHTS)]
    retraining._tell_of_withdrawn(run_folder)
    told = f"{live} has learnt from photos that are no longer exported (1): "
    assert Notice.objects.get().text.startswith(told)
    assert start("--size", "base") == start("--backbone=there") == []


def test_folders_are_named_from_where_the_portal_runs() -> None:
    here = str(Path("there").absolute())
    more = retraining._from_here(("--start-from", "there", "--backbone=there", "--loss=arcface"))
    assert more == ["--start-from", here, "--backbone", here, "--loss=arcface"]


def test_what_the_version_before_has_learnt_from_counts_as_learnt(
    verified: list[Post], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "before").mkdir()
    (tmp_path / "before" / versions.TRAINED_ON).write_text("photos/ab/earlier.jpg")

    def began(plan: Plan, run: Path) -> None:
        metrics = write_tiny_weights(run / "model", seed=5) / "metrics.json"
        metrics.write_text(json.dumps({"options": {"start_from": str(tmp_path / "before")}}))

    monkeypatch.setattr(retraining, "_train", began)
    version, _ = run()
    assert version
    assert "photos/ab/earlier.jpg" in retraining.trained_on(version)


@pytest.mark.parametrize("how", ["fails", "leaves a truncated file"])
def test_a_training_that_fails_leaves_nothing(
    verified: list[Post], monkeypatch: pytest.MonkeyPatch, settings: Any, how: str
) -> None:
    def truncated(plan: Plan, run: Path) -> None:
        file = write_tiny_weights(run / "model") / "weights.safetensors"
        file.write_bytes(file.read_bytes()[:1000])

    if how == "fails":
        monkeypatch.setattr(retraining.sys, "executable", "false")
    else:
        monkeypatch.setattr(retraining, "_train", truncated)
    (settings.MODELS_FOLDER / "training").mkdir(parents=True)  # of one that was killed
    with pytest.raises(Failed, match="othing changes"):
        run()
    assert ModelVersion.objects.count() == 1
    assert [path.name for path in settings.MODELS_FOLDER.iterdir()] == [".lock"]


def test_the_same_weights_again_change_nothing(
    verified: list[Post], shipped: ModelVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retraining, "_train", lambda plan, run: write_tiny_weights(run / "model", seed=1))
    version, said = run()
    assert version == shipped
    assert "nothing changes" in said
    assert ModelVersion.objects.get() == shipped


def test_one_training_at_a_time(settings: Any) -> None:
    settings.MODELS_FOLDER.mkdir()
    busy = rf"Another training is at work \(process {os.getpid()}\)"
    with only_one(settings.MODELS_FOLDER / ".lock", "x"), pytest.raises(CommandError, match=busy):
        call_command("retrain_deepdress")


@pytest.mark.parametrize("option", ["--steps=0", "--minutes=-1", "--held-out=0", "--held-out=0.5"])
def test_a_length_or_share_that_is_none_is_refused(option: str) -> None:
    with pytest.raises(CommandError, match=f"{option.split('=')[0]} .*expected"):
        call_command("retrain_deepdress", option)


@pytest.mark.parametrize("unanswered", [True, False])
def test_the_week_trains_on_the_unanswered_where_it_is_told_to(
    monkeypatch: pytest.MonkeyPatch, settings: Any, unanswered: bool
) -> None:
    settings.TRAIN_ON_UNANSWERED, plans = unanswered, list[Plan]()
    monkeypatch.setattr(retraining, "retrain", lambda plan, *_: plans.append(plan))
    tasks.retrain(timezone.now())
    assert [plan.choice for plan in plans] == [Choice(unanswered=unanswered, freeze=True)]


@pytest.mark.parametrize(("on", "keys"), [(True, ["training"]), (False, [])])
def test_the_week_trains_on_a_queue_of_its_own_where_it_is_told_to(
    settings: Any, on: bool, keys: list[str]
) -> None:
    settings.RETRAIN = on
    tasks.retrain_weekly()
    assert [row.key for row in OrmQ.objects.all()] == keys


def test_the_week_does_not_train_in_vain(
    verified: list[Post], monkeypatch: pytest.MonkeyPatch, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.GOLDEN_POSTS = 60
    monkeypatch.setattr(retraining, "_train", lambda *_: pytest.fail("trained"))
    tasks.retrain(timezone.now())
    assert "6, and 60 are needed" in caplog.text
    settings.GOLDEN_POSTS = 0
    tasks.retrain(timezone.now() - timedelta(days=1))  # brought back by the queue
    assert json.dumps(ModelVersion.objects.get().comparison) == "{}"
