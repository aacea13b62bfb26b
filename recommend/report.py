"""An evaluation of recommenders as one HTML page that needs no other file."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from ml import pictures
from recommend import evaluation_table
from recommend.evaluate import Evaluation, Measured
from recommend.evaluation_plots import Bar, bars, curves, histogram
from recommend.ratings import Ratings

SHORTEST = 0.001  # seconds that are told apart
FOLDERS = [Path(__file__).parent, Path(pictures.__file__).parent]


@dataclass(frozen=True)
class Picture:
    svg: str
    caption: str


def page(found: Evaluation) -> str:
    """The HTML, of a file or of a page for staff."""
    environment = Environment(
        loader=FileSystemLoader(FOLDERS), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    headings, rows = evaluation_table.figures(found)
    return environment.get_template("evaluation_report.html").render(
        source=found.source,
        counts=_counts(found.ratings),
        protocol=in_words(found.protocol),
        notes=[f"{name} could not be measured: {why}." for name, why in found.failed.items()],
        headings=headings,
        rows=rows,
        differences=evaluation_table.differences(found),
        lists=_lists(found) if found.methods else [],
        costs=_costs(found),
        data=_data(found.ratings),
    )


def in_words(protocol: dict[str, Any]) -> str:
    """Who was learnt from, who was tested, and on what."""
    times = "" if protocol["folds"] == 1 else f", {protocol['folds']} times over"
    left_out = protocol["left_out"]
    too_few = f" {left_out:,} people with too few ratings are left out." if left_out else ""
    return (
        f"{protocol['train_users']:,} people are learnt from and {protocol['test_users']:,} tested{times}, "
        f"by {_given(protocol['given'])}. A rating of {protocol['good']:g} or more is a hit.{too_few}"
    )


def _given(given: int | None) -> str:
    if given is None:
        return "the ratings known of each"
    return f"{given} known ratings each" if given > 0 else f"all but {-given} of each one's ratings"


def _counts(ratings: Ratings) -> dict[str, int]:
    return {"ratings": len(ratings), "users": len(ratings.users), "items": len(ratings.items)}


def _lists(found: Evaluation) -> list[Picture]:
    lengths = ", ".join(map(str, found.protocol["n"]))
    return [
        Picture(
            curves(_lines(found, "fpr", "tpr"), "share of the others listed", "share of the liked listed"),
            f"ROC: lists of {lengths} items. The nearer to the left and the top, the better.",
        ),
        Picture(
            curves(_lines(found, "recall", "precision"), "recall", "precision"),
            f"Precision and recall of the same lists of {lengths} items. The higher, the better.",
        ),
    ]


def _lines(found: Evaluation, x: str, y: str) -> list[tuple[str, list[float], list[float]]]:
    lines = []
    for name, each in found.methods.items():
        along, up = ([at[figure].value for at in each.figures.lists.values()] for figure in (x, y))
        if np.isfinite([*along, *up]).all():
            lines.append((name, along, up))
    return lines


def _costs(found: Evaluation) -> list[Picture]:
    told = [
        (_error, "RMSE", False, "How far predicted ratings are off, ± the standard error."),
        (_seconds("fit"), "seconds", True, "Time to learn from one split's ratings, by the clock."),
        (_seconds("predict", "topn"), "seconds", True, "Time to take in those tested, predict and rank."),
        (_memory, "MB", False, "Most memory that the method's process had, Python and the ratings included."),
    ]  # fmt: skip
    made = [(_bars(found, bar), x, log, caption) for bar, x, log, caption in told]
    return [Picture(bars(each, x, log), caption) for each, x, log, caption in made if each]


def _bars(found: Evaluation, bar: Callable[[str, Measured], Bar | None]) -> list[Bar]:
    """The shortest first."""
    told = [made for name, each in found.methods.items() if (made := bar(name, each))]
    return sorted(told, key=lambda made: made.value)


def _error(name: str, each: Measured) -> Bar | None:
    figure = each.figures.overall["rmse"]
    if not math.isfinite(figure.value):
        return None
    error = figure.standard_error
    return Bar(name, figure.value, f"{figure.value:.3f}", error if math.isfinite(error) else 0.0)


def _seconds(*work: str) -> Callable[[str, Measured], Bar | None]:
    def bar(name: str, each: Measured) -> Bar:
        seconds = sum(each.wall[part] for part in work)
        return Bar(name, max(seconds, SHORTEST), _told(seconds))

    return bar


def _told(seconds: float) -> str:
    if seconds < SHORTEST:
        return "less than 1 ms"
    return f"{1000 * seconds:.0f} ms" if seconds < 1 else f"{seconds:,.1f} s"


def _memory(name: str, each: Measured) -> Bar | None:
    return None if each.peak_mb is None else Bar(name, each.peak_mb, f"{each.peak_mb:,.0f} MB")


def _data(ratings: Ratings) -> list[Picture]:
    matrix = ratings.matrix
    users, items = np.diff(matrix.indptr), np.bincount(matrix.indices, minlength=len(ratings.items))
    rated = matrix.data.astype(np.float64)
    with np.errstate(invalid="ignore"):
        means = np.bincount(ratings.user_of, rated, len(users)) / users
        liked = np.bincount(matrix.indices, rated, len(items)) / items
    return [
        Picture(histogram(rated, "rating", "ratings"), "How often each rating was given."),
        Picture(
            histogram(rated - means[ratings.user_of], "rating less its person's mean", "ratings"),
            "Normalised: what is left of the ratings when nobody is stricter than another.",
        ),
        Picture(histogram(users, "ratings", "people"), "How many ratings people have given."),
        Picture(histogram(liked[items > 0], "mean rating", "items"), "What items are rated on average."),
    ]
