"""An evaluation as one HTML page that needs no other file."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from PIL import Image

from ml.evaluate_embedder import Evaluation, Mistake, counts
from ml.evaluation_plots import reliability, trade_off
from ml.evaluation_table import table
from ml.held_out import HeldOut
from ml.photos import open_upright

THUMBNAIL = 160  # pixels, the longer side


@dataclass(frozen=True)
class Thumbnail:
    """A photo with what is written below it."""

    source: str  # data:
    label: str
    probability: str = ""
    right: bool = False


@dataclass(frozen=True)
class Case:
    """A mistake as it is shown: the post, what it shows, and what was answered, likeliest first."""

    post: Thumbnail
    truth: Thumbnail | None  # None where the photo shows no dress
    not_a_dress: str
    proposed: list[Thumbnail]


def page(found: Evaluation) -> str:
    """The HTML. Raises ml.photos.UnreadablePhoto if a photo has gone since it was evaluated."""
    columns, rows = table(found)
    first = found.versions[0]
    kept = first.figures["conformal"]
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined
    )
    return environment.get_template("evaluation_report.html").render(
        source=found.data.source,
        version=first.name,
        counts=counts(found.data),
        notes=found.notes,
        columns=columns,
        rows=rows,
        figures=first.figures,
        reliability=reliability(found.versions) if first.answers else None,
        trade_off=trade_off(found.versions, kept["promised"]) if kept else None,
        cases=[_case(found.data, mistake) for mistake in first.mistakes],
    )


def _case(data: HeldOut, mistake: Mistake) -> Case:
    dress = int(data.dress[mistake.row])
    proposed = [_dress(data, number, probability, dress) for number, probability in mistake.proposed]
    truth = _dress(data, dress, None, dress) if dress >= 0 else None
    post = Thumbnail(_data_url(data.photos[mistake.row]), data.names[mistake.row])
    return Case(post, truth, f"{mistake.not_a_dress:.0%}", proposed)


def _dress(data: HeldOut, dress: int, probability: float | None, truth: int) -> Thumbnail:
    first = int(np.flatnonzero(data.catalogue & (data.dress == dress))[0])
    chance = "" if probability is None else f"{probability:.0%}"
    return Thumbnail(_data_url(data.photos[first]), data.dresses[dress], chance, dress == truth)


def _data_url(path: Path) -> str:
    image: Image.Image = open_upright(path, THUMBNAIL)
    image.thumbnail((THUMBNAIL, THUMBNAIL))
    written = io.BytesIO()
    image.save(written, "JPEG", quality=80)
    return f"data:image/jpeg;base64,{base64.b64encode(written.getvalue()).decode()}"
