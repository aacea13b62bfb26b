"""Evaluates DeepDress on held-out photos, beside baselines and, if wanted, another version.

Every figure is what the portal would do: photos go the same way from the file to the options, the catalogue's
photos are the prototypes, calibration and option sets are fitted on other posts of the same kind (the split
'validation', in the portal's place of settled posts), and nothing is fitted on the posts that are measured.
"""

from __future__ import annotations

import math
import time
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import softmax
from tqdm import tqdm

from ml import conformal
from ml.baselines import colour_histograms, untrained
from ml.calibration import (
    ENOUGH,
    ENOUGH_OF_A_KIND,
    Calibration,
    fit_logit,
    fit_temperature,
    log_odds,
)
from ml.catalogue_index import CatalogueIndex, Options
from ml.classifier_baseline import Classifier
from ml.conformal import Coverage
from ml.deepdress import DeepDress, Embeddings
from ml.evaluation import likeliest_answers
from ml.held_out import HeldOut, Rows
from ml.metrics import auroc, average_precision, expected_calibration_error

KS = (1, 3, 5, 20)
PROMISES = (0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.98)
SHOWN = 3  # proposals beside a mistake
WORST = 12
NEVER = 1 + max(KS)  # the rank of what is not found
HALVED = (
    "There are no posts in the split 'validation': the option sets are fitted on one half of the test posts, "
    "drawn by a hash of their names, and measured on the other."
)
RECALIBRATED = "Temperature and 'not a dress' are calibrated on the split 'validation'."
Floats = npt.NDArray[np.float32]
Answers = tuple[Floats, npt.NDArray[np.bool_]]


@dataclass(frozen=True)
class Mistake:
    """A photo whose likeliest answer is wrong."""

    row: int  # of the photo
    confidence: float  # in the wrong answer
    not_a_dress: float
    proposed: list[tuple[int, float]]  # dresses with their probabilities, likeliest first


@dataclass(frozen=True)
class Findings:
    """What one model does with the photos; `figures` are ready for JSON, None where there are none."""

    name: str
    figures: dict[str, Any]
    answers: Answers | None = None  # confidence of the likeliest answer to every photo; whether it is right
    trade_off: tuple[Coverage, ...] = ()  # one for each promise
    mistakes: tuple[Mistake, ...] = ()
    ranks: dict[str, int] = field(
        default_factory=dict
    )  # of the right answer to each photo, from 1, by its name


@dataclass(frozen=True)
class Evaluation:
    """Versions of DeepDress, the one in question first, and the baselines."""

    data: HeldOut
    versions: list[Findings]
    baselines: list[Findings]
    notes: list[str]

    def as_json(self) -> dict[str, Any]:
        """The first version's figures, and the others' under `against` and `baselines`."""
        first, *others = self.versions
        return {
            **first.figures,
            "version": first.name,
            "against": {"version": others[0].name, **others[0].figures} if others else None,
            "baselines": {found.name: found.figures for found in self.baselines},
            "photos": counts(self.data),
            "notes": self.notes,
        }


def evaluate(
    data: HeldOut,
    models: list[DeepDress],
    promised: float = conformal.PROMISED,
    classifier: Classifier | None = None,
) -> Evaluation:
    """Evaluate the first model, and the others beside it; raises ml.photos.UnreadablePhoto."""
    halved = not len(data.nameable(data.posts("validation")))
    versions = [evaluate_model(data, model, model.version[:12], promised) for model in models]
    random = untrained(models[0].config, models[0].device)
    baselines = [
        _colours("colour histogram", data, middle=False),
        _colours("colour histogram of the middle", data, middle=True),
        _baseline("untrained network", data, _embedded(random, data, "untrained network")),
    ]
    if classifier:
        baselines.append(_classes("classifier", data, classifier))
    return Evaluation(data, versions, baselines, _notes(data, halved))


def counts(data: HeldOut) -> dict[str, int]:
    """How much there is of what."""
    posts = data.posts("test")
    return {
        "dresses_in_the_catalogue": len(np.unique(data.dress[data.catalogue])),
        "posts": len(posts),
        "posts_whose_dress_is_in_the_catalogue": len(data.nameable(posts)),
        "photos_without_a_dress": len(data.negatives("test")),
    }


def evaluate_model(data: HeldOut, model: DeepDress, name: str, promised: float) -> Findings:
    """All figures of one version."""
    started = time.perf_counter()
    embedded = _embedded(model, data, name)
    speed = len(data.photos) / (time.perf_counter() - started)
    index = _index(data, embedded.vectors)
    posts, negatives = data.nameable(data.posts("test")), data.negatives("test")
    measured = _measured(data, index, embedded)
    temperature, embedded = _recalibrated(data, index, embedded, model.temperature)
    options = _options(index, embedded, np.concatenate([posts, negatives]), temperature)
    answers = _answers(data, embedded, options, posts, negatives)
    trade_off = _trade_off(data, index, embedded.vectors, temperature, promised)
    kept = next((found for found in trade_off if found.promised == promised), None)
    figures = {
        **measured,
        "ece": None if answers is None else round(expected_calibration_error(*answers), 4),
        "conformal": None if kept is None else {key: round(value, 4) for key, value in asdict(kept).items()},
        "photos_per_second": round(speed, 1),
    }
    mistakes = _mistakes(data, embedded, options, posts, negatives)
    ranks = _ranks(data, index, embedded, posts, negatives)
    return Findings(name, figures, answers, trade_off, mistakes, ranks)


