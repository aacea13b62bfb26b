"""pgvector's graph answers as the exact search does."""

from datetime import timedelta
from typing import Any

import numpy as np
import psycopg
import pytest
from django.db import connection
from django.utils import timezone

from dressportal import checks
from ml.catalogue_index import CatalogueIndex
from ml.named import named
from recommend.similar import look_alike
from tests.make import make_dress, make_look, make_model_version
from verify import prototypes, suggest, vector_search
from verify.models import Dress, DressPhoto, Embedding, ModelVersion, Photo
from verify.option_sets import Fit

pytestmark = pytest.mark.django_db
DRESSES, SIZE, TEMPERATURE = 1_000, 32, 0.05


@pytest.fixture(autouse=True)
def graph_wanted(settings: Any) -> None:
    settings.VECTOR_SEARCH = "hnsw"
    vector_search._kept.clear()


def catalogue(vectors: np.ndarray) -> ModelVersion:
    """Two photos a dress, embedded."""
    version = make_model_version()
    dresses = Dress.objects.bulk_create(Dress(sku=f"G-{n}", title="Gown") for n in range(len(vectors) // 2))
    photos = Photo.objects.bulk_create(
        Photo(sha256=f"{n:064}", width=1, height=1, large="l.jpg", small="s.jpg") for n in range(len(vectors))
    )
    DressPhoto.objects.bulk_create(
        DressPhoto(dress=dresses[n // 2], photo=photo, position=n % 2) for n, photo in enumerate(photos)
    )
    embed(version, photos, vectors)
    return version


def embed(version: ModelVersion, photos: list[Photo], vectors: np.ndarray) -> None:
    Embedding.objects.bulk_create(
        Embedding(photo=photo, model_version=version, vector=vector.astype("<f4").tobytes(), not_a_dress=0)
        for photo, vector in zip(photos, vectors, strict=True)
    )
    connection.check_constraints()  # as a commit would: what is pending keeps tables from being altered
    with connection.cursor() as cursor:  # as autovacuum does, without which the graph is planned for no rows
        cursor.execute("ANALYZE verify_embedding, verify_dressphoto, verify_dress, verify_photo")


def unit(vectors: np.ndarray) -> np.ndarray:
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def test_the_graph_finds_what_exact_search_finds_and_gives_the_same_probabilities() -> None:
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(100, SIZE))
    clustered = centres[rng.integers(0, 100, DRESSES)] + 0.4 * rng.normal(size=(DRESSES, SIZE))
    vectors = unit(np.concatenate([rng.normal(size=(DRESSES, SIZE)), clustered]))
    version = catalogue(vectors)
    assert vector_search.extend_graph(version) == len(vectors)
    assert vector_search.extend_graph(version) == 0
    exact, graph = CatalogueIndex(*prototypes.read(version)), suggest.catalogue_index()
    assert isinstance(graph, vector_search.GraphIndex)
    assert len(graph) == len(exact) == DRESSES

    seen = vectors[::40]
    queries = unit(seen + 0.1 * rng.normal(size=seen.shape))
    found, expected = graph.nearest(queries, 20), exact.nearest(queries, 20)
    shared = [np.isin(*rows).sum() for rows in zip(found.dress_ids, expected.dress_ids, strict=True)]
    assert np.mean(shared) / 20 >= 0.99
    ours, theirs = (index.options(queries, 0.1, TEMPERATURE) for index in (graph, exact))
    assert ours.dress_ids.tolist() == theirs.dress_ids.tolist()
    assert ours.probabilities == pytest.approx(theirs.probabilities, abs=1e-4)
    assert [one.candidates[0].dress for one in named(queries, [0.1] * len(seen), graph, TEMPERATURE, 1)] == (
        theirs.dress_ids[:, 0].tolist()
    )
    sets = Fit(TEMPERATURE, threshold=0.05)
    sizes = [sets.set_sizes(index.probabilities(queries, TEMPERATURE)) for index in (graph, exact)]
    assert sizes[0] == sizes[1]
    dress = Dress.objects.earliest("pk")
    [alike] = look_alike([dress], 5)
    assert alike[0] == pytest.approx(nearest_by_hand(exact, vectors[:2], dress.pk), abs=1e-5)

    # A sample of a fifth: within four of the standard errors that the docstring gives.
    dress_ids = exact.dress_ids[rng.permutation(DRESSES)[: DRESSES // 5]].tolist()
    sample = CatalogueIndex(*prototypes.read(version, dress_ids))
    rough = vector_search.GraphIndex(version, DRESSES, sample).options(queries, 0.1, TEMPERATURE)
    terms = np.exp(np.sort(exact.similarities(queries), axis=1) / TEMPERATURE)
    others = terms[:, :-60]  # at least so many of the hundred photos' dresses
    error = others.std(axis=1) * others.shape[1] / np.sqrt(DRESSES / 5) / terms.sum(axis=1)
    assert (np.abs(rough.probabilities / theirs.probabilities - 1) <= 4 * error[:, None] + 1e-3).all()


def nearest_by_hand(index: CatalogueIndex, queries: np.ndarray, but: int) -> tuple[int, float]:
    means = dict(zip(index.dress_ids.tolist(), index.similarities(queries).mean(axis=0), strict=True))
    del means[but]
    best = max(means, key=lambda dress: means[dress])
    return best, means[best]


def test_the_graph_names_no_retired_dress_and_a_new_one_at_once() -> None:
    vectors = unit(np.random.default_rng(1).normal(size=(8, SIZE)))
    version = catalogue(vectors)
    assert isinstance(suggest.catalogue_index(), CatalogueIndex)  # until there is a graph
    vector_search.extend_graph(version)
    graph = suggest.catalogue_index()
    Dress.objects.filter(sku="G-0").update(retired_on=timezone.localdate() - timedelta(days=1))
    new = make_dress()
    embed(version, [new.photos.get().photo], vectors[:1])
    assert vector_search.extend_graph(version) == 1
    found = graph.nearest(vectors[:1], 9)
    assert found.dress_ids[0, 0] == new.pk
    assert set(found.dress_ids[0]) == set(Dress.objects.in_stock().values_list("pk", flat=True))


def test_where_the_graph_gives_up_every_dress_is_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    """Luna's photo is nearest to dresses that have all been retired; Sole's is not."""
    rng, luna, sole = np.random.default_rng(3), *np.eye(SIZE)[:2]
    vectors = unit(np.repeat([luna, sole], 60, axis=0) + 0.1 * rng.normal(size=(120, SIZE)))
    version = catalogue(vectors)
    vector_search.extend_graph(version)
    Dress.objects.filter(sku__in=[f"G-{n}" for n in range(30)]).update(
        retired_on=timezone.localdate() - timedelta(days=1)
    )
    monkeypatch.setattr(vector_search, "EF_SEARCH", 5)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL hnsw.max_scan_tuples = 1")
    graph, exact = suggest.catalogue_index(), CatalogueIndex(*prototypes.read(version))
    assert isinstance(graph, vector_search.GraphIndex)
    asked = [luna, sole]
    few = [len(dresses) for dresses in vector_search._by_graph(np.array(asked, np.float32), version)]
    assert few[0] < 3
    assert max(few) < 6
    options = graph.options(asked, 0.1, TEMPERATURE, 6)
    assert options.dress_ids.tolist() == exact.options(asked, 0.1, TEMPERATURE, 6).dress_ids.tolist()
    for threshold in (0.0, 0.02, 0.9):
        sets = Fit(1.0, threshold=threshold)
        sizes = [sets.set_sizes(index.probabilities(asked, 1.0, threshold)) for index in (graph, exact)]
        assert sizes[0] == sizes[1]


@pytest.mark.django_db(transaction=True)
def test_a_graph_is_made_once_nobody_is_in_the_way_and_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vector_search, "LOCK_TIMEOUT", "20ms")
    version = catalogue(unit(np.eye(4)))
    with psycopg.connect(**connection.get_connection_params()) as reader:
        reader.execute("LOCK TABLE verify_embedding IN ROW EXCLUSIVE MODE")
        assert vector_search.extend_graph(version) == 0
    assert vector_search.extend_graph(version) == 4
    vector_search.drop_graphs([version, make_model_version("b" * 64)])
    assert not vector_search._has_graph(version)


@pytest.mark.parametrize("mode", ["exact", "hnsw"])
def test_verified_looks_name_their_dress_where_they_have_a_weight(settings: Any, mode: str) -> None:
    vectors = unit(np.random.default_rng(2).normal(size=(3, SIZE)))
    first, second = make_dress(), make_dress()
    version = make_model_version()
    embed(version, [first.photos.get().photo, second.photos.get().photo], vectors[:2])
    embed(version, [make_look(first).post.photo], vectors[2:])
    embed(version, [make_look(second, clearance="waiting").post.photo], vectors[2:])
    settings.VECTOR_SEARCH = mode
    for weight, expected in ((0.0, None), (0.8, 0.8)):
        settings.LOOK_WEIGHT = weight
        vector_search.extend_graph(version)
        found = suggest.catalogue_index().nearest(vectors[2:], 2)
        if expected:
            assert (found.dress_ids[0, 0], found.similarities[0, 0]) == (first.pk, pytest.approx(expected))
        else:
            assert found.similarities.max() < 0.7


def test_without_pgvector_exact_search_goes_on_and_the_check_says_so(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vector_search, "available", lambda: False)
    version = catalogue(unit(np.eye(4)))
    assert vector_search.extend_graph(version) == 0
    assert isinstance(suggest.catalogue_index(), CatalogueIndex)
    assert [found.id for found in checks.vector_search_extension(None, ["default"])] == ["dressportal.W010"]
    settings.VECTOR_SEARCH = "auto"  # four photos
    assert checks.vector_search_extension(None, ["default"]) == []
    settings.VECTOR_SEARCH_EXACT_UP_TO = 3
    assert len(checks.vector_search_extension(None, ["default"])) == 1
