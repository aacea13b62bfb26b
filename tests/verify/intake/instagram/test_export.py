"""Instagram's own export: both layouts, its broken letters, and ZIPs that mean harm."""

import io
import json
import struct
import zipfile
import zlib
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from hypothesis import given
from hypothesis import strategies as st

from tests.make import jpeg
from tests.verify.intake.instagram.portal import make_due, make_source, read_all
from verify.intake import sources
from verify.intake.fetch import FetchRefused
from verify.intake.instagram import export
from verify.intake.instagram.export import export_batches, is_plain, repaired
from verify.intake.rows import FileUnusable, Outcome, Refusal
from verify.models import Post

pytestmark = pytest.mark.django_db(transaction=True)
WHEN = 1_780_228_800
NEW, OLD = "your_instagram_activity/media/posts_1.json", "content/posts_1.json"


def garbled(text: str) -> str:
    """As Instagram writes it."""
    return text.encode().decode("latin-1")


def picture(uri: str = "media/posts/a.jpg", **more: Any) -> dict[str, Any]:
    exif = {"photo_metadata": {"exif_data": [{"latitude": 52.5, "longitude": 13.4}]}}
    return {"uri": uri, "creation_timestamp": WHEN, "title": "Hi", "media_metadata": exif, **more}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "export.zip"


def write(path: Path, files: dict[str, Any]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content if isinstance(content, bytes) else json.dumps(content))
    return path


def bring(path: Path, **more: Any) -> list[Outcome]:
    return [outcome for batch in export_batches(path, None, **more) for outcome in batch]


def reasons(outcomes: list[Outcome]) -> list[str]:
    return [outcome.reason for outcome in outcomes if isinstance(outcome, Refusal)]


@pytest.mark.parametrize("layout", [NEW, OLD])
def test_posts_of_either_layout_come_in(path: Path, layout: str) -> None:
    owner = {"profile_user": [{"string_map_data": {"Username": {"value": "maison.test"}}}]}
    album = {
        "title": garbled("Tanzen 💃"),
        "creation_timestamp": WHEN + 60,
        "media": [picture("media/posts/b.jpg"), picture("media/posts/c.jpg")],
    }
    files = {
        layout: [{"media": [picture()]}, album],
        layout.replace("posts_1", "posts_2"): [{"media": [picture("media/posts/d.jpg", title="")]}],
        "personal_information/personal_information.json": owner,
        **{f"media/posts/{name}.jpg": jpeg() for name in "abcd"},
    }
    assert len(bring(write(path, files))) == 4
    posts = {post.external_id: post for post in Post.objects.all()}
    assert {post.source for post in posts.values()} == {"instagram_export"}
    assert {post.username for post in posts.values()} == {"maison.test"}
    assert posts[f"{WHEN}-a.jpg"].caption == "Hi"
    assert posts[f"{WHEN + 60}-b.jpg"].caption == posts[f"{WHEN + 60}-c.jpg"].caption == "Tanzen 💃"
    assert int(posts[f"{WHEN + 60}-b.jpg"].posted_at.timestamp()) == WHEN + 60
    assert [outcome.kind for outcome in bring(path)] == ["unchanged"] * 4


def test_the_older_list_of_photos(path: Path) -> None:
    photos = [{"caption": garbled("Schön"), "taken_at": "2018-05-01T10:00:00+00:00", "path": "photos/a.jpg"}]
    bring(write(path, {"media.json": {"photos": photos}, "photos/a.jpg": jpeg()}))
    assert Post.objects.get().caption == "Schön"


@given(st.text())
def test_what_was_garbled_is_repaired(text: str) -> None:
    text = text.encode("utf-8", "ignore").decode()
    assert repaired(garbled(text)) == text


@pytest.mark.parametrize("text", ["Schön", "日本", "\u00f0\u009f", None, 7])
def test_other_text_stays(text: Any) -> None:
    assert repaired(text) == text


def test_what_cannot_be_used_is_refused_picture_by_picture(path: Path) -> None:
    media = [
        picture("media/missing.jpg"),
        picture("media/clip.mp4"),
        picture("media/text.jpg"),
        picture("media/a.jpg", creation_timestamp="noon"),
        {"creation_timestamp": WHEN},
        "what?",
        picture("media/a.jpg"),
        picture("media/a.jpg"),
    ]
    entries = [{"media": media}, 5]
    outcomes = bring(write(path, {NEW: entries, "media/a.jpg": jpeg(), "media/text.jpg": b"<svg>"}))
    told = " ".join(reasons(outcomes))
    for words in ("no such file", "video", "not a JPEG", "Expected a time", "its uri", "comes twice"):
        assert words in told
    assert [outcome.kind for outcome in outcomes].count("new") == 1
    assert len(outcomes) == 9