def _ranks(
    data: HeldOut, index: CatalogueIndex, embedded: Embeddings, posts: Rows, negatives: Rows
) -> dict[str, int]:
    """Of the dress among all; a photo without one has rank 1 or, taken for a dress, one behind them all.

    Equals come before the right one: a network to which all photos are the same is right nowhere.
    """
    cosines = index.similarities(embedded.vectors[posts])
    columns = np.searchsorted(index.dress_ids, data.dress[posts])[:, None]
    of_posts = (cosines >= np.take_along_axis(cosines, columns, axis=1)).sum(axis=1).tolist()
    taken_for_none = embedded.not_a_dress[negatives] > 0.5
    ranks = [*of_posts, *np.where(taken_for_none, 1, len(index) + 1).tolist()]
    return {data.names[row]: rank for row, rank in zip([*posts, *negatives], ranks, strict=True)}


def _recalibrated(
    data: HeldOut, index: CatalogueIndex, embedded: Embeddings, temperature: float
) -> tuple[float, Embeddings]:
    """Fitted on the split 'validation' where that has enough, as the portal fits on settled posts."""
    posts, negatives = data.nameable(data.posts("validation")), data.negatives("validation")
    if not _enough(data):
        return temperature, embedded
    columns = np.searchsorted(index.dress_ids, data.dress[posts])
    temperature = fit_temperature(index.similarities(embedded.vectors[posts]), columns)
    odds = log_odds(embedded.not_a_dress)
    rows = np.concatenate([posts, negatives])
    fitted = Calibration(temperature, *fit_logit(odds[rows], np.arange(len(rows)) >= len(posts)))
    return temperature, Embeddings(embedded.vectors, fitted.not_a_dress(odds))


def _enough(data: HeldOut) -> bool:
    posts, negatives = data.nameable(data.posts("validation")), data.negatives("validation")
    return len(posts) >= ENOUGH and len(negatives) >= ENOUGH_OF_A_KIND


def _embedded(model: DeepDress, data: HeldOut, name: str) -> Embeddings:
    return model.embed(tqdm(data.photos, name, unit="photo", disable=None))


def _colours(name: str, data: HeldOut, *, middle: bool) -> Findings:
    vectors = colour_histograms(tqdm(data.photos, name, unit="photo", disable=None), middle=middle)
    return Findings(name, {**_recalls(data, _index(data, vectors), vectors), "not_a_dress": None})


def _classes(name: str, data: HeldOut, classifier: Classifier) -> Findings:
    """By the scores of those dresses of the catalogue that it was trained on; no other is ever found."""
    found = classifier.probabilities(tqdm(data.photos, name, unit="photo", disable=None))
    places = {dress: place for place, dress in enumerate(classifier.dresses)}
    column = np.array([places.get(dress, -1) for dress in data.dresses])
    posts = data.nameable(data.posts("test"))
    offered = np.isin(np.arange(len(places)), column[np.unique(data.dress[data.catalogue])])
    scores, own = np.where(offered, found[posts, :-1], -1), column[data.dress[posts]]
    right = np.take_along_axis(scores, np.maximum(own, 0)[:, None], axis=1)
    ranks = np.where(own < 0, NEVER, (scores >= right).sum(axis=1))
    figures = {**_by_rank(data, posts, ranks, seen=own >= 0), "unseen": None}
    return Findings(name, {**figures, "not_a_dress": _dress_or_not(data, found[:, -1])})


def _baseline(name: str, data: HeldOut, embedded: Embeddings) -> Findings:
    return Findings(name, _measured(data, _index(data, embedded.vectors), embedded))


def _measured(data: HeldOut, index: CatalogueIndex, embedded: Embeddings) -> dict[str, Any]:
    """What needs no calibration."""
    recalls = _recalls(data, index, embedded.vectors)
    return {**recalls, "not_a_dress": _dress_or_not(data, embedded.not_a_dress)}


def _recalls(data: HeldOut, index: CatalogueIndex, vectors: Floats) -> dict[str, Any]:
    posts = data.nameable(data.posts("test"))
    right = index.nearest(vectors[posts], max(KS)).dress_ids == data.dress[posts][:, None]
    ranks = np.where(right, np.arange(1, right.shape[1] + 1), NEVER).min(axis=1, initial=NEVER)
    return _by_rank(data, posts, ranks, seen=data.seen[data.dress[posts]])


