"""What becomes of a night's fit: who serves in the morning, and why."""

from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from django_q.models import OrmQ

from recommend import learning, nightly, serving, tasks, versions
from recommend.factorise import FactorisationDiverged
from recommend.ials import ImplicitMissing
from recommend.models import RecommenderVersion
from recommend.shelf import take, take_model
from recommend.spark_session import SparkRefused
from recommend.svd import SVDUnfinished
from tests.make import make_dress
from tests.recommend.conftest import Crowd
from tests.recommend.together import Together
from verify.models import Dress

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("small")]
State = RecommenderVersion.State


def fit(told: str = "TOGETHER") -> RecommenderVersion:
    return nightly.fit(told, lambda line: None)


def test_a_shop_of_which_little_is_known_recommends_what_is_popular_and_says_so(
    crowd: Crowd, settings: Any
) -> None:
    crowd.comes()
    settings.RECOMMEND_PEOPLE = 1_000
    version = fit()
    assert (version.state, version.folder) == (State.REFUSED, "")
    assert version.reason == (
        "Too little is known: 12 people, and 1,000 are needed. What is popular goes on serving."
    )
    settings.RECOMMEND_PEOPLE, settings.RECOMMEND_JUDGES = 6, 13
    assert "12 people did something both before the last week and in it, and 13 are needed" in fit().reason
    assert serving.live() is None


def test_a_method_that_beats_what_is_popular_serves(crowd: Crowd) -> None:
    crowd.comes()
    version = fit()
    assert (version.state, RecommenderVersion.objects.live()) == (State.LIVE, version)
    assert (version.people, version.dresses, version.ratings) == (12, 6, 36)
    assert version.metrics["against"] == "what is popular"
    assert version.metrics["new"]["precision@10"] >= version.metrics["popular"]["precision@10"]
    assert version.metrics["new"]["arhr@10"] == 1.0  # each finds the third dress of their own three first
    assert version.reason.startswith("No worse than what is popular, beyond noise. Of what 12 people did")


def test_a_method_that_is_worse_does_not_serve(crowd: Crowd) -> None:
    crowd.comes()
    before = fit()
    version = fit("BACKWARDS")
    assert (version.state, RecommenderVersion.objects.live()) == (State.REFUSED, before)
    assert version.reason.startswith(f"Worse than {before}, beyond noise. {before} goes on serving.")
    assert version.metrics["differences"]["arhr@10"]["high"] < 0
    versions.publish(version, "The admin wants it.")  # its files are kept, for who thinks otherwise
    assert RecommenderVersion.objects.live() == version


def test_nobody_is_compared_on_what_the_live_version_has_seen(crowd: Crowd) -> None:
    """The twin of the live version knows nothing of the week before its own night."""
    crowd.comes()
    version = fit()
    twin = versions.folder_of(version) / versions.JUDGED
    served = versions.folder_of(version) / versions.SERVED
    assert take_model(twin).state["together"].sum() == 12 * 2  # pairs of the dresses of each
    assert take_model(served).state["together"].sum() == 12 * 6
    assert take(served).fans.sum() == 36


def test_the_last_three_are_kept_and_gone_back_to_one_by_one(crowd: Crowd) -> None:
    crowd.comes()
    oldest, first, second, third = (fit() for _ in range(4))
    assert [versions.has_files(version) for version in (oldest, first, second, third)] == [False] + [True] * 3
    call_command("rollback_recommender")
    assert RecommenderVersion.objects.live() == second
    call_command("rollback_recommender")
    assert RecommenderVersion.objects.live() == first
    third.refresh_from_db()
    assert (third.state, third.reason) == (State.REFUSED, f"Taken back in favour of {second}.")
    with pytest.raises(CommandError, match="No other version ever served whose files are still there"):
        call_command("rollback_recommender")
    assert RecommenderVersion.objects.live() == first


def test_without_a_live_version_there_is_nothing_to_go_back_from() -> None:
    with pytest.raises(CommandError, match="what is popular is recommended already"):
        call_command("rollback_recommender")


def test_a_dress_of_today_is_known_and_one_that_was_retired_is_not_judged_on(
    crowd: Crowd, dresses: dict[str, Dress]
) -> None:
    crowd.comes()
    Dress.objects.filter(pk=dresses["Stella"].pk).update(retired_on=timezone.localdate() - timedelta(days=30))
    version = fit()
    assert version.metrics["people"] == 10  # two wanted Stella this week


