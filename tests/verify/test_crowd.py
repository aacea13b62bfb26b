"""The consensus on any crowd: what it finds, what it chooses, and how it does when tasks are closed early."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from verify import crowd as crowds
from verify.crowd import Crowd, Model, candidates, choose, surprises
from verify.crowd_files import UNKNOWN, read_crowd, read_truth
from verify.reliability import Prior
from verify.replay import Stopping, prior_of, replay

SHARED = Path(__file__).resolve().parents[3] / "shared/data/crowd"
MODELS = [Model(Prior()), Model(Prior(4, 2), shrinkage=10.0)]


def crowd_of(votes: list[tuple[int, int, int]], tasks: int, workers: int, labels: int) -> Crowd:
    """``votes`` as (task, worker, label); every task may have every label."""
    task, worker, label = np.array(votes, int).reshape(-1, 3).T
    names = [[str(i) for i in range(count)] for count in (tasks, workers, labels)]
    first, option = np.arange(tasks + 1) * labels, np.tile(np.arange(labels), tasks)
    return Crowd(*names, task, worker, label, first, option, alike=True)


def made_up(
    abilities: np.ndarray,
    tasks: int = 200,
    each: int = 5,
    habit: tuple[float, ...] = (1 / 3, 1 / 3, 1 / 3),
    shares: tuple[float, ...] = (1 / 3, 1 / 3, 1 / 3),
) -> tuple[Crowd, np.ndarray]:
    """Workers who know the answer as often as their ability says, and else draw from ``habit``."""
    rng = np.random.default_rng(7)
    truth = rng.choice(len(shares), tasks, p=shares)
    votes = []
    for task in range(tasks):
        for worker in rng.choice(len(abilities), each, replace=False):
            knows = rng.random() < abilities[worker]
            votes.append((task, worker, truth[task] if knows else rng.choice(len(habit), p=habit)))
    return crowd_of(votes, tasks, len(abilities), len(shares)), truth


def everything(crowd: Crowd) -> np.ndarray:
    return np.ones(len(crowd.task), bool)


def accuracy(crowd: Crowd, model: Model, truth: np.ndarray) -> float:
    answers, _ = crowd.answers(model.fit(crowd, everything(crowd)).posterior)
    known = truth != UNKNOWN
    return float((answers == truth)[known].mean())


def majority(crowd: Crowd, truth: np.ndarray) -> float:
    """Its accuracy, as expected when ties are drawn by lot."""
    votes = np.bincount(crowd.slot, minlength=len(crowd.option)).reshape(-1, len(crowd.labels))
    tops = votes == votes.max(1, keepdims=True)
    chances = tops / tops.sum(1, keepdims=True)
    known = np.flatnonzero(truth >= 0)
    return float(chances[known, truth[known]].sum() / (truth != UNKNOWN).sum())


@st.composite
def small_crowds(draw: st.DrawFn) -> Crowd:
    pairs = st.tuples(st.integers(0, 4), st.integers(0, 3))
    cast = draw(st.lists(pairs, unique=True, min_size=1, max_size=20))
    return crowd_of([(task, worker, draw(st.integers(0, 2))) for task, worker in cast], 5, 4, 3)


@pytest.mark.parametrize("model", MODELS, ids=str)
@settings(deadline=None)
@given(crowd=small_crowds())
def test_posteriors_shares_and_voters_are_probabilities(model: Model, crowd: Crowd) -> None:
    fitted = model.fit(crowd, everything(crowd))
    assert np.add.reduceat(fitted.posterior, crowd.first[:-1]) == pytest.approx(1)
    assert fitted.shares.sum() == pytest.approx(1)
    assert fitted.shares.min() > 0
    assert ((fitted.miss > 0) & (fitted.hit < 1)).all()


@pytest.mark.parametrize("model", MODELS, ids=str)
@settings(deadline=None)
@given(crowd=small_crowds(), seed=st.integers(0, 100))
def test_the_order_of_votes_does_not_matter(model: Model, crowd: Crowd, seed: int) -> None:
    order = np.random.default_rng(seed).permutation(len(crowd.task))
    task, worker, label = (votes[order] for votes in (crowd.task, crowd.worker, crowd.label))
    shuffled = Crowd(
        crowd.tasks, crowd.workers, crowd.labels, task, worker, label, crowd.first, crowd.option, True
    )
    one, other = (model.fit(each, everything(each)) for each in (crowd, shuffled))
    assert one.posterior == pytest.approx(other.posterior, abs=1e-6)


@settings(max_examples=20, deadline=None)
@given(small_crowds())
def test_a_label_of_another_name_is_another_label_of_the_same_posterior(crowd: Crowd) -> None:
    renamed = replace(crowd, label=(crowd.label + 1) % 3)
    for model in MODELS:
        one, other = (model.fit(each, everything(each)).posterior.reshape(-1, 3) for each in (crowd, renamed))
        assert one == pytest.approx(np.roll(other, -1, axis=1), abs=1e-6)


def test_the_good_minority_outvotes_the_guessing_majority() -> None:
    crowd, truth = made_up(np.repeat([0.95, 0.05], [5, 10]), each=9)
    assert accuracy(crowd, Model(Prior(4, 2)), truth) > majority(crowd, truth) + 0.04


def test_habits_are_chosen_where_there_are_habits() -> None:
    """Most people who do not know say the first label."""
    crowd, truth = made_up(
        np.linspace(0.2, 0.9, 20), tasks=400, habit=(0.9, 0.05, 0.05), shares=(0.4, 0.3, 0.3)
    )
    chosen = choose({model: surprises(crowd, model) for model in candidates(crowd)})
    assert chosen.shrinkage is not None
    assert accuracy(crowd, chosen, truth) > majority(crowd, truth) + 0.05


def test_a_coin_is_chosen_where_errors_fall_anywhere() -> None:
    crowd, _ = made_up(np.linspace(0.3, 0.9, 20))
    assert choose({model: surprises(crowd, model) for model in candidates(crowd)}).shrinkage is None


def test_two_labels_leave_no_room_for_habits() -> None:
    crowd, _ = made_up(np.full(5, 0.9), tasks=20, habit=(0.5, 0.5), shares=(0.5, 0.5))
    assert all(model.shrinkage is None for model in candidates(crowd))


def test_a_choice_is_reproducible_and_blind_to_votes_outside_the_fold() -> None:
    crowd, _ = made_up(np.full(6, 0.8), tasks=40)
    one, other = (surprises(crowd, MODELS[0], seed=3) for _ in range(2))
    assert np.array_equal(one, other)
    assert (one > 0).all()


def test_rare_labels_keep_their_share() -> None:
    crowd, truth = made_up(np.full(10, 0.8), tasks=500, shares=(0.9, 0.07, 0.03))
    shares = crowds.Model(Prior(4, 2)).fit(crowd, everything(crowd)).shares
    assert shares == pytest.approx(np.bincount(truth) / 500, abs=0.04)


def test_closing_early_saves_votes_and_keeps_its_word() -> None:
    crowd, truth = made_up(np.linspace(0.6, 0.95, 15), tasks=400, each=9)
    outcomes = [replay(crowd, truth, Stopping(0.95, 0.1), rng) for rng in np.random.default_rng(1).spawn(3)]
    for outcome in outcomes:
        assert outcome.tasks == 360
        assert 1 < outcome.votes_per_task < 5
        assert outcome.coverage > 0.95
        assert outcome.accuracy_closed == pytest.approx(outcome.stated_confidence, abs=0.04)
    assert replay(crowd, truth, Stopping(0.95, 0.1), np.random.default_rng(1).spawn(1)[0]) == outcomes[0]


def test_a_higher_threshold_takes_more_votes() -> None:
    crowd, truth = made_up(np.full(12, 0.8), each=8)
    low, high = (
        replay(crowd, truth, Stopping(at, 0.1), np.random.default_rng(2)).votes_per_task for at in (0.8, 0.99)
    )
    at_least_four = replay(crowd, truth, Stopping(0.8, 0.1, least_votes=4), np.random.default_rng(2))
    assert low < high
    assert at_least_four.votes_per_task >= 4


def test_gold_tells_how_good_people_are() -> None:
    rng = np.random.default_rng(4)
    ability = rng.beta(12, 4, 400)
    seen = np.full(400, 20.0)
    found = prior_of(rng.binomial(20, ability).astype(float), seen)
    mean = (found.right - 1) / (found.right + found.wrong - 2)
    assert mean == pytest.approx(0.75, abs=0.02)
    assert 8 < found.right + found.wrong - 2 < 30


def test_no_gold_answers_tell_nothing() -> None:
    assert np.isfinite(
        [prior_of(np.zeros(3), np.zeros(3)).right, prior_of(np.zeros(3), np.zeros(3)).wrong]
    ).all()


@pytest.mark.parametrize(("threshold", "gold"), [(0.5, 0.1), (1.0, 0.1), (0.9, -0.1), (0.9, 1.0)])
def test_a_stopping_rule_without_sense_is_refused(threshold: float, gold: float) -> None:
    with pytest.raises(ValueError, match=r"expected (more than )?0.* less than 1"):
        Stopping(threshold, gold)


@pytest.fixture
def shared_crowd(request: pytest.FixtureRequest) -> tuple[Crowd, np.ndarray]:
    folder = SHARED / request.param
    if not folder.is_dir():
        pytest.skip(f"no real crowd in {folder}")
    crowd = read_crowd(folder / "answers.csv")
    return crowd, read_truth(folder / "truth.csv", crowd)


@pytest.mark.parametrize("shared_crowd", ["zencrowd_us", "weather_cf", "quiz_medicine"], indirect=True)
def test_on_a_real_crowd_it_is_not_worse_than_the_majority(shared_crowd: tuple[Crowd, np.ndarray]) -> None:
    crowd, truth = shared_crowd
    model = choose({model: surprises(crowd, model) for model in candidates(crowd)})
    assert accuracy(crowd, model, truth) > majority(crowd, truth)


@pytest.mark.parametrize("shared_crowd", ["sentpol_sp"], indirect=True)
def test_on_a_real_crowd_three_votes_do_the_work_of_five(shared_crowd: tuple[Crowd, np.ndarray]) -> None:
    crowd, truth = shared_crowd
    outcomes = [replay(crowd, truth, Stopping(0.95, 0.05), rng) for rng in np.random.default_rng(0).spawn(5)]
    assert np.mean([outcome.accuracy for outcome in outcomes]) >= 0.906
    assert np.mean([outcome.votes_per_task for outcome in outcomes]) <= 3.1
