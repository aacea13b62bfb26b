"""Interactions that outgrow one machine: ALS by Spark, its items' factors then serve without Spark.

pyspark is an extra, and asked for when something is fitted, not before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from recommend.alike import by_cosine
from recommend.ratings import LARGEST, Floats, Ints, Ratings, RatingsRefused
from recommend.recommender import Config, Reason, Recommendation, Recommender, reasons
from recommend.spark_session import session

Arrays = dict[str, npt.NDArray[Any]]
Reals = npt.NDArray[np.float64]

COLUMNS = ("user", "item", "rating")
BUCKETS = 1024
FETCHED = 10_000  # rows at once through JDBC; Postgres's driver would else hold all of them in memory


@dataclass(frozen=True)
class SparkFactors(Config):
    """The same seed gives the same factors only with as many blocks."""

    categories: int = 20
    lambda_: float = 0.1  # times the number of ratings of a user or an item (Zhou et al. 2008)
    maxit: int = 10
    implicit: bool = True  # a rating says how sure it is that somebody likes it; else it is to be predicted
    alpha: float = 1.0  # how much surer with each point of a rating (Hu et al. 2008)
    good: float = -LARGEST  # if implicit, the lowest rating that counts
    seed: int = 0
    blocks: int = 10  # of users and of items, that are solved for at the same time

    def __post_init__(self) -> None:
        for name, least in (("categories", 1), ("maxit", 1), ("alpha", 0), ("blocks", 1)):
            if not least <= getattr(self, name) < np.inf:
                raise ValueError(f"{name}={getattr(self, name)}: it is {least} at least")
        if not 0 < self.lambda_ < np.inf:
            raise ValueError(f"lambda={self.lambda_}: without a penalty, new users have no one solution")

    def counts(self, rating: Any) -> Any:
        """Which of them say anything. Spark cannot solve for who has likes of 0 and below alone."""
        return (rating > 0) & (rating >= self.good) if self.implicit else rating == rating


# Where ratings come from: columns user, item and rating, each pair of a user and an item once


class Source(Protocol):
    @property
    def jar(self) -> Path | None: ...

    def read(self, spark: Any) -> Any: ...


@dataclass(frozen=True)
class Parquet:
    """A file or a folder, wherever Spark reads from."""

    path: str
    jar: ClassVar[Path | None] = None

    def __str__(self) -> str:
        return self.path

    def read(self, spark: Any) -> Any:
        return spark.read.parquet(self.path)


@dataclass(frozen=True)
class Jdbc:
    """A table, or a query in brackets with a name: `(SELECT … AS "user", …) AS ratings`."""

    url: str = field(repr=False)  # has the password in it
    table: str
    jar: Path | None = None  # the database's driver
    split_by: str = ""  # a column of whole numbers, by whose range it is read in parts at the same time
    parts: int = 8

    def __str__(self) -> str:
        return f"the table {self.table}"

    def read(self, spark: Any) -> Any:
        if not self.split_by:
            return self._all(spark).load()
        low_and_high = f"min({self.split_by}) AS low, max({self.split_by}) AS high"
        ends = f"(SELECT {low_and_high} FROM {self.table}) AS ends"  # noqa: S608 - the operator's own words
        low, high = self._all(spark).option("dbtable", ends).load().first()
        if low is None:
            return self._all(spark).load()
        parts = {"partitionColumn": self.split_by, "lowerBound": low, "upperBound": high + 1}
        return self._all(spark).options(**parts, numPartitions=self.parts).load()

    def _all(self, spark: Any) -> Any:
        reader = spark.read.format("jdbc").option("url", self.url).option("dbtable", self.table)
        return reader.option("fetchsize", FETCHED)


class SparkAls(Recommender):
    """Spark learns the items' factors; users' follow from them here, by the same ridge regression as Spark's.

    Without `implicit` it predicts ratings, too, within the range of those that it was fitted to: the mean of
    all where the user rated nothing, or nobody the item.
    """

    name: ClassVar[str] = "SPARK_ALS"
    config_class: ClassVar[type[Config]] = SparkFactors

    def learn(self, ratings: Ratings) -> Arrays:
        """Raises SparkRefused."""
        told = ratings.where(self.config.counts(ratings.matrix.data))
        matrix, values = told.matrix, ratings.matrix.data
        _some(len(told))
        counts = np.bincount(matrix.indices, minlength=len(ratings.items))
        levels = np.array([values.min(), values.mean(dtype=np.float64), values.max()])
        with session() as spark, TemporaryDirectory(prefix="ratings-") as folder:
            numbers, factors = fitted(_handed_over(spark, told, Path(folder)), self.config)
        people = len(np.unique(told.user_of))
        return state(_placed(numbers, factors, len(ratings.items)), counts, levels, people)

    def tastes(self, ratings: Ratings) -> Arrays:
        matrix = ratings.matrix
        x = np.zeros((len(ratings.users), self.state["gram"].shape[0]), np.float32)
        for row, (start, end) in enumerate(pairwise(matrix.indptr)):
            rated = self._regression(matrix.indices[start:end], matrix.data[start:end])
            if rated.given.any():
                x[row] = np.linalg.solve(rated.inner, rated.factors.T @ rated.given)
        return {"x": x}

    def _regression(self, rated: npt.NDArray[Any], values: Floats) -> _Regression:
        """Of one user."""
        config, counted = self.config, self.config.counts(values)
        items, given = rated[counted], values[counted].astype(np.float64)
        factors = self.state["factors"][items].astype(np.float64)
        if config.implicit:
            sure = config.alpha * given
            inner, given = self.state["gram"] + (factors.T * sure) @ factors, 1 + sure
        else:
            inner = factors.T @ factors
        inner = inner + config.lambda_ * len(items) * np.eye(len(inner))
        return _Regression(items, factors, given, inner)

    def scores(self, users: Ints) -> Floats:
        return np.asarray(self.taste["x"][users] @ self.state["factors"].T, np.float32)

    def predict(self, users: npt.ArrayLike, items: npt.ArrayLike) -> Floats:
        if self.config.implicit:
            return super().predict(users, items)
        x, columns = self.taste["x"][np.asarray(users, np.int64)], np.asarray(items, np.int64)
        told = np.einsum("nk,nk->n", x, self.state["factors"][columns])
        least, mean, most = self.state["levels"]
        told[~(x.any(axis=1) & (self.state["counts"][columns] > 0))] = mean
        return np.asarray(np.clip(told, least, most), np.float32)

    def similar_items(self, item: int, n: int) -> list[Recommendation]:
        """By the cosine of their factors."""
        return by_cosine(self.state["factors"], item, n, self.state["counts"] > 0)

    def explain(self, user: int, item: int) -> list[Reason]:
        """What each rating adds to the score, which is their sum."""
        known = self.known.by([user]).matrix
        rated = self._regression(known.indices, known.data)
        if not rated.given.any():
            return []
        weights = rated.factors @ np.linalg.solve(rated.inner, self.state["factors"][item]) * rated.given
        return reasons(rated.items, weights)


class _Regression(NamedTuple):
    """x = inner^-1 factors' given."""

    items: npt.NDArray[Any]  # (rated,)
    factors: Reals  # (rated, k)
    given: Reals  # (rated,)
    inner: Reals  # (k, k)


