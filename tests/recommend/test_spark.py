import csv
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_array

from recommend.ratings import Ratings, RatingsRefused
from recommend.recommender import top
from recommend.spark import (
    Jdbc,
    Parquet,
    SparkAls,
    SparkFactors,
    fit_with_spark,
    state,
)
from recommend.spark_session import SparkRefused
from tests.recommend.on_spark import written

SPLIT = Path(__file__).parents[3] / "shared/data/movielense/ml_g15_r4"


@pytest.fixture
def drawn() -> Ratings:
    """30 people, 12 items and one that nobody rated; some ratings are 0, some below."""
    chance = np.random.default_rng(3)
    users, items = np.nonzero(chance.random((30, 12)) < 0.5)
    values = chance.integers(-1, 6, len(users))
    catalogue = [f"dress {n}" for n in range(13)]
    return Ratings.of([f"Ada {n}" for n in users], [catalogue[n] for n in items], values, catalogue=catalogue)


def rows_of(ratings: Ratings) -> list[tuple[str, int, float]]:
    columns, values = ratings.matrix.indices.tolist(), ratings.matrix.data.tolist()
    return list(zip((ratings.users[row] for row in ratings.user_of), columns, values, strict=True))


# Without Spark


def java(folder: Path, version: str) -> str:
    program = folder / "java"
    program.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\" 2024-01-16' >&2\n")
    program.chmod(0o755)
    return str(folder)