def test_the_default_knows_a_dress_that_nobody_has_touched_by_its_looks(
    crowd: Crowd, dresses: dict[str, Dress], settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the report of the night is a whole page."""
    monkeypatch.undo()
    settings.RECOMMEND_PEOPLE, settings.RECOMMEND_JUDGES = 6, 4
    crowd.comes()
    new = make_dress("NEW", photos=0, title="Nova")
    looks = {dresses["Luna"].pk: (1, 0.1), dresses["Onda"].pk: (0, 1), new.pk: (1, 0)}

    def looks_of(items: tuple[str, ...]) -> np.ndarray:
        return np.array([looks.get(int(item), (0, 0)) for item in items], np.float32)

    monkeypatch.setattr(learning, "looks_of", looks_of)
    version = fit("HYBRID")
    served = take(versions.folder_of(version) / versions.SERVED)
    shopper = served.shopper([served.columns[str(dresses[title].pk)] for title in ("Sole", "Stella")], [4, 4])
    assert shopper.scores(np.array([0]))[0, served.columns[str(new.pk)]] > 0
    report = versions.report_of(version) or ""
    assert "HYBRID" in report
    assert "12 tested" in report


@pytest.mark.parametrize("name", ["EDLAE", "HYBRID", "ENSEMBLE"])
def test_one_star_adds_nothing(crowd: Crowd, dresses: dict[str, Dress], name: str) -> None:
    crowd.comes()
    served = take(versions.folder_of(fit(name)) / versions.SERVED)
    luna, sole = (served.columns[str(dresses[title].pk)] for title in ("Luna", "Sole"))
    alone, with_a_star = (
        served.shopper(*rated).scores(np.array([0])) for rated in (([luna], [5]), ([luna, sole], [5, 1]))
    )
    assert np.array_equal(alone, with_a_star)
    assert np.ptp(alone) > 0


def test_an_unknown_method_is_named() -> None:
    with pytest.raises(CommandError, match="'FOLLY' is no method"):
        call_command("fit_recommender", method="FOLLY")


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ("EASE:lambda=0", "EASE: lambda=0: expected more than 0"),
        ("EDLAE:dropout=1", "EDLAE: dropout=1: expected 0 <= dropout < 1"),
        ("SVD:centring=x", "SVD: centring='x': it is one of"),
    ],
)
def test_a_value_that_an_option_cannot_have_is_named(told: str, said: str, settings: Any) -> None:
    settings.RECOMMEND_METHOD = told
    with pytest.raises(CommandError, match=said):
        call_command("fit_recommender")


def test_a_method_that_recommends_nothing_does_not_serve(crowd: Crowd) -> None:
    """As all did the same with all dresses, IBCF finds none more alike than others."""
    crowd.comes()
    version = fit("IBCF")
    assert (version.state, version.folder) == (State.REFUSED, "")
    assert version.reason.startswith("It recommends nothing to anybody who can tell how good it is.")


@pytest.mark.parametrize("error", [FactorisationDiverged, ImplicitMissing, SVDUnfinished])
def test_a_night_that_comes_to_nothing_leaves_a_row_that_says_why(
    crowd: Crowd, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    def come_to_nothing(*args: Any) -> None:
        raise error("It came to nothing.")

    monkeypatch.setattr(Together, "learn", come_to_nothing)
    crowd.comes()
    version = fit()
    assert (version.state, version.folder) == (State.REFUSED, "")
    assert version.reason == "It came to nothing. What is popular goes on serving."


def test_without_java_or_pyspark_its_engine_says_what_is_missing(
    crowd: Crowd, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing() -> None:
        raise SparkRefused("pyspark is not installed.")

    monkeypatch.setattr(learning, "check_spark", missing)
    crowd.comes()
    with pytest.raises(CommandError, match="pyspark is not installed"):
        call_command("fit_recommender", engine="spark", parquet="/nowhere")
    assert not RecommenderVersion.objects.exists()


@pytest.mark.parametrize(("told", "queued"), [("TOGETHER", 1), ("off", 0)])
def test_the_night_can_be_left_to_spark(told: str, queued: int, settings: Any) -> None:
    settings.RECOMMEND_METHOD = told
    tasks.fit_nightly()
    assert OrmQ.objects.count() == queued


def test_a_second_fit_waits_for_no_first(tmp_path: Any) -> None:
    from verify.only_one import only_one

    with (
        only_one(versions.shelf() / ".lock", "A test is at work"),
        pytest.raises(CommandError, match="Another recommender is being fitted"),
    ):
        call_command("fit_recommender")
