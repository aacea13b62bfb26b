"""What Spark reads of a night: ratings as they stood at one moment, from interactions or from ratings.

Interactions are aggregated by Spark to what `recommend.interactions` makes of them, which a test holds it to.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import Any

from recommend.ratings import RatingsRefused
from recommend.spark import Source, columns

INTERACTIONS = ("event", "shopper", "at", "dress_id", "kind", "value")  # as the portal's table has them
RATED = ("user", "item", "rating", "at")
MICROSECONDS, DAY = 1_000_000, 86_400_000_000

# Days are of UTC, whatever Spark's time zone.
AGGREGATED = """
    WITH weights AS (
        SELECT explode(:weights) AS (kind, weight)
    ), told AS (
        SELECT event, shopper, dress_id, kind, value, unix_micros(at) AS at FROM {interactions}
    ), unsaved AS (
        SELECT shopper, dress_id, max(at) AS last FROM told WHERE kind = :unsave GROUP BY shopper, dress_id
    ), parts AS (
        SELECT shopper, dress_id, CAST(NULL AS DOUBLE) AS said, max(weight * power(2, -least(
            :longest, (:now - at) / :half_life
        ))) AS strength
        FROM told JOIN weights USING (kind) LEFT JOIN unsaved USING (shopper, dress_id)
        WHERE weight > 0 AND (kind <> :save OR last IS NULL OR at > last)
        GROUP BY shopper, dress_id, kind, at div :day
        UNION ALL
        SELECT shopper, dress_id, min_by(value, struct(-at, event)), NULL
        FROM told WHERE kind = :rating GROUP BY shopper, dress_id
    )
    SELECT shopper AS user, dress_id AS item, coalesce(max(said), :least + :range * (
        1 - power(2, -least(:longest, sum(strength) / :middle))
    )) AS rating
    FROM parts GROUP BY shopper, dress_id
"""


@dataclass(frozen=True)
class AsOf:
    """Of a source, what was known before a moment of the dresses in a catalogue; of others nothing.

    It has the columns of the portal's interactions, or `user`, `item`, `rating` and the time `at` of each.
    """

    source: Source
    moment: datetime
    catalogue: tuple[str, ...] = field(repr=False)
    rule: Mapping[str, Any] = field(repr=False)  # of `recommend.interactions.rule`

    @property
    def jar(self) -> Path | None:
        return self.source.jar

    def read(self, spark: Any) -> Any:
        """Raises RatingsRefused for a column that is missing, or times that are not of one zone."""
        table = self.source.read(spark)
        told = "kind" in table.columns
        there = columns(table, INTERACTIONS if told else RATED, self.source)
        if (kind := dict(there.dtypes)["at"]) != "timestamp":
            raise RatingsRefused(
                f"{self.source}: column 'at' is a {kind}; expected a timestamp with a time zone"
            )
        before = there.where(there["at"] < self.moment)
        rated = self._aggregated(spark, before) if told else before
        dresses = self._dresses(spark)
        return rated.join(dresses, rated["item"].cast("string") == dresses["dress"], "left_semi")

    def _aggregated(self, spark: Any, interactions: Any) -> Any:
        sql, rule = import_module("pyspark.sql.functions"), dict(self.rule)
        kinds, weights = rule.pop("kinds"), rule.pop("weights")
        pairs = [sql.lit(each) for pair in zip(kinds, weights, strict=True) for each in pair]
        told = {
            **rule,
            "weights": sql.create_map(*pairs),
            "now": round(self.moment.timestamp() * MICROSECONDS),
            "half_life": rule["half_life"] * MICROSECONDS,
            "day": DAY,
        }
        return spark.sql(AGGREGATED, args=told, interactions=interactions)

    def _dresses(self, spark: Any) -> Any:
        """One column; as one text, so that no machine needs Python."""
        sql = import_module("pyspark.sql.functions")
        each = sql.explode(sql.split(sql.lit(",".join(self.catalogue)), ","))
        return sql.broadcast(spark.range(1).select(each.alias("dress")))
