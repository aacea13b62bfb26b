"""A picture of simulated campaigns."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, PercentFormatter
from matplotlib.transforms import Bbox

from verify.simulation.figures import Believed, Outcome

FORMATS = (".png", ".svg")
INK, MUTED, ACCENT, WARNING = "#26242b", "#8a8792", "#b3246b", "#c26a00"
PERCENT = PercentFormatter(1, decimals=0)


def draw(outcomes: Mapping[str, Outcome], path: Path) -> None:
    """Write a PNG or SVG by the ending of ``path``; the last policy is the one looked at closely.

    Raises OSError if it cannot be written.
    """
    figure = Figure(figsize=(13, 10), layout="constrained", facecolor="white")
    axes = figure.subplots(2, 2)
    closely = list(outcomes)[-1]
    _cost(axes[0, 0], outcomes, closely)
    _calibration(axes[0, 1], outcomes[closely], closely)
    _voters(axes[1, 0], outcomes[closely], closely)
    _progress(axes[1, 1], outcomes, closely)
    for each in axes.flat:
        each.spines[["top", "right"]].set_visible(False)
        each.tick_params(colors=INK, length=3)
        each.grid(color="#eceaf0", linewidth=0.8)
        each.set_axisbelow(True)
    figure.draw_without_rendering()  # labels are placed by what the axes have become
    _label_points(axes[0, 0], _costs(outcomes), closely)
    _label_ends(axes[1, 1], _ends(outcomes), closely)
    figure.savefig(path, dpi=130)


def _title(axes: Axes, title: str, x: str, y: str) -> None:
    axes.set_title(title, loc="left", fontsize=12, color=INK, fontweight="bold")
    axes.set_xlabel(x, color=INK)
    axes.set_ylabel(y, color=INK)


def _colour(name: str, closely: str) -> str:
    return ACCENT if name == closely else MUTED


def _cost(axes: Axes, outcomes: Mapping[str, Outcome], closely: str) -> None:
    _title(axes, "What accuracy costs", "votes per finished post", "accuracy of finished posts")
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=1))
    for name, point in _costs(outcomes).items():
        axes.plot(*point, "o", color=_colour(name, closely), markersize=9)
    axes.margins(x=0.25, y=0.15)


def _costs(outcomes: Mapping[str, Outcome]) -> dict[str, tuple[float, float]]:
    return {name: (each.figures.votes_per_finished, each.figures.accuracy) for name, each in outcomes.items()}


def _ends(outcomes: Mapping[str, Outcome]) -> dict[str, tuple[float, float]]:
    return {name: (each.days.votes[-1], each.days.finished[-1]) for name, each in outcomes.items()}


def _label_points(axes: Axes, points: Mapping[str, tuple[float, float]], closely: str) -> None:
    """Beside, above or below their points, wherever no other label or point is, the highest first."""
    taken = [
        Bbox.from_bounds(x - 7, y - 7, 14, 14) for x, y in map(axes.transData.transform, points.values())
    ]
    for name, point in sorted(points.items(), key=lambda item: -item[1][1]):
        x, y = axes.transData.transform(point)
        width = 6.5 * len(name)
        places = {
            (8, 0, "left"): Bbox.from_bounds(x + 8, y - 7, width, 14),
            (-8, 0, "right"): Bbox.from_bounds(x - 8 - width, y - 7, width, 14),
            (0, 12, "center"): Bbox.from_bounds(x - width / 2, y + 8, width, 14),
            (0, -12, "center"): Bbox.from_bounds(x - width / 2, y - 22, width, 14),
        }
        free = [
            place
            for place, box in places.items()
            if box.x0 > axes.bbox.x0 and not any(box.overlaps(other) for other in taken)
        ]
        right, up, side = free[0] if free else next(iter(places))
        taken.append(places[right, up, side])
        _say(axes, name, point, (right, up), closely, ha=side, va="center")


def _label_ends(axes: Axes, points: Mapping[str, tuple[float, float]], closely: str) -> None:
    """Upright above the ends of lines; a label moves right from over another."""
    taken = -100.0
    for name, point in sorted(points.items(), key=lambda item: item[1][0]):
        x, _ = axes.transData.transform(point)
        taken = max(x, taken + 16)
        _say(axes, name, point, ((taken - x) * 0.72, 6), closely, rotation=90, ha="center", va="bottom")


def _say(
    axes: Axes, name: str, point: tuple[float, float], shift: tuple[float, float], closely: str, **style: Any
) -> None:
    weight = "bold" if name == closely else "normal"
    axes.annotate(
        *(name, point, shift),
        textcoords="offset points",
        color=_colour(name, closely),
        fontweight=weight,
        **style,
    )


def _calibration(axes: Axes, outcome: Outcome, name: str) -> None:
    _title(axes, f"Is it as right as it says? ({name})", "stated confidence", "accuracy")
    lowest = min((min(each.stated, each.accuracy) for each in outcome.bins), default=0.9)
    start = max(0.0, lowest - 0.01)
    axes.plot([start, 1], [start, 1], color=MUTED, linewidth=1, linestyle=(0, (4, 3)))
    axes.annotate("as stated", ((start + 1) / 2,) * 2, (6, -12), textcoords="offset points", color=MUTED)
    stated, accuracy = [each.stated for each in outcome.bins], [each.accuracy for each in outcome.bins]
    errors = [1.96 * (each.accuracy * (1 - each.accuracy) / each.posts) ** 0.5 for each in outcome.bins]
    axes.errorbar(stated, accuracy, errors, fmt="o-", color=ACCENT, ecolor="#e3b7cd", linewidth=1.5)
    axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=1))
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=1))
    figures = outcome.figures
    said = f"stated {figures.stated_confidence:.1%}, right {figures.accuracy:.1%}"
    axes.text(0.03, 0.93, said, transform=axes.transAxes, color=INK)


def _voters(axes: Axes, outcome: Outcome, name: str) -> None:
    _title(
        axes, f"Voters as they are and as they are believed ({name})", "ability", "reliability, 95% interval"
    )
    axes.xaxis.set_major_formatter(PERCENT)
    axes.yaxis.set_major_formatter(PERCENT)
    if not outcome.voters:
        axes.text(0.5, 0.5, "this policy learns nothing of its voters", transform=axes.transAxes, ha="center")
        return
    axes.plot([0, 1], [0, 1], color=MUTED, linewidth=1, linestyle=(0, (4, 3)))
    kinds = (
        (False, ACCENT, "those who try", (0.6, 0.05)),
        (True, WARNING, "spammers and clickers", (0.24, 0.05)),
    )
    for is_bad, colour, said, place in kinds:
        some = [voter for voter in outcome.voters if voter.is_bad == is_bad]
        if some:
            _intervals(axes, some, colour)
            axes.text(*place, said, color=colour)


def _intervals(axes: Axes, some: Sequence[Believed], colour: str) -> None:
    """The estimate is a mode, so near 0 and 1 it may lie outside of its interval."""
    ability, estimate = [voter.ability for voter in some], [voter.reliability for voter in some]
    below = [max(0.0, voter.reliability - voter.low) for voter in some]
    above = [max(0.0, voter.high - voter.reliability) for voter in some]
    style: dict[str, Any] = {"fmt": "o", "markersize": 3.5, "elinewidth": 0.6, "alpha": 0.7}
    axes.errorbar(ability, estimate, [below, above], color=colour, **style)


def _progress(axes: Axes, outcomes: Mapping[str, Outcome], closely: str) -> None:
    _title(axes, "What people's votes finish", "votes", "finished posts")
    thousands = FuncFormatter(lambda value, _: f"{value:,.0f}")
    axes.xaxis.set_major_formatter(thousands)
    axes.yaxis.set_major_formatter(thousands)
    for name, each in outcomes.items():
        width = 2.2 if name == closely else 1.2
        axes.plot(
            [0, *each.days.votes], [0, *each.days.finished], color=_colour(name, closely), linewidth=width
        )
    axes.set_ylim(0, 1.6 * max(finished for _, finished in _ends(outcomes).values()) + 1)
