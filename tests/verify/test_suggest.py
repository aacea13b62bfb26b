import os
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from ml.deepdress import DeepDress, OutOfMemory
from tests.make import jpeg, make_dress, make_employee, make_photo, make_post
from tests.verify.broken_photos import broken_photo
from tests.verify.tiny_weights import write_tiny_weights
from verify import changeover, suggest, versions
from verify.embed import Seen, see
from verify.looking import InHand
from verify.models import DressPhoto, Embedding, Lease, ModelVersion, Post, Suggestion, Vote

pytestmark = pytest.mark.django_db
Queries = Callable[..., Any]


@pytest.fixture(autouse=True)
def weights(settings: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    settings.DEEPDRESS_WEIGHTS = write_tiny_weights(tmp_path_factory.mktemp("weights"))
    return settings.DEEPDRESS_WEIGHTS


def test_a_waiting_post_gets_three_dresses_and_opens_to_votes() -> None:
    for _ in range(4):
        make_dress(photos=2)
    post = make_post()

    assert suggest.suggest_waiting() == 1

    post.refresh_from_db()
    options = list(post.suggestion.options.all())
    assert post.state == Post.State.PROPOSED
    assert [option.rank for option in options] == [0, 1, 2]
    assert len({option.dress_id for option in options}) == 3
    assert options[0].probability >= options[1].probability >= options[2].probability
    assert sum(option.probability for option in options) + post.suggestion.not_a_dress <= 1 + 1e-6
    assert post.suggestion.model_version == ModelVersion.objects.live()


def test_the_same_photo_as_the_catalogues_names_its_dress() -> None:
    dresses = [make_dress() for _ in range(4)]
    post = make_post(photo=dresses[2].photos.get().photo)
    suggest.suggest_waiting()
    post.refresh_from_db()
    assert post.suggestion.options.get(rank=0).dress == dresses[2]


def test_the_probabilities_are_those_of_the_index() -> None:
    for _ in range(5):
        make_dress()
    post = make_post()
    suggest.suggest_waiting()
    row = Embedding.objects.get(photo=post.photo)
    vector, not_a_dress = np.frombuffer(row.vector, "<f4"), row.not_a_dress
    expected = suggest.catalogue_index().options(vector, not_a_dress, temperature=0.1)
    options = Suggestion.objects.get(post=post).options.all()
    assert [option.dress_id for option in options] == expected.dress_ids[0].tolist()
    assert [option.probability for option in options] == pytest.approx(expected.probabilities[0])


def test_a_second_run_changes_nothing() -> None:
    make_dress()
    make_post()
    assert suggest.suggest_waiting() == 1
    before = list(Suggestion.objects.values())
    assert suggest.suggest_waiting() == 0
    assert list(Suggestion.objects.values()) == before


@pytest.mark.parametrize("count", [1, 2])
def test_a_small_catalogue_gives_fewer_options(count: int) -> None:
    for _ in range(count):
        make_dress()
    post = make_post()
    suggest.suggest_waiting()
    post.refresh_from_db()
    assert post.suggestion.options.count() == count


def test_only_dresses_in_stock_are_proposed() -> None:
    today = timezone.localdate()
    sold = [make_dress(), make_dress(available_from=today)]
    retired = make_dress(retired_on=today)
    coming = make_dress(available_from=today + timedelta(days=1))
    post = make_post(photo=retired.photos.get().photo)
    suggest.suggest_waiting()
    proposed = set(Suggestion.objects.get(post=post).options.values_list("dress", flat=True))
    assert proposed == {dress.pk for dress in sold}
    assert set(suggest.catalogue_vectors().dress_ids) == proposed
    assert Embedding.objects.filter(photo__dress_photos__dress=coming).exists()  # ready on its first day


def test_a_dress_retired_or_added_meanwhile_counts_at_once() -> None:
    first, second = make_dress(), make_dress()
    suggest.embed_catalogue()
    assert set(suggest.catalogue_vectors().dress_ids) == {first.pk, second.pk}
    first.retire()
    third = make_dress()
    post = make_post()
    suggest.suggest_waiting()
    proposed = set(Suggestion.objects.get(post=post).options.values_list("dress", flat=True))
    assert proposed == {second.pk, third.pk}


def test_the_catalogue_is_read_again_only_when_it_changed(django_assert_num_queries: Queries) -> None:
    make_dress()
    suggest.embed_catalogue()
    vectors = suggest.catalogue_vectors().vectors
    make_post()
    suggest.suggest_waiting()  # a post's embedding is none of the catalogue's
    with django_assert_num_queries(2):
        assert suggest.catalogue_vectors().vectors is vectors
    assert vectors.shape == (1, 128)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)


