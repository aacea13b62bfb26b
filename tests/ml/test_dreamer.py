"""Dreams from seeds and tastes: the same everywhere, in their order, and never by the wrong weights."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml.checkpoint import CheckpointRefused
from ml.dreamer import SHIPPED, Dreamer, between
from tests.ml.tiny_dreamer import SIZE, write_tiny_dreamer


@pytest.fixture(scope="module")
def dreamer(tmp_path_factory: pytest.TempPathFactory) -> Dreamer:
    return Dreamer.load(write_tiny_dreamer(tmp_path_factory.mktemp("dreamer"), deepdress="f" * 64), "cpu")


def noises(dreamer: Dreamer, *seeds: int) -> np.ndarray:
    return np.stack([dreamer.noise(seed) for seed in seeds])


def test_a_seed_is_the_same_noise_everywhere_and_others_are_others(dreamer: Dreamer) -> None:
    assert dreamer.noise(17).tolist() == dreamer.noise(17).tolist()
    assert dreamer.noise(3)[:4] == pytest.approx([0.8033, 0.1748, 0.0890, -0.6137], abs=1e-4)
    assert len({tuple(dreamer.noise(seed)) for seed in (0, 1, 2, 2**32 - 1)}) == 4


def test_pictures_come_in_the_order_of_their_noises_whoever_is_dreamt_beside_them(dreamer: Dreamer) -> None:
    together = dreamer.dream(noises(dreamer, *range(70)))
    assert together.shape == (70, SIZE, SIZE, 3)
    assert together.dtype == np.uint8
    for seed in (0, 65, 69):
        alone = dreamer.dream(noises(dreamer, seed))[0]
        assert np.abs(together[seed].astype(int) - alone).max() <= 1
    assert np.abs(together[0].astype(int) - together[1]).max() > 3
    assert dreamer.dream(np.empty((0, 8))).shape == (0, SIZE, SIZE, 3)


def test_a_taste_changes_the_dream_and_none_is_made_up_of_the_noise(dreamer: Dreamer) -> None:
    noise = noises(dreamer, 17)
    own = dreamer.taste(noise[0])
    assert own.shape == (dreamer.dimensions,)
    assert np.linalg.norm(own) == pytest.approx(1, abs=1e-5)
    plain, made_up, none, other = (
        dreamer.dream(noise, tastes)[0].astype(int)
        for tastes in (None, own[None], np.zeros((1, 128)), -own[None])
    )
    assert np.abs(plain - made_up).max() <= 1
    assert np.array_equal(plain, none)
    assert np.abs(plain - other).max() > 1


def test_what_the_weights_do_not_know_is_refused(tmp_path: Path, dreamer: Dreamer) -> None:
    plain = Dreamer.load(write_tiny_dreamer(tmp_path / "plain", condition="none"), "cpu")
    assert (plain.dimensions, plain.deepdress, dreamer.deepdress) == (0, "", "f" * 64)
    with pytest.raises(ValueError, match="no conditions"):
        plain.dream(noises(plain, 1), np.zeros((1, 128)))
    with pytest.raises(ValueError, match="condition of shape"):
        dreamer.dream(noises(dreamer, 1), np.zeros((1, 7)))
    with pytest.raises(CheckpointRefused, match=r"weights\.safetensors"):
        Dreamer.load(tmp_path / "nowhere")


def test_the_version_is_the_weights_own(tmp_path: Path, dreamer: Dreamer) -> None:
    same, other = (write_tiny_dreamer(tmp_path / str(seed), seed) for seed in (1, 2))
    assert Dreamer.load(same, "cpu").version == dreamer.version != Dreamer.load(other, "cpu").version


vectors = st.lists(st.floats(-5, 5, width=32), min_size=4, max_size=4).map(
    lambda row: np.array(row, np.float32)
)


@settings(max_examples=60, deadline=None)
@given(start=vectors, end=vectors, share=st.floats(0, 1, width=32))
def test_a_walk_begins_and_ends_where_it_should_and_stays_in_between(
    start: np.ndarray, end: np.ndarray, share: float
) -> None:
    assert between(start, end, 0) == pytest.approx(start, abs=1e-4)
    assert between(start, end, 1) == pytest.approx(end, abs=1e-4)
    lengths = np.linalg.norm(start), np.linalg.norm(end)
    assert np.linalg.norm(between(start, end, share)) <= max(lengths) + 1e-3


def test_a_walk_along_the_sphere_keeps_its_speed_and_its_length() -> None:
    start, end = np.float32([1, 0]), np.float32([0, 1])
    for share in (0.25, 0.5, 0.75):
        angle = share * np.pi / 2
        assert between(start, end, share) == pytest.approx([np.cos(angle), np.sin(angle)], abs=1e-6)
    assert between(start, -start, 0.5) == pytest.approx([0, 0], abs=1e-6)  # opposite: straight through


@pytest.mark.skipif(not (SHIPPED / "config.json").exists(), reason="no dream weights are shipped")
def test_the_shipped_weights_dream() -> None:
    dreamer = Dreamer.load(device="cpu")
    pictures = dreamer.dream(noises(dreamer, 0, 1, 2, 3))
    assert pictures.shape == (4, dreamer.size, dreamer.size, 3)
    assert len({picture.tobytes() for picture in pictures}) == 4
    assert pictures.std(axis=(1, 2, 3)).min() > 5  # no dream is of one colour