@pytest.mark.parametrize(
    ("pyspark", "version", "said"),
    [
        (None, "17.0.1", r"pyspark is not installed\. Install .* requirements-spark\.txt"),
        ("3.5.1", "17.0.1", r"pyspark is 3\.5\.1, and 4 or newer is needed"),
        ("4.3.0", None, r"Java 17 or newer, and there is none on the PATH"),
        ("4.3.0", "11.0.22", r"Java 17 or newer, and .*java is 11\."),
        ("4.3.0", "1.8.0_402", r"Java 17 or newer, and .*java is 8\."),
    ],
)
def test_what_is_missing_is_said(
    pyspark: str | None,
    version: str | None,
    said: str,
    tmp_path: Path,
    drawn: Ratings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    there = SimpleNamespace(__version__=pyspark) if pyspark else None
    monkeypatch.setitem(sys.modules, "pyspark", there)  # type: ignore[arg-type]
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", java(tmp_path, version) if version else str(tmp_path))
    with pytest.raises(SparkRefused, match=said):
        SparkAls().fit(drawn)


@pytest.mark.parametrize("implicit", [True, False])
def test_it_serves_without_spark(
    implicit: bool, drawn: Ratings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyspark", None)  # type: ignore[arg-type]
    model = SparkAls(SparkFactors(categories=3, implicit=implicit))
    factors = np.random.default_rng(1).random((13, 3)).astype(np.float32)
    model.known = Ratings(csr_array((0, 13), dtype=np.float32), (), drawn.items)
    model.state = state(factors, np.ones(13, np.int64), np.array([-1, 2, 5]), 30)
    model.save(tmp_path / "model")
    served = SparkAls.load(tmp_path / "model").fold_in(drawn)
    [best] = served.recommend(4, 1)
    assert best.item not in drawn.matrix[[4]].indices
    assert sum(served.scores(np.array([4]))[0] > best.score) <= len(drawn.matrix[[4]].indices)
    one = SparkAls(model.config)
    one.known, one.state, one.taste = served.known, served.state, {}
    reasons = one.explain(4, best.item)
    assert reasons == sorted(reasons, key=lambda reason: -reason.weight)
    assert {reason.item for reason in reasons} <= set(drawn.matrix[[4]].indices.tolist())
    assert np.isnan(served.predict([4], [best.item])).all() == implicit


# With it


@pytest.mark.spark
@pytest.mark.parametrize("implicit", [True, False])
def test_users_are_folded_in_as_spark_solves_for_them(implicit: bool, spark: Any, drawn: Ratings) -> None:
    from pyspark.ml.recommendation import ALS

    config = SparkFactors(categories=3, lambda_=0.2, maxit=3, implicit=implicit, alpha=2, blocks=2, seed=5)
    model = SparkAls(config).fit(drawn)
    rows = ", ".join(
        f"({row}, {item}, FLOAT({value}))" for row, item, value in triples(drawn) if value > 0 or not implicit
    )
    als = ALS(rank=3, regParam=0.2, maxIter=3, implicitPrefs=implicit, alpha=2, seed=5)
    found = als.setNumBlocks(2).fit(spark.sql(f"SELECT * FROM VALUES {rows} AS t(user, item, rating)"))
    theirs = {row.id: row.features for row in found.itemFactors.collect()}
    assert np.allclose([theirs[item] for item in range(12)], model.state["factors"][:12], atol=1e-4)
    assert not model.state["factors"][12].any()
    users = {row.id: row.features for row in found.userFactors.collect()}
    assert np.allclose([users[row] for row in range(len(drawn.users))], model.taste["x"], atol=1e-4)


def triples(ratings: Ratings) -> list[tuple[int, int, float]]:
    columns, values = ratings.matrix.indices.tolist(), ratings.matrix.data.tolist()
    return list(zip(ratings.user_of.tolist(), columns, values, strict=True))


@pytest.mark.spark
def test_a_table_and_a_file_make_the_same_model(spark: Any, drawn: Ratings, tmp_path: Path) -> None:
    file = written(spark, rows_of(drawn), tmp_path)
    spark._jvm.System.setProperty("derby.stream.error.file", str(tmp_path / "derby.log"))
    url = f"jdbc:derby:{tmp_path}/database;create=true"  # Spark brings this database along
    spark.read.parquet(file.path).write.jdbc(url, "liked")
    config, catalogue = SparkFactors(categories=3, implicit=False), [str(n) for n in range(13)]
    models = [
        fit_with_spark(source, config, catalogue)
        for source in (file, Jdbc(url, "liked"), Jdbc(url, "liked", split_by='"item"', parts=3))
    ]
    known = Ratings(drawn.matrix, drawn.users, tuple(catalogue))
    scores = [model.fold_in(known).scores(np.arange(30)) for model in models]
    assert np.allclose(scores, scores[0], atol=1e-3)
    assert models[0].state["counts"].tolist() == np.bincount(drawn.matrix.indices, minlength=13).tolist()
    assert abs(scores[0][drawn.user_of, drawn.matrix.indices] - drawn.matrix.data).mean() < 1


@pytest.mark.spark
@pytest.mark.parametrize(
    ("row", "said"),
    [
        (("Grace", 3, ""), "user 'Grace', item '3': None is no rating"),
        (("Grace", 3, "NaN"), "user 'Grace', item '3': nan is no rating"),
        (("Grace", 3, "-2e6"), "user 'Grace', item '3': -2000000.0 is no rating"),
        (("Grace", "", 4), "user 'Grace', item None"),
        (("Ada", 3, 4), "user 'Ada', item '3': there are 2 ratings"),
        (("Grace", 5, 4), "item '5' is not in the catalogue of 1 items"),
        (("Grace", 5, 0), "no rating says that anybody likes anything"),
        (None, "there are no ratings"),
    ],
)
def test_a_wrong_row_is_named(row: Any, said: str, spark: Any, tmp_path: Path) -> None:
    source = written(spark, [("Ada", 3, 5 if "likes" not in said else -1), row] if row else [], tmp_path)
    with pytest.raises(RatingsRefused, match=said):
        fit_with_spark(source, catalogue=["3"])


@pytest.mark.spark
def test_what_is_not_there_is_named(spark: Any, tmp_path: Path) -> None:
    source = written(spark, [("Ada", 3, 5)], tmp_path, "user STRING, item INT, stars DOUBLE")
    with pytest.raises(RatingsRefused, match="no column 'rating'; there are: user, item, stars"):
        fit_with_spark(source)
    with pytest.raises(SparkRefused, match=r"/nowhere"):
        fit_with_spark(Parquet("/nowhere"))
    with pytest.raises(SparkRefused, match="No suitable driver") as refused:
        fit_with_spark(Jdbc("jdbc:nobody://host/?password=secret", "liked"))
    assert "secret" not in str(refused.value)


@pytest.mark.spark
@pytest.mark.parametrize("implicit", [True, False])
def test_one_rating_is_enough(implicit: bool, spark: Any) -> None:
    model = SparkAls(SparkFactors(implicit=implicit)).fit(Ratings.of(["Ada"], ["dress"], [4]))
    assert [found.item for found in model.recommend(0, 3, exclude_known=False)] == [0]


@pytest.mark.spark
@pytest.mark.skipif(not SPLIT.with_name("ml_g15_r4_train.csv").exists(), reason=f"no {SPLIT}_train.csv")
def test_lists_and_ratings_of_films_are_better_than_what_is_popular(spark: Any) -> None:
    train, known, unknown = (films(part) for part in ("train", "known", "unknown"))
    lists = SparkAls(SparkFactors(categories=20, lambda_=0.3, maxit=6, good=4)).fit(train)
    scores = lists.fold_in(known).scores(np.arange(95))
    liked = unknown.where(unknown.matrix.data >= 4).matrix.toarray() > 0
    hits = [[liked[row, one.item] for one in best] for row, best in enumerate(top(scores, 10, known.matrix))]
    assert np.mean(hits) > 0.33  # POPULAR: .285
    rating = SparkAls(SparkFactors(categories=5, lambda_=0.1, maxit=6, implicit=False)).fit(train)
    told = rating.fold_in(known).predict(unknown.user_of, unknown.matrix.indices)
    assert np.sqrt(np.mean((told - unknown.matrix.data) ** 2)) < 1.02


def films(part: str) -> Ratings:
    catalogue = [str(n) for n in range(1, 1665)]
    with Path(f"{SPLIT}_{part}.csv").open() as file:
        rows = sorted((row for row in csv.DictReader(file)), key=lambda row: int(row["user"]))
    users, items, values = zip(*(row.values() for row in rows), strict=True)
    return Ratings.of(users, items, [float(value) for value in values], catalogue=catalogue)
