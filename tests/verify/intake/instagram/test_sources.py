"""Sources are read to their end, page by page, and nothing is missed or stored twice."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from django_q.models import OrmQ

from dressportal.demo.fake_graph import USER, FakeGraph, Fault, Refused, World
from tests.verify.intake.instagram.portal import (
    expected_ids,
    make_due,
    make_source,
    read_all,
    stored_ids,
)
from verify import tasks
from verify.intake import sources
from verify.models import InstagramAccount, Notice, Photo, Post, RefusedMedia, Source

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("short_pages", "no_pauses")]


def media_calls(world: World) -> int:
    return sum("/tags" in call or "_media" in call for call in world.calls)


def test_tagged_posts_come_in_with_all_that_is_known_of_them(instagram: FakeGraph, world: World) -> None:
    source = make_source("tagged")
    assert read_all() == 1
    post = Post.objects.get(external_id=world.stored_as(5)[0])
    assert (post.source, post.media_type, post.username) == ("instagram", "IMAGE", "customer.5")
    assert post.caption == "Post 5 💃 #dress"
    assert post.permalink == "https://www.instagram.com/p/F5/"
    assert (post.like_count, post.comments_count) == (35, 5)
    assert int(post.posted_at.timestamp()) == world.posted_at(5)
    assert (post.rights, post.state) == (Post.Rights.UNKNOWN, Post.State.WAITING)
    assert post.photo.width == 40
    source.refresh_from_db()
    assert (source.seen, source.new, source.last_error) == (12, 12, "")
    assert source.next_run_at > timezone.now() + timedelta(minutes=59)
    assert set(stored_ids()) == expected_ids(world)


def test_a_video_is_a_post_without_photo_and_an_album_one_per_photo(
    instagram: FakeGraph, world: World
) -> None:
    world.grow(4)
    make_source("hashtag_top", "dress")
    read_all()
    video = Post.objects.get(external_id=world.stored_as(7)[0])
    assert (video.photo, video.state, video.media_type) == (None, Post.State.SET_ASIDE, "VIDEO")
    assert "video" in video.trouble
    album = Post.objects.filter(external_id__in=world.stored_as(13))
    assert {post.media_type for post in album} == {"CAROUSEL_ALBUM"}
    assert len({post.photo_id for post in album}) == 2
    assert Post.objects.count() == 17
    hidden = Post.objects.get(external_id=world.stored_as(11)[0])
    assert (hidden.like_count, hidden.username) == (None, "")  # neither is told of hashtags


@pytest.mark.parametrize("kind", ["tagged", "hashtag_top", "hashtag_recent"])
def test_many_pages_are_read_to_the_last_though_a_cursor_repeats(
    instagram: FakeGraph, world: World, kind: str
) -> None:
    world.mixed = False
    world.grow(13)  # 25: three pages
    make_source(kind, "" if kind == "tagged" else "dress")
    read_all()
    assert set(stored_ids()) == expected_ids(world)
    assert media_calls(world) == 3


def test_recent_media_reach_back_a_day(instagram: FakeGraph, world: World) -> None:
    world.spacing = 4 * 3600
    make_source("hashtag_recent", "dress")
    read_all()
    assert {post.posted_at > timezone.now() - timedelta(days=1) for post in Post.objects.all()} == {True}
    assert Post.objects.count() == 6


def test_what_is_known_is_not_downloaded_again_and_the_sweep_ends_there(
    instagram: FakeGraph, world: World
) -> None:
    world.mixed = False
    world.grow(13)
    make_source("tagged")
    read_all()
    world.grow(3)
    world.calls.clear()
    sent = world.photos_sent
    make_due()
    read_all()
    assert set(stored_ids()) == expected_ids(world)
    assert world.photos_sent - sent == 3
    assert media_calls(world) == 2  # the second page holds nothing new


def test_the_same_post_by_two_sources_is_one(instagram: FakeGraph, world: World) -> None:
    tagged, top = make_source("tagged"), make_source("hashtag_top", "dress")
    read_all()
    tagged.refresh_from_db()
    top.refresh_from_db()
    assert (tagged.new, top.new, top.seen) == (12, 0, 12)
    assert len(stored_ids()) == 12


def test_a_long_source_takes_turns(instagram: FakeGraph, world: World, settings: Any) -> None:
    settings.INTAKE_TURN = timedelta(0)
    world.mixed = False
    world.grow(13)
    make_source("tagged")
    assert read_all() == 3
    assert set(stored_ids()) == expected_ids(world)
    assert media_calls(world) == 3


def test_pages_are_capped(instagram: FakeGraph, world: World, settings: Any) -> None:
    settings.INSTAGRAM_PAGES = 2
    world.mixed = False
    world.grow(13)
    make_source("tagged")
    read_all()
    assert Post.objects.count() == 20


def test_a_place_that_is_not_known_any_more_is_begun_again(instagram: FakeGraph, world: World) -> None:
    world.mixed = False
    world.grow(13)
    source = make_source("tagged", cursor=f"{instagram.url}/17841400000000001/tags?after=old", pages=4)
    world.faults.append(Fault("/tags", "error", error=Refused(100, "Invalid cursor")))
    read_all()
    source.refresh_from_db()
    assert set(stored_ids()) == expected_ids(world)
    assert source.last_error == ""


def test_a_stored_place_leads_to_no_other_server(instagram: FakeGraph, world: World) -> None:
    make_source("tagged", cursor="http://elsewhere.example/v26.0/17841400000000001/tags?fields=id")
    read_all()
    assert [call for call in world.calls if "tags" in call] == ["/v26.0/17841400000000001/tags"]


# Photos that cannot be had


def test_a_photo_that_fails_for_now_comes_in_with_the_next_sweep(instagram: FakeGraph, world: World) -> None:
    source = make_source("tagged")
    for kind in ("cut", "hang up", "status"):
        world.faults.append(Fault("/media/", kind))
    read_all()
    assert Post.objects.count() == 9
    assert RefusedMedia.objects.count() == source.refused.count() == 3
    source.refresh_from_db()
    assert source.thorough
    make_due()
    read_all()
    assert set(stored_ids()) == expected_ids(world)
    assert RefusedMedia.objects.count() == 0


def test_a_damaged_photo_is_refused_once_and_a_gone_one_three_times(
    instagram: FakeGraph, world: World
) -> None:
    source = make_source("tagged")
    world.gone.add(3)
    world.faults.append(Fault("/media/30.", "damaged"))  # in the list still, as the next one is not
    world.gone.clear()
    world.faults.append(Fault("/media/50.", "status", times=99, status=404))
    asked = []
    for _ in range(5):
        before = world.photos_sent
        make_due()
        read_all()
        asked.append(world.photos_sent - before)
    refused = {row.external_id: row for row in source.refused.all()}
    assert "picture" in refused[world.stored_as(3)[0]].reason
    assert "404" in refused[world.stored_as(5)[0]].reason
    assert {row.attempts for row in refused.values()} == {3}
    assert [fault.times for fault in world.faults] == [0, 96]
    assert asked[1:] == [0, 0, 0, 0]


def test_an_address_that_has_expired_is_refused_and_a_fresh_one_taken(
    instagram: FakeGraph, world: World
) -> None:
    world.media_life = -10
    make_source("tagged")
    read_all()
    assert Post.objects.exclude(photo=None).count() == 0
    assert "403" in RefusedMedia.objects.first().reason
    world.media_life = 3600
    make_due()
    read_all()
    assert set(stored_ids()) == expected_ids(world)


# One worker a source


def test_a_source_that_somebody_reads_is_nobody_elses(instagram: FakeGraph) -> None:
    source = make_source("tagged")
    claimed = Source.objects.claim_next(timezone.now())
    assert claimed == source
    assert sources.read_next() == 0
    Source.objects.update(claimed_until=timezone.now() - timedelta(seconds=1))  # it fell silent
    assert sources.read_next() == 1
    with pytest.raises(Exception, match="taken over"):
        claimed.advance(timezone.now(), 1, 1, "", False)


def test_disabled_sources_and_a_portal_without_a_token_ask_nothing(
    instagram: FakeGraph, world: World, settings: Any
) -> None:
    source = make_source("tagged", enabled=False)
    tasks.tick()
    assert OrmQ.objects.count() == 0
    Source.objects.update(enabled=True)
    settings.INSTAGRAM_USER = ""
    assert not sources.work_waits(timezone.now())
    assert world.calls == []
    settings.INSTAGRAM_USER = USER
    tasks.tick()
    assert [row.func() for row in OrmQ.objects.all()] == ["verify.tasks.read_sources"]
    tasks.read_sources()
    source.refresh_from_db()
    assert source.new == 12


def test_the_errors_of_one_source_do_not_stop_another(instagram: FakeGraph, world: World) -> None:
    unknown, tagged = make_source("hashtag_top", "unknowntag"), make_source("tagged")
    read_all()
    unknown.refresh_from_db()
    tagged.refresh_from_db()
    assert "24" in unknown.last_error
    assert unknown.failures == 1
    assert tagged.new == 12
    assert InstagramAccount.load().stopped_at is None
    assert not Notice.objects.exists()
    assert Photo.objects.unused().count() == 0
