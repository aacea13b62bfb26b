"""What a night's model is learnt from, here or by Spark: all that shoppers did, and it without the last week.

Both come to the same: two models on a shelf, and people of whom it is known what they did in that week.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import numpy.typing as npt
from django.conf import settings
from django.utils import timezone

from recommend import interactions, judging, versions
from recommend.embeddings import looks_of
from recommend.hybrid import Hybrid
from recommend.judging import Judges
from recommend.models import Interaction, RecommenderVersion
from recommend.models.interaction import RATES
from recommend.ratings import Floats, Ratings
from recommend.recommender import Recommender
from recommend.shelf import put, put_model
from recommend.spark import Source, SparkAls, fit_with_spark
from recommend.spark_interactions import AsOf
from recommend.spark_session import SparkRefused, check_spark, session
from verify.models import Dress

WEEK = timedelta(days=7)
GOOD = 2.0  # a rating from which on somebody liked a dress: they opened a look of it, or more
SLACK = GOOD - RATES[0]  # so far below it the least rating stands, which says nothing
MOST_JUDGES = 10_000  # where not everybody fits into memory

Say = Callable[[str], object]


class TooLittle(Exception):
    """Nothing can be learnt, or found better or worse; the message says what is missing."""


@dataclass(frozen=True)
class Learnt:
    """What is known of a night, once both models lie in its folder."""

    judges: Judges
    fans: Floats  # (items,) how many people had to do with each before the last week
    people: int  # that the one without the last week was learnt from
    source: str
    ratings: Ratings  # of the source, as many as are here
    seconds: float  # that one of both models took


def here(made: Recommender, row: RecommenderVersion, draft: Path, say: Say) -> Learnt:
    """From ratings in this machine's memory. Raises TooLittle, RatingsRefused, Unlearnt."""
    everything = interactions.ratings(row.fitted_at)
    row.people, row.dresses, row.ratings = len(everything.users), len(everything.items), len(everything)
    row.data_sha256 = _digest(everything)
    _enough(row.people)
    since, items = row.fitted_at - WEEK, everything.items
    before = interactions.ratings(since, items=items)
    judges = _judges(before, interactions.ratings(row.fitted_at, since=since, items=items), since)
    looks = looks_of(items)
    if isinstance(made, Hybrid) and looks.shape[1]:
        made.with_content(looks)
    say(f"Fitting to {len(before):,} ratings, the last week held out …")
    begin = time.perf_counter()
    made.fit(before)
    seconds = time.perf_counter() - begin
    put_model(made, draft / versions.JUDGED)
    say(f"Fitting to all {len(everything):,} ratings …")
    put(made.fit(everything), looks, draft / versions.SERVED)
    fans = np.bincount(before.matrix.indices, minlength=len(items)).astype(np.float32)
    source = "what shoppers did, the last week held out"
    return Learnt(judges, fans, len(before.users), source, everything, seconds)


def with_spark(made: Recommender, source: Source, row: RecommenderVersion, draft: Path, say: Say) -> Learnt:
    """From what Spark reads; here are the ratings of those alone who can tell, of MOST_JUDGES at most.

    Raises TooLittle, RatingsRefused, SparkRefused.
    """
    if not isinstance(made, SparkAls):
        raise SparkRefused(f"Spark fits {SparkAls.name}, not {made.name}.")
    check_spark()
    since, items = row.fitted_at - WEEK, interactions.catalogue()
    judges, looks = _some_judges(row.fitted_at, since, items), looks_of(items)
    say("Starting Spark …")
    with session(source.jar):
        say("Fitting to what was known before the last week …")
        begin = time.perf_counter()
        twin = fit_with_spark(AsOf(source, since, items, interactions.rule()), made.config, items)
        seconds = time.perf_counter() - begin
        people = row.people = int(twin.state["people"])
        _enough(people)
        say("Fitting to everything …")
        served = fit_with_spark(AsOf(source, row.fitted_at, items, interactions.rule()), made.config, items)
    row.people, row.dresses = int(served.state["people"]), len(items)
    row.ratings = int(served.state["counts"].sum())
    put_model(twin, draft / versions.JUDGED)
    put(served, looks, draft / versions.SERVED)
    told = f"{source}, the last week held out; shown is what is known of those who can tell"
    fans = np.asarray(twin.state["counts"], np.float32)
    return Learnt(judges, fans, people, told, judges.known, seconds)


def _digest(ratings: Ratings) -> str:
    matrix, digest = ratings.matrix, hashlib.sha256()
    for part in (matrix.data, matrix.indices, matrix.indptr):
        digest.update(np.ascontiguousarray(part).data)
    return digest.hexdigest()


def _enough(people: int) -> None:
    if people < settings.RECOMMEND_PEOPLE:
        raise TooLittle(
            f"Too little is known: {people:,} people, and {settings.RECOMMEND_PEOPLE:,} are needed."
        )


# Who can tell


def _judges(before: Ratings, after: Ratings, since: datetime) -> Judges:
    found = judging.judges(before, after, _candidates(before.items, since), GOOD)
    if len(found) < settings.RECOMMEND_JUDGES:
        raise TooLittle(
            f"Nobody can tell how good it is: {len(found):,} people did something both before the last week "
            f"and in it, and {settings.RECOMMEND_JUDGES:,} are needed."
        )
    return found


def _some_judges(now: datetime, since: datetime, items: tuple[str, ...]) -> Judges:
    """Of those who came in the last week, the first by their keys, which are digests: a fair sample."""
    came = Interaction.objects.filter(at__gte=since, at__lt=now).order_by("shopper")
    shoppers = list(came.values_list("shopper", flat=True).distinct()[:MOST_JUDGES])
    before = interactions.ratings(since, shoppers=shoppers, items=items)
    return _judges(before, interactions.ratings(now, since=since, shoppers=shoppers, items=items), since)


def _candidates(items: tuple[str, ...], moment: datetime) -> npt.NDArray[np.bool_]:
    there = Dress.objects.in_stock(timezone.localdate(moment)).values_list("pk", flat=True)
    return np.isin(np.array(items, np.int64), np.array(there, np.int64))
