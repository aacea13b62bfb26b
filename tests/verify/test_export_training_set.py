"""``manage.py export_training_set``: what goes out, where, and what stays at home."""

import hashlib
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from django.core.files.storage import default_storage
from django.core.management import CommandError
from django.utils import timezone

from ml.train_embedder import Options, train
from tests.make import (
    NOON,
    jpeg,
    make_admin,
    make_dress,
    make_employee,
    make_open_posts,
    make_photo,
    make_post,
)
from tests.verify.training_sets import a_look, content, lines, posts_of, run, stored
from verify import export, training_export
from verify.models import DressPhoto, Flag, Photo, Post
from verify.training_export import Choice

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def the_same_draws(settings: Any) -> None:
    settings.SECRET_KEY = "by which people and dresses draw their splits"


def test_the_catalogue_looks_and_negatives_go_out(tmp_path: Path) -> None:
    worn, retired = make_dress("AU-1", photos=2), make_dress("BE-2", retired_on=NOON.date())
    look, puppy = a_look(worn, username="ruby"), a_look(None, username="pearl", confidence=0.99)
    review = a_look(retired, username="opal", source="reviews")
    said, complained = run(tmp_path)
    assert lines(tmp_path) == [
        {"photo": content(photo.photo), "dress": sku, "role": "catalogue", "split": "train", "weight": 1.0}
        for sku, photo in [
            *(("AU-1", photo) for photo in worn.photos.all()),
            ("BE-2", retired.photos.get()),
        ]
    ] + [
        {"photo": content(look.photo), "dress": "AU-1", "role": "look", "split": "train", "weight": 0.97},
        {"photo": content(puppy.photo), "dress": None, "role": "negative", "split": "train", "weight": 0.99},
        {"photo": content(review.photo), "dress": "BE-2", "role": "review", "split": "train", "weight": 0.97},
    ]
    for row in lines(tmp_path):
        assert hashlib.sha256((tmp_path / row["photo"]).read_bytes()).hexdigest() in row["photo"]
    assert "catalogue │ 3" in said
    assert "6 photos in" in said
    assert complained == ""


def test_an_admins_word_weighs_one_and_is_tested_on(tmp_path: Path) -> None:
    ada, dress = make_admin(), make_dress()
    decided, disputed, audited = a_look(dress), a_look(dress, was_disputed=True), a_look(dress, audit=True)
    for post in (decided, disputed):
        post.override("dress", dress, ada)
    run(tmp_path)
    found = {row["photo"]: (row["weight"], row["split"]) for row in posts_of(tmp_path)}
    assert found == {
        content(decided.photo): (1.0, "test"),
        content(disputed.photo): (1.0, "train"),
        content(audited.photo): (0.97, "test"),
    }


def test_posts_without_a_sure_answer_stay(tmp_path: Path) -> None:
    dress = make_dress()
    make_open_posts(2, dresses=[dress])
    make_post()
    make_post().dispute("Nine votes, and no answer sure enough.")
    make_post().override("none_of_these", None, make_admin())
    said, _ = run(tmp_path)
    assert posts_of(tmp_path) == []
    assert "not settled │ 4" in said
    assert "none of the dresses offered │ 1" in said


@pytest.mark.parametrize("rights", ["refused", "revoked"])
def test_a_photo_whose_owner_said_no_stays_under_whatever_post(tmp_path: Path, rights: str) -> None:
    dress, photo = make_dress(), make_photo()
    a_look(dress, photo=photo, username="ruby", rights=rights)
    a_look(dress, photo=photo, username="pearl", rights="granted")
    a_look(dress, photo=a_copy(stored(photo)), username="opal", rights="granted")
    make_post(photo=(unsettled := make_photo()), rights=rights)
    a_look(dress, photo=unsettled, username="jade")
    asked = a_look(dress, rights="requested")
    said, _ = run(tmp_path, 0, "--unanswered")
    assert [row["photo"] for row in posts_of(tmp_path)] == [content(asked.photo)]
    assert not (tmp_path / content(photo)).exists()
    assert not (tmp_path / content(unsettled)).exists()
    assert "the owner said no, or flagged as unfit │ 4" in said


def test_a_photo_whose_owner_has_not_said_yes_goes_out_where_asked_for(tmp_path: Path) -> None:
    dress = make_dress()
    granted, asked, unknown = (a_look(dress, rights=word) for word in ("granted", "requested", "unknown"))
    said, _ = run(tmp_path)
    assert [row["photo"] for row in posts_of(tmp_path)] == [content(granted.photo)]
    assert "has not said yes │ 2" in said
    run(tmp_path, 0, "--unanswered")
    assert {row["photo"] for row in posts_of(tmp_path)} == {
        content(post.photo) for post in (granted, asked, unknown)
    }


