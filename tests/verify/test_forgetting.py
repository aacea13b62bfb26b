"""Everything of a person, handed over or deleted, and what must not come back."""

import json
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from django.contrib.admin.models import LogEntry
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from tests.make import (
    NOON,
    jpeg,
    make_admin,
    make_dress,
    make_look,
    make_model_version,
    make_open_posts,
    make_photo,
    make_post,
    make_template,
)
from tests.verify.curation import a_vote, act
from verify import forgetting, person_file, rights_requests, training_export
from verify.forgetting import Person
from verify.intake.posts import import_posts
from verify.intake.stones import Incoming, refused_by_tombstone
from verify.models import (
    Embedding,
    FileToErase,
    Look,
    Mention,
    OptOut,
    Photo,
    Post,
    RightsChange,
    Tombstone,
    WrittenExport,
)
from verify.only_one import Busy, only_one

pytestmark = pytest.mark.django_db
PAGE = "/admin/verify/post/person/"


@pytest.fixture(autouse=True)
def the_same_draws(settings: Any) -> None:
    """LUNA-2 is not held out."""
    settings.SECRET_KEY = "by which people and dresses draw their splits"


def said(command: str, *arguments: str) -> str:
    out = StringIO()
    call_command(command, *arguments, stdout=out)
    return out.getvalue()


def files() -> set[str]:
    root = Path(default_storage.location) / "photos"
    return {path.name for path in root.rglob("*.jpg")} if root.exists() else set()


@pytest.fixture
def rubys() -> Post:
    """A look of Ruby's with all that a post can have, beside one of Pearl's."""
    dress = make_dress()
    make_look(dress, username="pearl")
    [post] = make_open_posts(1, dresses=[dress])
    Post.objects.filter(pk=post.pk).update(username="ruby.hart", rights="granted")
    post.refresh_from_db()
    a_vote(post, "not_a_dress")
    Embedding.objects.create(
        photo=post.photo, model_version=make_model_version(), vector=b"\0" * 8, not_a_dress=0.1
    )
    RightsChange.objects.make([post], "unknown", "Taken back.", None)
    rights_requests.mark_asked(post, make_template(), None)
    return post


def test_nothing_of_a_person_is_left(rubys: Post, django_capture_on_commit_callbacks: Any) -> None:
    stays = make_post()
    others = files() - {Path(name).name for name in (rubys.photo.large.name, rubys.photo.small.name)}
    OptOut.objects.create(handle="@Ruby.Hart", email="ruby@x.example", created_at=NOON)
    Mention.objects.create(media_id=rubys.external_id, received_at=NOON)
    stays.rights_answers.create(external_id="7", text="#Yes", username="RUBY.HART", hashtag="#Yes", at=NOON)
    with django_capture_on_commit_callbacks(execute=True):
        report = forgetting.forget(Person(handle="@Ruby.Hart"))
    counted = {
        "Post": 1,
        "Photo": 1,
        "Embedding": 1,
        "Suggestion": 1,
        "Vote": 1,
        "Mention": 1,
        "OptOut": 1,
        "RightsAnswer": 1,
    }
    assert {name: report.removed[name] for name in counted} == counted
    assert report.removed["RightsChange"] == 2
    assert set(Post.objects.values_list("username", flat=True)) == {"pearl", ""}
    assert not Photo.objects.filter(pk=rubys.photo_id).exists()
    assert files() == others
    assert not FileToErase.objects.exists()


@pytest.mark.parametrize("by", ["handle", "permalink", "media_id"])
def test_a_person_is_found_by_what_they_know(by: str) -> None:
    mine = make_post(username="Ruby", permalink="https://www.instagram.com/p/Abc-1/")
    make_post(username="rubyhart", permalink="https://www.instagram.com/p/abc-1/")
    told = {"handle": "@ruby ", "permalink": "instagram.com/reel/Abc-1?igsh=1", "media_id": mine.external_id}
    assert list(Person(**{by: told[by]}).posts()) == [mine]


def test_nobody_is_found_by_nothing() -> None:
    make_post(username="")
    assert not Person().posts().exists()
    assert not Person(handle="@", permalink="nowhere", media_id=" ").posts().exists()


def test_what_was_deleted_is_not_taken_in_again(rubys: Post) -> None:
    again = Incoming(rubys.source, rubys.external_id, "", "")
    album = Incoming("instagram", "another-id", rubys.permalink + "?igsh=2", "")
    other = Incoming("instagram", "another-id", "https://www.instagram.com/p/other/", "ruby.hart")
    assert refused_by_tombstone([again, album, other]) == {}
    forgetting.forget(Person(handle="ruby.hart"), block=True)
    refused = refused_by_tombstone([again, album, other])
    assert set(refused) == {again, album, other}
    assert all("wanted it gone" in reason for reason in refused.values())


