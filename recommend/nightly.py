"""Every night the configured method learns from what shoppers did, and serves if it is no worse.

Two models are fitted: one to everything, which is to serve, and one without the last week, by which it is
judged. What serves now has such a twin, too, from its own night: neither twin has seen the week that both are
judged on, and a method that has not changed is still held to what it was.

Everything is written to a folder that has no row until it is whole: a fit that is killed changes nothing.
"""

from __future__ import annotations

import shutil
import time
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from django.utils import timezone

from recommend import judging, versions
from recommend.evaluate import Evaluation, Measured
from recommend.judging import Judges
from recommend.learning import GOOD, SLACK, Learnt, Say, TooLittle, here, with_spark
from recommend.methods import method_to_serve
from recommend.metrics import Figures
from recommend.models import RecommenderVersion
from recommend.ratings import RatingsRefused
from recommend.recommender import ModelRefused, Recommender, Unlearnt
from recommend.report import page
from recommend.shelf import take_model
from recommend.spark import Source
from verify.only_one import only_one

POPULAR = "what is popular"


def fit(told: str, say: Say, now: datetime | None = None, source: Source | None = None) -> RecommenderVersion:
    """Fit a method, told with its options, and publish it unless it is worse than what serves.

    From what shoppers did here, or by Spark from a source of interactions or ratings. Returns its row, whose
    reason says what became of it. Raises Busy, UnknownMethod, KeepsPeople, SparkRefused.
    """
    made, shelf = method_to_serve(told, good=GOOD, slack=SLACK), versions.shelf()
    with only_one(shelf / ".lock", "Another recommender is being fitted"):
        row = RecommenderVersion(method=told, fitted_at=now or timezone.now(), people=0, dresses=0, ratings=0)
        _fit(made, row, source, shelf / ".draft", say)
        versions.clear_away()
        say(row.reason)
        return row


def _fit(made: Recommender, row: RecommenderVersion, source: Source | None, draft: Path, say: Say) -> None:
    shutil.rmtree(draft, ignore_errors=True)  # of a fit that was killed
    say("Reading what shoppers did …")
    try:
        learnt = with_spark(made, source, row, draft, say) if source else here(made, row, draft, say)
        found = _judged(learnt, draft / versions.JUDGED, say)
    except (TooLittle, RatingsRefused, Unlearnt) as reason:
        shutil.rmtree(draft, ignore_errors=True)
        row.save()
        row.refuse(f"{reason} {_who_serves()}")
        return
    row.metrics = _metrics(found)
    (draft / versions.REPORT).write_text(_report(row.method, learnt, found), encoding="utf-8")
    row.folder = f"{row.fitted_at:%Y%m%d-%H%M%S-%f}-{row.data_sha256[:8] or 'spark'}"
    shutil.rmtree(versions.folder_of(row), ignore_errors=True)
    draft.rename(versions.folder_of(row))
    row.save()
    _decide(row, judging.worse(judging.compare(found.new, found.old)))


# Judging


class Judged(NamedTuple):
    """What the judges found."""

    people: int
    new: Figures
    old: Figures  # of what serves
    popular: Figures
    against: str  # what serves
    seconds: float  # that it took to rank for all of them


def _judged(learnt: Learnt, folder: Path, say: Say) -> Judged:
    """Raises TooLittle."""
    judges = learnt.judges
    say(f"Comparing on what {len(judges):,} people did in the last week …")
    begin = time.perf_counter()
    new = judging.of_model(judges, take_model(folder), GOOD)
    seconds = time.perf_counter() - begin
    if judging.lists_nothing(new):
        raise TooLittle("It recommends nothing to anybody who can tell how good it is.")
    popular = judging.of_popular(judges, learnt.fans, GOOD)
    old, name = _of_what_serves(judges) or (popular, POPULAR)
    return Judged(len(judges), new, old, popular, name, seconds)


def _metrics(found: Judged) -> dict[str, Any]:
    """The figures to keep."""
    differences = judging.compare(found.new, found.old)
    return {
        "people": found.people,
        "against": found.against,
        **{name: judging.means(getattr(found, name)) for name in ("new", "old", "popular")},
        "differences": {name: asdict(difference) for name, difference in differences.items()},
    }


def _of_what_serves(judges: Judges) -> tuple[Figures, str] | None:
    """Of the live version, and its name; None where its files are broken, or it recommends nothing.

    Then what is popular serves in fact.
    """
    live = RecommenderVersion.objects.live()
    if live is None:
        return None
    try:
        found = judging.of_model(judges, take_model(versions.folder_of(live) / versions.JUDGED), GOOD)
    except ModelRefused:
        return None
    return None if judging.lists_nothing(found) else (found, str(live))


def _report(told: str, learnt: Learnt, found: Judged) -> str:
    """The page for staff: the method beside what is popular, on the same week."""
    methods = {
        told: _measured(told, found.new, fit=learnt.seconds, topn=found.seconds),
        "POPULAR:by=count": _measured("POPULAR:by=count", found.popular, fit=0, topn=0),
    }
    protocol = {"folds": 1, "given": None, "good": GOOD, "n": list(judging.NS), "left_out": 0}
    protocol |= {"train_users": learnt.people, "test_users": found.people}
    return page(Evaluation(learnt.source, learnt.ratings, protocol, methods, {}))


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
