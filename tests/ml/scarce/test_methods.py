"""Each method learns what anybody can tell apart, and the same from the same seed."""

from collections.abc import Callable, Iterator
from operator import attrgetter

import numpy as np
import pytest
import torch

from ml.scarce.games import Generated, Judge, TransferJudge
from ml.scarce.learner import Learner, Network, Task, statistics_kept
from ml.scarce.methods import Augmented, FixMatch, FixMatchNeighbours, Method, Neighbours, Noisy, Supervised
from ml.scarce.transfer import FROZEN, Transfer, WithHead
from ml.train_embedder import LossNotFinite
from tests.ml.scarce.toys import task, toys

NAME = attrgetter("__name__")
SMALL, PLAYED = 16, 32  # pixels; generators dream no smaller photos
STEPS: dict[Callable[[Task], Method], tuple[int, int]] = {
    Supervised: (SMALL, 40),
    Augmented: (SMALL, 60),
    Noisy: (SMALL, 40),
    FixMatch: (SMALL, 40),
    Neighbours: (SMALL, 40),
    FixMatchNeighbours: (SMALL, 40),
    Transfer: (SMALL, 6),
    Judge: (PLAYED, 25),
    TransferJudge: (PLAYED, 6),
    Generated: (PLAYED, 40),
}


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def taught(
    method: Callable[[Task], Method], steps: int, side: int, seed: int = 0, channels: int = 1
) -> Method:
    learner = method(task(toys(side, channels), seed=seed))
    for step in range(steps):
        learner.step(step / steps)
    return learner


@pytest.mark.parametrize("method", list(STEPS), ids=NAME)
def test_a_method_is_better_than_chance_on_photos_it_never_saw(method: Callable[[Task], Method]) -> None:
    side, steps = STEPS[method]
    photos, learner = toys(side), taught(method, steps, side)
    found = learner.probabilities(photos.test)
    assert learner.steps == steps
    assert found.shape == (60, 3)
    assert torch.allclose(found.sum(dim=1), torch.ones(60), atol=1e-4)
    assert np.mean(found.argmax(dim=1).numpy() == photos.test_labels) > 0.6


@pytest.mark.parametrize(
    "method", [Augmented, Neighbours, FixMatchNeighbours, Generated], ids=lambda each: each.__name__
)
def test_the_same_seed_learns_the_same(method: Callable[[Task], Method]) -> None:
    photos = toys(PLAYED)
    one, again, other = (taught(method, 3, PLAYED, seed).probabilities(photos.test[:9]) for seed in (0, 0, 1))
    assert torch.equal(one, again)
    assert not torch.equal(one, other)


@pytest.mark.parametrize(
    "method", [FixMatch, Neighbours, FixMatchNeighbours, Judge], ids=lambda each: each.__name__
)
def test_colours_are_learnt_from_too(method: Callable[[Task], Method]) -> None:
    found = taught(method, 2, PLAYED, channels=3).probabilities(toys(PLAYED, 3).test)
    assert found.shape == (60, 3)
    assert found.isfinite().all()


def test_unlabelled_photos_have_no_labels_to_look_at() -> None:
    photos = toys()
    assert len(task(photos).labels) == 12
    assert not {"train_labels", "test_labels"} & set(vars(task(photos)))


@pytest.mark.parametrize("method", [Transfer, TransferJudge], ids=NAME)
def test_frozen_layers_stay_and_the_others_learn(method: Callable[[Task], Learner]) -> None:
    learner = method(task(toys(PLAYED)))
    network = learner.network
    assert isinstance(network, WithHead)
    before = {name: value.clone() for name, value in network.body.state_dict().items()}
    learner.step(0.2)
    after = network.body.state_dict()
    moved = {name for name, value in before.items() if not torch.equal(value, after[name])}
    assert moved
    frozen = ("stem.", *(f"stages.{place}." for place in range(FROZEN - 1)), "vector.", "not_a_dress.")
    assert not any(name.startswith(frozen) for name in moved)


def test_dreams_leave_the_judges_memory_of_real_photos_alone() -> None:
    network = Network(3).train()
    before = [each.clone() for each in network.buffers() if each.is_floating_point()]
    with statistics_kept(network):
        network(torch.rand(8, 3, SMALL, SMALL))
    assert all(map(torch.equal, before, (each for each in network.buffers() if each.is_floating_point())))
    network(torch.rand(8, 3, SMALL, SMALL))
    assert not all(map(torch.equal, before, (each for each in network.buffers() if each.is_floating_point())))


def test_the_generator_learns_from_a_critic_that_begins_as_deepdress() -> None:
    learner = TransferJudge(task(toys(PLAYED)))
    before = [each.clone() for each in learner.generator.parameters()]
    learner.play()
    moved = [
        not torch.equal(one, now) for one, now in zip(before, learner.generator.parameters(), strict=True)
    ]
    assert all(moved)


def test_the_average_follows_the_network() -> None:
    learner = Learner(task(toys(SMALL)))
    for _ in range(30):
        photos, labels = learner.labelled(0)
        learner.descend(torch.nn.functional.cross_entropy(learner.logits(photos), labels), 0.1)
    now = learner.network.head.weight
    assert not torch.equal(now, learner.averaged.head.weight)
    assert (now - learner.averaged.head.weight).norm() < 0.5 * now.norm()


def test_a_loss_that_is_no_number_ends_it() -> None:
    learner = Augmented(task(toys(SMALL), seed=4))
    with pytest.raises(LossNotFinite, match="Augmented diverged: loss nan at step 0, seed 4"):
        learner.descend(torch.tensor(float("nan")), 0.5)
