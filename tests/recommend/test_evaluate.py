"""The protocol around a method: its own process, its failures, and options chosen on other people."""

import os
import signal
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from recommend import tuning
from recommend.apart import WorkFailed, apart, peak_mb
from recommend.evaluate import Evaluation, Question, evaluate
from recommend.methods import METHODS, UnknownMethod, method
from recommend.metrics import PerUser
from recommend.popular import Popular
from recommend.ratings import Ratings, RatingsRefused
from recommend.recommender import Recommender
from recommend.splits import Scheme, Split, splits
from recommend.trial import Clock, outcome
from recommend.tuning import Tuning, TuningRefused, alternatives, tuned

QUESTION = Question(4, (1, 3))


def crowd(seed: int = 0) -> Ratings:
    """The same five of twelve items are liked by all who rate them."""
    rng = np.random.default_rng(seed)
    pairs = [(user, item) for user in range(40) for item in rng.permutation(12)[:8]]
    names = [f"u{user}" for user, _ in pairs], [f"i{item}" for _, item in pairs]
    return Ratings.of(*names, [5 if item < 5 else 1 + item % 3 for _, item in pairs])


def grow(megabytes: int, report: Any) -> int:
    report("growing")
    return int(np.ones(megabytes << 17).sum())


def end_itself(report: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_process_tells_its_own_memory_and_how_far_it_is() -> None:
    held = np.ones(200 << 17)  # 200 MB that are ours, and not the other's
    said: list[str] = []
    found, peak = apart(grow, 64, report=said.append)
    assert (found, said) == (64 << 17, ["growing"])
    assert 64 < peak < peak_mb() - 100
    assert held.any()


def test_a_process_that_is_killed_says_why() -> None:
    with pytest.raises(WorkFailed, match="want of memory"):
        apart(end_itself)


class Picky(Popular):
    name = "PICKY"

    def learn(self, ratings: Ratings) -> dict:
        raise RatingsRefused("these ratings are not to its taste")


def test_one_that_fails_takes_no_other_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(METHODS, "PICKY", Picky)
    made = splits(crowd(), Scheme("cross-validation", folds=2, given=3))
    told = ["PICKY", "POPULAR", "RANDOM"]
    found, failed = evaluate(told, made, QUESTION, own_process=False)
    assert failed == {"PICKY": "these ratings are not to its taste"}
    assert list(found) == ["POPULAR", "RANDOM"]
    told_json = Evaluation("x", crowd(), {}, found, failed).as_json()
    difference = told_json["differences"]["POPULAR"]["RANDOM"]["topn"]["3"]["precision"]
    assert 0 < difference["low"] < difference["difference"] < difference["high"]
    assert len(found["POPULAR"].figures.of.users) == 40


def test_a_mistyped_method_is_refused_before_any_work() -> None:
    with pytest.raises(UnknownMethod, match="'POPULA' is no method"):
        evaluate(["POPULAR", "POPULA"], [], QUESTION)


def test_methods_are_told_what_is_good_unless_it_was_said() -> None:
    assert method("POPULAR:by=count", good=4).config.good == 4
    assert method("POPULAR:by=count,good=1", good=4).config.good == 1
    assert method("RANDOM", good=4).config == METHODS["RANDOM"].config_class()


def test_every_grid_can_be_walked() -> None:
    for name in METHODS:
        assert alternatives(name, True, 4)


def test_alternatives_are_every_combination() -> None:
    assert alternatives("POPULAR:by=mean|count,good=1|4", True, 4) == [
        "POPULAR:by=mean,good=1",
        "POPULAR:by=mean,good=4",
        "POPULAR:by=count,good=1",
        "POPULAR:by=count,good=4",
    ]
    assert alternatives("POPULAR", True, 4) == ["POPULAR:by=mean", "POPULAR:by=count"]
    assert alternatives("POPULAR", False, 4) == ["POPULAR"]
    with pytest.raises(TuningRefused, match="takes --tune"):
        alternatives("POPULAR:by=mean|count", False, 4)
    with pytest.raises(TuningRefused, match="'fame' is no figure"):
        Tuning(Scheme(), "fame")


def test_options_are_chosen_by_what_they_do_on_others() -> None:
    """Everybody rates all items alike often, so that to count ratings of 1 and more says nothing."""
    question = Question(4, (3,), Tuning(Scheme(train=0.6, given=3), "ndcg"))
    made = splits(crowd(), Scheme(given=3, train=0.7))
    found, _ = evaluate(["POPULAR:by=count,good=-9|4"], made, question, own_process=False)
    [chosen] = found.values()
    assert chosen.chosen == ("POPULAR:by=count,good=4",)
    assert chosen.wall["tune"] > 0


def test_in_a_bootstrap_nobody_is_learnt_from_whom_options_are_chosen_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    inner: list[Split] = []

    def noted(model: Recommender, split: Split, good: float, ns: Sequence[int], clock: Clock) -> PerUser:
        inner.append(split)
        return outcome(model, split, good, ns, clock)

    monkeypatch.setattr(tuning, "outcome", noted)
    [drawn] = splits(crowd(), Scheme("bootstrap", given=3))
    tuned("POPULAR", drawn.train, Tuning(Scheme(given=3)), 4)
    assert inner
    for split in inner:
        people = [*split.train.users, *split.known.users]
        assert len(set(people)) == len(people)
