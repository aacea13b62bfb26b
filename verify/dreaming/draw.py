"""Dreams drawn: the one place where the portal meets the generator. Torch is imported when it is needed."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from django.conf import settings
from PIL import Image

from verify import versions
from verify.dreaming import shelf
from verify.dreaming.dream import WHOLE_WAY, Drawn, Dream
from verify.embed import look_at
from verify.looking import waited_for
from verify.models import ModelVersion, Photo
from verify.versions import Loaded, NotReady

if TYPE_CHECKING:
    from ml.dreamer import Dreamer

Floats = npt.NDArray[np.float32]
TIDY_AFTER = 200  # dreams that are new

_drawn = 0


def draw(dreams: Sequence[Dream]) -> list[Drawn]:
    """Each in its order; what was drawn before is not drawn again. Raises NotReady."""
    dreamer, eyes = load(), _eyes()
    seen_by = eyes.version.digest if eyes else ""
    found = {dream: shelf.kept(dream, dreamer.version, seen_by) for dream in dreams}
    new = [dream for dream, drawn in found.items() if drawn is None]
    for dream, drawn in zip(new, _draw(new, dreamer, eyes) if new else (), strict=True):
        shelf.keep(dream, dreamer.version, seen_by, drawn)
        found[dream] = drawn
    _count(len(new), dreamer.version)
    return [drawn for dream in dreams if (drawn := found[dream])]


def wake() -> None:
    """Both networks in memory, and a first picture behind them. Raises NotReady."""
    list(_draw([Dream(0)], load(), _eyes()))


def load() -> Dreamer:
    """The weights of the setting, once per process. Raises NotReady."""
    if not (version := shelf.version()):
        raise NotReady(f"There are no dream weights in {settings.DREAM_WEIGHTS}: train some (ml.train_gan).")
    return _load(Path(settings.DREAM_WEIGHTS), version)


@lru_cache(maxsize=1)
def _load(folder: Path, version: str) -> Dreamer:
    from ml.checkpoint import CheckpointRefused
    from ml.dreamer import Dreamer

    try:
        return Dreamer.load(folder, device="cpu")
    except CheckpointRefused as error:
        raise NotReady(f"The dream weights cannot be used. {error}") from error


def _draw(dreams: Sequence[Dream], dreamer: Dreamer, eyes: Loaded | None) -> Iterator[Drawn]:
    noises = np.stack([_noise(dream, dreamer) for dream in dreams])
    pictures = dreamer.dream(noises, _tastes(dreams, dreamer))
    vectors = eyes.model.embed(list(pictures)).vectors.astype("<f4") if eyes else [None] * len(dreams)
    for picture, vector in zip(pictures, vectors, strict=True):
        yield Drawn(as_webp(picture), b"" if vector is None else vector.tobytes())


def _noise(dream: Dream, dreamer: Dreamer) -> Floats:
    from ml.dreamer import between

    start = dreamer.noise(dream.seed)
    if dream.to is None:
        return start
    return between(start, dreamer.noise(dream.to), dream.at / WHOLE_WAY)


def _tastes(dreams: Sequence[Dream], dreamer: Dreamer) -> Floats | None:
    """(n, d) unit vectors; None for weights that know no taste. Raises NotReady."""
    photos = {pk for dream in dreams for pk in (*dream.like, *dream.toward)}
    if not dreamer.dimensions:
        if photos:
            raise NotReady("The dream weights know no tastes: train some with --condition embedding.")
        return None
    vectors = _vectors(photos, dreamer) if photos else {}
    return np.stack([_taste(dream, dreamer, vectors) for dream in dreams])


def _taste(dream: Dream, dreamer: Dreamer, vectors: dict[int, Floats]) -> Floats:
    """Zeros where nothing is asked for: the noise makes one up, on every place of its way."""
    from ml.dreamer import between

    start, end = _mean(dream.like, vectors), _mean(dream.toward, vectors)
    if start is None and end is None:
        return np.zeros(dreamer.dimensions, np.float32)
    own = dreamer.taste(dreamer.noise(dream.seed))
    start = own if start is None else start
    return start if end is None else between(start, end, dream.at / WHOLE_WAY)


def _mean(photos: Sequence[int], vectors: dict[int, Floats]) -> Floats | None:
    """Brought to length 1; None of none."""
    mean = np.sum([vectors[pk] for pk in photos], axis=0) if photos else np.zeros(1, np.float32)
    length = np.linalg.norm(mean)
    return (mean / length).astype(np.float32) if length > 0 else None


def _vectors(photos: set[int], dreamer: Dreamer) -> dict[int, Floats]:
    """By the DeepDress that the generator has learnt from, whichever is live. Raises NotReady.

    All of them or none: a dream of the others alone would be kept as that of all.
    """
    loaded = versions.with_digest(dreamer.deepdress) if dreamer.deepdress else versions.live()
    with waited_for():
        seen = look_at(Photo.objects.filter(pk__in=photos), loaded)
    if unseen := photos - seen.embeddings.keys():
        trouble = seen.troubles.get(min(unseen), "It is not there any more.")
        raise NotReady(f"A photo of this taste cannot be looked at. {trouble}")
    return {pk: np.frombuffer(row.vector, "<f4") for pk, row in seen.embeddings.items()}


def _eyes() -> Loaded | None:
    """The live DeepDress, by which the catalogue is searched; None where there is none to be used."""
    live = ModelVersion.objects.live()
    if live is None:
        return None
    try:
        model = versions.model_of(live if live.folder else None)
    except NotReady:
        return None
    return Loaded(live, model) if model.version == live.digest else None


def as_webp(picture: npt.NDArray[np.uint8]) -> bytes:
    """(side, side, 3) -> the file's bytes, nothing lost."""
    written = io.BytesIO()
    Image.fromarray(picture).save(written, "WEBP", lossless=True)
    return written.getvalue()


def _count(new: int, version: str) -> None:
    global _drawn
    _drawn += new
    if _drawn >= TIDY_AFTER:
        _drawn = 0
        shelf.tidy(version)
