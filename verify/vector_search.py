"""Nearest dresses by pgvector's HNSW graph, for catalogues whose every photo is too much to compare with.

The vectors that count are those of `Embedding.vector`. The graph is made from them where it is wanted: a
column that Django does not know, filled for prototypes alone, with one partial index a version of the model.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from logging import getLogger

import numpy as np
import numpy.typing as npt
from django.conf import settings
from django.db import OperationalError, connection, transaction
from psycopg import sql
from psycopg.errors import LockNotAvailable

from ml.catalogue_index import CatalogueIndex, Floats, Ids, Neighbours, Options, largest
from verify import prototypes
from verify.models import DressPhoto, Embedding, ModelVersion

EF_SEARCH = 100  # candidates that the graph keeps; also the photos that are fetched for a query
SAMPLE = 20_000  # dresses by which the softmax's denominator is estimated; all of them in smaller catalogues
CHUNK = 1_000
LOCK_TIMEOUT = "2s"
COLUMN = sql.SQL("ALTER TABLE verify_embedding ADD COLUMN IF NOT EXISTS prototype vector")
FRESH = 60  # seconds that the number of dresses and the sample may be old; stock is looked up each time

logger = getLogger(__name__)


class GraphIndex:
    """What `CatalogueIndex` answers, by the graph.

    The softmax over every dress needs a denominator: exp(similarity / temperature) of the dresses found is
    known, the others' sum is estimated by the mean over a random sample of them. The estimate is unbiased,
    and exact up to `SAMPLE` dresses. Beyond that its standard error, as a share of a probability, is
    s (N - n) / (sqrt(m) Z), with s the standard deviation of exp(similarity / temperature) over the m sampled
    of the N - n dresses not found and Z the denominator: all of a post's probabilities are off by this one
    factor, so that neither their order nor their ratios change.
    """

    def __init__(self, version: ModelVersion, dresses: int, sample: CatalogueIndex) -> None:
        self._version, self._dresses, self._sample = version, dresses, sample

    def __len__(self) -> int:
        return self._dresses

    def nearest(self, queries: npt.ArrayLike, k: int) -> Neighbours:
        """The k most similar dresses of each query (m, d)."""
        dress_ids, similarities = self._found(queries, k)
        columns = largest(similarities, min(k, int(np.isfinite(similarities).sum(axis=1).min(initial=k))))
        return Neighbours(
            np.take_along_axis(dress_ids, columns, axis=1), np.take_along_axis(similarities, columns, axis=1)
        )

    def nearest_to_all(self, queries: npt.ArrayLike, k: int) -> tuple[Ids, Floats]:
        """Among what the graph finds for any of the queries: see `CatalogueIndex.nearest_to_all`."""
        dress_ids, similarities = self._found(queries, k)
        candidates = np.unique(dress_ids[np.isfinite(similarities)])
        found = prototypes.read(self._version, candidates.tolist())
        return CatalogueIndex(*found).nearest_to_all(queries, k)

    def options(
        self, vectors: npt.ArrayLike, not_a_dress: npt.ArrayLike, temperature: float, k: int = 3
    ) -> Options:
        """See `CatalogueIndex.options`."""
        dress_ids, similarities = self._found(vectors, k)
        probabilities = self._probabilities(vectors, dress_ids, similarities, temperature)
        dress = 1 - np.asarray(not_a_dress, np.float32).reshape(-1, 1)
        columns = largest(similarities, min(k, int(np.isfinite(similarities).sum(axis=1).min(initial=k))))
        return Options(
            np.take_along_axis(dress_ids, columns, axis=1),
            dress * np.take_along_axis(probabilities, columns, axis=1),
        )

    def probabilities(
        self, vectors: npt.ArrayLike, temperature: float, down_to: float | None = None
    ) -> Floats:
        """As of `CatalogueIndex`, (m, found) of the dresses that the graph finds; 0 fills a row of fewer.

        Where all of these are at least as probable as `down_to` there may be more, and a row has them, too.
        """
        rows = np.atleast_2d(np.asarray(vectors, np.float32))
        found = _by_graph(rows, self._version)
        probabilities = self._probabilities(rows, *_columns(found), temperature)
        if down_to is None:
            return probabilities
        least = [
            row[: len(dresses)].min(initial=1) for row, dresses in zip(probabilities, found, strict=True)
        ]
        most = min(self._dresses, int(1 / down_to)) if down_to else self._dresses  # they sum to 1 at most
        more = [row for row, dresses in enumerate(found) if len(dresses) < most and least[row] >= down_to]
        return self._probabilities(rows, *_columns(self._exactly(rows, found, more, most)), temperature)

    def _probabilities(
        self, vectors: npt.ArrayLike, dress_ids: Ids, similarities: Floats, temperature: float
    ) -> Floats:
        top = similarities.max(axis=1, keepdims=True, initial=-1)
        known = np.exp((similarities - top) / np.float32(temperature))  # 0 where nothing was found
        sampled = np.exp((self._sample.similarities(vectors) - top) / np.float32(temperature))
        others = np.stack([~np.isin(self._sample.dress_ids, row) for row in dress_ids])
        count = self._dresses - np.isfinite(similarities).sum(axis=1)
        rest = count.clip(min=0) * (sampled * others).sum(axis=1) / others.sum(axis=1).clip(min=1)
        return (known / (known.sum(axis=1) + rest)[:, None]).astype(np.float32)

    def _found(self, queries: npt.ArrayLike, k: int) -> tuple[Ids, Floats]:
        """At least k dresses of each query and their similarities: see `_columns`.

        The graph gives up where too many of the nearest are out of stock, and a dress may have many photos.
        """
        rows = np.atleast_2d(np.asarray(queries, np.float32))
        found = _by_graph(rows, self._version)
        few = [row for row, dresses in enumerate(found) if len(dresses) < min(k, self._dresses)]
        return _columns(self._exactly(rows, found, few, k))

    def _exactly(self, rows: Floats, found: list[Found], which: list[int], k: int) -> list[Found]:
        """What was found, of some queries replaced by the k nearest of all dresses."""
        nearest = dict(zip(which, _by_all(rows[which], self._version, k), strict=True))
        return [nearest.get(row, dresses) for row, dresses in enumerate(found)]


Found = dict[int, float]  # similarities by dress, of one query


def _columns(found: list[Found]) -> tuple[Ids, Floats]:
    """Dresses (m, n) and their similarities; -inf fills a row that has fewer."""
    width = max(map(len, found), default=0)
    dress_ids = np.full((len(found), width), -1, np.int64)
    similarities = np.full((len(found), width), -np.inf, np.float32)
    for row, dresses in enumerate(found):
        dress_ids[row, : len(dresses)] = list(dresses)
        similarities[row, : len(dresses)] = list(dresses.values())
    return dress_ids, similarities


Key = tuple[int, str, float, int]
_kept: dict[Key, GraphIndex] = {}


def kept(version: ModelVersion | None) -> GraphIndex | None:
    """The graph that this process asked a moment ago: asks the database nothing."""
    return _kept.get(_key(version)) if version else None


def graph(version: ModelVersion | None, count: int) -> GraphIndex | None:
    """The graph of a version's `count` prototypes; None where exact search is wanted, or there is none."""
    if version is None or not wanted(count) or not _has_graph(version):
        return None
    if len(_missing(version, CHUNK)) == CHUNK:
        return None
    _kept.clear()
    if found := _graph(version):
        _kept[_key(version)] = found
    return found