def test_without_a_model_the_catalogue_has_no_vectors() -> None:
    make_dress()
    vectors, dress_ids = suggest.catalogue_vectors()
    assert len(vectors) == len(dress_ids) == 0


def test_without_a_dress_in_stock_posts_wait() -> None:
    make_dress(retired_on=timezone.localdate())
    post = make_post()
    with pytest.raises(suggest.NotReady, match="import_dresses"):
        suggest.suggest_waiting()
    post.refresh_from_db()
    assert (post.state, post.attempts) == (Post.State.WAITING, 0)


@pytest.mark.parametrize("spoil", ["missing", "truncated"])
def test_without_usable_weights_posts_wait(weights: Path, spoil: str) -> None:
    make_dress()
    post = make_post()
    file = weights / "weights.safetensors"
    for path in weights.iterdir() if spoil == "missing" else []:
        path.unlink()
    if spoil == "missing":
        weights.rmdir()
    else:
        file.write_bytes(file.read_bytes()[:1000])
    with pytest.raises(suggest.NotReady, match=str(weights)):
        suggest.suggest_waiting()
    post.refresh_from_db()
    assert (post.state, post.attempts) == (Post.State.WAITING, 0)


def test_the_weights_become_the_live_version_and_new_ones_replace_them(weights: Path) -> None:
    make_dress()
    suggest.embed_catalogue()
    first = ModelVersion.objects.live()
    assert first
    assert (first.metrics, first.temperature) == ({"recall_at_3": 0.5}, 0.1)

    write_tiny_weights(weights, seed=2)
    with pytest.raises(suggest.NotReady, match="reads the catalogue with them first"):
        suggest.embed_catalogue()
    changeover.warm()
    assert ModelVersion.objects.live() == first
    changeover.warm()
    second = ModelVersion.objects.live()
    assert second
    assert second != first
    assert Embedding.objects.filter(model_version=second).count() == 1

    write_tiny_weights(weights, seed=1)
    versions.activated(versions.deepdress())
    changeover.warm()
    assert ModelVersion.objects.live() == first
    assert ModelVersion.objects.count() == 2


@pytest.mark.parametrize(
    ("data", "reason"),
    [(b"<svg/>", "cannot be read"), (jpeg(400, 400)[:200], "cannot be read"), (None, "missing")],
)
def test_a_photo_that_does_not_open_is_set_aside_and_the_rest_goes_on(
    data: bytes | None, reason: str
) -> None:
    make_dress()
    good, bad = make_post(), make_post(photo=broken_photo(data))
    assert suggest.suggest_waiting() == 2
    good.refresh_from_db()
    bad.refresh_from_db()
    assert good.state == Post.State.PROPOSED
    assert bad.state == Post.State.SET_ASIDE
    assert reason in bad.trouble
    assert len(bad.trouble) <= 300


def test_a_photo_for_which_the_memory_is_too_small_is_set_aside_and_the_rest_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make_dress()
    suggest.embed_catalogue()
    huge, *others = (make_post(photo=make_photo(jpeg(colour=(shade, 0, 0)))) for shade in (255, 1, 2))
    embed = DeepDress.embed

    def short_of_memory(model: DeepDress, photos: list[Any], batch_size: int = 64) -> Any:
        if any(photo.mean() > 80 for photo in photos):
            raise OutOfMemory("The memory does not hold one photo on cpu.")
        return embed(model, photos, batch_size)

    monkeypatch.setattr(DeepDress, "embed", short_of_memory)
    suggest.suggest_waiting()
    huge.refresh_from_db()
    assert (huge.state, huge.trouble[:10]) == (Post.State.SET_ASIDE, "The memory")
    assert set(Post.objects.filter(state=Post.State.PROPOSED)) == set(others)


