"""Every kind of file becomes the same kind of square."""

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ml.photos import UnreadablePhoto, normalise, open_upright, read_square, shrink, to_batch


def encoded(image: Image.Image, kind: str, **settings: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **settings)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("mode", "kind"),
    [
        ("RGB", "JPEG"),
        ("CMYK", "JPEG"),
        ("L", "JPEG"),
        ("RGBA", "PNG"),
        ("P", "PNG"),
        ("LA", "PNG"),
        ("1", "PNG"),
    ],
)
def test_every_mode_becomes_three_channels(mode: str, kind: str) -> None:
    square = read_square(encoded(Image.new(mode, (60, 90)), kind), 32)
    assert square.shape == (32, 32, 3)
    assert square.dtype == np.uint8


def test_sixteen_bits_are_scaled_and_not_clipped() -> None:
    grey = Image.fromarray(np.full((8, 8), 0x8000, np.uint16))
    assert read_square(encoded(grey, "PNG"), 8) == pytest.approx(128, abs=1)


def test_transparency_lies_on_white() -> None:
    assert (read_square(Image.new("RGBA", (8, 8), (0, 0, 0, 0)), 8) == 255).all()


def test_a_phone_held_sideways_is_turned_upright() -> None:
    image = Image.new("RGB", (40, 20), "red")
    image.paste("blue", (20, 0, 40, 20))
    exif = Image.Exif()
    exif[0x0112] = 6  # stored turned by 90 degrees: the left edge belongs at the top
    upright = open_upright(encoded(image, "JPEG", exif=exif, quality=95), 40)
    assert upright.size == (20, 40)
    assert upright.getpixel((10, 5))[0] > 200
    assert upright.getpixel((10, 35))[2] > 200


@pytest.mark.parametrize("opened", [False, True])
def test_damaged_exif_is_no_damaged_photo(opened: bool) -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "maker"
    damaged = exif.tobytes().replace(b"\x01\x0f", b"\x01\x03")  # a number by its tag, and text by its type
    data = encoded(Image.new("RGB", (40, 20), "red"), "JPEG", exif=damaged)
    photo = Image.open(io.BytesIO(data)) if opened else data
    assert open_upright(photo, 40).size == (20, 40)


def test_a_large_jpeg_is_decoded_at_reduced_scale_to_the_same_picture() -> None:
    ramp = np.linspace(0, 255, 1600 * 1200 * 3).reshape(1600, 1200, 3).astype(np.uint8)
    data = encoded(Image.fromarray(ramp), "JPEG", quality=95)
    assert max(open_upright(data, 112).size) < 500
    whole = read_square(Image.open(io.BytesIO(data)), 112)
    assert np.abs(read_square(data, 112).astype(int) - whole).mean() < 2


@pytest.mark.parametrize("shape", [(1, 1), (1, 200), (300, 1), (20, 30), (400, 300)])
def test_any_aspect_ratio_fits_with_its_edges_repeated(shape: tuple[int, int]) -> None:
    square = read_square(Image.new("RGB", shape, (10, 200, 30)), 32)
    assert square.shape == (32, 32, 3)
    assert (square == [10, 200, 30]).all()


@pytest.mark.parametrize("content", [b"", b"<svg/>", b"<html></html>", b"\xff\xd8\xff\xe0 cut"])
def test_what_is_no_image_is_refused_by_name(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "holiday.jpg"
    path.write_bytes(content)
    with pytest.raises(UnreadablePhoto, match=r"holiday\.jpg: not a readable image"):
        read_square(path, 32)


def test_a_truncated_photo_is_refused() -> None:
    rng = np.random.default_rng(0)
    data = encoded(Image.fromarray(rng.integers(0, 255, (64, 64, 3), np.uint8)), "JPEG")
    with pytest.raises(UnreadablePhoto, match="truncated"):
        read_square(data[: len(data) // 2], 32)


def test_a_missing_file_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(UnreadablePhoto, match=r"gone\.jpg"):
        read_square(tmp_path / "gone.jpg", 32)


def photos(count: int = 6, side: int = 40) -> torch.Tensor:
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 255, (count, 5, 5, 3), np.uint8)
    return to_batch(coarse.repeat(side // 5, axis=1).repeat(side // 5, axis=2))


def test_shrinking_keeps_the_mean_and_normalising_centres_it() -> None:
    batch = photos()
    assert shrink(batch, 20).shape == (6, 3, 20, 20)
    assert shrink(batch, 20).mean() == pytest.approx(float(batch.mean()), abs=0.01)
    assert normalise(torch.full((1, 3, 2, 2), 0.5)).abs().max() == 0
    assert normalise(batch).is_contiguous(memory_format=torch.channels_last)