def test_a_stone_says_nothing_of_whom_it_is_of(rubys: Post) -> None:
    forgetting.forget(Person(handle="ruby.hart"), block=True)
    for stone in Tombstone.objects.all():
        told = f"{stone} {stone.label} {stone.digest}"
        assert "ruby" not in told
        assert rubys.external_id not in told


def test_a_photo_that_somebody_else_posted_too_stays() -> None:
    photo = make_photo()
    make_post(username="ruby", photo=photo)
    make_post(username="pearl", photo=photo)
    report = forgetting.forget(Person(handle="ruby"))
    assert report.shared == 1
    assert "somebody else has posted the same" in " ".join(report.lines())
    assert Photo.objects.filter(pk=photo.pk).exists()
    assert default_storage.exists(photo.large.name)


def test_exports_are_cleaned(tmp_path: Path) -> None:
    dress = make_dress(sku="LUNA-2")
    settled = {"rights": "granted", "state": "settled", "answer": "dress", "dress": dress, "settled_at": NOON}
    mine, hers = (make_post(username=name, confidence=0.9, **settled) for name in ("ruby", "pearl"))
    training, looks = tmp_path / "training", tmp_path / "looks"
    training_export.write(training, training_export.Choice(), lambda rows, *_: rows)
    call_command("export_looks", out=looks, verbosity=0)
    before = [json.loads(line) for line in (training / "manifest.jsonl").read_text().splitlines()]
    assert len(before) == 3
    assert WrittenExport.objects.count() == 3
    report = forgetting.forget(Person(handle="ruby"))
    assert report.removed["exported"] == 3
    after = [json.loads(line) for line in (training / "manifest.jsonl").read_text().splitlines()]
    [gone] = [row["photo"] for row in before if row not in after]
    assert len(after) == 2
    assert not (training / gone).exists()
    assert all((training / row["photo"]).exists() for row in after)
    kept = (looks / "looks.jsonl").read_text() + (looks / "looks.csv").read_text()
    assert mine.external_id not in kept
    assert kept.count(f"instagram:{hers.external_id}") == 2


def exported(folder: Path) -> tuple[list[Any], set[str]]:
    """The rows of a training set, and the photos that lie there."""
    rows = [json.loads(line) for line in (folder / "manifest.jsonl").read_text().splitlines()]
    return rows, {str(file.relative_to(folder)) for file in folder.glob("photos/??/*.jpg")}


@pytest.fixture
def training(tmp_path: Path) -> Path:
    """A training set with a look of Ruby's."""
    make_look(make_dress(sku="LUNA-2"), username="ruby", confidence=0.9, settled_at=NOON)
    training_export.write(tmp_path, training_export.Choice(), lambda rows, *_: rows)
    return tmp_path


def test_what_an_export_at_work_may_hold_is_hidden_and_goes_after_it(training: Path) -> None:
    with only_one(training / ".lock", "x"):
        report = forgetting.forget(Person(handle="ruby"))
        assert (report.put_off, report.removed["Post"]) == (1, 0)
        assert "1 posts go within the hour" in " ".join(report.lines())
        assert not Look.objects.public().exists()
        assert forgetting.erase_due(timezone.now()) == 0
    assert forgetting.erase_due(timezone.now()) == 1
    rows, photos = exported(training)
    assert [row["role"] for row in rows] == ["catalogue"]
    assert photos == {row["photo"] for row in rows}


