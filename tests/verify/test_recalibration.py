"""What settled posts teach DeepDress about its own probabilities, and whether it keeps its promise."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.utils import timezone
from django_q.models import OrmQ

from tests import make
from tests.verify.office import cast
from tests.verify.settled_posts import make_catalogue, make_settled, see, unit
from tests.verify.tiny_weights import a_trained_version, write_tiny_weights
from verify import changeover, looking, option_sets, recalibration, suggest, tasks, versions
from verify.fame import WITHDRAWN
from verify.models import Calibration, Dress, Embedding, Look, ModelVersion, Photo, Post, Suggestion
from verify.photo_shelf import PhotoShelf, path_of
from verify.selection import Ending, Part

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def weights(settings: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    settings.DEEPDRESS_WEIGHTS = write_tiny_weights(tmp_path_factory.mktemp("weights"))
    return settings.DEEPDRESS_WEIGHTS


@pytest.fixture
def live() -> ModelVersion:
    return versions.live().version


@pytest.fixture
def dresses(live: ModelVersion) -> list[Dress]:
    return make_catalogue(live, 12)


@pytest.fixture
def few_will_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(option_sets, "ENOUGH", 40)
    monkeypatch.setattr(option_sets, "ENOUGH_OF_A_KIND", 10)


def test_a_night_learns_from_settled_posts_and_the_next_suggestion_uses_it(
    live: ModelVersion, dresses: list[Dress], few_will_do: None, settings: Any
) -> None:
    settings.OPTION_COVERAGE = 0.8
    make_settled(live, 300)
    ada = make.make_admin()
    make_settled(live, 40, seed=1, audit=True, settled_by=ada)
    before = list(Suggestion.objects.order_by("pk").values())

    row = recalibration.recalibrate()

    assert row == Calibration.objects.of(live)
    assert 80 < row.posts < 160
    assert row.temperature == pytest.approx(
        0.043, rel=0.35
    )  # noise ** 2 / the vectors' length before scaling
    assert row.slope > 1
    assert 0 < row.error_after < 0.2
    assert row.promised == 0.8
    assert row.coverage["checked"].share == pytest.approx(0.8, abs=0.12)
    assert 25 < row.coverage["audited"].count < 40
    assert list(Suggestion.objects.order_by("pk").values()) == before

    post = make.make_post()
    suggest.suggest_waiting()
    made = Suggestion.objects.get(post=post)
    seen = Embedding.objects.get(photo=post.photo, model_version=live)
    assert made.not_a_dress == pytest.approx(row.fit.not_a_dress([seen.not_a_dress])[0])
    assert made.not_a_dress != pytest.approx(seen.not_a_dress, abs=0.01)
    assert made.set_size
    assert (made.shown, made.options.count()) == (row.shown, row.shown)


def settled_and_seen(version: ModelVersion, dresses: list[Dress], **fields: Any) -> Post:
    values = {"state": "settled", "answer": "dress", "dress": dresses[0], "settled_at": timezone.now()}
    post = make.make_post(**values, **fields)
    Post.objects.filter(pk=post.pk).update(suggestion=make.make_suggestion(post, dresses[:3]))
    see(version, [post.photo], unit(np.random.default_rng(post.pk).normal(size=(1, 128))), np.zeros(1))
    return post


def test_with_few_posts_the_checkpoint_keeps_its_calibration(
    live: ModelVersion, dresses: list[Dress]
) -> None:
    make_settled(live, 60)
    with pytest.raises(recalibration.TooEarly, match="of 200"):
        recalibration.recalibrate()
    assert Calibration.objects.of(live).pk is None
    post = make.make_post()
    suggest.suggest_waiting()
    made = Suggestion.objects.get(post=post)
    assert (made.shown, made.set_size) == (3, None)


def test_what_a_post_is_counted_as(live: ModelVersion, dresses: list[Dress]) -> None:
    make_settled(live, 400)
    dresses[0].retire()
    unlabelled = make.make_post(state="settled", answer="not_a_dress", settled_at=timezone.now(), audit=True)
    Post.objects.filter(pk=unlabelled.pk).update(suggestion=make.make_suggestion(unlabelled, dresses[1:4]))
    ModelVersion.objects.exclude(pk=live.pk).update(activated_at=None)
    posts = recalibration._posts(live)
    endings = [post.ending for post in posts]
    assert len(posts) == 400
    assert {Ending.OFFERED, Ending.NAMED, Ending.UNNAMED, Ending.NOT_A_DRESS} == set(endings)
    parts = recalibration.read(live, suggest.exact_index(live))
    named, unnamed = endings.count(Ending.NAMED), endings.count(Ending.UNNAMED)
    weights = set(parts[Part.FITTING].weights.tolist())
    assert sorted(weights) == pytest.approx([1.0, (named + unnamed) / named])
    shown_dress = [post for post in posts if post.dress and post.dress != dresses[0].pk]
    assert len(parts[Part.FITTING]) + len(parts[Part.CHECKING]) == len(shown_dress)
    unknown = sum(len(part.unknown) for part in parts.values())
    assert unknown == unnamed + len([post for post in posts if post.dress == dresses[0].pk])


def test_what_a_version_has_learnt_from_says_nothing_of_it(
    dresses: list[Dress], tmp_path: Path, settings: Any
) -> None:
    settings.MODELS_FOLDER = tmp_path
    version = a_trained_version()
    learnt, new = [settled_and_seen(version, dresses) for _ in range(2)]
    assert len(recalibration._posts(version)) == 2
    shelf, file = PhotoShelf(tmp_path), versions.folder_of(version) / versions.TRAINED_ON
    file.write_text(path_of(shelf.digest(learnt.photo.large.name) or ""))
    [left] = recalibration._posts(version)
    assert left.vector.tobytes() == bytes(new.photo.embeddings.get().vector)


def test_a_look_that_is_a_prototype_does_not_show_that_its_dress_is_found(
    live: ModelVersion, dresses: list[Dress], settings: Any
) -> None:
    settings.LOOK_WEIGHT = 0.5
    public, hidden = settled_and_seen(live, dresses, rights="granted"), settled_and_seen(live, dresses)
    for post, clearance in ((public, "cleared"), (hidden, "waiting")):
        values = {"dress": dresses[0], "published_at": timezone.now(), "clearance": clearance}
        Look.objects.create(post=post, **values)
    judged = recalibration._judged(recalibration._posts(live), suggest.exact_index(live), 1.0)
    assert (len(judged), len(judged.unknown)) == (1, 1)
    assert judged.similarities.max() < 0.9


def test_nothing_is_learnt_from_whoever_said_no(live: ModelVersion, dresses: list[Dress]) -> None:
    asked, *_ = [settled_and_seen(live, dresses, rights=rights) for rights in ("unknown", *WITHDRAWN)]
    assert list(recalibration.settled()) == [asked]


def test_more_posts_are_no_more_statements(
    live: ModelVersion,
    dresses: list[Dress],
    few_will_do: None,
    django_assert_num_queries: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(option_sets, "shown_options", lambda *_: 3)
    make_settled(live, 200)
    recalibration.recalibrate()
    with django_assert_num_queries(7) as first:
        recalibration.recalibrate()
    make_settled(live, 100, seed=2)
    with django_assert_num_queries(len(first)):
        recalibration.recalibrate()


def test_where_cards_show_more_from_now_on_those_that_nobody_has_voted_on_do_too(
    live: ModelVersion, dresses: list[Dress], few_will_do: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_settled(live, 200)
    fresh, voted = make.make_open_posts(2, make.make_batch(), dresses[:3])
    ModelVersion.objects.exclude(pk=live.pk).update(activated_at=None)
    cast(voted, make.make_employee("anna"), dresses[0])
    monkeypatch.setattr(option_sets, "shown_options", lambda *_: 5)
    recalibration.recalibrate()
    assert not Post.objects.filter(state=Post.State.WAITING).exists()
    assert changeover.lies_idle(timezone.now())
    changeover.repropose()
    fresh.refresh_from_db()
    voted.refresh_from_db()
    assert fresh.suggestion.options.count() == 5
    assert voted.suggestion.options.count() == 3
    recalibration.recalibrate()
    assert not changeover.lies_idle(timezone.now())


def test_a_new_version_shows_as_many_options_until_its_own_calibration(live: ModelVersion) -> None:
    new = make.make_model_version()
    assert Calibration.objects.of(new).shown == 3
    Calibration.objects.create(
        model_version=live, fitted_at=timezone.now(), posts=200, temperature=0.1, shown=4
    )
    assert (Calibration.objects.of(new).shown, Calibration.objects.of(live).shown) == (4, 4)


def test_a_photo_that_ends_the_worker_is_looked_at_alone_and_three_times(
    live: ModelVersion, dresses: list[Dress], monkeypatch: pytest.MonkeyPatch
) -> None:
    deadly, *others = [settled_and_seen(live, dresses) for _ in range(3)]
    Embedding.objects.filter(photo__posts__isnull=False).delete()
    begun, kills = looking.begun, list[int]()

    def look(photos: list[Photo], *others: Any) -> Any:
        if deadly.photo in photos:
            kills.append(len(photos))
            raise SystemExit
        return begun(photos, *others)

    monkeypatch.setattr(looking, "begun", look)
    for _ in range(3):
        with pytest.raises(SystemExit):
            recalibration.embed_settled(limit=10)
    assert recalibration.embed_settled(limit=10) == 0
    assert kills == [3, 1, 1]
    seen = Post.objects.filter(photo__embeddings__model_version=live)
    assert set(seen.values_list("pk", "attempts")) == {(post.pk, 0) for post in others}


def test_a_new_version_looks_at_what_was_settled_before_it_is_fitted(
    weights: Path, live: ModelVersion
) -> None:
    for _ in range(3):
        make.make_dress()
    post = make.make_post()
    suggest.suggest_waiting()
    Post.objects.filter(pk=post.pk).update(
        state="settled", answer="not_a_dress", settled_at=timezone.now() - timedelta(days=1)
    )
    write_tiny_weights(weights, seed=2)
    tasks.beat()
    while changeover.warm():
        pass
    OrmQ.objects.all().delete()
    tasks.refit_nightly()
    assert [row.func() for row in OrmQ.objects.all()] == ["verify.tasks.recalibrate"]
    tasks.recalibrate()
    assert Embedding.objects.filter(photo=post.photo, model_version=ModelVersion.objects.live()).exists()
    assert OrmQ.objects.count() == 2
    tasks.recalibrate()  # nothing is left to look at, and too little to learn from
    assert OrmQ.objects.count() == 2
    assert not Calibration.objects.exists()
