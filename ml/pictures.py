"""Plots as SVG that takes its ink from the page around it."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.optimize import isotonic_regression

INK = "#010203"  # stands for currentColor, which matplotlib does not know
GAP = 0.065  # between names, as a share of the plot's height
COLOURS = ("#c2337a", "#2f7fb8")
STYLE: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "deepdress",
    "font.family": "sans-serif",
    "font.size": 11,
}


def plot(x: str, y: str, height: float = 4, width: float = 5) -> tuple[Figure, Axes]:
    """Sizes in inches."""
    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.add_subplot()
    axes.set_xlabel(x, color=INK)
    axes.set_ylabel(y, color=INK)
    axes.tick_params(which="both", colors=INK)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["bottom", "left"]].set_color(INK)
    axes.grid(color=INK, alpha=0.12)
    return figure, axes


def name_ends(
    axes: Axes, names: Sequence[str], ends: Sequence[tuple[float, float]], colours: Sequence[str]
) -> None:
    """Names of lines beside the plot, as near to the lines' ends (x, y) as they stand without touching."""
    (left, right), (low, high) = axes.get_xlim(), axes.get_ylim()
    places = spread_apart([(y - low) / ((high - low) or 1) for _, y in ends])
    for name, end, place, colour in zip(names, ends, places, colours, strict=True):
        axes.annotate(
            name, end, (1.04, place), textcoords="axes fraction", va="center",
            color=INK, annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": colour, "linewidth": 1, "shrinkA": 2, "shrinkB": 2,
                        "relpos": (0, 0.5)},
        )  # fmt: skip
    axes.set(xlim=(left, right), ylim=(low, high))


def spread_apart(ends: Sequence[float]) -> list[float]:
    """Heights a gap apart, as near to the ends as they can be, in their order: isotonic least squares."""
    if not len(ends):
        return []
    gap = min(GAP, 1 / max(len(ends) - 1, 1))
    order = np.argsort(ends, kind="stable")
    steps = gap * np.arange(len(ends))
    moved = isotonic_regression(np.asarray(ends, np.float64)[order] - steps).x
    places = np.empty(len(ends))
    places[order] = np.clip(moved, 0, max(1 - gap * (len(ends) - 1), 0)) + steps
    return [float(place) for place in places]


def svg(figure: Figure) -> str:
    """The picture alone, to be put into a page: no background, no XML declaration."""
    written = io.StringIO()
    figure.savefig(written, format="svg", transparent=True, metadata={"Date": None})
    picture = written.getvalue()
    return picture[picture.index("<svg") :].replace(INK, "currentColor")