def test_a_batch_takes_a_forward_pass_a_core_and_as_many_statements_whatever_its_size(
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    settings.VECTOR_SEARCH = "exact"
    make_dress()
    suggest.embed_catalogue()
    passes: list[int] = []
    embed = DeepDress.embed
    monkeypatch.setattr(
        DeepDress, "embed", lambda model, photos: passes.append(len(photos)) or embed(model, photos)
    )
    suggest.catalogue_index()
    statements = []
    for size in (1, 5, 20):
        for _ in range(size):
            make_post()
        with CaptureQueriesContext(connection) as captured:
            assert suggest.suggest_waiting() == size
        statements.append(len(captured))
    assert sorted(passes) == [1, 2, 3, 10, 10]
    assert len(set(statements)) == 1


def test_the_network_looks_at_the_next_batch_while_this_one_is_stored(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.SUGGEST_BATCH = 2
    make_dress()
    suggest.embed_catalogue()
    posts = [make_post() for _ in range(3)]
    tried = make_post(attempts=1)
    in_hand: list[set[int]] = []

    def seeing(photos: InHand) -> Seen:
        claimed = Post.objects.filter(claimed_until__isnull=False)
        in_hand.append(set(claimed.values_list("pk", flat=True)))
        return see(photos)

    monkeypatch.setattr(suggest, "see", seeing)
    assert suggest.suggest_waiting() == 4
    # What may have ended a worker is in hand with nobody else.
    assert in_hand == [{post.pk for post in posts}, {posts[2].pk}, {tried.pk}]


def test_a_catalogue_photo_that_does_not_open_is_left_out_after_three_attempts() -> None:
    dress = make_dress()
    broken = DressPhoto.objects.create(dress=dress, photo=broken_photo(b"no image"), position=1)
    assert suggest.embed_catalogue() == 1 + 3
    assert suggest.embed_catalogue() == 0
    broken.refresh_from_db()
    assert broken.attempts == 3
    assert dress.photos.get(position=0).attempts == 0


def test_posts_that_were_in_hand_when_a_worker_died_are_taken_up_alone(settings: Any) -> None:
    now = timezone.now()
    once = [make_post(attempts=1, claimed_until=now - timedelta(seconds=1)) for _ in range(2)]
    fresh = [make_post() for _ in range(3)]
    held = make_post(attempts=1, claimed_until=now + timedelta(seconds=30))
    hopeless = make_post(attempts=3, claimed_until=now - timedelta(seconds=1))

    assert {post.pk for post in suggest._claim()} == {post.pk for post in fresh}
    assert [post.pk for post in suggest._claim()] == [once[0].pk]
    assert [post.pk for post in suggest._claim()] == [once[1].pk]
    assert suggest._claim() == []

    held.refresh_from_db()
    hopeless.refresh_from_db()
    assert held.attempts == 1
    assert hopeless.state == Post.State.SET_ASIDE
    assert "3 times" in hopeless.trouble
    assert {post.attempts for post in Post.objects.filter(pk__in=[post.pk for post in once])} == {2}


def test_a_batch_is_no_larger_than_the_setting(settings: Any) -> None:
    settings.SUGGEST_BATCH = 2
    make_dress()
    posts = [make_post() for _ in range(5)]
    steps: list[int] = []
    assert suggest.suggest_waiting(limit=3, progress=steps.append) == 4
    assert steps == [2, 2]
    left = Post.objects.get(state=Post.State.WAITING)
    assert left == posts[-1]  # the newest come first


def test_a_post_that_another_worker_finished_meanwhile_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    make_dress()
    post = make_post()

    def overtaken(photos: InHand) -> Seen:
        Post.objects.filter(pk=post.pk).update(state=Post.State.PROPOSED)
        return see(photos)

    suggest.embed_catalogue()
    monkeypatch.setattr(suggest, "see", overtaken)
    suggest.suggest_waiting()
    assert not Suggestion.objects.exists()


def test_set_aside_posts_can_be_tried_again() -> None:
    post = make_post(state=Post.State.SET_ASIDE, attempts=3, trouble="It broke.")
    assert suggest.try_again(Post.objects.all()) == 1
    post.refresh_from_db()
    assert (post.state, post.attempts, post.trouble) == (Post.State.WAITING, 0, "")


def test_only_posts_that_nobody_saw_are_proposed_anew() -> None:
    make_dress()
    untouched, voted, held, released = (make_post() for _ in range(4))
    suggest.suggest_waiting()
    voter, now = make_employee(), timezone.now()
    for post in (voted, held, released):
        post.refresh_from_db()
    Vote.objects.create(
        post=voted, employee=voter, suggestion=voted.suggestion, answer="not_a_dress", created_at=now
    )
    for post, minutes in ((held, 1), (released, -1)):
        until = now + timedelta(minutes=minutes)
        Lease.objects.create(
            post=post, employee=voter, suggestion=post.suggestion, created_at=now, expires_at=until
        )

    assert suggest.propose_anew(Post.objects.all()) == 2
    waiting = set(Post.objects.filter(state=Post.State.WAITING))
    assert waiting == {untouched, released}
    assert suggest.suggest_waiting() == 2
    assert Suggestion.objects.filter(post=untouched).count() == 2
    untouched.refresh_from_db()
    assert untouched.suggestion == Suggestion.objects.filter(post=untouched).latest("pk")


def test_the_web_process_never_imports_what_takes_long() -> None:
    program = (
        "import django, sys; django.setup(); import verify.suggest, verify.tasks, dressportal.urls; "
        "sys.exit(', '.join({'torch', 'scipy.optimize', 'scipy.stats'} & sys.modules.keys()) or None)"
    )
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "dressportal.settings"}
    subprocess.run([sys.executable, "-c", program], check=True, env=environment)
