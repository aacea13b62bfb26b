"""Every night the configured method learns from what shoppers did, and serves if it is no worse.

Two models are fitted: one to everything, which is to serve, and one without the last week, by which it is
judged. What serves now has such a twin, too, from its own night: neither twin has seen the week that both are
judged on, and a method that has not changed is still held to what it was.

Everything is written to a folder that has no row until it is whole: a fit that is killed changes nothing.
"""

from __future__ import annotations

import hashlib
import shutil
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from django.conf import settings
from django.utils import timezone

from recommend import interactions, judging, versions
from recommend.embeddings import looks_of
from recommend.evaluate import Evaluation, Measured
from recommend.hybrid import Hybrid
from recommend.judging import Judges
from recommend.methods import method
from recommend.metrics import Figures
from recommend.models import RecommenderVersion
from recommend.ratings import Ratings, RatingsRefused
from recommend.recommender import ModelRefused, Recommender
from recommend.report import page
from recommend.shelf import put, put_model, take_model
from verify.models import Dress
from verify.only_one import only_one

WEEK = timedelta(days=7)
GOOD = 2.0  # a rating from which on somebody liked a dress: they opened a look of it, or more
POPULAR = "what is popular"

Say = Callable[[str], object]


class TooLittle(Exception):
    """Nothing can be learnt, or found better or worse; the message says what is missing."""


@dataclass(frozen=True)
class Data:
    """What shoppers did until tonight: all of it, and without the last week, which the judges are of."""

    everything: Ratings
    before: Ratings
    judges: Judges


def fit(told: str, say: Say, now: datetime | None = None) -> RecommenderVersion:
    """Fit a method, told with its options, and publish it unless it is worse than what serves.

    Returns its row, whose reason says what became of it. Raises Busy, UnknownMethod.
    """
    made, shelf = method(told, good=GOOD), versions.shelf()
    with only_one(shelf / ".lock", "Another recommender is being fitted"):
        version = _fit(made, told, now or timezone.now(), shelf / ".draft", say)
        versions.clear_away()
        say(version.reason)
        return version


def _fit(made: Recommender, told: str, now: datetime, draft: Path, say: Say) -> RecommenderVersion:
    shutil.rmtree(draft, ignore_errors=True)  # of a fit that was killed
    say("Reading what shoppers did …")
    everything = interactions.ratings(now)
    row = RecommenderVersion(method=told, fitted_at=now, **_counts(everything))
    try:
        data = _data(everything, now)
        seconds = _write(made, data, draft, say)
    except (TooLittle, RatingsRefused) as reason:
        shutil.rmtree(draft, ignore_errors=True)
        row.save()
        row.refuse(f"{reason} {_who_serves()}")
        return row
    found = _judged(data, draft / versions.JUDGED, say)
    row.metrics = _metrics(found)
    (draft / versions.REPORT).write_text(_report(told, data, found, seconds), encoding="utf-8")
    row.folder = f"{now:%Y%m%d-%H%M%S-%f}-{row.data_sha256[:8]}"
    shutil.rmtree(versions.folder_of(row), ignore_errors=True)
    draft.rename(versions.folder_of(row))
    row.save()
    _decide(row, judging.worse(judging.compare(found.new, found.old)))
    return row


def _counts(ratings: Ratings) -> dict[str, Any]:
    matrix, digest = ratings.matrix, hashlib.sha256()
    for part in (matrix.data, matrix.indices, matrix.indptr):
        digest.update(np.ascontiguousarray(part).data)
    found = {"people": len(ratings.users), "dresses": len(ratings.items), "ratings": len(ratings)}
    return {**found, "data_sha256": digest.hexdigest()}


def _data(everything: Ratings, now: datetime) -> Data:
    if (people := len(everything.users)) < settings.RECOMMEND_PEOPLE:
        raise TooLittle(
            f"Too little is known: {people:,} people, and {settings.RECOMMEND_PEOPLE:,} are needed."
        )
    items = everything.items
    before = interactions.ratings(now - WEEK, items=items)
    after = interactions.ratings(now, since=now - WEEK, items=items)
    judges = judging.judges(before, after, _candidates(items, now - WEEK), GOOD)
    if len(judges) < settings.RECOMMEND_JUDGES:
        raise TooLittle(
            f"Nobody can tell how good it is: {len(judges):,} people did something both before the last week "
            f"and in it, and {settings.RECOMMEND_JUDGES:,} are needed."
        )
    return Data(everything, before, judges)


