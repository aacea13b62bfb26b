"""The same picture is stored once, whoever brings it, and no stray file stays behind."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.db import connection

from tests.verify.intake.pictures import encoded, noise, plain
from verify.intake.photos import PhotoRefused, store
from verify.models import Photo


def stored_files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.mark.django_db
def test_the_same_bytes_are_one_photo(settings: pytest.FixtureRequest) -> None:
    first, again, other = store(encoded(plain())), store(encoded(plain())), store(encoded(noise()))
    assert first == again != other
    assert len(stored_files(Path(settings.MEDIA_ROOT))) == 4
    with first.large.open() as large, first.small.open() as small:
        assert large.read(2) == small.read(2) == b"\xff\xd8"


@pytest.mark.django_db
def test_what_is_refused_leaves_nothing(settings: pytest.FixtureRequest) -> None:
    with pytest.raises(PhotoRefused):
        store(b"<html>")
    assert not Photo.objects.exists()
    assert not stored_files(Path(settings.MEDIA_ROOT))


@pytest.mark.concurrency
@pytest.mark.django_db(transaction=True)
def test_several_at_once_store_one(settings: pytest.FixtureRequest) -> None:
    data = encoded(noise())

    def closing(work: Callable[[], Photo]) -> int:
        try:
            return work().pk
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        keys = set(pool.map(lambda _: closing(lambda: store(data)), range(12)))
    assert keys == {Photo.objects.get().pk}
    assert len(stored_files(Path(settings.MEDIA_ROOT))) == 2
