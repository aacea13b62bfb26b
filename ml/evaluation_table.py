"""The figures of an evaluation as rows of text, the same on a terminal and on the page."""

from __future__ import annotations

from typing import Any

from ml.evaluate_embedder import KS, Evaluation

MISSING = "–"
Line = tuple[str, tuple[str, ...], str]  # what it is, where it lies in the figures, its format

LINES: tuple[Line, ...] = (
    *((f"Recall @{k}", ("recall", str(k)), ".1%") for k in KS),
    *((f"Recall @{k}, seen dresses", ("seen", "recall", str(k)), ".1%") for k in (1, 3)),
    *((f"Recall @{k}, unseen dresses", ("unseen", "recall", str(k)), ".1%") for k in KS),
    *((f"Recall @{k}, near-twins", ("near_twins", "recall", str(k)), ".1%") for k in (1, 3)),
    ("Not a dress: AUROC", ("not_a_dress", "auroc"), ".3f"),
    ("Not a dress: average precision", ("not_a_dress", "average_precision"), ".3f"),
    ("Calibration error", ("ece",), ".3f"),
    ("Option sets: promised", ("conformal", "promised"), ".1%"),
    ("Option sets: covered", ("conformal", "coverage"), ".1%"),
    ("Option sets: mean size", ("conformal", "mean_size"), ".1f"),
    ("Photos per second", ("photos_per_second",), ".0f"),
)


def table(found: Evaluation) -> tuple[list[str], list[tuple[str, list[str]]]]:
    """Headings of the models, and a labelled row of cells for each figure that any of them has."""
    models = [*found.versions, *found.baselines]
    rows = [(label, [_cell(model.figures, path, form) for model in models]) for label, path, form in LINES]
    told = [(label, cells) for label, cells in rows if set(cells) != {MISSING}]
    names = [f"DeepDress {version.name}" for version in found.versions]
    return [*names, *(baseline.name for baseline in found.baselines)], told


def _cell(figures: dict[str, Any], path: tuple[str, ...], form: str) -> str:
    value: Any = figures
    for key in path:
        value = value.get(key) if value else None
    return MISSING if value is None else format(value, form)
