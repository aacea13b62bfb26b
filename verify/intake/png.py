"""Whether a PNG is whole: Pillow fills what is missing with black, and checks the pixels' checksums never."""

import struct
import zlib
from collections.abc import Iterator

SIGNATURE = b"\x89PNG\r\n\x1a\n"
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # by colour type
# Of Adam7's seven passes: first column, first row, steps to the next ones (PNG specification, 8.2).
PASSES = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]


class PngDamaged(ValueError):
    pass


def check_whole(data: bytes) -> None:
    """Raises PngDamaged unless each chunk that matters is as its checksum says, and no pixel is missing."""
    missing, inflate = -1, zlib.decompressobj()
    for kind, content in _chunks(data):
        if kind == b"IHDR":
            missing = _pixels(content)
        elif kind == b"IDAT" and missing > 0:
            missing -= _inflated(inflate, content, missing)
        elif kind == b"IEND":
            break
    if missing:
        raise PngDamaged("pixels are missing")


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    place = len(SIGNATURE)
    while place + 12 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, place)
        content = data[place + 8 : place + 8 + length]
        checksum = data[place + 8 + length :][:4]
        if len(content) < length or len(checksum) < 4:
            break
        if kind[:1].isupper() and checksum != struct.pack(">I", zlib.crc32(kind + content)):
            raise PngDamaged("a checksum is wrong")
        yield kind, content
        place += 12 + length
    raise PngDamaged("truncated")


def _pixels(header: bytes) -> int:
    """Bytes of all rows, each with the byte that names its filter."""
    width, height, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", header)
    bits = depth * CHANNELS[colour]
    passes = PASSES if interlaced else [(0, 0, 1, 1)]
    sizes = [(-(-(width - left) // across), -(-(height - top) // down)) for left, top, across, down in passes]
    return sum(high * (1 + -(-wide * bits // 8)) for wide, high in sizes if wide > 0 and high > 0)


def _inflated(inflate: "zlib._Decompress", content: bytes, most: int) -> int:
    """How many bytes that are, unpacked a part at a time, nothing of it kept, and no more than `most`."""
    count, left = 0, content
    try:
        while left and count < most and not inflate.eof:
            count += len(inflate.decompress(left, min(1 << 20, most - count)))
            left = inflate.unconsumed_tail
    except zlib.error as error:
        raise PngDamaged("its pixels are no zlib stream") from error
    return min(count, most)
