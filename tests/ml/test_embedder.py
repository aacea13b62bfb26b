"""The network's shapes and sizes."""

import pytest
import torch

from ml.embedder import SIZES, Embedder, EmbedderConfig, size


@pytest.mark.parametrize("photos", [1, 3])
def test_photos_become_unit_vectors_and_a_logit_each(photos: int) -> None:
    torch.manual_seed(0)
    network = Embedder(size("tiny")).eval()
    with torch.inference_mode():
        vectors, logits = network(torch.randn(photos, 3, 32, 32))
    assert vectors.shape == (photos, 128)
    assert logits.shape == (photos,)
    assert torch.linalg.vector_norm(vectors, dim=1) == pytest.approx(torch.ones(photos), abs=1e-5)


def test_other_input_sizes_are_accepted() -> None:
    network = Embedder(size("tiny")).eval()
    with torch.inference_mode():
        assert network(torch.randn(2, 3, 48, 40))[0].shape == (2, 128)


def test_the_shipped_size_fits_ten_megabytes_at_half_precision() -> None:
    assert 2 * sum(tensor.numel() for tensor in Embedder(size("small")).state_dict().values()) < 10e6


def test_stages_without_blocks_are_refused() -> None:
    with pytest.raises(ValueError, match="zip"):
        Embedder(EmbedderConfig(widths=(8, 16), blocks=(1,)))


def test_an_unknown_size_names_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"'huge'.*tiny, small, base"):
        size("huge")
    assert list(SIZES) == ["tiny", "small", "base"]
