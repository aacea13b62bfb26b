"""Drawn pictures on disk make room for each other while somebody waits."""

import os
from pathlib import Path
from typing import Any

import pytest

from verify.dreaming import shelf
from verify.dreaming.dream import Drawn, Dream

VERSION = "0123456789abcdef"


def test_however_many_pictures_go_their_folder_is_read_once(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.DREAMS_KEPT = 2
    for seed in range(9):
        shelf.keep(Dream(seed), VERSION, "eyes", Drawn(b"picture", b"vector"))
    scanned = []

    def watch(name: str) -> None:
        scan = getattr(os, name)
        monkeypatch.setattr(os, name, lambda path: scanned.append(Path(path)) or scan(path))

    for name in ("listdir", "scandir"):
        watch(name)
    assert shelf.tidy(VERSION) == 14
    assert scanned.count(settings.DREAMS_FOLDER / VERSION) == 1
    assert len(list((settings.DREAMS_FOLDER / VERSION).iterdir())) == 4
