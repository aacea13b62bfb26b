"""Versions of DeepDress: where their weights lie, which of them proposes, and what if its file breaks.

Torch is imported by what loads weights, and by nothing else: see `verify.suggest`.
"""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from django.conf import settings
from django.db import transaction
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


def deepdress() -> DeepDress:
    """The live version's model, loaded once per process; if its file is broken, that of the next best.

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
            if live:
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
    folder = folder_of(version)
    try:
        # The folder may get new weights while this process runs.
        changed = tuple(sorted((path.name, path.stat().st_mtime_ns) for path in folder.iterdir()))
    except OSError as error:
        raise NotReady(f"No weights of DeepDress in {folder}: train them with ml.train_embedder.") from error
    model = _load(folder, changed)
    if version and model.version != version.digest:
        raise NotReady(f"The weights in {folder} are not those of {version}: their digest is another.")
    return model


@lru_cache(maxsize=2)  # the live one and, while it is warming, the next
def _load(folder: Path, changed: tuple[tuple[str, int], ...]) -> DeepDress:
    import torch

    from ml.checkpoint import CheckpointRefused
    from ml.deepdress import DeepDress

    # Threads that wait for each other on a core that they share with decoders and the web stand still. What
    # trains is a process of its own, and has all cores.
    torch.set_num_threads(max(1, min(torch.get_num_threads(), (os.cpu_count() or 1) - 1)))
    try:
        return DeepDress.load(folder)
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


@transaction.atomic
def promote(version: ModelVersion, by: Employee | None = None) -> None:
    """Let the version go live once its weights are found sound and know the catalogue. Raises Unchanged."""
    version = ModelVersion.objects.select_for_update().get(pk=version.pk)
    if version.state == ModelVersion.State.LIVE:
        raise Unchanged(f"{version} is live already.")
    if version.state == ModelVersion.State.WARMING:
        raise Unchanged(f"{version} is about to go live already.")
    version.warm(by)


def before(live: ModelVersion) -> ModelVersion:
    """The version to go back to. Raises Unchanged."""
    found = ModelVersion.objects.were_live().exclude(pk=live.pk).first()
    if found is None:
        raise Unchanged("No other version was ever live.")
    return found
