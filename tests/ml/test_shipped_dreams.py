"""The shipped generator dreams what it is asked for, and differs from noise to noise."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from ml import checkpoint
from ml.gan import Generator, load_generator
from ml.gan_judge import Judge, dreams
from ml.name import SHIPPED
from ml.photos import read_square
from ml.synthetic import Wardrobe, catalogue_photo

WEIGHTS = Path(__file__).parents[2] / "ml/weights/dream"
DRESSES = 24


@pytest.fixture(scope="module")
def generator() -> Generator:
    return load_generator(WEIGHTS)


@pytest.fixture(scope="module")
def judge() -> Judge:
    return Judge(SHIPPED, torch.device("cpu"))


def test_the_weights_are_small_and_say_whose_vectors_they_are_asked_by() -> None:
    assert (WEIGHTS / "weights.safetensors").stat().st_size < 10e6
    config = json.loads((WEIGHTS / "config.json").read_text())
    assert config["deepdress"] == checkpoint.digest(SHIPPED)


def test_dreams_are_like_the_dresses_they_are_asked_for(generator: Generator, judge: Judge) -> None:
    photos = [catalogue_photo(Wardrobe(75).dress(place), "front", (128, 128)) for place in range(DRESSES)]
    asked = judge.look(np.stack([read_square(photo, generator.config.size) for photo in photos]))[1]
    noise = torch.randn(DRESSES, generator.config.noise, generator=torch.Generator().manual_seed(1))
    (dreamt,) = dreams(generator, noise, torch.from_numpy(asked))
    likeness = judge.look(dreamt)[1] @ asked.T
    right = np.diag(likeness)
    others = (likeness.sum() - right.sum()) / (DRESSES * (DRESSES - 1))
    assert right.mean() > others + 0.3
    assert (likeness.argmax(axis=1) == np.arange(DRESSES)).mean() > 0.5


def test_each_noise_is_another_dream_when_nothing_is_asked_for(generator: Generator, judge: Judge) -> None:
    noise = torch.randn(DRESSES, generator.config.noise, generator=torch.Generator().manual_seed(2))
    (dreamt,) = dreams(generator, noise)
    vectors = judge.look(dreamt)[1]
    assert (vectors @ vectors.T)[~np.eye(DRESSES, dtype=bool)].max() < 0.99
    assert 150 < dreamt[:, :4].mean() < 256  # on a pale ground