def fit_with_spark(
    source: Source, config: SparkFactors | None = None, catalogue: Sequence[str] | None = None
) -> SparkAls:
    """A model of no users yet: fold in whom it is asked about. `catalogue` fixes the items and their order.

    Raises RatingsRefused, naming user and item, as there are no rows; and SparkRefused.
    """
    model = SparkAls(config)
    with session(source.jar) as spark:
        table = _read(spark, source)
        levels = _checked(table)
        pairs, rated, people = _numbered(table.where(model.config.counts(table["rating"])))
        _some(len(rated))
        items = tuple(catalogue) if catalogue is not None else tuple(sorted(rated))
        places = _places(rated, items)
        numbers, factors = fitted(pairs, model.config)
    counts = np.zeros(len(items), np.int64)
    for number, count in rated.values():
        counts[places[number]] = count
    rows = np.array([places[number] for number in numbers.tolist()], np.int64)
    model.state = state(_placed(rows, factors, len(items)), counts, levels, people)
    model.known = Ratings(csr_array((0, len(items)), dtype=np.float32), (), items)
    model.taste = model.tastes(model.known)
    return model


def state(factors: Floats, counts: npt.NDArray[Any], levels: npt.NDArray[Any], people: int) -> Arrays:
    """Items' factors, how many rated each, the least, mean and largest rating, and of how many people."""
    wide = factors.astype(np.float64)
    return {
        "factors": factors,
        "gram": wide.T @ wide,
        "counts": counts.astype(np.int64),
        "levels": levels.astype(np.float32),
        "people": np.array(people),
    }


def _some(there: object, what: str = "no rating says that anybody likes anything") -> None:
    if not there:
        raise RatingsRefused(f"{SparkAls.name} cannot be fitted: {what}")


def _placed(rows: Ints, factors: Floats, items: int) -> Floats:
    """(items, k) with nothing for an item that nobody rated."""
    everywhere = np.zeros((items, factors.shape[1]), np.float32)
    everywhere[rows] = factors
    return everywhere