def _key(version: ModelVersion) -> Key:
    return (version.pk, settings.VECTOR_SEARCH, settings.LOOK_WEIGHT, int(time.time() / FRESH))


def wanted(count: int | None = None) -> bool:
    """Whether there are so many prototypes, or the setting says so."""
    if settings.VECTOR_SEARCH != "auto":
        return bool(settings.VECTOR_SEARCH == "hnsw")
    return (DressPhoto.objects.count() if count is None else count) > settings.VECTOR_SEARCH_EXACT_UP_TO


def available() -> bool:
    """Whether this database has pgvector."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT FROM pg_extension WHERE extname = 'vector'")
        return cursor.fetchone() is not None


def extend_graph(version: ModelVersion) -> int:
    """Take the prototypes that are embedded into the graph, where it is wanted; returns how many were new.

    A thousand at a time, so that it may be killed anywhere and goes on from there.
    """
    if not (wanted() and available() and (_has_graph(version) or _make_graph(version))):
        return 0
    done = 0
    while rows := _missing(version, CHUNK):
        done += _take_in(rows)
    _kept.clear()
    return done


def _graph(version: ModelVersion) -> GraphIndex | None:
    query, parameters = prototypes.as_query()
    count = sql.SQL("SELECT DISTINCT dress FROM ({}) AS prototype (photo, dress, weight)")
    ordered = sql.SQL("SELECT count(*) OVER (), dress FROM ({}) AS known ORDER BY md5(dress::text) LIMIT {}")
    statement = ordered.format(count.format(sql.SQL(query)), sql.Literal(SAMPLE))
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        dresses = cursor.fetchall()
    if not dresses:
        return None
    sample = CatalogueIndex(*prototypes.read(version, [dress for _, dress in dresses]))
    return GraphIndex(version, dresses[0][0], sample)


ASKED = sql.SQL("""
WITH asked AS MATERIALIZED (
    SELECT number, query::vector({size}) FROM unnest(%s::text[]) WITH ORDINALITY AS a (query, number)
), prototype (photo, dress, weight) AS NOT MATERIALIZED ({prototypes})
""")
BY_GRAPH = sql.SQL("""{asked}
SELECT asked.number, prototype.dress, near.similarity * prototype.weight
FROM asked CROSS JOIN LATERAL (
    SELECT photo_id, 1 - (prototype::vector({size}) <=> asked.query) AS similarity
    FROM verify_embedding
    WHERE model_version_id = {version} AND prototype IS NOT NULL
      AND photo_id IN (SELECT photo FROM prototype)
    ORDER BY prototype::vector({size}) <=> asked.query
    LIMIT {limit}
) AS near JOIN prototype ON prototype.photo = near.photo_id
""")
BY_ALL = sql.SQL("""{asked}
SELECT asked.number, near.dress, near.similarity
FROM asked CROSS JOIN LATERAL (
    SELECT dress, max((1 - (embedding.prototype::vector({size}) <=> asked.query)) * weight) AS similarity
    FROM verify_embedding AS embedding JOIN prototype ON prototype.photo = embedding.photo_id
    WHERE model_version_id = {version} AND embedding.prototype IS NOT NULL
    GROUP BY dress
    ORDER BY similarity DESC
    LIMIT {limit}
) AS near
""")
# Without the sort only the graph is left to the planner. Dresses out of stock are passed by.
ASK_THE_GRAPH = """
SELECT set_config('hnsw.ef_search', %s, true), set_config('hnsw.iterative_scan', 'strict_order', true),
       set_config('enable_sort', 'off', true)