def _candidates(items: tuple[str, ...], moment: datetime) -> npt.NDArray[np.bool_]:
    there = Dress.objects.in_stock(timezone.localdate(moment)).values_list("pk", flat=True)
    return np.isin(np.array(items, np.int64), np.array(there, np.int64))


def _write(made: Recommender, data: Data, draft: Path, say: Say) -> float:
    """Returns the seconds that it took to fit one of the two."""
    looks = looks_of(data.everything.items)
    if isinstance(made, Hybrid) and looks.shape[1]:
        made.with_content(looks)
    say(f"Fitting to {len(data.before):,} ratings, the last week held out …")
    begin = time.perf_counter()
    made.fit(data.before)
    seconds = time.perf_counter() - begin
    put_model(made, draft / versions.JUDGED)
    say(f"Fitting to all {len(data.everything):,} ratings …")
    put(made.fit(data.everything), looks, draft / versions.SERVED)
    return seconds


# Judging


class Judged(NamedTuple):
    """What the judges found."""

    people: int
    new: Figures
    old: Figures  # of what serves
    popular: Figures
    against: str  # what serves
    seconds: float  # that it took to rank for all of them


def _judged(data: Data, folder: Path, say: Say) -> Judged:
    say(f"Comparing on what {len(data.judges):,} people did in the last week …")
    begin = time.perf_counter()
    new = judging.of_model(data.judges, take_model(folder), GOOD)
    seconds = time.perf_counter() - begin
    popular = judging.of_popular(data.judges, data.before, GOOD)
    live, name, old = RecommenderVersion.objects.live(), POPULAR, popular
    if live and (twin := _twin(live)):
        old, name = judging.of_model(data.judges, twin, GOOD), str(live)
    return Judged(len(data.judges), new, old, popular, name, seconds)


def _metrics(found: Judged) -> dict[str, Any]:
    """The figures to keep."""
    differences = judging.compare(found.new, found.old)
    return {
        "people": found.people,
        "against": found.against,
        **{name: judging.means(getattr(found, name)) for name in ("new", "old", "popular")},
        "differences": {name: asdict(difference) for name, difference in differences.items()},
    }


def _twin(live: RecommenderVersion) -> Recommender | None:
    """None where its files are broken: then what is popular serves in fact."""
    try:
        return take_model(versions.folder_of(live) / versions.JUDGED)
    except ModelRefused:
        return None


def _report(told: str, data: Data, found: Judged, seconds: float) -> str:
    """The page for staff: the method beside what is popular, on the same week."""
    methods = {
        told: _measured(told, found.new, fit=seconds, topn=found.seconds),
        "POPULAR:by=count": _measured("POPULAR:by=count", found.popular, fit=0, topn=0),
    }
    protocol = {"folds": 1, "given": None, "good": GOOD, "n": list(judging.NS), "left_out": 0}
    protocol |= {"train_users": len(data.before.users), "test_users": found.people}
    source = "what shoppers did, the last week held out"
    return page(Evaluation(source, data.everything, protocol, methods, {}))


def _measured(told: str, figures: Figures, **seconds: float) -> Measured:
    return Measured(figures, {"predict": 0.0, **seconds}, {}, (told,))


def _decide(row: RecommenderVersion, worse: bool) -> None:
    against, told = row.metrics["against"], in_words(row.metrics)
    if worse:
        row.refuse(f"Worse than {against}, beyond noise. {_who_serves()} {told}")
        return
    versions.publish(row, f"No worse than {against}, beyond noise. {told}")
    row.refresh_from_db()


def in_words(metrics: dict[str, Any]) -> str:
    found = "; ".join(
        f"{name} {metrics['new'][name]:.3f} against {metrics['old'][name]:.3f}"
        f" (difference {each['low']:+.3f} to {each['high']:+.3f})"
        for name, each in metrics["differences"].items()
    )
    return f"Of what {metrics['people']:,} people did in the week held out: {found}."


def _who_serves() -> str:
    return f"{RecommenderVersion.objects.live() or 'What is popular'} goes on serving."