def _places(rated: dict[str, tuple[int, int]], items: tuple[str, ...]) -> dict[int, int]:
    """From Spark's number of an item to its place."""
    place = {item: number for number, item in enumerate(items)}
    for item in rated:
        if item not in place:
            raise RatingsRefused(f"item {item!r} is not in the catalogue of {len(items)} items")
    return {number: place[item] for item, (number, _) in rated.items()}


# What Spark does. Nothing here makes it run Python: its machines need Java alone


def fitted(pairs: Any, config: SparkFactors) -> tuple[Ints, Floats]:
    """Items' numbers, and their factors (items, k), from user_number, item_number and rating."""
    als = import_module("pyspark.ml.recommendation").ALS(
        userCol="user_number",
        itemCol="item_number",
        ratingCol="rating",
        rank=config.categories,
        regParam=config.lambda_,
        maxIter=config.maxit,
        implicitPrefs=config.implicit,
        alpha=config.alpha,
        seed=config.seed,
        numUserBlocks=config.blocks,
        numItemBlocks=config.blocks,
    )
    found = [(row.id, row.features) for row in als.fit(pairs).itemFactors.toLocalIterator()]
    numbers = np.array([number for number, _ in found], np.int64)
    return numbers, np.array([factors for _, factors in found], np.float32)


def _handed_over(spark: Any, ratings: Ratings, folder: Path) -> Any:
    matrix = ratings.matrix
    rows = np.column_stack([ratings.user_of, matrix.indices, matrix.data.astype(np.float64)])
    np.savetxt(folder / "ratings.csv", rows, fmt="%d,%d,%.9g")
    kinds = "user_number INT, item_number INT, rating FLOAT"
    return spark.read.csv((folder / "ratings.csv").as_uri(), schema=kinds)


def _read(spark: Any, source: Source) -> Any:
    """Once, and kept on disk: what is counted is what is learnt, though the table may change meanwhile."""
    table = columns(source.read(spark), COLUMNS, source)
    kinds = zip(COLUMNS, ("string", "string", "double"), strict=True)
    chosen = table.select(*(table[name].cast(kind).alias(name) for name, kind in kinds))
    return chosen.persist(import_module("pyspark").StorageLevel.DISK_ONLY)


def columns(table: Any, names: Sequence[str], source: Source) -> Any:
    """These of a table and no others. Raises RatingsRefused."""
    missing = [name for name in names if name not in table.columns]
    if missing:
        there = ", ".join(table.columns)
        raise RatingsRefused(f"{source} has no column {missing[0]!r}; there are: {there}")
    return table.select(*names)


def _checked(table: Any) -> npt.NDArray[Any]:
    """The least, the mean and the largest rating."""
    sql = import_module("pyspark.sql.functions")
    named = table["user"].isNotNull() & table["item"].isNotNull()
    right = named & sql.coalesce(sql.abs(table["rating"]) <= LARGEST, sql.lit(False))
    wrong = table.where(~right).first()
    if wrong:
        told = f"user {wrong.user!r}, item {wrong.item!r}: {wrong.rating} is no rating"
        raise RatingsRefused(f"{told}; expected both ids and a number within ±{LARGEST:g}")
    rating = table["rating"]
    levels = table.agg(sql.min(rating), sql.avg(rating), sql.max(rating)).first()
    _some(levels[0] is not None, "there are no ratings")
    again = table.groupBy("user", "item").count().where("count > 1").first()
    if again:
        raise RatingsRefused(f"user {again.user!r}, item {again.item!r}: there are {again['count']} ratings")
    return np.array(levels)


def _numbered(table: Any) -> tuple[Any, dict[str, tuple[int, int]], int]:
    """user_number, item_number and rating; of each item the number and how many rated it; how many people."""
    users, items = _numbers(table, "user"), _numbers(table, "item").persist()
    counted = items.join(table.groupBy("item").count(), "item").collect()
    rated = {row.item: (row.item_number, row["count"]) for row in counted}
    pairs = table.join(users, "user").join(items, "item")
    rating = pairs["rating"].cast("float").alias("rating")
    return pairs.select("user_number", "item_number", rating), rated, users.count()


def _numbers(table: Any, column: str) -> Any:
    """Within 32 bits, which ALS expects; in buckets, as no one machine may have to hold all ids."""
    sql, window = import_module("pyspark.sql.functions"), import_module("pyspark.sql").Window
    bucket = sql.pmod(sql.xxhash64(column), sql.lit(BUCKETS))
    ids = table.select(column).distinct().withColumn("bucket", bucket)
    place = sql.row_number().over(window.partitionBy("bucket").orderBy(column))
    number = ((place - 1) * BUCKETS + ids["bucket"]).cast("int")
    return ids.select(column, number.alias(f"{column}_number"))