def a_copy(data: bytes) -> Photo:
    """The same bytes stored, though others were received: a tag in the file differed."""
    photo = make_photo(data + b"another tag")
    with default_storage.open(photo.large.name, "wb") as file:
        file.write(data)
    return photo


def test_a_revoked_photo_is_gone_with_the_next_export(tmp_path: Path) -> None:
    dress = make_dress()
    ruby, pearl = a_look(dress, username="ruby"), a_look(dress, username="pearl")
    own = tmp_path / "photos" / "mine.jpg"
    run(tmp_path)
    own.write_bytes(b"not an export's")
    Post.objects.filter(pk=ruby.pk).update(rights="revoked")
    run(tmp_path)
    assert not (tmp_path / content(ruby.photo)).exists()
    assert (tmp_path / content(pearl.photo)).exists()
    assert own.exists()
    assert default_storage.exists(ruby.photo.large.name)


def test_who_says_no_during_the_export_is_heard(tmp_path: Path) -> None:
    post = a_look(make_dress())

    def track(rows: Any, doing: str, total: int) -> Any:
        yield from rows
        if doing == "Posts":
            Post.objects.update(rights="revoked")

    training_export.write(tmp_path, Choice(held_out=0), track)
    assert posts_of(tmp_path) == []
    assert not (tmp_path / content(post.photo)).exists()


def test_a_refused_photo_is_not_even_gathered(tmp_path: Path) -> None:
    dress, photo = make_dress(), make_photo()
    a_look(dress, photo=photo, username="ruby", rights="refused")
    a_look(dress, photo=photo, username="pearl")
    gathered: list[bool] = []

    def track(rows: Any, doing: str, total: int) -> Any:
        yield from rows
        gathered.append((tmp_path / content(photo)).exists())

    training_export.write(tmp_path, Choice(held_out=0), track)
    assert gathered == [False, False]


@pytest.mark.parametrize(("reason", "goes"), [("child", 0), ("revealing", 0), ("bad_photo", 1)])
def test_a_photo_flagged_as_unfit_stays(tmp_path: Path, reason: str, goes: int) -> None:
    post = a_look(make_dress())
    Flag.objects.create(post=post, employee=make_employee("vera"), reason=reason, created_at=timezone.now())
    run(tmp_path)
    assert len(posts_of(tmp_path)) == goes


def test_nothing_but_photos_and_ids_goes_out(tmp_path: Path) -> None:
    out = tmp_path / "set"
    dress = make_dress("AU-1", title="Aurora gown")
    post = a_look(dress, username="ruby.hart", caption="At Pearl’s wedding!", rights="granted")
    said, _ = run(out)
    text = said + (out / "manifest.jsonl").read_text() + " ".join(path.name for path in out.rglob("*"))
    for private in ("ruby", "wedding", "Aurora", post.external_id, post.permalink, post.photo.token):
        assert private not in text
    assert all(set(row) == {"photo", "dress", "role", "split", "weight"} for row in lines(out))


def test_one_photo_posted_twice_is_one_row_of_the_surest(tmp_path: Path) -> None:
    dress, photo = make_dress(), make_photo()
    for username, confidence in (("ruby", 0.96), ("pearl", 0.98), ("opal", 0.97)):
        a_look(dress, photo=photo, username=username, confidence=confidence)
    said, _ = run(tmp_path)
    [row] = posts_of(tmp_path)
    assert (row["photo"], row["weight"]) == (content(photo), 0.98)
    assert "the same photo, posted again │ 2" in said


def test_one_photo_settled_as_two_things_stays(tmp_path: Path) -> None:
    dress, photo = make_dress(), make_photo()
    a_look(dress, photo=photo)
    a_look(None, photo=photo)
    said, _ = run(tmp_path)
    assert posts_of(tmp_path) == []
    assert "settled as different things │ 2" in said


def test_the_shops_own_photo_posted_is_no_look(tmp_path: Path) -> None:
    dress = make_dress()
    a_look(dress, photo=dress.photos.get().photo, rights="refused")
    said, _ = run(tmp_path)
    assert [row["role"] for row in lines(tmp_path)] == ["catalogue"]
    a_look(dress, photo=make_dress().photos.get().photo)
    said, _ = run(tmp_path)
    assert "a catalogue photo, posted │ 1" in said


