"""``manage.py suggest_posts``."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from tests.make import make_dress, make_post
from tests.verify.broken_photos import broken_photo
from tests.verify.tiny_weights import write_tiny_weights
from verify.models import Post

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def weights(settings: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    settings.DEEPDRESS_WEIGHTS = write_tiny_weights(tmp_path_factory.mktemp("weights"))
    return settings.DEEPDRESS_WEIGHTS


def test_the_command_counts_and_writes_json(
    weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_dress(photos=2)
    make_post()
    make_post(photo=broken_photo(b"no image"))
    out = tmp_path / "counts.json"
    call_command("suggest_posts", json=out)
    assert out.read_text() == '{"embedded": 2, "proposed": 1, "set_aside": 1}\n'
    assert capsys.readouterr().out == "2 embedded, 1 proposed, 1 set aside.\n"

    write_tiny_weights(weights, seed=2)
    make_post()
    call_command("suggest_posts")
    assert capsys.readouterr().out == "2 embedded, 1 proposed, 0 set aside.\n"


def test_the_command_waits_for_what_a_dead_worker_holds() -> None:
    make_dress()
    post = make_post(attempts=1, claimed_until=timezone.now() + timedelta(seconds=1))
    call_command("suggest_posts")
    post.refresh_from_db()
    assert post.state == Post.State.PROPOSED


def test_the_command_says_where_it_cannot_write(tmp_path: Path) -> None:
    make_dress()
    with pytest.raises(CommandError, match="nowhere"):
        call_command("suggest_posts", json=tmp_path / "nowhere" / "counts.json")


def test_the_command_says_what_is_missing() -> None:
    with pytest.raises(CommandError, match="import_dresses"):
        call_command("suggest_posts")
