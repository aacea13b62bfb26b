"""Held-out figures: who is looked up where, and what a split cannot support."""

import numpy as np
import pytest
import torch

from ml.calibration import Calibration
from ml.embedder import Embedder, size
from ml.evaluation import calibrate, figures, seen_posts, unseen_posts
from ml.training_set import NO_DRESS, TrainingSet

CPU = torch.device("cpu")
ROWS = [  # dress, role, split
    *[(dress, role, "train") for dress in (0, 1) for role in ("catalogue", "look")],
    (0, "look", "test"),
    *[(dress, role, "test") for dress in (2, 3, 4) for role in ("catalogue", "look", "look")],
    *[(dress, role, "validation") for dress in (5, 6) for role in ("catalogue", "look")],
    *[(NO_DRESS, "negative", split) for split in ("train", "test", "validation", "validation")],
]


def colour_set(rows: list[tuple[int, str, str]]) -> TrainingSet:
    """Every dress is one colour, so that any network names it; photos without a dress are grey."""
    dress, role, split = (np.array(column) for column in zip(*rows, strict=True))
    colours = np.array(
        [[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 0], [255, 0, 255], [0, 255, 255], [0, 0, 0]]
    )
    pixels = np.full((len(rows), 37, 37, 3), 128, np.uint8)
    pixels[dress != NO_DRESS] = colours[dress[dress != NO_DRESS], None, None]
    return TrainingSet(pixels, dress, role, split, np.ones(len(rows)), np.empty((len(rows), 0), int), {}, {})


@pytest.fixture(scope="module")
def network() -> Embedder:
    torch.manual_seed(0)
    return Embedder(size("tiny"))


def test_unseen_dresses_are_looked_up_among_their_split(network: Embedder) -> None:
    posts = unseen_posts(network, colour_set(ROWS), "test", CPU)
    assert posts.index.dress_ids.tolist() == [2, 3, 4]
    assert posts.truth.tolist() == [2, 2, 3, 3, 4, 4]
    assert posts.recall() == {"1": 1.0, "3": 1.0, "5": 1.0, "dresses": 3}


def test_seen_dresses_are_looked_up_by_their_training_catalogue(network: Embedder) -> None:
    posts = seen_posts(network, colour_set(ROWS), "test", CPU)
    assert posts.index.dress_ids.tolist() == [0]
    assert posts.truth.tolist() == [0]


def test_figures_cover_what_the_test_split_holds(network: Embedder) -> None:
    found = figures(network, calibrate(network, colour_set(ROWS), CPU), colour_set(ROWS), CPU)
    assert found["unseen"]["recall"]["1"] == 1.0
    assert 0 <= found["ece"] <= 1
    assert 0 <= found["not_a_dress"]["auroc"] <= 1


def test_what_a_split_lacks_has_no_figure(network: Embedder) -> None:
    data = colour_set([row for row in ROWS if row[2] == "train"])
    assert calibrate(network, data, CPU) == Calibration()
    assert figures(network, Calibration(), data, CPU) == {
        "unseen": {"recall": None},
        "seen": {"recall": None},
        "not_a_dress": {"auroc": None, "average_precision": None},
        "ece": None,
    }