@pytest.mark.parametrize(
    "uri",
    ["../a.jpg", "/etc/passwd", "media/../../a.jpg", "C:\\a.jpg", "media\\a.jpg", "http://x/a.jpg", "a\0b"],
)
def test_paths_that_lead_out_of_it_are_refused(path: Path, uri: str) -> None:
    assert not is_plain(uri)
    [outcome] = bring(write(path, {NEW: [{"media": [picture(uri)]}], uri: jpeg()}))
    assert "outside the export" in outcome.reason
    assert [child.name for child in path.parent.iterdir()] == ["export.zip"]


def test_a_bomb_is_not_unpacked(path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.PHOTO_MAX_BYTES = 100_000
    bomb = b"\0" * 3_000_000
    outcomes = bring(write(path, {NEW: [{"media": [picture("media/bomb.jpg")]}], "media/bomb.jpg": bomb}))
    assert reasons(outcomes) == ["more than 100,000 bytes"]
    monkeypatch.setattr(export, "MOST_JSON", 100_000)
    with pytest.raises(FileUnusable, match="more than 100,000 bytes"):
        bring(write(path, {NEW: b"[" + b" " * 1_000_000 + b"]"}))


def test_a_zip_that_lies_about_sizes(path: Path, settings: Any) -> None:
    """The directory says ten bytes; there are three million."""
    settings.PHOTO_MAX_BYTES = 100_000
    write(path, {"media/bomb.jpg": b"\0" * 3_000_000, NEW: [{"media": [picture("media/bomb.jpg")]}]})
    data = bytearray(path.read_bytes())
    for sign, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        struct.pack_into("<L", data, data.index(sign) + offset, 10)
    path.write_bytes(data)
    [reason] = reasons(bring(path))
    assert "damaged" in reason or "more than" in reason


@pytest.mark.parametrize("content", [b"", b"no zip at all", b"PK\x05\x06" + b"\0" * 17, b"PK\x03\x04" * 50])
def test_what_is_no_zip(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(FileUnusable, match="no ZIP"):
        bring(path)


def test_a_directory_without_end_is_not_read(path: Path) -> None:
    write(path, {NEW: []})
    data = bytearray(path.read_bytes())
    struct.pack_into("<L", data, data.rindex(b"PK\x05\x06") + 12, 200_000_000)
    path.write_bytes(data)
    with pytest.raises(FileUnusable, match="200,000,000 bytes"):
        bring(path)


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"index.html": b"<html>"}, "no export"),
        ({NEW: b"{"}, "cannot be read"),
        ({NEW: {"posts": 1}}, "not a list"),
        ({NEW: b"[" * 200_000}, "cannot be read"),
        ({NEW: b"\xff\xfe"}, "cannot be read"),
    ],
)
def test_what_is_no_export(path: Path, files: dict[str, Any], words: str) -> None:
    with pytest.raises(FileUnusable, match=words):
        bring(write(path, files))
    assert not Post.objects.exists()


def test_a_cut_zip_keeps_what_can_be_read(path: Path) -> None:
    write(path, {"media/a.jpg": jpeg(400, 400), NEW: [{"media": [picture("media/a.jpg")]}]})
    data = bytearray(path.read_bytes())
    at = data.index(b"\xff\xd8") if b"\xff\xd8" in data else 80
    data[at + 50 : at + 60] = b"\0" * 10
    path.write_bytes(data)
    [reason] = reasons(bring(path))
    assert "damaged" in reason


def test_a_stream_that_is_damaged_is_refused_and_the_rest_comes_in(path: Path) -> None:
    pictures = [picture(f"media/{name}.jpg") for name in "ab"]
    write(path, {"media/a.jpg": jpeg(), "media/b.jpg": jpeg(), NEW: [{"media": pictures}]})
    data = bytearray(path.read_bytes())
    data[30 + len("media/a.jpg")] = 0xFF  # the first byte of the stream: a kind of block that there is not
    path.write_bytes(data)
    with zipfile.ZipFile(path) as archive, pytest.raises(zlib.error):
        archive.read("media/a.jpg")
    [reason] = reasons(bring(path))
    assert "damaged" in reason
    assert Post.objects.count() == 1


