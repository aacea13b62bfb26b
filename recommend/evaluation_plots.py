"""Plots of an evaluation of recommenders, and of the ratings it was done on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import matplotlib
import numpy as np
import numpy.typing as npt
from matplotlib.ticker import FuncFormatter, NullLocator, StrMethodFormatter

from ml.pictures import COLOURS, INK, STYLE, name_ends, plot, svg

FEW = 12  # values: a bar each
BINS = 30
LONGEST, WIDEST = 20, 42  # letters of a name beside a curve, and above a bar
HUES = (*COLOURS, "#2f9e5b", "#c7761a", "#8a5fd0", "#1f9c9c", "#b5473c", "#7d8b2a", "#6f7682", "#d06ab8")


@dataclass(frozen=True)
class Bar:
    name: str
    value: float  # above 0 on a logarithmic axis
    told: str
    error: float = 0.0


@matplotlib.rc_context(STYLE)
def histogram(values: npt.ArrayLike, x: str, y: str) -> str:
    """How often each value is there, or each range of values where there are many."""
    figure, axes = plot(x, y, height=3.2)
    given = np.asarray(values, np.float64)
    distinct, counts = np.unique(given, return_counts=True)
    if len(distinct) <= FEW:
        step = float(np.diff(distinct).min()) if len(distinct) > 1 else 1.0
        axes.bar(distinct, counts, width=0.8 * step, color=COLOURS[0])
        axes.set_xticks(distinct)
    else:
        axes.hist(given, BINS, color=COLOURS[0])
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axes.grid(visible=False, axis="x")
    return svg(figure)


@matplotlib.rc_context(STYLE)
def curves(lines: Sequence[tuple[str, Sequence[float], Sequence[float]]], x: str, y: str) -> str:
    """A line for each name through shares x and y, a dot for each length of list, the name at its end.

    Where there are more names than colours, the colours come again, dashed.
    """
    figure, axes = plot(x, y, height=max(4.0, 0.3 * len(lines)))
    for number, (_, along, up) in enumerate(lines):
        style = "o--" if number >= len(HUES) else "o-"
        axes.plot(along, up, style, color=_hue(number), markersize=3, linewidth=1.5)
    axes.set(xlim=(0, None), ylim=(0, None))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:g}%"))
    names = _short([name for name, _, _ in lines])
    ends = [(along[-1], up[-1]) for _, along, up in lines]
    name_ends(axes, names, ends, [_hue(number) for number in range(len(lines))])
    return svg(figure)


@matplotlib.rc_context(STYLE)
def bars(found: Sequence[Bar], x: str, log: bool = False) -> str:
    """A bar for each, its name above it, its value at its end."""
    figure, axes = plot(x, "", height=0.9 + 0.52 * len(found))
    least = 10 ** math.floor(math.log10(min(bar.value for bar in found) / 2)) if log else 0.0
    places = -np.arange(len(found), dtype=np.float64)
    axes.barh(places, [bar.value - least for bar in found], height=0.3, color=COLOURS[0], left=least)
    for place, bar in zip(places, found, strict=True):
        end = bar.value + bar.error
        if bar.error:
            axes.plot([bar.value - bar.error, end], [place, place], color=INK, linewidth=1.5)
        axes.annotate(bar.told, (end, place), (5, 0), textcoords="offset points", va="center", color=INK)
        axes.annotate(
            _cut(bar.name, WIDEST), (0, place + 0.18), (1, 1), xycoords=("axes fraction", "data"),
            textcoords="offset points", va="bottom", color=INK,
        )  # fmt: skip
    if log:
        axes.set_xscale("log")
        axes.set_xlim(left=least)
        axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,g}"))
        axes.xaxis.set_minor_locator(NullLocator())
    axes.set_ylim(-len(found) + 0.5, 0.75)
    axes.yaxis.set_major_locator(NullLocator())
    axes.spines["left"].set_visible(False)
    return svg(figure)


def _hue(number: int) -> str:
    return HUES[number % len(HUES)]


def _short(names: Sequence[str]) -> list[str]:
    """Without their options where they can be told apart by that."""
    bare = [name.partition(":")[0] for name in names]
    alike = {name for name in bare if bare.count(name) > 1}
    told = [full if name in alike else name for name, full in zip(bare, names, strict=True)]
    return [_cut(name, LONGEST) for name in told]


def _cut(name: str, letters: int) -> str:
    return name if len(name) <= letters else name[: letters - 1] + "…"