"""


def _by_graph(queries: Floats, version: ModelVersion) -> list[Found]:
    """Of each query the dresses in stock of the nearest photos, as far as the graph finds any."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(ASK_THE_GRAPH, [str(EF_SEARCH)])
        return _ask(BY_GRAPH, queries, version, EF_SEARCH)


def _by_all(queries: Floats, version: ModelVersion, k: int) -> list[Found]:
    """Of each query the k nearest dresses in stock, every one compared."""
    return _ask(BY_ALL, queries, version, k)


def _ask(question: sql.SQL, queries: Floats, version: ModelVersion, limit: int) -> list[Found]:
    best: list[Found] = [{} for _ in queries]
    if not best:
        return best
    prototype_query, parameters = prototypes.as_query()
    size = sql.Literal(queries.shape[1])
    statement = question.format(
        asked=ASKED.format(size=size, prototypes=sql.SQL(prototype_query)),
        size=size,
        version=sql.Literal(version.pk),
        limit=sql.Literal(limit),
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, [_texts(queries), *parameters])
        for number, dress, similarity in cursor.fetchall():
            best[number - 1][dress] = max(similarity, best[number - 1].get(dress, -np.inf))
    return best


def _has_graph(version: ModelVersion) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [_name(version)])
        return bool(cursor.fetchone()[0])


