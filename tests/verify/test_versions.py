"""Which weights propose, and what happens when their file breaks."""

import logging
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from django.db import IntegrityError, transaction
from django.utils import timezone

from ml import checkpoint
from ml.calibration import Calibration
from ml.embedder import Embedder, size
from tests.make import make_admin, make_dress, make_model_version, make_post
from tests.verify.tiny_weights import a_trained_version, write_tiny_weights
from verify import changeover, suggest, versions
from verify.models import ModelVersion, Notice, Post
from verify.models.model_version import ModelVersionQuerySet

pytestmark = pytest.mark.django_db
State = ModelVersion.State


@pytest.fixture(autouse=True)
def weights(settings: Any, tmp_path: Path) -> Path:
    settings.MODELS_FOLDER = tmp_path / "models"
    settings.DEEPDRESS_WEIGHTS = write_tiny_weights(tmp_path / "weights")
    return settings.DEEPDRESS_WEIGHTS


def states() -> dict[int, str]:
    return dict(ModelVersion.objects.values_list("pk", "state"))


def change() -> None:
    """What the worker does, to the end."""
    while changeover.warm() or changeover.repropose():
        pass


def spoil(version: ModelVersion, how: str) -> None:
    folder = versions.folder_of(version)
    file = folder / "weights.safetensors"
    if how == "missing":
        shutil.rmtree(folder)
    elif how == "truncated":
        file.write_bytes(file.read_bytes()[:1000])
    elif how == "another's":
        shutil.copytree(write_tiny_weights(folder.parent / "other", seed=9), folder, dirs_exist_ok=True)
    else:
        network = Embedder(size("tiny"))
        torch.nn.init.constant_(next(network.parameters()), float(how))
        checkpoint.save(folder, network, Calibration(), {})
        digest = checkpoint.digest(folder)
        ModelVersion.objects.filter(pk=version.pk).update(digest=digest)


def test_the_shipped_weights_go_live_where_there_is_nothing_else() -> None:
    version = versions.activated(versions.deepdress())
    assert (version, version.folder) == (ModelVersion.objects.live(), "")
    assert version.reproposed_to is None


def test_no_two_versions_are_live() -> None:
    make_model_version()
    with pytest.raises(IntegrityError, match="one_live_model_version"), transaction.atomic():
        ModelVersion.objects.create(digest="e" * 64, temperature=1, state="live", activated_at=timezone.now())


def test_a_trained_version_goes_live_and_back() -> None:
    make_dress()
    ada, shipped, trained = make_admin(), versions.activated(versions.deepdress()), a_trained_version()
    versions.promote(trained, ada)
    assert versions.deepdress().version == shipped.digest  # until the catalogue is known
    change()
    assert versions.deepdress().version == trained.digest
    assert states() == {shipped.pk: State.RETIRED, trained.pk: State.LIVE}
    trained.refresh_from_db()
    assert trained.activated_by == ada
    assert trained.activated_at > shipped.activated_at
    assert versions.before(trained) == shipped
    versions.promote(shipped, ada)
    change()
    assert versions.deepdress().version == shipped.digest
    assert states() == {shipped.pk: State.LIVE, trained.pk: State.RETIRED}


def test_new_shipped_weights_do_not_push_a_trained_version_out(weights: Path) -> None:
    make_dress()
    shipped, trained = versions.activated(versions.deepdress()), a_trained_version()
    versions.promote(trained)
    old = versions.deepdress()
    change()
    write_tiny_weights(weights, seed=3)
    assert versions.activated(versions.deepdress()) == trained
    assert versions.activated(old) == shipped  # a worker that still holds it
    assert ModelVersion.objects.live() == trained


@pytest.mark.parametrize("how", ["missing", "truncated", "another's", "nan", "inf"])
def test_what_is_broken_never_goes_live(how: str) -> None:
    make_dress()
    shipped, trained = versions.activated(versions.deepdress()), a_trained_version()
    spoil(trained, how)
    versions.promote(trained)
    change()
    assert states() == {shipped.pk: State.LIVE, trained.pk: State.BROKEN}
    trained.refresh_from_db()
    assert trained.trouble
    assert trained.trouble[:40] in Notice.objects.get().text


