"""Hundreds of files that are no photos are refused; photos that are something else as well lose that."""

import struct
import zlib
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from tests.verify.intake.hostile_pictures import (
    HTML,
    JPEG,
    MAGIC,
    OTHERS,
    ZIP,
    malformed,
    png_chunk,
    polyglots,
)
from tests.verify.intake.pictures import encoded, noise
from verify.intake import copies, decoder
from verify.intake.copies import PhotoRefused


def accepted(data: bytes) -> bool:
    try:
        decoder.prepare(data)
    except PhotoRefused as refusal:
        return not (5 < len(str(refusal)) < 200 and str(refusal).isprintable())
    return True


def test_no_malformed_picture_is_accepted_and_none_ends_the_decoder() -> None:
    files = dict(malformed())
    assert len(files) >= 300
    assert accepted(JPEG)
    running = decoder._pool._idle[-1]
    for name, data in files.items():
        assert not accepted(data), name
        assert decoder._pool._idle[-1] is running, name
    assert accepted(JPEG)


def test_nothing_of_what_else_a_photo_is_survives() -> None:
    for name, data in polyglots():
        made = decoder.prepare(data)
        for copy in (made.large, made.small):
            assert copy.startswith(b"\xff\xd8\xff"), name
            assert copy.endswith(b"\xff\xd9"), name
            for foreign in (HTML[:20], b"alert", ZIP[:4], b"%PDF", b"#!/bin", OTHERS["php"][:5]):
                assert foreign not in copy, name
            assert not set(Image.open(BytesIO(copy)).info) & {"comment", "exif", "xmp", "icc_profile"}


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
@pytest.mark.parametrize("size", [(33, 35), (64, 64), (97, 41)])
def test_every_kind_of_whole_png_is_found_whole(mode: str, size: tuple[int, int]) -> None:
    picture = noise(size).convert("I" if mode == "I;16" else mode).convert(mode)
    data = encoded(picture, "PNG")
    assert decoder.prepare(data).width == size[0]
    pixels = data.index(b"IDAT") + 30
    assert not accepted(data[:pixels] + bytes([data[pixels] ^ 1]) + data[pixels + 1 :])


def interlaced(pixels: np.ndarray) -> bytes:
    """A PNG in Adam7's order: eight bits of grey."""
    starts = [
        (0, 0, 8, 8),
        (0, 4, 8, 8),
        (4, 0, 8, 4),
        (0, 2, 4, 4),
        (2, 0, 4, 2),
        (0, 1, 2, 2),
        (1, 0, 2, 1),
    ]
    parts = [pixels[top::down, left::across] for top, left, down, across in starts]
    rows = b"".join(b"\0" + row.tobytes() for part in parts for row in part if part.size)
    header = struct.pack(">IIBBBBB", pixels.shape[1], pixels.shape[0], 8, 0, 0, 0, 1)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return MAGIC["png"] + b"".join(png_chunk(*chunk) for chunk in chunks)


@pytest.mark.parametrize("shape", [(33, 47), (64, 32), (35, 90)])
def test_an_interlaced_png_is_found_whole(shape: tuple[int, int]) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, shape, np.uint8)
    made = copies.prepare(interlaced(pixels), decoder.limits())
    assert (made.height, made.width) == shape
