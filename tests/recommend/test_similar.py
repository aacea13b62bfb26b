"""Dresses that look alike, and shop the look."""

from datetime import timedelta

import numpy as np
import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from recommend.similar import look_alike
from tests.make import embed, make_dress, make_look
from verify.models import Dress, ModelVersion

pytestmark = pytest.mark.django_db


def embedded(sku: str, *vectors: tuple[float, ...], **fields: object) -> Dress:
    return embed(make_dress(sku, photos=len(vectors), **fields), vectors)


def similar_skus(client: Client, sku: str, query: str = "") -> list[str]:
    answer = client.get(f"/api/v1/dresses/{sku}/similar/{query}")
    return [dress["sku"] for dress in answer.json()["results"]]


def test_most_similar_first_and_never_itself(client: Client) -> None:
    embedded("A", (1, 0))
    embedded("far", (-1, 0.1))
    embedded("near", (1, 0.1))
    embedded("middle", (0.2, 1))
    assert similar_skus(client, "A") == ["near", "middle", "far"]
    assert similar_skus(client, "A", "?limit=2") == ["near", "middle"]


def test_the_same_as_counting_by_hand() -> None:
    """Against a plain loop: the mean, over a dress's photos, of the best cosine with the other's."""
    random = np.random.default_rng(7)
    vectors = {}
    for number in range(12):
        dress = make_dress(photos=1 + number % 3)
        vectors[dress.pk] = random.normal(size=(1 + number % 3, 16))
        embed(dress, vectors[dress.pk])
    unit = {pk: rows / np.linalg.norm(rows, axis=1, keepdims=True) for pk, rows in vectors.items()}
    for pk in vectors:
        expected = {}
        for other in vectors:
            best = [max(float(row @ theirs) for theirs in unit[other]) for row in unit[pk]]
            expected[other] = sum(best) / len(best)
        del expected[pk]
        [found] = look_alike([Dress.objects.get(pk=pk)], 100)
        assert [other.dress_id for other in found] == sorted(expected, key=lambda key: -expected[key])
        assert [other.similarity for other in found] == pytest.approx(
            sorted(expected.values())[::-1], abs=1e-6
        )


def test_only_what_can_be_bought(client: Client) -> None:
    today = timezone.localdate()
    embedded("A", (1, 0))
    gone = embedded("gone", (1, 0.01))
    embedded("retired", (1, 0.02), retired_on=today)
    embedded("coming", (1, 0.03), available_from=today + timedelta(days=1))
    embedded("here", (1, 1))
    assert similar_skus(client, "A") == ["gone", "here"]
    gone.retire()
    assert similar_skus(client, "A") == ["here"]


def test_by_the_live_model_alone(client: Client) -> None:
    embedded("A", (1, 0))
    near_of_old = make_dress("old")
    before = ModelVersion.objects.create(digest="0" * 64, temperature=1.0)
    embed(near_of_old, [(1, 0)], before)
    embedded("B", (0, 1))
    assert similar_skus(client, "A") == ["B"]


@pytest.mark.parametrize("live", [True, False])
def test_empty_until_something_is_known(client: Client, live: bool) -> None:
    make_dress("A")
    if live:
        embedded("B", (1, 0))
    assert similar_skus(client, "A") == []


def shop(client: Client, pk: int) -> dict[str, object]:
    return client.get(f"/api/v1/looks/{pk}/shop/").json()


def test_shop_the_look_offers_the_dress_while_it_is_there(client: Client) -> None:
    dress = embedded("A", (1, 0))
    embedded("B", (1, 0.1))
    look = make_look(dress)
    offer = shop(client, look.pk)
    assert (offer["dress"]["sku"], offer["dress"]["in_stock"], offer["alternatives"]) == ("A", True, [])


def test_shop_the_look_offers_others_once_it_is_gone(client: Client) -> None:
    dress = embedded("A", (1, 0), retired_on="2020-01-01")
    embedded("far", (0, 1))
    embedded("near", (1, 0.1))
    offer = shop(client, make_look(dress).pk)
    assert (offer["dress"]["sku"], offer["dress"]["in_stock"]) == ("A", False)
    assert [other["sku"] for other in offer["alternatives"]] == ["near", "far"]
    assert offer["alternatives"][0]["similarity"] == pytest.approx(1 / 1.01**0.5, abs=1e-3)


def test_the_number_of_statements_does_not_grow(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    look = make_look(embedded("A", (1, 0), (0, 1), retired_on="2020-01-01"))
    for number in range(6):
        embedded(f"B{number}", (1, number), (number, 1))
    similar_skus(client, "A")  # reads the catalogue's vectors, once per process
    for limit in (1, 6):
        # the dress; the live model, its vectors, the catalogue's stamp; the others
        with django_assert_num_queries(5):
            assert len(similar_skus(client, "A", f"?limit={limit}")) == limit
        with django_assert_num_queries(5):
            assert (
                len(client.get(f"/api/v1/looks/{look.pk}/shop/?limit={limit}").json()["alternatives"])
                == limit
            )