def test_while_posts_are_deleted_no_export_begins(training: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    buried = Tombstone.objects.bury

    def bury(*told: Any) -> int:
        with pytest.raises(Busy), only_one(training / ".lock", "x"):
            pass
        return buried(*told)

    monkeypatch.setattr(type(Tombstone.objects), "bury", staticmethod(bury))
    assert forgetting.forget(Person(handle="ruby")).removed["Post"] == 1


def test_an_export_that_cannot_be_written_to_is_told_and_keeps_nothing_here(training: Path) -> None:
    (training / ".lock").unlink()
    (training / ".lock").mkdir()
    report = forgetting.forget(Person(handle="ruby"))
    assert report.removed["Post"] == 1
    assert f"cannot be written to: {training / 'manifest.jsonl'}" in " ".join(report.lines())


def test_who_was_killed_after_the_rows_of_an_export_left_its_photos_for_the_next(training: Path) -> None:
    rows, _ = exported(training)
    kept = [row for row in rows if row["role"] == "catalogue"]
    (training / "manifest.jsonl").write_text("".join(json.dumps(row) + "\n" for row in kept))
    forgetting.forget(Person(handle="ruby"))
    assert exported(training)[1] == {row["photo"] for row in kept}


def test_the_admins_log_says_what_was_done_and_of_whom_no_more(client: Client) -> None:
    client.force_login(make_admin("ada"))
    post = make_look(make_dress(), username="ruby").post
    act(client, "post", "rights_requested", post)
    client.post("/admin/verify/tombstone/add/", {"handle": "@ruby"})
    forgetting.forget(Person(handle="ruby"), block=True)
    log = LogEntry.objects.order_by("pk").values_list("object_repr", "change_message")
    assert next(message for _, message in log) == "Rights: Requested."
    assert "ruby" not in str(list(log))
    assert post.external_id not in str(list(log))


def test_a_post_that_an_admin_deletes_stays_out(client: Client) -> None:
    client.force_login(make_admin("ada"))
    one, two = make_post(), make_post(permalink="https://www.instagram.com/p/two/")
    act(client, "post", "delete_selected", one, post="yes")
    client.post(f"/admin/verify/post/{two.pk}/delete/", {"post": "yes"})
    assert not Post.objects.exists()
    again = [Incoming(one.source, one.external_id, "", ""), Incoming("file", "another", two.permalink, "")]
    assert set(refused_by_tombstone(again)) == set(again)


def test_an_export_that_is_no_more_is_no_trouble(tmp_path: Path) -> None:
    WrittenExport.objects.create(path=str(tmp_path / "gone.jsonl"))
    make_post(username="ruby")
    assert forgetting.forget(Person(handle="ruby")).removed["exported"] == 0
    assert not WrittenExport.objects.exists()


def test_a_blocked_user_is_gone_and_stays_out(client: Client) -> None:
    client.force_login(make_admin("ada"))
    look = make_look(make_dress(), username="Spammer")
    client.post("/admin/verify/tombstone/add/", {"handle": "@spammer"})
    post = Post.objects.get(pk=look.post_id)
    assert (post.hidden_because, str(Tombstone.objects.get())) == ("blocked", "@spammer")
    assert forgetting.erase_due(timezone.now()) == 1
    assert refused_by_tombstone([Incoming("instagram", "new", "", "SPAMMER")])
    stone = Tombstone.objects.get(kind="handle")
    client.post(f"/admin/verify/tombstone/{stone.pk}/delete/", {"post": "yes"})
    assert not refused_by_tombstone([Incoming("instagram", "new", "", "SPAMMER")])


def test_a_person_gets_all_that_is_known(rubys: Post) -> None:
    file = BytesIO()
    assert person_file.write(Person(handle="ruby.hart"), file) == 1
    with ZipFile(file) as archive:
        [post] = json.loads(archive.read("person.json"))["posts"]
        assert (
            archive.read(post["photo"]["file"])
            == Path(default_storage.path(rubys.photo.large.name)).read_bytes()
        )
    assert (post["username"], post["votes"], post["rights"]) == ("ruby.hart", 1, "requested")
    assert [line["to"] for line in post["history_of_rights"]] == ["requested", "unknown"]


def test_the_commands(rubys: Post, tmp_path: Path) -> None:
    assert "1 posts in" in said("export_person", "--handle", "ruby.hart", "--out", str(tmp_path / "ruby.zip"))
    assert (tmp_path / "ruby.zip").stat().st_size > 0
    assert "1 posts and 0 opt-outs would be" in said("forget_person", "--handle", "ruby.hart", "--dry-run")
    told = said("forget_person", "--handle", "ruby.hart", "--block", "--shopper", "c-1042")
    assert "1 posts" in told
    assert "until they are 30 days old" in told
    assert "Nothing was there." in said("forget_person", "--email", "nobody@x.example")
    with pytest.raises(CommandError, match="Whom"):
        call_command("forget_person")
    with pytest.raises(CommandError, match="--handle"):
        call_command("forget_person", email="a@x.example", block=True)


def test_the_page_hands_over_and_deletes(client: Client, rubys: Post) -> None:
    client.force_login(make_admin("ada"))
    assert "1 post" in client.get(f"{PAGE}?handle=ruby.hart").content.decode()
    zipped = client.post(PAGE, {"handle": "ruby.hart", "deed": "export"})
    assert b"".join(zipped).startswith(b"PK")
    assert (
        "Tick that you are sure"
        in client.post(PAGE, {"handle": "ruby.hart", "deed": "forget"}).content.decode()
    )
    assert Post.objects.filter(username="ruby.hart").exists()
    page = client.post(PAGE, {"handle": "ruby.hart", "deed": "forget", "sure": "on"}).content.decode()
    assert "What was deleted" in page
    assert "30 days old" in page
    assert not Post.objects.filter(username="ruby.hart").exists()
    assert "Nothing is kept" in client.get(f"{PAGE}?handle=ruby.hart").content.decode()


def test_an_import_refuses_what_is_buried(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(jpeg())
    line = {"id": "77", "timestamp": "2026-05-31T12:00:00+0000", "file": "a.jpg", "username": "ruby"}
    (tmp_path / "posts.jsonl").write_text(json.dumps(line))
    assert [outcome.kind for outcome in import_posts(tmp_path / "posts.jsonl")] == ["new"]
    forgetting.forget(Person(media_id="77"))
    [refusal] = import_posts(tmp_path / "posts.jsonl")
    assert (refusal.kind, refusal.reason) == (
        "refused",
        "Its owner wanted it gone: it is not taken in again.",
    )
    assert not Post.objects.exists()
    assert not Photo.objects.exists()
