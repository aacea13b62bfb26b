"""JSON lines become posts: once, again, and with every mistake that files have."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone as clock
from django_q.models import OrmQ

from tests.make import jpeg, make_dress, make_employee, make_suggestion
from tests.verify.intake.pictures import encoded, noise
from verify.intake import posts
from verify.intake.copies import digest
from verify.intake.fetch import FetchRefused
from verify.intake.posts import import_posts
from verify.intake.rows import FileUnusable, Outcome, Refusal
from verify.models import Lease, Photo, Post, RightsChange, Vote

WHEN = "2026-05-31T12:00:00+0000"


class Feed:
    """A folder with a file of posts in it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.file = folder, folder / "posts.jsonl"
        self.photo("a.jpg")

    def photo(self, name: str, data: bytes | None = None) -> str:
        (self.folder / name).write_bytes(data or jpeg())
        return name

    def write(self, *rows: dict[str, Any] | bytes) -> None:
        lines = [line if isinstance(line, bytes) else json.dumps(line).encode() for line in rows]
        self.file.write_bytes(b"\n".join(lines) + b"\n")

    def bring(self, *rows: dict[str, Any] | bytes, **options: Any) -> list[Outcome]:
        if rows:
            self.write(*rows)
        return list(import_posts(self.file, **{"fetch": no_fetch, **options}))


def no_fetch(url: str) -> bytes:
    pytest.fail(f"fetched {url}")


@pytest.fixture
def feed(tmp_path: Path) -> Feed:
    return Feed(tmp_path)


def post(number: str = "1", **fields: Any) -> dict[str, Any]:
    return {"id": number, "timestamp": WHEN, "media_type": "IMAGE", "file": "a.jpg", **fields}


def counts(outcomes: list[Outcome]) -> dict[str, int]:
    return dict(Counter(outcome.kind for outcome in outcomes))


def refused(outcomes: list[Outcome]) -> list[tuple[int, str, str, str]]:
    return [(o.line, o.column, o.value, o.reason) for o in outcomes if isinstance(o, Refusal)]


# Good files


@pytest.mark.django_db
def test_stores_every_field(feed: Feed) -> None:
    feed.bring(
        post(
            permalink="https://www.instagram.com/p/B1/",
            username="anna",
            caption="Tanzen 💃 #ootd",
            like_count=7,
        )
    )
    stored = Post.objects.get()
    assert (stored.source, stored.external_id, stored.media_type) == ("instagram", "1", "IMAGE")
    assert (stored.permalink, stored.username) == ("https://www.instagram.com/p/B1/", "anna")
    assert (stored.caption, stored.like_count) == ("Tanzen 💃 #ootd", 7)
    assert stored.posted_at == datetime(2026, 5, 31, 12, tzinfo=UTC)
    assert (stored.rights, stored.state) == (Post.Rights.UNKNOWN, Post.State.WAITING)
    assert stored.photo.sha256 == digest((feed.folder / "a.jpg").read_bytes())


