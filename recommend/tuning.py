"""Options picked by what they do on users held out from those that are learnt from."""

from __future__ import annotations

from dataclasses import dataclass, fields
from itertools import product

import numpy as np

from recommend.methods import METHODS, method
from recommend.metrics import Figures
from recommend.ratings import Ratings
from recommend.splits import Scheme, Split, splits
from recommend.trial import Clock, outcome

OR = "|"
N = 10  # the length of the lists that are compared
FIGURES = ("rmse", "mae", "precision", "recall", "f", "arhr", "ndcg")
LOWER_IS_BETTER = ("rmse", "mae")

# What is tried where nothing else is said; each option alone matters more than the steps between.
GRIDS: dict[str, dict[str, str]] = {
    "POPULAR": {"by": "mean|count"},
    "UBCF": {"similarity": "cosine|pearson", "neighbours": "50|100|200", "shrinkage": "10|30"},
    "IBCF": {"similarity": "cosine|pearson", "neighbours": "50|100|200", "shrinkage": "10|30"},
    "SVD": {"categories": "2|5|10|20|50"},
    "RSVD": {"categories": "2|10|20", "lambda": "1.5|6|10|20"},
    "RSVD_SPLIT": {"categories": "2|10|20", "lambda": "1.5|6|10|20"},
    "EASE": {"lambda": "250|500|1000|2000", "weight": "good|all"},
    "EDLAE": {"lambda": "100|400|1600", "dropout": "0.5|0.7|0.85"},
    "IALS": {"categories": "20|50", "lambda": "10|50|100", "alpha": "1|10"},
    "BPR": {"categories": "20|30|50", "lambda": "0.01|0.05|0.1"},
    "WARP": {"categories": "20|30|50", "lambda": "0.01|0.05|0.1"},
    "ENSEMBLE": {"share": "0.3|0.5|0.7", "lambda": "100|400|1600"},
}


class TuningRefused(ValueError):
    """Alternatives where none can be tried, or a figure that there is not."""


@dataclass(frozen=True)
class Tuning:
    """How it is decided: the figure, and an inner split of the users that are learnt from."""

    scheme: Scheme
    figure: str = ""  # without: the error where ratings are predicted, else nDCG@10

    def __post_init__(self) -> None:
        if self.figure and self.figure not in FIGURES:
            raise TuningRefused(f"{self.figure!r} is no figure to tune by; there are {', '.join(FIGURES)}")


def alternatives(told: str, tune: bool, good: float) -> list[str]:
    """`RSVD:categories=10|20,lambda=10` is two methods. Raises UnknownMethod or TuningRefused."""
    name, _, options = told.partition(":")
    if OR in options and not tune:
        raise TuningRefused(f"{told}: there are alternatives to choose from: that takes --tune")
    given = dict(option.partition("=")[::2] for option in filter(None, options.split(",")))
    if tune and OR not in options:
        given = {**_grid(name), **given}
    choices = [[f"{option}={value}" for value in values.split(OR)] for option, values in given.items()]
    found = [f"{name}:{','.join(chosen)}" if chosen else name for chosen in product(*choices)]
    for each in found:
        method(each, good=good)
    return found


def tuned(told: str, train: Ratings, tuning: Tuning, good: float) -> str:
    """The alternative that does best on the inner split, in which nobody of a bootstrap is twice."""
    found = alternatives(told, True, good)
    if len(found) == 1:
        return found[0]
    once = np.sort(np.unique(train.users, return_index=True)[1])
    inner = list(splits(train.by(once), tuning.scheme))
    worth = [np.mean([_worth(each, split, tuning.figure, good) for split in inner]) for each in found]
    return found[int(np.nanargmax(worth))] if np.isfinite(worth).any() else found[0]


def _worth(told: str, split: Split, figure: str, good: float) -> float:
    """The higher, the better."""
    model = method(told, good=good)
    figure = figure or ("rmse" if model.predicts_ratings else "ndcg")
    found = Figures(outcome(model, split, good, [N], Clock()))
    if figure in LOWER_IS_BETTER:
        return -found.overall[figure].value
    return found.lists[N][figure].value


def _grid(name: str) -> dict[str, str]:
    if name not in METHODS:
        return {}
    known = {field.name.rstrip("_") for field in fields(METHODS[name].config_class)}
    return {option: values for option, values in GRIDS.get(name, {}).items() if option in known}
