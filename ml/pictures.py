"""Plots as SVG that takes its ink from the page around it."""

from __future__ import annotations

import io
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

INK = "#010203"  # stands for currentColor, which matplotlib does not know
COLOURS = ("#c2337a", "#2f7fb8")
STYLE: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "deepdress",
    "font.family": "sans-serif",
    "font.size": 11,
}


def plot(x: str, y: str, height: float = 4) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(5, height), layout="constrained")
    axes = figure.add_subplot()
    axes.set_xlabel(x, color=INK)
    axes.set_ylabel(y, color=INK)
    axes.tick_params(which="both", colors=INK)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["bottom", "left"]].set_color(INK)
    axes.grid(color=INK, alpha=0.12)
    return figure, axes


def svg(figure: Figure) -> str:
    """The picture alone, to be put into a page: no background, no XML declaration."""
    written = io.StringIO()
    figure.savefig(written, format="svg", transparent=True, metadata={"Date": None})
    picture = written.getvalue()
    return picture[picture.index("<svg") :].replace(INK, "currentColor")