def _name(version: ModelVersion) -> str:
    return f"prototype_graph_{version.pk}"


def _missing(version: ModelVersion, limit: int) -> list[tuple[int, bytes]]:
    """Embeddings (primary key, vector) of prototypes that are not in the graph."""
    query, parameters = prototypes.as_query()
    statement = sql.SQL(
        "SELECT id, vector FROM verify_embedding WHERE model_version_id = %s AND prototype IS NULL"
        " AND photo_id IN (SELECT photo FROM ({}) AS prototype (photo, dress, weight)) LIMIT %s"
    ).format(sql.SQL(query))
    with connection.cursor() as cursor:
        cursor.execute(statement, [version.pk, *parameters, limit])
        return [(pk, bytes(vector)) for pk, vector in cursor.fetchall()]


def drop_graphs(versions: Iterable[ModelVersion]) -> None:
    """Of versions whose embeddings are gone; next time, where the table is in use."""
    names = [sql.Identifier(_name(version)) for version in versions if _has_graph(version)]
    if names:
        _altered(sql.SQL("DROP INDEX IF EXISTS {}").format(sql.SQL(", ").join(names)))


def _make_graph(version: ModelVersion) -> bool:
    """An empty one, for vectors as long as those of this version.

    False where it has none yet, or the table is in use: the next photo that is embedded tries again.
    """
    vector = Embedding.objects.filter(model_version=version).values_list("vector", flat=True).first()
    if vector is None:
        return False
    index = sql.SQL(
        "CREATE INDEX IF NOT EXISTS {} ON verify_embedding"
        " USING hnsw ((prototype::vector({})) vector_cosine_ops) WHERE model_version_id = {}"
    ).format(sql.Identifier(_name(version)), sql.Literal(len(vector) // 4), sql.Literal(version.pk))
    return (_has_column() or _altered(COLUMN)) and _altered(index)


def _has_column() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT FROM pg_attribute WHERE attrelid = 'verify_embedding'::regclass"
            " AND attname = 'prototype' AND NOT attisdropped"
        )
        return cursor.fetchone() is not None


def _altered(statement: sql.Composable) -> bool:
    """Whether the table could be locked soon: who waits for its lock keeps everybody else waiting, too."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", [LOCK_TIMEOUT])
            cursor.execute(statement)
            cursor.execute("SET LOCAL lock_timeout TO DEFAULT")
    except OperationalError as error:
        if not isinstance(error.__cause__, LockNotAvailable):
            raise
        logger.warning("the graph has to wait: %s", error)
        return False
    return True


def _take_in(rows: list[tuple[int, bytes]]) -> int:
    vectors = _texts(np.frombuffer(vector, "<f4") for _, vector in rows)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE verify_embedding SET prototype = made.vector::vector"
            " FROM unnest(%s::bigint[], %s::text[]) AS made (id, vector)"
            " WHERE verify_embedding.id = made.id",
            [[pk for pk, _ in rows], vectors],
        )
        return int(cursor.rowcount)


def _texts(vectors: Iterable[npt.NDArray[np.float32]]) -> list[str]:
    return [f"[{','.join(map(str, vector.tolist()))}]" for vector in vectors]
