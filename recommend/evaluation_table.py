"""The figures of an evaluation as rows of text, the same on a terminal and on the page."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

from recommend.evaluate import Evaluation, Measured
from recommend.metrics import Difference, Figure

MISSING = "–"
Row = tuple[str, list[str]]
Rows = tuple[list[str], list[Row]]
Look = Callable[[Measured], Figure]


def figures(found: Evaluation) -> Rows:
    """Headings, and a row of cells for each method: the figure ± its standard error."""
    n = compared_length(found)
    columns = _columns(n)
    headings = [*columns, "fit, s", "predict, s", "peak, MB"]
    rows = [
        (name, [*(_figure(look(each)) for look in columns.values()), *_cost(each)])
        for name, each in found.methods.items()
    ]
    return headings, rows


def differences(found: Evaluation) -> Rows:
    """What each method is better or worse by than the best one, with the interval of 95%."""
    n = compared_length(found)
    looks = {
        "RMSE": (_overall("rmse"), min),
        f"P@{n}": (_list(n, "precision"), max),
        f"ARHR@{n}": (_list(n, "arhr"), max),
        f"nDCG@{n}": (_list(n, "ndcg"), max),
    }
    best = {heading: _best(found, look, pick) for heading, (look, pick) in looks.items()}
    told = {heading: name for heading, name in best.items() if name}
    headings = [f"{heading} against {name}" for heading, name in told.items()]
    rows = [
        (name, [_less(each, found.methods[told[heading]], looks[heading][0]) for heading in told])
        for name, each in found.methods.items()
    ]
    return headings, rows


def compared_length(found: Evaluation) -> int:
    """Of the lists that figures are told of: ten, as everywhere, or the next that there is."""
    lengths: Iterable[int] = found.protocol["n"]
    return min(lengths, key=lambda n: (abs(n - 10), n))


def _columns(n: int) -> dict[str, Look]:
    return {
        "RMSE": _overall("rmse"),
        "MAE": _overall("mae"),
        "covered": _covered,
        f"P@{n}": _list(n, "precision"),
        f"R@{n}": _list(n, "recall"),
        f"F@{n}": _list(n, "f"),
        f"ARHR@{n}": _list(n, "arhr"),
        f"nDCG@{n}": _list(n, "ndcg"),
        f"catalogue@{n}": _list(n, "catalogue_coverage"),
        "AUC": _overall("auc"),
    }


def _covered(each: Measured) -> Figure:
    """Of who predicts no ratings, nothing is to be covered."""
    overall = each.figures.overall
    return overall["coverage"] if math.isfinite(overall["rmse"].value) else overall["rmse"]


def _overall(name: str) -> Look:
    return lambda each: each.figures.overall[name]


def _list(n: int, name: str) -> Look:
    return lambda each: each.figures.lists[n][name]


def _figure(figure: Figure) -> str:
    if not math.isfinite(figure.value):
        return MISSING
    error = figure.standard_error
    return f"{figure.value:.3f}" + (f" ± {error:.3f}" if math.isfinite(error) else "")


def _cost(each: Measured) -> list[str]:
    memory = MISSING if each.peak_mb is None else f"{each.peak_mb:.0f}"
    return [f"{each.wall['fit']:.2f}", f"{each.wall['predict'] + each.wall['topn']:.2f}", memory]


def _best(found: Evaluation, look: Look, pick: Callable[..., str]) -> str | None:
    known = {
        name: look(each).value for name, each in found.methods.items() if math.isfinite(look(each).value)
    }
    return pick(known, key=known.__getitem__) if known else None


def _less(one: Measured, other: Measured, look: Look) -> str:
    if one is other:
        return "the best"
    return _difference(look(one).less(look(other)))


def _difference(found: Difference) -> str:
    if not math.isfinite(found.value):
        return MISSING
    if not math.isfinite(found.low):
        return f"{found.value:+.3f}"
    noise = ", may be noise" if found.is_noise else ""
    return f"{found.value:+.3f} [{found.low:+.3f}, {found.high:+.3f}]{noise}"
