"""Builds the demo world: plan, draw, store, let DeepDress propose, let the office vote and shoppers shop."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

import numpy as np
from django.conf import settings
from django.db import transaction
from django.db.models import OuterRef, Subquery
from django.utils import timezone
from rich.progress import Progress, track

from dressportal.demo import asking, care, dreams, people, plan, play, shoppers, spoilt
from dressportal.demo.draw import WARDROBE_SEED, Order, draw_all
from ml.synthetic import Wardrobe
from recommend import nightly
from verify import looking, refit, rotation, suggest, verdicts, watch
from verify.intake.photos import Prepared, store_prepared
from verify.models import Batch, Dress, DressPhoto, Employee, Look, Photo, Post, Suggestion

VIEWS = (("front", plan.CATALOGUE_SIZE), ("back", plan.DETAIL_SIZE), ("detail", plan.DETAIL_SIZE))
FIRST_ID = 17_900_000_000_000_000  # as long as Instagram's
SKIPPED = 5  # posts of today that nobody dares to judge: they go to an admin
TODAYS_SHARE = 0.3  # of the open batch that people have been through this morning


@dataclass(frozen=True)
class Drafts:
    """The plan and its photos, drawn but not stored."""

    now: datetime
    posts: list[plan.PlannedPost]
    catalogue_photos: list[Prepared]
    post_photos: list[Prepared]


def is_empty() -> bool:
    return not any(model.objects.exists() for model in (Dress, Post, Employee))


def is_half_built() -> bool:
    """Whether an earlier attempt was interrupted before the votes were played."""
    return people.hired().exists() and not Batch.objects.exists()


def build(seed: int) -> None:
    """Make the demo world in an empty database, or go on where an earlier attempt was interrupted."""
    rng = np.random.default_rng(seed)
    if is_empty():
        drafts = draw_photos(seed)
        with transaction.atomic():
            people.hire()
            store_catalogue(drafts, rng)
            store_posts(drafts)
            spoilt.store_spoilt(drafts.now)
    propose()
    with transaction.atomic():
        office = play.Office(people.voters(seed), what_posts_show(seed), rng)
        play_votes(office, kinds_of_posts(seed), timezone.now(), rng)
        shoppers.go_shopping(seed, timezone.now())
        dreams.like_some(office.voters, timezone.now(), rng)
    nightly.fit(settings.RECOMMEND_METHOD, lambda line: None)


def draw_photos(seed: int) -> Drafts:
    now = timezone.now()
    posts = plan.posts(now, seed)
    catalogue = [Order(view, dress, size, seed) for dress in range(plan.DRESSES) for view, size in VIEWS]
    street = [Order(post.kind, post.dress, plan.STREET_SIZE, seed + post.number) for post in posts]
    orders = catalogue + street
    drawn = list(track(draw_all(orders), "Drawing the photos   ", total=len(orders)))
    return Drafts(now, posts, drawn[: len(catalogue)], drawn[len(catalogue) :])


def store_catalogue(drafts: Drafts, rng: np.random.Generator) -> None:
    wardrobe = Wardrobe(WARDROBE_SEED)
    seasons = plan.seasons(drafts.now.date(), rng)
    dresses = Dress.objects.bulk_create(
        _dress(wardrobe, index, season) for index, season in enumerate(seasons)
    )
    photos = store_photos(drafts.catalogue_photos, "Storing the catalogue")
    DressPhoto.objects.bulk_create(
        {
            (dress.pk, photo.pk): DressPhoto(dress=dress, photo=photo, position=position)
            for dress, views in zip(dresses, zip(*[iter(photos)] * len(VIEWS), strict=True), strict=True)
            for position, photo in enumerate(views)
        }.values()
    )


def _dress(wardrobe: Wardrobe, index: int, season: plan.Season) -> Dress:
    drawn = wardrobe.dress(index)
    return Dress(
        sku=f"{drawn.designer[:2].upper()}-{1000 + index}",
        title=drawn.title(),
        designer=drawn.designer,
        category=drawn.category,
        colour=drawn.colour_name,
        price=Decimal(drawn.price),
        available_from=season.available_from,
        retired_on=season.retired_on,
    )


def store_photos(prepared: list[Prepared], what: str) -> list[Photo]:
    return [store_prepared(photo) for photo in track(prepared, what)]


def store_posts(drafts: Drafts) -> None:
    photos = store_photos(drafts.post_photos, "Storing the posts    ")
    posts = Post.objects.bulk_create(
        Post(
            external_id=str(FIRST_ID + planned.number),
            permalink=f"https://www.instagram.com/p/demo{planned.number:05d}/",
            username=planned.username,
            caption=planned.caption,
            posted_at=planned.posted_at,
            like_count=planned.like_count,
            rights=planned.rights,
            photo=photo,
        )
        for planned, photo in zip(drafts.posts, photos, strict=True)
    )
    asking.ask(posts, drafts.now)


def what_posts_show(seed: int) -> dict[int, int | None]:
    """By pk of the post: the pk of a dress, 0 for one that is not listed, None for no dress."""
    dresses = list(Dress.objects.order_by("pk").values_list("pk", flat=True))
    posts = dict(Post.objects.values_list("external_id", "pk"))
    return {
        posts[str(FIRST_ID + planned.number)]: _shown(planned, dresses)
        for planned in plan.posts(timezone.now(), seed)
    }


def kinds_of_posts(seed: int) -> dict[int, str]:
    """By pk of the post: "dress", or which kind of something else."""
    posts = dict(Post.objects.values_list("external_id", "pk"))
    planned_posts = plan.posts(timezone.now(), seed)
    return {posts[str(FIRST_ID + planned.number)]: planned.kind for planned in planned_posts}


def _shown(planned: plan.PlannedPost, dresses: list[int]) -> int | None:
    if planned.kind != "dress" or planned.dress is None:
        return None
    return dresses[planned.dress] if planned.dress < plan.DRESSES else 0


def propose() -> None:
    """Let DeepDress propose for every post, as if it had done so when the post came in."""
    with looking.waited_for(), Progress() as progress:
        photos = progress.add_task("DeepDress, catalogue ", total=DressPhoto.objects.count())
        suggest.embed_catalogue(progress=lambda count: progress.advance(photos, count))
        waiting = Post.objects.filter(state=Post.State.WAITING).count()
        posts = progress.add_task("DeepDress, posts     ", total=waiting)
        suggest.suggest_waiting(progress=lambda count: progress.advance(posts, count))
    posted_at = Post.objects.filter(pk=OuterRef("post")).values("posted_at")[:1]
    Suggestion.objects.update(created_at=Subquery(posted_at))


def play_votes(office: play.Office, kinds: dict[int, str], now: datetime, rng: np.random.Generator) -> None:
    posts = Post.objects.filter(state=Post.State.PROPOSED).select_related("suggestion")
    play.play_history(office, list(posts.prefetch_related("suggestion__options")), now)
    admin = Employee.objects.get(username=people.ADMIN)
    play.publish_closed_batches()
    rotation.rotate(now=now)
    play.clear_looks(list(Look.objects.filter(published_at__lt=now - timedelta(days=4))), admin, rng)
    care.decide_some(office, admin, rng)
    care.answer_known_cards(office, now, rng)
    refit.refit(now - timedelta(hours=5))
    play_this_morning(office, now)
    care.name_some(office, now)
    care.remark(kinds, now, rng)
    verdicts.confirm_all(Post.objects.to_confirm(), now)
    watch.watch(now)


def play_this_morning(office: play.Office, now: datetime) -> None:
    batch = Batch.objects.open().get()
    played = play.Played()
    posts = list(
        batch.posts.filter(votes=None).select_related("suggestion").prefetch_related("suggestion__options")
    )
    for post in posts:
        if office.rng.random() < TODAYS_SHARE:
            office.play(post, batch, now - timedelta(hours=2), now - timedelta(minutes=2), 4, played)
    played.store()
    rotation.settle_due(now)
    for post in Post.objects.filter(batch=batch, leases=None)[:SKIPPED]:
        office.skip(post, now)
