"""A night's fit that Spark does, from interactions and ratings that it reads itself."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from recommend import interactions, nightly, versions
from recommend.models import Interaction, RecommenderVersion
from recommend.shelf import take, take_model
from recommend.spark import Parquet
from recommend.spark_interactions import INTERACTIONS, AsOf
from tests.conftest import DRIVER
from tests.make import make_dress
from tests.recommend.conftest import OFFICE, Crowd
from tests.recommend.on_spark import tcp_to, written
from tests.recommend.shoppers import NOON, store, told
from verify.models import Dress

TOLD = "event LONG, shopper STRING, at TIMESTAMP, dress_id LONG, kind SHORT, value DOUBLE"
RATED = "user STRING, item LONG, rating DOUBLE, at TIMESTAMP"
METHOD = "SPARK_ALS:categories=2,alpha=20,maxit=5,blocks=2"
State = RecommenderVersion.State


@pytest.fixture(autouse=True)
def the_same_keys(settings: Any) -> None:
    """By them Spark numbers people, and from that draws the factors that so small a crowd begins with."""
    settings.SHOPPER_SECRET = "by which Spark numbers people"


def exported(spark: Any, folder: Path) -> Parquet:
    """All that is stored, as a shop would keep it in files."""
    rows = Interaction.objects.values_list(*INTERACTIONS)
    return written(
        spark,
        [[getattr(each, "isoformat", lambda each=each: each)() for each in row] for row in rows],
        folder,
        TOLD,
    )


# Without Spark


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"engine": "spark"}, "--engine spark needs what to read: --parquet DIR or --jdbc URL"),
        ({"parquet": "likes"}, "--parquet goes with --engine spark"),
        ({"split_by": "item"}, "--split-by goes with --engine spark"),
        ({"engine": "spark", "parquet": "likes", "table": "likes"}, "--table goes with --jdbc"),
        ({"engine": "spark", "jdbc": "jdbc:x", "parts": 0}, "--parts 0: expected 1 or more"),
        ({"engine": "spark", "parquet": "likes", "method": "EASE"}, "Spark fits SPARK_ALS, not EASE"),
    ],
)
def test_what_does_not_go_together_is_said(options: dict[str, Any], said: str, db: None) -> None:
    with pytest.raises(CommandError, match=said):
        call_command("fit_recommender", **options)


# With it


@pytest.mark.spark
@pytest.mark.django_db
def test_spark_makes_the_same_ratings_of_interactions(spark: Any, tmp_path: Path) -> None:
    """In any time zone; and nothing of a dress that is gone, or of what comes later."""
    red, blue, gone = (make_dress(sku, photos=0) for sku in ("RED", "BLUE", "GONE"))
    store(
        told("Ada", "view", red),
        told("Ada", "view", red, days=0.3),  # the same day of UTC
        told("Ada", "view", red, days=0.6),  # the day before, though the same in Los Angeles
        told("Ada", "save", red, days=40),
        told("Ada", "rent", blue, days=200),
        told("Ada", "view", gone),
        told("Grace", "rating", red, days=3, value=2.0),
        told("Grace", "rating", red, days=2, value=4.5),
        told("Grace", "rent", red, days=1),
        told("Grace", "rating", blue, days=2, value=1.0, event="a"),
        told("Grace", "rating", blue, days=2, value=5.0, event="b"),  # at the same moment
        told("Linus", "view", red, days=-1),
        told("Luca", "save", red, days=5),
        told("Luca", "unsave", red, days=4),  # which takes back the one before alone
        told("Luca", "save", blue, days=5),
        told("Luca", "unsave", blue, days=4),
        told("Luca", "save", blue, days=3),
    )
    source = exported(spark, tmp_path)
    gone.delete()
    ours = interactions.ratings(NOON)
    spark.conf.set("spark.sql.session.timeZone", "America/Los_Angeles")
    try:
        table = AsOf(source, NOON, ours.items, interactions.rule()).read(spark)
        theirs = {(row.user, row.item): row.rating for row in table.collect()}
    finally:
        spark.conf.unset("spark.sql.session.timeZone")
    pairs = [
        (ours.users[row], int(ours.items[column]))
        for row, column in zip(ours.user_of, ours.matrix.indices, strict=True)
    ]
    assert sorted(theirs) == sorted(pairs)
    assert len(pairs) == 5
    assert np.allclose([theirs[pair] for pair in pairs], ours.matrix.data)


@pytest.mark.spark
@pytest.mark.django_db
@pytest.mark.usefixtures("small")
def test_a_model_of_spark_is_judged_published_and_gone_back_from(
    crowd: Crowd, spark: Any, tmp_path: Path
) -> None:
    crowd.comes()
    first = nightly.fit("BACKWARDS", lambda line: None)
    if first.state != State.LIVE:
        versions.publish(first, "It is to be beaten.")
    call_command("fit_recommender", engine="spark", method=METHOD, parquet=exported(spark, tmp_path).path)
    version = RecommenderVersion.objects.live()
    assert version
    assert (version.method, version.state) == (METHOD, State.LIVE)
    assert (version.people, version.dresses, version.ratings) == (12, 6, 36)
    assert version.metrics["against"] == str(first)
    assert version.metrics["new"]["arhr@10"] > 0.7
    twin, served = (versions.folder_of(version) / name for name in (versions.JUDGED, versions.SERVED))
    assert take_model(twin).state["counts"].sum() == 24  # the week was held out
    shelved = take(served)
    assert shelved.fans.sum() == 36
    own = [shelved.columns[str(crowd.dresses[title].pk)] for title in OFFICE]
    shopper = shelved.shopper(own[:2], [4, 4])
    assert shopper.recommend(0, 1)[0].item == own[2]
    assert [each.item for each in shopper.explain(0, own[2])] == sorted(own[:2])
    call_command("rollback_recommender")
    assert RecommenderVersion.objects.live() == first


@pytest.mark.spark
@pytest.mark.django_db
@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(
    ("kinds", "said"),
    [
        (RATED, ""),
        (
            RATED.replace(" at TIMESTAMP", " at TIMESTAMP_NTZ"),
            "column 'at' is a timestamp_ntz; expected a timestamp",
        ),
        (
            RATED.replace(" at TIMESTAMP", " since TIMESTAMP"),
            "has no column 'at'; there are: user, item, rating",
        ),
    ],
)
def test_ratings_that_were_kept_elsewhere(
    kinds: str, said: str, crowd: Crowd, dresses: dict[str, Dress], spark: Any, tmp_path: Path
) -> None:
    """The people who can tell are those that came here."""
    crowd.comes()
    found = interactions.ratings(timezone.now() - timedelta(days=7))
    old, now = (timezone.now() - timedelta(days=days) for days in (30, 0))
    rows = [
        (found.users[row], found.items[column], 4, old.isoformat())
        for row, column in zip(found.user_of, found.matrix.indices, strict=True)
    ]
    rows += [("Ada", found.items[0], 4, now.isoformat()), ("Ada", "999999", 4, old.isoformat())]
    version = nightly.fit(METHOD, lambda line: None, source=written(spark, rows, tmp_path, kinds))
    if said:
        assert (version.state, version.folder) == (State.REFUSED, "")
        assert said in version.reason
        assert version.reason.endswith("What is popular goes on serving.")
    else:
        assert (version.state, version.people, version.ratings) == (State.LIVE, 13, 25)


@pytest.mark.spark
@pytest.mark.django_db
@pytest.mark.usefixtures("small")
def test_what_spark_cannot_read_changes_nothing(crowd: Crowd) -> None:
    crowd.comes()
    with pytest.raises(CommandError, match=r"Spark: .*/nowhere"):
        call_command("fit_recommender", engine="spark", parquet="/nowhere")
    assert not RecommenderVersion.objects.exists()


@pytest.mark.spark
@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("small")
@pytest.mark.skipif(not DRIVER, reason="no driver of Postgres; on Debian: libpostgresql-jdbc-java")
def test_spark_reads_the_portals_own_table(crowd: Crowd) -> None:
    crowd.comes()
    there = connection.settings_dict
    with tcp_to(f"{there['HOST']}/.s.PGSQL.{there['PORT']}") as port:
        url = f"jdbc:postgresql://127.0.0.1:{port}/{there['NAME']}?user={there['USER']}"
        call_command(
            "fit_recommender",
            engine="spark",
            method=METHOD,
            jdbc=url,
            driver=DRIVER,
            split_by="dress_id",
            parts=3,
        )
    version = RecommenderVersion.objects.live()
    assert version
    assert (version.method, version.people, version.ratings) == (METHOD, 12, 36)
    assert "127.0.0.1" not in (versions.report_of(version) or "")
