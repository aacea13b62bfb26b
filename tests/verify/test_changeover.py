"""From one version to the next while people vote: no post without options, no card changes in the hand."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from tests.make import make_batch, make_dress, make_employee, make_post
from tests.verify.office import cast
from tests.verify.tiny_weights import a_trained_version, write_tiny_weights
from verify import changeover, queue, suggest, tasks, versions
from verify.models import Embedding, Lease, ModelVersion, Post

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def weights(settings: Any, tmp_path: Path) -> None:
    settings.MODELS_FOLDER = tmp_path / "models"
    settings.DEEPDRESS_WEIGHTS = write_tiny_weights(tmp_path / "weights")
    settings.SUGGEST_BATCH = 4


@pytest.fixture
def posts() -> list[Post]:
    """Open to votes, with the options of the shipped version."""
    for _ in range(4):
        make_dress()
    batch = make_batch()
    posts = [make_post(batch=batch) for _ in range(12)]
    suggest.suggest_waiting()
    return [Post.objects.get(pk=post.pk) for post in posts]


@contextmanager
def looking_on() -> Iterator[list[int]]:
    """Counts, until the end of the block, the posts that can be voted on; raises what goes wrong with it."""
    counts, enough = list[int](), threading.Event()

    def look() -> None:
        open_posts = Post.objects.filter(state=Post.State.PROPOSED, suggestion__options__rank=2)
        try:
            while not enough.wait(0.005):  # leaving a core to what it looks on at
                counts.append(open_posts.count())
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        looking = pool.submit(look)
        try:
            yield counts
        finally:
            enough.set()
        looking.result()


def test_no_post_is_without_options_and_no_card_changes(posts: list[Post]) -> None:
    vera, trained = make_employee("vera"), a_trained_version()
    judged, [card] = posts[3], queue.hand_out(vera, ahead=1)
    shown = [option.pk for option in card.options]
    cast(judged, make_employee("anna"), "not_a_dress")
    versions.promote(trained)
    with looking_on() as counts:
        while changeover.warm(limit=1) or changeover.repropose(limit=1):
            new = Post.objects.filter(suggestion__model_version=trained).count()
            assert new == 0 or ModelVersion.objects.live() == trained
    assert set(counts) == {12}
    kept = {judged.pk, card.post_id}
    for post in Post.objects.select_related("suggestion__model_version"):
        assert (post.suggestion.model_version == trained) == (post.pk not in kept)
        assert post.batch == posts[0].batch
    [still] = queue.hand_out(vera, ahead=1)
    assert [option.pk for option in still.options] == shown
    queue.vote(vera, card.pk, "not_a_dress")
    assert ModelVersion.objects.live().reproposed_to is None


def test_who_takes_a_card_meanwhile_keeps_it(posts: list[Post], monkeypatch: pytest.MonkeyPatch) -> None:
    vera, trained = make_employee("vera"), a_trained_version()
    versions.promote(trained)
    look_at, cards = suggest.look_at, list[Lease]()

    def while_somebody_takes_one(photos: Any, *more: Any) -> Any:
        if ModelVersion.objects.live() == trained and not cards:
            cards.extend(queue.hand_out(vera, ahead=1))
        return look_at(photos, *more)

    monkeypatch.setattr(suggest, "look_at", while_somebody_takes_one)
    while changeover.warm() or changeover.repropose():
        pass
    [card] = cards
    post = Post.objects.get(pk=card.post_id)
    assert post.suggestion_id == card.suggestion_id
    queue.vote(vera, card.pk, "not_a_dress")


def test_posts_in_hand_while_another_goes_live_are_proposed_by_the_version_that_saw_them(
    posts: list[Post], monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped, trained = ModelVersion.objects.live(), a_trained_version()
    versions.promote(trained)
    changeover.warm()
    suggest.propose_anew(Post.objects.all())
    see = suggest.see

    def meanwhile(photos: Any) -> Any:
        changeover.warm()
        return see(photos)

    monkeypatch.setattr(suggest, "see", meanwhile)
    assert suggest.suggest_waiting() == 12
    by = []
    for post in Post.objects.select_related("suggestion__model_version"):
        seen = Embedding.objects.get(photo=post.photo, model_version=post.suggestion.model_version)
        assert post.suggestion.not_a_dress == pytest.approx(seen.not_a_dress)
        by.append(post.suggestion.model_version)
    assert by == [shipped] * 8 + [trained] * 4  # two batches were in hand


def test_a_killed_change_is_gone_on_with_by_a_tick(posts: list[Post]) -> None:
    trained = a_trained_version()
    versions.promote(trained)
    assert changeover.lies_idle(timezone.now())
    changeover.warm(limit=1)
    assert not changeover.lies_idle(timezone.now())
    assert changeover.lies_idle(timezone.now() + 2 * changeover.PART)
    tasks.change_version()
    while changeover.warm() or changeover.repropose(limit=1):
        ModelVersion.objects.update(worked_at=None)
    assert not changeover.lies_idle(timezone.now() + 2 * changeover.PART)
    assert Post.objects.filter(suggestion__model_version=trained).count() == 12


def test_weights_shipped_in_the_place_of_others_propose_once_they_know_every_dress(
    posts: list[Post], settings: Any
) -> None:
    settings.SUGGEST_BATCH = 1
    for _ in range(6):  # so that the catalogue takes three parts
        make_dress()
    suggest.embed_catalogue()
    old = ModelVersion.objects.live()
    write_tiny_weights(settings.DEEPDRESS_WEIGHTS, seed=2)
    waiting = make_post()
    tasks.tick()
    new = ModelVersion.objects.warming()
    tasks.suggest_waiting()
    while changeover.lies_idle(timezone.now() + 2 * changeover.PART):
        assert Post.objects.filter(state=Post.State.PROPOSED, suggestion__options__rank=2).count() == 12
        assert ModelVersion.objects.live() == old or not suggest.photos_to_embed(new).exists()
        tasks.change_version()
    assert Post.objects.filter(suggestion__model_version=new).count() == 12
    tasks.suggest_waiting()
    waiting.refresh_from_db()
    assert waiting.suggestion.model_version == new


def test_nothing_is_proposed_anew_while_a_photo_of_the_catalogue_is_unseen(posts: list[Post]) -> None:
    trained = a_trained_version()
    versions.promote(trained)
    while changeover.warm():
        pass
    make_dress()
    assert changeover.repropose() == 0
    suggest.embed_catalogue()
    assert changeover.repropose() == 12


def test_a_change_that_is_over_does_not_end_the_next_one(posts: list[Post]) -> None:
    first, second = a_trained_version(2), a_trained_version(3)
    for version in (first, second):
        versions.promote(version)
        while changeover.warm():
            pass
    changeover._finish(first)
    assert ModelVersion.objects.live().reproposed_to == 0


def test_a_dress_imported_while_it_warms_is_known_to_both(posts: list[Post]) -> None:
    trained = a_trained_version()
    versions.promote(trained)
    changeover.warm()
    new = make_dress()
    assert suggest.work_waits()
    suggest.embed_catalogue()
    while changeover.warm() or changeover.repropose():
        pass
    seen = Embedding.objects.filter(photo=new.photos.get().photo)
    assert seen.count() == 2
    later = make_dress()
    assert suggest.work_waits()
    suggest.embed_catalogue()
    assert Embedding.objects.get(photo=later.photos.get().photo).model_version == trained


def test_only_the_version_to_go_back_to_keeps_what_it_saw(posts: list[Post]) -> None:
    shipped, second, third = ModelVersion.objects.live(), a_trained_version(2), a_trained_version(3)
    for version in (second, third):
        versions.promote(version)
        while changeover.warm() or changeover.repropose():
            pass
    assert set(Embedding.objects.values_list("model_version", flat=True)) == {second.pk, third.pk}
    assert shipped.suggestions.count() == 12