@pytest.mark.django_db
def test_a_second_run_changes_nothing(feed: Feed, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [post("1", caption="one"), post("2", file=None, media_url="https://cdn.example/2.jpg")]
    assert counts(feed.bring(*rows, fetch=lambda url: jpeg())) == {"new": 2}
    before = list(Post.objects.values())
    monkeypatch.setattr("verify.intake.photos.prepare", lambda data: pytest.fail("decoded again"))
    assert counts(feed.bring()) == {"unchanged": 2}
    assert list(Post.objects.values()) == before


@pytest.mark.django_db
def test_a_changed_line_updates_and_what_it_does_not_state_stays(feed: Feed) -> None:
    feed.bring(post("1", username="anna", caption="one", like_count=1), post("2"))
    outcomes = feed.bring(post("1", caption="two", like_count=5), post("2"))
    assert counts(outcomes) == {"changed": 1, "unchanged": 1}
    stored = Post.objects.get(external_id="1")
    assert (stored.username, stored.caption, stored.like_count) == ("anna", "two", 5)


@pytest.mark.django_db
def test_a_known_post_takes_new_likes_without_fetching_its_newly_signed_photo(feed: Feed) -> None:
    row = post(file=None, like_count=1, media_url="https://cdn.example/1.jpg?oe=1")
    feed.bring(row, fetch=lambda url: jpeg())
    again = {**row, "like_count": 2, "media_url": "https://cdn.example/1.jpg?oe=2"}
    assert counts(feed.bring(again)) == {"changed": 1}
    assert Post.objects.get().like_count == 2


@pytest.mark.django_db
def test_the_same_id_of_another_source_is_another_post(feed: Feed) -> None:
    feed.bring(post())
    assert counts(feed.bring(source="reviews")) == {"new": 1}
    assert set(Post.objects.values_list("source", flat=True)) == {"instagram", "reviews"}


@pytest.mark.django_db
def test_rights_change_only_when_they_are_stated(feed: Feed) -> None:
    feed.bring(post("1"), rights="granted")
    assert counts(feed.bring(post("1"), post("2"))) == {"unchanged": 1, "new": 1}
    assert dict(Post.objects.values_list("external_id", "rights")) == {"1": "granted", "2": "unknown"}
    assert counts(feed.bring(rights="requested")) == {"changed": 2}
    assert set(Post.objects.values_list("rights", flat=True)) == {"requested"}


@pytest.mark.django_db
@pytest.mark.parametrize("no", ["refused", "revoked"])
def test_no_import_makes_a_yes_of_a_no(feed: Feed, no: str) -> None:
    feed.bring(post("1"), rights=no)
    assert counts(feed.bring(rights="granted")) == {"unchanged": 1}
    assert Post.objects.get().rights == no


@pytest.mark.django_db
def test_a_no_that_comes_while_the_batch_is_written_stays(feed: Feed) -> None:
    feed.bring(post("1"))
    known = Post.objects.get()
    Post.objects.update(rights="revoked")
    assert RightsChange.objects.make([known], "granted", "As it was read.") == []
    assert Post.objects.get().rights == "revoked"


@pytest.mark.django_db
def test_an_album_is_a_post_per_picture(feed: Feed) -> None:
    children = [
        {"id": "11", "media_type": "IMAGE", "media_url": "https://cdn.example/11.jpg"},
        {"id": "12", "media_type": "VIDEO", "media_url": "https://cdn.example/12.mp4"},
        {"id": "13", "media_type": "IMAGE", "file": "a.jpg"},
        {"id": "14", "media_type": "IMAGE"},
        "no medium",
    ]
    album = post("10", media_type="CAROUSEL_ALBUM", caption="us", file=None, children={"data": children})
    outcomes = feed.bring(album, fetch=lambda url: jpeg())
    assert counts(outcomes) == {"new": 2, "refused": 2}
    assert set(Post.objects.values_list("external_id", "caption", "media_type")) == {
        ("11", "us", "CAROUSEL_ALBUM"),
        ("13", "us", "CAROUSEL_ALBUM"),
    }
    assert counts(feed.bring()) == {"unchanged": 2, "refused": 2}


@pytest.mark.django_db
@pytest.mark.parametrize("start", [b"\xef\xbb\xbf", b"\n \n"])
def test_a_byte_order_mark_and_empty_lines_do_no_harm(feed: Feed, start: bytes) -> None:
    feed.file.write_bytes(start + json.dumps(post(timestamp=1780228800)).encode())
    assert counts(feed.bring()) == {"new": 1}


@pytest.mark.django_db
def test_the_worker_hears_of_new_posts_once_per_batch(
    feed: Feed, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        feed.bring(post("1"), post("2"), post("3"), batch_rows=2)
    assert [task.func() for task in OrmQ.objects.all()] == ["verify.tasks.suggest_waiting"] * 2
    with django_capture_on_commit_callbacks(execute=True):
        feed.bring(post("1", caption="new"))
    assert OrmQ.objects.count() == 2


# Another photo for a post that is known


def judged(stored: Post) -> None:
    leased(stored)
    lease = Lease.objects.get()
    Vote.objects.create(
        post=stored,
        employee=lease.employee,
        suggestion=lease.suggestion,
        answer="not_a_dress",
        created_at=clock.now(),
    )


def leased(stored: Post) -> None:
    now = clock.now()
    suggestion = make_suggestion(stored, [make_dress()], (0.5,))
    Lease.objects.create(
        post=stored,
        employee=make_employee(),
        suggestion=suggestion,
        created_at=now,
        expires_at=now + timedelta(minutes=10),
    )


def claimed(stored: Post) -> None:
    Post.objects.update(claimed_until=clock.now() + timedelta(minutes=1))


def settled(stored: Post) -> None:
    Post.objects.update(state="settled", answer="not_a_dress", settled_at=clock.now())


def untouched(stored: Post) -> None:
    Post.objects.update(state="proposed", attempts=1)


def set_aside(stored: Post) -> None:
    Post.objects.update(state="set_aside", attempts=3, trouble="It cannot be decoded.")


@pytest.mark.django_db
@pytest.mark.parametrize("before", [judged, leased, claimed, settled])
def test_keeps_the_photo_that_people_or_the_model_look_at(feed: Feed, before: Callable[[Post], None]) -> None:
    feed.bring(post())
    before(Post.objects.get())
    state = Post.objects.values().get()
    feed.photo("a.jpg")
    outcomes = feed.bring(post(caption="new"))
    [(line, column, value, reason)] = refused(outcomes)
    assert (line, column, value) == (1, "file", "a.jpg")
    assert "keeps its own" in reason
    assert Post.objects.values().get() == state


@pytest.mark.django_db
@pytest.mark.parametrize("before", [untouched, set_aside])
def test_another_photo_waits_for_a_suggestion_anew(feed: Feed, before: Callable[[Post], None]) -> None:
    feed.bring(post())
    before(Post.objects.get())
    former = Photo.objects.get()
    feed.photo("a.jpg")
    assert counts(feed.bring()) == {"changed": 1}
    stored = Post.objects.get()
    assert (stored.state, stored.attempts, stored.trouble) == ("waiting", 0, "")
    assert stored.photo.sha256 == digest((feed.folder / "a.jpg").read_bytes())
    assert not Photo.objects.filter(pk=former.pk).exists()


# Bad files


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("bad", "column", "reason"),
    [
        (b'{"id": "X", ', "", "not JSON"),
        (b"[1, 2]", "", "Expected a JSON object"),
        (b'{"id": "\xff"}', "", "not JSON"),
        (b"[" * 100_000, "", "not JSON"),
        (b'{"id": NaN}', "", "NaN is no number"),
        (b'{"id": ' + b"9" * 5000 + b"}", "", "not JSON"),
        ({"timestamp": WHEN, "file": "a.jpg"}, "id", "required"),
        (post(None), "id", "null"),
        (post(1.79e16), "id", "Not a valid string"),
        (post("x" * 121), "id", "120 characters"),
        (post("X\0"), "id", "Null characters"),
        (post("X", caption="\ud800"), "caption", "urrogate"),
        (post("X", caption={"text": "no"}), "caption", "Not a valid string"),
        (post("X", timestamp="yesterday"), "timestamp", "Expected a time"),
        (post("X", timestamp=None), "timestamp", "null"),
        (post("X", media_type="STORY"), "media_type", "not a valid choice"),
        (post("X", like_count=-1), "like_count", "greater than or equal to 0"),
        (post("X", like_count=2**31), "like_count", "less than or equal"),
        (post("X", like_count="many"), "like_count", "valid integer"),
        (post("X", permalink="javascript:alert(1)"), "permalink", "valid URL"),
        (post("X", file=None), "media_url", "post without media"),
        (post("X", file="", media_url=""), "media_url", "post without media"),
        (
            post("X", file=None, media_type="VIDEO", media_url="https://a.example/v.mp4"),
            "media_url",
            "video without a photo",
        ),
        (post("X", file=None, media_type="CAROUSEL_ALBUM"), "media_url", "album without media"),
        (post("X", children=[1]), "children", "Expected"),
        (post("X", children={"data": [{"id": "2", "media_type": "VIDEO"}]}), "children", "without a photo"),
        (post("X", file="gone.jpg"), "file", "no such file"),
        (post("X", file="../a.jpg"), "file", "outside"),
        (post("X", file="page.jpg"), "file", "text"),
        (post("X", file="half.jpg"), "file", "cut short"),
        (post("X", file=None, media_url="https://a.example/1.jpg"), "media_url", "answered 403"),
        (post("X", file=None, media_url="no address"), "media_url", "answered 403"),
        (post("1", caption="another"), "id", "on line 1 already"),
    ],
    ids=lambda value: None if isinstance(value, str) else "",
)
def test_a_bad_line_is_refused_alone(feed: Feed, bad: Any, column: str, reason: str) -> None:
    def gone(url: str) -> bytes:
        raise FetchRefused("the server answered 403")

    feed.photo("page.jpg", b"<html>")
    feed.photo("half.jpg", encoded(noise())[:2000])
    outcomes = feed.bring(post("1"), bad, post("2"), fetch=gone)
    assert counts(outcomes) == {"new": 2, "refused": 1}
    [(line, at, _, why)] = refused(outcomes)
    assert (line, at) == (2, column)
    assert reason in why
    assert "\n" not in why


@pytest.mark.django_db
@pytest.mark.parametrize(
    "address", ["http://127.0.0.1/a.jpg", "http://169.254.169.254/a.jpg", "file:///a.jpg"]
)
def test_addresses_are_guarded(feed: Feed, address: str) -> None:
    feed.write(post(file=None, media_url=address))
    [(_, column, value, _)] = refused(list(import_posts(feed.file)))
    assert (column, value) == ("media_url", address)


@pytest.mark.django_db
def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileUnusable, match="No such file"):
        list(import_posts(tmp_path / "none.jsonl"))