def test_weights_that_end_the_worker_three_times_never_go_live() -> None:
    shipped, trained = versions.activated(versions.deepdress()), a_trained_version()
    versions.promote(trained)
    ModelVersion.objects.filter(pk=trained.pk).update(attempts=3)
    change()
    assert states() == {shipped.pk: State.LIVE, trained.pk: State.BROKEN}


@pytest.mark.parametrize("how", ["truncated", "another's"])
def test_when_the_live_file_breaks_the_one_before_proposes(
    how: str, caplog: pytest.LogCaptureFixture
) -> None:
    make_dress()
    shipped, trained = versions.activated(versions.deepdress()), a_trained_version()
    versions.promote(trained)
    suggest.suggest_waiting()
    change()
    proposed, waiting = make_post(), make_post()
    suggest.suggest_waiting()
    Post.objects.filter(pk=waiting.pk).update(state=Post.State.WAITING)
    spoil(trained, how)
    with caplog.at_level(logging.ERROR):
        assert suggest.suggest_waiting() == 1
    for post, version in ((proposed, trained), (waiting, shipped)):
        post.refresh_from_db()
        assert (post.state, post.suggestion.model_version) == (Post.State.PROPOSED, version)
    assert states() == {shipped.pk: State.LIVE, trained.pk: State.BROKEN}
    assert Notice.objects.get().text.startswith(f"{shipped} proposes in the place of {trained}. ")
    assert "proposes in the place of" in caplog.text


def test_while_the_live_file_cannot_be_read_another_stands_in() -> None:
    make_dress()
    shipped, trained = versions.activated(versions.deepdress()), a_trained_version()
    versions.promote(trained)
    change()
    folder = versions.folder_of(trained)
    folder.rename(folder.with_name("not mounted"))
    assert versions.live().version == shipped
    assert states() == {shipped.pk: State.RETIRED, trained.pk: State.LIVE}
    assert Notice.objects.get().text.startswith(f"{shipped} stands in for {trained}, which cannot be read. ")
    folder.with_name("not mounted").rename(folder)
    assert versions.live().version == trained


def test_when_nothing_works_posts_wait_and_nobody_is_called_broken(weights: Path) -> None:
    shipped = versions.activated(versions.deepdress())
    (weights / "config.json").write_text("{}")
    with pytest.raises(versions.NotReady, match="cannot be used"):
        versions.deepdress()
    assert states() == {shipped.pk: State.LIVE}


def test_nobody_goes_back_to_shipped_weights_that_others_have_taken_the_place_of(weights: Path) -> None:
    shipped, trained = versions.activated(versions.deepdress()), a_trained_version()
    make_dress()
    versions.promote(trained)
    change()
    write_tiny_weights(weights, seed=3)
    with pytest.raises(versions.Unchanged, match="whose weights are still there"):
        versions.before(trained)
    with pytest.raises(versions.Unchanged, match=f"The weights of {shipped} are gone"):
        versions.promote(shipped)
    spoil(trained, "truncated")
    versions.deepdress()
    assert states()[shipped.pk] == State.RETIRED
    assert ModelVersion.objects.live() not in (shipped, trained)


def test_of_two_promotions_at_once_one_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    versions.promote(a_trained_version(2))
    monkeypatch.setattr(ModelVersionQuerySet, "warming", lambda _: None)  # as the other saw it
    with pytest.raises(versions.Unchanged, match="at the same moment"):
        versions.promote(a_trained_version(3))


def test_who_is_promoted_last_is_next() -> None:
    first, second = a_trained_version(2), a_trained_version(3, comparison={"better": False})
    versions.promote(second)
    versions.promote(first)
    assert states() == {first.pk: State.WARMING, second.pk: State.NOT_BETTER}
    with pytest.raises(versions.Unchanged, match="about to go live already"):
        versions.promote(first)
