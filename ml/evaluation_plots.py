"""Plots of an evaluation as SVG that takes its ink from the page around it."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, PercentFormatter, StrMethodFormatter

from ml.evaluate_embedder import Findings

BINS = 10
INK = "#010203"  # stands for currentColor, which matplotlib does not know
COLOURS = ("#c2337a", "#2f7fb8")
STYLE: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "deepdress",
    "font.family": "sans-serif",
    "font.size": 11,
}


@matplotlib.rc_context(STYLE)
def reliability(versions: Sequence[Findings]) -> str:
    """What the likeliest answers claim against how many are right; the larger the dot, the more of them."""
    figure, axes = _plot("probability claimed", "share right")
    axes.plot([0, 1], [0, 1], "--", color=INK, alpha=0.5, linewidth=1)
    for found, colour in zip(versions, COLOURS, strict=False):
        if found.answers is None:
            continue
        claimed, right = (np.asarray(column, np.float64) for column in found.answers)
        bucket = np.clip((claimed * BINS).astype(int), 0, BINS - 1)
        size = np.bincount(bucket, minlength=BINS)
        used = size > 0
        x, y = (np.bincount(bucket, column, BINS)[used] / size[used] for column in (claimed, right))
        axes.plot(x, y, "o-", color=colour, markersize=3, linewidth=1.5, label=found.name)
        axes.scatter(x, y, 15 + 400 * size[used] / size.sum(), color=colour, alpha=0.85)
    axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.set(xlim=(0, 1.03), ylim=(0, 1.03))
    return _svg(figure, axes, len(versions))


@matplotlib.rc_context(STYLE)
def trade_off(versions: Sequence[Findings], promised: float) -> str:
    """Coverage of the option sets against their mean size, one dot for each promise."""
    figure, axes = _plot("options a post, on average", "true dress among them")
    axes.axhline(promised, linestyle="--", color=INK, alpha=0.5, linewidth=1)
    for found, colour in zip(versions, COLOURS, strict=False):
        sizes = [each.mean_size for each in found.trade_off]
        axes.plot(sizes, [each.coverage for each in found.trade_off], "o-", color=colour, label=found.name)
        for each in found.trade_off:
            if each.promised == promised:
                axes.plot(each.mean_size, each.coverage, "o", color=colour, markersize=11)
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    return _svg(figure, axes, len(versions))


def _plot(x: str, y: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(5, 4), layout="constrained")
    axes = figure.add_subplot()
    axes.set_xlabel(x, color=INK)
    axes.set_ylabel(y, color=INK)
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.tick_params(which="both", colors=INK)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["bottom", "left"]].set_color(INK)
    axes.grid(color=INK, alpha=0.12)
    return figure, axes


def _svg(figure: Figure, axes: Axes, models: int) -> str:
    """The picture alone, to be put into a page: no background, no XML declaration."""
    if models > 1:
        handles, labels = axes.get_legend_handles_labels()
        figure.legend(handles, labels, frameon=False, labelcolor=INK, loc="outside upper left", ncols=models)
    written = io.StringIO()
    figure.savefig(written, format="svg", transparent=True, metadata={"Date": None})
    picture = written.getvalue()
    return picture[picture.index("<svg") :].replace(INK, "currentColor")
