"""The comparison as a table for terminals, and as one HTML page that needs no other file."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib
import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter
from rich.table import Table

from ml.pictures import COLOURS, STYLE, name_ends, plot, svg
from ml.scarce.results import NAMES, Run, Setting, Spread, Summary, settings, summaries, verdict

COLUMNS = ("accuracy", "average precision of dress", "points gained", "dress: gained", "steps", "seeds")
MISSING, MINUS = "–", "−"
WIDE = 5.5  # inches: names stand beside the curves
BELOW = 0.22  # the line of a mean, that its seeds may be seen
# Of curves, beside the two of all plots.
MORE = ("#5a9e3d", "#d98a1f", "#7d57b5", "#8a6d4f", "#17998f", "#8c8c8c", "#35356e", "#a3a01e")


@dataclass(frozen=True)
class Part:
    """One setting on the page."""

    setting: Setting
    verdict: str
    rows: list[tuple[str, list[str]]]
    dots: str
    curves: str


def table(found: Sequence[Summary]) -> Table:
    """For a terminal; gains are those to supervised + augmentation."""
    told = Table("method", *COLUMNS, title="means ± 95% intervals over seeds")
    for name, cells in rows(found):
        told.add_row(name, *cells)
    return told


def rows(found: Sequence[Summary]) -> list[tuple[str, list[str]]]:
    """A method's name and its cells, in the order of COLUMNS."""
    return [
        (
            NAMES[each.method],
            [
                _figure(each.accuracy, 100, ".1f", "%"),
                _figure(each.average_precision, 1, ".3f"),
                MISSING if each.gain is None else _figure(each.gain, 100, "+.1f"),
                MISSING if each.gain_in_precision is None else _figure(each.gain_in_precision, 1, "+.3f"),
                f"{each.steps:,}",
                str(len(each.runs)),
            ],
        )
        for each in found
    ]


def _figure(figure: Spread, times: float, form: str, unit: str = "") -> str:
    told = f"{times * figure.mean:{form}}{unit}".replace("-", MINUS)
    if math.isnan(figure.interval):
        return told
    return f"{told} ± {times * figure.interval:{form.removeprefix('+')}}"


def page(runs: Sequence[Run]) -> str:
    """The HTML, a part for each setting."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent.parent), autoescape=True, undefined=StrictUndefined
    )
    parts = []
    for setting in settings(runs):
        found = summaries(runs, setting)
        parts.append(Part(setting, verdict(found), rows(found), dots(found), curves(found)))
    return environment.get_template("scarce_report.html").render(parts=parts, columns=COLUMNS)


@matplotlib.rc_context(STYLE)
def save_dots(found: Sequence[Summary], path: Path) -> None:
    """The plot as a picture on white. Raises OSError."""
    _dots(found).savefig(path, dpi=150, metadata={"Software": None})


@matplotlib.rc_context(STYLE)
def dots(found: Sequence[Summary]) -> str:
    """The plot as SVG."""
    return svg(_dots(found))


def _dots(found: Sequence[Summary]) -> Figure:
    """Each method's accuracy: a small dot a seed, a large one the mean, a line its interval."""
    figure, axes = plot("accuracy", "", height=1.1 + 0.4 * len(found))
    for place, each in enumerate(reversed(found)):
        seeds = [run.accuracy for run in each.runs]
        if not math.isnan(each.accuracy.interval):
            axes.plot([each.accuracy.low, each.accuracy.high], [place] * 2, color=COLOURS[0], linewidth=2)
        axes.plot(each.accuracy.mean, place, "o", color=COLOURS[0], markersize=8)
        if len(seeds) > 1:
            axes.plot(seeds, [place - BELOW] * len(seeds), "o", color=COLOURS[1], alpha=0.6, markersize=4)
    axes.set_ylim(-0.6, len(found) - 0.5)
    axes.set_yticks(range(len(found)), [NAMES[each.method] for each in reversed(found)])
    axes.xaxis.set_major_formatter(PercentFormatter(1))
    return figure


@matplotlib.rc_context(STYLE)
def curves(found: Sequence[Summary]) -> str:
    """Mean accuracy over the share of the time that is spent."""
    figure, axes = plot("share of the CPU time", "accuracy, fewer photos", width=WIDE)
    colours = (*COLOURS, *MORE)[: len(found)]
    ends = []
    for each, colour in zip(found, colours, strict=True):
        length = min(len(run.curve) for run in each.runs)
        mean = np.mean([run.curve[:length] for run in each.runs], axis=0)
        axes.plot(mean[:, 0], mean[:, 1], "o-", color=colour, markersize=3)
        ends.append((float(mean[-1, 0]), float(mean[-1, 1])))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(PercentFormatter(1))
    axes.set_xlim(0, 1)
    name_ends(axes, [NAMES[each.method] for each in found], ends, colours)
    return svg(figure)