def test_an_encrypted_file_is_refused(path: Path) -> None:
    write(path, {NEW: [{"media": [picture("media/a.jpg")]}], "media/a.jpg": jpeg()})
    data = bytearray(path.read_bytes())
    for sign, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = data.rindex(sign)
        data[at + offset] |= 1
    path.write_bytes(data)
    [reason] = reasons(bring(path))
    assert "encrypted" in reason


def test_the_command(path: Path, capsys: Any) -> None:
    write(path, {NEW: [{"media": [picture("media/a.jpg")]}], "media/a.jpg": jpeg()})
    out = io.StringIO()
    call_command("import_instagram_export", str(path), rights="granted", stdout=out)
    assert out.getvalue().endswith("1 new, 0 changed, 0 unchanged, 0 refused.\n")
    assert Post.objects.get().rights == "granted"
    with pytest.raises(CommandError, match=r"no ZIP|No such file"):
        call_command("import_instagram_export", str(path.with_name("nothing.zip")))


# As a source


def test_a_file_is_read_once_as_long_as_it_stays_the_same(path: Path, settings: Any) -> None:
    settings.INTAKE_FOLDER = path.parent
    write(path, {NEW: [{"media": [picture("media/a.jpg")]}], "media/a.jpg": jpeg()})
    lines = path.with_name("posts.jsonl")
    lines.write_text(f'{{"id": "1", "timestamp": {WHEN}, "file": "b.jpg"}}\n{{"id": \n')
    path.with_name("b.jpg").write_bytes(jpeg())
    zipped, listed = make_source("export", file="export.zip"), make_source("json_lines", file="posts.jsonl")
    for _ in range(3):
        make_due()
        read_all()
    zipped.refresh_from_db()
    listed.refresh_from_db()
    assert (zipped.seen, zipped.new, listed.seen, listed.new) == (1, 1, 2, 1)
    assert [row.external_id for row in listed.refused.all()] == ["line 2"]
    lines.write_text(f'{{"id": "1", "timestamp": {WHEN}, "file": "b.jpg", "caption": "new"}}\n')
    make_due()
    read_all()
    assert Post.objects.get(external_id="1").caption == "new"


def test_an_album_s_pictures_all_come_in_though_a_turn_ends_after_each_batch(
    path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.INTAKE_FOLDER, settings.INTAKE_TURN = path.parent, timedelta(0)
    monkeypatch.setattr(sources, "BATCH_ROWS", 3)
    path.with_name("b.jpg").write_bytes(jpeg())
    children = [[{"id": f"{album}-{number}", "file": "b.jpg"} for number in range(2)] for album in range(4)]
    albums = [
        {"id": str(album), "timestamp": WHEN, "media_type": "CAROUSEL_ALBUM", "children": {"data": pictures}}
        for album, pictures in enumerate(children)
    ]
    path.with_name("posts.jsonl").write_text("".join(json.dumps(album) + "\n" for album in albums))
    make_source("json_lines", file="posts.jsonl")
    assert read_all() > 1
    assert Post.objects.count() == 8


def test_what_could_not_be_fetched_is_tried_again_in_the_next_two_readings(
    path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.INTAKE_FOLDER, asked = path.parent, []

    def down(address: str) -> bytes:
        asked.append(address)
        raise FetchRefused("nobody answers")

    monkeypatch.setattr(sources, "guarded", lambda: down)
    line = {"id": "1", "timestamp": WHEN, "media_url": "https://x.example/1.jpg"}
    path.with_name("posts.jsonl").write_text(json.dumps(line) + "\n")
    make_source("json_lines", file="posts.jsonl")
    for _ in range(5):
        make_due()
        read_all()
    assert len(asked) == 3


@pytest.mark.parametrize("name", ["nothing.zip", "../export.zip", "/etc/passwd"])
def test_a_source_s_file_lies_in_the_intake_folder(path: Path, settings: Any, name: str) -> None:
    settings.INTAKE_FOLDER = path.parent / "intake"
    settings.INTAKE_FOLDER.mkdir()
    write(path, {})
    source = make_source("export", file=name)
    read_all()
    source.refresh_from_db()
    assert name in source.last_error
    assert source.failures == 1