@pytest.mark.django_db
def test_no_more_lines_are_held_than_a_batch_has(feed: Feed, monkeypatch: pytest.MonkeyPatch) -> None:
    feed.write(*(post(str(number)) for number in range(300)))
    alive = most = 0
    drafts, store_batch = posts._drafts, posts.take_in

    def counted(*args: Any) -> Iterator[Any]:
        nonlocal alive, most
        for draft in drafts(*args):
            alive += 1
            most = max(most, alive)
            yield draft

    def stored(batch: list[Any], *rest: Any) -> list[Outcome]:
        nonlocal alive
        alive -= len(batch)
        return store_batch(batch, *rest)

    monkeypatch.setattr(posts, "_drafts", counted)
    monkeypatch.setattr(posts, "take_in", stored)
    assert counts(feed.bring(batch_rows=20)) == {"new": 300}
    assert most == 20 + 1  # by the first of the next line one knows that a line has ended


@pytest.mark.concurrency
@pytest.mark.django_db(transaction=True)
def test_two_imports_at_once_store_each_post_once(feed: Feed) -> None:
    feed.write(*(post(str(number)) for number in range(20)))

    def bring(_: int) -> Counter[str]:
        try:
            return Counter(outcome.kind for outcome in import_posts(feed.file, batch_rows=3))
        finally:
            connection.close()

    with ThreadPoolExecutor(3) as pool:
        assert sum(pool.map(bring, range(3)), Counter()) == {"new": 20, "unchanged": 40}
