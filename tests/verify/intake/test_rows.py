"""What both imports rely on: photos only from the file's own folder, whole batches, first lines."""

import os
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError
from hypothesis import given, settings
from hypothesis import strategies as st

from verify.intake.rows import FirstLines, in_batches, path_inside, persistently, read_photo


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "secret.jpg").write_bytes(b"secret")
    inside = tmp_path / "shop"
    (inside / "photos").mkdir(parents=True)
    (inside / "photos" / "a.jpg").write_bytes(b"a photo")
    (inside / "out.jpg").symlink_to(tmp_path / "secret.jpg")
    (inside / "out").symlink_to(tmp_path)
    (inside / "in.jpg").symlink_to(inside / "photos" / "a.jpg")
    (inside / "loop").symlink_to(inside / "loop")
    return inside


@pytest.mark.parametrize("name", ["photos/a.jpg", "./photos/a.jpg", "photos/../photos/a.jpg", "in.jpg"])
def test_reads_what_lies_inside(folder: Path, name: str) -> None:
    assert read_photo(folder, name) == b"a photo"


@pytest.mark.parametrize(
    "name", ["../secret.jpg", "photos/../../secret.jpg", "out.jpg", "out/secret.jpg", "/etc/passwd", ".."]
)
def test_refuses_what_lies_outside(folder: Path, name: str) -> None:
    with pytest.raises(ValueError, match="outside"):
        read_photo(folder, name)


def test_refuses_an_absolute_path_even_to_the_inside(folder: Path) -> None:
    with pytest.raises(ValueError, match="outside"):
        read_photo(folder, str(folder / "photos" / "a.jpg"))


@pytest.mark.parametrize("name", ["b.jpg", "photos", "loop", "x" * 5000, "photos/a.jpg/b.jpg", "a\0b"])
def test_refuses_what_is_no_file(folder: Path, name: str) -> None:
    with pytest.raises(ValueError, match="no such file"):
        read_photo(folder, name)


def test_refuses_a_pipe_without_waiting_for_its_writer(folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    with pytest.raises(ValueError, match="no such file"):
        read_photo(folder, "pipe")


def test_does_not_read_what_is_too_large(folder: Path, settings: pytest.FixtureRequest) -> None:
    settings.PHOTO_MAX_BYTES = 3
    with pytest.raises(ValueError, match="more than 3 bytes"):
        read_photo(folder, "in.jpg")


@settings(deadline=None)
@given(st.lists(st.sampled_from(["..", ".", "photos", "a.jpg", "out", "/", "secret.jpg", "etc", ""])))
def test_no_path_leads_out(tmp_path_factory: Any, parts: list[str]) -> None:
    base = tmp_path_factory.getbasetemp() / "guard"
    (base / "shop" / "photos").mkdir(parents=True, exist_ok=True)
    (base / "shop" / "photos" / "a.jpg").touch()
    (base / "secret.jpg").touch()
    try:
        found = path_inside(base / "shop", "/".join(parts))
    except ValueError:
        return
    assert found == (base / "shop" / "photos" / "a.jpg").resolve()


@given(st.lists(st.integers(1, 9)), st.integers(1, 20))
def test_batches_are_whole_and_no_larger_than_needed(sizes: list[int], rows: int) -> None:
    batches = list(in_batches(sizes, rows, lambda size: size))
    assert [size for batch in batches for size in batch] == sizes
    assert all(sum(batch) >= rows > sum(batch[:-1]) for batch in batches[:-1])


def test_first_lines_are_remembered() -> None:
    with FirstLines() as first_lines:
        assert first_lines.claim("a", 3) == 3
        assert first_lines.claim("b", 4) == 4
        assert first_lines.claim("a", 5) == 3


def test_a_batch_is_tried_again_when_a_photo_vanished_under_it() -> None:
    tries: list[str] = []

    def flaky(batch: str) -> list[Any]:
        tries.append(batch)
        if len(tries) == 1:
            raise IntegrityError
        return []

    assert persistently(flaky, "batch") == []
    assert tries == ["batch", "batch"]
