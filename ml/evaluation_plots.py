"""Plots of DeepDress's evaluation."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, PercentFormatter, StrMethodFormatter

from ml.evaluate_embedder import Findings
from ml.pictures import COLOURS, INK, STYLE, plot, svg

BINS = 10


@matplotlib.rc_context(STYLE)
def reliability(versions: Sequence[Findings]) -> str:
    """What the likeliest answers claim against how many are right; the larger the dot, the more of them."""
    figure, axes = _shares("probability claimed", "share right")
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
    return _named(figure, axes, len(versions))


@matplotlib.rc_context(STYLE)
def trade_off(versions: Sequence[Findings], promised: float) -> str:
    """Coverage of the option sets against their mean size, one dot for each promise."""
    figure, axes = _shares("options a post, on average", "true dress among them")
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
    return _named(figure, axes, len(versions))


def _shares(x: str, y: str) -> tuple[Figure, Axes]:
    figure, axes = plot(x, y)
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    return figure, axes


def _named(figure: Figure, axes: Axes, models: int) -> str:
    if models > 1:
        handles, labels = axes.get_legend_handles_labels()
        figure.legend(handles, labels, frameon=False, labelcolor=INK, loc="outside upper left", ncols=models)
    return svg(figure)