def test_a_photo_of_two_dresses_shows_neither(tmp_path: Path) -> None:
    dresses = [make_dress("AU-1"), make_dress("BE-2")]
    DressPhoto.objects.create(dress=dresses[0], photo=dresses[1].photos.get().photo, position=7)
    said, _ = run(tmp_path)
    assert [row["dress"] for row in lines(tmp_path)] == ["AU-1"]
    assert "a catalogue photo of several dresses │ 2" in said


def test_two_exports_into_one_folder_at_once(tmp_path: Path) -> None:
    a_look(make_dress())

    def track(rows: Any, doing: str, total: int) -> Any:
        with pytest.raises(CommandError, match=rf"is at work \(process {os.getpid()}\): {tmp_path}"):
            run(tmp_path)
        return rows

    training_export.write(tmp_path, Choice(held_out=0), track)
    assert len(posts_of(tmp_path)) == 1


def test_a_missing_photo_is_named_and_counted(tmp_path: Path) -> None:
    dress = make_dress()
    gone, empty = a_look(dress), a_look(dress)
    default_storage.delete(gone.photo.large.name)
    Path(default_storage.path(empty.photo.large.name)).write_bytes(b"")
    a_look(dress)
    said, complained = run(tmp_path)
    assert len(posts_of(tmp_path)) == 1
    assert gone.photo.large.name in complained
    assert empty.photo.large.name in complained
    assert "file is missing │ 2" in said


def test_a_killed_export_leaves_the_old_manifest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    post = a_look(make_dress())
    run(tmp_path)
    before = (tmp_path / "manifest.jsonl").read_text()
    a_look(None)

    class Killed(BaseException):
        pass

    def killed(*_: Any) -> None:
        raise Killed

    monkeypatch.setattr(os, "fsync", killed)
    with pytest.raises(Killed):
        run(tmp_path)
    assert (tmp_path / "manifest.jsonl").read_text() == before
    assert (tmp_path / content(post.photo)).exists()


def test_where_links_cannot_be_made_photos_are_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def other_disk(*_: Any) -> None:
        raise OSError(18, "Invalid cross-device link")

    post = a_look(make_dress())
    monkeypatch.setattr(os, "link", other_disk)
    run(tmp_path)
    exported = tmp_path / content(post.photo)
    assert exported.stat().st_nlink == 1
    assert exported.read_bytes() == stored(post.photo)


def test_more_posts_are_no_more_statements(
    tmp_path: Path, django_assert_max_num_queries: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "CHUNK", 10)
    a_look(make_dress())
    with django_assert_max_num_queries(11) as few:
        run(tmp_path)
    for number in range(30):
        a_look(make_dress(), username=f"person{number}")
    with django_assert_max_num_queries(len(few)):
        run(tmp_path)
    assert len(posts_of(tmp_path)) == 31


@pytest.mark.parametrize("share", ["-0.1", "0.5", "nan"])
def test_a_share_that_leaves_nothing_is_refused(tmp_path: Path, share: str) -> None:
    with pytest.raises(CommandError, match=re.escape(f"--held-out {float(share)}: expected a share")):
        run(tmp_path, float(share))


def test_a_folder_that_cannot_be_one_is_said_clearly(tmp_path: Path) -> None:
    (tmp_path / "occupied").write_text("a file")
    with pytest.raises(CommandError, match=r"Nothing is exported to .*occupied"):
        run(tmp_path / "occupied")


def test_a_network_trains_on_what_was_exported(tmp_path: Path) -> None:
    torch.manual_seed(0)
    for number in range(3):
        dress = make_dress(f"D-{number}", photos=0)
        DressPhoto.objects.create(dress=dress, photo=make_photo(jpeg()))
        a_look(dress, username=f"person{number}", photo=make_photo(jpeg()))
        a_look(None, photo=make_photo(jpeg()))
    a_look(dress, audit=True, photo=make_photo(jpeg()))
    run(tmp_path / "set")
    chosen = Options(
        tmp_path / "model", tmp_path / "set" / "manifest.jsonl", steps=3, device="cpu", size="tiny", workers=1
    )
    metrics = train(Options(**{**vars(chosen), "cache": tmp_path / "cache"}))
    assert metrics["steps"] == 3
    assert metrics["data"]["photos"] == 10
    assert metrics["seen"]["recall"]["dresses"] == 1
