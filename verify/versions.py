"""Versions of DeepDress: where their weights lie, which of them proposes, and what if its file breaks.

Torch is imported by what loads weights, and by nothing else: see `verify.suggest`.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from verify.models import Employee, ModelVersion, Notice

if TYPE_CHECKING:
    from ml.deepdress import DeepDress

FILES = ("weights.safetensors", "config.json", "metrics.json")
RESTING = (ModelVersion.State.CANDIDATE, ModelVersion.State.NOT_BETTER, ModelVersion.State.RETIRED)
TRAINED_ON = "trained_on.txt"  # beside them: photos that it has learnt from

logger = logging.getLogger(__name__)


class NotReady(Exception):
    """Nothing can be proposed yet; the message says what is missing and where it comes from."""


class Unreadable(NotReady):
    """Weights that this process cannot read now, which says nothing about what is in them."""


class Loaded(NamedTuple):
    """A version whose weights this process holds."""

    version: ModelVersion
    model: DeepDress


class Unchanged(Exception):
    """A version cannot be made live, or need not be; the text is for the admin who tried."""


# Files


def folder_of(version: ModelVersion | None) -> Path:
    """Where its weights lie; those that are shipped, if it has none of its own."""
    if version is None or not version.folder:
        return Path(settings.DEEPDRESS_WEIGHTS)
    return Path(settings.MODELS_FOLDER) / version.folder


def digest_of(folder: Path) -> str:
    """sha256 of the weights there; empty for a file that cannot be read."""
    try:
        with (folder / FILES[0]).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""


def config_of(folder: Path) -> dict[str, Any]:
    """What the weights there say of themselves; empty where that cannot be read."""
    try:
        told = json.loads((folder / FILES[1]).read_bytes())
    except (OSError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}


def has_weights(version: ModelVersion) -> bool:
    """Not where they were shipped, and others have taken their place since."""
    return bool(version.folder) or digest_of(folder_of(None)) == version.digest


def shelve(source: Path, digest: str) -> str:
    """Copy a checkpoint to where the portal keeps its own, whole or not at all; returns the folder's name."""
    shelf = Path(settings.MODELS_FOLDER)
    shelf.mkdir(parents=True, exist_ok=True)
    draft = shelf / f".draft-{digest[:12]}-{os.getpid()}"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir()
    for name in [*FILES, *([TRAINED_ON] if (source / TRAINED_ON).exists() else [])]:
        with (source / name).open("rb") as file, (draft / name).open("wb") as copy:
            shutil.copyfileobj(file, copy)
            copy.flush()
            os.fsync(copy.fileno())
    shutil.rmtree(shelf / digest, ignore_errors=True)  # of a run that was killed before it had a row
    draft.rename(shelf / digest)
    return digest


# Loading


def live() -> Loaded:
    """The version that proposes now. Raises NotReady."""
    model = deepdress()
    version, live = activated(model), ModelVersion.objects.live()
    if live and live != version and not (live.folder or version.folder):
        raise held_back(version.digest)
    return Loaded(version, model)


def loaded(version: ModelVersion) -> Loaded:
    """Raises NotReady."""
    return Loaded(version, model_of(version))


def with_digest(digest: str) -> Loaded:
    """The version of these weights, live or not, shipped or trained here. Raises NotReady."""
    for folder in (folder_of(None), settings.DEEPDRESS_SHIPPED):  # which others may have taken the place of
        if digest_of(folder) == digest:
            model = _model_in(folder)
            return Loaded(_row(model), model)
    version = ModelVersion.objects.filter(digest=digest).exclude(folder="").first()
    if version is None:
        raise NotReady(f"The weights {digest[:8]} of DeepDress are not here any more.")
    return loaded(version)


def deepdress() -> DeepDress:
    """The live version's model, loaded once per process; if its file is broken, that of the next best.

    That one takes its place only if the file was read and refused. One that cannot be read may be back soon,
    and other processes may read it.

    Without a row, or one whose weights were shipped, that of what is shipped now. Raises NotReady if no
    weights can be used.
    """
    live = ModelVersion.objects.live()
    try:
        return model_of(live if live and live.folder else None)
    except NotReady as reason:
        for other in _others(live):
            try:
                model = model_of(other)
            except NotReady:
                continue
            if live and isinstance(reason, Unreadable):
                told = f"{_row(model)} stands in for {live}, which cannot be read. {reason}"
                Notice.objects.tell(Notice.Kind.MODEL_BROKEN, told[:300], timezone.now())
            elif live:
                _replace_broken(live, other, model, str(reason))
            return model
        raise


def checked(version: ModelVersion) -> DeepDress:
    """Its model, once that has shown that it can look at a photo. Raises NotReady."""
    from ml.checkpoint import CheckpointRefused
    from ml.soundness import check

    model = model_of(version)
    try:
        check(model)
    except CheckpointRefused as error:
        raise NotReady(f"The weights of {version} cannot be used: {error}") from error
    return model


def model_of(version: ModelVersion | None) -> DeepDress:
    """Loaded once per process. Raises NotReady."""
    model = _model_in(folder_of(version))
    if version and model.version != version.digest:
        folder = folder_of(version)
        raise NotReady(f"The weights in {folder} are not those of {version}: their digest is another.")
    return model


