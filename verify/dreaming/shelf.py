"""Pictures that were drawn once: files of this machine, so that no address is drawn twice."""

from __future__ import annotations

import os
import shutil
from collections import defaultdict
from functools import lru_cache
from logging import getLogger
from pathlib import Path

from django.conf import settings

from verify.dreaming.dream import Drawn, Dream
from verify.versions import FILES, config_of, digest_of

FILM = "film.webp"  # beside the weights: how they were learnt

logger = getLogger(__name__)


def version() -> str:
    """Of the weights that dream: sha256 of their file; empty where there are none."""
    folder = Path(settings.DREAM_WEIGHTS)
    try:
        at = (folder / FILES[0]).stat()
    except OSError:
        return ""
    return _digest(folder, at.st_mtime_ns, at.st_size)


@lru_cache(maxsize=4)
def _digest(folder: Path, changed: int, size: int) -> str:
    return digest_of(folder)


def know_tastes() -> bool:
    """False for weights that say so themselves; what is wrong with others, whoever draws finds out."""
    generator = config_of(Path(settings.DREAM_WEIGHTS)).get("generator")
    return not isinstance(generator, dict) or generator.get("condition") == "embedding"


def kept(dream: Dream, version: str, eyes: str) -> Drawn | None:
    """What was drawn by `version` and seen by the DeepDress `eyes`; empty: nobody needs to have looked."""
    picture, vector = _paths(dream, version, eyes)
    try:
        return Drawn(picture.read_bytes(), vector.read_bytes() if eyes else b"")
    except OSError:
        return None


def keep(dream: Dream, version: str, eyes: str, drawn: Drawn) -> None:
    """Whole or not at all; a full disk keeps nothing, and nobody waits for it."""
    picture, vector = _paths(dream, version, eyes)
    try:
        picture.parent.mkdir(parents=True, exist_ok=True)
        _put(picture, drawn.picture)
        if drawn.vector:
            _put(vector, drawn.vector)
    except OSError as error:
        logger.warning("a dream could not be kept: %s", error)


def tidy(version: str) -> int:
    """Throw away what older weights drew and, beyond `DREAMS_KEPT`, the oldest; returns how many files."""
    folder = _folder(version)
    try:
        for other in folder.parent.iterdir():
            if other != folder:
                shutil.rmtree(other, ignore_errors=True)
        files = defaultdict[str, list[Path]](list)
        for path in folder.iterdir():
            files[path.stem].append(path)
        pictures = [path for paths in files.values() for path in paths if path.suffix == ".webp"]
        pictures.sort(key=lambda path: path.stat().st_mtime_ns)
    except OSError:
        return 0
    surplus = pictures[: max(0, len(pictures) - settings.DREAMS_KEPT)]
    gone = [path for picture in surplus for path in files[picture.stem]]
    for path in gone:
        path.unlink(missing_ok=True)
    return len(gone)


def _folder(version: str) -> Path:
    return Path(settings.DREAMS_FOLDER) / version[:16]


def _paths(dream: Dream, version: str, eyes: str) -> tuple[Path, Path]:
    folder, name = _folder(version), dream.name(version)
    return folder / f"{name}.webp", folder / f"{name}.{eyes[:16] or 'nobody'}"


def _put(path: Path, content: bytes) -> None:
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_bytes(content)
    draft.replace(path)
