"""What tests of training sets share: an export, its manifest, and posts that go into it."""

import hashlib
import json
from io import StringIO
from pathlib import Path
from typing import Any

from django.core.files.storage import default_storage
from django.core.management import call_command

from ml.manifest import manifest_rows
from tests.make import NOON, make_post
from verify.models import Dress, Photo, Post


def run(out: Path, held_out: float = 0.0, *more: str) -> tuple[str, str]:
    """What the command says, and what it complains about; its manifest can be read."""
    said, complained = StringIO(), StringIO()
    options = ["--out", str(out), "--held-out", str(held_out), *more]
    call_command("export_training_set", *options, stdout=said, stderr=complained)
    manifest_rows(out / "manifest.jsonl")  # which refuses what leaks
    return " ".join(said.getvalue().split()), complained.getvalue()


def lines(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / "manifest.jsonl").read_text().splitlines()]


def posts_of(out: Path) -> list[dict[str, Any]]:
    return [row for row in lines(out) if row["role"] != "catalogue"]


def content(photo: Photo) -> str:
    """What a manifest calls the photo."""
    digest = hashlib.sha256(stored(photo)).hexdigest()
    return f"photos/{digest[:2]}/{digest}.jpg"


def stored(photo: Photo) -> bytes:
    return Path(default_storage.path(photo.large.name)).read_bytes()


def a_look(dress: Dress | None, **fields: Any) -> Post:
    """A post that voters have settled as the dress, or as none."""
    answer = "dress" if dress else "not_a_dress"
    settled = {"state": "settled", "answer": answer, "dress": dress, "confidence": 0.97, "settled_at": NOON}
    return make_post(**{"rights": "granted", **settled, **fields})