def _by_rank(
    data: HeldOut, posts: Rows, ranks: npt.NDArray[np.int64], seen: npt.NDArray[np.bool_]
) -> dict[str, Any]:
    """Recall of all posts (n,) by the ranks (n,) of their dresses, and of the kinds of dresses apart."""

    def recall(chosen: npt.NDArray[np.bool_]) -> dict[str, float] | None:
        return {str(k): round(float((ranks[chosen] <= k).mean()), 4) for k in KS} if chosen.any() else None

    kinds = {"seen": seen, "unseen": ~seen, "near_twins": data.twins[data.dress[posts]]}
    apart = {name: recall(chosen) for name, chosen in kinds.items()}
    return {
        "recall": recall(np.ones(len(posts), bool)),
        **{name: found and {"recall": found} for name, found in apart.items()},
    }


def _dress_or_not(data: HeldOut, not_a_dress: Floats) -> dict[str, float] | None:
    posts, negatives = data.posts("test"), data.negatives("test")
    scores = not_a_dress[np.concatenate([posts, negatives])]
    positive = np.arange(len(scores)) >= len(posts)
    area = auroc(scores, positive)
    if math.isnan(area):
        return None
    return {"auroc": round(area, 4), "average_precision": round(average_precision(scores, positive), 4)}


def _index(data: HeldOut, vectors: Floats) -> CatalogueIndex:
    return CatalogueIndex(vectors[data.catalogue], data.dress[data.catalogue])


def _options(index: CatalogueIndex, embedded: Embeddings, rows: Rows, temperature: float) -> Options:
    return index.options(embedded.vectors[rows], embedded.not_a_dress[rows], temperature, k=SHOWN)


def _answers(
    data: HeldOut, embedded: Embeddings, options: Options, posts: Rows, negatives: Rows
) -> Answers | None:
    if not len(posts):
        return None
    of_posts = Options(options.dress_ids[: len(posts)], options.probabilities[: len(posts)])
    none = embedded.not_a_dress
    return likeliest_answers(of_posts, data.dress[posts], none[posts], none[negatives])


def _trade_off(
    data: HeldOut, index: CatalogueIndex, vectors: Floats, temperature: float, promised: float
) -> tuple[Coverage, ...]:
    """Coverage against size of the option sets, for several promises and the one in question."""
    fitting, measured = _fitting_and_measured(data)
    if not len(fitting) or not len(measured):
        return ()

    def distribution(rows: Rows) -> tuple[npt.NDArray[np.float64], Rows]:
        cosines = index.similarities(vectors[rows]).astype(np.float64)
        return softmax(cosines / temperature, axis=1), np.searchsorted(index.dress_ids, data.dress[rows])

    held_out, posts = distribution(fitting), distribution(measured)
    promises = sorted({*PROMISES, promised})
    thresholds = [conformal.fit_threshold(*held_out, promise) for promise in promises]
    pairs = zip(promises, thresholds, strict=True)
    return tuple(conformal.measure(*posts, threshold, promise) for promise, threshold in pairs)


def _fitting_and_measured(data: HeldOut) -> tuple[Rows, Rows]:
    """Posts of 'validation' and of 'test'; where there is no validation, the halves of 'test'."""
    validation, test = (data.nameable(data.posts(split)) for split in ("validation", "test"))
    return (validation, test) if len(validation) else data.halves(test)


def _mistakes(
    data: HeldOut, embedded: Embeddings, options: Options, posts: Rows, negatives: Rows
) -> tuple[Mistake, ...]:
    """The wrong answers that the model is surest of."""
    found = []
    for place, row in enumerate([*posts, *negatives]):
        none = float(embedded.not_a_dress[row])
        dresses = (int(dress) for dress in options.dress_ids[place])
        proposed = list(zip(dresses, map(float, options.probabilities[place]), strict=True))
        confidence = _confidence_if_wrong(place < len(posts), int(data.dress[row]), none, proposed)
        if confidence is not None:
            found.append(Mistake(int(row), confidence, none, proposed))
    return tuple(sorted(found, key=lambda mistake: (-mistake.confidence, mistake.row))[:WORST])


def _confidence_if_wrong(
    shows_a_dress: bool, truth: int, none: float, proposed: list[tuple[int, float]]
) -> float | None:
    if not shows_a_dress:
        return None if none > 0.5 else 1 - none
    dress, probability = proposed[0]
    if none >= probability:
        return none
    return None if dress == truth else probability


def _notes(data: HeldOut, halved: bool) -> list[str]:
    """What a reader of the figures has to know about the photos."""
    posts = data.posts("test")
    nameable, seen = data.nameable(posts), data.seen[data.dress[posts]]
    left_out = len(posts) - len(nameable)
    notes = {
        f"{left_out} posts whose dress cannot be named are left out of recall and option sets.": left_out > 0,
        HALVED: halved and len(nameable) > 0,
        RECALIBRATED: _enough(data),
        "Every dress has a photo in the split 'train': there are no unseen ones.": bool(seen.all()),
    }
    return [note for note, applies in notes.items() if applies and len(posts)]
