"""The demo world: what is planned, and a small one built from drawing to votes."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from dressportal.demo import dreams, people, plan, play, shoppers, world
from recommend import interactions
from recommend.models import Interaction, LikedDream, RecommenderVersion, ShopperKind, shopper_key
from tests.make import make_dress, make_employee
from tests.ml.tiny_dreamer import write_tiny_dreamer
from verify.models import Batch, Dress, Employee, Lease, Look, Post, RightsChange, Vote

NOW = datetime(2026, 11, 18, 10, tzinfo=UTC)


def test_the_plan_is_the_same_for_a_seed_whatever_the_day() -> None:
    today, tomorrow = plan.posts(NOW, 7), plan.posts(NOW + timedelta(days=1), 7)
    assert [post.dress for post in today] == [post.dress for post in tomorrow]
    ages = [NOW - post.posted_at for post in today]
    later = [NOW + timedelta(days=1) - post.posted_at for post in tomorrow]
    assert ages == later


def test_the_plan_is_that_of_a_shop_in_use() -> None:
    posts = plan.posts(NOW, 7)
    no_dress = sum(post.kind != "dress" for post in posts) / len(posts)
    assert len(posts) == 1_500
    assert 0.29 < no_dress < 0.37
    assert NOW - timedelta(days=90) <= posts[-1].posted_at < posts[0].posted_at <= NOW
    seasons = plan.seasons(NOW.date(), np.random.default_rng(7))
    assert sum(season.retired_on is not None for season in seasons) == pytest.approx(40, abs=5)
    assert any(season.available_from > NOW.date() for season in seasons)


@pytest.fixture
def small_world(monkeypatch: pytest.MonkeyPatch, settings: pytest.FixtureRequest, tmp_path: Path) -> None:
    settings.VAR, settings.RECOMMENDERS_FOLDER = tmp_path, tmp_path / "recommenders"
    for name, value in {"DRESSES": 15, "POSTS": 60, "CATALOGUE_SIZE": (96, 120)}.items():
        monkeypatch.setattr(plan, name, value)
    for name in ("DETAIL_SIZE", "STREET_SIZE"):
        monkeypatch.setattr(plan, name, (96, 120))
    monkeypatch.setattr(world, "VIEWS", (("front", (96, 120)),))
    monkeypatch.setattr(play, "BATCH", 2)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("small_world")
def test_a_small_world_is_a_portal_in_use(tmp_path: Path) -> None:
    call_command("demo")
    assert Dress.objects.count() == 15
    assert Post.objects.count() == 60
    assert Employee.objects.count() == 26
    assert Batch.objects.open().count() == 1
    assert Batch.objects.filter(state=Batch.State.CLOSED).count() >= 14
    settled = Post.objects.filter(state=Post.State.SETTLED)
    assert settled.count() > 20
    assert settled.filter(votes=None).count() == 0
    assert RightsChange.objects.count() == Post.objects.exclude(rights="unknown").count()
    assert Look.objects.count() == settled.filter(answer="dress", batch__state="closed").count()
    assert Post.objects.filter(state=Post.State.DISPUTED, trouble__contains="Skipped").count() == 5
    assert Vote.objects.count() == Lease.objects.filter(outcome=Lease.Outcome.VOTED).count()
    somebody = shopper_key(ShopperKind.USER, shoppers.key(1))
    assert set(Interaction.objects.of(somebody).values_list("kind", flat=True)) >= {Interaction.Kind.VIEW}
    assert RecommenderVersion.objects.live()
    assert people.PASSWORD in (tmp_path / "demo-accounts.txt").read_text()


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("small_world")
def test_an_interrupted_demo_goes_on_where_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(world, "play_votes", interrupted)
        with pytest.raises(KeyboardInterrupt):
            call_command("demo")
    monkeypatch.setattr(world, "draw_photos", interrupted)  # what is drawn is drawn
    call_command("demo", if_empty=True)
    assert Batch.objects.open().exists()
    votes = Vote.objects.count()
    call_command("demo", if_empty=True)
    assert Vote.objects.count() == votes > 0


@pytest.mark.django_db
def test_a_shop_s_own_data_is_left_alone() -> None:
    make_dress()
    call_command("demo", if_empty=True)
    assert not Employee.objects.exists()
    with pytest.raises(CommandError, match="empty database"):
        call_command("demo")


@pytest.mark.django_db
def test_production_gets_no_known_passwords(settings: pytest.FixtureRequest) -> None:
    settings.PRODUCTION = True
    with pytest.raises(CommandError, match="production"):
        call_command("demo", if_empty=True)
    assert not Employee.objects.exists()


@pytest.mark.django_db
def test_shoppers_have_tastes_that_ratings_show() -> None:
    """Somebody's ratings of a cut say more of those of the same cut than of any: else nothing is learnt."""
    for number in range(40):
        make_dress(photos=0, category=f"cut {number % 4}", colour=f"colour {number % 5}")
    count = shoppers.go_shopping(7, NOW)
    assert shoppers.go_shopping(7, NOW) == count == Interaction.objects.count()  # the same, stored once
    found = interactions.ratings(NOW)
    assert len(found.users) == shoppers.SHOPPERS
    cuts = np.array([(found.matrix[:, number::4] > 0).sum(axis=1) for number in range(4)])
    spread = (cuts / cuts.sum(axis=0)).max(axis=0).mean()
    assert spread > 0.35  # of an even quarter, and .3 by chance alone


@pytest.mark.django_db
def test_colleagues_like_some_dreams_where_anything_dreams(settings: Any) -> None:
    voters = [people.Voter(make_employee(), 0.9, 0.1) for _ in range(7)]
    dreams.like_some(voters, NOW, np.random.default_rng(7))
    assert not LikedDream.objects.exists()
    write_tiny_dreamer(settings.DREAM_WEIGHTS)
    dreams.like_some(voters, NOW, np.random.default_rng(7))
    assert [(row.seed, row.hearts) for row in LikedDream.objects.most_liked()] == [
        (2, 7),
        (3, 6),
        (7, 4),
        (11, 2),
        (16, 1),
    ]
