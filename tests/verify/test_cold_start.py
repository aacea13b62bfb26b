"""A dress that has just come is proposed with no training, one that has gone is not."""

from pathlib import Path
from typing import Any

import pytest
from django_q.models import OrmQ

from tests import make
from tests.verify.intake.test_catalogue import Shop, row
from tests.verify.tiny_weights import write_tiny_weights
from verify import suggest, tasks
from verify.models import Dress, Option, Post

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def weights(settings: Any, tmp_path_factory: pytest.TempPathFactory) -> None:
    settings.DEEPDRESS_WEIGHTS = write_tiny_weights(tmp_path_factory.mktemp("weights"))


def work_off() -> None:
    """What the worker would do within seconds."""
    for _ in range(10):
        waiting = list(OrmQ.objects.order_by("pk"))
        OrmQ.objects.all().delete()
        for task in waiting:
            getattr(tasks, task.func().rpartition(".")[2])()


def test_a_dress_imported_now_is_proposed_from_its_catalogue_photos(
    tmp_path: Path, django_capture_on_commit_callbacks: Any
) -> None:
    shop, photo = Shop(tmp_path), make.jpeg(colour=(200, 20, 90))
    for _ in range(4):
        make.make_dress()
    suggest.embed_catalogue()
    with django_capture_on_commit_callbacks(execute=True):
        shop.bring(row("NEW-1", photo=shop.photo("new.jpg", photo)))
    work_off()
    new = Dress.objects.get(sku="NEW-1")
    post = make.make_post(photo=new.photos.get().photo)
    tasks.tick()
    work_off()
    assert Option.objects.get(suggestion__post=post, rank=0).dress == new


def test_a_waiting_suggestion_with_a_retired_dress_is_made_anew_within_a_minute() -> None:
    dresses = [make.make_dress() for _ in range(4)]
    post = make.make_post(photo=dresses[0].photos.get().photo)
    suggest.suggest_waiting()
    dresses[0].retire()
    tasks.tick()
    assert Post.objects.get().state == Post.State.WAITING
    work_off()
    post.refresh_from_db()
    assert post.state == Post.State.PROPOSED
    assert {option.dress for option in post.suggestion.options.all()} == set(dresses[1:])
    tasks.tick()
    assert OrmQ.objects.count() == 0
