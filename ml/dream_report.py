"""A run of ml.train_gan as one HTML page that needs no other file, also while the run goes on."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import numpy.typing as npt
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from PIL import Image

from ml import checkpoint, training_state
from ml.checkpoint import CheckpointRefused
from ml.film import evenly, learning, save, steps
from ml.pictures import COLOURS, INK, STYLE, plot, svg
from ml.training_log import FOLDER as LOG

PAGE, FILM = "report.html", "film.webp"
SAMPLES = "samples"
GRIDS, FRAMES = 6, 40  # on the page, in the film
POINTS = 400  # of a curve: more are not seen


@dataclass(frozen=True)
class Curve:
    label: str
    steps: npt.NDArray[np.int64]  # (n,)
    values: npt.NDArray[np.float64]  # (n,)


@dataclass(frozen=True)
class Plot:
    names: tuple[str, ...]  # of the log
    y: str
    caption: str
    expected: float | None = None  # a dashed line


PLOTS = (
    Plot(("loss/critic", "loss/generator"), "loss", "Neither goes to nought for good while both still play."),
    Plot(
        ("D(real)", "D(fake)"),
        "the critic's answer",
        "For photos, and for dreams. 1 is “real” with DCGAN's loss; with the others only the gap between "
        "them says something.",
    ),
    Plot(
        ("fakes taken for real",),
        "share",
        "Of a photo and a dream side by side, how often the dream looks more real: one half, where the "
        "critic can only guess.",
        0.5,
    ),
    Plot(("gradient norm/critic", "gradient norm/generator"), "gradient norm", "Before any clipping."),
    Plot(("dreams/fid",), "Fréchet distance", "On DeepDress's features, to photos held out: less is better."),
    Plot(("dreams/kid",), "kernel distance", "On the same features: less is better."),
    Plot(
        ("dreams/precision", "dreams/recall"),
        "share",
        "Dreams that lie among photos, and photos that lie among dreams.",
    ),
)


@dataclass(frozen=True)
class Picture:
    source: str  # data:
    label: str


def write_page(run: Path | str) -> Path:
    """Write the page of a run into its folder, with its film, in the place of those before.

    Raises FilmRefused where nothing has been drawn yet, and OSError on a full disk; what was there stays.
    """
    folder = Path(run)
    frames, film = learning(folder / SAMPLES, FRAMES), io.BytesIO()
    save(frames, film, seconds=0.4)
    html = page(folder, film.getvalue())
    checkpoint.replace(folder, {FILM: film.getvalue(), PAGE: html.encode()})
    return folder / PAGE


def page(run: Path, film: bytes) -> str:
    """The HTML. `film` is a WebP. Raises FilmRefused where there is no grid yet."""
    metrics, curves = _metrics(run), read(run)
    grids = [grid for place in evenly(steps(run / SAMPLES), GRIDS) if (grid := _grid(*place))]
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined
    )
    return environment.get_template("dream_report.html").render(
        name=run.resolve().name,
        finished=metrics is not None,
        last=grids[-1].label if grids else "0 iterations",
        rows=_rows(metrics or {}),
        plots=[(drawn_as, each.caption) for each in PLOTS if (drawn_as := drawing(each, curves))],
        grids=grids,
        film=_data_url(film, "webp"),
    )


def read(run: Path) -> dict[str, Curve]:
    """The curves of the log by their names; none where there is no log yet."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    if not (run / LOG).is_dir():
        return {}
    log = EventAccumulator(str(run / LOG), size_guidance={"scalars": POINTS})
    log.Reload()
    return {name: _curve(name, log.Scalars(name)) for name in log.Tags()["scalars"]}


def _curve(name: str, events: Sequence[Any]) -> Curve:
    ordered = sorted(events, key=lambda event: event.step)
    taken = np.array([event.step for event in ordered], np.int64)
    values = np.array([event.value for event in ordered], np.float64)
    return Curve(name.rpartition("/")[2], taken, values)


@matplotlib.rc_context(STYLE)
def drawing(wanted: Plot, curves: Mapping[str, Curve]) -> str:
    """As SVG; empty where none of its curves has a value yet."""
    there = [curves[name] for name in wanted.names if name in curves]
    if not there:
        return ""
    figure, axes = plot("iterations", wanted.y, 3.2)
    if wanted.expected is not None:
        axes.axhline(wanted.expected, linestyle="--", color=INK, alpha=0.5, linewidth=1)
    for curve, colour in zip(there, COLOURS, strict=False):
        marker = "o" if len(curve.steps) < 30 else ""
        axes.plot(curve.steps, curve.values, marker=marker, markersize=3, color=colour, linewidth=1.2)
        axes.annotate(
            f" {curve.label}", (curve.steps[-1], curve.values[-1]), color=colour, va="center", fontsize=9
        )
    axes.margins(x=0.02)
    axes.set_xlim(right=axes.get_xlim()[1] + 0.28 * np.ptp(axes.get_xlim()))  # room for the labels
    return svg(figure)


def _metrics(run: Path) -> dict[str, Any] | None:
    """Of a run that has ended; None of one that goes on, also where an earlier one ended there."""
    if (run / training_state.FOLDER).is_dir():
        return None
    try:
        _, _, _ = checkpoint.contents(run)
        found: dict[str, Any] = json.loads((run / checkpoint.METRICS).read_text())
    except (CheckpointRefused, OSError, ValueError):
        return None
    return found


def _rows(metrics: Mapping[str, Any], before: str = "") -> list[tuple[str, str]]:
    """Figures with their names, those within others named after both."""
    rows = []
    for name, value in metrics.items():
        whole = f"{before}{name}".replace("_", " ")
        if isinstance(value, dict):
            rows += _rows(value, f"{whole}: ")
        elif isinstance(value, float):
            rows.append((whole, f"{value:.4g}"))
        elif value is not None and not isinstance(value, list):
            rows.append((whole, f"{value:,}" if type(value) is int else str(value)))
    return rows


def _grid(number: int, path: Path) -> Picture | None:
    """None for one that is just being written."""
    try:
        with Image.open(path) as image:
            image.load()
        return Picture(_data_url(path.read_bytes(), "png"), f"{number:,} iterations")
    except (OSError, SyntaxError):
        return None


def _data_url(content: bytes, kind: str) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"