def _model_in(folder: Path) -> DeepDress:
    try:
        # The folder may get new weights while this process runs.
        changed = tuple(sorted((path.name, path.stat().st_mtime_ns) for path in folder.iterdir()))
    except FileNotFoundError as error:
        raise Unreadable(
            f"No weights of DeepDress in {folder}: train them with ml.train_embedder."
        ) from error
    except OSError as error:
        raise Unreadable(f"{folder} cannot be read ({error.strerror}).") from error
    return _load(folder, changed)


@lru_cache(maxsize=2)  # the live one and, while it is warming, the next
def _load(folder: Path, changed: tuple[tuple[str, int], ...]) -> DeepDress:
    import torch

    from ml.checkpoint import CheckpointRefused, CheckpointUnreadable
    from ml.deepdress import DeepDress

    # Threads that wait for each other on a core that they share with decoders and the web stand still. What
    # trains is a process of its own, and has all cores.
    torch.set_num_threads(max(1, min(torch.get_num_threads(), (os.cpu_count() or 1) - 1)))
    try:
        return DeepDress.load(folder)
    except CheckpointUnreadable as error:
        raise Unreadable(f"The weights of DeepDress cannot be read. {error}") from error
    except CheckpointRefused as error:
        raise NotReady(f"The weights of DeepDress cannot be used. {error}") from error


def _others(live: ModelVersion | None) -> Iterator[ModelVersion | None]:
    """What to fall back to: those that were live, the last one first, and what is shipped."""
    yield from ModelVersion.objects.were_live()
    yield None


@transaction.atomic
def _replace_broken(broken: ModelVersion, other: ModelVersion | None, model: DeepDress, reason: str) -> None:
    """Unless another process has done so; the catalogue is embedded anew where that is needed."""
    if ModelVersion.objects.select_for_update().filter(pk=broken.pk).live() is None:
        return
    other = other or _row(model)
    if other.pk == broken.pk:
        return
    broken.fail(reason)
    other.go_live(timezone.now(), repropose=False)
    told = f"{other} proposes in the place of {broken}. {reason}"
    Notice.objects.tell(Notice.Kind.MODEL_BROKEN, told[:300], timezone.now())
    logger.error("%s", told)


# Rows


def activated(model: DeepDress) -> ModelVersion:
    """The row of the loaded weights. Shipped ones go live at once where nothing is.

    Where others that were shipped are, these are next: only what knows the catalogue may propose.
    """
    live = ModelVersion.objects.live()
    if live and live.digest == model.version:
        return live
    version = _row(model)
    return version if version.folder or (live and live.folder) else _shipped_anew(version)


@transaction.atomic
def _shipped_anew(version: ModelVersion) -> ModelVersion:
    """Unless they turned out to be of no use, or something else is about to go live."""
    version = ModelVersion.objects.to_change(version)
    if ModelVersion.objects.live() is None:
        version.go_live(timezone.now(), repropose=False)
    elif version.state in RESTING and not ModelVersion.objects.warming():
        version.warm(None)
    return version


def held_back(digest: str) -> NotReady:
    """Why weights that were shipped in the place of the live ones do not propose."""
    broken = ModelVersion.objects.filter(digest=digest, state=ModelVersion.State.BROKEN).first()
    if broken is None:
        return NotReady("DeepDress has new weights, and reads the catalogue with them first.")
    return NotReady(f"The new weights of DeepDress cannot be used. {broken.trouble}")


def _row(model: DeepDress) -> ModelVersion:
    values = {"metrics": model.metrics, "temperature": model.temperature}
    return ModelVersion.objects.get_or_create(digest=model.version, defaults=values)[0]


def promote(version: ModelVersion, by: Employee | None = None) -> None:
    """Let the version go live once its weights are found sound and know the catalogue. Raises Unchanged."""
    try:
        with transaction.atomic():
            _promote(ModelVersion.objects.to_change(version), by)
    except IntegrityError as error:
        raise Unchanged("Another version was chosen at the same moment: look which.") from error


def _promote(version: ModelVersion, by: Employee | None) -> None:
    """The portal by itself does not push aside what an admin has chosen."""
    if version.state == ModelVersion.State.LIVE:
        raise Unchanged(f"{version} is live already.")
    if version.state == ModelVersion.State.WARMING:
        raise Unchanged(f"{version} is about to go live already.")
    if not has_weights(version):
        raise Unchanged(f"The weights of {version} are gone: the portal has come with others since.")
    chosen = ModelVersion.objects.warming()
    if chosen and chosen.activated_by and not by:
        raise Unchanged(f"{chosen.activated_by} has chosen {chosen}, which is about to go live.")
    version.warm(by)


def before(live: ModelVersion) -> ModelVersion:
    """The version to go back to. Raises Unchanged."""
    others = ModelVersion.objects.were_live().exclude(pk=live.pk)
    if found := next(filter(has_weights, others), None):
        return found
    raise Unchanged("No other version was ever live whose weights are still there.")
