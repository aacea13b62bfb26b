"""The shipped weights do what the figures beside them say, on dresses that they were never trained on."""

from pathlib import Path

import numpy as np
import pytest
import torch

from ml import checkpoint
from ml.catalogue_index import CatalogueIndex
from ml.deepdress import DeepDress
from ml.metrics import auroc, recall_at
from ml.photos import normalise, read_square, to_batch
from ml.synthetic import NEGATIVE_KINDS, Wardrobe, catalogue_photo, negative_photo, street_photo

WEIGHTS = Path(__file__).parents[2] / "ml/weights/deepdress"
DRESSES = 40


@pytest.fixture(scope="module")
def model() -> DeepDress:
    return DeepDress.load(WEIGHTS, device="cpu")


def test_the_weights_are_small() -> None:
    assert (WEIGHTS / "weights.safetensors").stat().st_size < 10e6


def test_unseen_dresses_are_found_by_their_catalogue_photo(model: DeepDress) -> None:
    dresses = [Wardrobe(71).dress(place) for place in range(DRESSES)]
    catalogue = model.embed([catalogue_photo(dress, "front", (205, 256), 1) for dress in dresses])
    streets = model.embed([street_photo(dress, (205, 256), 2) for dress in dresses])
    index = CatalogueIndex(catalogue.vectors, np.arange(DRESSES))
    assert recall_at(index, streets.vectors, np.arange(DRESSES), 3) > 0.6


def test_what_is_no_dress_is_told_apart(model: DeepDress) -> None:
    dresses = [Wardrobe(72).dress(place) for place in range(DRESSES)]
    photos = [street_photo(dress, (205, 256), 3) for dress in dresses]
    kinds = [NEGATIVE_KINDS[place % len(NEGATIVE_KINDS)] for place in range(DRESSES)]
    photos += [negative_photo(kind, (205, 256), 4, dress) for kind, dress in zip(kinds, dresses, strict=True)]
    assert auroc(model.embed(photos).not_a_dress, np.arange(2 * DRESSES) >= DRESSES) > 0.9


def test_half_the_bits_change_no_vector_by_more_than_a_thousandth() -> None:
    network = checkpoint.load(WEIGHTS).network
    drawn = [street_photo(Wardrobe(73).dress(place), (205, 256), 2) for place in range(4)]
    batch = normalise(to_batch([read_square(photo, network.config.input_size) for photo in drawn]))
    with torch.inference_mode():
        full, _ = network(batch)
        with torch.autocast("cpu", torch.bfloat16):
            halved, _ = network(batch)
    assert (full * halved).sum(dim=1).min() > 0.999
