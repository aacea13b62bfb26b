"""Photos that nobody has named get the names of those they look like, and are learnt from."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from ml import train_embedder, unlabelled
from ml.batches import Batches
from ml.embedder import Embedder, size
from ml.manifest import UNLABELLED
from ml.train_embedder import fit
from tests.ml.small_training import options, partly_labelled, small_set

CPU = torch.device("cpu")


def names_of(network: Embedder) -> tuple[unlabelled.Names, np.ndarray[Any, Any]]:
    """And the dresses that the photos show."""
    data = partly_labelled()
    hidden = data.rows(UNLABELLED, dress=False)
    batches = Batches(data, seed=0, pairs=6, negatives=4)
    return unlabelled.names(network, batches, CPU, 32), small_set().dress[hidden]


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Embedder:
    """That has seen the labelled photos."""
    torch.manual_seed(1)
    network = Embedder(size("tiny"))
    chosen = options(tmp_path_factory.mktemp("model"), steps=60, unlabelled_from=1.0)
    fit(network, partly_labelled(), chosen, CPU)
    return network


def test_a_photo_gets_the_name_of_those_it_looks_like(network: Embedder) -> None:
    found, truth = names_of(network)
    assert (found.classes == truth).mean() > 0.8
    assert ((found.sure >= 0) & (found.sure <= 1)).all()
    assert found.sure.max() == 1


def test_what_the_network_takes_for_no_dress_gets_no_name(network: Embedder) -> None:
    with torch.no_grad():
        bias = network.not_a_dress.bias.clone()
        network.not_a_dress.bias += 1000
    found, _ = names_of(network)
    network.not_a_dress.bias.data = bias
    assert not found.sure.any()


def test_they_are_learnt_from_once_the_time_has_come_and_then_named_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def counted(network: Embedder, batches: Batches, *others: Any) -> unlabelled.Names:
        asked.append(batches)
        return names(network, batches, *others)

    names = unlabelled.names
    monkeypatch.setattr(train_embedder, "names", counted)
    chosen = options(tmp_path, steps=20, check_every=5, unlabelled_from=0.5)
    training = fit(Embedder(size("tiny")), partly_labelled(), chosen, CPU)
    assert len(asked) == 2  # at steps 10 and 15
    hidden = training.data.rows(UNLABELLED, dress=False)
    drawn = np.concatenate([training.batches.at(step).rows for step in range(20)])
    assert np.isin(drawn, hidden).any()


def test_without_such_photos_nothing_changes(tmp_path: Path) -> None:
    """The option's other half alone does nothing."""
    states = []
    for share in (0.25, 1.0):
        torch.manual_seed(1)
        network = Embedder(size("tiny"))
        fit(network, small_set(), options(tmp_path / str(share), unlabelled_from=share, check_every=5), CPU)
        states.append(network.state_dict())
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


def test_a_photo_on_which_both_agree_is_surer_than_one_on_which_they_do_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The last photo looks like those of dress 0 and is nearer to the catalogue photo of dress 1."""
    catalogue, streets = torch.eye(4)[:2], torch.eye(4)[2:]
    labels = torch.tensor([0, 0, 0, 0, 1, 1, 1, 1])
    agreeing = streets[labels] + 0.3 * catalogue[labels]
    contested = streets[:1] + 0.3 * catalogue[1:]
    noise = 0.02 * torch.randn(17, 4, generator=torch.Generator().manual_seed(0))
    vectors = F.normalize(torch.cat([streets[labels], agreeing, contested]) + noise)
    found, sure = unlabelled.agreed(vectors, labels, catalogue)
    assert found[:8].tolist() == labels.tolist()
    assert sure[-1] < 0.9 * sure[:8].min()
    monkeypatch.setattr(unlabelled, "TEMPERATURE", float("inf"))
    _, of_look_alikes = unlabelled.agreed(vectors, labels, catalogue)
    assert of_look_alikes[-1] > sure[-1]


def test_of_whom_look_alikes_say_nothing_the_catalogue_decides() -> None:
    """Two groups of ten that see nothing of each other, the labels in one of them."""
    random = torch.Generator().manual_seed(0)
    axes = torch.eye(4)
    near = 0.01 * torch.randn(10, 4, generator=random)
    vectors = F.normalize(torch.cat([near + axes[0], near + axes[1]]))
    catalogue = F.normalize(torch.stack([axes[0], axes[1] + axes[2]]))
    found, sure = unlabelled.agreed(vectors, torch.tensor([0, 1]), catalogue)
    assert (found[8:] == 1).all()
    assert (sure[8:] > 0).all()
